package record

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/syncline-io/syncline/causal"
)

// Total is what one origin has added to a [Counter] in all, up to its stamp.
type Total struct {
	Origin causal.Origin
	Stamp  causal.Stamp
	Total  Value // Int or Float
}

// Element is one member of a [Set] and the origin that added it.
type Element struct {
	Element Value // Null, Int, Float, Text, RawText or Bytes of at most ChunkSize
	Origin  causal.Origin
	Stamp   causal.Stamp
}

// ErrState reports totals or elements that make no counter or set.
var ErrState = errors.New("not a merge state")

// CounterValue returns the counter of the totals, which may be in any order. Two totals
// of one origin, or one that is no number, are [ErrState].
func CounterValue(totals []Total) (Value, error) {
	totals = slices.Clone(totals)
	slices.SortFunc(totals, func(x, y Total) int { return x.Origin.Compare(y.Origin) })
	b := appendHead(nil, majorArray, uint64(len(totals)))
	for i, t := range totals {
		if t.Total.kind != Int && t.Total.kind != Float {
			return Value{}, fmt.Errorf("counter total of kind %d: %w", t.Total.kind, ErrState)
		}
		if i > 0 && totals[i-1].Origin == t.Origin {
			return Value{}, fmt.Errorf("two counter totals of %v: %w", t.Origin, ErrState)
		}
		b = appendHead(b, majorArray, 3)
		b = appendOrigin(b, t.Origin)
		b = appendHead(b, majorUint, uint64(t.Stamp))
		b = AppendValue(b, t.Total)
	}
	return Value{kind: Counter, raw: b}, nil
}

// SetValue returns the set of the elements, which may be in any order. One element added
// twice by one origin, or one that is no scalar, is [ErrState].
func SetValue(elements []Element) (Value, error) {
	type encoded struct {
		bytes []byte
		*Element
	}
	all := make([]encoded, len(elements))
	for i := range elements {
		e := &elements[i]
		if e.Element.kind >= Large || len(e.Element.raw) > ChunkSize {
			return Value{}, fmt.Errorf("set element of kind %d: %w", e.Element.kind, ErrState)
		}
		all[i] = encoded{AppendValue(nil, e.Element), e}
	}
	compare := func(x, y encoded) int {
		if c := bytes.Compare(x.bytes, y.bytes); c != 0 {
			return c
		}
		return x.Origin.Compare(y.Origin)
	}
	slices.SortFunc(all, compare)
	b := appendHead(nil, majorArray, uint64(len(all)))
	for i, e := range all {
		if i > 0 && compare(all[i-1], e) == 0 {
			return Value{}, fmt.Errorf("set element twice by %v: %w", e.Origin, ErrState)
		}
		b = appendHead(b, majorArray, 3)
		b = append(b, e.bytes...)
		b = appendOrigin(b, e.Origin)
		b = appendHead(b, majorUint, uint64(e.Stamp))
	}
	return Value{kind: Set, raw: b}, nil
}

// Totals returns a counter's totals, sorted by origin. It fails with [ErrCorrupt] for a
// value of another kind.
func (v Value) Totals() ([]Total, error) {
	if v.kind != Counter {
		return nil, corrupt("value is no counter")
	}
	var all []Total
	_, err := readTotals(v.raw, func(t Total) { all = append(all, t) })
	return all, err
}

// Elements returns a set's elements, sorted by their bytes, then by origin. They alias v.
// It fails with [ErrCorrupt] for a value of another kind.
func (v Value) Elements() ([]Element, error) {
	if v.kind != Set {
		return nil, corrupt("value is no set")
	}
	var all []Element
	_, err := readElements(v.raw, func(e Element) { all = append(all, e) })
	return all, err
}

// Plain returns what an endpoint is shown of v: the sum of a counter, the members of a
// set as the text of a JSON array, every other value itself. A sum is an Int as long as
// all totals are and it fits, and otherwise the Float of adding up in order of origin.
func (v Value) Plain() Value {
	switch v.kind {
	case Counter:
		return v.sum()
	case Set:
		return Value{kind: Text, raw: v.appendMembers(nil)}
	default:
		return v
	}
}

