package flow

import (
	"slices"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// A capture is cut into commits of about this size. Changes found by comparing rows have
// no transaction that is known; those of a capture log are applied together whatever
// commits they are in, because an apply takes all that is due.
const (
	commitChanges = 20_000
	commitBytes   = 8 << 20
)

// writer writes records, shadows and the commits that explain them, in batches.
type writer struct {
	f       *Flow
	open    Batch      // nil until something is written
	commits [3]*commit // of site 0, site 1, and of decisions
	bytes   int64
	changes int
	wrote   bool // anything at all since it was made
}

// commit is one commit in the making; it opens when the first change asks for its dot.
type commit struct {
	w       *writer
	origin  causal.Origin
	builder *record.Builder
	stage   Stage
	dot     causal.Dot
	stamp   causal.Stamp
}

func (f *Flow) writer() *writer {
	w := &writer{f: f}
	for i, s := range f.sites {
		w.commits[i] = &commit{w: w, origin: s.Origin}
	}
	w.commits[decisions] = &commit{w: w, origin: f.identity.Decider}
	return w
}

// batch returns the open batch.
func (w *writer) batch() Batch {
	if w.open == nil {
		w.open = w.f.store.Batch()
	}
	return w.open
}

// decisions is the writer's commit that belongs to no site.
const decisions = 2

// at opens the commit.
func (c *commit) at() (causal.Dot, causal.Stamp) {
	if c.builder != nil {
		return c.dot, c.stamp
	}
	f := c.w.f
	if c.stamp == 0 {
		c.w.stamp()
	}
	head := f.heads.Get(c.origin)
	c.dot = causal.Dot{Origin: c.origin, Seq: head.Seq + 1}
	c.stage = f.store.Stage(c.dot)
	c.builder = record.NewBuilder(record.Header{
		Dataset: f.identity.Dataset, Dot: c.dot, Prev: head.Hash, Stamp: c.stamp,
	}, c.stage.Segment)
	c.builder.Chunks = f.store.PutChunk
	return c.dot, c.stamp
}

// stamp draws the stamps of all commits in the making at once: which of two edits found in
// one run is the newer must not depend on what else the run finds, or no plan could say it
// (see foreseen).
func (w *writer) stamp() {
	for _, c := range w.commits {
		if c.builder == nil {
			c.stamp = w.f.clock.Next(w.f.now().UnixMilli())
		}
	}
}

// add puts a change into the commit; its dot must be the commit's.
func (c *commit) add(k record.Key, ch *record.Change) error {
	ch.Key = k
	if err := c.builder.Add(ch); err != nil {
		return err
	}
	c.w.changes++
	c.w.bytes += int64(len(ch.Version.Image) + len(k))
	return nil
}

// put writes what became of a record, and flushes when enough has come together.
func (w *writer) put(t *table, k record.Key, l *loaded) error {
	wrote, err := w.f.save(w.batch(), t, k, l)
	if err != nil {
		return err
	}
	w.wrote = w.wrote || wrote
	if w.changes < commitChanges && w.bytes < commitBytes && w.batch().Len() < 2*commitBytes {
		return nil
	}
	return w.flush(false)
}

// flush ends the open commits and makes everything written so far visible, durable with
// sync. What follows goes into new commits.
func (w *writer) flush(sync bool) error {
	f := w.f
	sealed := false
	for i, c := range w.commits {
		if c.builder == nil {
			c.stamp = 0
			continue
		}
		sealed = true
		h, hash, err := c.builder.Finish()
		if err != nil {
			return err
		}
		e := record.Entry{Kind: record.EntryCommit, Hash: hash, Header: record.AppendHeader(nil, &h)}
		if err := w.batch().Append(&e, c.stage); err != nil {
			return err
		}
		heads, err := slices.Clone(f.heads).Advance(causal.Head{Origin: c.origin, Seq: c.dot.Seq, Hash: hash})
		if err != nil {
			return err
		}
		f.heads = heads
		w.commits[i] = &commit{w: w, origin: c.origin}
	}
	if sealed {
		if err := writeJSON(w.batch(), "clock", f.clock.Last()); err != nil {
			return err
		}
	}
	b := w.batch()
	w.open, w.bytes, w.changes = nil, 0, 0
	err := b.Commit(sync)
	if closed := b.Close(); err == nil {
		err = closed // else it says the same again
	}
	return err
}

// close gives up what was not flushed.
func (w *writer) close() {
	for _, c := range w.commits {
		if c.builder != nil {
			_ = c.stage.Abort() // what is left of it is removed when the store opens
		}
	}
	if w.open != nil {
		_ = w.open.Close()
	}
}

// foreseen is the edit of a survey at a site: a dot and a stamp that stand to those of the
// other site as those of the commits will.
type foreseen struct {
	site int
	f    *Flow
}

func (e foreseen) at() (causal.Dot, causal.Stamp) {
	clock, origin := e.f.clock, e.f.sites[e.site].Origin
	stamp := clock.Next(e.f.now().UnixMilli())
	for range e.site {
		stamp = clock.Next(0)
	}
	return causal.Dot{Origin: origin, Seq: e.f.heads.Seq(origin) + 1}, stamp
}
