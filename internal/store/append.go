package store

import (
	"fmt"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// Append appends an entry to the log and does to the vector what it says; what it does to
// records is the caller's, in the same batch (docs/format/log.md). It returns the entry's
// offset.
//
// A commit comes with the stage of its segments, or with nil if it has none; others than
// the header's number are [ErrStage]. It must be the next of its origin ([causal.ErrGap])
// and name the known hash of the one before ([causal.ErrFork], also for a known dot with
// another hash). A skip must begin where the vector is, and an advance must not end
// behind it. With an error of these, nothing is added.
func (b *Batch) Append(e *record.Entry, st *Stage) (Offset, error) {
	if b.err != nil {
		return 0, b.err
	}
	at := b.head.end
	encoded, err := record.AppendEntry(b.value[:0], e)
	b.value = encoded
	if err != nil {
		return 0, fmt.Errorf("append entry: %w", err)
	}
	if (e.Kind != record.EntryCommit) && st != nil {
		return 0, fmt.Errorf("append entry of kind %d: %w", e.Kind, ErrStage)
	}
	switch e.Kind {
	case record.EntryCommit:
		err = b.appendCommit(e, st, at)
	case record.EntryImport:
		err = b.appendImport(e, at)
	case record.EntryAdvance:
		err = b.advance(e.To)
	case record.EntrySkip:
		err = b.skip(e.From, e.To)
	}
	if err != nil {
		return 0, fmt.Errorf("append entry: %w", err)
	}
	if err := b.p.Set(entryKey(nil, at), encoded, nil); err != nil {
		return 0, b.fail(err)
	}
	b.head.end++
	return at, nil
}

func (b *Batch) appendCommit(e *record.Entry, st *Stage, at Offset) error {
	h, err := record.DecodeHeader(e.Header)
	if err != nil {
		return err
	}
	known := b.vector.Get(h.Dot.Origin)
	switch {
	case h.Dot.Seq == known.Seq && e.Hash != known.Hash:
		return fmt.Errorf("commit %v is known as %x, not %x: %w", h.Dot, known.Hash[:8], e.Hash[:8], causal.ErrFork)
	case h.Dot.Seq != known.Seq+1:
		return fmt.Errorf("commit %v after %d: %w", h.Dot, known.Seq, causal.ErrGap)
	case h.Prev != known.Hash: // zero when nothing is known, as in the header of seq 1
		return fmt.Errorf("commit %v follows %x, not %x: %w", h.Dot, h.Prev[:8], known.Hash[:8], causal.ErrFork)
	}
	if err := b.takeStage(&h, st); err != nil {
		return err
	}
	next := causal.Head{Origin: h.Dot.Origin, Seq: h.Dot.Seq, Hash: e.Hash}
	if b.vector, err = b.vector.Advance(next); err != nil {
		return b.fail(err)
	}
	v := originHead{seq: next.Seq, hash: next.Hash, at: at, in: true}
	if err := b.p.Set(vectorKey(nil, next.Origin), v.append(nil), nil); err != nil {
		return b.fail(err)
	}
	if st == nil {
		return nil
	}
	if err := st.addTo(b.p); err != nil {
		return b.fail(err)
	}
	b.staged = append(b.staged, st)
	return b.fail(b.chunks.own(entryOwner(nil, at), st.sortedHashes()))
}

// takeStage checks that the stage holds the segments of the header's commit.
func (b *Batch) takeStage(h *record.Header, st *Stage) error {
	switch {
	case st == nil && h.Segments > 0:
		return fmt.Errorf("commit %v without its %d segments: %w", h.Dot, h.Segments, ErrStage)
	case st == nil:
		return nil
	case st.err != nil:
		return st.err
	case st.s != b.s || st.header.Dot != h.Dot || uint64(st.count) != h.Segments:
		return fmt.Errorf("commit %v of %d segments with %d of %v: %w", h.Dot, h.Segments, st.count, st.header.Dot, ErrStage)
	}
	return st.finish()
}

func (b *Batch) appendImport(e *record.Entry, at Offset) error {
	hashes, err := chunksOfAll(e.Versions)
	if err != nil {
		return err
	}
	return b.fail(b.chunks.own(entryOwner(nil, at), hashes))
}

// advance moves the whole vector to another that covers it.
func (b *Batch) advance(to causal.Vector) error {
	joined, err := b.vector.Join(to)
	if err != nil {
		return err
	}
	if !to.Contains(joined) {
		return fmt.Errorf("advance behind what is known: %w", causal.ErrGap)
	}
	return b.moveTo(joined)
}

// skip moves some origins of the vector.
func (b *Batch) skip(from, to causal.Vector) error {
	for _, h := range to {
		known := b.vector.Get(h.Origin)
		was := from.Get(h.Origin)
		switch {
		case known.Seq != was.Seq:
			return fmt.Errorf("skip from %d of %v, which is at %d: %w", was.Seq, h.Origin, known.Seq, causal.ErrGap)
		case known.Hash != was.Hash:
			return fmt.Errorf("skip from %v: %w", was.Dot(), causal.ErrFork)
		}
	}
	joined, err := b.vector.Join(to)
	if err != nil {
		return err
	}
	return b.moveTo(joined)
}

// moveTo sets the heads that differ.
func (b *Batch) moveTo(to causal.Vector) error {
	for _, h := range to {
		if b.vector.Get(h.Origin) == h {
			continue
		}
		v := originHead{seq: h.Seq, hash: h.Hash}
		if err := b.p.Set(vectorKey(nil, h.Origin), v.append(nil), nil); err != nil {
			return b.fail(err)
		}
	}
	b.vector = to
	return nil
}

// Truncate removes the entries before an offset, with their segments and what only they
// needed. It never cuts a group of imports and their advance: if the offset is within
// one, the whole group stays. What this batch appends cannot go ([ErrPosition]).
func (b *Batch) Truncate(to Offset) error {
	if b.err != nil {
		return b.err
	}
	if to > b.s.head.end {
		return fmt.Errorf("truncate to %d of %d: %w", to, b.s.head.end, ErrPosition)
	}
	to, err := b.groupStart(to)
	if err != nil || to <= b.head.floor {
		return err
	}
	from, end := entryKey(nil, b.head.floor), entryKey(nil, to)
	err = scanRange(b.s.db, from, end, func(_, v []byte) error {
		e, err := record.DecodeEntry(v)
		if err != nil || e.Kind != record.EntryCommit {
			return err
		}
		h, err := record.DecodeHeader(e.Header)
		for i := 0; err == nil && uint64(i) < h.Segments; i++ {
			err = b.p.Delete(segmentKey(nil, h.Dot, i), nil)
		}
		return err
	})
	if err == nil {
		err = b.p.DeleteRange(from, end, nil)
	}
	if err == nil {
		err = b.chunks.dropOwners(entryOwner(nil, b.head.floor), entryOwner(nil, to))
	}
	if err != nil {
		return b.fail(fmt.Errorf("truncate to %d: %w", to, err))
	}
	b.head.floor = to
	return nil
}

// groupStart moves an offset that lies within a group back to the group's first entry.
func (b *Batch) groupStart(to Offset) (Offset, error) {
	for ; to > b.head.floor; to-- {
		v, err := get(b.s.db, entryKey(nil, to-1))
		if err != nil {
			return 0, err
		}
		e, err := record.DecodeEntry(v)
		if err != nil {
			return 0, readError(fmt.Sprintf("entry %d", to-1), err)
		}
		if e.Kind != record.EntryImport {
			break
		}
	}
	return to, nil
}
