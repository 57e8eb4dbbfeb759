package record

import (
	"encoding/binary"

	"github.com/syncline-io/syncline/causal"
)

// versionReader reads one version from the front of b. The first thing that is wrong
// stays in failed, and what is read after that is zero.
type versionReader struct {
	b      []byte
	d      Dict
	failed string
}

// version reads into v, using its memory, and says whether another version follows. The
// last image takes all that is left.
func (r *versionReader) version(v *Version) (more bool) {
	fields, seen := v.Fields[:0], v.Seen[:0]
	head := r.byte()
	more = head&versionMore != 0
	if head&0x80 != 0 {
		r.fail("head")
	}
	*v = Version{Flags: Flags(head) & versionFlags}
	v.Dot = causal.Dot{Origin: r.origin(), Seq: r.uvarint("seq")}
	v.Stamp = r.stamp()
	v.Birth = v.Dot
	if v.Flags&Bury == 0 {
		v.Shape = r.shape()
	}
	if head&versionExtras != 0 {
		r.extras(v, head, fields, seen)
	}
	if v.Flags&Bury == 0 {
		v.Image = r.image(v.Shape, more)
	}
	return more
}

func (r *versionReader) extras(v *Version, head byte, fields []FieldStamp, seen []Seen) {
	size := r.uvarint("extras")
	if size > uint64(len(r.b)) {
		r.fail("extras")
	}
	if r.failed != "" {
		return
	}
	after := r.b[size:]
	r.b = r.b[:size]
	if head&versionBirth != 0 {
		v.Birth = causal.Dot{Origin: r.origin(), Seq: r.uvarint("birth")}
		if v.Birth == v.Dot {
			r.fail("birth")
		}
	}
	if head&versionFields != 0 {
		v.Fields = r.fields(v, fields)
	}
	if head&versionSeen != 0 {
		v.Seen = r.seen(seen)
	}
	if len(r.b) > 0 {
		r.fail("extras")
	}
	r.b = after
}

func (r *versionReader) fields(v *Version, dst []FieldStamp) []FieldStamp {
	count := r.uvarint("writes")
	if v.Shape == nil || count == 0 || count > uint64(len(v.Shape.Fields)) || count > uint64(len(r.b)) {
		r.fail("writes")
		return nil
	}
	var few [8]FieldStamp
	table := writeTable{writes: few[:0]}
	table.reset(FieldStamp{v.Stamp, v.Dot.Origin})
	for range count {
		w := FieldStamp{Origin: r.origin(), Stamp: r.stamp()}
		if _, known := table.place(w); known {
			r.fail("writes")
		}
		if r.failed != "" {
			return nil
		}
	}
	writes := table.writes
	next := uint64(1)
	for range v.Shape.Fields {
		place := r.uvarint("field")
		if place > next || place >= uint64(len(writes)) {
			r.fail("field")
		}
		if r.failed != "" {
			return nil
		}
		if place == next {
			next++
		}
		dst = append(dst, writes[place])
	}
	if next != uint64(len(writes)) {
		r.fail("writes")
	}
	return dst
}

func (r *versionReader) seen(dst []Seen) []Seen {
	count := r.uvarint("seen")
	if count == 0 || count > uint64(len(r.b)) {
		r.fail("seen")
		return nil
	}
	for i := range count {
		s := Seen{Origin: r.origin(), Stamp: r.stamp()}
		if i > 0 && dst[i-1].Origin.Compare(s.Origin) >= 0 {
			r.fail("order of seen")
		}
		if r.failed != "" {
			return nil
		}
		dst = append(dst, s)
	}
	return dst
}

func (r *versionReader) image(s *Shape, sized bool) Image {
	image := r.b
	r.b = nil
	if sized {
		r.b = image
		size := r.uvarint("image")
		if size > uint64(len(r.b)) {
			r.fail("image")
			return nil
		}
		image, r.b = r.b[:size:size], r.b[size:]
	}
	if n, err := Image(image).Len(); err != nil || s == nil || n != len(s.Fields) {
		r.fail("image")
		return nil
	}
	return Image(image)
}

func (r *versionReader) fail(what string) {
	if r.failed == "" {
		r.failed = what
	}
}

func (r *versionReader) byte() byte {
	if len(r.b) == 0 {
		r.fail("head")
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *versionReader) uvarint(what string) uint64 {
	u, n := binary.Uvarint(r.b)
	if n <= 0 || (n > 1 && r.b[n-1] == 0) { // a last byte of 0 says nothing: not shortest
		r.fail(what)
		return 0
	}
	r.b = r.b[n:]
	return u
}

func (r *versionReader) stamp() causal.Stamp {
	if len(r.b) < stampSize {
		r.fail("stamp")
		return 0
	}
	s := causal.Stamp(binary.BigEndian.Uint64(r.b))
	r.b = r.b[stampSize:]
	return s
}

func (r *versionReader) origin() causal.Origin {
	id := r.uvarint("origin")
	o, ok := r.d.Origin(id)
	if !ok {
		r.fail("origin")
	}
	return o
}

func (r *versionReader) shape() *Shape {
	id := r.uvarint("shape")
	s, ok := r.d.Shape(id)
	if !ok {
		r.fail("shape")
	}
	return s
}
