package record

import (
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
