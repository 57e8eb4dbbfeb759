package record_test

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

func key(t testing.TB, vs ...record.Value) record.Key {
	t.Helper()
	var k record.Key
	for _, v := range vs {
		k = must[record.Key](t)(record.AppendKeyValue(k, v, record.Binary))
	}
	return k
}

func TestKeyOrderIsValueOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(genKeyable(), 1, 3).Draw(t, "vs")
		ws := rapid.SliceOfN(genKeyable(), 1, 3).Draw(t, "ws")
		if rapid.Bool().Draw(t, "same start") {
			ws[0] = vs[0]
		}
		var k, l record.Key
		for _, v := range vs {
			k, _ = record.AppendKeyValue(k, v, record.Binary)
		}
		for _, w := range ws {
			l, _ = record.AppendKeyValue(l, w, record.Binary)
		}
		want := slices.CompareFunc(vs, ws, record.Value.Compare)
		if got := bytes.Compare(k, l); got != sign(want) {
			t.Fatalf("%v and %v: keys %x and %x compare %d, values %d", vs, ws, k, l, got, want)
		}
	})
}

// One tuple's key begins another's exactly when the tuple does: no value's bytes begin
// another's.
func TestKeyPrefixIsTuplePrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := genKeyable().Draw(t, "v"), genKeyable().Draw(t, "w")
		k, _ := record.AppendKeyValue(nil, v, record.Binary)
		l, _ := record.AppendKeyValue(nil, w, record.Binary)
		if bytes.HasPrefix(k, l) != (v.Compare(w) == 0) {
			t.Fatalf("%v is %x, %v is %x", v, k, w, l)
		}
	})
}

func TestKeyValuesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(genKeyable(), 1, 4).Draw(t, "vs")
		var k record.Key
		for _, v := range vs {
			k, _ = record.AppendKeyValue(k, v, record.Binary)
		}
		back, err := k.Values()
		if err != nil || len(back) != len(vs) {
			t.Fatalf("%x: %v, %v", k, back, err)
		}
		if err := k.Check(); err != nil {
			t.Fatal(err)
		}
		for i, v := range vs {
			if back[i].Compare(v) != 0 || back[i].Kind() == record.Float && isInt64(back[i].Float()) {
				t.Fatalf("%v came back as %v", v, back[i])
			}
		}
	})
}

func isInt64(f float64) bool { return f == math.Trunc(f) && f >= -1<<63 && f < 1<<63 }

func TestKeyBytes(t *testing.T) {
	tests := []struct {
		v    record.Value
		c    record.Collation
		want string
	}{
		{record.IntValue(0), record.Binary, "\x80"},
		{record.FloatValue(math.Copysign(0, -1)), record.Binary, "\x80"},
		{record.IntValue(7), record.Binary, "\x81\x0e"},
		{record.FloatValue(7), record.Binary, "\x81\x0e"},
		{record.IntValue(-1), record.Binary, "\x7e\xfd"},
		{record.IntValue(128), record.Binary, "\x82\x01\x00"},
		{record.FloatValue(7.5), record.Binary, "\x81\x0f\x3f\xe0\x00\x00\x00\x00\x00\x00"},
		{record.FloatValue(-7.5), record.Binary, "\x7e\xf0\xc0\x1f\xff\xff\xff\xff\xff\xff"},
		{record.IntValue(math.MaxInt64), record.Binary, "\x88\xff\xff\xff\xff\xff\xff\xff\xfe"},
		{record.FloatValue(1 << 63), record.Binary, "\x89\x43\xe0\x00\x00\x00\x00\x00\x00"},
		{record.IntValue(math.MinInt64), record.Binary, "\x76\xbc\x1f\xff\xff\xff\xff\xff\xff"},
		{record.FloatValue(math.MinInt64), record.Binary, "\x76\xbc\x1f\xff\xff\xff\xff\xff\xff"},
		{text(""), record.Binary, "\x90\x00"},
		{text("a\x00\x01\x02b"), record.Binary, "\x90a\x01\x01\x01\x02\x02b\x00"},
		{text("Straße "), record.Binary, "\x90Stra\xc3\x9fe \x00"},
		{text("STRAßE Ä"), record.NoCase, "\x90stra\xc3\x9fe \xc3\x84\x00"},
		{text("a \t  "), record.RTrim, "\x90a \t\x00"},
		{text("A\xff"), record.NoCase, "\x90a\xff\x00"},
		{record.BytesValue([]byte("A ")), record.NoCase, "\xa0A \x00"},
		{record.BytesValue([]byte("A ")), record.RTrim, "\xa0A \x00"},
	}
	for _, tt := range tests {
		k, err := record.AppendKeyValue(nil, tt.v, tt.c)
		if err != nil || string(k) != tt.want {
			t.Errorf("key of %v: got %x, %v, want %x", tt.v, k, err, tt.want)
		}
	}
}

