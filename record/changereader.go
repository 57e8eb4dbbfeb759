package record

import (
	"crypto/sha256"

	"github.com/syncline-io/syncline/causal"
)

// changeReader reads the parts of one change.
type changeReader struct {
	cborReader
	r *SegmentReader
}

// shape returns the shape of a group. In a whole segment groups and origins are numbered
// in the order of their first mention, so that there is one encoding only.
func (p *changeReader) shape(group uint64) *Shape {
	r := p.r
	if group >= uint64(len(r.shapes)) || r.shapes[group] == nil || (!r.trimmed && group > r.nextGroup) {
		p.fail("group of change")
		return &Shape{}
	}
	if group == r.nextGroup {
		r.nextGroup++
	}
	return r.shapes[group]
}

func (p *changeReader) number() causal.Origin {
	n, r := p.uint("origin"), p.r
	if n >= uint64(len(r.origins.origins)) || (!r.trimmed && n > r.nextOrigin) {
		p.fail("origin")
		return causal.Origin{}
	}
	if n == r.nextOrigin {
		r.nextOrigin++
	}
	return r.origins.origins[n]
}

func (p *changeReader) pairs(what string) int {
	n := p.array(what)
	if n%2 != 0 {
		p.fail(what)
		return 0
	}
	return n / 2
}

func (p *changeReader) context(dst []causal.Dot) []causal.Dot {
	for range p.pairs("context") {
		d := causal.Dot{Origin: p.number(), Seq: p.uint("context")}
		if p.failed != "" {
			return nil
		}
		dst = append(dst, d)
	}
	return dst
}

func (p *changeReader) birth() causal.Dot {
	if p.array("birth") != 2 {
		p.fail("birth")
	}
	d := causal.Dot{Origin: p.number(), Seq: p.uint("birth")}
	if d == p.r.header.Dot {
		p.fail("birth")
	}
	return d
}

func (p *changeReader) fields(dst []FieldStamp, own FieldStamp, count int) []FieldStamp {
	if p.array("writes") != 2 {
		p.fail("writes")
	}
	table := &p.r.writes
	table.reset(own)
	for range p.pairs("writes") {
		w := FieldStamp{Origin: p.number(), Stamp: causal.Stamp(p.uint("write"))}
		if _, known := table.place(w); known {
			p.fail("writes")
		}
		if p.failed != "" {
			return nil
		}
	}
	if p.array("fields") != count {
		p.fail("fields")
	}
	next := uint64(1)
	for range count {
		place := p.uint("field")
		if place > next || place >= uint64(len(table.writes)) {
			p.fail("field")
		}
		if p.failed != "" {
			return nil
		}
		if place == next {
			next++
		}
		dst = append(dst, table.writes[place])
	}
	if next != uint64(len(table.writes)) || next == 1 {
		p.fail("writes")
	}
	return dst
}

func (p *changeReader) seen(dst []Seen) []Seen {
	n := p.pairs("seen")
	if n == 0 {
		p.fail("seen")
	}
	for range n {
		s := Seen{Origin: p.number(), Stamp: causal.Stamp(p.uint("seen"))}
		if p.failed != "" {
			return nil
		}
		dst = append(dst, s)
	}
	return dst
}

// chunked reads the size and hashes of an image that would make the change, now of length
// bytes, too long for a segment.
func (p *changeReader) chunked(length int) LargeInfo {
	around := length - len(p.b)
	if p.array("chunked image") != 2 {
		p.fail("chunked image")
	}
	size, hashes, rest, ok := readChunks(p.b)
	if p.failed != "" || !ok || len(rest) > 0 || int64(around)+size <= maxChange {
		p.fail("chunked image")
		return LargeInfo{}
	}
	p.b = nil
	info := LargeInfo{Size: size, Hashes: make([]causal.Hash, len(hashes)/sha256.Size)}
	for i := range info.Hashes {
		copy(info.Hashes[i][:], hashes[i*sha256.Size:])
	}
	return info
}
