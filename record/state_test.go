package record_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/syncline-io/syncline/record"
)

func TestCounter(t *testing.T) {
	total := func(n byte, v record.Value) record.Total {
		return record.Total{Origin: origin(n), Stamp: 7, Total: v}
	}
	tests := []struct {
		totals []record.Total
		want   record.Value
	}{
		{nil, record.IntValue(0)},
		{[]record.Total{total(2, record.IntValue(5)), total(1, record.IntValue(-8))}, record.IntValue(-3)},
		{[]record.Total{total(1, record.IntValue(1)), total(2, record.FloatValue(0.5))}, record.FloatValue(1.5)},
		{[]record.Total{total(1, record.IntValue(math.MaxInt64)), total(2, record.IntValue(1))}, record.FloatValue(1 << 63)},
		{[]record.Total{total(1, record.IntValue(math.MinInt64)), total(2, record.IntValue(-1))}, record.FloatValue(-1 << 63)},
	}
	for _, tt := range tests {
		v, err := record.CounterValue(tt.totals)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.Plain(); !got.Equal(tt.want) {
			t.Errorf("sum of %v: got %v, want %v", tt.totals, got, tt.want)
		}
		if v.String() != tt.want.String() {
			t.Errorf("shown as %s, want %s", v, tt.want)
		}
		back, err := v.Totals()
		if err != nil || len(back) != len(tt.totals) || !slices.IsSortedFunc(back, func(x, y record.Total) int { return x.Origin.Compare(y.Origin) }) {
			t.Errorf("%v came back as %v, %v", tt.totals, back, err)
		}
	}
	for name, totals := range map[string][]record.Total{
		"text":  {total(1, record.TextValue(nil))},
		"twice": {total(1, record.IntValue(1)), total(1, record.IntValue(2))},
	} {
		if _, err := record.CounterValue(totals); !errors.Is(err, record.ErrState) {
			t.Errorf("%s: got %v, want ErrState", name, err)
		}
	}
	if _, err := record.IntValue(1).Totals(); !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("Totals of an integer: %v", err)
	}
}

func TestSet(t *testing.T) {
	element := func(n byte, v record.Value) record.Element {
		return record.Element{Element: v, Origin: origin(n), Stamp: 7}
	}
	elements := []record.Element{
		element(1, record.TextValue([]byte("b"))),
		element(2, record.TextValue([]byte("a"))),
		element(1, record.TextValue([]byte("a"))),
		element(1, record.IntValue(3)),
		element(1, record.NullValue()),
		element(1, record.BytesValue([]byte{255})),
	}
	v, err := record.SetValue(elements)
	if err != nil {
		t.Fatal(err)
	}
	want := `[3,{"bytes":"ff"},"a","b",null]`
	if got := v.Plain(); got.Kind() != record.Text || string(got.Raw()) != want || v.String() != want {
		t.Errorf("got %v, want %s", got, want)
	}
	back, err := v.Elements()
	if err != nil || len(back) != len(elements) {
		t.Fatalf("%v came back as %v, %v", elements, back, err)
	}
	again, err := record.SetValue(back)
	if err != nil || !again.Equal(v) {
		t.Errorf("made again: %v, %v", again, err)
	}
	for name, elements := range map[string][]record.Element{
		"set":   {element(1, v)},
		"large": {element(1, large(t, record.BytesValue(bigZeros)))},
		"long":  {element(1, record.BytesValue(bigZeros))},
		"twice": {element(1, record.IntValue(1)), element(1, record.IntValue(1))},
	} {
		if _, err := record.SetValue(elements); !errors.Is(err, record.ErrState) {
			t.Errorf("%s: got %v, want ErrState", name, err)
		}
	}
	if _, err := record.IntValue(1).Elements(); !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("Elements of an integer: %v", err)
	}
	if got := record.IntValue(1).Plain(); !got.Equal(record.IntValue(1)) {
		t.Errorf("plain integer is %v", got)
	}
}
