package sqlite_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/endpoint/sqlite"
	"github.com/syncline-io/syncline/record"
)

// made makes a database of the statements.
func made(t testing.TB, statements ...string) *sqlite.Database {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.db")
	user(t, path, statements...)
	return open(t, path)
}

// img makes an image of Go values, in the order of the shape.
func img(vs ...any) record.Image {
	var w record.ImageWriter
	w.Reset(len(vs))
	for _, v := range vs {
		switch v := v.(type) {
		case nil:
			w.Null()
		case int:
			w.Int(int64(v))
		case float64:
			w.Float(v)
		case string:
			w.Text([]byte(v))
		case []byte:
			w.Bytes(v)
		}
	}
	return bytes.Clone(w.Image())
}

func intKey(t testing.TB, i int64) record.Key {
	t.Helper()
	return keyOf(t, record.IntValue(i))
}

func wantKind(t testing.TB, err error, kind endpoint.Constraint, detail string) {
	t.Helper()
	var c *endpoint.ConstraintError
	if !errors.As(err, &c) || c.Kind != kind || !strings.Contains(c.Detail, detail) {
		t.Errorf("%v (%+v), want kind %d and %q", err, c, kind, detail)
	}
}

// TestConstraints: each rule by its kind, in the database's words, and nothing stays of
// the refused write, nor of what triggers did before it was refused.
func TestConstraints(t *testing.T) {
	d := made(t,
		"CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT UNIQUE ON CONFLICT REPLACE, b INT NOT NULL ON CONFLICT IGNORE CHECK(b < 10), c INT)",
		"CREATE TABLE s(id INTEGER PRIMARY KEY, n INT) STRICT",
		"CREATE TABLE u(id INTEGER PRIMARY KEY, v)",
		"CREATE TABLE trail(id INTEGER PRIMARY KEY, what TEXT)",
		"INSERT INTO t VALUES(1, 'x', 1, 1)", "INSERT INTO u VALUES(9, 0)",
		"CREATE TRIGGER abort BEFORE INSERT ON u WHEN new.v = 1 BEGIN INSERT INTO trail(what) VALUES('abort'); SELECT RAISE(ABORT, 'not one'); END",
		"CREATE TRIGGER fail AFTER INSERT ON u WHEN new.v = 2 BEGIN INSERT INTO trail(what) VALUES('fail'); SELECT RAISE(FAIL, 'not two'); END",
		"CREATE TRIGGER ignore BEFORE INSERT ON u WHEN new.v = 3 BEGIN INSERT INTO trail(what) VALUES('ignore'); SELECT RAISE(IGNORE); END",
		"CREATE TRIGGER keep BEFORE DELETE ON u WHEN old.v = 0 BEGIN SELECT RAISE(IGNORE); END",
		"CREATE TRIGGER still BEFORE UPDATE ON u WHEN new.v = 4 BEGIN SELECT RAISE(IGNORE); END",
	)
	recapture(t, d, 1)
	tt, ss, uu := tableOf(t, d, "t"), tableOf(t, d, "s"), tableOf(t, d, "u")
	tx := begin(t, d)
	defer tx.Rollback()
	start, err := tx.Cursor()
	if err != nil {
		t.Fatal(err)
	}
	// The shape of t is a, b, c, id.
	wantKind(t, tx.Insert(tt, img("x", 2, 2, 2), nil), endpoint.Unique, "t.a")
	wantKind(t, tx.Insert(tt, img("y", 2, 2, 1), nil), endpoint.Unique, "t.id")
	wantKind(t, tx.Insert(tt, img("y", nil, 2, 2), nil), endpoint.NotNull, "t.b")
	wantKind(t, tx.Insert(tt, img("y", 10, 2, 2), nil), endpoint.Check, "b < 10")
	wantKind(t, tx.Update(tt, intKey(t, 1), img("x", 1, 1, 1), img("x", 11, 1, 1), nil), endpoint.Check, "")
	wantKind(t, tx.Update(tt, intKey(t, 5), img("x", 1, 1, 5), img("x", 2, 1, 5), nil), endpoint.OtherConstraint, "not there")
	wantKind(t, tx.Insert(ss, img(1, "text"), nil), endpoint.OtherConstraint, "INT")
	wantKind(t, tx.Insert(uu, img(1, 1), nil), endpoint.OtherConstraint, "not one")
	wantKind(t, tx.Insert(uu, img(1, 2), nil), endpoint.OtherConstraint, "not two")
	wantKind(t, tx.Insert(uu, img(1, 3), nil), endpoint.OtherConstraint, "ignores")
	wantKind(t, tx.Update(uu, intKey(t, 9), img(9, 0), img(9, 4), nil), endpoint.OtherConstraint, "ignores")
	wantKind(t, tx.Delete(uu, intKey(t, 9)), endpoint.OtherConstraint, "ignores")
	if err := tx.Delete(uu, intKey(t, 77)); err != nil {
		t.Errorf("deleting what is not there: %v", err)
	}
	for _, tab := range []*endpoint.Table{ss, tableOf(t, d, "trail")} {
		if _, found, err := tx.Get(tab, intKey(t, 1), nil); err != nil || found {
			t.Errorf("table %s: a refused write left a row (%v)", tab.Name, err)
		}
	}
	if im, found, err := tx.Get(tt, intKey(t, 1), nil); err != nil || !found || !bytes.Equal(im, img("x", 1, 1, 1)) {
		t.Errorf("the row that was in the way is %x %v %v", im, found, err)
	}
	err = tx.Changes(start, func(table string, k record.Key, _ endpoint.Mark) error {
		// Statements undo their own entries.
		t.Errorf("a refused write is in the log: %s %x", table, k)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := tx.Insert(uu, img(2, 5), nil); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
}

// TestRaiseRollback: a trigger that ends our transaction is not taken for a refused row.
func TestRaiseRollback(t *testing.T) {
	d := made(t, "CREATE TABLE t(id INTEGER PRIMARY KEY)", "CREATE TRIGGER r AFTER INSERT ON t WHEN new.id = 2 BEGIN SELECT RAISE(ROLLBACK, 'no'); END")
	tab := tableOf(t, d, "t")
	tx := begin(t, d)
	if err := tx.Insert(tab, img(1), nil); err != nil {
		t.Fatal(err)
	}
	err := tx.Insert(tab, img(2), nil)
	var c *endpoint.ConstraintError
	var e *endpoint.Error
	if errors.As(err, &c) || !errors.As(err, &e) || e.Family != endpoint.Refused || !strings.Contains(e.Hint, "trigger") {
		t.Errorf("%v, want Refused with a hint", err)
	}
	if again := tx.Insert(tab, img(3), nil); !errors.Is(again, err) {
		t.Errorf("a write after the end: %v", again)
	}
	if err := tx.Commit(); err == nil {
		t.Error("a transaction that was rolled back by a trigger was committed")
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
}

// TestTriggersOwnConflictClauses: the REPLACE inside a trigger of the user's stays one.
func TestTriggersOwnConflictClauses(t *testing.T) {
	d := made(t, "CREATE TABLE t(id INTEGER PRIMARY KEY, n)", "CREATE TABLE last(id INTEGER PRIMARY KEY, n)",
		"CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT OR REPLACE INTO last VALUES(1, new.n); END")
	tab, last := tableOf(t, d, "t"), tableOf(t, d, "last")
	tx := begin(t, d)
	defer tx.Rollback()
	for i := range 3 {
		if err := tx.Insert(tab, img(i, i), nil); err != nil {
			t.Fatal(err)
		}
	}
	if im, _, err := tx.Get(last, intKey(t, 1), nil); err != nil || !bytes.Equal(im, img(1, 2)) {
		t.Errorf("the trigger left %x (%v)", im, err)
	}
}

// TestKeys: rows are found, changed and deleted by keys as the database compares them, and
// by no other.
func TestKeys(t *testing.T) {
	for _, encoding := range []string{"UTF-8", "UTF-16le"} {
		t.Run(encoding, func(t *testing.T) {
			d := made(t, "PRAGMA encoding = '"+encoding+"'",
				"CREATE TABLE nocase(k TEXT PRIMARY KEY COLLATE NOCASE, v)",
				"CREATE TABLE rtrim(k TEXT PRIMARY KEY COLLATE RTRIM, v) WITHOUT ROWID",
				"CREATE TABLE number(k NUMERIC PRIMARY KEY, v)",
				"CREATE TABLE any_(k PRIMARY KEY, v)",
				"CREATE TABLE indexed(k TEXT COLLATE NOCASE, v, PRIMARY KEY(k COLLATE BINARY))",
			)
			tx := begin(t, d)
			defer tx.Rollback()
			for _, c := range []struct {
				table          string
				stored, asked  any
				coll           record.Collation
				found, changed bool // changed: the stored key can become the asked one
			}{
				{"nocase", "Straße", "sTRAßE", record.NoCase, true, true},
				{"nocase", "Ä", "ä", record.NoCase, false, false},
				{"rtrim", "a", "a  ", record.RTrim, true, true},
				{"number", 12, 12.0, record.Binary, true, false},
				{"number", 12, "12", record.Binary, false, false},
				{"number", "x12", "x12", record.Binary, true, false},
				{"number", 1.5, 1.5, record.Binary, true, false},
				{"any_", 1, 1.0, record.Binary, true, true},
				{"any_", "1", 1, record.Binary, false, false},
				{"any_", []byte("1"), "1", record.Binary, false, false},
				{"any_", 9007199254740993, 9007199254740992.0, record.Binary, false, false},
				{"any_", "a\x00b", "a", record.Binary, false, false},
				{"indexed", "a", "A", record.Binary, false, false},
			} {
				tab := tableOf(t, d, c.table)
				valueOf := func(v any) record.Value {
					one, err := img(v).Value(0)
					if err != nil {
						t.Fatal(err)
					}
					return one
				}
				stored, err := record.AppendKeyValue(nil, valueOf(c.stored), c.coll)
				if err != nil {
					t.Fatal(err)
				}
				asked, err := record.AppendKeyValue(nil, valueOf(c.asked), c.coll)
				if err != nil {
					t.Fatal(err)
				}
				row := img(c.stored, "v")
				if err := tx.Insert(tab, row, nil); err != nil {
					t.Fatalf("%+v: %v", c, err)
				}
				if im, found, err := tx.Get(tab, asked, nil); err != nil || found != c.found || found && !bytes.Equal(im, row) {
					t.Errorf("%+v: get %x %v %v", c, im, found, err)
				}
				err = tx.Update(tab, asked, row, img(c.stored, "w"), nil)
				if (err == nil) != c.found {
					t.Errorf("%+v: update: %v", c, err)
				}
				if c.found {
					row = img(c.stored, "w")
				}
				if c.changed {
					if err := tx.Update(tab, stored, row, img(c.asked, "w"), nil); err != nil {
						t.Errorf("%+v: update of the key's spelling: %v", c, err)
					}
					row = img(c.asked, "w")
				}
				if err := tx.Delete(tab, asked); err != nil {
					t.Errorf("%+v: delete: %v", c, err)
				}
				if im, found, err := tx.Get(tab, stored, nil); err != nil || found == c.found || found && !bytes.Equal(im, row) {
					t.Errorf("%+v: after the delete: %x %v %v", c, im, found, err)
				}
				if err := tx.Delete(tab, stored); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestExec runs DDL as another database wrote it, comments and all.
func TestExec(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "a.db"))
	ddl := "CREATE TABLE t(id INTEGER PRIMARY KEY, -- the key; of all\n a TEXT DEFAULT ';' /* x */)"
	tx := begin(t, d)
	defer tx.Rollback()
	if err := tx.Exec(" ;; -- first\n" + ddl + ";\nCREATE INDEX i ON t(a); -- done"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Exec("-- nothing"); err != nil {
		t.Fatal(err)
	}
	s, err := tx.Schema()
	if err != nil {
		t.Fatal(err)
	}
	tab := s.Table("T")
	if tab == nil || len(tab.DDL) != 2 || tab.DDL[0] != ddl {
		t.Fatalf("schema is %+v", tab)
	}
	if err := tx.Insert(tab, img("a", 1), nil); err != nil {
		t.Fatal(err)
	}
	if err := tx.Exec("ALTER TABLE t ADD COLUMN b"); err != nil {
		t.Fatal(err)
	}
	if s, err = tx.Schema(); err != nil || len(s.Table("t").Shape.Fields) != 3 {
		t.Fatalf("%v %v", s, err)
	}
	if err := tx.Insert(s.Table("t"), img("a", "b", 2), nil); err != nil {
		t.Fatal(err)
	}
	if err := tx.Insert(tab, img("a", 3), nil); err == nil {
		t.Error("a row of the old shape was written")
	}
	if err := tx.Commit(); err == nil {
		t.Error("a commit after a failure succeeded")
	}
}
