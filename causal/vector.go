package causal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Hash is the SHA-256 of a commit's header; with the header's prevHash it chains all
// commits of one origin.
type Hash [32]byte

// Head is what is known of one origin: its highest contiguous seq and that commit's hash.
type Head struct {
	Origin Origin
	Seq    uint64
	Hash   Hash
}

// Dot returns the head's dot.
func (h Head) Dot() Dot { return Dot{h.Origin, h.Seq} }

// ErrFork reports two different commits under one dot.
var ErrFork = errors.New("fork: two commits under one dot")

// ErrGap reports a commit that does not follow what is known of its origin.
var ErrGap = errors.New("gap: commit does not follow its origin's last one")

// Vector says, per origin, the highest contiguous seq known and its hash. It is sorted
// by origin and holds no origin with seq 0. The zero Vector knows nothing.
type Vector []Head

// Get returns the head of o; its Seq is 0 when nothing of o is known.
func (v Vector) Get(o Origin) Head {
	if i, ok := v.find(o); ok {
		return v[i]
	}
	return Head{Origin: o}
}

// Seq returns the highest contiguous seq known of o.
func (v Vector) Seq(o Origin) uint64 { return v.Get(o).Seq }

// Covers reports whether the commit d is known.
func (v Vector) Covers(d Dot) bool { return d.Seq <= v.Seq(d.Origin) }

// Advance returns v with h as its origin's head. The result may share v's memory. It
// fails with [ErrGap] unless h is the next commit of its origin.
func (v Vector) Advance(h Head) (Vector, error) {
	i, ok := v.find(h.Origin)
	if !ok {
		if h.Seq != 1 {
			return v, fmt.Errorf("advance to %v from 0: %w", h.Dot(), ErrGap)
		}
		return slices.Insert(v, i, h), nil
	}
	if h.Seq != v[i].Seq+1 {
		return v, fmt.Errorf("advance to %v from %d: %w", h.Dot(), v[i].Seq, ErrGap)
	}
	v[i] = h
	return v, nil
}

// Join returns the least vector that covers both. It fails with [ErrFork] when the two
// name one dot with different hashes.
func (v Vector) Join(w Vector) (Vector, error) {
	out := make(Vector, 0, max(len(v), len(w)))
	i, j := 0, 0
	for i < len(v) || j < len(w) {
		switch {
		case j == len(w) || i < len(v) && v[i].Origin.Compare(w[j].Origin) < 0:
			out = append(out, v[i])
			i++
		case i == len(v) || w[j].Origin.Compare(v[i].Origin) < 0:
			out = append(out, w[j])
			j++
		default:
			if v[i].Seq == w[j].Seq && v[i].Hash != w[j].Hash {
				return nil, fmt.Errorf("join at %v: %w", v[i].Dot(), ErrFork)
			}
			if v[i].Seq >= w[j].Seq {
				out = append(out, v[i])
			} else {
				out = append(out, w[j])
			}
			i++
			j++
		}
	}
	return out, nil
}

// Contains reports whether v covers everything w covers.
func (v Vector) Contains(w Vector) bool {
	for _, h := range w {
		if v.Seq(h.Origin) < h.Seq {
			return false
		}
	}
	return true
}

// Append appends the binary form: a uvarint count, then per origin its 20 bytes, the
// seq as uvarint, and the 32 bytes of hash.
func (v Vector) Append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	for _, h := range v {
		b = h.Origin.Append(b)
		b = binary.AppendUvarint(b, h.Seq)
		b = append(b, h.Hash[:]...)
	}
	return b
}

// VectorFromBytes reads the form written by [Vector.Append]. It refuses trailing bytes,
// origins out of order, seq 0 and numbers that are not in their shortest form.
func VectorFromBytes(b []byte) (Vector, error) {
	count, n := uvarint(b)
	if n <= 0 || count > uint64(len(b)/minHead) {
		return nil, fmt.Errorf("vector count: %w", ErrSyntax)
	}
	b = b[n:]
	v := make(Vector, 0, count)
	for range count {
		if len(b) < OriginSize {
			return nil, fmt.Errorf("vector origin: %w", ErrSyntax)
		}
		var h Head
		h.Origin, _ = OriginFromBytes(b[:OriginSize])
		b = b[OriginSize:]
		seq, n := uvarint(b)
		if n <= 0 || seq == 0 || len(b) < n+len(h.Hash) {
			return nil, fmt.Errorf("vector head: %w", ErrSyntax)
		}
		h.Seq = seq
		copy(h.Hash[:], b[n:])
		b = b[n+len(h.Hash):]
		if len(v) > 0 && v[len(v)-1].Origin.Compare(h.Origin) >= 0 {
			return nil, fmt.Errorf("vector order: %w", ErrSyntax)
		}
		v = append(v, h)
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("vector tail: %w", ErrSyntax)
	}
	return v, nil
}

func (v Vector) find(o Origin) (int, bool) {
	return slices.BinarySearchFunc(v, o, func(h Head, o Origin) int { return h.Origin.Compare(o) })
}

// minHead is the least number of bytes a head takes in the binary form of a vector.
const minHead = OriginSize + 1 + len(Hash{})

// uvarint is binary.Uvarint that takes only the shortest form; n is 0 for others.
func uvarint(b []byte) (u uint64, n int) {
	u, n = binary.Uvarint(b)
	if n > 1 && b[n-1] == 0 {
		return 0, 0
	}
	return u, n
}
