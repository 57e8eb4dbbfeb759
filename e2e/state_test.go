package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// twoRows makes a pair with two rows, synced both ways.
func (w *world) twoRows() {
	w.Helper()
	w.create("a.db", "CREATE TABLE t(id INTEGER PRIMARY KEY, v, w); INSERT INTO t VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3)")
	w.sync(0, "--two-way", "a.db", "b.db")
}

// TestMovedFile keeps the history of a file that was renamed: a deletion is known to be
// one.
func TestMovedFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.twoRows()
	must(t, os.Mkdir(w.path("elsewhere"), 0o700))
	must(t, os.Rename(w.path("b.db"), w.path("elsewhere/renamed.db")))
	w.edit("elsewhere/renamed.db", "DELETE FROM t WHERE id = 1")
	p := w.plan("--two-way", "a.db", "elsewhere/renamed.db")
	if !p.Known {
		t.Errorf("the history of a moved file is not known: %s", p.Unknown)
	}
	if s := w.sync(0, "--two-way", "a.db", "elsewhere/renamed.db"); s.ToA.Deleted != 1 {
		t.Errorf("%+v, want one deletion to a.db", s)
	}
	w.equal("a.db", "elsewhere/renamed.db")
	if n := len(w.pairDirs()); n != 1 {
		t.Errorf("%d pair directories, want one", n)
	}
}

// TestOlderBackup notices a database that was put back: nothing that came after it is
// taken for deleted, and the plan says so.
func TestOlderBackup(t *testing.T) {
	t.Parallel()
	for _, restored := range []string{"a.db", "b.db"} {
		w := newWorld(t)
		w.twoRows()
		w.copyFile(restored, "backup")
		w.edit("a.db", "INSERT INTO t VALUES (4, 'four', 4); UPDATE t SET v = 'edited' WHERE id = 1")
		w.sync(0, "--two-way", "a.db", "b.db")
		must(t, os.Rename(w.path("backup"), w.path(restored)))
		p := w.plan("--two-way", "a.db", "b.db")
		if p.Known || !strings.Contains(p.Unknown, restored) {
			t.Errorf("restored %s: known %v, %q", restored, p.Known, p.Unknown)
		}
		r := w.run("sync", "--json", "--yes", "--two-way", "a.db", "b.db")
		if r.exit > 1 {
			t.Fatalf("%s: exit %d", r, r.exit)
		}
		for _, name := range []string{"a.db", "b.db"} {
			if got := w.value(name, "SELECT count(*) FROM t"); got != "4" {
				t.Errorf("restored %s: %s has %s rows, want 4: what came after the backup is no deletion", restored, name, got)
			}
		}
		// The row that differs is either the old value that is known, or a conflict.
		if r.exit == 0 {
			w.equal("a.db", "b.db")
			if got := w.value("a.db", "SELECT v FROM t WHERE id = 1"); got != "edited" {
				t.Errorf("restored %s: the edit after the backup is lost: %q", restored, got)
			}
		} else if c := w.conflicts("a.db", "b.db"); len(c) != 1 || c[0].Record != "t/1" {
			t.Errorf("restored %s: conflicts %+v, want t/1", restored, c)
		}
	}
}

// TestCopy is not fooled by a copy of a database beside it.
func TestCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.twoRows()
	w.copyFile("b.db", "copy.db")
	w.edit("copy.db", "DELETE FROM t WHERE id = 2")
	p := w.plan("--two-way", "a.db", "copy.db")
	if p.Known || p.Unknown == "" {
		t.Errorf("a copy is taken for the file itself: %+v", p)
	}
	w.sync(0, "--two-way", "a.db", "copy.db")
	if got := w.value("a.db", "SELECT count(*) FROM t"); got != "3" {
		t.Errorf("a.db has %s rows, want 3: what a copy lacks is no deletion", got)
	}
	// And the pair it was copied from goes on.
	w.edit("b.db", "DELETE FROM t WHERE id = 3")
	w.sync(0, "--two-way", "a.db", "b.db")
	if got := w.value("a.db", "SELECT count(*) FROM t"); got != "2" {
		t.Errorf("a.db has %s rows, want 2", got)
	}
}

