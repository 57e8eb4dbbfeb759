package main

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// TestJourney is the first hour of a person with Syncline.
func TestJourney(t *testing.T) {
	w := newWorld(t)
	w.must(0, "demo", "init", ".")
	wantOut := func(exit int, want string, args ...string) {
		t.Helper()
		if r := w.must(exit, args...); r.out != want {
			t.Errorf("syncline %s: %q, want %q\nstderr: %s", strings.Join(args, " "), r.out, want, r.errOut)
		}
	}
	r := w.must(0, "sync", "a.db", "b.db")
	if !strings.Contains(r.out, "b.db: 21,345 inserted") || r.errOut != "" {
		t.Errorf("the first sync says %q, %q", r.out, r.errOut)
	}
	wantOut(0, "= 21,345 equal\n", "diff", "a.db", "b.db")
	wantOut(0, "1 row changed\n", "sql", "a.db", "update orders set total = 1 where id = 7")
	wantOut(1, "* orders 7  total 19.90 -> 1.00\n= 21,344 equal   *1\n", "diff", "a.db", "b.db", "--cells")
	wantOut(1, "* orders 7\n= 21,344 equal   *1\n", "diff", "a.db", "b.db")
	wantOut(1, "", "diff", "a.db", "b.db", "-q")
	w.must(0, "sync", "a.db", "b.db", "--two-way")
	wantOut(0, "= 21,345 equal\n", "diff", "a.db", "b.db")

	// Different fields of one row merge.
	w.must(0, "sql", "a.db", "update orders set total = 2 where id = 8")
	w.must(0, "sql", "b.db", "update orders set note = 'ring twice' where id = 8")
	w.must(0, "sync", "a.db", "b.db", "--two-way")
	wantOut(0, "total  note\n    2  ring twice\n", "sql", "b.db", "select total, note from orders where id = 8")
	wantOut(0, "total  note\n    2  ring twice\n", "sql", "a.db", "select total, note from orders where id = 8")
	wantOut(0, "no conflicts\n", "conflicts", "a.db", "b.db")

	// One field edited on both sides is a conflict, and neither side is touched.
	w.must(0, "sql", "a.db", "update orders set total = 3 where id = 7")
	w.must(0, "sql", "b.db", "update orders set total = 4 where id = 7")
	r = w.must(1, "sync", "a.db", "b.db", "--two-way")
	if !strings.Contains(r.out, "syncline conflicts a.db b.db") {
		t.Errorf("the summary does not name the next step: %s", r.out)
	}
	r = w.must(1, "conflicts", "a.db", "b.db")
	for _, want := range []string{"orders/7", "open (keep)", "since 20", "a.db   total 3.00", "b.db   total 4.00"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("conflicts lacks %q:\n%s", want, r.out)
		}
	}
	w.must(1, "conflicts", "b.db", "a.db", "--json")
	w.must(0, "conflicts", "resolve", "a.db", "b.db", "orders/7", "--take", "a", "--json")
	wantOut(0, "= 21,345 equal\n", "diff", "a.db", "b.db")
	wantOut(0, "no conflicts\n", "conflicts", "a.db", "b.db")
	if got := w.must(1, "conflicts", "resolve", "a.db", "b.db", "orders/7", "--take", "a", "--json").code(t); got != "no_conflict" {
		t.Errorf("code %q", got)
	}

	// A second run with nothing changed says so.
	r = w.must(0, "sync", "a.db", "b.db", "--two-way")
	if !strings.HasPrefix(r.out, "nothing to do") {
		t.Errorf("got %q", r.out)
	}
	wantOut(0, "", "sync", "a.db", "b.db", "--two-way", "-q")

	r = w.must(0, "sync", "a.db", "b.db", "--uninstall")
	if !strings.Contains(r.out, "removed") {
		t.Errorf("got %q", r.out)
	}
	wantOut(0, "n\n0\n", "sql", "b.db", `select count(*) n from sqlite_schema where name like '\_syncline%' escape '\'`)
	w.must(0, "sync", "a.db", "b.db", "--uninstall", "--json")
}

