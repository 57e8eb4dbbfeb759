package expr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/merge/expr"
	"github.com/syncline-io/syncline/record"
)

var errNoSite = errors.New("no such site")

func site(name string) (causal.Node, error) {
	if len(name) != 1 {
		return causal.Node{}, fmt.Errorf("%q: %w", name, errNoSite)
	}
	return causal.Node{name[0]}, nil
}

// siblings makes one sibling per value, the newest first, written by sites a, b ...; all
// stand. Their rows have the value as f and their place as n.
func siblings(values ...record.Value) []merge.Sibling {
	shape, err := record.NewShape("t", []string{"f", "n"})
	if err != nil {
		panic(err)
	}
	all := make([]merge.Sibling, len(values))
	for i, v := range values {
		var w record.ImageWriter
		w.Reset(2)
		w.Value(v)
		w.Int(int64(i))
		stamp, _ := causal.StampAt(int64(1000 - i))
		o := causal.Origin{Node: causal.Node{'a' + byte(i)}}
		version := &record.Version{Dot: causal.Dot{Origin: o, Seq: 1}, Stamp: stamp, Shape: shape, Image: w.Image()}
		all[i] = merge.Sibling{Version: version, Value: v, Write: record.FieldStamp{Stamp: stamp, Origin: o}, Standing: true}
	}
	return all
}

func text(s string) record.Value { return record.TextValue([]byte(s)) }

func ints(is ...int64) (vs []record.Value) {
	for _, i := range is {
		vs = append(vs, record.IntValue(i))
	}
	return vs
}

func TestExpressions(t *testing.T) {
	raw := record.TextValue([]byte("\xff"))
	large, _, err := record.DecodeValue(record.AppendValue(nil, record.BytesValue(make([]byte, record.ChunkSize+1))))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		source string
		values []record.Value
		want   record.Value
	}{
		{`values[0]`, ints(3, 4), record.IntValue(3)},
		{`math.greatest(values[0], values[1])`, ints(3, 4), record.IntValue(4)},
		{`values.exists(v, v == "shipped") ? "shipped" : values[0]`, []record.Value{text("new"), text("shipped")}, text("shipped")},
		{`values.exists(v, v == "shipped") ? "shipped" : values[0]`, []record.Value{text("new"), text("paid")}, text("new")},
		{`siblings.filter(s, s.site == site("b"))[0].value`, ints(3, 4), record.IntValue(4)},
		{`siblings.filter(s, s.row.n == 1)[0].value`, ints(3, 4), record.IntValue(4)},
		{`siblings[0].at - siblings[1].at`, ints(3, 4), record.IntValue(1)},
		{`field + "!"`, ints(3, 4), text("f!")},
		{`values[0] + values[1]`, ints(3, 4), record.IntValue(7)},
		{`values[0] + values[1]`, []record.Value{text("x"), text("y")}, text("xy")},
		{`1.0`, ints(1, 2), record.FloatValue(1)},
		{`1`, []record.Value{record.FloatValue(1), text("")}, record.IntValue(1)},
		{`3u`, ints(1, 2), record.IntValue(3)},
		{`true`, ints(5, 2), record.IntValue(1)},
		{`null`, ints(5, 2), record.NullValue()},
		{`b"\x00\xff"`, ints(5, 2), record.BytesValue([]byte{0, 0xff})},
		{`values[1]`, []record.Value{text("x"), raw}, raw},
		{`values[1]`, []record.Value{raw, large}, large},
		{`siblings.filter(s, "f" in s.row).size()`, ints(8, 9), record.IntValue(2)},
		{`string(siblings[0].row.map(k, k).size()) + siblings[0].row.map(k, k)[0]`, ints(8, 9), text("2f")},
		{`[3, 2].sort()[0]`, ints(5, 2), record.IntValue(2)},
	} {
		e, err := expr.Compile(tt.source, site)
		if err != nil {
			t.Errorf("%s: %v", tt.source, err)
			continue
		}
		got, err := e.Eval("f", siblings(tt.values...))
		if err != nil || !got.Equal(tt.want) {
			t.Errorf("%s of %v = %v, %v; want %v", tt.source, tt.values, got, err, tt.want)
		}
		if e.String() != tt.source {
			t.Errorf("the text of %q is %q", tt.source, e.String())
		}
	}
}

