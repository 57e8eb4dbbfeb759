package sqlite

import (
	"fmt"
	"strings"

	"github.com/syncline-io/syncline/record"
)

// The objects inside a database; docs/format/sqlite.md says what they mean.
const (
	createMarker  = `CREATE TABLE IF NOT EXISTS _syncline_marker(id BLOB NOT NULL, counter INTEGER NOT NULL, log INTEGER NOT NULL, schema INTEGER NOT NULL)`
	createPair    = `CREATE TABLE IF NOT EXISTS _syncline_pair(pair BLOB NOT NULL PRIMARY KEY, apply INTEGER NOT NULL, nonce INTEGER NOT NULL, cursor INTEGER NOT NULL, capturing INTEGER NOT NULL) WITHOUT ROWID`
	createContext = `CREATE TABLE IF NOT EXISTS _syncline_context(pair BLOB NOT NULL, apply INTEGER NOT NULL)`
	createCapture = `CREATE TABLE IF NOT EXISTS _syncline_capture(pair BLOB NOT NULL, tbl TEXT NOT NULL, PRIMARY KEY(pair, tbl)) WITHOUT ROWID`
	createLog     = `CREATE TABLE IF NOT EXISTS _syncline_log(id INTEGER PRIMARY KEY, tbl TEXT, pair BLOB, apply INTEGER, k1)`
)

// captured is what the triggers of one table have to know about it.
type captured struct {
	table   string
	key     []keyPart
	columns []column // all of them, generated ones included
	uniques []unique // unique indexes beside the key
	rowid   string   // a name of the rowid, when rows can collide by it and it is not the key; else ""
	// temp makes the triggers temporary ones that log into the table of effects.
	temp bool
}

// column is a column as a trigger sees it.
type column struct {
	name      string
	generated bool
	// fallback is the default that REPLACE puts where a NOT NULL column is given NULL, or "".
	fallback string
}

// unique is a unique index: by it, REPLACE may delete rows of other keys.
type unique struct {
	terms []term
	where string // condition of a partial index, as written; else ""
}

// term is one column, or one expression as written, of an index.
type term struct {
	column    string
	expr      string
	collation string
}

// triggers returns the triggers of the table: the statements that create them, by name.
func (c *captured) triggers() map[string]string {
	all := map[string]string{}
	create := func(op, when string, body ...string) {
		name := ours + op + "_" + c.table
		kind, on := "TRIGGER", quote(c.table)
		if c.temp {
			kind, on = "TEMP TRIGGER", "main."+on
		}
		all[name] = fmt.Sprintf("CREATE %s %s %s ON %s BEGIN\n%s;\nEND",
			kind, quote(name), when, on, strings.Join(body, ";\n"))
	}
	create("insert", "AFTER INSERT", c.log("NEW", ""))
	create("update", "AFTER UPDATE", c.log("OLD", " WHERE "+c.differs("OLD", "NEW")), c.log("NEW", ""))
	create("delete", "AFTER DELETE", c.log("OLD", ""))
	if len(c.uniques) == 0 && c.rowid == "" {
		return all
	}
	var replace, exchange []string
	for _, u := range c.uniques {
		same, changed := c.collides(u)
		replace = append(replace, c.logOthers(same))
		exchange = append(exchange, c.logOthers(same+changed+" AND ("+c.differs(c.alias(), "OLD")+")"))
	}
	if c.rowid != "" {
		same := fmt.Sprintf("%s.%s = NEW.%s", c.alias(), c.rowid, c.rowid)
		replace = append(replace, c.logOthers(same))
		exchange = append(exchange, c.logOthers(fmt.Sprintf("%s AND NEW.%s IS NOT OLD.%s", same, c.rowid, c.rowid)))
	}
	create("replace", "BEFORE INSERT", replace...)
	create("exchange", "BEFORE UPDATE"+c.updateOf(), exchange...)
	return all
}

// log returns the statement that logs the key of the row that is called row.
func (c *captured) log(row, where string) string {
	return c.into() + " SELECT " + c.entry(row) + where
}

// logOthers returns the statement that logs the rows of the table that meet a condition.
func (c *captured) logOthers(where string) string {
	from := quote(c.table)
	if c.alias() != from {
		from += " AS " + c.alias()
	}
	return c.into() + " SELECT " + c.entry(c.alias()) + " FROM " + from + " WHERE " + where
}

func (c *captured) into() string {
	var b strings.Builder
	if c.temp {
		b.WriteString("INSERT INTO " + effectsTable + "(tbl")
	} else {
		b.WriteString("INSERT INTO _syncline_log(tbl, pair, apply")
	}
	for i := range c.key {
		fmt.Fprintf(&b, ", k%d", i+1)
	}
	b.WriteByte(')')
	return b.String()
}

