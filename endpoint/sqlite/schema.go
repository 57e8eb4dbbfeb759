package sqlite

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

// ours is how the names of all objects that Syncline makes inside a database begin.
const ours = "_syncline_"

func isOurs(name string) bool {
	return len(name) >= len(ours) && fold(name[:len(ours)]) == ours
}

// schema is the schema of a connection's view: what it tells others, and what it needs
// itself to read and write each table.
type schema struct {
	*endpoint.Schema
	plans map[string]*plan // by folded table name
}

// plan returns the plan of a table that can be synced. The table may come from another
// view of the database, or from another database, if its images mean the same here.
func (s *schema) plan(t *endpoint.Table) (*plan, error) {
	p := s.plans[fold(t.Name)]
	switch {
	case p == nil:
		return nil, fmt.Errorf("table %s: %w", t.Name, errNoTable)
	case p.table.Refused != "":
		return nil, fmt.Errorf("table %s: %w: %s", t.Name, errRefused, p.table.Refused)
	case p.table != t && !p.table.Shape.Equal(t.Shape):
		return nil, fmt.Errorf("table %s: %w", t.Name, errOtherShape)
	}
	return p, nil
}

// readSchema describes the tables of the view that c has begun.
func (c *conn) readSchema() (*schema, error) {
	s := &schema{Schema: &endpoint.Schema{}, plans: map[string]*plan{}}
	if err := c.listObjects(s); err != nil {
		return nil, err
	}
	for _, p := range s.plans {
		if err := c.describe(p); err != nil {
			return nil, fmt.Errorf("table %s: %w", p.table.Name, err)
		}
		s.Tables = append(s.Tables, p.table)
	}
	slices.SortFunc(s.Tables, func(a, b *endpoint.Table) int { return cmp.Compare(a.Name, b.Name) })
	for _, t := range s.Tables {
		completeForeignKeys(s.Schema, t)
	}
	return s, nil
}

