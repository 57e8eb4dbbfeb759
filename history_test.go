package syncline_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/endpoint"
	sqliteend "github.com/syncline-io/syncline/endpoint/sqlite"
)

func (p *place) rename(from, to string) {
	p.t.Helper()
	if err := os.Rename(p.path(from), p.path(to)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) copy(from, to string) {
	p.t.Helper()
	b, err := os.ReadFile(p.path(from))
	if err == nil {
		err = os.WriteFile(p.path(to), b, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// contents hashes every file below the place, and names every directory.
func (p *place) contents() map[string]string {
	p.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(filepath.Dir(p.dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if d.IsDir() {
			all[path] = info.Mode().String()
			return nil
		}
		b, err := os.ReadFile(path)
		all[path] = fmt.Sprintf("%s %x", info.Mode(), sha256.Sum256(b))
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return all
}

func TestFirstTwoWaySyncGuessesNothing(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1),(2,'y',2),(3,'only a',3);`)
	p.exec("b.db", orders+`INSERT INTO orders VALUES(1,'x',1),(2,'Y',9),(4,'only b',4);`)
	r := p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Delete: true})
	if r.Plan.Known || r.Plan.Unknown == "" {
		t.Errorf("plan: known %v, %q", r.Plan.Known, r.Plan.Unknown)
	}
	if r.Open != 1 || r.ToA.Deletes+r.ToB.Deletes != 0 {
		t.Errorf("%+v", r)
	}
	p.holds("a.db", all, "1 \"x\" 1\n2 \"y\" 2\n3 \"only a\" 3\n4 \"only b\" 4")
	p.holds("b.db", all, "1 \"x\" 1\n2 \"Y\" 9\n3 \"only a\" 3\n4 \"only b\" 4")
}

func TestMovedDatabaseKeepsItsHistory(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1),(2,'y',2),(3,'z',3);`)
	two := syncline.Options{TwoWay: true, Yes: true}
	p.sync("a.db", "b.db", two)
	p.sync("a.db", "b.db", two)
	p.rename("b.db", "moved.db")
	p.exec("moved.db", "DELETE FROM orders WHERE id = 2")
	r := p.sync("moved.db", "a.db", two)
	if !r.Plan.Known || r.ToB.Deletes != 1 {
		t.Errorf("known %v (%s), %+v", r.Plan.Known, r.Plan.Unknown, r)
	}
	p.same("a.db", "moved.db", all)
	p.rename("a.db", "a2.db")
	p.rename("moved.db", "b2.db")
	r = p.sync("a2.db", "b2.db", two)
	if !r.Plan.Known || r.ToA != (syncline.Effect{}) || r.ToB != (syncline.Effect{}) {
		t.Errorf("both moved: %+v, plan %+v", r, r.Plan)
	}
}

func TestCopyIsUnknown(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1),(2,'y',2);`)
	two := syncline.Options{TwoWay: true, Yes: true}
	p.sync("a.db", "b.db", two)
	p.copy("b.db", "copy.db")
	p.exec("copy.db", "DELETE FROM orders WHERE id = 1")
	r := p.sync("a.db", "copy.db", two)
	if r.Plan.Known || !strings.Contains(r.Plan.Unknown, "copy of") {
		t.Errorf("known %v, %q", r.Plan.Known, r.Plan.Unknown)
	}
	if r.ToA.Deletes+r.ToB.Deletes > 0 {
		t.Errorf("a row of a copy was taken for deleted: %+v", r)
	}
	p.same("a.db", "copy.db", all)
	if r := p.sync("a.db", "b.db", two); !r.Plan.Known {
		t.Errorf("the first pair: %q", r.Plan.Unknown)
	}
	if r := p.sync("a.db", "copy.db", two); !r.Plan.Known {
		t.Errorf("the second pair: %q", r.Plan.Unknown)
	}
}

func TestOlderBackupIsUnknown(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1),(2,'y',2);`)
	two := syncline.Options{TwoWay: true, Yes: true}
	p.sync("a.db", "b.db", two)
	p.copy("b.db", "backup.db")
	p.exec("a.db", "INSERT INTO orders VALUES(3,'z',3)")
	p.exec("b.db", "INSERT INTO orders VALUES(4,'w',4)")
	p.sync("a.db", "b.db", two)
	p.rename("backup.db", "b.db")
	r := p.sync("a.db", "b.db", two)
	if r.Plan.Known || !strings.Contains(r.Plan.Unknown, "older") {
		t.Errorf("known %v, %q", r.Plan.Known, r.Plan.Unknown)
	}
	if got := p.same("a.db", "b.db", "SELECT id FROM orders ORDER BY id"); got != "1\n2\n3\n4" {
		t.Errorf("got %q", got)
	}
}

func TestReplacedSourceIsUnknown(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1),(2,'y',2);`)
	p.sync("a.db", "b.db", syncline.Options{})
	p.exec("new.db", orders+`INSERT INTO orders VALUES(1,'x',1);`)
	p.rename("new.db", "a.db")
	r := p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
	if r.Plan.Known || r.ToB.Deletes > 0 {
		t.Errorf("known %v, %+v", r.Plan.Known, r)
	}
	p.same("a.db", "b.db", all)
}

func TestStateDeletedIsUnknown(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1),(2,'y',2);`)
	two := syncline.Options{TwoWay: true, Yes: true}
	p.sync("a.db", "b.db", two)
	if err := os.RemoveAll(p.state); err != nil {
		t.Fatal(err)
	}
	p.exec("a.db", "DELETE FROM orders WHERE id = 1; UPDATE orders SET total = 5 WHERE id = 2")
	r := p.sync("a.db", "b.db", two)
	if r.Plan.Known || r.Open != 1 || r.ToB.Deletes > 0 {
		t.Errorf("known %v, %+v", r.Plan.Known, r)
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1),(2,'y',2);`)
	p.wal("wal.db")
	p.exec("wal.db", orders+`INSERT INTO orders VALUES(9,'x',1);`)
	dry := func(a, b string, o syncline.Options) *syncline.Report {
		t.Helper()
		o.DryRun = true
		before := p.contents()
		r := p.sync(a, b, o)
		if after := p.contents(); !maps.Equal(before, after) {
			t.Errorf("dry run of %s %s: before\n%v\nafter\n%v", a, b, before, after)
		}
		return r
	}
	r := dry("a.db", "b.db", syncline.Options{})
	if r.Plan.Tables[0].ToB.Inserts != 2 || len(r.Plan.Creates) != 1 || r.ToB.Inserts != 0 || r.Settled {
		t.Errorf("%+v, plan %+v", r, r.Plan)
	}
	dry("a.db", "wal.db", syncline.Options{TwoWay: true})
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true})
	p.exec("a.db", "DELETE FROM orders WHERE id = 1")
	r = dry("a.db", "b.db", syncline.Options{TwoWay: true})
	if !r.Plan.Known || r.Plan.Tables[0].ToB.Deletes != 1 {
		t.Errorf("with a state: %+v", r.Plan)
	}
	before := p.contents()
	p.diff("a.db", "b.db", syncline.DiffOptions{})
	p.diff("a.db", "wal.db", syncline.DiffOptions{})
	err := syncline.Conflicts(context.Background(), p.open("a.db"), p.open("b.db"), syncline.StateOptions{StateDir: p.state},
		func(syncline.Conflict) error { return nil })
	if err != nil {
		t.Error(err)
	}
	if after := p.contents(); !maps.Equal(before, after) {
		t.Errorf("diff and conflicts: before\n%v\nafter\n%v", before, after)
	}
}

// A refusal writes nothing to the databases, and leaves no state of a pair that had none.
func TestRefusalWritesNothing(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1);`)
	p.exec("b.db", orders+`INSERT INTO orders VALUES(1,'y',2),(2,'y',2);`)
	before := p.contents()
	if _, err := p.trySync("a.db", "b.db", syncline.Options{Delete: true}); !errors.Is(err, syncline.ErrUnconfirmed) {
		t.Fatalf("got %v, want ErrUnconfirmed", err)
	}
	if after := p.contents(); !maps.Equal(before, after) {
		t.Errorf("before\n%v\nafter\n%v", before, after)
	}
}

