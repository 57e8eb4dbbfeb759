package sqlite

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"zombiezen.com/go/sqlite"
)

// installTriggers makes the triggers of all captured tables what they should be now and
// drops those that no pair needs. It reports whether any was created.
func (t *Tx) installTriggers() (created bool, err error) {
	s, err := t.schema()
	if err != nil {
		return false, err
	}
	var wanted []*plan
	triggers := map[string]string{}
	err = t.c.query("SELECT DISTINCT tbl FROM _syncline_capture", func(st *sqlite.Stmt) error {
		if p := s.plans[fold(st.ColumnText(0))]; p != nil && p.table.Refused == "" {
			wanted = append(wanted, p)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	keys := 1
	for _, p := range wanted {
		c, err := t.c.captured(p)
		if err != nil {
			return false, err
		}
		maps.Copy(triggers, c.triggers())
		keys = max(keys, len(p.key))
	}
	if err := t.c.widen("_syncline_log", keys); err != nil {
		return false, err
	}
	var drop []string
	err = t.c.query("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'", func(st *sqlite.Stmt) error {
		name := st.ColumnText(0)
		switch {
		case !isOurs(name):
		case triggers[name] == st.ColumnText(1):
			delete(triggers, name)
		default:
			drop = append(drop, name)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	for _, name := range drop {
		if err := t.c.exec("DROP TRIGGER " + quote(name)); err != nil {
			return false, err
		}
	}
	if len(triggers) == 0 {
		return false, nil
	}
	writes := t.c.writesThatCompile(wanted)
	for _, name := range slices.Sorted(maps.Keys(triggers)) {
		if err := t.c.exec(triggers[name]); err != nil {
			return false, err
		}
	}
	// A trigger that does not work must fail here, and not in the user's next write.
	for _, sql := range writes {
		if err := t.c.compile(sql); err != nil {
			return false, fmt.Errorf("a trigger of capture does not compile in %s: %w", sql, err)
		}
	}
	return true, nil
}

// writesThatCompile lists a write of each kind to each table, but for those that do not
// compile on this connection: they may need functions of the user's program.
func (c *conn) writesThatCompile(ps []*plan) []string {
	var writes []string
	for _, p := range ps {
		for _, sql := range []string{
			"INSERT INTO " + p.name + " DEFAULT VALUES",
			fmt.Sprintf("UPDATE %s SET %s", p.name, strings.Join(assignSelf(p), ", ")),
			// Without a condition, SQLite would empty the table without looking at its indexes.
			"DELETE FROM " + p.name + " WHERE " + p.key[0].column + " IS NOT NULL",
		} {
			if c.compile(sql) == nil {
				writes = append(writes, sql)
			}
		}
	}
	return writes
}

// compile prepares a statement, triggers included, and does not run it.
func (c *conn) compile(sql string) error {
	st, _, err := c.PrepareTransient(sql)
	if err != nil {
		return err
	}
	return st.Finalize()
}

func assignSelf(p *plan) []string {
	var set []string
	for _, col := range p.columns {
		set = append(set, col+" = "+col)
	}
	return set
}

// widen makes sure that a table of keys can hold those of n columns.
func (c *conn) widen(table string, n int) error {
	have, err := c.keyWidth(table)
	for i := have; err == nil && i < n; i++ {
		err = c.exec(fmt.Sprintf("ALTER TABLE %s ADD COLUMN k%d", table, i+1))
	}
	return err
}

// keyWidth returns how many columns of keys a table of keys has.
func (c *conn) keyWidth(table string) (int, error) {
	n, err := c.number("SELECT count(*) FROM pragma_table_info(?1) WHERE name GLOB 'k[1-9]*'", table)
	return int(n), err
}

// captured finds out what the triggers of a table have to know about it.
func (c *conn) captured(p *plan) (*captured, error) {
	x := &captured{table: p.table.Name, key: p.key}
	if !p.withoutRowid && !p.rowid {
		x.rowid = p.rowidName
	}
	err := c.query("SELECT name, hidden > 0, CASE WHEN \"notnull\" THEN dflt_value END FROM pragma_table_xinfo(?1) ORDER BY cid", func(st *sqlite.Stmt) error {
		col := column{name: st.ColumnText(0), generated: st.ColumnInt64(1) != 0}
		// A default in double quotes is a string to some connections and a name to others.
		if dflt := st.ColumnText(2); dflt != "" && !strings.Contains(dflt, `"`) {
			col.fallback = "(" + withoutComments(dflt) + ")"
		}
		x.columns = append(x.columns, col)
		return nil
	}, p.table.Name)
	if err != nil {
		return nil, err
	}
	for _, ix := range p.indexes {
		if !ix.unique || ix.primary || quote(ix.name) == p.index {
			continue
		}
		u := unique{}
		text, err := c.text("SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?1", ix.name)
		if err != nil {
			return nil, err
		}
		terms, where := indexText(text)
		if ix.partial {
			u.where = where
		}
		for i, col := range ix.columns {
			term := term{column: col.name, collation: col.collation}
			if col.name == "" {
				if i >= len(terms) {
					return nil, fmt.Errorf("index %s cannot be understood: %s", ix.name, text)
				}
				term.expr = terms[i]
			}
			u.terms = append(u.terms, term)
		}
		x.uniques = append(x.uniques, u)
	}
	return x, nil
}
