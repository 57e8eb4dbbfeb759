package record

import (
	"fmt"
	"slices"

	"github.com/syncline-io/syncline/causal"
)

// The bits of a change's head: the op, the flags Derived and Loose, and which of the
// parts that an ordinary change does not have follow.
const (
	changeOp      = 0x03
	changeDerived = 0x04
	changeLoose   = 0x08
	changeBirth   = 0x10
	changeFields  = 0x20
	changeSeen    = 0x40
	changeChunked = 0x80

	changeParts = 4 // head, group, key, context
)

// check says why c cannot be a change of the commit at dot. It looks at the image only if
// that is not elsewhere.
func (c *Change) check(dot causal.Dot, elsewhere bool) error {
	v := &c.Version
	switch {
	case c.Op > OpBury:
		return fmt.Errorf("op %d: %w", c.Op, ErrChange)
	case len(c.Key) == 0 || len(c.Key) > MaxKeySize:
		return fmt.Errorf("key of %d bytes: %w", len(c.Key), ErrChange)
	case v.Shape == nil:
		return fmt.Errorf("no shape: %w", ErrChange)
	}
	for i, d := range c.Context {
		if d.Seq == 0 || (i > 0 && c.Context[i-1].Compare(d) >= 0) {
			return fmt.Errorf("context out of order: %w", ErrChange)
		}
		if d.Origin == dot.Origin && d.Seq >= dot.Seq {
			return fmt.Errorf("context names %v, which is not before %v: %w", d, dot, ErrChange)
		}
	}
	if c.Op == OpDelete {
		return nil
	}
	if b := v.Birth; b.Seq == 0 || (b.Origin == dot.Origin && b.Seq > dot.Seq) {
		return fmt.Errorf("birth %v: %w", b, ErrChange)
	}
	for i, s := range v.Seen {
		if i > 0 && v.Seen[i-1].Origin.Compare(s.Origin) >= 0 {
			return fmt.Errorf("seen out of order: %w", ErrChange)
		}
	}
	if c.Op == OpBury {
		return nil
	}
	n, err := len(v.Shape.Fields), error(nil)
	if !elsewhere {
		n, err = v.Image.Len()
	}
	if err != nil || n != len(v.Shape.Fields) || (v.Fields != nil && len(v.Fields) != n) {
		return fmt.Errorf("image, fields and shape differ in length: %w", ErrChange)
	}
	return nil
}

// appendContext appends the dots as one flat array of origin numbers and seqs.
func (t *originTable) appendContext(b []byte, context []causal.Dot) []byte {
	b = appendHead(b, majorArray, uint64(2*len(context)))
	for _, d := range context {
		b = appendHead(b, majorUint, t.number(d.Origin))
		b = appendHead(b, majorUint, d.Seq)
	}
	return b
}

// appendWrites appends the distinct writes of the fields that are not own, and then for
// each field the number of its write.
func (t *originTable) appendWrites(b []byte, table *writeTable, own FieldStamp, fields []FieldStamp) []byte {
	table.reset(own)
	for _, f := range fields {
		table.place(f)
	}
	b = appendHead(b, majorArray, 2)
	b = appendHead(b, majorArray, uint64(2*len(table.writes)-2))
	for _, w := range table.writes[1:] {
		b = appendHead(b, majorUint, t.number(w.Origin))
		b = appendHead(b, majorUint, uint64(w.Stamp))
	}
	b = appendHead(b, majorArray, uint64(len(fields)))
	for _, f := range fields {
		place, _ := table.place(f)
		b = appendHead(b, majorUint, uint64(place))
	}
	return b
}

func (t *originTable) appendSeen(b []byte, seen []Seen) []byte {
	b = appendHead(b, majorArray, uint64(2*len(seen)))
	for _, s := range seen {
		b = appendHead(b, majorUint, t.number(s.Origin))
		b = appendHead(b, majorUint, uint64(s.Stamp))
	}
	return b
}

// originTable numbers the origins of a segment: the commit's own is 0, the others count
// from 1 in the order they are first met.
type originTable struct {
	origins []causal.Origin
	numbers map[causal.Origin]uint64
}

func (t *originTable) reset(own causal.Origin) {
	t.origins = append(t.origins[:0], own)
	if t.numbers == nil {
		t.numbers = make(map[causal.Origin]uint64)
	}
	clear(t.numbers)
	t.numbers[own] = 0
}

func (t *originTable) number(o causal.Origin) uint64 {
	if o == t.origins[0] {
		return 0
	}
	n, ok := t.numbers[o]
	if !ok {
		n = uint64(len(t.origins))
		t.numbers[o] = n
		t.origins = append(t.origins, o)
	}
	return n
}

// truncate forgets all origins from the n-th on.
func (t *originTable) truncate(n int) {
	for _, o := range t.origins[n:] {
		delete(t.numbers, o)
	}
	t.origins = t.origins[:n]
}

// dependencies collects the highest dot per origin.
type dependencies map[causal.Origin]uint64

func (d dependencies) add(dot causal.Dot) {
	if dot.Seq > d[dot.Origin] {
		d[dot.Origin] = dot.Seq
	}
}

// sorted lists the dots of all origins but own.
func (d dependencies) sorted(own causal.Origin) []causal.Dot {
	var dots []causal.Dot
	for o, seq := range d {
		if o != own {
			dots = append(dots, causal.Dot{Origin: o, Seq: seq})
		}
	}
	slices.SortFunc(dots, causal.Dot.Compare)
	return dots
}
