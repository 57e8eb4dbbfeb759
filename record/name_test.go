package record_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

func TestFormatKey(t *testing.T) {
	tests := []struct {
		table string
		vs    []record.Value
		want  string
	}{
		{"orders", []record.Value{record.IntValue(7)}, `orders/7`},
		{"orders", []record.Value{record.FloatValue(7)}, `orders/7`},
		{"orders", []record.Value{record.FloatValue(-7.25)}, `orders/-7.25`},
		{"lines", []record.Value{record.IntValue(7), record.IntValue(2)}, `lines/[7,2]`},
		{"we ird", []record.Value{text("k")}, `"we ird"/["k"]`},
		{"größe_2", []record.Value{text("a/b\"]")}, `größe_2/["a/b\"]"]`},
		{"a/b", []record.Value{record.BytesValue([]byte{10, 11})}, `"a/b"/[{"bytes":"0a0b"}]`},
		{"t", []record.Value{text("\xffa")}, `t/[{"text":"ff61"}]`},
		{"t", []record.Value{record.FloatValue(math.Inf(1))}, `t/9e999`},
		{"t", []record.Value{record.FloatValue(1 << 63)}, `t/9223372036854776000.0`},
		{"t", []record.Value{record.FloatValue(1e300)}, `t/1e+300`},
	}
	for _, tt := range tests {
		got, err := record.FormatKey(tt.table, key(t, tt.vs...))
		if err != nil || got != tt.want {
			t.Errorf("got %s, %v, want %s", got, err, tt.want)
		}
		table, k, err := record.ParseKey(tt.want)
		if err != nil || table != tt.table || !bytes.Equal(k, key(t, tt.vs...)) {
			t.Errorf("%s parsed as %q, %x, %v", tt.want, table, k, err)
		}
	}
}

func TestParseRecordTakesOtherSpellings(t *testing.T) {
	for s, want := range map[string]string{
		`customers/"k"`:                       `customers/["k"]`,
		`"orders"/7`:                          `orders/7`,
		`orders/[7]`:                          `orders/7`,
		`orders/ 7 `:                          `orders/7`,
		`lines/[ 7 , 2 ]`:                     `lines/[7,2]`,
		`t/7e0`:                               `t/7.0`,
		`t/"\u00e9\ud83d\ude00\/"`:            `t/["é😀/"]`,
		`t/{ "bytes" : "0A" }`:                `t/[{"bytes":"0a"}]`,
		`t/{"text":"61"}`:                     `t/["a"]`,
		`t/[]`:                                `t/[]`,
		`t/-0.0`:                              `t/-0.0`,
		`t/"` + "\u007f" + `"`:                `t/["\u007f"]`,
		`"\u006frders"/[9223372036854775807]`: `orders/9223372036854775807`,
	} {
		table, vs, err := record.ParseRecord(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		if got, err := record.FormatRecord(table, vs); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", s, got, err, want)
		}
	}
}

func TestParseRecordRefuses(t *testing.T) {
	for _, s := range []string{
		``, `orders`, `/7`, `""/7`, `orders/`, `we ird/7`, `orders/seven`, `orders/007`, `orders/.5`, `orders/5.`,
		`orders/1e`, `orders/+1`, `orders/1e999`, `orders/9223372036854775808`, `orders/null`, `orders/true`,
		`orders/[7`, `orders/[7,]`, `orders/[,7]`, `orders/[7 8]`, `orders/[[7]]`, `orders/7]`, `orders/7 8`,
		`orders/"a`, `orders/"\x"`, `orders/"\ud800"`, `orders/"\ud800\u0041"`, `orders/"\udc00"`, `orders/"\u12"`,
		"orders/\"a\nb\"", "orders/\"\xff\"", "\xff/7", `orders/{}`, `orders/{"x":"0a"}`, `orders/{"bytes":"0"}`,
		`orders/{"bytes":"0a"`, `orders/{"bytes":7}`, `"a"b/7`, `orders/--7`, `orders/-`,
	} {
		if table, vs, err := record.ParseRecord(s); !errors.Is(err, record.ErrName) {
			t.Errorf("%q: got %q, %v, %v, want ErrName", s, table, vs, err)
		}
	}
	if _, _, err := record.ParseKey(`orders/[7`); !errors.Is(err, record.ErrName) {
		t.Errorf("ParseKey: %v", err)
	}
}

func TestFormatRecordRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		table string
		v     record.Value
	}{
		"null":            {"t", record.NullValue()},
		"NaN":             {"t", record.FloatValue(math.NaN())},
		"large":           {"t", large(t, record.BytesValue(bigZeros))},
		"no table":        {"", record.IntValue(1)},
		"table not UTF-8": {"\xff", record.IntValue(1)},
	} {
		if s, err := record.FormatRecord(tt.table, []record.Value{tt.v}); !errors.Is(err, record.ErrName) {
			t.Errorf("%s: got %s, %v, want ErrName", name, s, err)
		}
	}
	if _, err := record.FormatKey("t", record.Key("\xb0")); !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("corrupt key: %v", err)
	}
}

func TestNameRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := rapid.StringN(1, 5, -1).Draw(t, "table")
		vs := rapid.SliceOfN(genKeyable(), 1, 3).Draw(t, "vs")
		s, err := record.FormatRecord(table, vs)
		if err != nil {
			t.Fatal(err)
		}
		backTable, back, err := record.ParseRecord(s)
		if err != nil || backTable != table || len(back) != len(vs) {
			t.Fatalf("%s: %q, %v, %v", s, backTable, back, err)
		}
		for i := range vs {
			if !back[i].Equal(vs[i]) {
				t.Fatalf("%s: %v came back as %v", s, vs[i], back[i])
			}
		}
		// What stands after a bare table is JSON.
		if at := bytes.IndexByte([]byte(s), '/'); s[0] != '"' && !json.Valid([]byte(s[at+1:])) {
			t.Fatalf("%s is not JSON after the slash", s)
		}
	})
}
