package flow

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// A first copy is cut into batches. They are no larger than this, and made smaller when
// one holds the target's lock longer than copyHold.
const (
	copyRows  = 20_000
	copyBytes = 8 << 20
	copyHold  = 200 * time.Millisecond
)

// Where others may write too, a copy begins with small batches and leaves a gap between
// two of them: SQLite's busy handler asks every 25 ms during the first 100 ms, so a writer
// gets its turn in the first gap that comes.
const (
	politeRows = 2_000
	politeHold = 90 * time.Millisecond
	politeGap  = 30 * time.Millisecond
)

// copyTable copies a table to a site that has none of its rows. A batch is a commit,
// durable together with the words that it is on its way, and then a transaction of the
// target; so a copy that is interrupted goes on after its last batch. The next batch is
// made while the target writes this one. It reports whether either site may have been
// written to behind it: then another survey has to look.
func (r *run) copyTable(ctx context.Context, s *Survey, n, to int) (moved bool, err error) {
	t := r.table(r.tables[n], &r.mode)
	c := &copying{
		run: r, t: t, from: 1 - to, to: to,
		last: r.sites[to].now, total: s.Tables[n].Rows[1-to], full: make(chan *copyBatch),
		polite: !r.sites[to].created,
	}
	c.limit.Store(copyRows)
	if c.polite {
		c.limit.Store(politeRows)
	}
	c.w = r.writer()
	defer c.w.close()
	c.upTo = t.known[to].Up
	c.moved = c.upTo != nil // who knows what became of the rows before it since then
	t.known[to] = extent{}  // so that every row is looked at

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(c.full)
		c.ctx = ctx
		return c.read(s.traced[c.from])
	})
	g.Go(func() error {
		for b := range c.full {
			if err := c.write(ctx, b); err != nil {
				return err
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return false, err
	}
	r.out.Changed = true
	r.at[t.Name].FirstCopy = to
	return c.moved, c.end()
}

// read makes batches of all rows of the source. Where a reader keeps writers out the view
// is given up all the time, and lost when somebody writes: the next one goes on where it
// was, and what changed before that is found by the survey that follows.
func (c *copying) read(traced []byte) error {
	v := c.view()
	defer v.Close()
	for {
		snap, err := c.sites[c.from].Endpoint.Snapshot(c.ctx, true)
		if err != nil {
			return err
		}
		c.moved = c.moved || len(traced) == 0 || string(snap.Fingerprint()) != string(traced)
		var snaps [2]endpoint.Snapshot
		snaps[c.from] = snap
		err = c.walk(c.ctx, v, c.t, snaps, c.upTo, c.store.PutChunk, c.row)
		if err == nil {
			err = c.send()
		}
		if closed := snap.Close(); !errors.Is(err, endpoint.ErrChanged) {
			return errors.Join(err, closed)
		}
		c.moved = true
	}
}

// copying is a first copy at work.
type copying struct {
	*run
	ctx      context.Context // of the goroutine that makes batches
	t        *table
	from, to int
	total    int64

	// The one that makes batches has these.
	w     *writer
	batch *copyBatch
	upTo  record.Key // the last key in the batch
	last  endpoint.Progress

	moved  bool // rows behind the copy may be others by now
	full   chan *copyBatch
	memory sync.Mutex // guards Known, Copying and Progress of the two sites

	// The one that writes them has these.
	done, bytes int64
	polite      bool // others write to the target, or may

	limit atomic.Int64 // rows per batch
}

// copyBatch is some rows on their way.
type copyBatch struct {
	from, to endpoint.Progress
	keys     []int // ends of keys in bytes
	rows     []int // and of their rows
	bytes    []byte
	read     int
	size     int64 // of the rows, large values included
}

// row takes one row into the batch.
func (c *copying) row(k record.Key, l *loaded, seen [2]sight) error {
	seen[c.to] = sight{looked: true}
	done, err := l.round(&c.mode, seen, [2]edit{c.w.commits[0], c.w.commits[1]})
	if err != nil {
		return err
	}
	if ch := done.changes[c.from]; ch != nil {
		if err := c.w.commits[c.from].add(k, ch); err != nil {
			return err
		}
	}
	if c.batch == nil {
		c.batch = new(copyBatch)
	}
	b := c.batch
	b.read++
	if done.verdict[c.to] == write && done.want[c.to] != nil {
		// That the target does not have it yet is said by how far the copy has come.
		b.bytes = append(b.bytes, k...)
		b.keys = append(b.keys, len(b.bytes))
		b.bytes = append(b.bytes, done.want[c.to]...)
		b.rows = append(b.rows, len(b.bytes))
		b.size += sizeOf(done.want[c.to])
		l.shadow[c.to] = shadow{standing: current}
	}
	if _, err := c.run.save(c.w.batch(), c.t, k, l); err != nil {
		return err
	}
	c.upTo = append(c.upTo[:0], k...)
	if int64(b.read) >= c.limit.Load() || len(b.bytes) >= copyBytes {
		return c.send()
	}
	return nil
}

// send makes the batch durable and hands it over.
func (c *copying) send() error {
	b := c.batch
	if b == nil {
		return nil
	}
	c.batch = nil
	b.from = c.last
	b.to = endpoint.Progress{Apply: c.last.Apply + 1, Nonce: newNonce()}
	c.last = b.to
	from, to := c.sites[c.from], c.sites[c.to]
	c.memory.Lock()
	from.Known[c.t.Name] = extent{Up: slices.Clone(c.upTo)}
	to.Copying = append(to.Copying, copied{To: b.to, Table: c.t.Name, Up: slices.Clone(c.upTo)})
	err := errors.Join(
		writeJSON(c.w.batch(), siteName(c.from), &from.memory), writeJSON(c.w.batch(), siteName(c.to), &to.memory))
	c.memory.Unlock()
	if err != nil {
		return err
	}
	if err := c.w.flush(true); err != nil {
		return err
	}
	select {
	case c.full <- b:
		return nil
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
}

// write writes a batch at the target.
func (c *copying) write(ctx context.Context, b *copyBatch) error {
	if err := interrupted(ctx); err != nil {
		return err
	}
	s := c.sites[c.to]
	tx, err := s.Endpoint.Begin(ctx, endpoint.Begin{Pair: c.Pair(), From: b.from, To: b.to, Marker: s.marker})
	if err != nil {
		return err
	}
	start := time.Now() // from here on others wait
	refused, err := c.insert(tx, b)
	if err == nil && len(refused) > 0 {
		err = c.leaveOut(refused)
	}
	before := tx.Before()
	traced := err == nil && len(s.traced) > 0 && string(before) == string(s.traced)
	c.polite = c.polite || (len(s.traced) > 0 && !traced)
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	c.pace(time.Since(start), len(b.rows))
	if c.polite {
		wait(ctx, politeGap)
	}
	s.traced = nil
	if traced {
		s.traced = tx.After()
	}
	s.now, s.wrote = b.to, true
	c.memory.Lock()
	s.Progress = b.to
	s.copiedTo(b.to)
	for len(s.Copying) > 0 && s.Copying[0].To.Apply <= b.to.Apply {
		s.Copying = s.Copying[1:]
	}
	c.memory.Unlock()
	to := &c.at[c.t.Name].To[c.to]
	to.Inserts += int64(len(b.rows) - len(refused))
	to.Bytes += b.size
	c.done += int64(b.read)
	c.bytes += b.size
	c.tell(Progress{Phase: phaseCopy, Table: c.t.Name, Site: c.to, Done: c.done, Total: c.total, Bytes: c.bytes})
	return nil
}

// insert inserts the rows of a batch and returns the keys of those that the target refuses.
func (c *copying) insert(tx endpoint.Tx, b *copyBatch) (refused []record.Key, err error) {
	t := c.t.At[c.to]
	v := c.view()
	defer v.Close()
	start := 0
	for n, end := range b.rows {
		k := record.Key(b.bytes[start:b.keys[n]])
		err := tx.Insert(t, record.Image(b.bytes[b.keys[n]:end:end]), v.Chunk)
		var broken *endpoint.ConstraintError
		if errors.As(err, &broken) {
			refused, err = append(refused, k), nil
		}
		if err != nil {
			return nil, err
		}
		start = end
	}
	return refused, nil
}

// leaveOut writes down that the target does not have some rows of a batch: they are due
// like any other, and the apply that follows finds out what is wrong with them.
func (c *copying) leaveOut(keys []record.Key) error {
	v := c.view()
	defer v.Close()
	w := c.writer()
	defer w.close()
	t := &table{Table: c.t.Table, rules: c.t.rules} // c.t is in use where batches are made
	for _, k := range keys {
		l, err := c.fetch(v, t, k)
		if err != nil {
			return err
		}
		l.shadow[c.to] = shadow{standing: behind}
		if err := w.put(t, k, l); err != nil {
			return err
		}
	}
	return w.flush(true)
}

// pace adapts the size of batches to how long one held the lock.
func (c *copying) pace(held time.Duration, rows int) {
	hold := copyHold
	if c.polite {
		hold = politeHold
	}
	limit := c.limit.Load()
	switch {
	case held > hold:
		limit = max(limit/2, 100)
	case held < hold/2 && rows >= int(limit):
		limit = min(limit*2, copyRows)
	}
	c.limit.Store(limit)
}

// end writes down that the whole table is known at both sites.
func (c *copying) end() error {
	b := c.store.Batch()
	defer b.Close()
	for _, i := range [2]int{c.from, c.to} {
		s := c.sites[i]
		s.Known[c.t.Name], s.Copying = extent{All: true}, nil
		if err := writeJSON(b, siteName(i), &s.memory); err != nil {
			return err
		}
	}
	return b.Commit(true)
}
