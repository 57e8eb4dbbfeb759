package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// editedTable is a table as the editor needs to know it.
type editedTable struct {
	name    string
	columns []column
	key     []int // columns of the primary key
}

type column struct {
	name      string
	notNull   bool
	reference string // SQL that draws a value for a foreign key
}

// editor edits two databases at random, as their users would, and tells the model of
// every edit the databases took.
type editor struct {
	rng    *rand.Rand
	sides  [2]*database
	tables []editedTable
	model  *model
	serial int // makes values unique
}

func newEditor(rng *rand.Rand, a, b *database, m *model) *editor {
	e := &editor{rng: rng, sides: [2]*database{a, b}, model: m}
	for _, name := range a.tables() {
		t := editedTable{name: name}
		references := map[string]string{}
		for _, r := range a.query(`SELECT format('%s|SELECT %s FROM %s ORDER BY random() LIMIT 1', "from", "to", "table") FROM pragma_foreign_key_list(?)`, name) {
			from, q, _ := strings.Cut(r, "|")
			references[from] = q
		}
		for i, c := range a.query(`SELECT format('%s|%d|%d', name, "notnull", pk) FROM pragma_table_info(?) ORDER BY cid`, name) {
			parts := strings.Split(c, "|")
			t.columns = append(t.columns, column{parts[0], parts[1] == "1", references[parts[0]]})
			if parts[2] != "0" {
				t.key = append(t.key, i)
			}
		}
		e.tables = append(e.tables, t)
	}
	return e
}

// snapshot reads all rows of a database by their records' names. Keys are integers.
func (e *editor) snapshot(side int) map[string]row {
	d := e.sides[side]
	d.Helper()
	all := map[string]row{}
	for i := range e.tables {
		for _, r := range e.read(d, &e.tables[i], "") {
			all[e.tables[i].recordName(r)] = r
		}
	}
	return all
}

// read returns rows of a table.
func (e *editor) read(d *database, t *editedTable, where string) []row {
	d.Helper()
	var list []string
	for _, c := range t.columns {
		list = append(list, quote(c.name), "CAST("+quote(c.name)+" AS BLOB)")
	}
	q := "SELECT " + strings.Join(list, ", ") + " FROM " + quote(t.name) + " " + where
	var all []row
	err := sqlitex.Execute(d.conn, q, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		r := make(row, len(t.columns))
		for i := range r {
			r[i] = cellOf(s, 2*i)
		}
		all = append(all, r)
		return nil
	}})
	if err != nil {
		d.Fatalf("%s: %s: %v", d.path, q, err)
	}
	return all
}

// recordName writes a record as people do: Album/7, PlaylistTrack/[1,2].
func (t *editedTable) recordName(r row) string {
	var parts []string
	for _, k := range t.key {
		parts = append(parts, strings.TrimPrefix(string(r[k]), "integer "))
	}
	if len(parts) == 1 {
		return t.name + "/" + parts[0]
	}
	return t.name + "/[" + strings.Join(parts, ",") + "]"
}

func (t *editedTable) where(r row) string {
	var parts []string
	for _, k := range t.key {
		parts = append(parts, quote(t.columns[k].name)+" = "+strings.TrimPrefix(string(r[k]), "integer "))
	}
	return "WHERE " + strings.Join(parts, " AND ")
}

// value draws a value of any storage class.
func (e *editor) value(c column) string {
	e.serial++
	switch n := e.rng.IntN(12); {
	case n == 0 && !c.notNull:
		return "NULL"
	case n == 1:
		return strconv.Itoa(e.serial)
	case n == 2:
		return fmt.Sprintf("%d.%02d", e.serial, e.rng.IntN(100))
	case n == 3:
		return fmt.Sprintf("x'%08x00ff'", e.serial)
	case n == 4:
		return fmt.Sprintf("CAST(x'%08xfe00' AS TEXT)", e.serial)
	case n == 5:
		return fmt.Sprintf("'%d naïve \U0001F9CA ''quoted'' '", e.serial)
	case n == 6:
		return fmt.Sprintf("%d", int64(-1<<63)+int64(e.serial))
	case n == 7:
		return fmt.Sprintf("%d.5e300", e.serial)
	}
	return fmt.Sprintf("'value %d'", e.serial)
}

// pick draws a row to edit: mostly one of a few, so that edits of both sides meet.
func (e *editor) pick(d *database, t *editedTable) (row, bool) {
	offset := e.rng.IntN(12)
	if e.rng.IntN(3) == 0 {
		offset = e.rng.IntN(5000)
	}
	rows := e.read(d, t, fmt.Sprintf("ORDER BY rowid LIMIT 1 OFFSET %d", offset))
	if len(rows) == 0 {
		return nil, false
	}
	return rows[0], true
}

