package store

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// Stage takes the segments of a commit before the commit itself, so that one of any size
// passes in bounded memory. They are no part of the store until [Batch.Append] takes the
// stage and its batch commits; what a crash leaves of one is removed by the next Open. It
// is not safe for concurrent use.
type Stage struct {
	s      *Store
	header record.Header // as much as reading segments needs
	reader record.SegmentReader
	count  int
	hashes map[causal.Hash]struct{} // chunks that the changes need
	held   [][]byte                 // segments in memory, until there is a table
	size   int                      // of them
	path   string                   // of the table; empty if there is none
	table  *sstable.Writer          // nil once it is finished
	closed bool                     // committed or aborted
	err    error                    // why no segment can be added
}

// openStages are the dots that are being staged: one stage each, since the segments of a
// commit have one place.
type openStages struct {
	mu  sync.Mutex
	set map[causal.Dot]struct{}
}

func (o *openStages) add(d causal.Dot) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, taken := o.set[d]; taken {
		return false
	}
	if o.set == nil {
		o.set = make(map[causal.Dot]struct{})
	}
	o.set[d] = struct{}{}
	return true
}

func (o *openStages) remove(d causal.Dot) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.set, d)
}

// Stage begins to stage the segments of the commit of a dot that is not in the vector
// yet. If it is, or another stage for the dot is open, Segment says so with [ErrStage].
// Abort must follow, unless the commit was appended; it may follow in any case.
func (s *Store) Stage(dot causal.Dot) *Stage {
	st := &Stage{s: s, header: record.Header{Dot: dot}, hashes: make(map[causal.Hash]struct{}), closed: true}
	// An image in chunks is put together to see whether it has large values.
	st.reader.Chunks = func(h causal.Hash) ([]byte, error) { return readChunk(s.db, h) }
	if st.err = s.enterToWrite(); st.err != nil {
		return st
	}
	defer s.users.Done()
	if st.err = s.take(s.publish); st.err != nil {
		return st
	}
	defer s.publish.leave()
	if s.vector.Covers(dot) || !s.stages.add(dot) {
		st.err = fmt.Errorf("stage %v, which is known or staged already: %w", dot, ErrStage)
		return st
	}
	st.closed = false
	return st
}

// Segment keeps the next segment, whose index is the number of those before. The chunks
// of images that are too long for a segment have been put already ([ErrNoChunk]).
func (st *Stage) Segment(index int, seg []byte) error {
	if st.err != nil {
		return st.err
	}
	if index != st.count || st.finished() {
		return fmt.Errorf("segment %d of %v after %d: %w", index, st.header.Dot, st.count, ErrStage)
	}
	if err := st.s.enterToWrite(); err != nil {
		return err
	}
	defer st.s.users.Done()
	if err := st.collect(seg); err != nil {
		return fmt.Errorf("stage segment %d of %v: %w", index, st.header.Dot, err)
	}
	if err := st.keep(seg); err != nil {
		st.err = fmt.Errorf("stage segment %d of %v: %w", index, st.header.Dot, err)
		return st.err
	}
	st.count++
	return nil
}

// finished reports whether the table has its last segment.
func (st *Stage) finished() bool { return st.path != "" && st.table == nil }

// keep holds a segment in memory or, if those become too many, writes it to the table.
func (st *Stage) keep(seg []byte) error {
	if st.table == nil && st.size+len(seg) <= st.s.tuning.stage {
		st.held = append(st.held, slices.Clone(seg))
		st.size += len(seg)
		return nil
	}
	return st.s.run(func() error {
		if st.table == nil {
			if err := st.begin(); err != nil {
				return err
			}
		}
		return st.table.Set(segmentKey(nil, st.header.Dot, st.count), seg)
	})
}

// begin moves what is in memory to a table.
func (st *Stage) begin() (err error) {
	if st.path, st.table, err = st.s.newTable(); err != nil {
		return err
	}
	for i, seg := range st.held {
		if err := st.table.Set(segmentKey(nil, st.header.Dot, i), seg); err != nil {
			return err
		}
	}
	st.held, st.size = nil, 0
	return nil
}

// finish makes the table durable, so that it can be ingested. A stage in memory has none.
func (st *Stage) finish() error {
	if st.table == nil {
		return nil
	}
	err := st.s.run(st.table.Close)
	st.table = nil
	if err != nil {
		st.err = fmt.Errorf("finish stage of %v: %w", st.header.Dot, err)
	}
	return st.err
}

// addTo adds the segments that are in memory to a batch.
func (st *Stage) addTo(p *pebble.Batch) error {
	for i, seg := range st.held {
		if err := p.Set(segmentKey(nil, st.header.Dot, i), seg, nil); err != nil {
			return err
		}
	}
	return nil
}

// collect takes note of the chunks that the segment's changes need.
func (st *Stage) collect(seg []byte) error {
	if err := st.reader.Reset(seg, &st.header); err != nil {
		return err
	}
	var c record.Change
	for {
		more, err := st.reader.Next(&c)
		if err != nil || !more {
			return err
		}
		if info, ok := st.reader.Chunked(); ok {
			st.note(info.Hashes)
		}
		hashes, err := chunksOf(nil, c.Version.Image)
		if err != nil {
			return err
		}
		st.note(hashes)
	}
}

func (st *Stage) note(hashes []causal.Hash) {
	for _, h := range hashes {
		st.hashes[h] = struct{}{}
	}
}

// sortedHashes returns the chunks that the staged changes need.
func (st *Stage) sortedHashes() []causal.Hash {
	hashes := make([]causal.Hash, 0, len(st.hashes))
	for h := range st.hashes {
		hashes = append(hashes, h)
	}
	slices.SortFunc(hashes, compareHash)
	return hashes
}

// Abort gives up the stage and what was staged. After the commit was appended and its
// batch committed it does nothing.
func (st *Stage) Abort() error {
	if st.closed {
		return nil
	}
	st.end()
	if st.path == "" || st.s.disk.failure() != nil {
		return nil
	}
	if err := st.s.enterToWrite(); err != nil {
		return nil //nolint:nilerr // the next Open removes the table
	}
	defer st.s.users.Done()
	err := st.s.run(func() (err error) {
		if st.table != nil {
			err = st.table.Close()
		}
		return errors.Join(err, st.s.disk.Remove(st.path))
	})
	if err != nil {
		return fmt.Errorf("abort stage of %v: %w", st.header.Dot, err)
	}
	return nil
}

// end closes the stage and makes its dot free.
func (st *Stage) end() {
	st.closed, st.held = true, nil
	st.err = fmt.Errorf("stage of %v: %w", st.header.Dot, ErrClosed)
	st.s.stages.remove(st.header.Dot)
}
