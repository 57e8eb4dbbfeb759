package merge_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

// Versions as no history makes them: whatever arrives, every node must come to the same
// and none may fall over.

var large = func() record.Value {
	v, _, err := record.DecodeValue(record.AppendValue(nil, record.BytesValue(make([]byte, record.ChunkSize+1))))
	return must(v, err)
}()

func genOrigin() *rapid.Generator[causal.Origin] {
	return rapid.Map(rapid.ByteRange(1, 3), origin)
}

func genStamp() *rapid.Generator[causal.Stamp] {
	return rapid.Map(rapid.IntRange(0, 6), func(i int) causal.Stamp { return causal.Stamp(i) })
}

func genPlain() *rapid.Generator[record.Value] {
	return rapid.SampledFrom([]record.Value{
		record.NullValue(), integer(0), integer(1), integer(-1 << 63), integer(1<<63 - 1), record.FloatValue(1), record.FloatValue(0.5),
		text("x"), text(`["x",1]`), text(`[]`), record.BytesValue([]byte{0xda, 'S', 'Y', 'L'}), record.TextValue([]byte{0xff}), large,
	})
}

func genStored() *rapid.Generator[record.Value] {
	return rapid.Custom(func(t *rapid.T) record.Value {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			var totals []record.Total
			for _, o := range rapid.SliceOfNDistinct(genOrigin(), 0, 3, rapid.ID[causal.Origin]).Draw(t, "origins") {
				n := rapid.SampledFrom([]record.Value{integer(1), integer(-3), integer(1 << 62), record.FloatValue(0.5)}).Draw(t, "total")
				totals = append(totals, record.Total{Origin: o, Stamp: genStamp().Draw(t, "stamp"), Total: n})
			}
			return must(record.CounterValue(totals))
		case 1:
			var elements []record.Element
			for _, o := range rapid.SliceOfNDistinct(genOrigin(), 0, 3, rapid.ID[causal.Origin]).Draw(t, "origins") {
				m := rapid.SampledFrom([]record.Value{text("x"), text("y"), integer(1), record.NullValue()}).Draw(t, "member")
				elements = append(elements, record.Element{Element: m, Origin: o, Stamp: genStamp().Draw(t, "stamp")})
			}
			return must(record.SetValue(elements))
		default:
			return genPlain().Draw(t, "value")
		}
	})
}

func genVersion(d causal.Dot) *rapid.Generator[record.Version] {
	return rapid.Custom(func(t *rapid.T) record.Version {
		v := record.Version{
			Dot: d, Stamp: genStamp().Draw(t, "stamp"),
			Birth: causal.Dot{Origin: origin(1), Seq: rapid.Uint64Range(1, 2).Draw(t, "birth")},
		}
		for _, o := range []byte{1, 2, 3} {
			if o != d.Origin.Node[0] && rapid.Bool().Draw(t, "sees") {
				v.Seen = append(v.Seen, record.Seen{Origin: origin(o), Stamp: genStamp().Draw(t, "seen")})
			}
		}
		if rapid.IntRange(0, 6).Draw(t, "bury") == 0 {
			v.Flags = record.Bury
			return v
		}
		v.Shape = rapid.SampledFrom([]*record.Shape{shape, narrow, wide, other}).Draw(t, "shape")
		var values []record.Value
		for range v.Shape.Fields {
			values = append(values, genStored().Draw(t, "field"))
		}
		v.Image = image(values...)
		if rapid.Bool().Draw(t, "fields") {
			for range v.Shape.Fields {
				f := record.FieldStamp{Stamp: genStamp().Draw(t, "when"), Origin: genOrigin().Draw(t, "who")}
				if rapid.IntRange(0, 9).Draw(t, "never") == 0 {
					f = record.FieldStamp{}
				}
				v.Fields = append(v.Fields, f)
			}
		}
		return v
	})
}

