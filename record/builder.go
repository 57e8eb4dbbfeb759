package record

import (
	"errors"
	"fmt"
	"slices"

	"github.com/syncline-io/syncline/causal"
)

// Builder encodes one commit: changes in, segments and at last the header out, in the
// memory of about two segments however many changes there are. It is not safe for
// concurrent use.
type Builder struct {
	// Chunks is handed the chunks of an image that is too long for a segment; data
	// aliases the image. When nil, such an image is [ErrTooLarge].
	Chunks func(hash causal.Hash, data []byte) error

	header Header
	emit   func(index int, segment []byte) error
	err    error

	changes []byte // the encoded changes of the open segment, each a byte string
	count   int    // of them
	origins originTable
	groups  groupTable
	writes  writeTable
	deps    dependencies

	segment []byte
	scratch []byte
	hasher  segmentHasher
	root    node
}

// NewBuilder begins a commit. Of h it takes everything but Root, Segments and Changes;
// h.Deps are the dependencies that do not show in a context or birth. emit is handed each
// segment once it is full, in order from 0; the slice is valid until emit returns.
func NewBuilder(h Header, emit func(index int, segment []byte) error) *Builder {
	b := &Builder{deps: make(dependencies)}
	b.Reset(h, emit)
	return b
}

// Reset begins another commit in the same memory.
func (b *Builder) Reset(h Header, emit func(index int, segment []byte) error) {
	b.header, b.emit, b.err = h, emit, nil
	b.header.Root, b.header.Segments, b.header.Changes = causal.Hash{}, 0, 0
	clear(b.deps)
	for _, d := range h.Deps {
		b.deps.add(d)
	}
	b.root.begin(rootMark)
	b.open()
}

// Add encodes one change; its memory may be used again after the return. A change that
// breaks the rules of [Change] is [ErrChange], one that does not fit a segment is
// [ErrTooLarge]; neither adds anything. An error of emit or Chunks is returned from then
// on by every call.
func (b *Builder) Add(c *Change) error {
	if b.err != nil {
		return b.err
	}
	if err := c.check(b.header.Dot, false); err != nil {
		return err
	}
	err := b.add(c)
	if errors.Is(err, errFull) {
		if err = b.flush(); err == nil {
			err = b.add(c)
		}
		if errors.Is(err, errFull) {
			return fmt.Errorf("change with %d dots of context and %d fields: %w",
				len(c.Context), len(c.Version.Shape.Fields), ErrTooLarge)
		}
	}
	if err != nil {
		return err
	}
	for _, d := range c.Context {
		b.deps.add(d)
	}
	if c.Op != OpDelete {
		b.deps.add(c.Version.Birth)
	}
	b.header.Changes++
	return nil
}

// Finish emits the last segment and returns the header and its hash, which is the
// commit's.
func (b *Builder) Finish() (Header, causal.Hash, error) {
	h := &b.header
	switch {
	case b.err != nil:
		return Header{}, causal.Hash{}, b.err
	case h.Dot.Seq == 0 || (h.Dot.Seq == 1) != (h.Prev == causal.Hash{}):
		return Header{}, causal.Hash{}, fmt.Errorf("seq %d with previous hash %x: %w", h.Dot.Seq, h.Prev, ErrChange)
	case len(h.Meta) > MaxMeta:
		return Header{}, causal.Hash{}, fmt.Errorf("meta of %d bytes: %w", len(h.Meta), ErrTooLarge)
	}
	if b.count > 0 {
		if err := b.flush(); err != nil {
			return Header{}, causal.Hash{}, err
		}
	}
	h.Root = b.root.end()
	h.Deps = b.deps.sorted(h.Dot.Origin)
	b.scratch = AppendHeader(b.scratch[:0], h)
	return *h, HeaderHash(b.scratch), nil
}

// errFull says that a change does not fit the open segment any more.
var errFull = errors.New("segment is full")

// open begins an empty segment.
func (b *Builder) open() {
	b.changes, b.count = b.changes[:0], 0
	b.origins.reset(b.header.Dot.Origin)
	b.groups.reset()
}

