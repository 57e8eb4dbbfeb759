package record

import (
	"crypto/sha256"
	"fmt"

	"github.com/syncline-io/syncline/causal"
)

// SegmentReader reads the changes of one segment after the other. It is not safe for
// concurrent use.
type SegmentReader struct {
	// Chunks returns the chunk of a hash, for images too long for a segment. When nil,
	// such a change comes with a nil Image and [SegmentReader.Chunked] says what it is.
	Chunks func(causal.Hash) ([]byte, error)

	header  *Header
	view    segmentView
	origins originTable
	shapes  []*Shape
	known   map[string]*knownShape // by encoding, so that equal groups share a shape
	resets  uint64
	writes  writeTable

	items   []byte
	left    int // items not read
	omitted int
	trimmed bool // groups and origins may be numbered with gaps
	inRun   bool // the last item was a run of changes left out

	nextOrigin uint64
	nextGroup  uint64
	chunked    LargeInfo
}

// ReadSegment begins to read a segment of the commit of h, whole, trimmed or left out.
// The reader aliases seg and h.
func ReadSegment(seg []byte, h *Header) (*SegmentReader, error) {
	r := new(SegmentReader)
	return r, r.Reset(seg, h)
}

// Reset begins another segment in the same memory. Segments of equal tables and fields
// get the same shapes.
func (r *SegmentReader) Reset(seg []byte, h *Header) error {
	r.header = h
	r.items, r.left, r.omitted, r.inRun = nil, 0, 0, false
	r.nextOrigin, r.nextGroup = 1, 0
	if err := r.view.parse(seg); err != nil {
		return err
	}
	r.trimmed = r.view.trimmed
	if r.view.hash != nil {
		return nil
	}
	raw, _, _ := readString(r.view.origins, majorBytes)
	r.origins.reset(h.Dot.Origin)
	for n := uint64(1); len(raw) > 0; n++ {
		o, err := causal.OriginFromBytes(raw[:causal.OriginSize])
		if err != nil || r.origins.number(o) != n {
			return corrupt("segment origins") // one is there twice
		}
		raw = raw[causal.OriginSize:]
	}
	r.shapes = r.shapes[:0]
	r.resets++
	if r.known == nil || len(r.known) >= maxKnown {
		r.known = make(map[string]*knownShape)
	}
	for _, g := range r.view.groups {
		s, err := r.shape(g)
		if err != nil {
			return err
		}
		r.shapes = append(r.shapes, s)
	}
	r.items, r.left = r.view.items, r.view.count
	return nil
}

// knownShape is a shape and the last segment, by number of resets, that had it.
type knownShape struct {
	*Shape
	segment uint64
}

// maxKnown is at how many shapes a reader forgets those of earlier segments.
const maxKnown = 1024

// shape decodes a group, or finds it; nil for one that was left out.
func (r *SegmentReader) shape(group []byte) (*Shape, error) {
	if group == nil {
		return nil, nil
	}
	known, ok := r.known[string(group)]
	switch {
	case !ok:
		s, err := decodeShape(group)
		if err != nil {
			return nil, err
		}
		known = &knownShape{Shape: s}
		r.known[string(group)] = known
	case known.segment == r.resets:
		return nil, corrupt("group twice")
	}
	known.segment = r.resets
	return known.Shape, nil
}

// Omitted returns how many changes Next has passed that were left out.
func (r *SegmentReader) Omitted() int { return r.omitted }

// Trimmed reports whether something of the segment is known to be left out.
func (r *SegmentReader) Trimmed() bool { return r.trimmed }

// Chunked says what the image of the last change is when it is in chunks: Size bytes
// with the hashes in order. ok is false for an image in the segment. Kind means nothing.
func (r *SegmentReader) Chunked() (info LargeInfo, ok bool) { return r.chunked, r.chunked.Size > 0 }

