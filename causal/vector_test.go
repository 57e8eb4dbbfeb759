package causal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"pgregory.net/rapid"
)

// hashOf is the one hash of a dot: the vectors of a world without forks.
func hashOf(d causal.Dot) (h causal.Hash) {
	copy(h[:], d.Origin.Append(nil))
	h[31], h[30] = byte(d.Seq), byte(d.Seq>>8)
	return h
}

func head(o causal.Origin, seq uint64) causal.Head {
	return causal.Head{Origin: o, Seq: seq, Hash: hashOf(causal.Dot{Origin: o, Seq: seq})}
}

func genVector() *rapid.Generator[causal.Vector] {
	return rapid.Custom(func(t *rapid.T) (v causal.Vector) {
		for _, o := range rapid.SliceOfNDistinct(genOrigin(), 0, 6, rapid.ID[causal.Origin]).Draw(t, "origins") {
			v = append(v, head(o, rapid.Uint64Range(1, 300).Draw(t, "seq")))
		}
		slices.SortFunc(v, func(g, h causal.Head) int { return g.Origin.Compare(h.Origin) })
		return v
	})
}

func join(t *rapid.T, v, w causal.Vector) causal.Vector {
	before, after := slices.Clone(v), slices.Clone(w)
	u, err := v.Join(w)
	if err != nil {
		t.Fatalf("%v join %v: %v", v, w, err)
	}
	if !slices.Equal(v, before) || !slices.Equal(w, after) {
		t.Fatal("Join changed its operands")
	}
	return u
}

func TestJoinLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w, x := genVector().Draw(t, "v"), genVector().Draw(t, "w"), genVector().Draw(t, "x")
		vw := join(t, v, w)
		if !slices.Equal(vw, join(t, w, v)) {
			t.Fatal("not commutative")
		}
		if !slices.Equal(join(t, vw, x), join(t, v, join(t, w, x))) {
			t.Fatal("not associative")
		}
		if !slices.Equal(join(t, v, v), v) || !slices.Equal(join(t, v, nil), v) {
			t.Fatal("not idempotent, or the empty vector is not neutral")
		}
		if !vw.Contains(v) || !vw.Contains(w) {
			t.Fatal("not an upper bound")
		}
		if x.Contains(v) && x.Contains(w) && !x.Contains(vw) {
			t.Fatal("not the least upper bound")
		}
		if v.Contains(w) != slices.Equal(vw, v) {
			t.Fatal("Contains and Join disagree")
		}
		d := genDot().Draw(t, "d")
		d.Seq %= 300
		if vw.Covers(d) != (v.Covers(d) || w.Covers(d)) {
			t.Fatal("the join covers something else")
		}
		if _, err := causal.VectorFromBytes(vw.Append(nil)); err != nil {
			t.Fatalf("the join is out of order: %v", err)
		}
	})
}

func TestContainsIsAPartialOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w, x := genVector().Draw(t, "v"), genVector().Draw(t, "w"), genVector().Draw(t, "x")
		if !v.Contains(v) || !v.Contains(nil) {
			t.Fatal("not reflexive")
		}
		if v.Contains(w) && w.Contains(v) && !slices.Equal(v, w) {
			t.Fatal("not antisymmetric")
		}
		if v.Contains(w) && w.Contains(x) && !v.Contains(x) {
			t.Fatal("not transitive")
		}
	})
}

func TestJoinFindsForks(t *testing.T) {
	o := causal.Origin{Incarnation: 1}
	v, w := causal.Vector{head(o, 5)}, causal.Vector{head(o, 5)}
	w[0].Hash[0]++
	if _, err := v.Join(w); !errors.Is(err, causal.ErrFork) {
		t.Errorf("two hashes for one dot: got %v, want ErrFork", err)
	}
	w[0].Seq = 6
	if u, err := v.Join(w); err != nil || !slices.Equal(u, w) {
		t.Errorf("other seqs: got %v, %v", u, err)
	}
}

func TestAdvance(t *testing.T) {
	a, b, c := causal.Origin{Incarnation: 1}, causal.Origin{Incarnation: 2}, causal.Origin{Incarnation: 3}
	var v causal.Vector
	var err error
	for _, h := range []causal.Head{head(b, 1), head(c, 1), head(a, 1), head(b, 2)} {
		if v, err = v.Advance(h); err != nil {
			t.Fatal(err)
		}
		if v.Get(h.Origin) != h || v.Seq(h.Origin) != h.Seq || !v.Covers(h.Dot()) {
			t.Errorf("after %v the vector is %v", h.Dot(), v)
		}
	}
	if want := (causal.Vector{head(a, 1), head(b, 2), head(c, 1)}); !slices.Equal(v, want) {
		t.Errorf("got %v, want %v", v, want)
	}
	for _, h := range []causal.Head{head(b, 2), head(b, 1), head(b, 4), head(causal.Origin{}, 2)} {
		u, err := v.Advance(h)
		if !errors.Is(err, causal.ErrGap) || !slices.Equal(u, v) {
			t.Errorf("advance to %v: got %v, %v, want ErrGap", h.Dot(), u, err)
		}
	}
	if v.Covers(causal.Dot{Origin: b, Seq: 3}) || v.Covers(causal.Dot{Seq: 1}) || !v.Covers(causal.Dot{Origin: b}) {
		t.Error("Covers is off by one")
	}
	if got := v.Get(causal.Origin{}); got.Seq != 0 || !got.Origin.IsZero() {
		t.Errorf("unknown origin: got %v", got)
	}
}

