package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// binary is the program as it is shipped, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	if os.Getenv(holdEnv) != "" {
		return hold()
	}
	if os.Getenv(measureEnv) != "" {
		return measurePeak()
	}
	dir, err := os.MkdirTemp("", "syncline-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if raced {
		return withoutDetector(dir)
	}
	binary = filepath.Join(dir, "syncline.exe")
	build := exec.Command("go", "build", "-o", binary, "../cmd/syncline")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// withoutDetector builds the tests again without the race detector, and runs those. There
// is no code of Syncline's in this process that could race, and SQLite, which makes and
// compares the databases in it, is ten times slower when it is watched.
func withoutDetector(dir string) int {
	tests := filepath.Join(dir, "e2e.test.exe")
	build := exec.Command("go", "test", "-c", "-o", tests, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go test -c: %v\n%s", err, out)
		return 1
	}
	run := exec.Command(tests, os.Args[1:]...)
	run.Stdin, run.Stdout, run.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := run.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return run.ProcessState.ExitCode()
}
