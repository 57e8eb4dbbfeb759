package record_test

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

// Generators shared by the property tests. They draw from few origins, names and small
// numbers, so that things meet.

func origin(n byte) causal.Origin {
	o := causal.Origin{Incarnation: uint32(n)}
	for i := range o.Node {
		o.Node[i] = n
	}
	return o
}

func dot(n byte, seq uint64) causal.Dot { return causal.Dot{Origin: origin(n), Seq: seq} }

func genOrigin() *rapid.Generator[causal.Origin] {
	return rapid.Map(rapid.ByteRange(1, 5), origin)
}

func genStamp() *rapid.Generator[causal.Stamp] {
	return rapid.Custom(func(t *rapid.T) causal.Stamp {
		if rapid.Bool().Draw(t, "small") {
			return causal.Stamp(rapid.Uint64Range(0, 5).Draw(t, "stamp"))
		}
		return causal.Stamp(rapid.Uint64().Draw(t, "stamp"))
	})
}

func genDot() *rapid.Generator[causal.Dot] {
	return rapid.Custom(func(t *rapid.T) causal.Dot {
		return causal.Dot{Origin: genOrigin().Draw(t, "origin"), Seq: rapid.Uint64Range(1, 300).Draw(t, "seq")}
	})
}

// genNumber favours the places where integers and floats meet and part.
func genNumber() *rapid.Generator[record.Value] {
	return rapid.Custom(func(t *rapid.T) record.Value {
		exp := rapid.IntRange(0, 63).Draw(t, "exp")
		off := rapid.Int64Range(-3, 3).Draw(t, "off")
		sign := rapid.SampledFrom([]int64{1, -1}).Draw(t, "sign")
		switch rapid.IntRange(0, 6).Draw(t, "how") {
		case 0:
			return record.IntValue(rapid.Int64().Draw(t, "int"))
		case 1:
			return record.IntValue(sign * (int64(1)<<exp + off)) // may wrap around: fine
		case 2:
			return record.FloatValue(float64(sign) * (math.Ldexp(1, exp) + float64(off)))
		case 3:
			return record.FloatValue(float64(sign) * math.Ldexp(float64(rapid.Uint64Range(0, 1<<54).Draw(t, "m")), rapid.IntRange(-1126, 900).Draw(t, "e")))
		case 4:
			return record.FloatValue(rapid.SampledFrom([]float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), 0.5, -0.5, 1 << 63, -1 << 63, math.SmallestNonzeroFloat64, math.MaxFloat64, 19.9, 65504, 5.960464477539063e-8}).Draw(t, "f"))
		case 5:
			return record.IntValue(rapid.Int64Range(-300, 300).Draw(t, "small"))
		default:
			return record.FloatValue(rapid.Float64().Draw(t, "float"))
		}
	})
}

func genBytes() *rapid.Generator[[]byte] {
	return rapid.OneOf(
		rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 3, 'a', 'A', ' ', 0xff}), 0, 6),
		rapid.SliceOfN(rapid.Byte(), 0, 40),
		rapid.Map(rapid.StringN(0, 12, 40), func(s string) []byte { return []byte(s) }),
	)
}

// genKeyable draws values that a key can hold.
func genKeyable() *rapid.Generator[record.Value] {
	return rapid.OneOf(genNumber(), rapid.Map(genBytes(), record.TextValue), rapid.Map(genBytes(), record.BytesValue))
}

func genScalar() *rapid.Generator[record.Value] {
	return rapid.OneOf(genKeyable(), rapid.Just(record.NullValue()), rapid.Just(record.FloatValue(math.NaN())))
}

var bigZeros = make([]byte, 3*record.ChunkSize)

func genValue() *rapid.Generator[record.Value] {
	return rapid.Custom(func(t *rapid.T) record.Value {
		switch rapid.IntRange(0, 12).Draw(t, "how") {
		case 0:
			var totals []record.Total
			for _, o := range rapid.SliceOfNDistinct(genOrigin(), 0, 4, rapid.ID[causal.Origin]).Draw(t, "origins") {
				n := genNumber().Draw(t, "total")
				totals = append(totals, record.Total{Origin: o, Stamp: genStamp().Draw(t, "stamp"), Total: n})
			}
			v, err := record.CounterValue(totals)
			if err != nil {
				t.Fatal(err)
			}
			return v
		case 1:
			var elements []record.Element
			seen := map[string]bool{}
			for range rapid.IntRange(0, 4).Draw(t, "n") {
				e := record.Element{Element: genScalar().Draw(t, "e"), Origin: genOrigin().Draw(t, "o"), Stamp: genStamp().Draw(t, "s")}
				id := string(record.AppendValue(e.Origin.Append(nil), e.Element))
				if !seen[id] {
					elements = append(elements, e)
				}
				seen[id] = true
			}
			v, err := record.SetValue(elements)
			if err != nil {
				t.Fatal(err)
			}
			return v
		case 2:
			size := record.ChunkSize + rapid.IntRange(1, 2*record.ChunkSize-1).Draw(t, "size")
			b := record.AppendValue(nil, record.BytesValue(bigZeros[:size]))
			v, _, err := record.DecodeValue(b)
			if err != nil {
				t.Fatal(err)
			}
			return v
		default:
			return genScalar().Draw(t, "scalar")
		}
	})
}

