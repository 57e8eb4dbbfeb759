package record

import (
	"math"
	"unicode/utf8"
)

// The private CBOR tags of values: "SYL" and a number.
const (
	tagRawText = 0x53594c01
	tagLarge   = 0x53594c02
	tagCounter = 0x53594c03
	tagSet     = 0x53594c04

	tagHeadSize = 5
)

// AppendValue appends the canonical encoding of v: deterministic CBOR (RFC 8949 §4.2.1).
// Text, RawText and Bytes of more than [ChunkSize] bytes are written as the [Large] that
// names their chunks; keeping those chunks is the caller's ([ImageWriter.Chunks]).
func AppendValue(b []byte, v Value) []byte {
	switch v.kind {
	case Int:
		return appendInt(b, int64(v.num))
	case Float:
		return appendFloat(b, math.Float64frombits(v.num))
	case Text, Bytes, RawText:
		if len(v.raw) > ChunkSize {
			b, _ = appendLarge(b, v.kind, v.raw, nil)
			return b
		}
		return appendString(b, v.kind, v.raw)
	case Large:
		return append(appendHead(b, majorTag, tagLarge), v.raw...)
	case Counter:
		return append(appendHead(b, majorTag, tagCounter), v.raw...)
	case Set:
		return append(appendHead(b, majorTag, tagSet), v.raw...)
	default:
		return append(b, cborNull)
	}
}

// DecodeValue reads one value from the front of b and returns what follows it. The value
// aliases b. Bytes that are not the canonical encoding of a value are [ErrCorrupt].
func DecodeValue(b []byte) (v Value, rest []byte, err error) {
	size := readValue(b, &v)
	if size == 0 {
		return Value{}, nil, corrupt("value")
	}
	return v, b[size:], nil
}

// readValue reads the value at the front of b into v and says how many bytes it took: 0
// when there is none. Writing in place is what makes reading a row cheap.
func readValue(b []byte, v *Value) int {
	if len(b) == 0 {
		return 0
	}
	var major byte
	var n uint64
	var size int
	if info := b[0] & 31; info < 24 {
		major, n, size = b[0]>>5, uint64(info), 1
	} else if b[0]>>5 == majorOther {
		f, size := readFloat(b)
		*v = FloatValue(f)
		return size
	} else if major, n, size = readHead(b); size == 0 {
		return 0
	}
	switch major {
	case majorUint, majorNeg:
		if n > math.MaxInt64 {
			return 0
		}
		if major == majorNeg {
			n = ^n
		}
		*v = Value{kind: Int, num: n}
		return size
	case majorBytes, majorText:
		if n > uint64(len(b)-size) || n > ChunkSize {
			return 0
		}
		end := size + int(n)
		raw := b[size:end:end]
		*v = Value{kind: Bytes, raw: raw}
		if major == majorText {
			v.kind = Text
			if !utf8.Valid(raw) {
				return 0
			}
		}
		return end
	case majorTag:
		tagged, rest, err := decodeTagged(n, b[size:])
		if err != nil {
			return 0
		}
		*v = tagged
		return len(b) - len(rest)
	case majorOther:
		if b[0] == cborNull {
			*v = Value{}
			return 1
		}
	}
	return 0
}

// skipValue returns what follows the value at the front of b, checking only what it
// must to find the end.
func skipValue(b []byte) (rest []byte, ok bool) {
	if len(b) > 0 && b[0] >= cborFloat16 && b[0] <= cborFloat64 {
		_, size := readFloat(b)
		return b[size:], size > 0
	}
	major, n, size := readHead(b)
	if size == 0 {
		return nil, false
	}
	switch major {
	case majorUint, majorNeg:
		return b[size:], true
	case majorBytes, majorText:
		if n > uint64(len(b)-size) {
			return nil, false
		}
		return b[size+int(n):], true
	}
	var v Value
	size = readValue(b, &v)
	return b[size:], size > 0
}

func appendInt(b []byte, i int64) []byte {
	if i < 0 {
		return appendHead(b, majorNeg, ^uint64(i))
	}
	return appendHead(b, majorUint, uint64(i))
}

// appendString appends a Text, Bytes or RawText of at most ChunkSize bytes.
func appendString(b []byte, kind Kind, raw []byte) []byte {
	major := byte(majorBytes)
	switch kind {
	case Text:
		major = majorText
	case RawText:
		b = appendHead(b, majorTag, tagRawText)
	}
	return append(appendHead(b, major, uint64(len(raw))), raw...)
}

// decodeTagged reads the content of a tag.
func decodeTagged(tag uint64, b []byte) (v Value, rest []byte, err error) {
	switch tag {
	case tagRawText:
		raw, rest, ok := readString(b, majorBytes)
		if !ok || len(raw) > ChunkSize || utf8.Valid(raw) {
			return Value{}, nil, corrupt("raw text")
		}
		return Value{kind: RawText, raw: raw}, rest, nil
	case tagLarge:
		v.kind = Large
		_, rest, err = readLarge(b)
	case tagCounter:
		v.kind = Counter
		rest, err = readTotals(b, nil)
	case tagSet:
		v.kind = Set
		rest, err = readElements(b, nil)
	default:
		return Value{}, nil, corrupt("value tag")
	}
	if err != nil {
		return Value{}, nil, err
	}
	end := len(b) - len(rest)
	v.raw = b[:end:end]
	return v, rest, nil
}
