package record

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"unicode/utf8"
)

// Kind is the type of a [Value].
type Kind uint8

// The kinds of values. Text is valid UTF-8; RawText is what a database calls text and is
// not. Large stands for a Text, RawText or Bytes of more than [ChunkSize] bytes, kept as
// content-addressed chunks. Counter and Set are merge states, see docs/format/records.md;
// an endpoint never sees them.
const (
	Null Kind = iota
	Int
	Float
	Text
	Bytes
	RawText
	Large
	Counter
	Set
)

// ChunkSize is the size of every chunk of a large value but its last.
const ChunkSize = 1 << 20

// ErrCorrupt reports bytes that are not the encoding they should be.
var ErrCorrupt = errors.New("corrupt encoding")

// Value is one typed value. The zero Value is null. Values alias the bytes they were
// decoded from or made of.
type Value struct {
	kind Kind
	num  uint64
	raw  []byte
}

// NullValue returns null.
func NullValue() Value { return Value{} }

// IntValue returns a 64-bit integer.
func IntValue(i int64) Value { return Value{kind: Int, num: uint64(i)} }

// FloatValue returns a 64-bit float. Negative zero and the infinities are values of
// their own; every NaN is the same value.
func FloatValue(f float64) Value { return Value{kind: Float, num: math.Float64bits(f)} }

// TextValue returns text; bytes that are not UTF-8 become RawText.
func TextValue(s []byte) Value {
	if !utf8.Valid(s) {
		return Value{kind: RawText, raw: s}
	}
	return Value{kind: Text, raw: s}
}

// BytesValue returns bytes.
func BytesValue(b []byte) Value { return Value{kind: Bytes, raw: b} }

// Kind returns the value's kind.
func (v Value) Kind() Kind { return v.kind }

// Int returns the integer of an Int.
func (v Value) Int() int64 { return int64(v.num) }

// Float returns the float of a Float.
func (v Value) Float() float64 { return math.Float64frombits(v.num) }

// Raw returns the content of Text, RawText and Bytes, and the CBOR content of Large,
// Counter and Set. It is not the caller's to change.
func (v Value) Raw() []byte { return v.raw }

// Equal reports whether v and w are the same value: the same canonical bytes. The Int 1
// and the Float 1 are not, nor are the two zeros; every NaN is.
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind {
		return false
	}
	if v.kind == Float && v.num != w.num {
		return math.IsNaN(v.Float()) && math.IsNaN(w.Float())
	}
	return v.num == w.num && bytes.Equal(v.raw, w.raw)
}

// Compare orders values for rules: null, then numbers by their exact value (NaN first,
// the two zeros alike, a counter as its sum), then text by its bytes, then bytes, then
// sets. A large value comes after all inline ones of its kind, by its hashes: an order
// that every node agrees on, not that of the content.
func (v Value) Compare(w Value) int {
	v, w = v.comparable(), w.comparable()
	if r, s := v.rank(), w.rank(); r != s {
		return int(r) - int(s)
	}
	if v.kind == Int || v.kind == Float {
		return compareNumbers(v, w)
	}
	return bytes.Compare(v.raw, w.raw)
}

func (v Value) comparable() Value {
	if v.kind == Counter {
		return v.sum()
	}
	return v
}

// rank orders values of different classes.
func (v Value) rank() uint8 {
	switch v.kind {
	case Null:
		return 0
	case Int, Float, Counter:
		return 1
	case Text, RawText:
		return 2
	case Bytes:
		return 4
	case Large:
		if head, _, err := readLarge(v.raw); err == nil && head.kind != Bytes {
			return 3
		}
		return 5
	default:
		return 6
	}
}

// compareNumbers compares two numbers, each Int or Float, by their exact values.
func compareNumbers(v, w Value) int {
	switch {
	case v.kind == Int && w.kind == Int:
		return cmp.Compare(v.Int(), w.Int())
	case v.kind == Float && w.kind == Float:
		return cmp.Compare(v.Float(), w.Float())
	case v.kind == Int:
		return compareIntFloat(v.Int(), w.Float())
	default:
		return -compareIntFloat(w.Int(), v.Float())
	}
}

// compareIntFloat compares without converting i, which could round it.
func compareIntFloat(i int64, f float64) int {
	switch {
	case f != f || f < -1<<63:
		return 1
	case f >= 1<<63:
		return -1
	}
	whole := math.Trunc(f)
	if c := cmp.Compare(i, int64(whole)); c != 0 {
		return c
	}
	return cmp.Compare(whole, f)
}