func TestBusyPair(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1);`)
	p.exec("b.db", orders+`INSERT INTO orders VALUES(1,'y',1);`)
	o := syncline.Options{Confirm: func(context.Context, *syncline.Plan) (bool, error) {
		var busy *syncline.BusyError
		_, err := p.trySync("b.db", "a.db", syncline.Options{})
		if !errors.As(err, &busy) || busy.PID != os.Getpid() {
			t.Errorf("the second run: got %v, want a BusyError with pid %d", err, os.Getpid())
		}
		return false, nil
	}}
	if _, err := p.trySync("a.db", "b.db", o); !errors.Is(err, syncline.ErrUnconfirmed) {
		t.Errorf("the first run: got %v, want ErrUnconfirmed", err)
	}
}

func TestUninstallLeavesOtherPairs(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1);`)
	two := syncline.Options{TwoWay: true}
	p.sync("a.db", "b.db", two)
	p.sync("a.db", "c.db", two)
	o := syncline.StateOptions{StateDir: p.state}
	removed, err := syncline.Uninstall(context.Background(), p.open("b.db"), p.open("a.db"), o)
	if err != nil || len(removed.Databases) != 2 || removed.StateDir == "" {
		t.Fatalf("%+v, %v", removed, err)
	}
	p.absent(removed.StateDir)
	p.holds("b.db", "SELECT name FROM sqlite_schema", `"orders"`)
	if got := p.query("a.db", "SELECT count(*) FROM _syncline_pair"); got != "1" {
		t.Errorf("a.db has %s pairs, want the other one", got)
	}
	if r := p.sync("a.db", "c.db", two); !r.Plan.Known || r.ToA != (syncline.Effect{}) || r.ToB != (syncline.Effect{}) {
		t.Errorf("the other pair: %+v", r.Plan)
	}
	removed, err = syncline.Uninstall(context.Background(), p.open("a.db"), p.open("b.db"), o)
	if err != nil || len(removed.Databases) != 0 || removed.StateDir != "" {
		t.Errorf("twice: %+v, %v", removed, err)
	}
	if _, err = syncline.Uninstall(context.Background(), p.open("a.db"), p.open("c.db"), o); err != nil {
		t.Fatal(err)
	}
	p.holds("a.db", "SELECT name FROM sqlite_schema", `"orders"`)
	if entries, err := os.ReadDir(p.state); err == nil && len(entries) > 0 {
		t.Errorf("state left: %v", entries)
	}
}

