package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// world is a directory to run the program in, with a state and a home of its own and no
// variables of whoever runs the tests.
type world struct {
	testing.TB
	dir string // the databases
	env []string
}

func newWorld(t testing.TB) *world {
	t.Helper()
	root := t.TempDir()
	w := &world{TB: t, dir: filepath.Join(root, "data")}
	for _, d := range []string{w.dir, filepath.Join(root, "home")} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.env = []string{
		"PATH=" + os.Getenv("PATH"), "TZ=UTC", "HOME=" + filepath.Join(root, "home"),
		"XDG_STATE_HOME=" + w.stateHome(), "LocalAppData=" + w.stateHome(), "TMPDIR=" + os.TempDir(),
	}
	t.Cleanup(func() {
		if keep := os.Getenv("SYNCLINE_E2E_KEEP"); keep != "" && t.Failed() {
			to := filepath.Join(keep, strings.ReplaceAll(t.Name(), "/", "-"))
			if err := os.CopyFS(to, os.DirFS(root)); err != nil {
				t.Log(err)
			}
		}
	})
	return w
}

// root holds everything of the world: the databases, the state and the home.
func (w *world) root() string { return filepath.Dir(w.dir) }

func (w *world) stateHome() string { return filepath.Join(w.root(), "state") }

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// pairDirs are the state directories of the world's pairs.
func (w *world) pairDirs() []string {
	dirs, err := filepath.Glob(filepath.Join(w.stateHome(), "syncline", "*", "pair.json"))
	if err != nil {
		w.Fatal(err)
	}
	for i := range dirs {
		dirs[i] = filepath.Dir(dirs[i])
	}
	return dirs
}

// ran is what a run of the program left.
type ran struct {
	args        []string
	exit        int // -1 when a signal ended it
	out, errOut string
	took        time.Duration
	peak        int64 // bytes of memory at most, of what was measured
}

// effect, summary, failure and resultLine are what the tests need of the JSON output.
type effect struct{ Inserted, Updated, Deleted, Overwritten, Bytes int64 }

func (e effect) rows() int64 { return e.Inserted + e.Updated + e.Deleted }

type summary struct {
	ToA        effect `json:"to_a"`
	ToB        effect `json:"to_b"`
	Settled    bool
	Open       int64
	Parked     int64
	Pending    int64
	Resolved   int64
	Deviations int64
	BytesRead  int64 `json:"bytes_read"`
	Equal      int64
}

type failure struct {
	Code, Message, Suggestion string
	Details                   []string
}

type resultLine struct {
	Type    string
	OK      bool
	Exit    int
	Summary *summary
	Error   *failure
}

type planLine struct {
	Type    string
	Nothing bool
	Known   bool
	Unknown string
	Tables  []struct {
		Name      string
		ToA       effect `json:"to_a"`
		ToB       effect `json:"to_b"`
		FirstCopy bool   `json:"first_copy"`
		Conflicts int64
		Pending   int64
	}
	Skipped []struct{ Database, Kind, Name, Reason string }
}

type conflictLine struct {
	Type, Record, Table, Kind, Rule, Reason, At string
	Fields                                      []string
	A, B, Result                                map[string]any
}

func (w *world) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	return cmd
}

// run runs the program to its end.
func (w *world) run(args ...string) ran {
	w.Helper()
	return w.finish(w.command(args...))
}

// finish runs a command and reports how it ended. A crash of the program fails the test.
func (w *world) finish(cmd *exec.Cmd) ran {
	w.Helper()
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	begin := time.Now()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.Fatalf("%s: %v", cmd, err)
	}
	r := ran{
		args: cmd.Args[1:], exit: cmd.ProcessState.ExitCode(), took: time.Since(begin),
		out: out.String(), errOut: errOut.String(),
	}
	r.checkCrash(w)
	return r
}

func (r ran) checkCrash(t testing.TB) {
	t.Helper()
	if strings.Contains(r.errOut, "panic:") || strings.Contains(r.errOut, "\ngoroutine ") {
		t.Fatalf("syncline %s crashed:\n%s", strings.Join(r.args, " "), r.errOut)
	}
}

// must runs the program and expects an exit code.
func (w *world) must(exit int, args ...string) ran {
	w.Helper()
	r := w.run(args...)
	if r.exit != exit {
		w.Fatalf("%s: exit %d, want %d", r, r.exit, exit)
	}
	return r
}

func (r ran) String() string {
	return "syncline " + strings.Join(r.args, " ") + "\nstdout:\n" + r.out + "\nstderr:\n" + r.errOut + "\n"
}

// sync runs sync with JSON output and consent, and returns its result.
func (w *world) sync(exit int, args ...string) *summary {
	w.Helper()
	r := w.must(exit, append([]string{"sync", "--json", "--yes"}, args...)...)
	res := r.result(w)
	if res.Summary == nil {
		w.Fatalf("%s: no summary", r)
	}
	return res.Summary
}

// refused runs sync with JSON output and consent, expects it to fail with the code, and
// returns the error.
func (w *world) refused(exit int, code string, args ...string) *failure {
	w.Helper()
	r := w.must(exit, append([]string{"sync", "--json", "--yes"}, args...)...)
	res := r.result(w)
	if res.Error == nil || res.Error.Code != code {
		w.Fatalf("%s: error %+v, want code %s", r, res.Error, code)
	}
	if strings.Contains(res.Error.Message, "\n") || res.Error.Message == "" {
		w.Fatalf("%s: the message is not one line", r)
	}
	return res.Error
}

// result returns the last line of JSON output.
func (r ran) result(t testing.TB) *resultLine {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	var res resultLine
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &res); err != nil || res.Type != "result" {
		t.Fatalf("%s: the last line is no result (%v)", r, err)
	}
	if res.Exit != r.exit {
		t.Fatalf("%s: the result says exit %d, the program ended with %d", r, res.Exit, r.exit)
	}
	return &res
}

// lines decodes the lines of one type in JSON output.
func lines[T any](t testing.TB, out, kind string) []T {
	t.Helper()
	var all []T
	for line := range strings.Lines(out) {
		if !strings.Contains(line, `"type":"`+kind+`"`) {
			continue
		}
		var v T
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, v)
	}
	return all
}

// conflicts lists the conflicts of a pair. Flags are those that say with which rules the
// pair is synced.
func (w *world) conflicts(a, b string, flags ...string) []conflictLine {
	w.Helper()
	r := w.run(append([]string{"conflicts", "--json", a, b}, flags...)...)
	if r.exit > 1 {
		w.Fatalf("%s: exit %d", r, r.exit)
	}
	return lines[conflictLine](w, r.out, "conflict")
}

// plan makes a plan and returns it.
func (w *world) plan(args ...string) planLine {
	w.Helper()
	r := w.must(0, append([]string{"sync", "--json", "--dry-run"}, args...)...)
	plans := lines[planLine](w, r.out, "plan")
	if len(plans) != 1 {
		w.Fatalf("%s: %d plans", r, len(plans))
	}
	return plans[0]
}