// TestDeletedState loses its memory and no row: what differs is a conflict again.
func TestDeletedState(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.twoRows()
	w.edit("a.db", "UPDATE t SET v = 'edited' WHERE id = 1; DELETE FROM t WHERE id = 2")
	must(t, os.RemoveAll(w.stateHome()))
	p := w.plan("--two-way", "a.db", "b.db")
	if p.Known {
		t.Error("the history is known without a state")
	}
	if s := w.sync(1, "--two-way", "a.db", "b.db"); s.Open != 1 || s.ToA.Inserted != 1 {
		t.Errorf("%+v, want one conflict, and the row that is missing at one side back", s)
	}
	c := w.conflicts("a.db", "b.db")
	if len(c) != 1 || c[0].Record != "t/1" || c[0].A["v"] != "edited" || c[0].B["v"] != "one" {
		t.Fatalf("conflicts %+v, want t/1 with both values", c)
	}
	w.must(0, "conflicts", "resolve", "a.db", "b.db", "t/1", "--take", "a")
	w.sync(0, "--two-way", "a.db", "b.db")
	w.equal("a.db", "b.db")
	if got := w.value("b.db", "SELECT v FROM t WHERE id = 1"); got != "edited" {
		t.Errorf("the decision did not arrive: %q", got)
	}
}

// TestOrderOfArguments finds the same pair whatever the order and spelling of the paths.
func TestOrderOfArguments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.twoRows()
	must(t, os.Symlink(w.dir, filepath.Join(w.root(), "link")))
	w.edit("a.db", "DELETE FROM t WHERE id = 1")
	if s := w.sync(0, "--two-way", filepath.Join(w.root(), "link", "b.db"), "./../data/a.db"); s.ToA.Deleted != 1 || s.ToB.rows() != 0 {
		t.Errorf("%+v, want one deletion in the first database", s)
	}
	w.equal("a.db", "b.db")
	w.edit("a.db", "UPDATE t SET v = 'a' WHERE id = 2")
	w.edit("b.db", "UPDATE t SET v = 'b' WHERE id = 2")
	w.sync(1, "--two-way", w.path("b.db"), "a.db")
	c := w.conflicts("b.db", "a.db")
	if len(c) != 1 || c[0].A["v"] != "b" || c[0].B["v"] != "a" {
		t.Errorf("conflicts %+v, want sides by the order of the arguments", c)
	}
	w.must(0, "conflicts", "resolve", "b.db", "a.db", "t/2", "--take", "a")
	w.sync(0, "--two-way", "a.db", "b.db")
	if got := w.value("a.db", "SELECT v FROM t WHERE id = 2"); got != "b" {
		t.Errorf("--take a took %q, want the first argument's", got)
	}
	if n := len(w.pairDirs()); n != 1 {
		t.Errorf("%d pair directories, want one", n)
	}
}

