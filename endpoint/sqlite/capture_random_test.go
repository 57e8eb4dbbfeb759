package sqlite_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/endpoint/sqlite"
	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// captureTable is a table that makes life hard for triggers.
type captureTable struct {
	name    string
	ddl     []string
	columns []string // that can be written
}

var captureTables = []captureTable{
	{`we "ird'é; --`, []string{
		`CREATE TABLE "we ""ird'é; --"(id INTEGER PRIMARY KEY, "order" TEXT UNIQUE, v INTEGER NOT NULL DEFAULT 2 UNIQUE ON CONFLICT REPLACE, "a""b" TEXT, UNIQUE("order", "a""b"))`,
		`INSERT INTO "we ""ird'é; --" VALUES(0, 'a', 1, 1), (1, 'b', 2, 2), (2, NULL, 3, 'a')`,
	}, []string{"id", "order", "v", `a"b`}},
	{"new", []string{
		`CREATE TABLE "new"(k TEXT NOT NULL PRIMARY KEY COLLATE NOCASE, u, w)`,
		`CREATE UNIQUE INDEX "i(1)" ON "new"(u) WHERE w > 0 -- not all`,
		`CREATE UNIQUE INDEX i2 ON "new"(w COLLATE NOCASE, u DESC)`,
		`INSERT INTO "new" VALUES('a', 1, 1), ('b', 2, 2), ('0', 1, 0), ('1', NULL, 3)`,
	}, []string{"k", "u", "w", "rowid"}},
	{"select", []string{
		`CREATE TABLE "select"(a INT, b TEXT, c REAL, w, PRIMARY KEY(a, b)) WITHOUT ROWID`,
		`CREATE UNIQUE INDEX i3 ON "select"(lower(b), /* sum, */ c + 1 DESC) WHERE w <> ')'`,
		`INSERT INTO "select" VALUES(0, 'a', 1, 1), (1, 'b', 2, 2), (2, 'a', 2, 3), (3, 'b', 0, 1)`,
	}, []string{"a", "b", "c", "w"}},
	{"old", []string{
		`CREATE TABLE "old"(id INTEGER PRIMARY KEY DESC NOT NULL, a INT, b INT AS (a * 2) STORED UNIQUE, c INT AS (a + id) VIRTUAL, rowid TEXT)`,
		`CREATE UNIQUE INDEX i4 ON "old"(c)`,
		`INSERT INTO "old"(id, a) VALUES(0, 0), (1, 1), (2, 3)`,
	}, []string{"id", "a", "rowid", "oid"}},
	{"child", []string{
		`CREATE TABLE child(id INTEGER PRIMARY KEY, p INT REFERENCES "we ""ird'é; --"(v) ON UPDATE CASCADE ON DELETE SET NULL, q TEXT REFERENCES "new"(k) ON DELETE CASCADE)`,
		`INSERT INTO child VALUES(1, 1, 'A'), (2, 2, 'b'), (3, 3, 'b')`,
	}, []string{"id", "p", "q"}},
	{"rowid", []string{
		`CREATE TABLE rowid(rowid INTEGER PRIMARY KEY, _rowid_ INT UNIQUE, oid INT)`,
		`INSERT INTO rowid VALUES(1, 1, 1), (2, 2, 2), (3, 3, 3)`,
	}, []string{"rowid", "_rowid_", "oid"}},
}

