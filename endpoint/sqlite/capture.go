package sqlite

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/syncline-io/syncline/endpoint"
	"zombiezen.com/go/sqlite"
)

// Objects names the tables of capture, and the triggers that it creates for t.
func (d *Database) Objects(t *endpoint.Table) []string {
	names := []string{"_syncline_marker", "_syncline_pair", "_syncline_context", "_syncline_capture", "_syncline_log"}
	ops := []string{"insert", "update", "delete"}
	if mayReplace(t) {
		ops = append(ops, "replace", "exchange")
	}
	for _, op := range ops {
		names = append(names, ours+op+"_"+t.Name)
	}
	return names
}

// mayReplace reports whether a row can be in the way of another by more than the key.
func mayReplace(t *endpoint.Table) bool {
	if len(t.DDL) == 0 {
		return true
	}
	for _, ddl := range t.DDL {
		if says(ddl, "unique") {
			return true
		}
	}
	create := t.DDL[0]
	// INTEGER PRIMARY KEY is the rowid itself; with DESC after it, it is not.
	rowid := len(t.Key) == 1 && fold(t.Columns[t.Key[0]].Type) == "integer" &&
		says(create, "primary", "key") && !says(create, "primary", "key", "desc")
	return !rowid && !says(create, "without", "rowid")
}

// Capture installs the triggers of the tables, and brings those of other pairs up to
// date. When writes may have gone past the triggers so far, the log is begun anew.
func (t *Tx) Capture(tables []*endpoint.Table) error {
	return t.do("capture changes", func() error {
		whole, err := t.captureWhole()
		if err != nil {
			return err
		}
		captured, err := t.pairCaptures()
		if err != nil {
			return err
		}
		if err := t.createObjects(); err != nil {
			return err
		}
		for _, create := range []string{createContext, createCapture, createLog} {
			if err := t.c.exec(create); err != nil {
				return err
			}
		}
		if err := t.c.exec("DELETE FROM _syncline_capture WHERE pair = ?1", t.b.Pair[:]); err != nil {
			return err
		}
		for _, table := range tables {
			p, err := t.plan(table)
			if err != nil {
				return err
			}
			if err := t.c.exec("INSERT OR IGNORE INTO _syncline_capture VALUES(?1, ?2)", t.b.Pair[:], p.table.Name); err != nil {
				return err
			}
		}
		created, err := t.installTriggers()
		if err != nil {
			return err
		}
		if !whole || created {
			captured = false
			if err := t.beginLog(); err != nil {
				return err
			}
		}
		t.trusted = true
		err = t.c.exec("UPDATE _syncline_pair SET capturing = 1 WHERE pair = ?1", t.b.Pair[:])
		if err == nil && !captured {
			err = t.c.exec("UPDATE _syncline_pair SET cursor = (SELECT max(id) FROM _syncline_log) WHERE pair = ?1", t.b.Pair[:])
		}
		if err == nil {
			err = t.writeContext()
		}
		return err
	})
}

// Release ends the pair's capture.
func (t *Tx) Release() error {
	return t.do("end the capture of changes", t.release)
}

func (t *Tx) release() error {
	capturing, err := t.c.hasObject("_syncline_log")
	if err != nil || !capturing {
		return err
	}
	for _, sql := range []string{
		"DELETE FROM _syncline_capture WHERE pair = ?1",
		"UPDATE _syncline_pair SET capturing = 0 WHERE pair = ?1",
	} {
		if err := t.c.exec(sql, t.b.Pair[:]); err != nil {
			return err
		}
	}
	if _, err := t.installTriggers(); err != nil {
		return err
	}
	others, err := t.c.number("SELECT count(*) FROM _syncline_pair WHERE capturing")
	if err != nil {
		return err
	}
	if others > 0 {
		return t.trim()
	}
	for _, sql := range []string{
		"UPDATE _syncline_marker SET log = max(log, (SELECT coalesce(max(id), 0) FROM _syncline_log))",
		"DROP TABLE _syncline_log",
		"DROP TABLE _syncline_capture",
		"DROP TABLE _syncline_context",
	} {
		if err := t.c.exec(sql); err != nil {
			return err
		}
	}
	t.marked = false
	return nil
}

// Forget removes every trace of the pair, and of Syncline when no other pair is left.
func (t *Tx) Forget() error {
	return t.do("forget the pair", func() error {
		bound, err := t.c.hasObject("_syncline_pair")
		if err != nil || !bound {
			return err
		}
		if err := t.release(); err != nil {
			return err
		}
		if err := t.c.exec("DELETE FROM _syncline_pair WHERE pair = ?1", t.b.Pair[:]); err != nil {
			return err
		}
		others, err := t.c.number("SELECT count(*) FROM _syncline_pair")
		if err != nil || others > 0 {
			return err
		}
		if err := t.c.exec("DROP TABLE _syncline_pair"); err != nil {
			return err
		}
		return t.c.exec("DROP TABLE _syncline_marker")
	})
}

// Passed records how far the pair has read, and deletes what every pair has read.
func (t *Tx) Passed(c endpoint.Cursor) error {
	return t.do("move the cursor", func() error {
		capturing, err := t.c.hasObject("_syncline_log")
		if err != nil || !capturing {
			return err
		}
		err = t.c.exec("UPDATE _syncline_pair SET cursor = max(cursor, min(?2, (SELECT max(id) FROM _syncline_log))) WHERE pair = ?1 AND capturing",
			t.b.Pair[:], int64(c))
		if err != nil {
			return err
		}
		return t.trim()
	})
}

// trim deletes the entries that every capturing pair has read, but for the last one: it
// keeps its id from being used again.
func (t *Tx) trim() error {
	return t.c.exec("DELETE FROM _syncline_log WHERE id <= (SELECT min(cursor) FROM _syncline_pair WHERE capturing) AND id < (SELECT max(id) FROM _syncline_log)")
}

// captureWhole reports whether there is a log that no write has gone past.
func (t *Tx) captureWhole() (bool, error) {
	capturing, err := t.c.hasObject("_syncline_log")
	if err != nil || !capturing {
		return false, err
	}
	return t.trusted, nil
}

// pairCaptures reports whether the pair already captures.
func (t *Tx) pairCaptures() (bool, error) {
	bound, err := t.c.hasObject("_syncline_pair")
	if err != nil || !bound {
		return false, err
	}
	n, err := t.c.number("SELECT count(*) FROM _syncline_pair WHERE pair = ?1 AND capturing", t.b.Pair[:])
	return n > 0, err
}

// beginLog empties the log in a way that every position before is seen not to be in it.
func (t *Tx) beginLog() error {
	last, err := t.c.number("SELECT max(coalesce((SELECT max(id) FROM _syncline_log), 0), log) FROM _syncline_marker")
	if err != nil {
		return err
	}
	if err := t.c.exec("DELETE FROM _syncline_log"); err != nil {
		return err
	}
	first := int64(1)
	if last > 0 {
		first = last + 2
	}
	return t.c.exec("INSERT INTO _syncline_log(id) VALUES(?1)", first)
}

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