func TestOnlyStandingValuesAreValues(t *testing.T) {
	all := siblings(ints(1, 2, 3)...)
	all[0].Standing = false
	e, err := expr.Compile(`values[0] + values.size() * 10 + siblings.filter(s, !s.standing)[0].value * 100`, site)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := e.Eval("f", all); err != nil || got.Int() != 122 {
		t.Errorf("%v, %v; want 122", got, err)
	}
}

func TestWhatIsNoExpression(t *testing.T) {
	for _, source := range []string{
		``, `values[`, `nothing`, `values +`, `"a" + 1`, `now()`, `timestamp("2020-01-01T00:00:00Z")`, `duration("1s")`,
		`siblings[0].at.getHours("Europe/Berlin")`, strings.Repeat("1+", 4000) + "1",
	} {
		if e, err := expr.Compile(source, site); !errors.Is(err, merge.ErrRule) {
			t.Errorf("%.40q: %v, %v; want ErrRule", source, e, err)
		}
	}
}

// What does not come to a value is an error, the same every time, within bounds.
func TestExpressionsThatFail(t *testing.T) {
	for _, tt := range []struct {
		source string
		err    error
	}{
		{`values[7]`, nil},
		{`values[0] / 0`, nil},
		{`values[0] + "x"`, nil},
		{`site("nowhere")`, errNoSite},
		{`values`, expr.ErrResult},
		{`siblings[0]`, expr.ErrResult},
		{`{"a": 1}`, expr.ErrResult},
		{`18446744073709551615u`, expr.ErrResult},
		{`[1,2,3,4,5,6,7,8,9,0].map(a, [1,2,3,4,5,6,7,8,9,0].map(b, [1,2,3,4,5,6,7,8,9,0].map(c, [1,2,3,4,5,6,7,8,9,0].map(d, [1,2,3,4,5,6,7,8,9,0].map(e, [1,2,3,4,5,6,7,8,9,0].map(f, 1)))))).size()`, nil},
	} {
		e, err := expr.Compile(tt.source, site)
		if err != nil {
			t.Errorf("%s: %v", tt.source, err)
			continue
		}
		for range 3 {
			if got, err := e.Eval("f", siblings(ints(3, 4)...)); err == nil || (tt.err != nil && !errors.Is(err, tt.err)) {
				t.Errorf("%s = %v, %v; want an error (%v)", tt.source, got, err, tt.err)
			}
		}
	}
}

func TestParseRule(t *testing.T) {
	r, err := expr.ParseRule("expr:values[0]", site)
	if err != nil || r.Kind != merge.Expr || r.String() != "expr:values[0]" {
		t.Errorf("%v, %v", r, err)
	}
	r, err = expr.ParseRule("priority:a,b", site)
	if err != nil || r.Kind != merge.Priority || len(r.Nodes) != 2 {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := expr.ParseRule("expr:", site); !errors.Is(err, merge.ErrRule) {
		t.Errorf("an empty expression: %v, want ErrRule", err)
	}
}

func FuzzExpression(f *testing.F) {
	for _, seed := range []string{`values[0]`, `siblings.filter(s, s.row.n == 1)[0].value`, `values.map(v, v + 1)[1]`, `"a" < field`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		e, err := expr.Compile(source, site)
		if err != nil {
			if !errors.Is(err, merge.ErrRule) {
				t.Fatalf("%v is not ErrRule", err)
			}
			return
		}
		all := siblings(record.IntValue(3), text("x"), record.NullValue())
		first, err := e.Eval("f", all)
		for range 3 {
			again, errAgain := e.Eval("f", all)
			if (err == nil) != (errAgain == nil) || !first.Equal(again) {
				t.Fatalf("%v, %v and then %v, %v", first, err, again, errAgain)
			}
		}
	})
}