// Conflicts are judged by the rules of the last run, unless others are named.
func TestConflictsByRule(t *testing.T) {
	w := newWorld(t)
	w.pair()
	w.must(0, "sync", "a.db", "b.db", "--two-way")
	w.must(0, "sql", "a.db", "update orders set total = 3 where id = 7")
	w.must(0, "sql", "b.db", "update orders set total = 4 where id = 7")
	r := w.must(0, "sync", "a.db", "b.db", "--two-way", "--on-conflict", "a", "--yes")
	if !strings.Contains(r.out, "1 conflict decided by a rule: syncline conflicts a.db b.db\n") {
		t.Errorf("got %q", r.out)
	}
	r = w.must(0, "conflicts", "a.db", "b.db")
	if !strings.Contains(r.out, "orders/7   decided by a ") || !strings.Contains(r.out, "result   total 3.00") {
		t.Errorf("got %q", r.out)
	}
	r = w.must(0, "conflicts", "a.db", "b.db", "--on-conflict", "b")
	if !strings.Contains(r.out, "orders/7   decided by b ") {
		t.Errorf("got %q", r.out)
	}
}

// An older backup in place of a database is noticed and said so, also where no plan is shown.
func TestOlderBackupIsSaid(t *testing.T) {
	w := newWorld(t)
	w.pair()
	w.must(0, "sync", "a.db", "b.db", "--two-way")
	old, err := os.ReadFile(w.path("a.db"))
	if err != nil {
		t.Fatal(err)
	}
	w.must(0, "sql", "a.db", "update orders set note = 'newer' where id = 7")
	if r := w.must(0, "sync", "a.db", "b.db", "--two-way"); r.errOut != "" {
		t.Errorf("a run like any other says %q", r.errOut)
	}
	if err := os.WriteFile(w.path("a.db"), old, 0o666); err != nil {
		t.Fatal(err)
	}
	if r := w.must(1, "sync", "a.db", "b.db", "--two-way"); !strings.Contains(r.errOut, "history unknown: ") {
		t.Errorf("nothing is said of it: %q, %q", r.out, r.errOut)
	}
}

func TestDryRunShowsThePlanAsTheResult(t *testing.T) {
	w := newWorld(t)
	w.pair()
	r := w.must(0, "sync", "a.db", "b.db", "-n")
	for _, want := range []string{"plan  a.db -> b.db", "orders  +3", "creates the database b.db", "creates 1 table"} {
		if !strings.Contains(r.out, want) {
			t.Errorf("the plan lacks %q:\n%s", want, r.out)
		}
	}
	if exists(w.path("b.db")) || exists(w.path("state")) {
		t.Error("a dry run left something behind")
	}
	r = w.must(0, "sync", "a.db", "b.db", "-n", "--json")
	if !strings.HasPrefix(r.out, `{"type":"plan"`) {
		t.Errorf("got %s", r.out)
	}
	w.must(0, "sync", "a.db", "b.db", "-n", "--two-way", "--watch", "--json")
}

func TestJSONOfEveryCommand(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		exit int
		args []string
	}{
		{0, []string{"demo", "init", "."}},
		{0, []string{"version"}},
		{0, []string{"completion", "bash"}},
		{0, []string{"sync", "a.db", "b.db"}},
		{0, []string{"diff", "a.db", "b.db"}},
		{0, []string{"sql", "a.db", "update orders set total = 1 where id = 7; delete from lines where order_id = 8; select * from customers limit 2"}},
		{0, []string{"sql", "b.db", "insert into lines values (9, 99, 'x', 1, 1.25)"}},
		{1, []string{"diff", "a.db", "b.db", "--cells"}},
		{0, []string{"conflicts", "a.db", "b.db"}},
		{6, []string{"sync", "a.db", "b.db", "--delete"}},
		{0, []string{"sync", "a.db", "b.db", "--uninstall"}},
		{2, []string{"sync", "a.db"}},
		{0, []string{"conflicts", "--help"}},
		{0, []string{"help", "sync"}},
		{2, []string{"sync", "--no-such-flag"}},
	} {
		r := w.must(c.exit, append(c.args, "--json")...)
		if want := `"command":"` + c.args[0]; !strings.Contains(r.out, want) {
			t.Errorf("%q: the result does not say %s: %s", c.args, want, r.out)
		}
		if r.errOut != "" && !strings.Contains(r.errOut, "Usage:") {
			t.Errorf("%q: stderr with --json: %s", c.args, r.errOut)
		}
	}
}