func genVersions() *rapid.Generator[[]record.Version] {
	return rapid.Custom(func(t *rapid.T) (vs []record.Version) {
		for n := range rapid.IntRange(0, 4).Draw(t, "siblings") {
			vs = append(vs, genVersion(dot(byte(n%3+1), uint64(n+1))).Draw(t, "version"))
		}
		slices.SortFunc(vs, func(v, w record.Version) int { return v.Dot.Compare(w.Dot) })
		return vs
	})
}

func TestProjectIsTotalAndAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := genTable().Draw(t, "table")
		live := genVersions().Draw(t, "live")
		p, err := table.Project(live)
		if err != nil {
			t.Fatal(err)
		}
		pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "next") }
		if q := must(table.Project(permuted(live, pick))); summary(p) != summary(q) {
			t.Fatalf("in another order\n%s\nis\n%s", summary(p), summary(q))
		}
		if !slices.IsSortedFunc(p.Shown, causal.Dot.Compare) || (!p.Open && len(p.Shown) != len(live)) || (p.Open && len(p.Shown) != 1) {
			t.Fatalf("shown %v of %v, open %v", p.Shown, dots(live), p.Open)
		}
		if p.Absent {
			return
		}
		if im := must(table.Plain(p.Shape, p.State)); !bytes.Equal(im, p.Image) {
			t.Fatalf("image %x, state %x", p.Image, p.State)
		}
		for _, v := range must(p.Image.Values(nil)) {
			if v.Kind() == record.Counter || v.Kind() == record.Set {
				t.Fatalf("a database is shown the state %v", v)
			}
		}
		var shown []record.Version
		for _, v := range live {
			if slices.Contains(p.Shown, v.Dot) {
				shown = append(shown, v)
			}
		}
		e := merge.Edit{Dot: dot(4, 1), Stamp: 9, Shown: shown, Live: live, Shape: p.Shape, Row: p.Image}
		if c, ok, err := table.Edit(e); ok || err != nil {
			t.Fatalf("leaving what is shown is a change: %+v, %v", c, err)
		}
	})
}

// Whatever is there, a writer who was shown all of it, and whoever decides, gets exactly
// the row that was asked for.
func TestWritersGetTheirRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := genTable().Draw(t, "table")
		live := genVersions().Draw(t, "live")
		p := must(table.Project(live))
		e := merge.Edit{Dot: dot(4, 1), Stamp: 9, Shown: live, Live: live, Shape: p.Shape}
		if p.Absent {
			e.Shape = shape
		}
		var want []record.Value
		for range e.Shape.Fields {
			want = append(want, genPlain().Draw(t, "want"))
		}
		e.Row = image(want...)
		check := func(who string, c record.Change) {
			left := merge.Fold(slices.Clone(live), &c, e.Dot, e.Stamp)
			if len(left) != 1 || c.Op != record.OpPut {
				t.Fatalf("%s leaves %v", who, dots(left))
			}
			q := must(table.Project(left))
			for i, name := range e.Shape.Fields {
				got := at(t, q.Image, q.Shape.Index(name))
				number := got.Kind() == record.Int || got.Kind() == record.Float
				rule, own := table.Fields[name]
				if !own {
					rule = table.Rule
				}
				switch {
				case got.Equal(want[i]):
				case rule.Kind == merge.Counter && number && got.Compare(want[i]) == 0: // 1 added to 0.5 and 0.5
				case rule.Kind == merge.Set && sameMembers(got, want[i]):
				default:
					t.Fatalf("%s: %s is %v, want %v, under %v", who, name, got, want[i], rule)
				}
			}
		}
		if c, ok, err := table.Edit(e); err != nil {
			t.Fatal(err)
		} else if ok && !p.Open {
			check("writer", c)
		}
		check("decider", must(table.Decide(e)))
	})
}

func sameMembers(v, w record.Value) bool {
	return v.Kind() == record.Text && w.Kind() == record.Text && sortedMembers(string(v.Raw())) == sortedMembers(string(w.Raw()))
}