// Advancing commit by commit in any causal order ends in the same vector.
func TestAdvanceInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genVector().Draw(t, "want")
		var got causal.Vector
		left := slices.Clone(want)
		for i := range left {
			left[i].Seq = min(left[i].Seq, 5)
			want[i] = head(left[i].Origin, left[i].Seq)
		}
		for len(left) > 0 {
			i := rapid.IntRange(0, len(left)-1).Draw(t, "next")
			var err error
			if got, err = got.Advance(head(left[i].Origin, got.Seq(left[i].Origin)+1)); err != nil {
				t.Fatal(err)
			}
			if got.Seq(left[i].Origin) == left[i].Seq {
				left = slices.Delete(left, i, i+1)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestVectorBytesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := genVector().Draw(t, "v")
		got, err := causal.VectorFromBytes(v.Append(nil))
		if err != nil || !slices.Equal(got, v) {
			t.Fatalf("%v came back as %v, %v", v, got, err)
		}
	})
}

func TestVectorFromBytesRefuses(t *testing.T) {
	a, b := head(causal.Origin{Incarnation: 1}, 300), head(causal.Origin{Incarnation: 2}, 1)
	good := causal.Vector{a, b}.Append(nil)
	for n := range good {
		if _, err := causal.VectorFromBytes(good[:n]); !errors.Is(err, causal.ErrSyntax) {
			t.Errorf("cut at %d: got %v, want ErrSyntax", n, err)
		}
	}
	for name, bad := range map[string][]byte{
		"tail":               append(slices.Clone(good), 0),
		"out of order":       causal.Vector{b, a}.Append(nil),
		"twice":              causal.Vector{a, a}.Append(nil),
		"seq 0":              causal.Vector{{Origin: a.Origin}}.Append(nil),
		"count not shortest": append([]byte{0x82, 0x00}, good[1:]...),
		"seq not shortest":   slices.Concat([]byte{1}, b.Origin.Append(nil), []byte{0x81, 0x00}, b.Hash[:]),
		"absurd count":       {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
		"endless count":      bytes.Repeat([]byte{0xff}, 11),
	} {
		if v, err := causal.VectorFromBytes(bad); !errors.Is(err, causal.ErrSyntax) {
			t.Errorf("%s: got %v, %v, want ErrSyntax", name, v, err)
		}
	}
}

// The golden file pins the bytes: lines of text, equals sign, hexadecimal.
func TestGoldenBytes(t *testing.T) {
	o := causal.Origin{Incarnation: 7}
	for i := range o.Node {
		o.Node[i] = byte(i)
	}
	p := o
	p.Incarnation = 8
	h := causal.Hash{0: 0xaa, 31: 0xbb}
	stamp, err := causal.StampAt(1_700_000_000_123)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{
		"origin":       hex.EncodeToString(o.Append(nil)),
		"origin text":  o.String(),
		"dot text":     causal.Dot{Origin: o, Seq: 300}.String(),
		"stamp text":   (stamp + 5).String(),
		"empty vector": hex.EncodeToString(causal.Vector(nil).Append(nil)),
		"vector":       hex.EncodeToString(causal.Vector{{Origin: o, Seq: 300, Hash: h}, {Origin: p, Seq: 1, Hash: h}}.Append(nil)),
	}
	file, err := os.ReadFile("testdata/causal.golden")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(file)) {
		name, want, ok := strings.Cut(strings.TrimSpace(line), " = ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		seen++
		if got[name] != want {
			t.Errorf("%s: got %s, want %s", name, got[name], want)
		}
	}
	if seen != len(got) {
		t.Errorf("the file has %d lines, want %d", seen, len(got))
	}
}

func FuzzVectorFromBytes(f *testing.F) {
	f.Add(causal.Vector(nil).Append(nil))
	f.Add(causal.Vector{head(causal.Origin{Incarnation: 1}, 300), head(causal.Origin{Incarnation: 2}, 1)}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := causal.VectorFromBytes(b)
		if err != nil {
			wantSyntax(t, err)
		} else if again := v.Append(nil); !bytes.Equal(again, b) {
			t.Fatalf("reads %x, writes %x", b, again)
		}
	})
}
