package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

func atoi(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const small = "CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')"

// TestFaults meets databases that are not there, not whole, not databases, or not to be
// had: a code, one line, and nothing written.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		prepare func(w *world)
		args    []string
		exit    int
		code    string
		says    string // in the message or the suggestion
	}{
		{name: "first does not exist", args: []string{"none.db", "a.db"}, exit: 4, code: "not_exist", says: "none.db"},
		{name: "directory of the second does not exist", args: []string{"a.db", "none/b.db"}, exit: 4, code: "not_exist", says: "none"},
		{name: "same file", args: []string{"a.db", "./a.db"}, exit: 2, code: "usage", says: "same"},
		{
			name: "same file by a link", args: []string{"a.db", "link.db"}, exit: 2, code: "usage", says: "same",
			prepare: func(w *world) { must(w, os.Symlink("a.db", w.path("link.db"))) },
		},
		{
			name: "same file by a hard link", args: []string{"a.db", "hard.db"}, exit: 2, code: "usage", says: "same",
			prepare: func(w *world) { must(w, os.Link(w.path("a.db"), w.path("hard.db"))) },
		},
		{
			name: "a directory", args: []string{"a.db", "dir"}, exit: 7, code: "incompatible", says: "directory",
			prepare: func(w *world) { must(w, os.Mkdir(w.path("dir"), 0o700)) },
		},
		{
			name: "not a database", args: []string{"a.db", "text.db"}, exit: 7, code: "incompatible", says: "text.db",
			prepare: func(w *world) {
				must(w, os.WriteFile(w.path("text.db"), bytes.Repeat([]byte("to whom it may concern: this is no database\n"), 100), 0o600))
			},
		},
		{
			name: "encrypted", args: []string{"noise.db", "b.db"}, exit: 7, code: "incompatible", says: "noise.db",
			prepare: func(w *world) {
				w.create("noise.db", small)
				b, err := os.ReadFile(w.path("noise.db"))
				must(w, err)
				for i := range b {
					b[i] ^= byte(i*131 + 17)
				}
				must(w, os.WriteFile(w.path("noise.db"), b, 0o600))
			},
		},
		{
			name: "corrupt", args: []string{"bad.db", "b.db"}, exit: 8, code: "corrupt", says: "bad.db",
			prepare: func(w *world) {
				w.many("bad.db", "2000")
				b, err := os.ReadFile(w.path("bad.db"))
				must(w, err)
				for i := 2 * 4096; i < len(b); i += 4096 {
					copy(b[i:i+64], bytes.Repeat([]byte{0xa5}, 64))
				}
				must(w, os.WriteFile(w.path("bad.db"), b, 0o600))
			},
		},
		{
			name: "corrupt target", args: []string{"a.db", "bad.db"}, exit: 8, code: "corrupt", says: "bad.db",
			prepare: func(w *world) {
				w.create("bad.db", "CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'x')")
				f, err := os.OpenFile(w.path("bad.db"), os.O_RDWR, 0)
				must(w, err)
				_, err = f.WriteAt(bytes.Repeat([]byte{0xa5}, 64), 4096)
				must(w, err)
				must(w, f.Close())
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.create("a.db", small)
			if tt.prepare != nil {
				tt.prepare(w)
			}
			before := hashTree(t, w.dir)
			f := w.refused(tt.exit, tt.code, tt.args...)
			if all := f.Message + " " + f.Suggestion; !strings.Contains(all, tt.says) {
				t.Errorf("%q does not say %q", all, tt.says)
			}
			if after := hashTree(t, w.dir); after != before {
				t.Errorf("something was written:\n%s\n%s", before, after)
			}
			r := w.run(append([]string{"sync", "--yes"}, tt.args...)...)
			if lines := strings.Split(strings.TrimSpace(r.errOut), "\n"); len(lines) != 1 || r.out != "" {
				t.Errorf("%s: want one line on stderr", r)
			}
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestLocked waits for another process's lock as long as it was told to.
func TestLocked(t *testing.T) {
	t.Parallel()
	for _, locked := range []string{"a.db", "b.db"} {
		w := newWorld(t)
		w.create("a.db", small)
		w.sync(0, "--two-way", "a.db", "b.db")
		w.edit("a.db", "UPDATE t SET v = 'edited'")
		release := w.lock(locked)
		begin := time.Now()
		f := w.refused(4, "unreachable", "--two-way", "--timeout", "500ms", "a.db", "b.db")
		if took := time.Since(begin); took < 500*time.Millisecond || took > 20*time.Second {
			t.Errorf("it waited %v for a lock, want 500ms", took)
		}
		if !strings.Contains(f.Message+f.Suggestion, locked) || !strings.Contains(f.Message+f.Suggestion, "lock") {
			t.Errorf("%+v does not say that %s is locked", f, locked)
		}
		// One that is let go in time is no fault.
		p := w.start("sync", "--yes", "--json", "--two-way", "--timeout", "60s", "a.db", "b.db")
		time.Sleep(300 * time.Millisecond)
		release()
		if r := p.wait(); r.exit != 0 {
			t.Errorf("%s: exit %d after the lock was let go", r, r.exit)
		}
		w.equal("a.db", "b.db")
	}
}

// TestBusy lets one run at a time have a pair, and names the process that has it.
func TestBusy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("a.db", small)
	p := w.start("sync", "--yes", "--json", "--two-way", "--watch", "a.db", "b.db")
	p.await(`"type":"watch"`)
	for _, args := range [][]string{{"--two-way", "a.db", "b.db"}, {"--two-way", "./b.db", w.path("a.db")}} {
		f := w.refused(9, "busy", args...)
		if !strings.Contains(f.Message, itoa(p.cmd.Process.Pid)) {
			t.Errorf("%+v does not name process %d", f, p.cmd.Process.Pid)
		}
	}
	p.kill()
	w.sync(0, "--two-way", "a.db", "b.db")
}

// TestNewerState refuses a state that a newer version wrote, and says so.
func TestNewerState(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("a.db", small)
	w.sync(0, "--two-way", "a.db", "b.db")
	dirs := w.pairDirs()
	if len(dirs) != 1 {
		t.Fatalf("%d pair directories", len(dirs))
	}
	path := filepath.Join(dirs[0], "pair.json")
	b, err := os.ReadFile(path)
	must(t, err)
	newer := bytes.Replace(b, []byte(`"format":1`), []byte(`"format":999`), 1)
	newer = bytes.Replace(newer, []byte(`"format": 1`), []byte(`"format": 999`), 1)
	if bytes.Equal(b, newer) {
		t.Fatalf("no format in pair.json: %s", b)
	}
	must(t, os.WriteFile(path, newer, 0o600))
	before := hashTree(t, w.dir)
	w.refused(7, "state.newer", "--two-way", "a.db", "b.db")
	if hashTree(t, w.dir) != before {
		t.Error("something was written")
	}
	must(t, os.WriteFile(path, b, 0o600))
	w.sync(0, "--two-way", "a.db", "b.db")
}

// TestWriterWaits measures how long a user's writer waits for the lock while a first
// copy goes on: 250 ms at most. A few writes may take longer on a machine that is busy
// otherwise, because SQLite tries again only every 100 ms; none may starve.
func TestWriterWaits(t *testing.T) {
	for _, mode := range []string{"delete", "wal"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t)
			w.many("a.db", "200000")
			w.edit("a.db", "CREATE TABLE mine(id INTEGER PRIMARY KEY, v); PRAGMA journal_mode = "+mode)
			w.create("b.db", "PRAGMA page_size = 8192; PRAGMA user_version = 77; PRAGMA journal_mode = "+mode+"; CREATE TABLE other(id INTEGER PRIMARY KEY, v); CREATE TABLE t AS SELECT 1; DROP TABLE t; VACUUM")
			w.edit("b.db", w.value("a.db", "SELECT sql FROM sqlite_schema WHERE name = 't'"))
			a, b := w.database("a.db"), w.database("b.db")
			p := w.start("sync", "--yes", "--two-way", "--json", "-t", "t", "a.db", "b.db")
			var worst [2]time.Duration
			writes, late := 0, 0
			for running := true; running; writes++ {
				select {
				case <-p.done:
					running = false
				default:
				}
				for i, d := range []*database{a, b} {
					table := []string{"mine", "other"}[i]
					begin := time.Now()
					d.do("INSERT INTO "+table+"(v) VALUES (?)", writes)
					took := time.Since(begin)
					worst[i] = max(worst[i], took)
					if took > 250*time.Millisecond {
						late++
					}
				}
				time.Sleep(5 * time.Millisecond)
			}
			if r := p.wait(); r.exit != 0 {
				t.Fatalf("%s: exit %d", r, r.exit)
			}
			t.Logf("%d writes to each, %d of them late; the longest took %v and %v", writes, late, worst[0], worst[1])
			if late > writes/20 || max(worst[0], worst[1]) > 2*time.Second {
				t.Errorf("%d of %d writes waited more than 250ms, the longest %v", late, 2*writes, max(worst[0], worst[1]))
			}
			w.equalRows(a, b, []string{"t"})
			for pragma, want := range map[string]string{"journal_mode": mode, "user_version": "77", "page_size": "8192"} {
				if got := b.text("PRAGMA " + pragma); got != want {
					t.Errorf("%s of b.db is %s, was %s", pragma, got, want)
				}
			}
		})
	}
}

