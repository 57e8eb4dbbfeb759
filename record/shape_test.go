package record_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

func TestNewShape(t *testing.T) {
	given := []string{"total", "Id", "customer_ID", "B", "_x", "ä", "Ä"}
	s, err := record.NewShape("Orders", given)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"_x", "B", "customer_ID", "Id", "total", "Ä", "ä"}; !slices.Equal(s.Fields, want) {
		t.Errorf("fields are %q, want %q", s.Fields, want)
	}
	if given[0] != "total" {
		t.Error("the argument was sorted")
	}
	for field, want := range map[string]int{"ID": 3, "id": 3, "B": 1, "b": 1, "ä": 6, "Ä": 5, "": -1, "i": -1, "idx": -1} {
		if got := s.Index(field); got != want {
			t.Errorf("Index(%q) = %d, want %d", field, got, want)
		}
	}
	other, err := record.NewShape("orders", []string{"ID", "TOTAL", "CUSTOMER_id", "b", "_X", "Ä", "ä"})
	if err != nil || !s.Equal(other) || !other.Equal(s) {
		t.Errorf("%v and %v are not equal, %v", s, other, err)
	}
	for _, fields := range [][]string{{"a"}, {"_x", "b", "customer_id", "id", "total", "ä", "z"}} {
		if other, _ = record.NewShape("orders", fields); s.Equal(other) {
			t.Errorf("%v and %v are equal", s, other)
		}
	}
	if s.Equal(nil) || (*record.Shape)(nil).Equal(s) {
		t.Error("nil equals a shape")
	}
}

func TestNewShapeRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		table  string
		fields []string
	}{
		"no table":        {"", []string{"a"}},
		"table not UTF-8": {"\xff", []string{"a"}},
		"empty field":     {"t", []string{"a", ""}},
		"field not UTF-8": {"t", []string{"\xff"}},
		"twice":           {"t", []string{"a", "b", "A"}},
	} {
		if _, err := record.NewShape(tt.table, tt.fields); !errors.Is(err, record.ErrShape) {
			t.Errorf("%s: got %v, want ErrShape", name, err)
		}
	}
}

func TestReshape(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"a", "b", "c", "d", "e"}
		from, _ := record.NewShape("t", rapid.SliceOfDistinct(rapid.SampledFrom(names), rapid.ID[string]).Draw(t, "from"))
		to, _ := record.NewShape("T", rapid.SliceOfDistinct(rapid.Map(rapid.SampledFrom(names), strings.ToUpper), rapid.ID[string]).Draw(t, "to"))
		values := rapid.SliceOfN(genValue(), len(from.Fields), len(from.Fields)).Draw(t, "values")
		missing := genScalar().Draw(t, "missing")
		got, err := record.Reshape(image(values...), from, to, missing)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]record.Value, len(to.Fields))
		for i, f := range to.Fields {
			want[i] = missing
			if j := from.Index(f); j >= 0 {
				want[i] = values[j]
			}
		}
		if !bytes.Equal(got, image(want...)) {
			t.Fatalf("%v of %v as %v: got %x, want %v", values, from.Fields, to.Fields, got, want)
		}
	})
}

func TestReshapeKeepsAnEqualShape(t *testing.T) {
	s, _ := record.NewShape("t", []string{"a", "b"})
	u, _ := record.NewShape("u", []string{"B", "A"})
	im := image(record.IntValue(1), record.IntValue(2))
	out, err := record.Reshape(im, s, u, record.NullValue())
	if err != nil || &out[0] != &im[0] {
		t.Errorf("got other memory, %v", err)
	}
}

func TestReshapeRefuses(t *testing.T) {
	s, _ := record.NewShape("t", []string{"a", "b"})
	u, _ := record.NewShape("t", []string{"a"})
	for name, im := range map[string]record.Image{
		"other length": image(record.IntValue(1)),
		"cut":          {0x82, 0x01, 0x62},
		"tail":         {0x82, 0x01, 0x02, 0x03},
		"no array":     {0x01},
	} {
		if out, err := record.Reshape(im, s, u, record.NullValue()); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("%s: got %x, %v, want ErrCorrupt", name, out, err)
		}
	}
}