func image(values ...record.Value) record.Image {
	var w record.ImageWriter
	w.Reset(len(values))
	for _, v := range values {
		w.Value(v)
	}
	return w.Image()
}

var someShapes = []*record.Shape{
	{Table: "t", Fields: []string{"a", "B", "c"}},
	{Table: "t", Fields: []string{"a"}},
	{Table: "we ird", Fields: []string{"x", "y", "z", "ä"}},
	{Table: "none", Fields: []string{}},
}

// genVersion draws a version whose dot is as given; a zero dot draws one.
func genVersion(at causal.Dot, stamp causal.Stamp) *rapid.Generator[record.Version] {
	return rapid.Custom(func(t *rapid.T) record.Version {
		v := record.Version{Dot: at, Stamp: stamp}
		if at.IsZero() {
			v.Dot, v.Stamp = genDot().Draw(t, "dot"), genStamp().Draw(t, "stamp")
		}
		v.Birth = v.Dot
		if rapid.Bool().Draw(t, "update") {
			v.Birth = genDot().Filter(func(d causal.Dot) bool {
				return d.Origin != v.Dot.Origin || d.Seq <= v.Dot.Seq
			}).Draw(t, "birth")
		}
		v.Flags = rapid.SampledFrom([]record.Flags{0, 0, 0, record.Derived, record.Loose, record.Bury, record.Bury | record.Derived}).Draw(t, "flags")
		if rapid.Bool().Draw(t, "has seen") {
			for n := range byte(5) {
				if rapid.Bool().Draw(t, "saw") {
					v.Seen = append(v.Seen, record.Seen{Origin: origin(n + 1), Stamp: genStamp().Draw(t, "seen")})
				}
			}
		}
		if v.Flags&record.Bury != 0 {
			return v
		}
		v.Shape = rapid.SampledFrom(someShapes).Draw(t, "shape")
		values := make([]record.Value, len(v.Shape.Fields))
		own := true
		for i := range values {
			values[i] = genValue().Draw(t, "value")
		}
		v.Image = image(values...)
		if rapid.Bool().Draw(t, "merged") {
			for range values {
				f := record.FieldStamp{Stamp: v.Stamp, Origin: v.Dot.Origin}
				if rapid.Bool().Draw(t, "foreign") {
					f = record.FieldStamp{Stamp: genStamp().Draw(t, "stamp"), Origin: genOrigin().Draw(t, "origin")}
				}
				own = own && f == record.FieldStamp{Stamp: v.Stamp, Origin: v.Dot.Origin}
				v.Fields = append(v.Fields, f)
			}
			if own {
				v.Fields = nil
			}
		}
		return v
	})
}

// genChange draws a change for the commit at.
func genChange(at causal.Dot, stamp causal.Stamp) *rapid.Generator[record.Change] {
	return rapid.Custom(func(t *rapid.T) record.Change {
		v := genVersion(at, stamp).Draw(t, "version")
		c := record.Change{Version: v}
		switch {
		case v.Flags&record.Bury != 0:
			c.Op = record.OpBury
			c.Version.Shape = rapid.SampledFrom(someShapes).Draw(t, "shape")
		case rapid.IntRange(0, 3).Draw(t, "delete") == 0:
			c.Op = record.OpDelete
			c.Version = record.Version{Shape: v.Shape, Flags: v.Flags}
		}
		for range rapid.IntRange(1, 2).Draw(t, "arity") {
			c.Key, _ = record.AppendKeyValue(c.Key, genKeyable().Draw(t, "key"), record.Binary)
		}
		for _, d := range rapid.SliceOfNDistinct(genDot(), 0, 3, rapid.ID[causal.Dot]).Draw(t, "context") {
			if d.Origin != at.Origin || d.Seq < at.Seq {
				c.Context = append(c.Context, d)
			}
		}
		slices.SortFunc(c.Context, causal.Dot.Compare)
		return c
	})
}

// dict is a Dict in memory.
type dict struct {
	origins []causal.Origin
	shapes  []*record.Shape
}

func (d *dict) OriginID(o causal.Origin) uint64 {
	if i := slices.Index(d.origins, o); i >= 0 {
		return uint64(i)
	}
	d.origins = append(d.origins, o)
	return uint64(len(d.origins) - 1)
}

func (d *dict) Origin(id uint64) (causal.Origin, bool) {
	if id >= uint64(len(d.origins)) {
		return causal.Origin{}, false
	}
	return d.origins[id], true
}

func (d *dict) ShapeID(s *record.Shape) uint64 {
	if i := slices.Index(d.shapes, s); i >= 0 {
		return uint64(i)
	}
	d.shapes = append(d.shapes, s)
	return uint64(len(d.shapes) - 1)
}

func (d *dict) Shape(id uint64) (*record.Shape, bool) {
	if id >= uint64(len(d.shapes)) {
		return nil, false
	}
	return d.shapes[id], true
}

// hash returns a recognizable hash.
func hash(n uint64) (h causal.Hash) {
	binary.BigEndian.PutUint64(h[24:], n)
	return h
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
