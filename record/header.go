package record

import (
	"crypto/sha256"
	"fmt"

	"github.com/syncline-io/syncline/causal"
)

// headerFormat is the number of the format this package writes, the first element of
// every header.
const headerFormat = 1

const headerFields = 12

// AppendHeader appends the canonical encoding of a header (docs/format/commits.md).
func AppendHeader(b []byte, h *Header) []byte {
	b = appendHead(b, majorArray, headerFields)
	b = appendHead(b, majorUint, headerFormat)
	b = appendBytes(b, h.Dataset[:])
	b = appendHead(b, majorUint, h.Epoch)
	b = appendOrigin(b, h.Dot.Origin)
	b = appendHead(b, majorUint, h.Dot.Seq)
	b = appendBytes(b, h.Prev[:])
	b = appendHead(b, majorUint, uint64(h.Stamp))
	b = appendHead(b, majorArray, uint64(2*len(h.Deps)))
	for _, d := range h.Deps {
		b = appendOrigin(b, d.Origin)
		b = appendHead(b, majorUint, d.Seq)
	}
	b = appendBytes(b, h.Meta)
	b = appendBytes(b, h.Root[:])
	b = appendHead(b, majorUint, h.Segments)
	return appendHead(b, majorUint, h.Changes)
}

// HeaderHash returns the hash of an encoded header, which is the commit's.
func HeaderHash(header []byte) causal.Hash { return sha256.Sum256(header) }

// DecodeHeader reads one whole header. Meta aliases b. A header of a newer format is
// [ErrFormat], other bytes are [ErrCorrupt].
func DecodeHeader(b []byte) (Header, error) {
	r := cborReader{b: b}
	count := r.array("header")
	if format := r.uint("header format"); r.failed == "" && format != headerFormat {
		return Header{}, fmt.Errorf("header format %d: %w", format, ErrFormat)
	}
	if count != headerFields {
		r.fail("header length")
	}
	var h Header
	copy(h.Dataset[:], r.fixed("dataset", len(h.Dataset)))
	h.Epoch = r.uint("epoch")
	h.Dot = causal.Dot{Origin: r.origin("origin"), Seq: r.uint("seq")}
	h.Prev = r.hash("previous hash")
	h.Stamp = causal.Stamp(r.uint("stamp"))
	h.Deps = r.deps(h.Dot.Origin)
	if h.Meta = r.bytes("meta"); len(h.Meta) == 0 {
		h.Meta = nil
	}
	h.Root = r.hash("root")
	h.Segments = r.uint("segments")
	h.Changes = r.uint("changes")
	switch {
	case r.failed != "":
	case len(r.b) > 0:
		r.fail("header tail")
	case h.Dot.Seq == 0 || (h.Dot.Seq == 1) != (h.Prev == causal.Hash{}):
		r.fail("header seq")
	case len(h.Meta) > MaxMeta:
		r.fail("header meta")
	case h.Segments > h.Changes || (h.Segments == 0) != (h.Changes == 0):
		r.fail("header counts")
	}
	if err := r.err(); err != nil {
		return Header{}, err
	}
	return h, nil
}

func (r *cborReader) deps(own causal.Origin) []causal.Dot {
	n := r.array("deps")
	if n%2 != 0 {
		r.fail("deps")
	}
	var deps []causal.Dot
	for range n / 2 {
		d := causal.Dot{Origin: r.origin("dep"), Seq: r.uint("dep")}
		if d.Seq == 0 || d.Origin == own || (len(deps) > 0 && deps[len(deps)-1].Origin.Compare(d.Origin) >= 0) {
			r.fail("order of deps")
		}
		if r.failed != "" {
			return nil
		}
		deps = append(deps, d)
	}
	return deps
}

func appendBytes(b, raw []byte) []byte {
	return append(appendHead(b, majorBytes, uint64(len(raw))), raw...)
}

// cborReader reads canonical CBOR from left to right. The first thing that is wrong stays
// in failed, and what is read after that is zero.
type cborReader struct {
	b      []byte
	failed string
}

func (r *cborReader) fail(what string) {
	if r.failed == "" {
		r.failed = what
	}
	r.b = nil
}

func (r *cborReader) err() error {
	if r.failed == "" {
		return nil
	}
	return corrupt(r.failed)
}

func (r *cborReader) uint(what string) uint64 {
	n, rest, ok := readUint(r.b)
	if !ok {
		r.fail(what)
		return 0
	}
	r.b = rest
	return n
}

func (r *cborReader) array(what string) int {
	n, rest, ok := readArray(r.b)
	if !ok {
		r.fail(what)
		return 0
	}
	r.b = rest
	return n
}

func (r *cborReader) bytes(what string) []byte {
	s, rest, ok := readString(r.b, majorBytes)
	if !ok {
		r.fail(what)
		return nil
	}
	r.b = rest
	return s
}

func (r *cborReader) fixed(what string, n int) []byte {
	s := r.bytes(what)
	if len(s) != n {
		r.fail(what)
		return nil
	}
	return s
}

func (r *cborReader) hash(what string) (h causal.Hash) {
	copy(h[:], r.fixed(what, len(h)))
	return h
}

func (r *cborReader) origin(what string) causal.Origin {
	o, rest, ok := readOrigin(r.b)
	if !ok {
		r.fail(what)
		return causal.Origin{}
	}
	r.b = rest
	return o
}
