package store

import (
	"fmt"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// Stage takes the segments of a commit before the commit itself, so that one of any size
// passes in the memory of a segment. Nobody sees them until [Batch.Append] takes the
// stage. What a crash leaves of one is removed by the next Open. It is not safe for
// concurrent use.
type Stage struct {
	s      *Store
	header record.Header // as much as reading segments needs
	reader record.SegmentReader
	count  int
	hashes map[causal.Hash]struct{} // chunks that the changes need
	err    error
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

func (o *openStages) has(d causal.Dot) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.set[d]
	return ok
}

// Stage begins to stage the segments of the commit of a dot that is not in the vector
// yet. If it is, or another stage for the dot is open, Segment says so with [ErrStage].
// Abort must follow, unless the commit was appended; it may follow in any case.
func (s *Store) Stage(dot causal.Dot) *Stage {
	st := &Stage{s: s, header: record.Header{Dot: dot}, hashes: make(map[causal.Hash]struct{})}
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
	}
	return st
}

// Segment keeps the next segment, whose index is the number of those before. The chunks
// of images that are too long for a segment have been put already ([ErrNoChunk]).
func (st *Stage) Segment(index int, seg []byte) error {
	if st.err != nil {
		return st.err
	}
	if index != st.count {
		return fmt.Errorf("segment %d of %v after %d: %w", index, st.header.Dot, st.count, ErrStage)
	}
	if err := st.s.enterToWrite(); err != nil {
		return err
	}
	defer st.s.users.Done()
	if err := st.collect(seg); err != nil {
		return fmt.Errorf("stage segment %d of %v: %w", index, st.header.Dot, err)
	}
	p := st.s.db.NewBatch()
	err := p.Set(segmentKey(nil, st.header.Dot, index), seg, nil)
	if err == nil && index == 0 {
		err = p.Set(dotKey(nil, spaceStage, st.header.Dot), nil, nil)
	}
	if err == nil {
		err = st.s.apply(p, false)
	}
	if err != nil {
		st.err = fmt.Errorf("stage segment %d of %v: %w", index, st.header.Dot, err)
		return st.err
	}
	st.count++
	return p.Close()
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
		hashes, err := chunksOf(nil, []record.Version{c.Version})
		if err != nil {
			return err
		}
		if info, ok := st.reader.Chunked(); ok {
			hashes = append(hashes, info.Hashes...)
		}
		for _, h := range hashes {
			st.hashes[h] = struct{}{}
		}
	}
}

// Abort removes what was staged. After the commit was appended it does nothing.
func (st *Stage) Abort() error {
	if st.err != nil && st.count == 0 {
		return nil
	}
	dot := st.header.Dot
	if st.err == nil {
		defer st.s.stages.remove(dot)
	}
	st.err = fmt.Errorf("stage of %v: %w", dot, ErrClosed)
	if st.count == 0 {
		return nil
	}
	st.count = 0
	if err := st.s.enterToWrite(); err != nil {
		return err
	}
	defer st.s.users.Done()
	p := st.s.db.NewBatch()
	if err := dropStage(p, dot); err != nil {
		return err
	}
	if err := st.s.apply(p, false); err != nil {
		return fmt.Errorf("abort stage of %v: %w", dot, err)
	}
	return p.Close()
}

// committed takes note that the segments are the log's now.
func (st *Stage) committed() {
	st.s.stages.remove(st.header.Dot)
	st.count = 0
	st.err = fmt.Errorf("stage of %v: %w", st.header.Dot, ErrClosed)
}

func dropStage(p *pebble.Batch, dot causal.Dot) error {
	prefix := dotKey(nil, spaceSegment, dot)
	if err := p.DeleteRange(prefix, prefixEnd(prefix), nil); err != nil {
		return err
	}
	return p.Delete(dotKey(nil, spaceStage, dot), nil)
}

// clearStages removes what was being staged when the store was last left.
func (s *Store) clearStages() error {
	p := s.db.NewBatch()
	err := scan(s.db, []byte{spaceStage}, func(k, _ []byte) error {
		dot, rest, ok := parseDot(k[1:])
		if !ok || len(rest) > 0 {
			return corrupt("key of a stage")
		}
		return dropStage(p, dot)
	})
	if err == nil && !p.Empty() {
		err = s.apply(p, false)
	}
	if err != nil {
		return fmt.Errorf("clear stages: %w", err)
	}
	return p.Close()
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
