package record

import (
	"crypto/sha256"

	"github.com/syncline-io/syncline/causal"
)

const (
	segmentParts = 3 // origins, groups, items
	hashSize     = sha256.Size
)

// segmentView is a segment taken apart: one walk over its outline, no look inside.
type segmentView struct {
	origins []byte   // the encoded byte string
	groups  [][]byte // each encoded shape; nil where it was left out
	items   []byte   // the encoded items, one after the other
	count   int      // of items
	trimmed bool     // a group was left out, or the whole segment
	hash    []byte   // of a segment left out as a whole; all else is empty then
}

// parse reads the outline of a segment, in memory that is used again.
func (s *segmentView) parse(seg []byte) error {
	*s = segmentView{groups: s.groups[:0]}
	if len(seg) > SegmentSize {
		return corrupt("segment size")
	}
	if hash, rest, ok := readFixed(seg, hashSize); ok && len(rest) == 0 {
		s.hash, s.trimmed = hash, true
		return nil
	}
	n, b, ok := readArray(seg)
	if !ok || n != segmentParts {
		return corrupt("segment")
	}
	raw, rest, ok := readString(b, majorBytes)
	if !ok || len(raw)%causal.OriginSize != 0 {
		return corrupt("segment origins")
	}
	s.origins, b = b[:len(b)-len(rest)], rest
	if n, b, ok = readArray(b); !ok {
		return corrupt("segment groups")
	}
	for range n {
		if len(b) > 0 && b[0] == cborNull {
			s.groups, s.trimmed = append(s.groups, nil), true
			b = b[1:]
			continue
		}
		if rest, ok = skipShape(b); !ok {
			return corrupt("segment group")
		}
		s.groups, b = append(s.groups, b[:len(b)-len(rest)]), rest
	}
	if s.count, s.items, ok = readArray(b); !ok || s.count == 0 {
		return corrupt("segment items")
	}
	return nil
}

// readItem reads one item of a segment: the bytes of a change, or the hashes of a run of
// changes that were left out.
func readItem(b []byte) (change, left, rest []byte, ok bool) {
	if change, rest, ok = readString(b, majorBytes); ok {
		return change, nil, rest, true
	}
	n, b, ok := readArray(b)
	if !ok || n != 1 {
		return nil, nil, nil, false
	}
	left, rest, ok = readString(b, majorBytes)
	return nil, left, rest, ok && len(left) > 0 && len(left)%hashSize == 0
}

// readChangeHead reads what a change starts with: its number of parts, head and group.
func readChangeHead(change []byte) (parts int, head, group uint64, rest []byte, ok bool) {
	if parts, rest, ok = readArray(change); !ok {
		return 0, 0, 0, nil, false
	}
	if head, rest, ok = readUint(rest); !ok {
		return 0, 0, 0, nil, false
	}
	group, rest, ok = readUint(rest)
	return parts, head, group, rest, ok
}

// segmentHasher hashes segments, in memory that it uses again.
type segmentHasher struct {
	view   segmentView
	groups []causal.Hash
	leaf   node
	whole  node
}

// SegmentHash returns the hash of a segment, whole, trimmed or left out: all have the
// same. It checks the outline of the segment and nothing inside the changes.
func SegmentHash(seg []byte) (causal.Hash, error) {
	var h segmentHasher
	return h.hash(seg)
}

func (h *segmentHasher) hash(seg []byte) (causal.Hash, error) {
	v := &h.view
	if err := v.parse(seg); err != nil {
		return causal.Hash{}, err
	}
	if v.hash != nil {
		return causal.Hash(v.hash), nil
	}
	h.groups = h.groups[:0]
	for _, g := range v.groups {
		h.groups = append(h.groups, h.leaf.groupHash(v.origins, g))
	}
	h.whole.begin(segmentMark)
	b := v.items
	for range v.count {
		change, left, rest, ok := readItem(b)
		if !ok {
			return causal.Hash{}, corrupt("segment item")
		}
		b = rest
		if left != nil {
			h.whole.add(left)
			continue
		}
		_, _, group, _, ok := readChangeHead(change)
		if !ok || group >= uint64(len(v.groups)) || v.groups[group] == nil {
			return causal.Hash{}, corrupt("group of change")
		}
		leaf := h.leaf.leafHash(&h.groups[group], change)
		h.whole.add(leaf[:])
	}
	if len(b) > 0 {
		return causal.Hash{}, corrupt("segment tail")
	}
	return h.whole.end(), nil
}

// TrimSegment returns a segment of the same hash with only those changes that keep wants;
// of the others it has the hashes, of tables without a change left not even the name. The
// result is seg itself when all are kept, and just the segment's hash when none is. The
// arguments of keep are valid until it returns.
func TrimSegment(seg []byte, keep func(table string, k Key) bool) ([]byte, error) {
	hash, err := SegmentHash(seg)
	if err != nil {
		return nil, err
	}
	var v segmentView
	if err := v.parse(seg); err != nil || v.hash != nil {
		return seg, err
	}
	t := trimmer{view: &v, shapes: make([]*Shape, len(v.groups)), used: make([]bool, len(v.groups))}
	if err := t.trim(keep); err != nil {
		return nil, err
	}
	switch {
	case t.kept == 0:
		return appendBytes(nil, hash[:]), nil
	case t.dropped == 0:
		return seg, nil
	}
	return t.assemble(), nil
}

// trimmer sorts the items of a segment into those that stay and the hashes of the others.
type trimmer struct {
	view    *segmentView
	shapes  []*Shape
	used    []bool
	node    node
	items   []byte
	run     []byte // hashes of changes left out since the last item
	count   int
	kept    int
	dropped int
}

func (t *trimmer) trim(keep func(table string, k Key) bool) error {
	for i, g := range t.view.groups {
		if g == nil {
			continue
		}
		var err error
		if t.shapes[i], err = decodeShape(g); err != nil {
			return err
		}
	}
	b := t.view.items
	for range t.view.count {
		change, left, rest, _ := readItem(b)
		b = rest
		if left != nil {
			t.run = append(t.run, left...)
			continue
		}
		_, _, group, body, _ := readChangeHead(change)
		key, _, ok := readString(body, majorBytes)
		if !ok {
			return corrupt("key of change")
		}
		if !keep(t.shapes[group].Table, Key(key)) {
			hash := t.node.groupHash(t.view.origins, t.view.groups[group])
			hash = t.node.leafHash(&hash, change)
			t.run = append(t.run, hash[:]...)
			t.dropped++
			continue
		}
		t.endRun()
		t.items = appendBytes(t.items, change)
		t.count++
		t.kept++
		t.used[group] = true
	}
	t.endRun()
	return nil
}

func (t *trimmer) endRun() {
	if len(t.run) == 0 {
		return
	}
	t.items = appendHead(t.items, majorArray, 1)
	t.items = appendBytes(t.items, t.run)
	t.run = t.run[:0]
	t.count++
}

func (t *trimmer) assemble() []byte {
	out := appendHead(nil, majorArray, segmentParts)
	out = append(out, t.view.origins...)
	out = appendHead(out, majorArray, uint64(len(t.view.groups)))
	for i, g := range t.view.groups {
		if t.used[i] {
			out = append(out, g...)
		} else {
			out = append(out, cborNull)
		}
	}
	out = appendHead(out, majorArray, uint64(t.count))
	return append(out, t.items...)
}
