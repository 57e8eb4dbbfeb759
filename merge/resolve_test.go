package merge_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// twoWrites is a history in which site 1 wrote the row a and then, later, site 2 wrote b,
// both having seen base.
func twoWrites(t *testing.T, table merge.Table, base, a, b record.Image) *story {
	s := newStory(t, table)
	s.insert(3, 1, base)
	s.settle()
	s.put(1, 5, func(record.Image) record.Image { return a })
	s.put(2, 6, func(record.Image) record.Image { return b })
	return s
}

func TestRulesOfATable(t *testing.T) {
	priority := func(nodes ...byte) merge.Rule {
		r := merge.Rule{Kind: merge.Priority}
		for _, n := range nodes {
			r.Nodes = append(r.Nodes, origin(n).Node)
		}
		return r
	}
	base, a, b := row(0, 0, 0), row(9, 1, 0), row(2, 0, 3)
	for _, tt := range []struct {
		rule  merge.Rule
		want  record.Image
		whole bool
	}{
		{merge.Rule{}, row(2, 1, 3), false},
		{merge.Rule{Kind: merge.Newest}, b, true},
		{priority(1, 2), row(9, 1, 3), false},
		{priority(2), row(2, 1, 3), false},
		{priority(7, 1), row(9, 1, 3), false},
		{priority(7), row(2, 1, 3), false},
		{merge.Rule{Kind: merge.Max}, row(9, 1, 3), false},
		{merge.Rule{Kind: merge.Min}, row(2, 1, 3), false},
		{merge.Rule{Kind: merge.Latest, Column: "f"}, a, true},
		{merge.Rule{Kind: merge.Latest, Column: "QTY"}, b, true},
		{merge.Rule{Kind: merge.Latest, Column: "id"}, b, true},
		{merge.Rule{Kind: merge.Latest, Column: "none"}, b, true},
	} {
		t.Run(tt.rule.String(), func(t *testing.T) {
			s := twoWrites(t, merge.Table{Rule: tt.rule}, base, a, b)
			p := s.show()
			s.wantRow(p, tt.want)
			s.wantContested(p, tt.whole, fieldF)
			if p.By.Kind != tt.rule.Kind || p.Open || len(p.Shown) != 2 {
				t.Errorf("by %v, open %v, shown %v", p.By, p.Open, p.Shown)
			}
		})
	}
}

func TestRulesOfAField(t *testing.T) {
	for _, tt := range []struct {
		table, field string
		want         record.Image
	}{
		{"newest", "counter", row(14, 0, 3)}, // 5, +4, +5
		{"fields", "counter", row(14, 1, 3)},
		{"newest", "max", row(10, 0, 3)},
		{"fields", "min", row(9, 1, 3)},
		{"max", "newest", row(10, 1, 3)},
		{"fields", "priority:a,b", row(9, 1, 3)},
		{"fields", "newest:g", row(9, 1, 3)},
	} {
		t.Run(tt.table+" "+tt.field, func(t *testing.T) {
			table := merge.Table{Rule: must(merge.ParseRule(tt.table, site))}
			table.Fields = map[string]merge.Rule{"f": must(merge.ParseRule(tt.field, site))}
			s := twoWrites(t, table, row(5, 0, 0), row(9, 1, 0), row(10, 0, 3))
			s.wantRow(s.show(), tt.want)
		})
	}
}

func TestPriorityBetweenBirths(t *testing.T) {
	s := newStory(t, merge.Table{Rule: must(merge.ParseRule("priority:a,b", site))})
	s.insert(1, 1, row(1, 1, 1))
	s.insert(2, 2, row(2, 2, 2))
	p := s.show()
	s.wantRow(p, row(1, 1, 1))
	s.wantContested(p, true)
}

// A write that nobody contests wins whatever the rule: max does not raise what somebody who
// knew the greater value lowered.
func TestRulesDecideOnlyWhatIsContested(t *testing.T) {
	for _, rule := range []string{"max", "fields", "priority:b", "keep"} {
		s := twoWrites(t, merge.Table{Rule: must(merge.ParseRule(rule, site))}, row(9, 0, 0), row(1, 0, 0), row(9, 4, 0))
		p := s.show()
		s.wantRow(p, row(1, 4, 0))
		s.wantContested(p, false)
	}
}

func TestExpression(t *testing.T) {
	table := merge.Table{Fields: map[string]merge.Rule{"f": {Kind: merge.Expr, Expr: evenSum{}}}}
	s := twoWrites(t, table, row(0, 0, 0), row(1, 0, 0), row(3, 0, 0))
	p := s.show()
	s.wantRow(p, row(4, 0, 0))
	s.wantContested(p, false, fieldF)
	// Who writes now carries a value that nobody wrote: it is theirs.
	s.put(1, 9, set(fieldG, 1))
	v := s.at(1).live["7"][0]
	if got := v.Field(fieldF); got != (record.FieldStamp{Stamp: v.Stamp, Origin: origin(1)}) {
		t.Errorf("the computed value is %v's write, want the version's own", got)
	}
}

func TestExpressionThatFailsLeavesTheRecordOpen(t *testing.T) {
	table := merge.Table{Fields: map[string]merge.Rule{"f": {Kind: merge.Expr, Expr: evenSum{}}}}
	s := twoWrites(t, table, row(0, 0, 0), row(1, 0, 0), row(2, 0, 0))
	p := s.show()
	s.wantRow(p, row(2, 0, 0))
	s.wantContested(p, false, fieldF)
	if !p.Open || p.Failed == nil || len(p.Shown) != 1 {
		t.Errorf("open %v, failed %v, shown %v; want it open, and why", p.Open, p.Failed, p.Shown)
	}
	s.decide(1, 9, row(7, 0, 0))
	s.wantRow(s.show(), row(7, 0, 0))
}

