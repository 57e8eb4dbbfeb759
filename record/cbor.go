package record

import (
	"encoding/binary"
	"fmt"
	"math"
)

// CBOR major types, RFC 8949 §3.1.
const (
	majorUint  = 0
	majorNeg   = 1
	majorBytes = 2
	majorText  = 3
	majorArray = 4
	majorTag   = 6
	majorOther = 7
)

// First bytes of the simple values and floats that values use.
const (
	cborNull    = 0xf6
	cborFloat16 = 0xf9
	cborFloat32 = 0xfa
	cborFloat64 = 0xfb
)

// corrupt says what could not be read, as an [ErrCorrupt].
func corrupt(what string) error { return fmt.Errorf("%s: %w", what, ErrCorrupt) }

// appendHead appends a major type and its argument in the shortest form.
func appendHead(b []byte, major byte, n uint64) []byte {
	m := major << 5
	switch {
	case n < 24:
		return append(b, m|byte(n))
	case n <= math.MaxUint8:
		return append(b, m|24, byte(n))
	case n <= math.MaxUint16:
		return append(b, m|25, byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, m|26), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, m|27), n)
	}
}

// headSize is the length of what appendHead appends.
func headSize(n uint64) int {
	switch {
	case n < 24:
		return 1
	case n <= math.MaxUint8:
		return 2
	case n <= math.MaxUint16:
		return 3
	case n <= math.MaxUint32:
		return 5
	default:
		return 9
	}
}

// readHead reads a major type and its argument and says how many bytes they took: 0 when
// b does not start with the shortest form of one.
func readHead(b []byte) (major byte, n uint64, size int) {
	if len(b) == 0 {
		return 0, 0, 0
	}
	major = b[0] >> 5
	info := b[0] & 31
	if info < 24 {
		return major, uint64(info), 1
	}
	switch {
	case info == 24 && len(b) >= 2:
		n, size = uint64(b[1]), 2
	case info == 25 && len(b) >= 3:
		n, size = uint64(binary.BigEndian.Uint16(b[1:])), 3
	case info == 26 && len(b) >= 5:
		n, size = uint64(binary.BigEndian.Uint32(b[1:])), 5
	case info == 27 && len(b) >= 9:
		n, size = binary.BigEndian.Uint64(b[1:]), 9
	default:
		return 0, 0, 0
	}
	if headSize(n) != size {
		return 0, 0, 0
	}
	return major, n, size
}

// readString reads a byte or text string of the given major type. It aliases b.
func readString(b []byte, major byte) (s, rest []byte, ok bool) {
	m, n, size := readHead(b)
	if size == 0 || m != major || n > uint64(len(b)-size) {
		return nil, nil, false
	}
	end := size + int(n)
	return b[size:end:end], b[end:], true
}

// readFixed reads a byte string of exactly n bytes. It aliases b.
func readFixed(b []byte, n int) (s, rest []byte, ok bool) {
	s, rest, ok = readString(b, majorBytes)
	return s, rest, ok && len(s) == n
}

// readUint reads an unsigned integer.
func readUint(b []byte) (n uint64, rest []byte, ok bool) {
	m, n, size := readHead(b)
	if size == 0 || m != majorUint {
		return 0, nil, false
	}
	return n, b[size:], true
}

// readArray reads the head of an array whose elements take at least one byte each.
func readArray(b []byte) (n int, rest []byte, ok bool) {
	m, c, size := readHead(b)
	if size == 0 || m != majorArray || c > uint64(len(b)-size) {
		return 0, nil, false
	}
	return int(c), b[size:], true
}

// appendFloat appends f in the shortest of the three widths that keeps it exactly.
func appendFloat(b []byte, f float64) []byte {
	if f != f {
		return append(b, cborFloat16, 0x7e, 0x00)
	}
	single := float32(f)
	if float64(single) != f {
		return binary.BigEndian.AppendUint64(append(b, cborFloat64), math.Float64bits(f))
	}
	if h, ok := halfBits(single); ok {
		return append(b, cborFloat16, byte(h>>8), byte(h))
	}
	return binary.BigEndian.AppendUint32(append(b, cborFloat32), math.Float32bits(single))
}

// halfBits returns the IEEE 754 half that equals f, if there is one. f is no NaN.
func halfBits(f float32) (uint16, bool) {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	exp := int(bits>>23&0xff) - 127
	frac := bits & (1<<23 - 1)
	switch {
	case bits<<1 == 0:
		return sign, true
	case exp == 128: // infinity
		return sign | 0x7c00, true
	case exp > 15 || exp < -24:
		return 0, false
	case exp >= -14:
		return sign | uint16(exp+15)<<10 | uint16(frac>>13), frac&(1<<13-1) == 0
	}
	// A half without its leading one: the value is mantissa * 2^-24.
	shift := uint(-exp - 1) // 14 for 2^-15 ... 23 for 2^-24
	mantissa := frac | 1<<23
	return sign | uint16(mantissa>>shift), mantissa&(1<<shift-1) == 0
}

// halfFloat returns the value of an IEEE 754 half.
func halfFloat(h uint16) float64 {
	exp := int(h >> 10 & 0x1f)
	frac := float64(h & 0x3ff)
	var f float64
	switch exp {
	case 0:
		f = math.Ldexp(frac, -24)
	case 31:
		f = math.Inf(1)
		if frac != 0 {
			return math.NaN()
		}
	default:
		f = math.Ldexp(frac+1024, exp-25)
	}
	if h&0x8000 != 0 {
		return -f
	}
	return f
}

// readFloat reads a float; b starts with one of the three float bytes. A wider form than
// needed is refused.
func readFloat(b []byte) (f float64, size int) {
	switch {
	case b[0] == cborFloat16 && len(b) >= 3:
		h := binary.BigEndian.Uint16(b[1:])
		f = halfFloat(h)
		if f != f && h != 0x7e00 {
			return 0, 0
		}
		return f, 3
	case b[0] == cborFloat32 && len(b) >= 5:
		single := math.Float32frombits(binary.BigEndian.Uint32(b[1:]))
		if single != single {
			return 0, 0
		}
		if _, ok := halfBits(single); ok {
			return 0, 0
		}
		return float64(single), 5
	case b[0] == cborFloat64 && len(b) >= 9:
		f = math.Float64frombits(binary.BigEndian.Uint64(b[1:]))
		if f != f || float64(float32(f)) == f {
			return 0, 0
		}
		return f, 9
	}
	return 0, 0
}