// TestSharedDatabase lets a hub have two pairs, each with its own cursor, and takes one
// out without a trace while the other goes on.
func TestSharedDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("hub.db", "CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'one')")
	w.sync(0, "--two-way", "hub.db", "x.db")
	w.sync(0, "--two-way", "hub.db", "y.db")
	for _, name := range []string{"x.db", "y.db"} {
		p := w.start("sync", "--yes", "--json", "--two-way", "--watch", "hub.db", name)
		p.await(`"type":"watch"`)
		w.edit(name, "INSERT INTO t(v) VALUES ('from "+name+"')")
		eventually(t, "the row in hub.db", func() bool {
			return w.value("hub.db", "SELECT count(*) FROM t WHERE v = 'from "+name+"'") == "1"
		})
		if r := p.interrupt(); r.exit != 0 && r.exit != 130 {
			t.Fatalf("%s: exit %d", r, r.exit)
		}
	}
	w.sync(0, "--two-way", "hub.db", "x.db")
	w.sync(0, "--two-way", "hub.db", "y.db")
	for _, name := range []string{"x.db", "y.db"} {
		hub, d := w.database("hub.db"), w.database(name)
		w.equalRows(hub, d, []string{"t"})
		hub.close()
		d.close()
	}
	w.must(0, "sync", "--uninstall", "--yes", "hub.db", "x.db")
	if got := w.objects("x.db"); len(got) > 0 {
		t.Errorf("x.db still has %q", got)
	}
	if got := w.value("hub.db", "SELECT count(*) FROM _syncline_pair"); got != "1" {
		t.Errorf("hub.db has %s pairs, want y's", got)
	}
	if n := len(w.pairDirs()); n != 1 {
		t.Errorf("%d pair directories, want y's", n)
	}
	w.edit("y.db", "DELETE FROM t WHERE id = 1")
	if s := w.sync(0, "--two-way", "hub.db", "y.db"); s.ToA.Deleted != 1 {
		t.Errorf("%+v: the other pair has lost its history", s)
	}
	w.must(0, "sync", "--uninstall", "--yes", "hub.db", "y.db")
	for _, name := range []string{"hub.db", "y.db"} {
		if got := w.objects(name); len(got) > 0 {
			t.Errorf("%s still has %q", name, got)
		}
	}
	if n := len(w.pairDirs()); n != 0 {
		t.Errorf("%d pair directories are left", n)
	}
}

// objects lists what Syncline has in a database.
func (w *world) objects(name string) []string {
	w.Helper()
	d := w.database(name)
	defer d.close()
	return d.query(`SELECT type || ' ' || name FROM sqlite_schema WHERE name LIKE '%syncline%' OR tbl_name LIKE '%syncline%' OR sql LIKE '%syncline%'`)
}

// TestNothingWritten runs what only looks, with and without a state, over databases in
// every journal mode, and compares every file, name and time before and after.
func TestNothingWritten(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"delete", "wal", "persist", "truncate"} {
		for _, synced := range []bool{false, true} {
			w := newWorld(t)
			w.create("a.db", "PRAGMA journal_mode = "+mode+"; CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'one'), (2, 'two')")
			if synced {
				w.sync(0, "--two-way", "a.db", "b.db")
				w.edit("a.db", "UPDATE t SET v = 'a' WHERE id = 1")
				w.edit("b.db", "UPDATE t SET v = 'b' WHERE id = 1; DELETE FROM t WHERE id = 2")
				w.sync(1, "--two-way", "a.db", "b.db")
				w.edit("a.db", "INSERT INTO t VALUES (9, 'nine')")
			} else {
				w.create("b.db", "PRAGMA journal_mode = "+mode+"; CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'other')")
			}
			before := hashTree(t, w.root())
			for _, args := range [][]string{
				{"diff", "a.db", "b.db"},
				{"diff", "--cells", "--json", "b.db", "a.db"},
				{"sync", "--dry-run", "--yes", "a.db", "b.db"},
				{"sync", "--dry-run", "--two-way", "--json", "a.db", "b.db"},
				{"sync", "--dry-run", "--two-way", "--watch", "a.db", "b.db"},
				{"sync", "--dry-run", "--delete", "a.db", "new.db"},
				{"sync", "a.db", "none/b.db"},
				{"conflicts", "a.db", "b.db"},
				{"version"},
			} {
				r := w.run(args...)
				if after := hashTree(t, w.root()); after != before {
					t.Fatalf("journal mode %s, synced %v: %s wrote something:\n%s\n%s", mode, synced, r, before, after)
				}
			}
		}
	}
}

// TestOneWaySource leaves the source of one-way runs alone, byte for byte.
func TestOneWaySource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("a.db", small)
	before := hashTree(t, w.path("a.db"))
	w.sync(0, "a.db", "b.db")
	w.sync(0, "a.db", "b.db")
	w.edit("b.db", "UPDATE t SET v = 'mine' WHERE id = 1; INSERT INTO t VALUES (9, 'mine')")
	w.sync(0, "a.db", "b.db")
	if hashTree(t, w.path("a.db")) != before {
		t.Error("a.db was written to")
	}
	if got := w.value("b.db", "SELECT v FROM t WHERE id = 9"); got != "mine" {
		t.Errorf("a row that only the target has was not kept: %q", got)
	}
	if got := w.value("b.db", "SELECT v FROM t WHERE id = 1"); got != "a" {
		t.Errorf("row 1 of b.db is %q, want the source's", got)
	}
}

