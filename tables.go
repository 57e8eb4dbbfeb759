package syncline

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/syncline-io/syncline/endpoint"
)

// pairedTable is one table as both databases have it; nil at the one that does not.
type pairedTable struct {
	name string // as the first database that has it writes it
	at   [2]*endpoint.Table
}

// any returns the table at a database that has it.
func (t *pairedTable) any() *endpoint.Table {
	if t.at[0] != nil {
		return t.at[0]
	}
	return t.at[1]
}

// lowerASCII is the form under which names of tables and columns are the same.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// filter says which tables are meant.
type filter struct{ tables, exclude []string }

func newFilter(tables, exclude []string) (*filter, error) {
	f := &filter{}
	for _, list := range []struct {
		from []string
		to   *[]string
	}{{tables, &f.tables}, {exclude, &f.exclude}} {
		for _, p := range list.from {
			p = lowerASCII(p)
			if _, err := path.Match(p, ""); err != nil {
				return nil, usage("table pattern %q: %v", p, err)
			}
			*list.to = append(*list.to, p)
		}
	}
	return f, nil
}

// matches reports whether a name matches the pattern. A name that is the pattern itself
// matches whatever characters it has.
func matches(pattern, name string) bool {
	name = lowerASCII(name)
	ok, _ := path.Match(pattern, name) // newFilter has refused bad patterns
	return ok || pattern == name
}

func (f *filter) wants(name string) bool {
	match := func(p string) bool { return matches(p, name) }
	return (len(f.tables) == 0 || slices.ContainsFunc(f.tables, match)) && !slices.ContainsFunc(f.exclude, match)
}

// unmatched returns the patterns that no table matches.
func (f *filter) unmatched(tables []*pairedTable) []string {
	var none []string
	for _, p := range f.tables {
		if !slices.ContainsFunc(tables, func(t *pairedTable) bool { return matches(p, t.name) }) {
			none = append(none, p)
		}
	}
	return none
}

// pairTables brings the tables of two schemas together by name, ASCII case aside, in order
// of name. Of those that f does not want there is none.
func pairTables(a, b *endpoint.Schema, f *filter) ([]*pairedTable, error) {
	var all []*pairedTable
	for i, s := range []*endpoint.Schema{a, b} {
		for _, t := range s.Tables {
			same := func(p *pairedTable) bool { return lowerASCII(p.name) == lowerASCII(t.Name) }
			if n := slices.IndexFunc(all, same); n >= 0 {
				all[n].at[i] = t
				continue
			}
			p := &pairedTable{name: t.Name}
			p.at[i] = t
			all = append(all, p)
		}
	}
	if none := f.unmatched(all); len(none) > 0 && len(all) > 0 {
		return nil, usage("no table matches %q", none[0])
	}
	all = slices.DeleteFunc(all, func(p *pairedTable) bool { return !f.wants(p.name) })
	slices.SortFunc(all, func(p, q *pairedTable) int {
		return cmp.Or(cmp.Compare(lowerASCII(p.name), lowerASCII(q.name)), cmp.Compare(p.name, q.name))
	})
	return all, nil
}

// differences lists what keeps the rows of one database from being those of the other, for
// tables that both have, and what keeps any table there is from being synced at all.
func (t *pairedTable) differences() []SchemaDifference {
	var ds []SchemaDifference
	for _, at := range t.at {
		if at != nil && at.Refused != "" {
			d := SchemaDifference{t.name, at.Refused, at.Fix}
			if !slices.Contains(ds, d) {
				ds = append(ds, d)
			}
		}
	}
	if len(ds) > 0 || t.at[0] == nil || t.at[1] == nil {
		return ds
	}
	for _, d := range endpoint.Compare(t.at[0], t.at[1]) {
		switch {
		case d.Fix == "":
		case d.First:
			d.Detail += "; what would fix it at the first:"
		default:
			d.Detail += "; what would fix it at the second:"
		}
		ds = append(ds, SchemaDifference{Table: d.Table, Detail: d.Detail, Fix: d.Fix})
	}
	if len(ds) == 0 && !t.at[0].Shape.Equal(t.at[1].Shape) {
		ds = append(ds, SchemaDifference{Table: t.name, Detail: "the columns are not the same"})
	}
	return ds
}

// parentsFirst orders tables so that a row's parents come before it. Tables that refer to
// each other in a circle come in the order they have.
func parentsFirst(tables []*pairedTable) []*pairedTable {
	index := map[string]int{}
	for i, t := range tables {
		index[lowerASCII(t.name)] = i
	}
	out := make([]*pairedTable, 0, len(tables))
	visited := make([]bool, len(tables))
	var visit func(i int)
	visit = func(i int) {
		if visited[i] {
			return
		}
		visited[i] = true
		for _, at := range tables[i].at {
			if at == nil {
				continue
			}
			for _, fk := range at.ForeignKeys {
				if p, ok := index[lowerASCII(fk.Parent)]; ok {
					visit(p)
				}
			}
		}
		out = append(out, tables[i])
	}
	for i := range tables {
		visit(i)
	}
	return out
}

// layout is what the schemas of two databases come to.
type layout struct {
	tables  []*pairedTable // that are synced, parents first
	creates [2][]*pairedTable
	skipped []SkippedObject
}

// layOut decides what becomes of every table: synced, created at a database that is empty,
// named as left out, or the reason for a [SchemaError]. names and empty are of the
// databases.
func layOut(schemas [2]*endpoint.Schema, names [2]string, empty [2]bool, twoWay bool, f *filter) (*layout, error) {
	paired, err := pairTables(schemas[0], schemas[1], f)
	if err != nil {
		return nil, err
	}
	l := &layout{}
	var bad []SchemaDifference
	for _, t := range parentsFirst(paired) {
		missing := slices.Index(t.at[:], nil)
		if missing == 0 && !twoWay {
			// The second follows the first: what only the second has is its own.
			l.skipped = append(l.skipped, SkippedObject{names[1], "table", t.name, "there is no such table in " + names[0]})
			continue
		}
		if ds := t.differences(); len(ds) > 0 {
			bad = append(bad, ds...)
			continue
		}
		if missing >= 0 && !empty[missing] {
			bad = append(bad, SchemaDifference{
				t.name, "missing at " + names[missing],
				strings.Join(statements(t.any().DDL), "\n"),
			})
			continue
		}
		if missing >= 0 {
			l.creates[missing] = append(l.creates[missing], t)
		}
		l.tables = append(l.tables, t)
	}
	if len(bad) > 0 {
		return nil, &SchemaError{bad}
	}
	l.skipped = append(l.skipped, skippedObjects(schemas, names)...)
	return l, nil
}

// skippedObjects names what is in the databases and cannot be synced.
func skippedObjects(schemas [2]*endpoint.Schema, names [2]string) []SkippedObject {
	var all []SkippedObject
	for i, s := range schemas {
		for _, o := range s.Skipped {
			all = append(all, SkippedObject{names[i], o.Kind, o.Name, o.Reason})
		}
	}
	return all
}

// ddl returns the statements that create the tables missing at a database, in order.
func (l *layout) ddl(i int) []string {
	var all []string
	for _, t := range l.creates[i] {
		all = append(all, t.any().DDL...)
	}
	return all
}

// statements ends each statement with a semicolon.
func statements(ddl []string) []string {
	out := make([]string, len(ddl))
	for i, s := range ddl {
		out[i] = fmt.Sprintf("%s;", strings.TrimRight(strings.TrimSpace(s), ";"))
	}
	return out
}
