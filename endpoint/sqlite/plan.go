package sqlite

import (
	"errors"
	"fmt"
	"strings"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

var (
	errNoTable    = errors.New("no such table")
	errRefused    = errors.New("cannot be synced")
	errOtherShape = errors.New("its columns have changed")
	errClosed     = errors.New("the view is closed")
)

// plan is what is needed to read and write one table.
type plan struct {
	table        *endpoint.Table
	withoutRowid bool
	strict       bool
	indexes      []index
	declared     bool // the key comes from Options.Keys

	name    string    // quoted
	columns []string  // quoted, in the order of the shape
	key     []keyPart // in the order of the key
	keyAt   []int     // position in the shape -> position in the key, or -1
	// rowid is true when the key is the rowid itself (INTEGER PRIMARY KEY).
	rowid bool
	// rowidName is a name of the rowid that no column hides, or "".
	rowidName string
	// index is the quoted name of the index that holds the rows in the order of the key,
	// or "" when the table itself does or none does.
	index string
	// ordered is true when the table or index has exactly the order of the key, up or
	// down as descending says.
	ordered, descending bool
}

// keyPart is one column of the key.
type keyPart struct {
	field     int    // position in the shape
	column    string // quoted
	collation record.Collation
	// collate is the clause that makes a comparison one of keys: the primary key's
	// collation need not be the column's. "" for the rowid.
	collate string
}

func (p *plan) refuse(reason, fix string) {
	p.table.Refused, p.table.Fix = reason, fix
}

// setKey makes the named columns the key. Their names are the table's.
func (p *plan) setKey(names []string) {
	t := p.table
	p.name = quote(t.Name)
	p.columns = make([]string, len(t.Shape.Fields))
	p.keyAt = make([]int, len(t.Shape.Fields))
	for i, f := range t.Shape.Fields {
		p.columns[i] = quote(f)
		p.keyAt[i] = -1
	}
	declared := 0
	for i := range t.Columns {
		if fold(t.Columns[i].Name) == fold(names[0]) {
			declared = i
		}
	}
	p.setRowid(len(names) == 1, t.Columns[declared].Type)
	x := p.keyIndex(names)
	for i, name := range names {
		at := t.Shape.Index(name)
		if at < 0 {
			p.refuse(fmt.Sprintf("key column %s is generated", name), "")
			return
		}
		for j := range t.Columns {
			if fold(t.Columns[j].Name) != fold(name) {
				continue
			}
			if x != nil { // what makes keys equal is the index, whatever the column says
				t.Columns[j].Collation, _ = collationOf(x.columns[i].collation)
			}
			t.Key = append(t.Key, j)
			part := keyPart{field: at, column: p.columns[at], collation: t.Columns[j].Collation}
			if !p.rowid {
				part.collate = collateClause(part.collation)
			}
			p.key = append(p.key, part)
		}
		p.keyAt[at] = i
	}
	p.setOrder(x)
}

// setRowid finds out whether the key is the rowid: a single column declared INTEGER whose
// primary key needed no index of its own (INTEGER PRIMARY KEY DESC does need one).
func (p *plan) setRowid(single bool, typ string) {
	if p.withoutRowid {
		return
	}
	hasIndex := false
	for _, x := range p.indexes {
		hasIndex = hasIndex || x.primary
	}
	p.rowid = single && !hasIndex && fold(typ) == "integer" && !p.declared
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		hidden := false
		for _, c := range p.table.Columns {
			hidden = hidden || fold(c.Name) == name
		}
		if !hidden {
			p.rowidName = name
			return
		}
	}
}

// keyIndex returns the index over exactly the columns of the key.
func (p *plan) keyIndex(names []string) *index {
	for i := range p.indexes {
		x := &p.indexes[i]
		if !x.unique || x.partial || len(x.columns) != len(names) {
			continue
		}
		same := true
		for j, c := range x.columns {
			same = same && fold(c.name) == fold(names[j])
		}
		if same && (x.primary || p.declared) {
			return x
		}
	}
	return nil
}

// setOrder finds out whether walking the table, or the index, is walking the keys.
func (p *plan) setOrder(x *index) {
	switch {
	case p.rowid:
		p.ordered = true
	case x != nil:
		p.ordered, p.descending = true, x.columns[0].desc
		for _, c := range x.columns {
			p.ordered = p.ordered && c.desc == p.descending
		}
		if !p.withoutRowid {
			p.index = quote(x.name)
		}
	}
}

// list joins the columns of the shape, each with a prefix such as "new.".
func (p *plan) list(prefix string) string {
	return prefix + strings.Join(p.columns, ", "+prefix)
}

// whereKey compares the key with the parameters from ?1 on. args are what they will be, or
// nil if SQLite takes all of them as they are.
func (p *plan) whereKey(args []any) string {
	var b strings.Builder
	for i, k := range p.key {
		if i > 0 {
			b.WriteString(" AND ")
		}
		param := fmt.Sprintf("?%d", i+1)
		if args != nil {
			param = parameter(i+1, args[i])
		}
		b.WriteString(k.column + " = " + param + k.collate)
	}
	return b.String()
}
