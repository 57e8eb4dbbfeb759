package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncline-io/syncline/endpoint"
)

// Every way in which a database cannot be used says which family it is and what to do.
func TestFailuresHaveFamilies(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	fresh := func(damage func(b []byte) []byte) string {
		path := makeRaw(t, `CREATE TABLE t(k INTEGER PRIMARY KEY, v);
			INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 5000) SELECT i, hex(randomblob(20)) FROM n;`)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, damage(b), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name, path string
		family     endpoint.Family
	}{
		{"missing", filepath.Join(dir, "missing.db"), endpoint.NotExist},
		{"in a missing directory", filepath.Join(dir, "no", "such.db"), endpoint.NotExist},
		{"below a file", filepath.Join(write("file", ""), "x.db"), endpoint.NotExist},
		{"directory", dir, endpoint.Incompatible},
		{"text", write("text", strings.Repeat("this is no database\n", 1000)), endpoint.Incompatible},
		{"encrypted", fresh(func(b []byte) []byte {
			for i := range b {
				b[i] ^= byte(i*i + 77)
			}
			return b
		}), endpoint.Incompatible},
		{"short", fresh(func(b []byte) []byte { return b[:5000] }), endpoint.Corrupt},
		{"schema page", fresh(func(b []byte) []byte { clear(b[100:4096]); return b }), endpoint.Corrupt},
		{"rows", fresh(func(b []byte) []byte {
			for i := 4096 * 3; i < len(b); i++ {
				b[i] = 0xff
			}
			return b
		}), endpoint.Corrupt},
		{"malformed schema", fresh(func(b []byte) []byte {
			return []byte(strings.Replace(string(b), "CREATE TABLE t(k", "CREATE TABLE t)k", 1))
		}), endpoint.Corrupt},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := Open(test.path, Options{})
			if err == nil {
				err = readEverything(d)
			}
			var e *endpoint.Error
			if !errors.As(err, &e) {
				t.Fatalf("%v", err)
			}
			if e.Family != test.family || e.Hint == "" || e.Name != test.path || strings.Contains(e.Error(), "\n") {
				t.Errorf("family %d, hint %q, %v; want family %d", e.Family, e.Hint, e, test.family)
			}
		})
	}
}

// readEverything opens a view and reads all rows.
func readEverything(d *Database) error {
	s, err := d.Snapshot(context.Background(), false)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, t := range s.Schema().Tables {
		rows, err := s.Scan(t, nil, nil)
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		rows.Close()
		if rows.Err() != nil {
			return rows.Err()
		}
	}
	return nil
}

func TestMissingDatabaseIsNoErrorForInspect(t *testing.T) {
	d := openDatabase(t, filepath.Join(t.TempDir(), "missing.db"), Options{})
	in, err := d.Inspect(context.Background())
	if err != nil || in.Exists || !in.Empty || in.Path == "" {
		t.Errorf("%+v, %v", in, err)
	}
	s, err := d.Schema(context.Background())
	if err != nil || len(s.Tables) != 0 {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := d.Snapshot(context.Background(), false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("snapshot: %v", err)
	}
}

func TestEmptyFileIsAnEmptyDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := openDatabase(t, path, Options{}).Inspect(context.Background())
	if err != nil || !in.Exists || !in.Empty {
		t.Errorf("%+v, %v", in, err)
	}
}

func TestLockedDatabase(t *testing.T) {
	for _, mode := range []string{"DELETE", "WAL"} {
		path := makeRaw(t, "PRAGMA journal_mode="+mode+"; CREATE TABLE t(k INTEGER PRIMARY KEY)")
		other := openRaw(t, path)
		defer other.Close()
		execScript(t, other, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; INSERT INTO t VALUES(1)")
		d := openDatabase(t, path, Options{Timeout: 30 * time.Millisecond})
		start := time.Now()
		_, err := d.Snapshot(context.Background(), false)
		var e *endpoint.Error
		if !errors.As(err, &e) || e.Family != endpoint.Unreachable || !strings.Contains(e.Hint, "--timeout") {
			t.Errorf("%s: %v", mode, err)
		}
		if took := time.Since(start); took < 30*time.Millisecond || took > time.Second {
			t.Errorf("%s: waited %v", mode, took)
		}
	}
}

func TestReadOnlyOptionRefusesToWrite(t *testing.T) {
	path := makeRaw(t, "CREATE TABLE t(k INTEGER PRIMARY KEY)")
	d := openDatabase(t, path, Options{ReadOnly: true})
	_, err := d.Begin(context.Background(), endpoint.Begin{})
	var e *endpoint.Error
	if !errors.As(err, &e) || e.Family != endpoint.Permission {
		t.Errorf("%v", err)
	}
	if in, err := d.Inspect(context.Background()); err != nil || in.ReadOnly == "" {
		t.Errorf("%+v, %v", in, err)
	}
}

func TestFileWithoutPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read and write everything")
	}
	path := makeRaw(t, "CREATE TABLE t(k INTEGER PRIMARY KEY)")
	var e *endpoint.Error
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if err := readEverything(openDatabase(t, path, Options{})); !errors.As(err, &e) || e.Family != endpoint.Permission || e.Hint == "" {
		t.Errorf("unreadable: %v", err)
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	d := openDatabase(t, path, Options{})
	if in, err := d.Inspect(context.Background()); err != nil || in.ReadOnly == "" {
		t.Errorf("read-only: %+v, %v", in, err)
	}
	if err := readEverything(d); err != nil {
		t.Errorf("read-only: %v", err)
	}
	if _, err := d.Begin(context.Background(), endpoint.Begin{To: endpoint.Progress{Apply: 1}}); !errors.As(err, &e) || e.Family != endpoint.Permission {
		t.Errorf("read-only: begin: %v", err)
	}
}

func TestDirectoryWithoutPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read and write everything")
	}
	for _, mode := range []string{"DELETE", "WAL"} {
		path := makeRaw(t, "PRAGMA journal_mode="+mode+"; CREATE TABLE t(k INTEGER PRIMARY KEY); INSERT INTO t VALUES(1)")
		dir := filepath.Dir(path)
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(dir, 0o700) })
		d := openDatabase(t, path, Options{})
		if in, err := d.Inspect(context.Background()); err != nil || !strings.Contains(in.ReadOnly, dir) {
			t.Errorf("%s: %+v, %v", mode, in, err)
		}
		if err := readEverything(d); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
		var e *endpoint.Error
		if _, err := d.Begin(context.Background(), endpoint.Begin{To: endpoint.Progress{Apply: 1}}); !errors.As(err, &e) || e.Family != endpoint.Permission {
			t.Errorf("%s: begin: %v", mode, err)
		}
	}
}

func TestPathsAreCanonical(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(dir, "real", "new", "a.db")
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "real"), filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	for _, path := range []string{
		want, dir + "/link/new/a.db", dir + "/link/../real/./new/a.db", "sqlite:" + want, "file:" + want, "file://" + want, "file://localhost" + want,
		"file:" + strings.Replace(want, "new", "n%65w", 1),
	} {
		d, err := Open(path, Options{})
		if err != nil || d.Path() != want || d.Name() != path {
			t.Errorf("%s: %v, %v", path, d, err)
		}
	}
	for _, path := range []string{"", ":memory:", "sqlite:", "a\x00b", "file://elsewhere/a.db", "file:a.db?mode=ro", "file:%zz"} {
		if _, err := Open(path, Options{}); err == nil {
			t.Errorf("%q is a path", path)
		}
	}
}
