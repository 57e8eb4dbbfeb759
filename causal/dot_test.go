package causal_test

import (
	"bytes"
	"cmp"
	"errors"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"pgregory.net/rapid"
)

// genOrigin draws from few nodes and incarnations, so that they meet.
func genOrigin() *rapid.Generator[causal.Origin] {
	return rapid.Custom(func(t *rapid.T) (o causal.Origin) {
		o.Node[rapid.SampledFrom([]int{0, 15}).Draw(t, "place")] = rapid.ByteRange(0, 2).Draw(t, "byte")
		o.Incarnation = rapid.SampledFrom([]uint32{0, 1, 256, 1<<32 - 1}).Draw(t, "incarnation")
		return o
	})
}

func genDot() *rapid.Generator[causal.Dot] {
	return rapid.Custom(func(t *rapid.T) causal.Dot {
		return causal.Dot{Origin: genOrigin().Draw(t, "origin"), Seq: rapid.Uint64().Draw(t, "seq")}
	})
}

func TestTextRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := genDot().Draw(t, "d")
		if got, err := causal.ParseDot(d.String()); err != nil || got != d {
			t.Fatalf("%v came back as %v, %v", d, got, err)
		}
		if got, err := causal.ParseOrigin(d.Origin.String()); err != nil || got != d.Origin {
			t.Fatalf("%v came back as %v, %v", d.Origin, got, err)
		}
	})
}

// The order of origins is that of their binary form, so stores and wires agree on it.
func TestCompareIsByteOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, e := genDot().Draw(t, "d"), genDot().Draw(t, "e")
		if got, want := d.Origin.Compare(e.Origin), bytes.Compare(d.Origin.Append(nil), e.Origin.Append(nil)); got != want {
			t.Fatalf("%v and %v: got %d, want %d", d.Origin, e.Origin, got, want)
		}
		want := cmp.Or(d.Origin.Compare(e.Origin), cmp.Compare(d.Seq, e.Seq))
		if got := d.Compare(e); got != want || (got == 0) != (d == e) {
			t.Fatalf("%v and %v: got %d, want %d", d, e, got, want)
		}
	})
}

func TestOriginBytesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := genOrigin().Draw(t, "o")
		b := o.Append([]byte{9})
		if got, err := causal.OriginFromBytes(b[1:]); err != nil || got != o || len(b) != 1+causal.OriginSize {
			t.Fatalf("%v came back as %v, %v", o, got, err)
		}
	})
	for _, n := range []int{0, 19, 21} {
		if _, err := causal.OriginFromBytes(make([]byte, n)); !errors.Is(err, causal.ErrSyntax) {
			t.Errorf("%d bytes: got %v, want ErrSyntax", n, err)
		}
	}
}

func TestIsZero(t *testing.T) {
	var d causal.Dot
	if !d.IsZero() || !d.Origin.IsZero() {
		t.Error("zero values are not zero")
	}
	d.Origin.Incarnation = 1
	if d.IsZero() || d.Origin.IsZero() || (causal.Dot{Seq: 1}).IsZero() {
		t.Error("other values are zero")
	}
}

func TestParseRefuses(t *testing.T) {
	const node = "000102030405060708090a0b0c0d0e0f"
	for _, s := range []string{
		"", node, node + ".", "." + "1", node + ".01", node + ".+1", node + ".4294967296", node + ".-1", node + ".1 ",
		node[1:] + ".1", node + "00.1", "000102030405060708090A0B0C0D0E0F.1", "x" + node[1:] + ".1", node + ".1.1",
	} {
		if o, err := causal.ParseOrigin(s); !errors.Is(err, causal.ErrSyntax) {
			t.Errorf("origin %q: got %v, %v, want ErrSyntax", s, o, err)
		}
		if d, err := causal.ParseDot(s + ":1"); !errors.Is(err, causal.ErrSyntax) {
			t.Errorf("dot %q: got %v, %v, want ErrSyntax", s+":1", d, err)
		}
	}
	for _, s := range []string{node + ".1", node + ".1:", node + ".1:01", node + ".1:+1", node + ".1:18446744073709551616", node + ".1:1:1"} {
		if d, err := causal.ParseDot(s); !errors.Is(err, causal.ErrSyntax) {
			t.Errorf("dot %q: got %v, %v, want ErrSyntax", s, d, err)
		}
	}
	if o, err := causal.ParseOrigin(node + ".4294967295"); err != nil || o.Node.String() != node || o.Incarnation != 1<<32-1 {
		t.Errorf("got %v, %v", o, err)
	}
}

func FuzzParseOrigin(f *testing.F) {
	f.Add("000102030405060708090a0b0c0d0e0f.7")
	f.Add("000102030405060708090A0B0C0D0E0F.07")
	f.Fuzz(func(t *testing.T, s string) {
		o, err := causal.ParseOrigin(s)
		if err != nil {
			wantSyntax(t, err)
		} else if o.String() != s {
			t.Fatalf("%q reads as %v", s, o)
		}
	})
}

func FuzzParseDot(f *testing.F) {
	f.Add("000102030405060708090a0b0c0d0e0f.7:18446744073709551615")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := causal.ParseDot(s)
		if err != nil {
			wantSyntax(t, err)
		} else if d.String() != s {
			t.Fatalf("%q reads as %v", s, d)
		}
	})
}

func wantSyntax(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, causal.ErrSyntax) {
		t.Fatalf("got %v, want ErrSyntax", err)
	}
}