func TestEnvironmentStandsForFlags(t *testing.T) {
	w := newWorld(t)
	w.pair(sameTable, "create table t (id integer primary key)", "create table u (id integer primary key)", "insert into t values (1)", "insert into u values (1)")
	base := w.env
	w.env = append(base, "SYNCLINE_JSON=1", "SYNCLINE_EXCLUDE=t\nu", "SYNCLINE_DRY_RUN=true")
	r := w.must(0, "sync", "a.db", "b.db")
	checkLines(t, r.out, 0)
	if !strings.Contains(r.out, `"type":"plan"`) {
		t.Errorf("got %s", r.out)
	}
	// The command line goes before the environment.
	r = w.must(0, "sync", "a.db", "b.db", "--json=false", "--dry-run=false", "-x", "t", "-x", "u")
	if !strings.Contains(r.out, "done") {
		t.Errorf("got %s", r.out)
	}
	w.env = append(base, "SYNCLINE_TIMEOUT=soon")
	w.must(2, "diff", "a.db", "b.db").wantError(t, "SYNCLINE_TIMEOUT", "--timeout")
	w.env = append(base, "SYNCLINE_STATE="+w.path("elsewhere"))
	w.must(0, "sync", "a.db", "b.db", "-x", "t", "-x", "u")
	if !exists(w.path("elsewhere")) {
		t.Error("SYNCLINE_STATE does not count")
	}
}

func TestColors(t *testing.T) {
	w := newWorld(t)
	w.pair(sameTable)
	base := w.env
	for _, c := range []struct {
		env  string
		args []string
		want bool
	}{
		{"A=", nil, false}, // not a terminal
		{"A=", []string{"--color", "always"}, true},
		{"NO_COLOR=1", []string{"--color", "always"}, true}, // the flag says it
		{"SYNCLINE_COLOR=always", nil, true},
		{"SYNCLINE_COLOR=always", []string{"--color", "never"}, false},
	} {
		w.env = append(base, c.env)
		r := w.must(1, append([]string{"diff", "a.db", "b.db"}, c.args...)...)
		if got := strings.Contains(r.out, "\x1b["); got != c.want {
			t.Errorf("%s %q: colors %v, want %v", c.env, c.args, got, c.want)
		}
	}
}

func TestLogsAsJSON(t *testing.T) {
	w := newWorld(t)
	w.pair()
	r := w.must(0, "sync", "a.db", "b.db", "-v", "--log-format", "json")
	if !strings.Contains(r.errOut, "plan  a.db -> b.db") {
		t.Errorf("-v shows the plan: %s", r.errOut)
	}
	if strings.Contains(r.out, "plan") {
		t.Errorf("stdout is for the result: %s", r.out)
	}
}

func TestVersion(t *testing.T) {
	w := newWorld(t)
	if r := w.must(0, "version"); !strings.HasPrefix(r.out, "syncline 1.2.3-test (go1.") {
		t.Errorf("got %q", r.out)
	}
}

func TestCompletionScripts(t *testing.T) {
	w := newWorld(t)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := w.must(0, "completion", shell); !strings.Contains(r.out, "syncline") {
			t.Errorf("%s: %q", shell, r.out)
		}
	}
	r := w.must(0, "__complete", "sy")
	if !strings.Contains(r.out, "sync\t") {
		t.Errorf("completing sy gives %q", r.out)
	}
}

// A reader that has seen enough is no failure worth a word.
func TestOutputIntoAClosedPipe(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no sh")
	}
	w := newWorld(t)
	w.must(0, "demo", "init", ".")
	w.database("c.db", "create table customers (id integer primary key, name text not null, email text not null unique, city text not null, since date not null)")
	cmd := exec.Command("sh", "-c", binary+" sql a.db 'select * from lines, customers' | head -n 1")
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "\n") != 1 {
		t.Errorf("%v\n%s", err, out)
	}
}
