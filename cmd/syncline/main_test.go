package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// binary is the program as it is shipped, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "syncline-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "syncline")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	build := exec.Command("go", "build", "-ldflags", "-X main.version=1.2.3-test", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// world is a directory to run the program in, with its own state and no variables of
// whoever runs the tests.
type world struct {
	testing.TB
	dir string
	env []string
}

func newWorld(t testing.TB) *world {
	dir := t.TempDir()
	return &world{TB: t, dir: dir, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_STATE_HOME=" + filepath.Join(dir, "state"),
		"LocalAppData=" + filepath.Join(dir, "state"), "TZ=UTC",
	}}
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// ran is what a run of the program left.
type ran struct {
	exit        int
	out, errOut string
}

func (w *world) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	return cmd
}

// run runs the program to its end. What it prints with --json is checked against the
// schema.
func (w *world) run(args ...string) ran {
	w.Helper()
	var out, errOut bytes.Buffer
	cmd := w.command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.Fatalf("syncline %s: %v", strings.Join(args, " "), err)
	}
	r := ran{exit: cmd.ProcessState.ExitCode(), out: out.String(), errOut: errOut.String()}
	if strings.Contains(r.errOut, "panic:") || strings.Contains(r.errOut, "goroutine ") {
		w.Fatalf("syncline %s crashed:\n%s", strings.Join(args, " "), r.errOut)
	}
	if seemsJSON(args, func(string) (string, bool) { return "", false }) {
		checkLines(w, r.out, r.exit)
	}
	return r
}

// must runs the program and expects an exit code.
func (w *world) must(exit int, args ...string) ran {
	w.Helper()
	r := w.run(args...)
	if r.exit != exit {
		w.Fatalf("syncline %s: exit %d, want %d\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), r.exit, exit, r.out, r.errOut)
	}
	return r
}

var lineSchema = func() *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(filepath.Join("..", "..", "docs", "json.schema.json"))
	if err != nil {
		panic(err)
	}
	return s
}()

// checkLines checks output with --json: every line is of the schema, and the last one is
// the result, with the exit code.
func checkLines(t testing.TB, out string, exit int) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	for i, line := range lines {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if err != nil {
			t.Fatalf("line %d is no JSON: %v\n%s", i+1, err, line)
		}
		if err := lineSchema.Validate(v); err != nil {
			t.Fatalf("line %d is not of the schema: %v\n%s", i+1, err, line)
		}
	}
	var last resultLine
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Type != "result" {
		t.Fatalf("the last line is no result: %s", lines[len(lines)-1])
	}
	if last.Exit != exit || last.OK != (exit == 0) {
		t.Fatalf("the result says exit %d, ok %v; the program ended with %d", last.Exit, last.OK, exit)
	}
	for _, line := range lines[:len(lines)-1] {
		if strings.Contains(line, `"type":"result"`) {
			t.Fatalf("a result that is not the last line: %s", line)
		}
	}
}

// code returns the stable code of the error in a JSON result.
func (r ran) code(t testing.TB) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	var last resultLine
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	if last.Error == nil {
		return ""
	}
	return last.Error.Code
}