// edit makes one random edit at a side, if the database takes it.
func (e *editor) edit(side int) {
	d := e.sides[side]
	d.Helper()
	t := &e.tables[e.rng.IntN(len(e.tables))]
	r, ok := e.pick(d, t)
	if !ok {
		return
	}
	switch n := e.rng.IntN(20); {
	case n < 10:
		e.update(side, t, r)
	case n < 13:
		e.insert(side, t)
	case n < 16:
		e.change(side, t, []row{r}, "DELETE FROM "+quote(t.name)+" "+t.where(r), "")
	case n < 18:
		e.rekey(side, t, r)
	default:
		e.swap(side)
	}
}

// update changes one or two fields that are no key.
func (e *editor) update(side int, t *editedTable, r row) {
	var set []string
	for range 1 + e.rng.IntN(2) {
		i := e.rng.IntN(len(t.columns))
		c := t.columns[i]
		if slices.Contains(t.key, i) {
			continue
		}
		v := e.value(c)
		if c.reference != "" {
			v = "(" + c.reference + ")"
		}
		set = append(set, quote(c.name)+" = "+v)
	}
	if len(set) == 0 {
		return
	}
	e.change(side, t, []row{r}, "UPDATE "+quote(t.name)+" SET "+strings.Join(set, ", ")+" "+t.where(r), "")
}

// insert adds a row. Small new keys are drawn from a few, so that both sides use them.
func (e *editor) insert(side int, t *editedTable) {
	var names, values []string
	key := strconv.Itoa(20000 + e.rng.IntN(60))
	for i, c := range t.columns {
		names = append(names, quote(c.name))
		switch {
		case c.reference != "":
			values = append(values, e.sides[side].text(c.reference))
		case slices.Contains(t.key, i):
			values = append(values, key)
		default:
			values = append(values, e.value(c))
		}
	}
	var probe row
	for i := range t.columns {
		probe = append(probe, cell("integer "+values[i]))
	}
	e.change(side, t, nil, "INSERT INTO "+quote(t.name)+"("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")", t.where(probe))
}

// rekey changes a row's primary key.
func (e *editor) rekey(side int, t *editedTable, r row) {
	if len(t.key) > 1 {
		return
	}
	e.serial++
	id := strconv.Itoa(30000 + e.serial)
	k := quote(t.columns[t.key[0]].name)
	e.change(side, t, []row{r}, "UPDATE "+quote(t.name)+" SET "+k+" = "+id+" "+t.where(r), "WHERE "+k+" = "+id)
}

// swap exchanges the unique names of two genres, in one transaction.
func (e *editor) swap(side int) {
	d := e.sides[side]
	for i := range e.tables {
		t := &e.tables[i]
		if t.name != "Genre" {
			continue
		}
		rows := e.read(d, t, "WHERE typeof(Name) = 'text' ORDER BY random() LIMIT 2")
		if len(rows) < 2 {
			return
		}
		x, y := t.where(rows[0]), t.where(rows[1])
		e.change(side, t, rows, fmt.Sprintf(`BEGIN;
			CREATE TEMP TABLE swapped AS SELECT (SELECT Name FROM Genre %s) AS x, (SELECT Name FROM Genre %s) AS y;
			UPDATE Genre SET Name = 'swapping' %[1]s;
			UPDATE Genre SET Name = (SELECT x FROM swapped) %[2]s;
			UPDATE Genre SET Name = (SELECT y FROM swapped) %[1]s;
			DROP TABLE swapped; COMMIT`, x, y), "")
	}
}

// change runs an edit that concerns the given rows and the row at another place, and
// tells the model what became of them.
func (e *editor) change(side int, t *editedTable, rows []row, script, place string) {
	d := e.sides[side]
	d.Helper()
	wheres := []string{}
	for _, r := range rows {
		wheres = append(wheres, t.where(r))
	}
	if place != "" {
		wheres = append(wheres, place)
	}
	one := func(d *database, where string) row {
		if rows := e.read(d, t, where); len(rows) > 0 {
			return rows[0]
		}
		return nil
	}
	var before []row
	for _, w := range wheres {
		before = append(before, one(d, w))
	}
	if err := sqlitex.ExecuteScript(d.conn, script, nil); err != nil {
		return // the database did not take it: a foreign key, a key that is there
	}
	for i, w := range wheres {
		after := one(d, w)
		named := after
		if named == nil {
			named = before[i]
		}
		if named != nil {
			e.model.edit(t.recordName(named), side, before[i], after, one(e.sides[1-side], w))
		}
	}
}
