package sqlite

import (
	"strings"

	"github.com/syncline-io/syncline/endpoint"
	"zombiezen.com/go/sqlite"
)

// progress reads the marker, whether its log can be trusted, and what the pair's row says.
func (t *Tx) progress() (endpoint.Progress, error) {
	var at endpoint.Progress
	bound, err := t.c.hasObject("_syncline_pair")
	if err != nil {
		return at, err
	}
	known := false
	marked, err := t.c.hasObject("_syncline_marker")
	switch {
	case err != nil:
		return at, err
	case !marked && bound:
		return at, errNoMarker
	case !marked:
		return at, nil
	}
	if err := t.c.checkMarker(); err != nil {
		return at, err
	}
	err = t.c.query("SELECT id, schema FROM _syncline_marker", func(st *sqlite.Stmt) error {
		known = st.ColumnBytes(0, t.marker[:]) == len(t.marker)
		t.trusted = st.ColumnInt64(1) == t.version
		return nil
	})
	if err != nil {
		return at, err
	}
	if !known {
		return at, errNoMarker
	}
	err = t.c.query("SELECT apply, nonce FROM _syncline_pair WHERE pair = ?1", func(st *sqlite.Stmt) error {
		at = endpoint.Progress{Apply: uint64(st.ColumnInt64(0)), Nonce: uint64(st.ColumnInt64(1))}
		return nil
	}, t.b.Pair[:])
	return at, err
}

// checkMarker fails unless the tables inside the database are those of this version.
func (c *conn) checkMarker() error {
	for _, create := range []string{createMarker, createPair, createContext, createCapture} {
		create = strings.Replace(create, "IF NOT EXISTS ", "", 1)
		name, _, _ := strings.Cut(strings.TrimPrefix(create, "CREATE TABLE "), "(")
		sql, err := c.text("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1", name)
		if err != nil {
			return err
		}
		if sql != "" && sql != create {
			return c.d.failure("begin to write", endpoint.Incompatible, "use the version of Syncline that wrote to it last", errNewer)
		}
	}
	return nil
}

// createObjects makes sure of the marker and of a row for the pair.
func (t *Tx) createObjects() error {
	for _, create := range []string{createMarker, createPair} {
		if err := t.c.exec(create); err != nil {
			return err
		}
	}
	err := t.c.exec("INSERT INTO _syncline_marker SELECT ?1, 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM _syncline_marker)", t.marker[:])
	if err != nil {
		return err
	}
	return t.c.exec("INSERT OR IGNORE INTO _syncline_pair VALUES(?1, 0, 0, 0, 0)", t.b.Pair[:])
}

// move takes the pair's row from one progress to the next.
func (t *Tx) move() error {
	if err := t.createObjects(); err != nil {
		return err
	}
	err := t.c.exec("UPDATE _syncline_pair SET apply = ?2, nonce = ?3 WHERE pair = ?1", t.b.Pair[:], t.b.To.Apply, t.b.To.Nonce)
	if err != nil {
		return err
	}
	return t.c.exec("UPDATE _syncline_marker SET counter = counter + 1")
}

// writeContext says on whose behalf the transaction writes, if anybody logs it.
func (t *Tx) writeContext() error {
	if t.marked {
		return nil
	}
	capturing, err := t.c.hasObject("_syncline_context")
	if err != nil || !capturing {
		return err
	}
	t.marked = true
	return t.c.exec("INSERT INTO _syncline_context VALUES(?1, ?2)", t.b.Pair[:], t.b.To.Apply)
}

// carryVersion keeps the log trusted over changes of the schema that are our own.
func (t *Tx) carryVersion() error {
	capturing, err := t.c.hasObject("_syncline_log")
	if err != nil || !capturing {
		return err
	}
	if !t.trusted {
		// No schema version is negative: what began to be untrusted stays so.
		return t.c.exec("UPDATE _syncline_marker SET schema = -1")
	}
	version, err := t.c.number("PRAGMA schema_version")
	if err != nil {
		return err
	}
	return t.c.exec("UPDATE _syncline_marker SET schema = ?1 WHERE schema <> ?1", version)
}

// hasObject reports whether a table of ours is there.
func (c *conn) hasObject(name string) (bool, error) {
	found := false
	err := c.run("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", func(*sqlite.Stmt) error {
		found = true
		return nil
	}, name)
	return found, err
}

// number returns the single number that a statement yields, 0 for none or null.
func (c *conn) number(sql string, args ...any) (n int64, err error) {
	err = c.query(sql, func(st *sqlite.Stmt) error {
		n = st.ColumnInt64(0)
		return nil
	}, args...)
	return n, err
}

// text returns the single text that a statement yields.
func (c *conn) text(sql string, args ...any) (s string, err error) {
	err = c.query(sql, func(st *sqlite.Stmt) error {
		s = st.ColumnText(0)
		return nil
	}, args...)
	return s, err
}