func TestKeyRefuses(t *testing.T) {
	set := must[record.Value](t)(record.SetValue(nil))
	tests := map[string]struct {
		v record.Value
		c record.Collation
	}{
		"null":                 {record.NullValue(), record.Binary},
		"NaN":                  {record.FloatValue(math.NaN()), record.Binary},
		"large":                {large(t, record.BytesValue(bigZeros)), record.Binary},
		"long text":            {record.TextValue(bytes.Repeat([]byte("a"), record.MaxKeySize)), record.Binary},
		"long escaped bytes":   {record.BytesValue(bigZeros[:record.MaxKeySize/2]), record.Binary},
		"set":                  {set, record.Binary},
		"NUL in a NoCase text": {record.TextValue([]byte("a\x00b")), record.NoCase},
	}
	for name, tt := range tests {
		k, err := record.AppendKeyValue(record.Key("before"), tt.v, tt.c)
		if !errors.Is(err, record.ErrKey) || string(k) != "before" {
			t.Errorf("%s: got %.20q, %v, want ErrKey", name, k, err)
		}
	}
	if _, err := record.AppendKeyValue(nil, record.TextValue(bytes.Repeat([]byte("a"), record.MaxKeySize-2)), record.Binary); err != nil {
		t.Errorf("longest text: %v", err)
	}
}

func TestKeyValuesRefuses(t *testing.T) {
	for name, k := range map[string]string{
		"unknown first byte":   "\xb0",
		"reserved first byte":  "\x10",
		"between the classes":  "\x8a\x00",
		"negative zero":        "\x7f",
		"cut integer":          "\x82\x01",
		"integer not shortest": "\x82\x00\x0e",
		"cut fraction":         "\x81\x0f\x3f\xe0",
		"fraction of nothing":  "\x81\x0f\x00\x00\x00\x00\x00\x00\x00\x00",
		"fraction of one":      "\x81\x0f\x3f\xf0\x00\x00\x00\x00\x00\x00",
		"fraction too fine":    "\x87\x10\x00\x00\x00\x00\x00\x01\x3f\xe0\x00\x00\x00\x00\x00\x01",
		"fraction of a giant":  "\x88\x40\x00\x00\x00\x00\x00\x00\x01\x3f\xe0\x00\x00\x00\x00\x00\x00",
		"big that is small":    "\x89\x40\x00\x00\x00\x00\x00\x00\x00",
		"big NaN":              "\x89\x7f\xf8\x00\x00\x00\x00\x00\x00",
		"text without end":     "\x90abc",
		"escape at the end":    "\x90a\x01\x00",
		"escape of a letter":   "\x90a\x01\x03\x00",
	} {
		if vs, err := record.Key(k).Values(); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("%s: got %v, %v, want ErrCorrupt", name, vs, err)
		}
	}
}

// The collations fold exactly what SQLite's built-in ones do.
func TestCollationsEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := []rune{'a', 'A', 'z', 'Z', 'ä', 'Ä', ' ', '\t', '@', '[', '1'}
		s := rapid.StringOfN(rapid.SampledFrom(alphabet), 0, 4, -1).Draw(t, "s")
		u := rapid.StringOfN(rapid.SampledFrom(alphabet), 0, 4, -1).Draw(t, "u")
		lower := func(s string) string {
			return strings.Map(func(r rune) rune {
				if 'A' <= r && r <= 'Z' {
					return r + 32
				}
				return r
			}, s)
		}
		for c, fold := range map[record.Collation]func(string) string{
			record.Binary: func(s string) string { return s },
			record.NoCase: lower,
			record.RTrim:  func(s string) string { return strings.TrimRight(s, " ") },
		} {
			k, _ := record.AppendKeyValue(nil, record.TextValue([]byte(s)), c)
			l, _ := record.AppendKeyValue(nil, record.TextValue([]byte(u)), c)
			if got, want := bytes.Compare(k, l), strings.Compare(fold(s), fold(u)); got != want {
				t.Fatalf("collation %d: %q and %q compare %d, want %d", c, s, u, got, want)
			}
		}
	})
}
