package endpoint

import (
	"fmt"
	"strings"
)

// Difference is one way in which two tables that should hold the same rows do not fit.
type Difference struct {
	Table  string
	Detail string
	// Fix is the statement that would remove the difference, or "": at the first database if
	// First is set, else at the second. It adds; what would have to go is the user's to say.
	// A column that is added has the type of the other one and none of its constraints.
	Fix   string
	First bool
}

// Compare lists what keeps rows of a from being rows of b as they are: fields, keys,
// collations of keys, generated columns, types. The order of columns is no difference.
func Compare(a, b *Table) []Difference {
	var ds []Difference
	differ := func(fix, format string, args ...any) {
		ds = append(ds, Difference{Table: a.Name, Detail: fmt.Sprintf(format, args...), Fix: fix})
	}
	for _, ca := range a.Columns {
		cb, ok := b.column(ca.Name)
		switch {
		case !ok && ca.Generated:
		case !ok:
			differ(addColumn(b, &ca), "column %s is missing at the second database", ca.Name)
		case ca.Generated != cb.Generated:
			differ("", "column %s is generated at one side only", ca.Name)
		case !ca.Generated && !strings.EqualFold(ca.Type, cb.Type):
			differ("", "column %s is %s and %s", ca.Name, typeName(ca.Type), typeName(cb.Type))
		}
	}
	for _, cb := range b.Columns {
		if _, ok := a.column(cb.Name); !ok && !cb.Generated {
			differ(addColumn(a, &cb), "column %s is missing at the first database", cb.Name)
			ds[len(ds)-1].First = true
		}
	}
	if ka, kb := a.keyNames(), b.keyNames(); !strings.EqualFold(ka, kb) {
		differ("", "the key is (%s) and (%s)", ka, kb)
	} else {
		for i, c := range a.Key {
			if a.Columns[c].Collation != b.Columns[b.Key[i]].Collation {
				differ("", "key column %s has another collation", a.Columns[c].Name)
			}
		}
	}
	return ds
}

func addColumn(t *Table, c *Column) string {
	return strings.TrimSpace(fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", quote(t.Name), quote(c.Name), c.Type)) + ";"
}

func (t *Table) column(name string) (*Column, bool) {
	for i := range t.Columns {
		if equalFold(t.Columns[i].Name, name) {
			return &t.Columns[i], true
		}
	}
	return nil, false
}

func (t *Table) keyNames() string {
	var names []string
	for _, i := range t.Key {
		names = append(names, t.Columns[i].Name)
	}
	return strings.Join(names, ", ")
}

func typeName(s string) string {
	if s == "" {
		return "without a type"
	}
	return s
}

func quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}
