package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// measureEnv makes this test binary a process that runs the program it names, and writes
// to standard error how much memory that took. It is needed because a process that was
// just forked counts its parent's memory as its own, and the tests' is large.
const measureEnv = "SYNCLINE_E2E_MEASURE"

const peakLine = "peak of memory: "

func measurePeak() int {
	cmd := exec.Command(os.Getenv(measureEnv), os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintf(os.Stderr, "\n%s%d\n", peakLine, peakMemory(cmd.ProcessState))
	return cmd.ProcessState.ExitCode()
}

// measured runs the program to its end, and expects an exit code. The result's peak is
// that of the program alone.
func (w *world) measured(exit int, args ...string) ran {
	w.Helper()
	cmd := w.command(args...)
	cmd.Path, cmd.Env = os.Args[0], append(cmd.Env, measureEnv+"="+binary)
	r := w.finish(cmd)
	if r.exit != exit {
		w.Fatalf("%s: exit %d, want %d", r, r.exit, exit)
	}
	_, peak, ok := strings.Cut(r.errOut, peakLine)
	n, err := strconv.ParseInt(strings.TrimSpace(peak), 10, 64)
	if !ok || err != nil {
		w.Fatalf("%s: no peak", r)
	}
	r.peak = n
	return r
}