// add appends the change to the open segment, or leaves that as it was, with errFull if
// an empty one might do.
func (b *Builder) add(c *Change) (err error) {
	origins, groups := len(b.origins.origins), len(b.groups.groups)
	defer func() {
		if err != nil {
			b.origins.truncate(origins)
			b.groups.truncate(groups)
		}
	}()
	group := b.groups.number(c.Version.Shape)
	if group == groups { // the shape's first change in this segment
		if err := c.Version.Shape.check(); err != nil {
			return fmt.Errorf("%w: %w", ErrChange, err)
		}
	}
	if err := b.encode(c, group, false); err != nil {
		return err
	}
	if len(b.scratch) > maxChange && c.Op == OpPut {
		if err := b.encode(c, group, true); err != nil {
			return err
		}
	}
	size := len(b.scratch)
	switch {
	case size > maxChange:
		return fmt.Errorf("change of %d bytes: %w", size, ErrTooLarge)
	case b.size()+headSize(uint64(size))+size > SegmentSize:
		return errFull
	}
	b.changes = appendBytes(b.changes, b.scratch)
	b.count++
	return nil
}

// size is the encoded size of the open segment, taking the longest head for its count.
func (b *Builder) size() int {
	origins := (len(b.origins.origins) - 1) * causal.OriginSize
	return 1 + headSize(uint64(origins)) + origins +
		headSize(uint64(len(b.groups.groups))) + len(b.groups.encoded) +
		headSize(SegmentSize) + len(b.changes)
}

// encode writes the change to scratch, its image in chunks if chunked.
func (b *Builder) encode(c *Change, group int, chunked bool) error {
	v := &c.Version
	head, parts := uint64(c.Op), uint64(changeParts)
	if v.Flags&Derived != 0 {
		head |= changeDerived
	}
	if v.Flags&Loose != 0 {
		head |= changeLoose
	}
	own := FieldStamp{b.header.Stamp, b.header.Dot.Origin}
	if c.Op != OpDelete {
		if v.Birth != b.header.Dot {
			head |= changeBirth
			parts++
		}
		if c.Op == OpPut && slices.ContainsFunc(v.Fields, func(f FieldStamp) bool { return f != own }) {
			head |= changeFields
			parts++
		}
		if len(v.Seen) > 0 {
			head |= changeSeen
			parts++
		}
	}
	if c.Op == OpPut {
		parts++
	}
	if chunked {
		head |= changeChunked
	}
	out := appendHead(b.scratch[:0], majorArray, parts)
	out = appendHead(out, majorUint, head)
	out = appendHead(out, majorUint, uint64(group))
	out = appendBytes(out, c.Key)
	out = b.origins.appendContext(out, c.Context)
	if head&changeBirth != 0 {
		out = appendHead(out, majorArray, 2)
		out = appendHead(out, majorUint, b.origins.number(v.Birth.Origin))
		out = appendHead(out, majorUint, v.Birth.Seq)
	}
	if head&changeFields != 0 {
		out = b.origins.appendWrites(out, &b.writes, own, v.Fields)
	}
	if head&changeSeen != 0 {
		out = b.origins.appendSeen(out, v.Seen)
	}
	var err error
	switch {
	case chunked:
		out, err = b.appendChunked(out, v.Image)
	case c.Op == OpPut:
		out = append(out, v.Image...)
	}
	b.scratch = out
	return err
}

// appendChunked appends the size of an image and the hashes of its chunks.
func (b *Builder) appendChunked(out []byte, im Image) ([]byte, error) {
	if b.Chunks == nil {
		return out, fmt.Errorf("image of %d bytes: %w", len(im), ErrTooLarge)
	}
	out = appendHead(out, majorArray, 2)
	out = appendHead(out, majorUint, uint64(len(im)))
	out, err := appendChunks(out, im, b.Chunks)
	if err != nil {
		b.err = fmt.Errorf("keep chunk of image: %w", err)
	}
	return out, b.err
}

// flush hashes and emits the open segment and opens the next one.
func (b *Builder) flush() error {
	if b.count == 0 {
		return nil
	}
	b.segment = appendHead(b.segment[:0], majorArray, segmentParts)
	others := b.origins.origins[1:]
	b.segment = appendHead(b.segment, majorBytes, uint64(len(others)*causal.OriginSize))
	for _, o := range others {
		b.segment = o.Append(b.segment)
	}
	b.segment = appendHead(b.segment, majorArray, uint64(len(b.groups.groups)))
	b.segment = append(b.segment, b.groups.encoded...)
	b.segment = appendHead(b.segment, majorArray, uint64(b.count))
	b.segment = append(b.segment, b.changes...)

	hash, err := b.hasher.hash(b.segment)
	if err != nil {
		return err
	}
	b.root.add(hash[:])
	index := b.header.Segments
	b.header.Segments++
	b.open()
	if err := b.emit(int(index), b.segment); err != nil {
		b.err = fmt.Errorf("emit segment %d: %w", index, err)
	}
	return b.err
}