// The file of a database says nothing else about Syncline after it was removed, and its
// settings are what they were.
func TestUninstallKeepsSettings(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", `PRAGMA user_version = 42; PRAGMA application_id = 7;`+orders)
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true})
	if _, err := syncline.Uninstall(context.Background(), p.open("a.db"), p.open("b.db"), syncline.StateOptions{StateDir: p.state}); err != nil {
		t.Fatal(err)
	}
	for pragma, want := range map[string]string{"user_version": "42", "application_id": "7", "journal_mode": `"delete"`} {
		p.holds("a.db", "PRAGMA "+pragma, want)
	}
	p.holds("a.db", "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%_syncline%'", "0")
}

// Without its state, a pair is still known by what both databases say of it; a copy of a
// database does not give away the pairs of its original.
func TestUninstallWithoutState(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1);`)
	two := syncline.Options{TwoWay: true}
	p.sync("a.db", "b.db", two)
	p.copy("b.db", "copy.db")
	o := syncline.StateOptions{StateDir: p.state}
	removed, err := syncline.Uninstall(context.Background(), p.open("a.db"), p.open("copy.db"), o)
	if err != nil || len(removed.Databases) != 0 {
		t.Errorf("a copy: %+v, %v", removed, err)
	}
	if r := p.sync("a.db", "b.db", two); !r.Plan.Known {
		t.Errorf("the pair: %s", r.Plan.Unknown)
	}
	if err := os.RemoveAll(p.state); err != nil {
		t.Fatal(err)
	}
	removed, err = syncline.Uninstall(context.Background(), p.open("a.db"), p.open("b.db"), o)
	if err != nil || len(removed.Databases) != 2 || removed.StateDir != "" {
		t.Errorf("%+v, %v", removed, err)
	}
	for _, db := range []string{"a.db", "b.db"} {
		p.holds(db, "SELECT name FROM sqlite_schema", `"orders"`)
	}
	p.absent(p.state)
}

// State that cannot be read is said to be so, and an uninstall removes it nevertheless.
func TestStateDamagedOrNewer(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(dir string) error
		want   error
	}{
		{"newer", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "pair.json"), []byte(`{"format":9}`), 0o600)
		}, syncline.ErrNewerState},
		{"pair file", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "pair.json"), []byte(`{`), 0o600)
		}, syncline.ErrState},
		{"store", func(dir string) error {
			return filepath.WalkDir(filepath.Join(dir, "store"), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() || !strings.Contains(d.Name(), "MANIFEST") {
					return err
				}
				return os.WriteFile(path, []byte("what a disk may make of it"), 0o600)
			})
		}, syncline.ErrState},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t)
			p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1);`)
			two := syncline.Options{TwoWay: true}
			p.sync("a.db", "b.db", two)
			entries, err := os.ReadDir(p.state)
			if err != nil || len(entries) != 1 {
				t.Fatalf("%v, %v", entries, err)
			}
			dir := filepath.Join(p.state, entries[0].Name())
			if err := c.damage(dir); err != nil {
				t.Fatal(err)
			}
			for _, dry := range []bool{true, false} {
				two.DryRun = dry
				if _, err := p.trySync("a.db", "b.db", two); !errors.Is(err, c.want) || !strings.Contains(err.Error(), dir) {
					t.Errorf("dry %v: got %v, want %v naming %s", dry, err, c.want, dir)
				}
			}
			if c.name != "store" {
				return
			}
			removed, err := syncline.Uninstall(context.Background(), p.open("a.db"), p.open("b.db"), syncline.StateOptions{StateDir: p.state})
			if err != nil || len(removed.Databases) != 2 || removed.StateDir != dir {
				t.Errorf("uninstall: %+v, %v", removed, err)
			}
		})
	}
}

