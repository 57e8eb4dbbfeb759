package record

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Shape says what the values of an image mean: the table, and the fields in the order of
// their values. Fields are sorted by their lower-case form (ASCII) and unique under it,
// so that two databases that declare the same columns in another order share a shape.
// Key fields are fields like any other.
type Shape struct {
	Table  string
	Fields []string
}

// ErrShape reports a table or field names that make no shape.
var ErrShape = errors.New("not a shape")

// NewShape returns the shape of a table. It sorts a copy of fields; a name twice (ASCII
// case aside), empty, or not UTF-8 is [ErrShape].
func NewShape(table string, fields []string) (*Shape, error) {
	fields = slices.Clone(fields)
	slices.SortFunc(fields, compareFolded)
	s := &Shape{Table: table, Fields: fields}
	return s, s.check()
}

// check says which rule of shapes s breaks.
func (s *Shape) check() error {
	if s.Table == "" || !utf8.ValidString(s.Table) {
		return fmt.Errorf("table %q: %w", s.Table, ErrShape)
	}
	for i, f := range s.Fields {
		if f == "" || !utf8.ValidString(f) {
			return fmt.Errorf("field %q of %q: %w", f, s.Table, ErrShape)
		}
		if i > 0 && compareFolded(s.Fields[i-1], f) >= 0 {
			return fmt.Errorf("field %q after %q in %q: %w", f, s.Fields[i-1], s.Table, ErrShape)
		}
	}
	return nil
}

// Index returns the position of a field, whatever its ASCII case, or -1.
func (s *Shape) Index(field string) int {
	if i, ok := slices.BinarySearchFunc(s.Fields, field, compareFolded); ok {
		return i
	}
	return -1
}

// Equal reports whether images of s and t mean the same: the same table and fields,
// ASCII case aside.
func (s *Shape) Equal(t *Shape) bool {
	if s == t {
		return true
	}
	return s != nil && t != nil && compareFolded(s.Table, t.Table) == 0 &&
		slices.EqualFunc(s.Fields, t.Fields, func(f, g string) bool { return compareFolded(f, g) == 0 })
}

// Reshape returns the image of shape from as one of shape to: fields are matched by name,
// those that only from has go, those that only to has are missing. The result is im
// itself when the fields are the same, else memory of its own. An image of another length
// than from is [ErrCorrupt].
func Reshape(im Image, from, to *Shape, missing Value) (Image, error) {
	n, b, ok := readArray(im)
	if !ok || n != len(from.Fields) {
		return nil, corrupt("image of another shape")
	}
	if slices.EqualFunc(from.Fields, to.Fields, func(f, g string) bool { return compareFolded(f, g) == 0 }) {
		return im, nil
	}
	out := appendHead(make([]byte, 0, len(im)+9), majorArray, uint64(len(to.Fields)))
	i := 0
	for _, field := range from.Fields {
		rest, ok := skipValue(b)
		if !ok {
			return nil, corrupt("image value")
		}
		for i < len(to.Fields) && compareFolded(to.Fields[i], field) < 0 {
			out = AppendValue(out, missing)
			i++
		}
		if i < len(to.Fields) && compareFolded(to.Fields[i], field) == 0 {
			out = append(out, b[:len(b)-len(rest)]...)
			i++
		}
		b = rest
	}
	if len(b) > 0 {
		return nil, corrupt("image tail")
	}
	for ; i < len(to.Fields); i++ {
		out = AppendValue(out, missing)
	}
	return Image(slices.Clip(out)), nil
}

// compareFolded compares with the ASCII upper-case letters lowered.
func compareFolded(a, b string) int {
	for i := range min(len(a), len(b)) {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
