package e2e

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// cell is a value with its storage class: equal cells are the same value, bit for bit.
type cell string

// row is a row's cells in the order of the columns; nil is no row.
type row []cell

func (r row) equal(o row) bool { return (r == nil) == (o == nil) && slices.Equal(r, o) }

// cellOf reads column i of a statement whose column i+1 is the same value as a blob, so
// that text comes as the bytes in the file whatever the encoding is.
func cellOf(s *sqlite.Stmt, i int) cell {
	switch s.ColumnType(i) {
	case sqlite.TypeNull:
		return "null"
	case sqlite.TypeInteger:
		return cell(fmt.Sprintf("integer %d", s.ColumnInt64(i)))
	case sqlite.TypeFloat:
		f := s.ColumnFloat(i)
		return cell(fmt.Sprintf("real %v %016x", f, math.Float64bits(f)))
	}
	kind := "text"
	if s.ColumnType(i) == sqlite.TypeBlob {
		kind = "blob"
	}
	b := make([]byte, s.ColumnLen(i+1))
	s.ColumnBytes(i+1, b)
	if len(b) > 1024 {
		return cell(fmt.Sprintf("%s of %d bytes, %x", kind, len(b), sha256.Sum256(b)))
	}
	return cell(fmt.Sprintf("%s %q", kind, b))
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// query returns one text column.
func (d *database) query(q string, args ...any) []string {
	d.Helper()
	var all []string
	err := sqlitex.ExecuteTransient(d.conn, q, &sqlitex.ExecOptions{Args: args, ResultFunc: func(s *sqlite.Stmt) error {
		all = append(all, s.ColumnText(0))
		return nil
	}})
	if err != nil {
		d.Fatalf("%s: %s: %v", d.path, q, err)
	}
	return all
}

// tables lists the user's tables: no virtual or shadow tables, nothing of Syncline's.
func (d *database) tables() []string {
	d.Helper()
	return d.query(`SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'
		AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE '\_syncline\_%' ESCAPE '\' ORDER BY name`)
}

// rows returns all rows of a table, generated columns included, sorted by their content.
func (d *database) rows(table string) []string {
	d.Helper()
	columns := d.query(`SELECT name FROM pragma_table_xinfo(?) ORDER BY name`, table)
	var list []string
	for _, c := range columns {
		list = append(list, quote(c), "CAST("+quote(c)+" AS BLOB)")
	}
	q := "SELECT " + strings.Join(list, ", ") + " FROM " + quote(table)
	var all []string
	err := sqlitex.ExecuteTransient(d.conn, q, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		var b strings.Builder
		for i := range columns {
			fmt.Fprintf(&b, "%s = %s; ", columns[i], cellOf(s, 2*i))
		}
		all = append(all, b.String())
		return nil
	}})
	if err != nil {
		d.Fatalf("%s: %s: %v", d.path, q, err)
	}
	slices.Sort(all)
	return all
}

// schema describes the user's tables as SQLite understands them: statements, columns,
// indexes, keys.
func (d *database) schema() map[string]string {
	d.Helper()
	all := map[string]string{}
	for _, t := range d.tables() {
		all["table "+t] = strings.Join(d.query(`SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?`, t), "")
		all["columns of "+t] = strings.Join(d.query(`SELECT format('%s %s %s %s %s %s', name, type, "notnull", dflt_value, pk, hidden) FROM pragma_table_xinfo(?) ORDER BY cid`, t), "\n")
		all["traits of "+t] = strings.Join(d.query(`SELECT format('%s %s', wr, strict) FROM pragma_table_list WHERE schema = 'main' AND name = ?`, t), "")
		all["foreign keys of "+t] = strings.Join(d.query(`SELECT format('%s %s %s %s %s %s', "table", "from", "to", on_update, on_delete, seq) FROM pragma_foreign_key_list(?) ORDER BY 1`, t), "\n")
		for _, i := range d.query(`SELECT name FROM pragma_index_list(?)`, t) {
			all["index "+i+" of "+t] = strings.Join(d.query(`SELECT format('%s %s %s', "unique", origin, partial) FROM pragma_index_list(?) WHERE name = ?`, t, i), "") +
				strings.Join(d.query(`SELECT format(' %s %s %s', name, "desc", coll) FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno`, i), "") +
				strings.Join(d.query(`SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?`, i), "")
		}
	}
	return all
}

