package record

import (
	"fmt"
	"iter"

	"github.com/syncline-io/syncline/causal"
)

// Verifier checks a commit piece by piece as it arrives: the header, then each segment in
// order, whole, trimmed or left out, then the end. Until Finish has returned nil the
// commit is nothing to be relied on. It is not safe for concurrent use.
type Verifier struct {
	header   *Header
	deps     map[causal.Origin]uint64
	reader   SegmentReader
	hasher   segmentHasher
	root     node
	segments uint64
	changes  uint64
	trimmed  bool // how many changes were left out is not known
}

// NewVerifier begins with the header, whose hash must be hash, else [ErrHash].
func NewVerifier(h *Header, hash causal.Hash) (*Verifier, error) {
	if HeaderHash(AppendHeader(nil, h)) != hash {
		return nil, fmt.Errorf("header of %v: %w", h.Dot, ErrHash)
	}
	v := &Verifier{header: h, deps: make(map[causal.Origin]uint64, len(h.Deps)+1)}
	for _, d := range h.Deps {
		v.deps[d.Origin] = d.Seq
	}
	v.deps[h.Dot.Origin] = h.Dot.Seq
	v.root.begin(rootMark)
	return v, nil
}

// Segment takes the next segment and checks every byte of it that is there: the encoding
// of changes, keys and images, and that the header's deps name every dot of a context and
// every birth (I3). The content of chunks is not looked at.
func (v *Verifier) Segment(seg []byte) error {
	if v.segments++; v.segments > v.header.Segments {
		return fmt.Errorf("segment after the last of %v: %w", v.header.Dot, ErrCorrupt)
	}
	hash, err := v.hasher.hash(seg)
	if err != nil {
		return err
	}
	v.root.add(hash[:])
	if v.hasher.view.hash != nil {
		v.trimmed = true
	}
	if err := v.reader.Reset(seg, v.header); err != nil {
		return err
	}
	var c Change
	for {
		more, err := v.reader.Next(&c)
		if err != nil {
			return fmt.Errorf("segment %d of %v: %w", v.segments-1, v.header.Dot, err)
		}
		if !more {
			v.changes += uint64(v.reader.Omitted())
			return nil
		}
		v.changes++
		if err := v.check(&c); err != nil {
			return fmt.Errorf("segment %d of %v: %w", v.segments-1, v.header.Dot, err)
		}
	}
}

func (v *Verifier) check(c *Change) error {
	if err := c.Key.Check(); err != nil {
		return err
	}
	for _, d := range c.Context {
		if d.Seq > v.deps[d.Origin] {
			return corrupt("context that the deps do not name")
		}
	}
	if c.Op == OpDelete {
		return nil
	}
	if b := c.Version.Birth; b.Seq > v.deps[b.Origin] {
		return corrupt("birth that the deps do not name")
	}
	if c.Op == OpBury || c.Version.Image == nil {
		return nil
	}
	return c.Version.Image.Check()
}

// Finish checks that all segments have come and that they are the header's: [ErrHash] or
// [ErrCorrupt] if not.
func (v *Verifier) Finish() error {
	h := v.header
	if v.segments != h.Segments || v.changes > h.Changes || (!v.trimmed && v.changes != h.Changes) {
		return fmt.Errorf("%d changes in %d segments of %v: %w", v.changes, v.segments, h.Dot, ErrCorrupt)
	}
	if v.root.end() != h.Root {
		return fmt.Errorf("segments of %v: %w", h.Dot, ErrHash)
	}
	return nil
}

// VerifyCommit runs a [Verifier] over a commit: h is the header that hash names, segments
// yields its segments in order, each whole, trimmed or left out, and is stopped at the
// first error, which may be its own.
func VerifyCommit(h *Header, hash causal.Hash, segments iter.Seq2[[]byte, error]) error {
	v, err := NewVerifier(h, hash)
	if err != nil {
		return err
	}
	for seg, err := range segments {
		if err == nil {
			err = v.Segment(seg)
		}
		if err != nil {
			return err
		}
	}
	return v.Finish()
}
