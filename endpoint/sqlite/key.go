package sqlite

import (
	"fmt"
	"strings"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

// declaredKey takes the key of a table without primary key from the options, if it is one:
// the columns are there, hold no null, and no two rows share their values.
func (c *conn) declaredKey(p *plan) error {
	t := p.table
	var names []string
	for table, columns := range c.d.o.Keys {
		if fold(table) == fold(t.Name) {
			names = columns
		}
	}
	fix := fmt.Sprintf("--key %s:%s", t.Name, suggestKey(p))
	if len(names) == 0 {
		p.refuse("it has no primary key", fix)
		return nil
	}
	p.declared = true
	var quoted, null []string
	seen := map[string]bool{}
	for _, name := range names {
		if t.Shape.Index(name) < 0 || seen[fold(name)] {
			p.refuse(fmt.Sprintf("it has no stored column %s that could be part of the key", name), fix)
			return nil
		}
		seen[fold(name)] = true
		quoted = append(quoted, quote(name))
		null = append(null, quote(name)+" IS NULL")
	}
	where := func(sql string) (found bool, err error) {
		err = c.query(sql, func(*sqlite.Stmt) error { found = true; return nil })
		return found, err
	}
	name, list := quote(t.Name), strings.Join(quoted, ", ")
	if found, err := where("SELECT 1 FROM " + name + " WHERE " + strings.Join(null, " OR ") + " LIMIT 1"); err != nil || found {
		p.refuse("a key column holds null", fix)
		return err
	}
	if p.keyIndex(names) != nil {
		p.setKey(names)
		return nil
	}
	if found, err := where("SELECT 1 FROM " + name + " GROUP BY " + list + " HAVING count(*) > 1 LIMIT 1"); err != nil || found {
		p.refuse("the key columns are not unique", fix)
		return err
	}
	p.setKey(names)
	return nil
}

// suggestKey names columns that could be a key: those of a unique index over stored
// columns, or else a placeholder.
func suggestKey(p *plan) string {
	for _, x := range p.indexes {
		if !x.unique || x.partial {
			continue
		}
		var names []string
		for _, col := range x.columns {
			if p.table.Shape.Index(col.name) >= 0 {
				names = append(names, col.name)
			}
		}
		if len(names) == len(x.columns) {
			return strings.Join(names, ",")
		}
	}
	return "COLUMN,COLUMN"
}

// refusedKey says that a row has a key that no key can be: a null, for one.
func (c *conn) refusedKey(t *endpoint.Table, column string, v record.Value, err error) error {
	hint := "give the row a key that can be synced"
	if v.Kind() == record.Null {
		hint = fmt.Sprintf("give such rows a key: select * from %s where %s is null", quote(t.Name), quote(column))
	}
	return c.d.failure("read "+t.Name, endpoint.Refused, hint,
		fmt.Errorf("a row of table %s has a key that cannot be synced, in column %s: %w", t.Name, column, err))
}

// keyArgs returns the values of a key in the forms that [bind] and [parameter] take.
// literal says that one of them cannot be bound.
func (c *conn) keyArgs(p *plan, k record.Key) (args []any, literal bool, err error) {
	vs, err := keyValues(p, k)
	if err != nil {
		return nil, false, err
	}
	args = make([]any, len(vs))
	for i, v := range vs {
		switch v.Kind() {
		case record.Int:
			args[i] = v.Int()
		case record.Float:
			args[i] = v.Float()
		case record.Bytes:
			args[i] = v.Raw()
		case record.RawText: // which a UTF-16 database does not have
			args[i] = string(v.Raw())
		default:
			if c.altered(v.Raw()) {
				args[i], literal = storedBytes(encodeUTF16(nil, v.Raw(), c.utf16)), true
			} else {
				args[i] = string(v.Raw())
			}
		}
	}
	return args, literal, nil
}

// keyValues returns the values of a key of the table.
func keyValues(p *plan, k record.Key) ([]record.Value, error) {
	vs, err := k.Values()
	if err == nil && len(vs) != len(p.key) {
		err = fmt.Errorf("key of %d values for table %s: %w", len(vs), p.table.Name, record.ErrKey)
	}
	return vs, err
}