func TestCounterOfAnOlderNumber(t *testing.T) {
	s := newStory(t, merge.Table{})
	s.insert(3, 1, row(0, 0, 10)) // before the rule
	s.settle()
	s.table.Fields = map[string]merge.Rule{"qty": {Kind: merge.Counter}}
	s.put(1, 5, set(fieldQty, 12))
	s.put(2, 6, set(fieldQty, 13))
	s.wantRow(s.show(), row(0, 0, 15))
	s.put(3, 7, set(fieldQty, 20))
	s.wantRow(s.show(), row(0, 0, 20))
}

// Numbers assigned at the same time before the rule are no additions: nobody knows what of
// them was added to what.
func TestNumbersAssignedBeforeTheRuleAreContested(t *testing.T) {
	s := twoWrites(t, merge.Table{}, row(0, 0, 10), row(0, 0, 12), row(0, 0, 13))
	s.table.Fields = map[string]merge.Rule{"qty": {Kind: merge.Counter}}
	p := s.show()
	s.wantRow(p, row(0, 0, 13))
	s.wantContested(p, false, fieldQty)
}

// A number that its writer assigned after the totals that others know of it, the rule
// being another meanwhile, is not in them.
func TestNumberAssignedAfterTheTotalsIsContested(t *testing.T) {
	counter := map[string]merge.Rule{"qty": {Kind: merge.Counter}}
	s := newStory(t, merge.Table{Fields: counter})
	s.insert(1, 1, row(0, 0, 10))
	s.settle()
	s.table.Fields = nil
	s.put(1, 5, set(fieldQty, 12))
	s.table.Fields = counter
	s.put(2, 6, set(fieldQty, 13))
	p := s.show()
	s.wantRow(p, row(0, 0, 13))
	s.wantContested(p, false, fieldQty)
}

func TestCounterKeepsClassesAndBounds(t *testing.T) {
	for _, tt := range []struct{ base, a, b, want record.Value }{
		{integer(1), integer(1 << 62), integer(2), integer(1<<62 + 1)},
		{integer(1 << 62), integer(-1 << 62), integer(1<<62 + 1), integer(-1<<62 + 1)},
		{integer(1), record.FloatValue(1.5), integer(2), record.FloatValue(2.5)},
		{integer(1), record.NullValue(), integer(2), integer(2)},
		{record.NullValue(), integer(3), record.NullValue(), integer(3)},
		{integer(-1 << 62), integer(1 << 62), integer(-1 << 62), integer(1 << 62)},
	} {
		table := merge.Table{Fields: map[string]merge.Rule{"qty": {Kind: merge.Counter}}}
		s := newStory(t, table)
		r := row(0, 0, 0)
		s.insert(3, 1, with(r, fieldQty, tt.base))
		s.settle()
		s.put(1, 5, func(im record.Image) record.Image { return with(with(im, fieldQty, tt.a), fieldG, integer(1)) })
		s.put(2, 6, func(im record.Image) record.Image { return with(with(im, fieldQty, tt.b), fieldF, integer(1)) })
		s.wantRow(s.show(), with(row(1, 1, 0), fieldQty, tt.want))
	}
}

func TestSingleVersionAliases(t *testing.T) {
	s := newStory(t, merge.Table{})
	s.insert(1, 1, row(1, 1, 1))
	live := s.at(1).live["7"]
	p := must(s.table.Project(live))
	if &p.Image[0] != &live[0].Image[0] || &p.Shown[0] != &live[0].Dot || p.Winner != live[0].Dot || p.Conflict() {
		t.Errorf("a single version is shown as %s", summary(p))
	}
	if p := must(s.table.Project(nil)); !p.Absent || p.Shown != nil {
		t.Errorf("no version is shown as %s", summary(p))
	}
}

func TestBuries(t *testing.T) {
	bury := func(n byte) record.Version {
		return record.Version{Dot: dot(n, 1), Stamp: causal.Stamp(n), Flags: record.Bury, Birth: dot(9, 1)}
	}
	for _, kind := range []merge.Kind{merge.Fields, merge.Keep, merge.Newest} {
		table := merge.Table{Rule: merge.Rule{Kind: kind}}
		p := must(table.Project([]record.Version{bury(1), bury(2)}))
		if !p.Absent || p.Open || p.Conflict() || len(p.Shown) != 2 {
			t.Errorf("two deletions are shown as %s", summary(p))
		}
		p = must(table.Project([]record.Version{bury(1)}))
		if !p.Absent || !slices.Equal(p.Shown, []causal.Dot{dot(1, 1)}) {
			t.Errorf("a deletion is shown as %s", summary(p))
		}
	}
}

func TestCorruptImages(t *testing.T) {
	good := record.Version{Dot: dot(1, 1), Birth: dot(1, 1), Shape: shape, Image: row(1, 1, 1), Stamp: 1}
	for _, bad := range []record.Image{{}, {0x81}, image(integer(1)), row(1, 1, 1)[:4], append(row(1, 1, 1), 0)} {
		v := good
		v.Dot, v.Image = dot(2, 1), bad
		if _, err := new(merge.Table).Project([]record.Version{good, v}); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("image %x: %v, want ErrCorrupt", bad, err)
		}
	}
	short := good
	short.Dot, short.Fields = dot(2, 1), []record.FieldStamp{{Stamp: 1, Origin: origin(2)}}
	if _, err := new(merge.Table).Project([]record.Version{good, short}); !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("one field stamp for four fields: %v, want ErrCorrupt", err)
	}
	if _, _, err := new(merge.Table).Edit(merge.Edit{Shape: shape, Row: image(integer(1))}); !errors.Is(err, record.ErrImage) {
		t.Errorf("a row of one value: %v, want ErrImage", err)
	}
}
