package merge_test

import (
	"slices"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// Columns come and go at different sites at different times.

var (
	narrow = must(record.NewShape("stock", []string{"id", "f"}))
	wide   = must(record.NewShape("stock", []string{"ID", "f", "h"}))
	other  = must(record.NewShape("stock", []string{"id", "f", "i"}))
)

// version makes the change that turns shown into the row, and returns its version.
func version(t *testing.T, table merge.Table, d causal.Dot, stamp causal.Stamp, shown []record.Version, s *record.Shape, values ...record.Value) record.Version {
	t.Helper()
	c, ok, err := table.Edit(merge.Edit{Dot: d, Stamp: stamp, Shown: shown, Live: shown, Shape: s, Row: image(values...)})
	if err != nil || !ok {
		t.Fatalf("edit: %v, %v", ok, err)
	}
	return merge.Fold(nil, &c, d, stamp)[0]
}

func TestAWriterWithoutAColumnLeavesIt(t *testing.T) {
	var table merge.Table
	v := version(t, table, dot(1, 1), 1, nil, wide, text("f"), text("h"), integer(7))
	u := version(t, table, dot(2, 1), 2, []record.Version{v}, narrow, text("F"), integer(7))
	if !u.Shape.Equal(wide) || !slices.Equal(u.Image, image(text("F"), text("h"), integer(7))) {
		t.Errorf("%v %v; want h kept", u.Shape.Fields, values(u.Image))
	}
	if u.Field(0).Origin != origin(2) || u.Field(1).Origin != origin(1) {
		t.Errorf("writes %v; want f by 2 and h still by 1", u.Fields)
	}
}

func TestANewColumnOfNullsIsNoChange(t *testing.T) {
	var table merge.Table
	v := version(t, table, dot(1, 1), 1, nil, narrow, text("f"), integer(7))
	e := merge.Edit{Dot: dot(1, 2), Stamp: 2, Shown: []record.Version{v}, Shape: wide, Row: image(text("f"), record.NullValue(), integer(7))}
	if _, ok, err := table.Edit(e); ok || err != nil {
		t.Errorf("a row of which only a column of nulls is new: ok %v, %v", ok, err)
	}
	e.Row = image(text("f"), text("default"), integer(7))
	if c, ok, err := table.Edit(e); !ok || err != nil || c.Version.Field(1).Origin != origin(1) {
		t.Errorf("a row with a new value in a new column: ok %v, %v", ok, err)
	}
}

func TestSiblingsOfDifferentShapes(t *testing.T) {
	var table merge.Table
	v := version(t, table, dot(1, 1), 1, nil, narrow, text("f"), integer(7))
	a := version(t, table, dot(1, 2), 5, []record.Version{v}, narrow, text("A"), integer(7))
	b := version(t, table, dot(2, 1), 6, []record.Version{v}, wide, text("f"), text("h"), integer(7))
	p := must(table.Project([]record.Version{a, b}))
	if !p.Shape.Equal(wide) || !slices.Equal(p.Image, image(text("A"), text("h"), integer(7))) || p.Conflict() {
		t.Errorf("%v %v; want both writes in the wider shape", p.Shape, values(p.Image))
	}
	c := version(t, table, dot(3, 1), 7, []record.Version{v}, other, text("f"), text("i"), integer(7))
	p = must(table.Project([]record.Version{a, b, c}))
	if want := []string{"f", "h", "i", "id"}; !slices.Equal(p.Shape.Fields, want) {
		t.Errorf("fields %v, want %v", p.Shape.Fields, want)
	}
	if !slices.Equal(p.Image, image(text("A"), text("h"), text("i"), integer(7))) || p.Conflict() {
		t.Errorf("%v; want all three writes", values(p.Image))
	}
}

// A null that a column was born with is nobody's write: it contests nothing.
func TestANullOfANewColumnContestsNothing(t *testing.T) {
	for _, kind := range []merge.Kind{merge.Fields, merge.Keep, merge.Min} {
		table := merge.Table{Rule: merge.Rule{Kind: kind}}
		v := version(t, table, dot(1, 1), 1, nil, narrow, text("f"), integer(7))
		a := version(t, table, dot(1, 2), 9, []record.Version{v}, wide, text("A"), record.NullValue(), integer(7))
		b := version(t, table, dot(2, 1), 6, []record.Version{v}, wide, text("f"), text("h"), integer(7))
		if a.Field(1) != (record.FieldStamp{}) {
			t.Errorf("the null is %v's write", a.Field(1))
		}
		p := must(table.Project([]record.Version{a, b}))
		if !slices.Equal(p.Image, image(text("A"), text("h"), integer(7))) || p.Conflict() {
			t.Errorf("%v, contested %v", values(p.Image), p.Contested)
		}
	}
}

func TestOpenRecordHasTheFieldsOfAllSiblings(t *testing.T) {
	table := merge.Table{Rule: merge.Rule{Kind: merge.Keep}}
	v := version(t, table, dot(3, 1), 1, nil, narrow, text("f"), integer(7))
	a := version(t, table, dot(1, 1), 5, []record.Version{v}, wide, text("f"), text("h1"), integer(7))
	b := version(t, table, dot(2, 1), 6, []record.Version{v}, wide, text("f"), text("h2"), integer(7))
	c := version(t, table, dot(3, 2), 7, []record.Version{v}, narrow, text("F"), integer(7))
	p := must(table.Project([]record.Version{a, b, c}))
	if !p.Open || !slices.Equal(p.Contested, []int{1}) || p.Shape.Fields[1] != "h" {
		t.Fatalf("%s, want h contested", summary(p))
	}
	if !slices.Equal(p.Image, image(text("F"), record.NullValue(), integer(7))) || p.Write(0).Origin != origin(3) || p.Write(1) != (record.FieldStamp{}) {
		t.Errorf("%v; want the newest version alone", values(p.Image))
	}
}

func TestRowsOfTwoBirthsThatDifferInANullColumnAgree(t *testing.T) {
	table := merge.Table{Rule: merge.Rule{Kind: merge.Keep}}
	a := version(t, table, dot(1, 1), 1, nil, narrow, text("f"), integer(7))
	b := version(t, table, dot(2, 1), 2, nil, wide, text("f"), record.NullValue(), integer(7))
	if p := must(table.Project([]record.Version{a, b})); p.Open || p.Conflict() {
		t.Errorf("%s; want no conflict", summary(p))
	}
}

// Changes made here are changes that a commit can hold, and come back from it.
func TestChangesFitACommit(t *testing.T) {
	table := merge.Table{Rule: merge.Rule{Kind: merge.Keep}, Fields: map[string]merge.Rule{"h": {Kind: merge.Set}}}
	v := version(t, table, dot(1, 1), 1, nil, narrow, text("f"), integer(7))
	for _, e := range []merge.Edit{
		{Shape: wide, Row: image(text("A"), record.NullValue(), integer(7))},
		{Shape: wide, Row: image(text("A"), text("[1,2]"), integer(7)), Flags: record.Derived},
		{Shape: narrow},
	} {
		e.Dot, e.Stamp, e.Shown = dot(2, 1), 9, []record.Version{v}
		c, ok, err := table.Edit(e)
		if !ok || err != nil {
			t.Fatal(ok, err)
		}
		c.Key = must(record.AppendKeyValue(nil, integer(7), record.Binary))
		var segment []byte
		b := record.NewBuilder(record.Header{Dot: e.Dot, Stamp: e.Stamp}, func(_ int, seg []byte) error {
			segment = slices.Clone(seg)
			return nil
		})
		if err := b.Add(&c); err != nil {
			t.Fatal(err)
		}
		h, _, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		var back record.Change
		if ok, err := must(record.ReadSegment(segment, &h)).Next(&back); !ok || err != nil {
			t.Fatal(ok, err)
		}
		one, two := merge.Fold(nil, &c, e.Dot, e.Stamp)[0], merge.Fold(nil, &back, e.Dot, e.Stamp)[0]
		if two.Shape != nil && two.Shape.Equal(one.Shape) {
			two.Shape = one.Shape
		}
		if !sameVersions([]record.Version{one}, []record.Version{two}) || !slices.Equal(c.Context, back.Context) {
			t.Errorf("made %+v, came back as %+v", one, two)
		}
	}
}