// Next reads the next change into c, using the memory of its slices, and returns false
// after the last one. Key and Image alias the segment. It does not look into keys and
// images: see [Key.Check] and [Image.Check]. Bytes that no [Builder] wrote are
// [ErrCorrupt], a chunk of other content is [ErrHash].
func (r *SegmentReader) Next(c *Change) (bool, error) {
	r.chunked = LargeInfo{}
	for r.left > 0 {
		change, left, rest, ok := readItem(r.items)
		if !ok || (left != nil && r.inRun) {
			return false, corrupt("segment item")
		}
		r.items, r.inRun = rest, left != nil
		r.left--
		if left != nil {
			r.omitted += len(left) / hashSize
			r.trimmed = true
			continue
		}
		return true, r.change(c, change)
	}
	if len(r.items) > 0 {
		return false, corrupt("segment tail")
	}
	if !r.trimmed && (r.nextOrigin != uint64(len(r.origins.origins)) || r.nextGroup != uint64(len(r.shapes))) {
		return false, corrupt("origin or group that no change names")
	}
	return false, nil
}

func (r *SegmentReader) change(c *Change, change []byte) error {
	context, fields, seen := c.Context[:0], c.Version.Fields[:0], c.Version.Seen[:0]
	*c = Change{}
	parts, head, group, body, ok := readChangeHead(change)
	if !ok || head > 0xff || len(change) > maxChange {
		return corrupt("head of change")
	}
	p := changeReader{cborReader: cborReader{b: body}, r: r}
	v := &c.Version
	v.Shape = p.shape(group)
	c.Op = Op(head & changeOp)
	c.Key = Key(p.bytes("key"))
	c.Context = p.context(context)
	if head&changeDerived != 0 {
		v.Flags |= Derived
	}
	if head&changeLoose != 0 {
		v.Flags |= Loose
	}
	want := changeParts
	switch c.Op {
	case OpPut:
		want++
	case OpDelete:
		if head >= changeBirth {
			p.fail("head of delete")
		}
	case OpBury:
		if head&(changeFields|changeChunked) != 0 {
			p.fail("head of bury")
		}
		v.Flags |= Bury
	}
	if c.Op != OpDelete {
		v.Dot, v.Stamp, v.Birth = r.header.Dot, r.header.Stamp, r.header.Dot
	}
	if head&changeBirth != 0 {
		want++
		v.Birth = p.birth()
	}
	if head&changeFields != 0 {
		want++
		v.Fields = p.fields(fields, FieldStamp{r.header.Stamp, r.header.Dot.Origin}, len(v.Shape.Fields))
	}
	if head&changeSeen != 0 {
		want++
		v.Seen = p.seen(seen)
	}
	if parts != want {
		p.fail("length of change")
	}
	switch {
	case p.failed != "" || c.Op != OpPut:
		if len(p.b) > 0 {
			p.fail("tail of change")
		}
	case head&changeChunked == 0:
		v.Image, p.b = Image(p.b), nil
	default:
		r.chunked = p.chunked(len(change))
	}
	if p.failed != "" {
		return corrupt(p.failed)
	}
	if err := r.assemble(v); err != nil {
		return err
	}
	return r.check(c)
}

// assemble makes a chunked image of its chunks.
func (r *SegmentReader) assemble(v *Version) error {
	if r.Chunks == nil {
		return nil
	}
	for _, hash := range r.chunked.Hashes {
		chunk, err := r.Chunks(hash)
		if err != nil {
			return fmt.Errorf("chunk of image: %w", err)
		}
		if sha256.Sum256(chunk) != hash {
			return fmt.Errorf("chunk of image: %w", ErrHash)
		}
		v.Image = append(v.Image, chunk...)
	}
	if int64(len(v.Image)) != r.chunked.Size && r.chunked.Size > 0 {
		return corrupt("size of chunked image")
	}
	return nil
}

// check applies the rules of a change that the encoding alone does not keep.
func (r *SegmentReader) check(c *Change) error {
	if err := c.check(r.header.Dot, c.Version.Image == nil && r.chunked.Size > 0); err != nil {
		return fmt.Errorf("%w: %w", err, ErrCorrupt)
	}
	return nil
}
