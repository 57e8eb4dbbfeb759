package sqlite_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/endpoint/sqlite"
	"github.com/syncline-io/syncline/record"
	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// captured makes a database of the statements and captures all its tables.
func captured(t testing.TB, statements ...string) *sqlite.Database {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	user(t, path, statements...)
	d := open(t, path)
	recapture(t, d, 1)
	return d
}

// recapture installs the capture of all tables for a pair and returns the end of the log.
func recapture(t testing.TB, d *sqlite.Database, pair byte) endpoint.Cursor {
	t.Helper()
	var end endpoint.Cursor
	do(t, d, pair, func(tx endpoint.Tx) error {
		s, err := tx.Schema()
		if err == nil {
			err = tx.Capture(s.Tables)
		}
		if err == nil {
			end, err = tx.Cursor()
		}
		return err
	})
	return end
}

// do runs f in a transaction of a pair that moves no progress.
func do(t testing.TB, d *sqlite.Database, pair byte, f func(endpoint.Tx) error) {
	t.Helper()
	tx, err := d.Begin(t.Context(), endpoint.Begin{Pair: endpoint.Pair{pair}, Marker: [16]byte{7}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f(tx), tx.Commit()); err != nil {
		_ = tx.Rollback()
		t.Fatal(err)
	}
}

// log lists the entries after a position, as record names.
func log(t testing.TB, d *sqlite.Database, from endpoint.Cursor) ([]string, error) {
	t.Helper()
	s, err := d.Snapshot(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var names []string
	err = s.Changes(from, func(table string, k record.Key, _ endpoint.Mark) error {
		name, err := record.FormatKey(table, k)
		names = append(names, name)
		return err
	})
	return names, err
}

// objects lists everything that is in the schema, and the settings that a file keeps.
func objects(t testing.TB, path string) string {
	t.Helper()
	c := connect(t, path)
	defer c.Close()
	var b strings.Builder
	for _, sql := range []string{
		"SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name",
		"PRAGMA user_version", "PRAGMA application_id", "PRAGMA journal_mode", "PRAGMA page_size", "PRAGMA encoding", "PRAGMA auto_vacuum",
	} {
		err := sqlitex.ExecuteTransient(c, sql, &sqlitex.ExecOptions{ResultFunc: func(st *zombie.Stmt) error {
			for i := range st.ColumnCount() {
				fmt.Fprintf(&b, "%s|", st.ColumnText(i))
			}
			b.WriteByte('\n')
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// TestForgetLeavesNothing compares everything but the rows before and after.
func TestForgetLeavesNothing(t *testing.T) {
	for _, settings := range [][]string{
		nil,
		{"PRAGMA journal_mode = WAL", "PRAGMA user_version = 42", "PRAGMA application_id = 7"},
		{"PRAGMA page_size = 1024", "PRAGMA auto_vacuum = INCREMENTAL", "PRAGMA encoding = 'UTF-16be'"},
	} {
		t.Run(fmt.Sprint(settings), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			statements := slices.Clone(settings)
			for _, c := range captureTables {
				statements = append(statements, c.ddl...)
			}
			user(t, path, append(statements, "CREATE TRIGGER mine AFTER INSERT ON child BEGIN SELECT 1; END", "CREATE VIEW v AS SELECT 1")...)
			before := objects(t, path)
			d := open(t, path)
			for pair := byte(1); pair <= 2; pair++ {
				tx, err := d.Begin(t.Context(), endpoint.Begin{Pair: endpoint.Pair{pair}, To: endpoint.Progress{Apply: 1, Nonce: 1 << 63}, Marker: [16]byte{7}, Effects: true})
				if err == nil {
					err = tx.Commit()
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if strings.Contains(before, "sqlite_sequence") != strings.Contains(objects(t, path), "sqlite_sequence") {
				t.Error("sqlite_sequence came to be")
			}
			for pair := byte(1); pair <= 2; pair++ {
				at := endpoint.Progress{Apply: 1, Nonce: 1 << 63}
				for _, f := range []func(endpoint.Tx) error{
					func(tx endpoint.Tx) error {
						s, err := tx.Schema()
						return errors.Join(err, tx.Capture(s.Tables))
					},
					func(tx endpoint.Tx) error { return tx.Forget() },
				} {
					tx, err := d.Begin(t.Context(), endpoint.Begin{Pair: endpoint.Pair{pair}, From: at, To: at, Marker: [16]byte{7}})
					if err == nil {
						err = errors.Join(f(tx), tx.Commit())
					}
					if err != nil {
						t.Fatal(err)
					}
				}
			}
			if after := objects(t, path); after != before {
				t.Errorf("after:\n%s\nbefore:\n%s", after, before)
			}
		})
	}
}

// TestSchemaChanges: after a change of the schema by somebody else the log is not trusted
// until it was begun anew, whatever the change did to the triggers.
func TestSchemaChanges(t *testing.T) {
	for _, change := range []struct {
		name       string
		statements []string
	}{
		{"rebuilt without triggers", []string{
			"CREATE TABLE new_t(id INTEGER PRIMARY KEY, a, b)", "INSERT INTO new_t SELECT * FROM t",
			"DROP TABLE t", "ALTER TABLE new_t RENAME TO t", "UPDATE t SET a = 5",
		}},
		{"a new unique index", []string{"CREATE UNIQUE INDEX x ON t(b)", "INSERT OR REPLACE INTO t VALUES(3, 3, 1)"}},
		{"a trigger dropped", []string{"DROP TRIGGER _syncline_update_t", "UPDATE t SET a = 5"}},
		{"a column added and written", []string{"ALTER TABLE t ADD COLUMN c DEFAULT 7"}},
		{"a column renamed", []string{"ALTER TABLE t RENAME COLUMN id TO no"}},
		{"the table renamed", []string{"ALTER TABLE t RENAME TO u", "UPDATE u SET a = 5"}},
		{"a column dropped", []string{"ALTER TABLE t DROP COLUMN a"}},
		{"the table dropped", []string{"DROP TABLE t"}},
		{"vacuum", []string{"VACUUM"}},
	} {
		t.Run(change.name, func(t *testing.T) {
			d := captured(t, "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b)", "INSERT INTO t VALUES(1, 1, 1), (2, 2, 2)", "CREATE TABLE other(id INTEGER PRIMARY KEY)")
			second := recapture(t, d, 2)
			user(t, d.Path(), "INSERT INTO other VALUES(1)")
			if names, err := log(t, d, second); err != nil || !slices.Equal(names, []string{"other/1"}) {
				t.Fatalf("log before: %v %v", names, err)
			}
			user(t, d.Path(), change.statements...)
			if _, err := log(t, d, second); !errors.Is(err, endpoint.ErrCapture) {
				t.Errorf("log after the change: %v, want ErrCapture", err)
			}
			// A transaction that does not mend the capture must not hide that.
			do(t, d, 2, func(tx endpoint.Tx) error { return tx.Passed(second) })
			if _, err := log(t, d, second); !errors.Is(err, endpoint.ErrCapture) {
				t.Errorf("log after another transaction: %v, want ErrCapture", err)
			}
			first := recapture(t, d, 1)
			if _, err := log(t, d, second); !errors.Is(err, endpoint.ErrCapture) {
				t.Errorf("the other pair after the capture was mended: %v, want ErrCapture", err)
			}
			user(t, d.Path(), "INSERT INTO other VALUES(2)")
			if names, err := log(t, d, first); err != nil || !slices.Equal(names, []string{"other/2"}) {
				t.Errorf("log of the mended capture: %v %v", names, err)
			}
		})
	}
}

// TestOwnSchemaChanges: what Syncline itself changes in the schema costs nobody a rescan.
func TestOwnSchemaChanges(t *testing.T) {
	d := captured(t, "CREATE TABLE t(id INTEGER PRIMARY KEY)", "CREATE TABLE u(id INTEGER PRIMARY KEY)")
	first := recapture(t, d, 1)
	do(t, d, 2, func(tx endpoint.Tx) error {
		s, err := tx.Schema()
		return errors.Join(err, tx.Capture(s.Tables[:1]))
	})
	do(t, d, 2, func(tx endpoint.Tx) error { return tx.Forget() })
	user(t, d.Path(), "INSERT INTO t VALUES(1)", "INSERT INTO u VALUES(1)")
	names, err := log(t, d, first)
	if err != nil || !slices.Equal(names, []string{"t/1", "u/1"}) {
		t.Errorf("log: %v %v", names, err)
	}
}

// TestNullKey: a row that no key can name is refused by name, and does not fail the write.
func TestNullKey(t *testing.T) {
	d := captured(t, "CREATE TABLE t(k TEXT PRIMARY KEY)")
	start := recapture(t, d, 1)
	user(t, d.Path(), "INSERT INTO t VALUES(NULL)")
	_, err := log(t, d, start)
	var e *endpoint.Error
	if !errors.As(err, &e) || e.Family != endpoint.Refused || !strings.Contains(err.Error(), "table t") {
		t.Errorf("%v, want Refused by name", err)
	}
}

// TestKeysInTheLog: keys of every class come out of the log as the scan has them.
func TestKeysInTheLog(t *testing.T) {
	for _, encoding := range []string{"UTF-8", "UTF-16le"} {
		d := captured(t, "PRAGMA encoding = '"+encoding+"'", "CREATE TABLE t(a, b TEXT COLLATE NOCASE, c REAL, PRIMARY KEY(a, b, c)) WITHOUT ROWID")
		user(t, d.Path(), `INSERT INTO t VALUES(1, 'aB', 2), (1.0, 'ä', -0.5), ('1', '日本🙂', 1e300), (x'00ff', '', 9223372036854775807), (9223372036854775807, 'x', 0), (-1e999, char(0xfeff), 1)`)
		if encoding == "UTF-8" {
			user(t, d.Path(), "INSERT INTO t VALUES('a' || char(0) || 'b', CAST(x'ff' AS TEXT), 1)")
		}
		rows, logged, _ := look(t, d, 1)
		for k := range rows {
			if !logged[k] {
				t.Errorf("%s: %q is not in the log", encoding, k)
			}
		}
		if len(rows) != len(logged) {
			t.Errorf("%s: %d rows, %d logged keys", encoding, len(rows), len(logged))
		}
	}
}

// TestUserIsNotDisturbed: what a program may do stays possible while its table is captured.
func TestUserIsNotDisturbed(t *testing.T) {
	d := captured(t, "CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE)", "CREATE TABLE log(x INTEGER PRIMARY KEY)")
	c := connect(t, d.Path())
	defer c.Close()
	for _, sql := range []string{
		"PRAGMA trusted_schema = 0", "PRAGMA recursive_triggers = 1", "PRAGMA cell_size_check = 1", "PRAGMA case_sensitive_like = 1",
		"INSERT INTO t VALUES(1, NULL), (2, NULL)",
		"INSERT INTO t(a) SELECT value FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n LIMIT 1000) SELECT * FROM n)",
		"CREATE TRIGGER mine AFTER INSERT ON t BEGIN INSERT INTO log VALUES(new.id); UPDATE t SET a = a WHERE id = new.id; END",
		"INSERT INTO t VALUES(NULL, 'x') RETURNING id",
		"DELETE FROM t", "DROP TABLE log", "DROP TRIGGER mine",
		"ALTER TABLE t ADD COLUMN b", "ALTER TABLE t RENAME COLUMN a TO c", "ALTER TABLE t DROP COLUMN b",
		"ALTER TABLE t RENAME TO t2", "INSERT INTO t2 VALUES(1, 1)", "VACUUM", "REINDEX", "ANALYZE", "DROP TABLE t2",
	} {
		if err := sqlitex.ExecuteTransient(c, sql, nil); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

// TestFormatIsDocumented: what docs/format/sqlite.md shows is what is created.
func TestFormatIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/format/sqlite.md")
	if err != nil {
		t.Fatal(err)
	}
	d := captured(t, "CREATE TABLE orders(id INTEGER PRIMARY KEY)", "CREATE TABLE lines(a, b, PRIMARY KEY(a, b)) WITHOUT ROWID")
	c := connect(t, d.Path())
	defer c.Close()
	n := 0
	err = sqlitex.ExecuteTransient(c, "SELECT sql FROM sqlite_schema WHERE name GLOB '_syncline_*' AND (type = 'table' OR name = '_syncline_insert_orders')",
		&sqlitex.ExecOptions{ResultFunc: func(st *zombie.Stmt) error {
			n++
			if sql := st.ColumnText(0); !strings.Contains(string(doc), sql+"\n") && !strings.Contains(string(doc), sql+";\n") {
				t.Errorf("the document does not show\n%s", sql)
			}
			return nil
		}})
	if err != nil || n != 6 {
		t.Errorf("%d objects, %v", n, err)
	}
}
