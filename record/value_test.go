package record_test

import (
	"cmp"
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

// exact is a number as a big.Float, which holds every int64 and float64 without rounding.
func exact(v record.Value) *big.Float {
	f := new(big.Float).SetPrec(2000)
	if v.Kind() == record.Int {
		return f.SetInt64(v.Int())
	}
	return f.SetFloat64(v.Float())
}

func TestCompareNumbersIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w := genNumber().Draw(t, "v"), genNumber().Draw(t, "w")
		if math.IsNaN(v.Float()) && v.Kind() == record.Float || math.IsNaN(w.Float()) && w.Kind() == record.Float {
			return
		}
		if got, want := sign(v.Compare(w)), exact(v).Cmp(exact(w)); got != want {
			t.Fatalf("%v compared to %v: got %d, want %d", v, w, got, want)
		}
	})
}

func sign(n int) int { return cmp.Compare(n, 0) }

func TestCompareIsATotalOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, w, x := genValue().Draw(t, "v"), genValue().Draw(t, "w"), genValue().Draw(t, "x")
		if sign(v.Compare(w)) != -sign(w.Compare(v)) {
			t.Fatalf("%v and %v: not antisymmetric", v, w)
		}
		if v.Compare(w) <= 0 && w.Compare(x) <= 0 && v.Compare(x) > 0 {
			t.Fatalf("%v <= %v <= %v: not transitive", v, w, x)
		}
	})
}

func TestCompareClasses(t *testing.T) {
	counter := must[record.Value](t)(record.CounterValue([]record.Total{{Origin: origin(1), Total: record.IntValue(4)}}))
	set := must[record.Value](t)(record.SetValue(nil))
	ascending := []record.Value{
		record.NullValue(),
		record.FloatValue(math.NaN()),
		record.FloatValue(math.Inf(-1)),
		record.IntValue(math.MinInt64),
		record.FloatValue(-0.5),
		record.IntValue(3),
		counter,
		record.FloatValue(4.5),
		record.IntValue(math.MaxInt64),
		record.FloatValue(1 << 63),
		record.FloatValue(math.Inf(1)),
		record.TextValue(nil),
		record.TextValue([]byte("a")),
		record.TextValue([]byte("a\xff")),
		record.TextValue([]byte("b")),
		large(t, record.TextValue(bigZeros)),
		record.BytesValue(nil),
		record.BytesValue([]byte("a")),
		large(t, record.BytesValue(bigZeros)),
		set,
	}
	for i, v := range ascending {
		for j, w := range ascending {
			if got, want := sign(v.Compare(w)), cmp.Compare(i, j); got != want {
				t.Errorf("%v compared to %v: got %d, want %d", v, w, got, want)
			}
		}
	}
	if record.FloatValue(0).Compare(record.FloatValue(math.Copysign(0, -1))) != 0 {
		t.Error("the zeros compare as different")
	}
	if record.FloatValue(0).Equal(record.FloatValue(math.Copysign(0, -1))) || record.IntValue(1).Equal(record.FloatValue(1)) {
		t.Error("values of other bytes are Equal")
	}
}

// large is a value as it is decoded: in chunks.
func large(t testing.TB, v record.Value) record.Value {
	t.Helper()
	v, _, err := record.DecodeValue(record.AppendValue(nil, v))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestString(t *testing.T) {
	tests := []struct {
		v    record.Value
		want string
	}{
		{record.NullValue(), "NULL"},
		{record.IntValue(-7), "-7"},
		{record.FloatValue(19.9), "19.9"},
		{record.FloatValue(1), "1.0"},
		{record.FloatValue(math.Copysign(0, -1)), "-0.0"},
		{record.FloatValue(1e21), "1e+21"},
		{record.FloatValue(math.Inf(-1)), "-9e999"},
		{text("text"), "text"},
		{text("O'Hara"), "O'Hara"},
		{text(""), "''"},
		{text("null"), "'null'"},
		{text("19.9"), "'19.9'"},
		{text(" a"), "' a'"},
		{text("x'0a'"), "'x''0a'''"},
		{text("<blob>"), "'<blob>'"},
		{text("a\nb\x1b[2J"), `a\nb\x1b[2J`},
		{text("\u202eevil"), `\u202eevil`},
		{text("a\xff"), `a\xff`},
		{text(strings.Repeat("ä", 100)), strings.Repeat("ä", 80) + "... (200 B)"},
		{record.BytesValue([]byte{0x0a}), "x'0a'"},
		{record.BytesValue(make([]byte, 1500)), "x'" + strings.Repeat("0", 32) + "...' (1.5 kB)"},
		{large(t, record.BytesValue(bigZeros[:2_000_000])), "<blob 2 MB>"},
		{large(t, text(string(bigZeros))), "<text 3.15 MB>"},
	}
	for _, tt := range tests {
		if got := tt.v.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestJSON(t *testing.T) {
	tests := []struct {
		v    record.Value
		want string
	}{
		{record.NullValue(), `null`},
		{record.IntValue(math.MinInt64), `-9223372036854775808`},
		{record.FloatValue(1), `1.0`},
		{record.FloatValue(math.NaN()), `{"float":"nan"}`},
		{record.TextValue([]byte("a\"\\\n\t\x00é\U000e0001")), `"a\"\\\n\t\u0000é\udb40\udc01"`},
		{record.TextValue([]byte{0xff}), `{"text":"ff"}`},
		{record.BytesValue([]byte{0x0a, 0x0b}), `{"bytes":"0a0b"}`},
	}
	for _, tt := range tests {
		if got := string(tt.v.AppendJSON(nil)); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestJSONIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := genValue().Draw(t, "v")
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%v: %v", v, err)
		}
		if v.Kind() == record.Text {
			var s string
			if err := json.Unmarshal(b, &s); err != nil || s != string(v.Raw()) {
				t.Fatalf("%q came back as %q, %v", v.Raw(), s, err)
			}
		}
	})
}
