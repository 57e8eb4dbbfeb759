package record_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

func TestValueRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := genValue().Draw(t, "v")
		b := record.AppendValue([]byte{0xaa}, v)
		w, rest, err := record.DecodeValue(append(b[1:], 0xbb))
		if err != nil || !bytes.Equal(rest, []byte{0xbb}) {
			t.Fatalf("decode %v of %x: rest %x, %v", v, b, rest, err)
		}
		if !v.Equal(w) || v.Compare(w) != 0 || v.Kind() != w.Kind() {
			t.Fatalf("decoded %v (kind %d) as %v (kind %d)", v, v.Kind(), w, w.Kind())
		}
	})
}

func TestValueEqualIsCanonicalBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := genValue().Draw(t, "v"), genValue().Draw(t, "w")
		same := bytes.Equal(record.AppendValue(nil, v), record.AppendValue(nil, w))
		if v.Equal(w) != same {
			t.Fatalf("%v.Equal(%v) = %v, bytes equal: %v", v, w, v.Equal(w), same)
		}
	})
}

// oracle is the CBOR library in the mode whose bytes ours must be.
func oracle(t *testing.T) (cbor.EncMode, cbor.DecMode) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	dec, err := cbor.DecOptions{}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	return enc, dec
}

// native is v as the oracle's Go value.
func native(v record.Value) any {
	switch v.Kind() {
	case record.Int:
		return v.Int()
	case record.Float:
		return v.Float()
	case record.Text:
		return string(v.Raw())
	case record.Bytes:
		return v.Raw()
	case record.RawText:
		return cbor.Tag{Number: 0x53594c01, Content: v.Raw()}
	default:
		return nil
	}
}

func TestScalarsAreTheOraclesBytes(t *testing.T) {
	enc, dec := oracle(t)
	rapid.Check(t, func(t *rapid.T) {
		v := genScalar().Draw(t, "v")
		ours := record.AppendValue(nil, v)
		theirs, err := enc.Marshal(native(v))
		if err != nil || !bytes.Equal(ours, theirs) {
			t.Fatalf("%v: ours %x, oracle %x, %v", v, ours, theirs, err)
		}
		var back any
		if err := dec.Unmarshal(ours, &back); err != nil {
			t.Fatalf("oracle refuses %x: %v", ours, err)
		}
		again, err := enc.Marshal(back)
		if err != nil || !bytes.Equal(again, ours) {
			t.Fatalf("oracle reads %x as %#v", ours, back)
		}
	})
}

func TestCompositesAreDeterministicCBOR(t *testing.T) {
	enc, dec := oracle(t)
	rapid.Check(t, func(t *rapid.T) {
		ours := record.AppendValue(nil, genValue().Draw(t, "v"))
		var back any
		if err := dec.Unmarshal(ours, &back); err != nil {
			t.Fatalf("oracle refuses %x: %v", ours, err)
		}
		again, err := enc.Marshal(back)
		if err != nil || !bytes.Equal(again, ours) {
			t.Fatalf("oracle writes %x for %x", again, ours)
		}
	})
}

// What the oracle takes and writes back the same is ours too, or is no value of ours.
func TestDecodeAgreesWithOracle(t *testing.T) {
	enc, dec := oracle(t)
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.OneOf(
			rapid.SliceOfN(rapid.Byte(), 1, 12),
			rapid.Map(genScalar(), func(v record.Value) []byte { return record.AppendValue(nil, v) }),
		).Draw(t, "b")
		if len(b) > 1 && rapid.Bool().Draw(t, "flip") {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		}
		v, rest, err := record.DecodeValue(b)
		if err != nil {
			return
		}
		b = b[:len(b)-len(rest)]
		var back any
		if err := dec.Unmarshal(b, &back); err != nil {
			t.Fatalf("we read %x as %v, oracle: %v", b, v, err)
		}
		again, err := enc.Marshal(back)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("we read %x as %v, oracle writes %x", b, v, again)
		}
	})
}