// The directories of the state are the user's alone.
func TestStateModes(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1);`)
	p.sync("a.db", "b.db", syncline.Options{})
	err := filepath.WalkDir(p.state, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		// What is below a directory that nobody else may enter, nobody else reads.
		if dir := filepath.Dir(path); d.IsDir() && (path == p.state || dir == p.state) && info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadOnlyTargetIsRefusedEarly(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1);`)
	p.exec("b.db", orders)
	b, err := sqliteend.Open(p.path("b.db"), sqliteend.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	var end *endpoint.Error
	_, err = syncline.Sync(context.Background(), p.open("a.db"), b, syncline.Options{StateDir: p.state})
	if !errors.As(err, &end) || end.Family != endpoint.Permission || end.Hint == "" {
		t.Errorf("got %v, want Permission with a hint", err)
	}
	p.absent(p.state)
	// As the source it need not be writable.
	if _, err = syncline.Sync(context.Background(), b, p.open("a.db"), syncline.Options{StateDir: p.state}); err != nil {
		t.Errorf("as the source: %v", err)
	}
}

// What the state remembers of two databases that are both gone belongs to neither of those
// that are there now.
func TestBothDatabasesReplaced(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", "CREATE TABLE p(id INTEGER PRIMARY KEY, v); INSERT INTO p VALUES(1, 'x'), (2, 'y')")
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
	for _, name := range []string{"a.db", "b.db"} {
		if err := os.Remove(p.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	p.exec("a.db", "CREATE TABLE p(id INTEGER PRIMARY KEY, v); INSERT INTO p VALUES(5, 'z')")
	p.exec("b.db", "CREATE TABLE p(id INTEGER PRIMARY KEY, v); INSERT INTO p VALUES(1, 'other')")
	plan := p.sync("a.db", "b.db", syncline.Options{TwoWay: true, DryRun: true}).Plan
	if plan.Known || plan.Tables[0].ToA.Inserts != 1 || plan.Tables[0].ToB.Inserts != 1 || plan.Tables[0].Conflicts != 0 {
		t.Errorf("plan: %+v", plan)
	}
	r := p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
	if !r.Settled || r.ToA.Inserts != 1 || r.ToB.Inserts != 1 {
		t.Errorf("report: %+v", r)
	}
	p.holds("a.db", "SELECT * FROM p ORDER BY id", "1 \"other\"\n5 \"z\"")
	p.same("a.db", "b.db", "SELECT * FROM p ORDER BY id")
	if r := p.sync("a.db", "b.db", syncline.Options{TwoWay: true}); !r.Plan.Nothing {
		t.Errorf("a run afterwards: %+v", r.Plan)
	}
}