// listObjects fills in the tables by name with their DDL, and what is not synced.
func (c *conn) listObjects(s *schema) error {
	skip := func(kind, name, reason string) {
		s.Skipped = append(s.Skipped, endpoint.Skipped{Kind: kind, Name: name, Reason: reason})
	}
	err := c.query("SELECT name, type, wr, strict FROM pragma_table_list WHERE schema = 'main'", func(st *sqlite.Stmt) error {
		name := st.ColumnText(0)
		if isOurs(name) || strings.HasPrefix(fold(name), "sqlite_") {
			return nil
		}
		switch kind := st.ColumnText(1); kind {
		case "table":
			s.plans[fold(name)] = &plan{
				table:        &endpoint.Table{Name: name},
				withoutRowid: st.ColumnInt64(2) != 0,
				strict:       st.ColumnInt64(3) != 0,
			}
		case "view":
			skip("view", name, "views hold no rows of their own")
		case "virtual":
			skip("virtual table", name, "a module keeps its rows in other tables")
		case "shadow":
			skip("shadow table", name, "belongs to a virtual table")
		default:
			skip(kind, name, "not a table")
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = c.query("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid", func(st *sqlite.Stmt) error {
		kind, name, on, sql := st.ColumnText(0), st.ColumnText(1), st.ColumnText(2), st.ColumnText(3)
		p := s.plans[fold(on)]
		switch {
		case isOurs(name):
		case kind == "trigger":
			skip("trigger", name, "triggers are not copied")
			if p != nil {
				p.table.Triggers = append(p.table.Triggers, name)
			}
		case p == nil:
		case kind == "table":
			p.table.DDL = slices.Insert(p.table.DDL, 0, sql)
		case kind == "index":
			p.table.DDL = append(p.table.DDL, sql)
		}
		return nil
	})
	slices.SortStableFunc(s.Skipped, func(a, b endpoint.Skipped) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return err
}

// index is what PRAGMA index_list and index_xinfo say of an index.
type index struct {
	name    string
	primary bool
	unique  bool
	partial bool
	columns []indexColumn // of the key, without the rowid at the end
}

type indexColumn struct {
	name      string // "" for an expression
	collation string
	desc      bool
}

// describe fills in one table. What cannot be synced is said in Refused.
func (c *conn) describe(p *plan) error {
	t := p.table
	for i := range t.DDL {
		t.DDL[i] = strings.TrimSpace(t.DDL[i])
	}
	collations := map[string]string{}
	if len(t.DDL) > 0 {
		collations = columnCollations(t.DDL[0])
	}
	var primary []string // columns of the primary key, in its order
	unknown := ""
	var stored []string
	err := c.query("SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?1) ORDER BY cid", func(st *sqlite.Stmt) error {
		col := endpoint.Column{
			Name:      st.ColumnText(0),
			Type:      st.ColumnText(1),
			NotNull:   st.ColumnInt64(2) != 0,
			Generated: st.ColumnInt64(4) != 0,
			Scale:     scaleOf(st.ColumnText(1)),
		}
		if name, ok := collations[fold(col.Name)]; ok {
			if col.Collation, ok = collationOf(name); !ok {
				unknown = name
			}
		}
		t.Columns = append(t.Columns, col)
		if n := st.ColumnInt(3); n > 0 {
			primary = slices.Grow(primary, max(0, n-len(primary)))
			primary = primary[:max(n, len(primary))]
			primary[n-1] = col.Name
		}
		if !col.Generated {
			stored = append(stored, col.Name)
		}
		return nil
	}, t.Name)
	if err != nil {
		return err
	}
	if p.indexes, err = c.indexes(t.Name); err != nil {
		return err
	}
	for _, x := range p.indexes {
		for _, col := range x.columns {
			if _, ok := collationOf(col.collation); !ok {
				unknown = col.collation
			}
		}
	}
	if err := c.foreignKeys(t); err != nil {
		return err
	}
	if t.Shape, err = record.NewShape(t.Name, stored); err != nil {
		t.Shape = &record.Shape{Table: t.Name}
		p.refuse("its columns cannot be named: "+err.Error(), "rename the table or the column")
		return nil
	}
	if unknown != "" {
		p.refuse(fmt.Sprintf("collation %s is known only to the program that made the table", unknown), "")
		return nil
	}
	if len(primary) == 0 {
		return c.declaredKey(p)
	}
	p.setKey(primary)
	return nil
}

func (c *conn) indexes(table string) ([]index, error) {
	var xs []index
	err := c.query("SELECT name, origin = 'pk', \"unique\", partial FROM pragma_index_list(?1) ORDER BY seq", func(st *sqlite.Stmt) error {
		xs = append(xs, index{
			name: st.ColumnText(0), primary: st.ColumnInt64(1) != 0,
			unique: st.ColumnInt64(2) != 0, partial: st.ColumnInt64(3) != 0,
		})
		return nil
	}, table)
	for i := 0; err == nil && i < len(xs); i++ {
		x := &xs[i]
		err = c.query("SELECT name, coll, \"desc\" FROM pragma_index_xinfo(?1) WHERE key ORDER BY seqno", func(st *sqlite.Stmt) error {
			x.columns = append(x.columns, indexColumn{
				name: st.ColumnText(0), collation: st.ColumnText(1), desc: st.ColumnInt64(2) != 0,
			})
			return nil
		}, x.name)
	}
	return xs, err
}

func (c *conn) foreignKeys(t *endpoint.Table) error {
	last := int64(-1)
	return c.query("SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1) ORDER BY id DESC, seq", func(st *sqlite.Stmt) error {
		if id := st.ColumnInt64(0); id != last {
			last = id
			t.ForeignKeys = append(t.ForeignKeys, endpoint.ForeignKey{Parent: st.ColumnText(1)})
		}
		fk := &t.ForeignKeys[len(t.ForeignKeys)-1]
		fk.Columns = append(fk.Columns, st.ColumnText(2))
		if !st.ColumnIsNull(3) {
			fk.Refers = append(fk.Refers, st.ColumnText(3))
		}
		return nil
	}, t.Name)
}

// completeForeignKeys names the parent's primary key where a reference leaves it out.
func completeForeignKeys(s *endpoint.Schema, t *endpoint.Table) {
	for i := range t.ForeignKeys {
		fk := &t.ForeignKeys[i]
		parent := s.Table(fk.Parent)
		if len(fk.Refers) > 0 || parent == nil {
			continue
		}
		for _, k := range parent.Key {
			fk.Refers = append(fk.Refers, parent.Columns[k].Name)
		}
	}
}

// collationOf returns one of SQLite's own collations by name.
func collationOf(name string) (record.Collation, bool) {
	switch fold(name) {
	case "", "binary":
		return record.Binary, true
	case "nocase":
		return record.NoCase, true
	case "rtrim":
		return record.RTrim, true
	}
	return record.Binary, false
}

// collateClause is what makes a comparison use a collation.
func collateClause(c record.Collation) string {
	return [...]string{record.Binary: " COLLATE BINARY", record.NoCase: " COLLATE NOCASE", record.RTrim: " COLLATE RTRIM"}[c]
}

// scaleOf returns the second number of a type like DECIMAL(10,2), or -1.
func scaleOf(typ string) int {
	_, args, ok := strings.Cut(typ, "(")
	if !ok {
		return -1
	}
	_, scale, ok := strings.Cut(strings.TrimRight(args, ") "), ",")
	if !ok {
		return -1
	}
	n, err := strconv.Atoi(strings.TrimSpace(scale))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// fold lowers the ASCII letters: names that fold alike are one name.
func fold(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// quote makes a name an SQL identifier.
func quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
