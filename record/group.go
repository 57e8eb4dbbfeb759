package record

import "slices"

// groupTable numbers the shapes of a segment in the order they are first met, and holds
// their encodings one after the other.
type groupTable struct {
	groups  []*Shape
	ends    []int // in encoded
	encoded []byte
	last    int
}

func (t *groupTable) reset() { t.truncate(0) }

// truncate forgets all groups from the n-th on.
func (t *groupTable) truncate(n int) {
	t.groups, t.ends, t.last = t.groups[:n], t.ends[:n], 0
	end := 0
	if n > 0 {
		end = t.ends[n-1]
	}
	t.encoded = t.encoded[:end]
}

// number returns the number of a shape. Shapes of the same names are one group.
func (t *groupTable) number(s *Shape) int {
	if t.last < len(t.groups) && t.groups[t.last] == s {
		return t.last
	}
	for i, g := range t.groups {
		if g == s || (g.Table == s.Table && slices.Equal(g.Fields, s.Fields)) {
			t.last = i
			return i
		}
	}
	t.encoded = appendShape(t.encoded, s)
	t.groups = append(t.groups, s)
	t.ends = append(t.ends, len(t.encoded))
	t.last = len(t.groups) - 1
	return t.last
}

// appendShape appends a shape as [table, [fields...]].
func appendShape(b []byte, s *Shape) []byte {
	b = appendHead(b, majorArray, 2)
	b = appendString(b, Text, []byte(s.Table))
	b = appendHead(b, majorArray, uint64(len(s.Fields)))
	for _, f := range s.Fields {
		b = appendString(b, Text, []byte(f))
	}
	return b
}

// skipShape returns what follows the shape at the front of b, looking at no names.
func skipShape(b []byte) (rest []byte, ok bool) {
	two, b, ok := readArray(b)
	if !ok || two != 2 {
		return nil, false
	}
	if _, b, ok = readString(b, majorText); !ok {
		return nil, false
	}
	n, b, ok := readArray(b)
	for i := 0; ok && i < n; i++ {
		_, b, ok = readString(b, majorText)
	}
	return b, ok
}

// decodeShape reads one whole shape, in memory of its own.
func decodeShape(b []byte) (*Shape, error) {
	two, b, ok := readArray(b)
	if !ok || two != 2 {
		return nil, corrupt("shape")
	}
	table, b, ok := readString(b, majorText)
	if !ok {
		return nil, corrupt("table of shape")
	}
	n, b, ok := readArray(b)
	if !ok {
		return nil, corrupt("fields of shape")
	}
	s := &Shape{Table: string(table), Fields: make([]string, n)}
	for i := range s.Fields {
		var field []byte
		if field, b, ok = readString(b, majorText); !ok {
			return nil, corrupt("field of shape")
		}
		s.Fields[i] = string(field)
	}
	if err := s.check(); err != nil || len(b) > 0 {
		return nil, corrupt("names of shape")
	}
	return s, nil
}