// statement draws a write of a kind that programs make; many break a constraint.
func (c captureTable) statement(r *rapid.T) string {
	value := rapid.SampledFrom([]string{"0", "1", "2", "3", "1.0", "'a'", "'A'", "'b'", "'1'", "NULL", "x'61'", "2.5"})
	col := func(what string) string { return quoted(rapid.SampledFrom(c.columns).Draw(r, what)) }
	or := rapid.SampledFrom([]string{"", " OR REPLACE", " OR REPLACE", " OR REPLACE", " OR IGNORE", " OR FAIL", " OR ABORT"}).Draw(r, "or")
	table := quoted(c.name)
	switch rapid.IntRange(0, 9).Draw(r, "kind") {
	case 0:
		return "DELETE FROM " + table + " WHERE " + col("where") + " = " + value.Draw(r, "is")
	case 1, 2, 3:
		return "UPDATE" + or + " " + table + " SET " + col("set") + " = " + value.Draw(r, "to") +
			" WHERE " + col("where") + rapid.SampledFrom([]string{" = ", " <> ", " >= "}).Draw(r, "op") + value.Draw(r, "is")
	}
	var cols, values []string
	for _, name := range c.columns {
		if rapid.IntRange(0, 9).Draw(r, "leave out") > 0 {
			cols = append(cols, quoted(name))
			values = append(values, value.Draw(r, name))
		}
	}
	if len(cols) == 0 {
		return "INSERT" + or + " INTO " + table + " DEFAULT VALUES"
	}
	upsert := ""
	if or == "" && rapid.Bool().Draw(r, "upsert") {
		upsert = " ON CONFLICT DO UPDATE SET " + col("set") + " = " + value.Draw(r, "to")
		if rapid.Bool().Draw(r, "nothing") {
			upsert = " ON CONFLICT DO NOTHING"
		}
	}
	return "INSERT" + or + " INTO " + table + "(" + strings.Join(cols, ", ") + ") VALUES(" + strings.Join(values, ", ") + ")" + upsert
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// TestCaptureMissesNothing runs random writes of a user's on two databases, of which one
// is captured. Both must answer alike, and every row that the captured one changed must
// be in the log.
func TestCaptureMissesNothing(t *testing.T) {
	for _, encoding := range []string{"UTF-8", "UTF-16le"} {
		t.Run(encoding, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			templates := []string{filepath.Join(dir, "plain"), filepath.Join(dir, "captured")}
			for _, p := range templates {
				statements := []string{"PRAGMA encoding = '" + encoding + "'", "BEGIN"}
				for _, c := range captureTables {
					statements = append(statements, c.ddl...)
				}
				user(t, p, append(statements, "COMMIT")...)
			}
			tx := begin(t, open(t, templates[1]))
			s, err := tx.Schema()
			if err == nil {
				err = errors.Join(tx.Capture(s.Tables), tx.Commit())
			}
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			rapid.Check(t, func(r *rapid.T) {
				n++
				plain, path := filepath.Join(dir, fmt.Sprint(n, ".plain")), filepath.Join(dir, fmt.Sprint(n, ".captured"))
				for i, p := range []string{plain, path} {
					b, err := os.ReadFile(templates[i])
					if err == nil {
						err = os.WriteFile(p, b, 0o600)
					}
					if err != nil {
						r.Fatal(err)
					}
				}
				d := open(t, path)
				u, v := connect(t, plain), connect(t, path)
				for _, c := range []*zombie.Conn{u, v} {
					for _, sql := range []string{"PRAGMA synchronous = OFF", "CREATE TEMP TABLE last(id INTEGER PRIMARY KEY)"} {
						if err := sqlitex.ExecuteTransient(c, sql, nil); err != nil {
							r.Fatal(err)
						}
					}
				}
				defer u.Close()
				defer v.Close()
				for _, pragma := range []string{"foreign_keys", "recursive_triggers", "trusted_schema"} {
					on := rapid.Bool().Draw(r, pragma)
					for _, c := range []*zombie.Conn{u, v} {
						if err := sqlitex.ExecuteTransient(c, fmt.Sprintf("PRAGMA %s = %v", pragma, on), nil); err != nil {
							r.Fatal(err)
						}
					}
				}
				rows, _, end := look(t, d, 1)
				for range rapid.IntRange(1, 12).Draw(r, "statements") {
					sql := rapid.SampledFrom(captureTables).Draw(r, "table").statement(r)
					want, got := outcome(u, sql), outcome(v, sql)
					// An update of several rows may visit them in another order, and then refuse
					// others, or the same for another reason.
					failed := strings.Contains(got, "constraint failed") && strings.Contains(want, "constraint failed")
					diverged := got != want && (strings.HasPrefix(sql, "UPDATE OR ") || strings.HasPrefix(sql, "UPDATE ") && failed)
					if got != want && !diverged {
						r.Fatalf("%s\ncaptured: %s\nplain:    %s", sql, got, want)
					}
					now, logged, next := look(t, d, end)
					for k := range merged(rows, now) {
						if rows[k] != now[k] && !logged[k] {
							r.Fatalf("%s\nchanged %q from %x to %x; the log has %q", sql, k, rows[k], now[k], slices.Collect(maps.Keys(logged)))
						}
					}
					if diverged {
						return
					}
					rows, end = now, next
				}
			})
		})
	}
}

// outcome runs a statement and says all that a program can see of it.
func outcome(c *zombie.Conn, sql string) string {
	if err := sqlitex.ExecuteTransient(c, "INSERT OR REPLACE INTO temp.last(id) VALUES(77)", nil); err != nil {
		return err.Error()
	}
	err := sqlitex.ExecuteTransient(c, sql, nil)
	var b strings.Builder
	fmt.Fprintf(&b, "%v %v;", err, zombie.ErrCode(err))
	if err == nil { // what a failed insert leaves, triggers or not, is SQLite's affair
		fmt.Fprintf(&b, " changes %d last %d;", c.Changes(), c.LastInsertRowID())
	}
	for _, t := range captureTables {
		err := sqlitex.ExecuteTransient(c, "SELECT * FROM "+quoted(t.name)+" ORDER BY 1, 2, 3", &sqlitex.ExecOptions{
			ResultFunc: func(st *zombie.Stmt) error {
				for i := range st.ColumnCount() {
					fmt.Fprintf(&b, " %v:%q", st.ColumnType(i), st.ColumnText(i))
				}
				b.WriteByte('\n')
				return nil
			},
		})
		if err != nil {
			fmt.Fprint(&b, err)
		}
	}
	return b.String()
}

// look reads all rows, by table and key, the keys in the log after a position, which must
// all be the user's, and the end of the log.
func look(t testing.TB, d *sqlite.Database, from endpoint.Cursor) (all map[string]string, logged map[string]bool, end endpoint.Cursor) {
	t.Helper()
	s, err := d.Snapshot(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	all, logged = map[string]string{}, map[string]bool{}
	for _, tab := range s.Schema().Tables {
		if tab.Refused != "" {
			t.Fatalf("table %s: %s", tab.Name, tab.Refused)
		}
		rows, err := s.Scan(tab, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			all[tab.Name+"/"+string(rows.Key())] = string(rows.Image())
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if end, err = s.Cursor(); err != nil {
		t.Fatal(err)
	}
	err = s.Changes(from, func(table string, k record.Key, m endpoint.Mark) error {
		if m != (endpoint.Mark{}) {
			t.Errorf("a user's write carries the mark %v", m)
		}
		logged[table+"/"+string(k)] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, logged, end
}

func merged[V any](a, b map[string]V) map[string]V {
	m := maps.Clone(a)
	maps.Copy(m, b)
	return m
}

func connect(t testing.TB, path string) *zombie.Conn {
	t.Helper()
	c, err := zombie.OpenConn(path, zombie.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
