package record

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Key is the memcomparable encoding of a tuple of values (docs/format/keys.md): keys are
// equal exactly when the database calls them equal, and bytes.Compare orders them by
// numbers, then text, then bytes. Integers and floats of the same value are one key.
//
// No encoded value is the beginning of another, so the key of a tuple is the keys of its
// values one after the other, and a shorter tuple's key is the prefix of exactly those it
// begins.
type Key []byte

// MaxKeySize bounds the encoded bytes of a key, so that a change always fits a segment.
const MaxKeySize = 1 << 19

// ErrKey reports a value that cannot be part of a key.
var ErrKey = errors.New("not a key value")

// Collation says which texts a database calls equal.
type Collation uint8

// The collations. NoCase takes the 26 ASCII letters of either case as equal; RTrim
// ignores spaces at the end.
const (
	Binary Collation = iota
	NoCase
	RTrim
)

// The first byte of an encoded value. Those of numbers are in keynumber.go.
const (
	keyText  = 0x90
	keyBytes = 0xa0
)

// Texts and bytes end in keyEnd. A byte that is keyEnd or keyEscape is written as
// keyEscape and the byte plus one, so that keyEnd is less than all that can stand there.
const (
	keyEnd    = 0x00
	keyEscape = 0x01
)

// AppendKeyValue appends one value to the key of a tuple. Text is folded by the collation
// first; text and raw text of the same bytes are the same key. [ErrKey] reports null,
// NaN, what is too large for [MaxKeySize], a merge state, and a NUL inside a NoCase text
// (databases disagree with themselves about what equals it); k is then returned as it was.
func AppendKeyValue(k Key, v Value, c Collation) (Key, error) {
	was := len(k)
	switch v.kind {
	case Int:
		k = appendKeyInt(k, v.Int())
	case Float:
		f := v.Float()
		if f != f {
			return k, fmt.Errorf("NaN: %w", ErrKey)
		}
		k = appendKeyFloat(k, f)
	case Text, RawText:
		if len(v.raw) > MaxKeySize {
			return k, fmt.Errorf("text of %d bytes: %w", len(v.raw), ErrKey)
		}
		raw := v.raw
		switch c {
		case NoCase:
			if bytes.IndexByte(raw, 0) >= 0 {
				return k, fmt.Errorf("NUL in a text compared without case: %w", ErrKey)
			}
		case RTrim:
			raw = bytes.TrimRight(raw, " ")
		}
		start := len(k) + 1
		k = appendKeyString(k, keyText, raw)
		if c == NoCase { // escapes are no letters, so folding can come after them
			for i, b := range k[start:] {
				k[start+i] = lower(b)
			}
		}
	case Bytes:
		if len(v.raw) > MaxKeySize {
			return k, fmt.Errorf("%d bytes: %w", len(v.raw), ErrKey)
		}
		k = appendKeyString(k, keyBytes, v.raw)
	default:
		return k, fmt.Errorf("%v: %w", v, ErrKey)
	}
	if len(k) > MaxKeySize {
		return k[:was], fmt.Errorf("key of %d bytes: %w", len(k), ErrKey)
	}
	return k, nil
}

// Values returns the values of the key as they were folded: numbers that are integral
// and fit as Int, other numbers as Float, text as Text or RawText. They do not alias k
// where it holds escapes. Bytes that no tuple encodes to are [ErrCorrupt].
func (k Key) Values() ([]Value, error) {
	if len(k) > MaxKeySize {
		return nil, corrupt("key size")
	}
	var vs []Value
	for b := []byte(k); len(b) > 0; {
		v, rest, err := decodeKeyValue(b)
		if err != nil {
			return nil, err
		}
		vs = append(vs, v)
		b = rest
	}
	return vs, nil
}

// Check reports whether k is the key of a tuple of at least one value.
func (k Key) Check() error {
	if len(k) == 0 || len(k) > MaxKeySize {
		return corrupt("key size")
	}
	for b := []byte(k); len(b) > 0; {
		_, rest, err := decodeKeyValue(b)
		if err != nil {
			return err
		}
		b = rest
	}
	return nil
}

func decodeKeyValue(b []byte) (v Value, rest []byte, err error) {
	switch b[0] {
	case keyText, keyBytes:
		raw, rest, ok := readKeyString(b[1:])
		if !ok {
			return Value{}, nil, corrupt("key string")
		}
		switch {
		case b[0] == keyBytes:
			return BytesValue(raw), rest, nil
		case utf8.Valid(raw):
			return Value{kind: Text, raw: raw}, rest, nil
		default:
			return Value{kind: RawText, raw: raw}, rest, nil
		}
	default:
		return decodeKeyNumber(b)
	}
}

func appendKeyString(k []byte, first byte, raw []byte) []byte {
	k = append(k, first)
	for {
		i := 0
		for i < len(raw) && raw[i] > keyEscape {
			i++
		}
		k = append(k, raw[:i]...)
		if i == len(raw) {
			return append(k, keyEnd)
		}
		k = append(k, keyEscape, raw[i]+1)
		raw = raw[i+1:]
	}
}

func readKeyString(b []byte) (raw, rest []byte, ok bool) {
	end := bytes.IndexByte(b, keyEnd)
	if end < 0 {
		return nil, nil, false
	}
	raw, rest = b[:end:end], b[end+1:]
	if bytes.IndexByte(raw, keyEscape) < 0 {
		return raw, rest, true
	}
	plain := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != keyEscape {
			plain = append(plain, raw[i])
			continue
		}
		i++
		if i == len(raw) || raw[i] > keyEscape+1 {
			return nil, nil, false
		}
		plain = append(plain, raw[i]-1)
	}
	return plain, rest, true
}
