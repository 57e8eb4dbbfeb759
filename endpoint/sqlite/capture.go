package sqlite

import "github.com/syncline-io/syncline/endpoint"

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