func TestEveryHalf(t *testing.T) {
	for h := range 1 << 16 {
		b := []byte{0xf9, byte(h >> 8), byte(h)}
		v, _, err := record.DecodeValue(b)
		isNaN := h&0x7c00 == 0x7c00 && h&0x3ff != 0
		if (err != nil) != (isNaN && h != 0x7e00) {
			t.Fatalf("half %04x: %v", h, err)
		}
		if err == nil && !bytes.Equal(record.AppendValue(nil, v), b) {
			t.Fatalf("half %04x reads as %v, writes as %x", h, v, record.AppendValue(nil, v))
		}
	}
}

func TestDecodeValueRefuses(t *testing.T) {
	long := func(head []byte, n int) []byte { return append(head, make([]byte, n)...) }
	tag := func(n byte, content ...byte) []byte {
		return append([]byte{0xda, 0x53, 0x59, 0x4c, n}, content...)
	}
	tests := map[string][]byte{
		"nothing":                     {},
		"integer not shortest":        {0x18, 0x17},
		"16 bits for 8":               {0x19, 0x00, 0xff},
		"64 bits for 32":              {0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff},
		"above int64":                 {0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0},
		"below int64":                 {0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0},
		"cut integer":                 {0x1a, 1, 2, 3},
		"reserved info":               {0x1c},
		"indefinite text":             {0x7f, 0x61, 'a', 0xff},
		"text not UTF-8":              {0x61, 0xff},
		"cut text":                    {0x62, 'a'},
		"true":                        {0xf5},
		"undefined":                   {0xf7},
		"float64 that is a half":      {0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0},
		"float64 that is a single":    {0xfb, 0x36, 0xa0, 0, 0, 0, 0, 0, 0},
		"float32 that is a half":      {0xfa, 0x3f, 0x80, 0, 0},
		"another NaN":                 {0xf9, 0x7e, 0x01},
		"wide NaN":                    {0xfa, 0x7f, 0xc0, 0, 0},
		"array":                       {0x80},
		"map":                         {0xa0},
		"foreign tag":                 {0xc0, 0x60},
		"bytes that must be large":    long([]byte{0x5a, 0x00, 0x10, 0x00, 0x01}, record.ChunkSize+1),
		"raw text that is UTF-8":      tag(1, 0x41, 'a'),
		"raw text of text":            tag(1, 0x61, 'a'),
		"large of another kind":       tag(2, 0x83, 3, 0x1a, 0x00, 0x10, 0x00, 0x01, 0x58, 0x40),
		"large that is small":         tag(2, append([]byte{0x83, 2, 1, 0x58, 0x20}, make([]byte, 32)...)...),
		"large without its hashes":    tag(2, append([]byte{0x83, 2, 0x1a, 0, 0x10, 0, 1, 0x58, 0x20}, make([]byte, 32)...)...),
		"large of absurd size":        tag(2, 0x83, 2, 0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x40),
		"counter of text":             tag(3, append(append([]byte{0x81, 0x83, 0x54}, make([]byte, 20)...), 0, 0x60)...),
		"set of sets":                 tag(4, append(append([]byte{0x81, 0x83}, tag(4, 0x80)...), append(append([]byte{0x54}, make([]byte, 20)...), 0)...)...),
		"counter of an endless array": tag(3, 0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
	}
	for name, b := range tests {
		if v, _, err := record.DecodeValue(b); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("%s: got %v, %v, want ErrCorrupt", name, v, err)
		}
	}
}

func TestIntegerLimits(t *testing.T) {
	for _, i := range []int64{
		0, 23, 24, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt64,
		-1, -24, -25, -256, -257, -65536, -65537, -1 << 32, -1<<32 - 1, math.MinInt64,
	} {
		v, rest, err := record.DecodeValue(record.AppendValue(nil, record.IntValue(i)))
		if err != nil || v.Int() != i || len(rest) > 0 {
			t.Errorf("%d came back as %v, %v", i, v, err)
		}
	}
}

func TestDeepNestingIsRefusedQuickly(t *testing.T) {
	b := bytes.Repeat([]byte{0xda, 0x53, 0x59, 0x4c, 4, 0x81, 0x83}, 100_000)
	if _, _, err := record.DecodeValue(b); !errors.Is(err, record.ErrCorrupt) {
		t.Fatalf("got %v", err)
	}
}
