package record

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// Numbers in keys. A magnitude below 2^63 is an integral part i and a fraction f; it is
// written as the integer m = 2i, or 2i+1 when there is a fraction, in as many bytes as m
// needs, counted by the first byte, and then the fraction as the 8 bytes of its float.
// A magnitude from 2^63 up is written as the 8 bytes of its float. A negative number is
// the complement of its magnitude's bytes, which turns the order around because no
// encoding is the beginning of another.
const (
	keyZero = 0x80 // and keyZero + n for an m of n bytes
	keyBig  = 0x89
)

const floatSize = 8

func appendKeyInt(k []byte, i int64) []byte {
	if i == math.MinInt64 {
		return appendKeyFloat(k, math.MinInt64) // its magnitude is the first big one
	}
	if i < 0 {
		start := len(k)
		k = appendKeyMagnitude(k, uint64(-i)<<1)
		complement(k[start:])
		return k
	}
	return appendKeyMagnitude(k, uint64(i)<<1)
}

func appendKeyFloat(k []byte, f float64) []byte {
	start := len(k)
	magnitude := math.Abs(f)
	if magnitude >= 1<<63 {
		k = binary.BigEndian.AppendUint64(append(k, keyBig), math.Float64bits(magnitude))
	} else {
		whole, fraction := math.Modf(magnitude)
		m := uint64(whole) << 1
		if fraction == 0 {
			k = appendKeyMagnitude(k, m)
		} else {
			k = appendKeyMagnitude(k, m|1)
			k = binary.BigEndian.AppendUint64(k, math.Float64bits(fraction))
		}
	}
	if f < 0 {
		complement(k[start:])
	}
	return k
}

// appendKeyMagnitude appends m in as few bytes as it needs, after the byte counting them.
func appendKeyMagnitude(k []byte, m uint64) []byte {
	n := (bits.Len64(m) + 7) / 8
	k = append(k, keyZero+byte(n))
	for n > 0 {
		n--
		k = append(k, byte(m>>(8*n)))
	}
	return k
}

func complement(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}

// decodeKeyNumber reads one number; b is not empty.
func decodeKeyNumber(b []byte) (v Value, rest []byte, err error) {
	var flip byte
	if b[0] < keyZero {
		flip = 0xff
	}
	first := b[0] ^ flip
	b = b[1:]
	if first == keyBig {
		magnitude, ok := readKeyFloat(b, flip)
		if !ok || !(magnitude >= 1<<63) {
			return Value{}, nil, corrupt("key number")
		}
		if flip == 0 {
			return FloatValue(magnitude), b[floatSize:], nil
		}
		if magnitude == 1<<63 {
			return IntValue(math.MinInt64), b[floatSize:], nil
		}
		return FloatValue(-magnitude), b[floatSize:], nil
	}
	n := int(first) - keyZero
	if n < 0 || n > 8 || len(b) < n || (n == 0 && flip != 0) {
		return Value{}, nil, corrupt("key number")
	}
	m := uint64(0)
	for _, c := range b[:n] {
		m = m<<8 | uint64(c^flip)
	}
	b = b[n:]
	if (bits.Len64(m)+7)/8 != n {
		return Value{}, nil, corrupt("key number")
	}
	whole := m >> 1
	if m&1 == 0 {
		if flip != 0 {
			return IntValue(-int64(whole)), b, nil
		}
		return IntValue(int64(whole)), b, nil
	}
	fraction, ok := readKeyFloat(b, flip)
	if !ok || !(fraction > 0 && fraction < 1) {
		return Value{}, nil, corrupt("key fraction")
	}
	f := float64(whole) + fraction
	if w, r := math.Modf(f); w != float64(whole) || r != fraction || whole >= 1<<53 {
		return Value{}, nil, corrupt("key fraction that no float has")
	}
	if flip != 0 {
		f = -f
	}
	return FloatValue(f), b[floatSize:], nil
}

func readKeyFloat(b []byte, flip byte) (f float64, ok bool) {
	if len(b) < floatSize {
		return 0, false
	}
	bits := binary.BigEndian.Uint64(b)
	if flip != 0 {
		bits = ^bits
	}
	return math.Float64frombits(bits), true
}
