package sqlite

import (
	"fmt"
	"strings"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

// logEnd is the highest id of the capture log, 0 without one.
func (c *conn) logEnd() (endpoint.Cursor, error) {
	capturing, err := c.hasObject("_syncline_log")
	if err != nil || !capturing {
		return 0, err
	}
	end, err := c.number("SELECT max(id) FROM _syncline_log")
	return endpoint.Cursor(end), err
}

// logTrusted reports whether the schema is the one that the log was last whole under.
func (c *conn) logTrusted() (bool, error) {
	capturing, err := c.hasObject("_syncline_log")
	if err != nil || !capturing {
		return false, err
	}
	version, err := c.number("PRAGMA schema_version")
	if err != nil {
		return false, err
	}
	known, err := c.number("SELECT schema FROM _syncline_marker")
	return known == version, err
}

// changes calls f for each entry after from that is there when it is called.
func (c *conn) changes(s *schema, trusted bool, from endpoint.Cursor, f func(table string, k record.Key, m endpoint.Mark) error) error {
	capturing, err := c.hasObject("_syncline_log")
	if err != nil {
		return err
	}
	if !capturing || !trusted || from <= 0 {
		return fmt.Errorf("%s: %w", c.d.name, endpoint.ErrCapture)
	}
	var first, last int64
	err = c.query("SELECT min(id), max(id) FROM _syncline_log", func(st *sqlite.Stmt) error {
		first, last = st.ColumnInt64(0), st.ColumnInt64(1)
		return nil
	})
	if err != nil {
		return err
	}
	if int64(from) < first-1 || int64(from) > last {
		return fmt.Errorf("%s: %w", c.d.name, endpoint.ErrCapture)
	}
	n, err := c.keyWidth("_syncline_log")
	if err != nil {
		return err
	}
	readers := map[string]*reader{}
	sql := "SELECT tbl, pair, apply, " + c.keyColumns(n, nil) + " FROM _syncline_log WHERE id > ?1 AND id <= ?2 AND tbl IS NOT NULL ORDER BY id"
	return c.query(sql, func(st *sqlite.Stmt) error {
		name := st.ColumnText(0)
		r, ok := readers[name]
		if !ok {
			if p := s.plans[fold(name)]; p != nil && p.table.Refused == "" && len(p.key) <= n {
				r = newReader(c, p, nil)
			}
			readers[name] = r
		}
		if r == nil {
			return fmt.Errorf("table %s of the capture log: %w", name, endpoint.ErrCapture)
		}
		k, err := r.readKey(st, 3)
		if err != nil {
			return err
		}
		m := endpoint.Mark{Apply: uint64(st.ColumnInt64(2))}
		st.ColumnBytes(1, m.Pair[:])
		return f(r.p.table.Name, k, m)
	}, int64(from), last)
}

// keyColumns lists k1 to kn in the form that [reader.readKey] expects.
func (c *conn) keyColumns(n int, order []keyPart) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "k%d", i+1)
		if order != nil {
			fmt.Fprintf(&b, " COLLATE %s", collationName(order[i].collation))
		} else if c.utf16 != nil {
			fmt.Fprintf(&b, ", CASE WHEN typeof(k%[1]d) = 'text' THEN CAST(k%[1]d AS BLOB) END", i+1)
		}
	}
	return b.String()
}