// equal compares two databases of the world, schema and rows, cell by cell and class by
// class, and fails the test with what differs.
func (w *world) equal(a, b string) {
	w.Helper()
	x, y := w.database(a), w.database(b)
	defer x.close()
	defer y.close()
	if !maps.Equal(x.schema(), y.schema()) {
		w.Errorf("the schemas differ:\n%s\n%s", describe(x.schema()), describe(y.schema()))
	}
	w.equalRows(x, y, x.tables())
	for _, d := range []*database{x, y} {
		if got := d.query("PRAGMA integrity_check"); len(got) != 1 || got[0] != "ok" {
			w.Errorf("%s: integrity check: %q", d.path, got)
		}
		if got := d.query("PRAGMA foreign_key_check"); len(got) > 0 {
			w.Errorf("%s: foreign key check: %q", d.path, got)
		}
	}
	if w.Failed() {
		w.FailNow()
	}
}

func (w *world) equalRows(x, y *database, tables []string) {
	w.Helper()
	for _, t := range tables {
		onlyX, onlyY := differences(x.rows(t), y.rows(t))
		if len(onlyX)+len(onlyY) > 0 {
			w.Errorf("table %s: %d rows only in %s, %d only in %s:\n%s\n--\n%s", t, len(onlyX), x.path, len(onlyY), y.path,
				strings.Join(onlyX[:min(5, len(onlyX))], "\n"), strings.Join(onlyY[:min(5, len(onlyY))], "\n"))
		}
	}
}

// differences returns what only one of two sorted lists holds.
func differences(x, y []string) (onlyX, onlyY []string) {
	for len(x) > 0 || len(y) > 0 {
		switch {
		case len(y) == 0 || len(x) > 0 && x[0] < y[0]:
			onlyX, x = append(onlyX, x[0]), x[1:]
		case len(x) == 0 || y[0] < x[0]:
			onlyY, y = append(onlyY, y[0]), y[1:]
		default:
			x, y = x[1:], y[1:]
		}
	}
	return onlyX, onlyY
}

func describe(m map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "%s: %s\n", k, m[k])
	}
	return b.String()
}

// TestComparisonSees makes sure of the comparison itself: each of these is a difference.
func TestComparisonSees(t *testing.T) {
	t.Parallel()
	for _, v := range [][2]string{
		{"1", "1.0"},
		{"0.0", "-0.0"},
		{"''", "NULL"},
		{"''", "x''"},
		{"'a'", "x'61'"},
		{"9223372036854775807", "9223372036854775806"},
		{"0.1", "0.10000000000000002"},
		{"CAST(x'61ff' AS TEXT)", "CAST(x'61fe' AS TEXT)"},
		{"CAST(x'6100' AS TEXT)", "'a'"},
		{"zeroblob(2000)", "zeroblob(2001)"},
	} {
		w := newWorld(t)
		x, y := w.database("a.db"), w.database("b.db")
		x.exec("CREATE TABLE t(a, b); INSERT INTO t VALUES (1, " + v[0] + ")")
		y.exec("CREATE TABLE t(a, b); INSERT INTO t VALUES (1, " + v[1] + ")")
		if onlyX, onlyY := differences(x.rows("t"), y.rows("t")); len(onlyX) != 1 || len(onlyY) != 1 {
			t.Errorf("%s and %s: %q, %q", v[0], v[1], onlyX, onlyY)
		}
		if onlyX, onlyY := differences(x.rows("t"), x.rows("t")); len(onlyX)+len(onlyY) > 0 {
			t.Errorf("%s differs from itself", v[0])
		}
	}
	for _, ddl := range []string{
		"CREATE TABLE t(a, b)", "CREATE TABLE t(a PRIMARY KEY, b)", "CREATE TABLE t(a PRIMARY KEY, b) WITHOUT ROWID", "CREATE TABLE t(a, b CHECK (b > 0))",
		"CREATE TABLE t(a, b REFERENCES t(a))", "CREATE TABLE t(a, b); CREATE INDEX i ON t(b)", "CREATE TABLE t(a, b); CREATE UNIQUE INDEX i ON t(b)",
	} {
		w := newWorld(t)
		x, y := w.database("a.db"), w.database("b.db")
		x.exec(ddl)
		y.exec("CREATE TABLE t(a, b DEFAULT 1)")
		if maps.Equal(x.schema(), y.schema()) {
			t.Errorf("%s is not told apart", ddl)
		}
	}
}
