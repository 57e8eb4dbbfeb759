package sqlite

import (
	"fmt"
	"strings"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

// reference is one foreign key as SQLite would enforce it.
type reference struct {
	fk            endpoint.ForeignKey
	child, parent *plan
	from, to      []int // positions of the columns in the shapes of child and parent; -1 for a generated one
}

// violates reports the foreign key that is broken by a row of t having gone from one image
// to the other, or "". Only what the change itself can have broken counts: references
// that led nowhere before, as databases without enforcement hold them, are no news.
func (c *conn) violates(s *schema, t *endpoint.Table, from, to record.Image) (string, error) {
	p, err := s.plan(t)
	if err != nil {
		return "", err
	}
	var was, is []record.Value
	if from != nil {
		if was, err = from.Values(nil); err != nil {
			return "", err
		}
	}
	if to != nil {
		if is, err = to.Values(nil); err != nil {
			return "", err
		}
	}
	for _, fk := range p.table.ForeignKeys {
		r, ok := s.reference(p, fk)
		if !ok || is == nil {
			continue
		}
		broken, err := c.orphan(r, was, is)
		if err != nil || broken != "" {
			return broken, err
		}
	}
	if was == nil {
		return "", nil
	}
	for _, child := range s.Tables {
		for _, fk := range child.ForeignKeys {
			if fold(fk.Parent) != fold(p.table.Name) {
				continue
			}
			r, ok := s.reference(s.plans[fold(child.Name)], fk)
			if !ok {
				continue
			}
			broken, err := c.deserted(r, was, is)
			if err != nil || broken != "" {
				return broken, err
			}
		}
	}
	return "", nil
}

// reference resolves a foreign key. One whose parent or columns are missing is never
// enforced: SQLite fails every write to its tables instead, until that is mended.
func (s *schema) reference(child *plan, fk endpoint.ForeignKey) (reference, bool) {
	r := reference{fk: fk, child: child, parent: s.plans[fold(fk.Parent)]}
	if r.parent == nil || len(fk.Columns) == 0 || len(fk.Columns) != len(fk.Refers) {
		return r, false
	}
	for i := range fk.Columns {
		if !hasColumn(child, fk.Columns[i]) || !hasColumn(r.parent, fk.Refers[i]) {
			return r, false
		}
		r.from = append(r.from, child.table.Shape.Index(fk.Columns[i]))
		r.to = append(r.to, r.parent.table.Shape.Index(fk.Refers[i]))
	}
	return r, true
}

func hasColumn(p *plan, name string) bool {
	for _, c := range p.table.Columns {
		if fold(c.Name) == fold(name) {
			return true
		}
	}
	return false
}

// orphan checks a row's own reference, unless the change left it as it was.
func (c *conn) orphan(r reference, was, is []record.Value) (string, error) {
	vs, all := pick(is, r.from)
	if !all {
		return "", nil
	}
	if old, ok := pick(was, r.from); ok && equalValues(old, vs) {
		return "", nil
	}
	found, err := c.exists("SELECT 1 FROM "+quote(r.parent.table.Name)+" WHERE "+r.parentIs("", c.operands(vs)), vs)
	if err != nil || found {
		return "", err
	}
	return r.broken(vs), nil
}

// deserted checks whether rows that refer to what a row was still find a parent.
func (c *conn) deserted(r reference, was, is []record.Value) (string, error) {
	vs, all := pick(was, r.to)
	if !all {
		return "", nil
	}
	if now, ok := pick(is, r.to); ok && equalValues(now, vs) {
		return "", nil
	}
	var same []string
	params := c.operands(vs)
	for i, col := range r.fk.Columns {
		same = append(same, fmt.Sprintf("child.%s = %s COLLATE %s", quote(col), params[i], r.collation(i)))
	}
	found, err := c.exists(fmt.Sprintf("SELECT 1 FROM %s AS child WHERE %s AND NOT EXISTS (SELECT 1 FROM %s AS parent WHERE %s)",
		quote(r.child.table.Name), strings.Join(same, " AND "), quote(r.parent.table.Name), r.parentIs("child", nil)), vs)
	if err != nil || !found {
		return "", err
	}
	return r.broken(vs), nil
}

// parentIs compares the parent's columns, by their collations and affinities as SQLite
// does, with those of a child, or else with parameters.
func (r *reference) parentIs(child string, params []string) string {
	var same []string
	for i, col := range r.fk.Refers {
		if child != "" {
			same = append(same, "parent."+quote(col)+" = "+child+"."+quote(r.fk.Columns[i]))
		} else {
			same = append(same, quote(col)+" = "+params[i])
		}
	}
	return strings.Join(same, " AND ")
}

// collation is that of the i-th column of the parent.
func (r *reference) collation(i int) string {
	for _, col := range r.parent.table.Columns {
		if fold(col.Name) == fold(r.fk.Refers[i]) {
			return collationName(col.Collation)
		}
	}
	return "BINARY"
}

func (r *reference) broken(vs []record.Value) string {
	var words []string
	for _, v := range vs {
		words = append(words, v.String())
	}
	return fmt.Sprintf("%s(%s) refers to %s(%s), which has no row with %s",
		r.child.table.Name, strings.Join(r.fk.Columns, ", "),
		r.parent.table.Name, strings.Join(r.fk.Refers, ", "), strings.Join(words, ", "))
}

// pick returns the values at the given positions. It returns false if one is null or not
// there: such a reference holds for everything.
func pick(vs []record.Value, at []int) ([]record.Value, bool) {
	var picked []record.Value
	for _, i := range at {
		if i < 0 || i >= len(vs) || vs[i].Kind() == record.Null || vs[i].Kind() == record.Large {
			return nil, false
		}
		picked = append(picked, vs[i])
	}
	return picked, true
}

func equalValues(a, b []record.Value) bool {
	for i := range a {
		if !a[i].Equal(b[i]) {
			return false
		}
	}
	return true
}

// operands returns what stands for values in a statement: parameters, and literals where
// SQLite would alter a bound text.
func (c *conn) operands(vs []record.Value) []string {
	ops := make([]string, len(vs))
	for i, v := range vs {
		ops[i] = c.operand(i+1, v)
	}
	return ops
}

// exists reports whether a query with operands for these values has a result.
func (c *conn) exists(sql string, vs []record.Value) (bool, error) {
	args := make([]any, len(vs))
	run := c.run
	for i, v := range vs {
		switch v.Kind() {
		case record.Int:
			args[i] = v.Int()
		case record.Float:
			args[i] = v.Float()
		case record.Text, record.RawText:
			args[i] = string(v.Raw())
			if c.altered(v.Raw()) {
				args[i], run = storedBytes(nil), c.query // a statement with a literal is not worth keeping
			}
		default:
			args[i] = v.Raw()
		}
	}
	found := false
	err := run(sql+" LIMIT 1", func(*sqlite.Stmt) error { found = true; return nil }, args...)
	return found, err
}
