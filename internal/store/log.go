package store

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// Entries walks over the log. It is not safe for concurrent use.
type Entries struct {
	v     *View
	it    *pebble.Iterator
	next  Offset
	entry record.Entry
	err   error
}

// Log begins at an offset: the first entry is the one there. An offset before the floor
// or behind the end is [ErrPosition].
func (v *View) Log(from Offset) *Entries {
	e := &Entries{v: v, next: from}
	if e.err = v.usable(); e.err != nil {
		return e
	}
	if from < v.head.floor || from > v.head.end {
		e.err = fmt.Errorf("offset %d of a log from %d to %d: %w", from, v.head.floor, v.head.end, ErrPosition)
		return e
	}
	it, err := v.snap.NewIter(&pebble.IterOptions{LowerBound: entryKey(nil, from), UpperBound: []byte{spaceEntry + 1}})
	if err != nil {
		e.err = readError("log", err)
		return e
	}
	e.it = it
	return e
}

// Next goes to the next entry and reports whether there is one; if not, Err says why.
func (e *Entries) Next() bool {
	if e.err != nil || e.it == nil {
		return false
	}
	e.err = e.step()
	if errors.Is(e.err, errEnd) {
		e.err = nil
		return false
	}
	return e.err == nil
}

var errEnd = errors.New("end of the log")

func (e *Entries) step() error {
	var ok bool
	if e.it.Valid() {
		ok = e.it.Next()
	} else {
		ok = e.it.First()
	}
	switch {
	case !ok && e.it.Error() != nil:
		return readError("log", e.it.Error())
	case !ok && e.next == e.v.head.end:
		return errEnd
	case !ok || !bytes.Equal(e.it.Key(), entryKey(nil, e.next)) || e.next >= e.v.head.end:
		return corrupt("entry %d of the log is missing", e.next)
	}
	b, err := e.it.ValueAndErr()
	if err == nil {
		e.entry, err = record.DecodeEntry(b)
	}
	if err != nil {
		return readError(fmt.Sprintf("entry %d", e.next), err)
	}
	e.next++
	return nil
}

// Offset returns the entry's offset.
func (e *Entries) Offset() Offset { return e.next - 1 }

// Entry returns the entry. What it points to is valid until Next.
func (e *Entries) Entry() *record.Entry { return &e.entry }

// Segments returns the segments of the entry's commit, in order; of other entries, none.
// Each is valid until the next one. One that is missing is [ErrCorrupt].
func (e *Entries) Segments() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if e.entry.Kind != record.EntryCommit {
			return
		}
		h, err := record.DecodeHeader(e.entry.Header)
		if err != nil {
			yield(nil, readError("header", err))
			return
		}
		for seg, err := range e.v.segments(h.Dot, h.Segments) {
			if !yield(seg, err) {
				return
			}
		}
	}
}

// segments reads the given number of segments of a commit, and stops at the first error.
func (v *View) segments(dot causal.Dot, count uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := v.usable(); err != nil {
			yield(nil, err)
			return
		}
		prefix := dotKey(nil, spaceSegment, dot)
		it, err := v.snap.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefixEnd(prefix)})
		if err != nil {
			yield(nil, readError("segments", err))
			return
		}
		defer it.Close() //nolint:errcheck // an error shows while reading
		it.First()
		for i := 0; uint64(i) < count; i++ {
			if err := it.Error(); err != nil {
				yield(nil, readError("segments", err))
				return
			}
			if !it.Valid() || !bytes.Equal(it.Key(), segmentKey(nil, dot, i)) {
				yield(nil, corrupt("segment %d of %v is missing", i, dot))
				return
			}
			seg, err := it.ValueAndErr()
			if !yield(seg, readError("segment", err)) || err != nil {
				return
			}
			it.Next()
		}
	}
}

// Err returns what ended the walk early; nil at the end of the log.
func (e *Entries) Err() error { return e.err }

// Close ends the walk. It may be called again.
func (e *Entries) Close() error {
	if e.it != nil {
		err := e.it.Close()
		e.it = nil
		if e.err == nil {
			e.err = readError("log", err)
		}
	}
	return nil
}

// checkLog reads the vector and checks what is found at once: that the log is there from
// its floor to its end, and that the newest commit of each origin is the one that the
// vector names.
func (s *Store) checkLog() error {
	for _, at := range []struct {
		offset Offset
		there  bool
	}{{s.head.floor - 1, false}, {s.head.floor, true}, {s.head.end - 1, true}, {s.head.end, false}} {
		if at.there && s.head.floor == s.head.end || !at.there && at.offset+1 == 0 {
			continue
		}
		there, err := has(s.db, entryKey(nil, at.offset))
		if err != nil {
			return err
		}
		if there != at.there {
			return corrupt("entry %d of a log from %d to %d: there is %v", at.offset, s.head.floor, s.head.end, there)
		}
	}
	err := scan(s.db, []byte{spaceVector}, func(k, b []byte) error {
		o, err := causal.OriginFromBytes(k[1:])
		if err != nil {
			return corrupt("key of the vector")
		}
		h, err := decodeOriginHead(b)
		if err != nil {
			return err
		}
		s.vector = append(s.vector, causal.Head{Origin: o, Seq: h.seq, Hash: h.hash})
		if !h.in || h.at < s.head.floor {
			return nil
		}
		return s.checkCommit(h.at, causal.Dot{Origin: o, Seq: h.seq}, h.hash)
	})
	if err != nil {
		return fmt.Errorf("vector: %w", err)
	}
	if !slices.IsSortedFunc(s.vector, func(a, b causal.Head) int { return a.Origin.Compare(b.Origin) }) {
		return corrupt("vector out of order")
	}
	return nil
}

// checkCommit checks that the commit of a dot and hash is at an offset.
func (s *Store) checkCommit(at Offset, dot causal.Dot, hash causal.Hash) error {
	b, err := get(s.db, entryKey(nil, at))
	if err != nil {
		return err
	}
	e, err := record.DecodeEntry(b)
	if err != nil {
		return readError(fmt.Sprintf("entry %d", at), err)
	}
	if e.Kind != record.EntryCommit || e.Hash != hash {
		return corrupt("entry %d is not commit %v", at, dot)
	}
	h, err := record.DecodeHeader(e.Header)
	if err != nil || h.Dot != dot {
		return corrupt("entry %d is not commit %v", at, dot)
	}
	return nil
}
