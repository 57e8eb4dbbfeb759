package sqlite

import (
	"context"
	"fmt"
	"math"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

// Snapshot is one read-only view. See [endpoint.Snapshot].
type Snapshot struct {
	c *conn
	s *schema
	// wal says that a reader keeps no writer waiting.
	wal bool
	// sliced views of a rollback journal hold their lock only while they read: held is
	// true then, and version tells whether the data is still that of the view.
	sliced, held bool
	version      int64
	trusted      bool // of the capture log
	before       fingerprint
	fingerprint  []byte
	gets         map[*plan]*getter
	scans        map[*rows]bool // those not closed: a statement would keep the connection open
	// lost is set once the view is gone.
	lost error
}

// Snapshot pins a view. See [endpoint.Endpoint].
func (d *Database) Snapshot(ctx context.Context, sliced bool) (endpoint.Snapshot, error) {
	s, err := d.snapshot(ctx, sliced, false)
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (d *Database) snapshot(ctx context.Context, sliced, quiet bool) (*Snapshot, error) {
	// What is there before the view begins says, if it is still there afterwards, what
	// the view is of.
	before, _, lookErr := d.look()
	c, err := d.openRead(ctx, quiet)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{c: c, before: before, held: true, gets: map[*plan]*getter{}, scans: map[*rows]bool{}}
	err = lookErr
	if err == nil {
		err = s.load(sliced)
	}
	if err != nil {
		c.close()
		return nil, c.fail("read the schema", err)
	}
	return s, nil
}

func (s *Snapshot) load(sliced bool) (err error) {
	if s.s, err = s.c.readSchema(); err != nil {
		return err
	}
	if s.trusted, err = s.c.logTrusted(); err != nil {
		return err
	}
	if s.wal, err = s.c.wal(); err != nil {
		return err
	}
	if s.version, err = s.c.dataVersion(); err != nil {
		return err
	}
	s.sliced = sliced && !s.wal
	return s.release()
}

// Schema is that of the view.
func (s *Snapshot) Schema() *endpoint.Schema { return s.s.Schema }

// Fingerprint is that of exactly this view, or nil. It may wait for a clock to tick.
func (s *Snapshot) Fingerprint() []byte {
	if s.fingerprint != nil {
		return s.fingerprint
	}
	err := s.read("look at", func() (err error) {
		if s.wal {
			s.fingerprint, err = s.c.viewFingerprint(s.before)
		} else {
			s.fingerprint, err = s.c.fingerprint()
		}
		return err
	})
	if err != nil {
		return nil
	}
	return s.fingerprint
}

// read runs one read of the view.
func (s *Snapshot) read(op string, f func() error) error {
	if s.lost != nil {
		return s.lost
	}
	if err := s.take(); err != nil {
		return err
	}
	err := f()
	if changed := s.c.unchanged(); changed != nil {
		// Whatever f found, it may have read from two states of the file.
		s.lost = changed
		return changed
	}
	if err != nil {
		// A lock of ours that stays after a failure would stand in a writer's way.
		_ = s.release()
		return s.c.fail(op, err)
	}
	return s.c.fail(op, s.release())
}

// take begins the read transaction again, if it was given up.
func (s *Snapshot) take() error {
	if s.held {
		return nil
	}
	if err := s.c.beginView(); err != nil {
		return s.c.fail("read", err)
	}
	s.held = true
	version, err := s.c.dataVersion()
	if err == nil && version != s.version {
		err = fmt.Errorf("%s: %w", s.c.d.name, endpoint.ErrChanged)
	}
	if err != nil {
		s.lost = s.c.fail("read", err)
		_ = s.release()
		return s.lost
	}
	return nil
}

// release gives up the lock of a sliced view until the next read.
func (s *Snapshot) release() error {
	if !s.sliced || !s.held {
		return nil
	}
	s.held = false
	return s.c.run("ROLLBACK", nil)
}

// Get returns one row.
func (s *Snapshot) Get(t *endpoint.Table, k record.Key, chunks endpoint.ChunkSink) (im record.Image, found bool, err error) {
	err = s.read("read "+t.Name, func() error {
		p, err := s.s.plan(t)
		if err != nil {
			return err
		}
		g := s.gets[p]
		if g == nil {
			g = newGetter(s.c, p)
			s.gets[p] = g
		}
		im, found, err = g.get(k, chunks)
		return err
	})
	return im, found, err
}

// Count returns the number of rows.
func (s *Snapshot) Count(t *endpoint.Table) (n int64, err error) {
	err = s.read("count "+t.Name, func() error {
		p, err := s.s.plan(t)
		if err != nil {
			return err
		}
		n, err = s.count(p)
		return err
	})
	return n, err
}

// countSlice is how many rows are counted without giving a writer its turn.
const countSlice = 50_000

func (s *Snapshot) count(p *plan) (n int64, err error) {
	if !s.sliced {
		return s.c.number("SELECT count(*) FROM " + p.name)
	}
	if p.rowidName == "" {
		err := newWalk(s, p).run(func(*sqlite.Stmt) error { n++; return nil }, func() {})
		return n, err
	}
	sql := fmt.Sprintf("SELECT count(*), max(r) FROM (SELECT %[1]s AS r FROM %[2]s WHERE %[1]s > ?1 ORDER BY %[1]s LIMIT %[3]d)", p.rowidName, p.name, countSlice)
	// No rowid is less than the least integer, and that one is counted by itself.
	least := int64(math.MinInt64)
	if n, err = s.c.number("SELECT count(*) FROM "+p.name+" WHERE "+p.rowidName+" = ?1", least); err != nil {
		return 0, err
	}
	for last := least; ; {
		found := int64(0)
		err := s.c.run(sql, func(st *sqlite.Stmt) error {
			found, last = st.ColumnInt64(0), st.ColumnInt64(1)
			return nil
		}, last)
		n += found
		if err != nil || found < countSlice {
			return n, err
		}
		// A writer may have its turn.
		if err := s.release(); err != nil {
			return 0, err
		}
		if err := s.take(); err != nil {
			return 0, err
		}
	}
}

// Cursor is the end of the capture log.
func (s *Snapshot) Cursor() (c endpoint.Cursor, err error) {
	err = s.read("read the capture log", func() error {
		c, err = s.c.logEnd()
		return err
	})
	return c, err
}

// Changes calls f for each entry of the capture log after from. f must not call the Snapshot.
func (s *Snapshot) Changes(from endpoint.Cursor, f func(table string, k record.Key, m endpoint.Mark) error) error {
	return s.read("read the capture log", func() error {
		return s.c.changes(s.s, s.trusted, from, f)
	})
}

// Violates names the foreign key that the row breaks.
func (s *Snapshot) Violates(t *endpoint.Table, im record.Image) (broken string, err error) {
	err = s.read("check references", func() error {
		broken, err = s.c.violates(s.s, t, nil, im)
		return err
	})
	return broken, err
}

// Close ends the view.
func (s *Snapshot) Close() error {
	if s.c == nil {
		return nil
	}
	for r := range s.scans {
		_ = r.Close() // which reports nothing that its Err has not
	}
	c := s.c
	s.c = nil
	if s.lost == nil {
		s.lost = errClosed
	}
	c.SetInterrupt(nil)
	return c.d.fail("close", c.close())
}