// slack is what a machine that does other things at the same time may add to a wait.
const slack = 400 * time.Millisecond

// TestGuards refuses what would lose more than anybody is likely to have meant, even with
// --yes, and what nobody agreed to.
func TestGuards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many("a.db", "1000")
	w.sync(0, "a.db", "b.db")
	w.edit("a.db", "DELETE FROM t WHERE id <= 200")
	if s := w.sync(0, "a.db", "b.db"); s.Pending != 200 {
		t.Errorf("%+v, want 200 deletions pending", s)
	}
	w.refused(6, "guard.max_delete", "--delete", "a.db", "b.db")
	if r := w.must(6, "sync", "--delete", "--max-delete", "20%", "a.db", "b.db"); !strings.Contains(r.errOut, "--yes") {
		t.Errorf("%s: does not say what to do", r)
	}
	if got := w.value("b.db", "SELECT count(*) FROM t"); got != "1000" {
		t.Fatalf("b.db has %s rows, want 1000", got)
	}
	w.sync(0, "--delete", "--max-delete", "20%", "a.db", "b.db")
	w.equal("a.db", "b.db")
	w.edit("a.db", "DELETE FROM t")
	w.refused(6, "guard.empty_source", "--two-way", "--max-delete", "100%", "a.db", "b.db")
	w.refused(6, "guard.empty_source", "--delete", "--max-delete", "100%", "a.db", "b.db")
	w.sync(0, "--two-way", "--max-delete", "100%", "--allow-empty-source", "a.db", "b.db")
	w.equal("a.db", "b.db")
	w.edit("b.db", "INSERT INTO t(id, name) VALUES (1, 'mine')")
	w.edit("a.db", "INSERT INTO t(id, name) VALUES (1, 'source')")
	if r := w.must(6, "sync", "a.db", "b.db"); !strings.Contains(r.errOut, "overwritten") {
		t.Errorf("%s: does not count the overwritten row", r)
	}
	if s := w.sync(0, "a.db", "b.db"); s.ToB.Overwritten != 1 {
		t.Errorf("%+v, want one row overwritten", s)
	}
}

// TestSchemas refuses schemas that do not fit, with the statement that makes them.
func TestSchemas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("a.db", "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, extra INT); CREATE TABLE more(id INTEGER PRIMARY KEY)")
	w.create("b.db", "CREATE TABLE t(v TEXT, id INTEGER PRIMARY KEY); INSERT INTO t VALUES ('x', 1)")
	f := w.refused(7, "schema.incompatible", "a.db", "b.db")
	all := fmt.Sprint(f)
	for _, s := range []string{"ALTER TABLE", "extra", "CREATE TABLE more"} {
		if !strings.Contains(all, s) {
			t.Errorf("%s does not say %q", all, s)
		}
	}
	w.edit("b.db", "ALTER TABLE t ADD COLUMN extra INT; CREATE TABLE more(id INTEGER PRIMARY KEY)")
	// Another order of columns is no difference.
	w.sync(0, "--two-way", "a.db", "b.db")
	w.must(0, "diff", "a.db", "b.db")
}