// TestFieldsMerge lets edits of different fields of one row meet, and tells of those of
// the same field.
func TestFieldsMerge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.twoRows()
	w.edit("a.db", "UPDATE t SET v = 'a' WHERE id = 1; UPDATE t SET v = 'a' WHERE id = 2")
	w.edit("b.db", "UPDATE t SET w = 100 WHERE id = 1; UPDATE t SET v = 'b', w = 200 WHERE id = 2")
	if s := w.sync(1, "--two-way", "a.db", "b.db"); s.Open != 1 {
		t.Errorf("%+v, want one conflict", s)
	}
	for _, name := range []string{"a.db", "b.db"} {
		if got := w.value(name, "SELECT v || w FROM t WHERE id = 1"); got != "a100" {
			t.Errorf("row 1 of %s is %q, want both edits", name, got)
		}
	}
	c := w.conflicts("a.db", "b.db")
	if len(c) != 1 || c[0].Record != "t/2" || c[0].Kind != "open" || c[0].A["v"] != "a" || c[0].B["v"] != "b" {
		t.Fatalf("conflicts %+v", c)
	}
	// A conflict closes when both sides become equal.
	w.edit("a.db", "UPDATE t SET v = 'agreed', w = 0 WHERE id = 2")
	w.edit("b.db", "UPDATE t SET v = 'agreed', w = 0 WHERE id = 2")
	w.sync(0, "--two-way", "a.db", "b.db")
	if c := w.conflicts("a.db", "b.db"); len(c) != 0 {
		t.Errorf("conflicts %+v, want none", c)
	}
	w.equal("a.db", "b.db")
}

// TestParked keeps what a constraint refuses aside, and lets the rest flow.
func TestParked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("a.db", `CREATE TABLE p(id INTEGER PRIMARY KEY, name TEXT UNIQUE); CREATE TABLE c(id INTEGER PRIMARY KEY, p INTEGER REFERENCES p);
		INSERT INTO p VALUES (1, 'one'), (2, 'two'), (3, 'three'); INSERT INTO c VALUES (1, 1)`)
	w.sync(0, "--two-way", "a.db", "b.db")
	w.edit("a.db", "DELETE FROM p WHERE id = 2; INSERT INTO p VALUES (10, 'ten'); INSERT INTO p VALUES (11, 'eleven')")
	w.edit("b.db", "INSERT INTO c VALUES (2, 2); INSERT INTO p VALUES (20, 'ten')")
	s := w.sync(1, "--two-way", "a.db", "b.db")
	if s.Parked == 0 {
		t.Errorf("%+v, want something parked", s)
	}
	if got := w.value("b.db", "SELECT name FROM p WHERE id = 11"); got != "eleven" {
		t.Errorf("the rest does not flow: %q", got)
	}
	reasons := set[string]{}
	for _, c := range w.conflicts("a.db", "b.db") {
		if c.Kind != "parked" || c.Reason == "" {
			t.Errorf("%+v, want it parked with a reason", c)
		}
		reasons[c.Record] = true
	}
	for _, r := range []string{"p/10", "p/20"} {
		if !reasons[r] {
			t.Errorf("%s is not listed: %v", r, reasons)
		}
	}
	for _, name := range []string{"a.db", "b.db"} {
		d := w.database(name)
		if got := d.query("PRAGMA foreign_key_check"); len(got) > 0 {
			t.Errorf("%s: foreign keys are broken: %q", name, got)
		}
		d.close()
	}
	w.edit("a.db", "INSERT INTO p VALUES (2, 'two'); UPDATE p SET name = 'ten of a' WHERE id = 10")
	w.sync(0, "--two-way", "a.db", "b.db")
	w.equal("a.db", "b.db")
}