func (v Value) sum() Value {
	exact, isInt, float := int64(0), true, 0.0
	// The raw of a Counter was checked when the value was made.
	_, _ = readTotals(v.raw, func(t Total) {
		if t.Total.kind == Float {
			isInt = false
			float += t.Total.Float()
			return
		}
		i := t.Total.Int()
		float += float64(i)
		if (i > 0 && exact > math.MaxInt64-i) || (i < 0 && exact < math.MinInt64-i) {
			isInt = false
		}
		exact += i
	})
	if isInt {
		return IntValue(exact)
	}
	return FloatValue(float)
}

// appendMembers appends the distinct members of a set as a JSON array.
func (v Value) appendMembers(b []byte) []byte {
	b = append(b, '[')
	var last *Value
	_, _ = readElements(v.raw, func(e Element) {
		if last != nil {
			if last.Equal(e.Element) {
				return
			}
			b = append(b, ',')
		}
		last = &e.Element
		b = e.Element.AppendJSON(b)
	})
	return append(b, ']')
}

// readTotals reads the content of a Counter's tag.
func readTotals(b []byte, each func(Total)) (rest []byte, err error) {
	n, b, ok := readArray(b)
	if !ok {
		return nil, corrupt("counter")
	}
	var last causal.Origin
	for i := range n {
		var t Total
		three, rest, ok := readArray(b)
		if !ok || three != 3 {
			return nil, corrupt("counter total")
		}
		if t.Origin, rest, ok = readOrigin(rest); !ok || (i > 0 && last.Compare(t.Origin) >= 0) {
			return nil, corrupt("counter origin")
		}
		if t.Stamp, rest, ok = readStamp(rest); !ok {
			return nil, corrupt("counter stamp")
		}
		if t.Total, rest, err = DecodeValue(rest); err != nil || (t.Total.kind != Int && t.Total.kind != Float) {
			return nil, corrupt("counter total")
		}
		if each != nil {
			each(t)
		}
		last, b = t.Origin, rest
	}
	return b, nil
}

// readElements reads the content of a Set's tag.
func readElements(b []byte, each func(Element)) (rest []byte, err error) {
	n, b, ok := readArray(b)
	if !ok {
		return nil, corrupt("set")
	}
	var last causal.Origin
	var lastBytes []byte
	for i := range n {
		var e Element
		three, rest, ok := readArray(b)
		if !ok || three != 3 || isTag(rest, tagLarge) || isTag(rest, tagCounter) || isTag(rest, tagSet) {
			return nil, corrupt("set element")
		}
		start := rest
		if e.Element, rest, err = DecodeValue(rest); err != nil {
			return nil, err
		}
		encoded := start[:len(start)-len(rest)]
		if e.Origin, rest, ok = readOrigin(rest); !ok {
			return nil, corrupt("set origin")
		}
		if i > 0 {
			if c := bytes.Compare(lastBytes, encoded); c > 0 || (c == 0 && last.Compare(e.Origin) >= 0) {
				return nil, corrupt("set order")
			}
		}
		if e.Stamp, rest, ok = readStamp(rest); !ok {
			return nil, corrupt("set stamp")
		}
		if each != nil {
			each(e)
		}
		last, lastBytes, b = e.Origin, encoded, rest
	}
	return b, nil
}

// isTag reports whether b starts with the tag. Checking it before decoding keeps merge
// states from nesting.
func isTag(b []byte, tag uint64) bool {
	major, n, size := readHead(b)
	return size != 0 && major == majorTag && n == tag
}

func appendOrigin(b []byte, o causal.Origin) []byte {
	return o.Append(appendHead(b, majorBytes, causal.OriginSize))
}

func readOrigin(b []byte) (o causal.Origin, rest []byte, ok bool) {
	raw, rest, ok := readFixed(b, causal.OriginSize)
	if !ok {
		return o, nil, false
	}
	o, err := causal.OriginFromBytes(raw)
	return o, rest, err == nil
}

func readStamp(b []byte) (s causal.Stamp, rest []byte, ok bool) {
	n, rest, ok := readUint(b)
	return causal.Stamp(n), rest, ok
}
