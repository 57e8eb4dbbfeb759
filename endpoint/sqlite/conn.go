package sqlite

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
)

// conn is one connection. It is used by one goroutine at a time.
type conn struct {
	*sqlite.Conn
	d   *Database
	ctx context.Context // of the Snapshot or Tx that owns the connection
	// utf16 is the byte order of text in a UTF-16 database, nil in others. It is known
	// after begun.
	utf16 byteOrder
	// frozen is set on a connection that reads without locks: the state of the file that
	// everything read depends on.
	frozen *stat
	// version is the data_version that [conn.fingerprint] saw.
	version int64
}

func (c *conn) close() error { return c.Conn.Close() }

// setup runs pragmas that touch no file.
func (c *conn) setup(pragmas ...string) error {
	for _, p := range pragmas {
		if err := c.busy(func() error { return c.exec(p) }); err != nil {
			return c.fail("open", err)
		}
	}
	return nil
}

// exec runs one statement to its end. Arguments are bound as by [bind].
func (c *conn) exec(sql string, args ...any) error {
	return c.query(sql, nil, args...)
}

// query runs one statement once and calls row for each row of its result.
func (c *conn) query(sql string, row func(*sqlite.Stmt) error, args ...any) error {
	st, rest, err := c.PrepareTransient(sql)
	if err != nil {
		return err
	}
	defer st.Finalize()
	if rest != 0 {
		return fmt.Errorf("more than one statement in %q", sql)
	}
	return each(st, row, args...)
}

// run is query with a statement that is kept for the next time.
func (c *conn) run(sql string, row func(*sqlite.Stmt) error, args ...any) error {
	st, err := c.Prepare(sql)
	if err != nil {
		return err
	}
	defer st.Reset()
	return each(st, row, args...)
}

func each(st *sqlite.Stmt, row func(*sqlite.Stmt) error, args ...any) error {
	for i, a := range args {
		bind(st, i+1, a)
	}
	for {
		more, err := st.Step()
		if err != nil || !more {
			return err
		}
		if row == nil {
			continue
		}
		if err := row(st); err != nil {
			return err
		}
	}
}

// bind binds the Go types that our own statements use.
func bind(st *sqlite.Stmt, i int, a any) {
	switch a := a.(type) {
	case nil:
		st.BindNull(i)
	case int:
		st.BindInt64(i, int64(a))
	case int64:
		st.BindInt64(i, a)
	case uint64:
		st.BindInt64(i, int64(a))
	case float64:
		st.BindFloat(i, a)
	case string:
		st.BindText(i, a)
	case []byte:
		bindBlob(st, i, a)
	case storedBytes: // is in the statement: see parameter
	default:
		panic(fmt.Sprintf("sqlite: bind %T", a))
	}
}

// bindBlob binds a blob; an empty one is a blob too, not NULL.
func bindBlob(st *sqlite.Stmt, i int, b []byte) {
	if len(b) == 0 {
		st.BindZeroBlob(i, 0)
		return
	}
	st.BindBytes(i, b)
}

// waits are the pauses between two attempts to get a lock.
var waits = [...]time.Duration{
	time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond,
	15 * time.Millisecond, 20 * time.Millisecond, 25 * time.Millisecond,
}

// fail gives an error its family; the end of the context is the reason of whatever fails
// after it.
func (c *conn) fail(op string, err error) error {
	if err != nil && c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	return c.d.fail(op, err)
}

// dataVersion changes when another connection commits.
func (c *conn) dataVersion() (v int64, err error) {
	err = c.run("PRAGMA data_version", func(st *sqlite.Stmt) error {
		v = st.ColumnInt64(0)
		return nil
	})
	return v, err
}

// wal reports whether the connection uses a write-ahead log.
func (c *conn) wal() (wal bool, err error) {
	err = c.run("PRAGMA journal_mode", func(st *sqlite.Stmt) error {
		wal = c.frozen != nil || fold(st.ColumnText(0)) == "wal"
		return nil
	})
	return wal, err
}

// busy calls f until it does not fail for a lock that somebody else holds, or the timeout
// of the database is over.
func (c *conn) busy(f func() error) error {
	var deadline time.Time
	for i := 0; ; i++ {
		err := f()
		if err == nil || !isBusy(err) {
			return err
		}
		now := time.Now()
		if i == 0 {
			deadline = now.Add(c.d.o.Timeout)
		} else if now.After(deadline) {
			return err
		}
		t := time.NewTimer(min(waits[min(i, len(waits)-1)], max(deadline.Sub(now), time.Millisecond)))
		select {
		case <-t.C:
		case <-c.ctx.Done():
			t.Stop()
			return c.ctx.Err()
		}
	}
}

// begun takes the read view of the transaction that has begun and learns the encoding.
func (c *conn) begun() error {
	return c.busy(func() error {
		return c.query("PRAGMA encoding", func(st *sqlite.Stmt) error {
			c.utf16 = orderOf(st.ColumnText(0))
			return nil
		})
	})
}

// byteOrder is that of the text in a UTF-16 database.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// orderOf is the byte order of an encoding as SQLite names it, nil for UTF-8.
func orderOf(encoding string) byteOrder {
	switch encoding {
	case "UTF-16le":
		return binary.LittleEndian
	case "UTF-16be":
		return binary.BigEndian
	}
	return nil
}