func (c *captured) entry(row string) string {
	var b strings.Builder
	b.WriteString(literal(c.table))
	if !c.temp {
		b.WriteString(", (SELECT pair FROM _syncline_context), (SELECT apply FROM _syncline_context)")
	}
	for _, k := range c.key {
		fmt.Fprintf(&b, ", %s.%s", row, k.column)
	}
	return b.String()
}

// alias is what the table is called where rows of it are looked up: its own name, since
// the conditions of indexes may use it, unless that would hide NEW and OLD.
func (c *captured) alias() string {
	if strings.EqualFold(c.table, "new") || strings.EqualFold(c.table, "old") {
		return "_syncline_other"
	}
	return quote(c.table)
}

// differs compares two keys as the database does.
func (c *captured) differs(a, b string) string {
	var terms []string
	for _, k := range c.key {
		terms = append(terms, fmt.Sprintf("%s.%s IS NOT %s.%s COLLATE %s", a, k.column, b, k.column, collationName(k.collation)))
	}
	return strings.Join(terms, " OR ")
}

// collides returns the condition for a row of the table to be in the way of NEW in a
// unique index, and what must hold besides for an update to have caused it.
func (c *captured) collides(u unique) (same, changed string) {
	var equal, moved []string
	for _, t := range u.terms {
		collate := ""
		if t.collation != "" {
			collate = " COLLATE " + quote(t.collation)
		}
		if t.expr != "" {
			equal = append(equal, fmt.Sprintf("(%s) = (SELECT %s FROM (SELECT %s) AS %s)%s",
				t.expr, t.expr, c.aliased("NEW"), c.alias(), collate))
			continue
		}
		equal = append(equal, fmt.Sprintf("%s.%s = %s%s", c.alias(), quote(t.column), c.stored(t.column), collate))
		moved = append(moved, fmt.Sprintf("%s IS NOT OLD.%s%s", c.stored(t.column), quote(t.column), collate))
	}
	same = strings.Join(equal, " AND ")
	if u.where != "" {
		return same + " AND (" + u.where + ")", c.loaded()
	}
	if len(moved) < len(u.terms) {
		return same, c.loaded()
	}
	return same, " AND (" + strings.Join(moved, " OR ") + ")" + c.loaded()
}

// loaded is a condition that always holds, for tables with generated columns. Before an
// update, SQLite fills in only those columns of NEW that its triggers name, and computes
// the generated ones from what is filled in: naming all makes them right.
func (c *captured) loaded() string {
	all, generated := "", false
	for _, col := range c.columns {
		if col.generated {
			generated = true
			continue
		}
		all += fmt.Sprintf(" AND NEW.%[1]s IS NEW.%[1]s", quote(col.name))
	}
	if !generated {
		return ""
	}
	return all
}

// stored is the value that NEW will have in a column once it is stored by REPLACE.
func (c *captured) stored(name string) string {
	for _, col := range c.columns {
		if col.name == name && col.fallback != "" {
			return fmt.Sprintf("coalesce(NEW.%s, %s)", quote(name), col.fallback)
		}
	}
	return "NEW." + quote(name)
}

// aliased lists all columns of a row under their own names, so that an expression of an
// index can be evaluated over it as it is written.
func (c *captured) aliased(row string) string {
	var cols []string
	for _, col := range c.columns {
		cols = append(cols, fmt.Sprintf("%s.%s AS %s", row, quote(col.name), quote(col.name)))
	}
	return strings.Join(cols, ", ")
}

// updateOf restricts the exchange trigger to the columns that matter to it, where they
// can be named, so that other updates do not pay for it.
func (c *captured) updateOf() string {
	if c.rowid != "" {
		return ""
	}
	var cols []string
	seen := map[string]bool{}
	for _, u := range c.uniques {
		if u.where != "" {
			return ""
		}
		for _, t := range u.terms {
			if t.expr != "" || c.generated(t.column) {
				return ""
			}
			if !seen[t.column] {
				seen[t.column] = true
				cols = append(cols, quote(t.column))
			}
		}
	}
	return " OF " + strings.Join(cols, ", ")
}

func (c *captured) generated(name string) bool {
	for _, col := range c.columns {
		if col.name == name {
			return col.generated
		}
	}
	return false
}

// literal quotes text as an SQL string.
func literal(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

func collationName(c record.Collation) string {
	switch c {
	case record.NoCase:
		return "NOCASE"
	case record.RTrim:
		return "RTRIM"
	}
	return "BINARY"
}
