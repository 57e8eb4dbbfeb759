package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// openRaw opens a database as any other program would.
func openRaw(t testing.TB, path string) *sqlite.Conn {
	t.Helper()
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func runRaw(t testing.TB, c *sqlite.Conn, sql string) {
	t.Helper()
	if err := sqlitex.ExecuteScript(c, sql, nil); err != nil {
		t.Fatalf("%v in %s", err, sql)
	}
}

// makeRaw makes a database in a directory of its own by a script.
func makeRaw(t testing.TB, sql string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	c := openRaw(t, path)
	defer c.Close()
	execScript(t, c, "PRAGMA synchronous=OFF")
	execScript(t, c, sql)
	return path
}

// execScript runs statements one by one, outside a transaction, so that they may be pragmas.
func execScript(t testing.TB, c *sqlite.Conn, sql string) {
	t.Helper()
	for len(sql) > 0 {
		st, rest, err := c.PrepareTransient(sql)
		if err != nil {
			t.Fatalf("%v in %s", err, sql)
		}
		sql = sql[len(sql)-rest:]
		for {
			more, err := st.Step()
			if err != nil {
				t.Fatalf("%v in %s", err, sql)
			}
			if !more {
				break
			}
		}
		if err := st.Finalize(); err != nil {
			t.Fatal(err)
		}
		if len(bytes.TrimSpace([]byte(sql))) == 0 {
			return
		}
	}
}

func openDatabase(t testing.TB, path string, o Options) *Database {
	t.Helper()
	d, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func openSnapshot(t testing.TB, d *Database, sliced bool) *Snapshot {
	t.Helper()
	s, err := d.Snapshot(context.Background(), sliced)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*Snapshot)
}

// scanned is one row of a scan, copied.
type scanned struct {
	key    record.Key
	values []record.Value
}

func (r scanned) String() string { return fmt.Sprint(r.values) }

func scanAll(t testing.TB, s endpoint.Snapshot, table string, after record.Key) []scanned {
	t.Helper()
	rows, err := s.Scan(s.Schema().Table(table), after, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []scanned
	for rows.Next() {
		im := record.Image(bytes.Clone(rows.Image()))
		vs, err := im.Values(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := im.Check(); err != nil {
			t.Fatal(err)
		}
		got = append(got, scanned{bytes.Clone(rows.Key()), vs})
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return got
}

// checkScan scans a table whole, from each of its keys on, and looks each row up.
func checkScan(t testing.TB, s endpoint.Snapshot, table string) []scanned {
	t.Helper()
	all := scanAll(t, s, table, nil)
	for i, r := range all {
		if i > 0 && bytes.Compare(all[i-1].key, r.key) >= 0 {
			t.Errorf("%s: row %v comes before %v", table, all[i-1], r)
		}
		im, found, err := s.Get(s.Schema().Table(table), r.key, nil)
		if err != nil || !found {
			t.Fatalf("%s: get %v: %v, %v", table, r, found, err)
		}
		vs, err := im.Values(nil)
		if err != nil || fmt.Sprint(vs) != fmt.Sprint(r.values) {
			t.Errorf("%s: get %v: %v, %v", table, r, vs, err)
		}
		rest := scanAll(t, s, table, r.key)
		if len(rest) != len(all)-i-1 || len(rest) > 0 && !bytes.Equal(rest[0].key, all[i+1].key) {
			t.Errorf("%s: after %v come %d rows, want %d", table, r, len(rest), len(all)-i-1)
		}
	}
	n, err := s.Count(s.Schema().Table(table))
	if err != nil || n != int64(len(all)) {
		t.Errorf("%s: count %d, %v, want %d", table, n, err, len(all))
	}
	return all
}

// contentOf reads every file of a directory.
func contentOf(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(b)
	}
	return got
}
