package sqlite_test

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/endpoint/sqlite"
	"github.com/syncline-io/syncline/record"
	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// TestBeginWaits: for a lock of another program's as long as it was told, or until the
// context ends.
func TestBeginWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	user(t, path, "CREATE TABLE t(id INTEGER PRIMARY KEY)")
	other := connect(t, path)
	defer other.Close()
	if err := sqlitex.ExecuteTransient(other, "BEGIN IMMEDIATE", nil); err != nil {
		t.Fatal(err)
	}
	d, err := sqlite.Open(path, sqlite.Options{Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Begin(t.Context(), endpoint.Begin{})
	var e *endpoint.Error
	if !errors.As(err, &e) || e.Family != endpoint.Unreachable || !strings.Contains(e.Hint, "locked") {
		t.Errorf("%v, want Unreachable with a hint", err)
	}
	patient, err := sqlite.Open(path, sqlite.Options{Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := patient.Begin(ctx, endpoint.Begin{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want context.DeadlineExceeded", err)
	}
	done := make(chan error, 1)
	go func() {
		tx, err := patient.Begin(t.Context(), endpoint.Begin{})
		if err == nil {
			err = tx.Commit()
		}
		done <- err
	}()
	if err := sqlitex.ExecuteTransient(other, "COMMIT", nil); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("after the lock was gone: %v", err)
	}
}

// TestCommitIsHeldUp: a reader in the way of a commit is waited for, and when it stays
// nothing was written.
func TestCommitIsHeldUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	user(t, path, "CREATE TABLE t(id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES(1)")
	d, err := sqlite.Open(path, sqlite.Options{Timeout: 30 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	other := connect(t, path)
	defer other.Close()
	for _, sql := range []string{"BEGIN", "SELECT * FROM t"} {
		if err := sqlitex.ExecuteTransient(other, sql, nil); err != nil {
			t.Fatal(err)
		}
	}
	tab := tableOf(t, d, "t")
	tx := begin(t, d)
	if err := tx.Insert(tab, img(2), nil); err != nil {
		t.Fatal(err)
	}
	var e *endpoint.Error
	if err := tx.Commit(); !errors.As(err, &e) || e.Family != endpoint.Unreachable {
		t.Errorf("commit: %v, want Unreachable", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	if err := sqlitex.ExecuteTransient(other, "COMMIT", nil); err != nil {
		t.Fatal(err)
	}
	tx = begin(t, d)
	defer tx.Rollback()
	if _, found, err := tx.Get(tab, intKey(t, 2), nil); err != nil || found {
		t.Errorf("a failed commit left a row (%v)", err)
	}
}

// TestCreate: a new database has the encoding it was asked for, and a transaction that
// begins at a progress where nothing is creates no file.
func TestCreate(t *testing.T) {
	dir := t.TempDir()
	d := open(t, filepath.Join(dir, "new.db"))
	_, err := d.Begin(t.Context(), endpoint.Begin{From: endpoint.Progress{Apply: 1}, To: endpoint.Progress{Apply: 2}})
	if !errors.Is(err, endpoint.ErrProgress) {
		t.Errorf("%v, want ErrProgress", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("files: %v %v", files, err)
	}
	for _, encoding := range []string{"", "UTF-8", "UTF-16le", "UTF-16be"} {
		path := filepath.Join(dir, "x"+encoding+".db")
		d := open(t, path)
		tx, err := d.Begin(t.Context(), endpoint.Begin{Encoding: encoding, To: endpoint.Progress{Apply: 1}, Marker: [16]byte{1}})
		if err == nil {
			err = errors.Join(tx.Exec("CREATE TABLE t(k TEXT PRIMARY KEY)"), tx.Commit())
		}
		if err != nil {
			t.Fatal(err)
		}
		in, err := d.Inspect(t.Context())
		if want := cmp.Or(encoding, "UTF-8"); err != nil || in.Encoding != want || in.Counter != 1 || in.Marker != [16]byte{1} {
			t.Errorf("%+v %v, want encoding %s", in, err, want)
		}
	}
}

// TestOtherVersion: tables of another version of Syncline's are not written to.
func TestOtherVersion(t *testing.T) {
	d := made(t, "CREATE TABLE _syncline_marker(id BLOB NOT NULL, counter INTEGER NOT NULL, log INTEGER NOT NULL, schema INTEGER NOT NULL, more)",
		"INSERT INTO _syncline_marker VALUES(zeroblob(16), 1, 0, 0, 1)")
	_, err := d.Begin(t.Context(), endpoint.Begin{To: endpoint.Progress{Apply: 1}})
	var e *endpoint.Error
	if !errors.As(err, &e) || e.Family != endpoint.Incompatible || e.Hint == "" {
		t.Errorf("%v, want Incompatible with a hint", err)
	}
}

// TestObjects: the plan names exactly what capture then creates.
func TestObjects(t *testing.T) {
	for _, ddl := range [][]string{
		{"CREATE TABLE t(id INTEGER PRIMARY KEY, a)"},
		{"CREATE TABLE t(id integer, a, primary key(id))"},
		{"CREATE TABLE t(id INTEGER PRIMARY KEY DESC, a)"},
		{"CREATE TABLE t(id INT PRIMARY KEY, a)"},
		{"CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE)"},
		{"CREATE TABLE t(id INTEGER PRIMARY KEY, a)", "CREATE UNIQUE INDEX i ON t(a)"},
		{"CREATE TABLE t(id INTEGER PRIMARY KEY, a)", "CREATE INDEX i ON t(a)"},
		{"CREATE TABLE t(id TEXT PRIMARY KEY, a) WITHOUT ROWID"},
		{"CREATE TABLE t(id TEXT PRIMARY KEY, a UNIQUE) WITHOUT ROWID"},
		{"CREATE TABLE t(a, b, PRIMARY KEY(a, b))"},
	} {
		d := made(t, ddl...)
		want := d.Objects(tableOf(t, d, "t"))
		recapture(t, d, 1)
		var got []string
		c := connect(t, d.Path())
		err := sqlitex.ExecuteTransient(c, "SELECT name FROM sqlite_schema WHERE name GLOB '_syncline_*'", &sqlitex.ExecOptions{
			ResultFunc: func(st *zombie.Stmt) error {
				got = append(got, st.ColumnText(0))
				return nil
			},
		})
		if err := errors.Join(err, c.Close()); err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: created %v, announced %v", ddl, got, want)
		}
	}
}

// TestCaptureNextToForeignFunctions: a table that only the user's own program can write
// to can be captured all the same.
func TestCaptureNextToForeignFunctions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	c, err := zombie.OpenConn(path, zombie.OpenReadWrite|zombie.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.CreateFunction("twice", &zombie.FunctionImpl{
		NArgs: 1, Deterministic: true, AllowIndirect: true,
		Scalar: func(_ zombie.Context, args []zombie.Value) (zombie.Value, error) {
			return zombie.IntegerValue(2 * args[0].Int64()), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	run := func(sql string) {
		t.Helper()
		if err := sqlitex.ExecuteTransient(c, sql, nil); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	run("CREATE TABLE t(id INTEGER PRIMARY KEY, a CHECK(twice(a) < 100))")
	run("CREATE UNIQUE INDEX i ON t(twice(a))")
	run("INSERT INTO t VALUES(1, 1), (2, 2)")
	d := open(t, path)
	start := recapture(t, d, 1)
	run("INSERT OR REPLACE INTO t VALUES(3, 1)")
	names, err := log(t, d, start)
	slices.Sort(names)
	if want := []string{"t/1", "t/3"}; err != nil || !slices.Equal(slices.Compact(names), want) {
		t.Errorf("the log has %v (%v), want %v", names, err, want)
	}
}

// TestManyDigits: a large text that its column would take for a number is refused.
func TestManyDigits(t *testing.T) {
	d := made(t, "CREATE TABLE t(id INTEGER PRIMARY KEY, n NUMERIC)")
	tab := tableOf(t, d, "t")
	tx := begin(t, d)
	defer tx.Rollback()
	for _, c := range []struct {
		text string
		kept bool
	}{
		{strings.Repeat("0", record.ChunkSize+7) + "1", false},
		{strings.Repeat("x", record.ChunkSize+7) + "1", true},
	} {
		chunks := map[causal.Hash][]byte{}
		var w record.ImageWriter
		w.Chunks = func(h causal.Hash, b []byte) error {
			chunks[h] = slices.Clone(b)
			return nil
		}
		w.Reset(2)
		w.Int(1)
		w.Text([]byte(c.text))
		err := tx.Insert(tab, w.Image(), func(h causal.Hash) ([]byte, error) { return chunks[h], nil })
		if c.kept {
			if err != nil {
				t.Error(err)
			}
		} else {
			wantKind(t, err, endpoint.OtherConstraint, "NUMERIC")
		}
	}
}
