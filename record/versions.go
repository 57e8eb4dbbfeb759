package record

import (
	"encoding/binary"
	"fmt"

	"github.com/syncline-io/syncline/causal"
)

// Dict gives the origins and shapes that a store has seen small numbers, so that they
// need not be repeated in every record. A number never changes its meaning. Methods that
// are handed something new number it; they may be called from several goroutines if the
// store says so.
type Dict interface {
	OriginID(causal.Origin) uint64
	Origin(id uint64) (causal.Origin, bool)
	ShapeID(*Shape) uint64
	Shape(id uint64) (*Shape, bool)
}

// The bits of a version's first byte above its flags.
const (
	versionFlags  = Bury | Derived | Loose
	versionBirth  = 1 << 3 // the birth is another dot
	versionFields = 1 << 4 // fields were written by other versions
	versionSeen   = 1 << 5 // other origins were seen
	versionMore   = 1 << 6 // the image has a length, and a version follows
	versionExtras = versionBirth | versionFields | versionSeen

	stampSize = 8
)

// AppendVersions appends the live versions of a record in the order given
// (docs/format/records.md). The encoding names origins and shapes by their numbers in d,
// has no end of its own, and is empty for no versions. A bury's shape and image are left
// out.
func AppendVersions(b []byte, d Dict, vs []Version) []byte {
	for i := range vs {
		b = appendVersion(b, d, &vs[i], i < len(vs)-1)
	}
	return b
}

func appendVersion(b []byte, d Dict, v *Version, more bool) []byte {
	head := byte(v.Flags & versionFlags)
	if v.Birth != v.Dot {
		head |= versionBirth
	}
	if v.Flags&Bury == 0 && !v.ownFields() {
		head |= versionFields
	}
	if len(v.Seen) > 0 {
		head |= versionSeen
	}
	if more {
		head |= versionMore
	}
	b = append(b, head)
	b = binary.AppendUvarint(b, d.OriginID(v.Dot.Origin))
	b = binary.AppendUvarint(b, v.Dot.Seq)
	b = binary.BigEndian.AppendUint64(b, uint64(v.Stamp))
	if v.Flags&Bury == 0 {
		b = binary.AppendUvarint(b, d.ShapeID(v.Shape))
	}
	if head&versionExtras != 0 {
		b = appendExtras(b, d, v, head)
	}
	if v.Flags&Bury != 0 {
		return b
	}
	if more {
		b = binary.AppendUvarint(b, uint64(len(v.Image)))
	}
	return append(b, v.Image...)
}

// ownFields reports whether every field was written by v itself.
func (v *Version) ownFields() bool {
	own := FieldStamp{v.Stamp, v.Dot.Origin}
	for _, f := range v.Fields {
		if f != own {
			return false
		}
	}
	return true
}

// appendExtras appends what an ordinary version does not have, after its length.
func appendExtras(b []byte, d Dict, v *Version, head byte) []byte {
	start := len(b)
	b = append(b, 0) // one byte for the length; made longer below where needed
	if head&versionBirth != 0 {
		b = binary.AppendUvarint(b, d.OriginID(v.Birth.Origin))
		b = binary.AppendUvarint(b, v.Birth.Seq)
	}
	if head&versionFields != 0 {
		b = appendWrites(b, d, v)
	}
	if head&versionSeen != 0 {
		b = binary.AppendUvarint(b, uint64(len(v.Seen)))
		for _, s := range v.Seen {
			b = binary.AppendUvarint(b, d.OriginID(s.Origin))
			b = binary.BigEndian.AppendUint64(b, uint64(s.Stamp))
		}
	}
	var length [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(length[:], uint64(len(b)-start-1))
	if n > 1 {
		b = append(b, length[1:n]...)
		copy(b[start+n:], b[start+1:len(b)-n+1])
	}
	copy(b[start:], length[:n])
	return b
}

// appendWrites appends the distinct writes in v.Fields that are not v's own, in the order
// they are first met, and for each field the place of its write there counted from 1; 0
// is v's own.
func appendWrites(b []byte, d Dict, v *Version) []byte {
	var few [8]FieldStamp
	table := writeTable{writes: few[:0]}
	table.reset(FieldStamp{v.Stamp, v.Dot.Origin})
	for _, f := range v.Fields {
		table.place(f)
	}
	b = binary.AppendUvarint(b, uint64(len(table.writes)-1))
	for _, w := range table.writes[1:] {
		b = binary.AppendUvarint(b, d.OriginID(w.Origin))
		b = binary.BigEndian.AppendUint64(b, uint64(w.Stamp))
	}
	for _, f := range v.Fields {
		place, _ := table.place(f)
		b = binary.AppendUvarint(b, uint64(place))
	}
	return b
}

// SingleImage is the fast path of a reader: when the encoding holds exactly one version
// it returns the number of its shape, its image (nil for a bury) and its flags, looking
// at nothing else. ok is false otherwise, and for bytes that are no encoding.
func SingleImage(b []byte) (shapeID uint64, image Image, flags Flags, ok bool) {
	if len(b) == 0 || b[0] >= versionMore {
		return 0, nil, 0, false
	}
	head := b[0]
	flags = Flags(head) & versionFlags
	b = b[1:]
	for range 2 { // origin and seq
		_, n := binary.Uvarint(b)
		if n <= 0 {
			return 0, nil, 0, false
		}
		b = b[n:]
	}
	if len(b) < stampSize {
		return 0, nil, 0, false
	}
	b = b[stampSize:]
	if flags&Bury != 0 {
		return 0, nil, flags, true
	}
	shapeID, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, 0, false
	}
	b = b[n:]
	if head&versionExtras != 0 {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return 0, nil, 0, false
		}
		b = b[n+int(size):]
	}
	return shapeID, Image(b), flags, true
}

// DecodeVersions reads what [AppendVersions] wrote with the same d, into dst's memory.
// The images alias b; the memory of dst, and that of the Fields and Seen of its elements
// up to its capacity, is used again, so a version that must outlive the next call is
// [Version.Clone]d. It looks into images no further than their length. Bytes it cannot
// have written are [ErrCorrupt].
func DecodeVersions(b []byte, d Dict, dst []Version) ([]Version, error) {
	dst = dst[:0]
	for len(b) > 0 {
		if len(dst) < cap(dst) {
			dst = dst[:len(dst)+1]
		} else {
			dst = append(dst, Version{})
		}
		r := versionReader{b: b, d: d}
		more := r.version(&dst[len(dst)-1])
		if r.failed == "" && more == (len(r.b) == 0) {
			r.failed = "end"
		}
		if r.failed != "" {
			return dst[:0], fmt.Errorf("%s of version: %w", r.failed, ErrCorrupt)
		}
		b = r.b
	}
	return dst, nil
}
