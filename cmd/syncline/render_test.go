package main

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/record"
)

// checkLine checks one JSON line against the schema.
func checkLine(t *testing.T, name string, line []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(line)))
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, line)
	}
	if err := lineSchema.Validate(v); err != nil {
		t.Errorf("%s: %v\n%s", name, err, line)
	}
}

func checkEvent(t *testing.T, name string, event any) {
	t.Helper()
	b, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	checkLine(t, name, b)
}

func text(s string) record.Value { return record.TextValue([]byte(s)) }

func TestShow(t *testing.T) {
	for _, c := range []struct {
		v     record.Value
		scale int
		want  string
	}{
		{record.FloatValue(19.9), 2, "19.90"},
		{record.IntValue(1), 2, "1.00"},
		{record.FloatValue(19.999), 2, "19.999"}, // nothing is rounded away
		{record.FloatValue(19.9), -1, "19.9"},
		{record.IntValue(7), 0, "7"},
		{record.IntValue(math.MaxInt64), 2, "9223372036854775807"},
		{record.FloatValue(math.Copysign(0, -1)), 2, "-0.00"},
		{text("19.9"), 2, "'19.9'"},
		{record.NullValue(), 2, "NULL"},
		{record.FloatValue(math.Inf(1)), 2, record.FloatValue(math.Inf(1)).String()},
	} {
		if got := show(c.v, c.scale); got != c.want {
			t.Errorf("show(%v, %d) = %s, want %s", c.v, c.scale, got, c.want)
		}
	}
}

func TestDifferentValuesLookDifferent(t *testing.T) {
	long := strings.Repeat("x", 500)
	large := bytes.Repeat([]byte("x"), 2*record.ChunkSize)
	other := bytes.Clone(large)
	other[len(other)/2]++
	for _, c := range []struct{ v, w record.Value }{
		{record.IntValue(1), record.FloatValue(1)},
		{record.FloatValue(0), record.FloatValue(math.Copysign(0, -1))},
		{text("a"), record.BytesValue([]byte("a"))},
		{text("NULL"), record.NullValue()},
		{text(long + "1"), text(long + "2")},
		{text(long), text(long + "2")},
		{record.BytesValue([]byte(long + "1")), record.BytesValue([]byte(long + "2"))},
		{kept(t, record.BytesValue(large)), kept(t, record.BytesValue(other))},
		{kept(t, record.BytesValue(large)), kept(t, record.BytesValue(large[1:]))},
	} {
		for _, scale := range []int{-1, 2} {
			if a, b := showTwo(c.v, c.w, scale); a == b {
				t.Errorf("%s and %s that differ both look like %s", class(c.v), class(c.w), a)
			}
		}
	}
}

// kept returns a value as an image holds it: what is large is named by its chunks.
func kept(t *testing.T, v record.Value) record.Value {
	t.Helper()
	got, _, err := record.DecodeValue(record.AppendValue(nil, v))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func sampleDifferences() []syncline.RowDifference {
	fields := []string{"id", "note", "total"}
	row := func(vs ...record.Value) *syncline.Row { return &syncline.Row{Fields: fields, Values: vs} }
	return []syncline.RowDifference{
		{Kind: '+', Table: "orders", Record: "orders/1000411", A: row(record.IntValue(1000411), text("x"), record.IntValue(2))},
		{Kind: '-', Table: "orders", Record: "orders/998120", B: row(record.IntValue(998120), text("x"), record.IntValue(2))},
		{
			Kind: '*', Table: "orders", Record: "orders/7", Fields: []int{2}, Scale: []int{-1, -1, 2},
			A: row(record.IntValue(7), record.NullValue(), record.IntValue(1)),
			B: row(record.IntValue(7), record.NullValue(), record.FloatValue(19.9)),
		},
		{
			Kind: '*', Table: "orders", Record: "orders/8", Fields: []int{1, 2}, Scale: []int{-1, -1, 2},
			A: row(record.IntValue(8), text("new\nline"), record.FloatValue(1)),
			B: row(record.IntValue(8), record.NullValue(), record.IntValue(1)),
		},
		{Kind: '*', Table: "we ird", Record: `"we ird"/["k",2]`, Fields: nil, A: row(), B: row()},
		{Kind: '!', Table: "orders", Record: "orders/12", Reason: "b.db: a key is null"},
		{Kind: '!', Table: "odd", Reason: "b.db: a key is null"},
	}
}

func TestDifferenceText(t *testing.T) {
	var b strings.Builder
	for _, d := range sampleDifferences() {
		b.WriteString(differenceText(false, d, "a.db", "b.db", true) + "\n")
		checkEvent(t, d.Record, differenceEvent(d, true))
	}
	b.WriteString("\n")
	for _, d := range sampleDifferences() {
		b.WriteString(differenceText(d.Record == "orders/7", d, "a.db", "b.db", false) + "\n")
		checkEvent(t, d.Record, differenceEvent(d, false))
	}
	golden(t, "diff", b.String())
}

func TestComparisonText(t *testing.T) {
	for _, c := range []struct {
		in   syncline.Comparison
		want string
	}{
		{syncline.Comparison{Equal: 21345}, "= 21,345 equal"},
		{syncline.Comparison{Equal: 21344, Differing: 1}, "= 21,344 equal   *1"},
		{syncline.Comparison{Equal: 12399871, OnlyA: 12, OnlyB: 1, Differing: 3, Unreadable: 1}, "= 12,399,871 equal   +12 -1 *3 !1"},
		{syncline.Comparison{}, "= 0 equal"},
	} {
		if got := comparisonText(false, &c.in); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func sampleConflicts() []syncline.Conflict {
	fields := []string{"id", "note", "total"}
	row := func(note string, total float64) *syncline.Row {
		return &syncline.Row{Fields: fields, Values: []record.Value{record.IntValue(7), text(note), record.FloatValue(total)}}
	}
	since := time.Date(2026, 11, 24, 14, 3, 22, 5e6, time.UTC)
	return []syncline.Conflict{
		{Record: "orders/7", Table: "orders", Kind: syncline.ConflictOpen, Since: since, Rule: "keep", Fields: []string{"total"}, A: row("n", 1), B: row("n", 2.5)},
		{Record: "orders/8", Table: "orders", Kind: syncline.ConflictOpen, Since: since, Rule: "keep", A: row("n", 1)},
		{Record: "orders/9", Table: "orders", Kind: syncline.ConflictOpen, Since: since, Rule: "keep", A: row("n", 1), B: row("m", 1)},
		{Record: "orders/10", Table: "orders", Kind: syncline.ConflictResolved, Since: since, Rule: "priority:a,b", Fields: []string{"note"}, A: row("n", 1), B: row("m", 1), Result: row("n", 1)},
		{Record: "lines/[7,2]", Table: "lines", Kind: syncline.ConflictParked, Since: since, At: "b.db", Reason: "UNIQUE constraint failed: lines.code", A: row("n", 1)},
		{Record: "orders/11", Table: "orders", Kind: syncline.ConflictOpen, Rule: "keep"},
	}
}

func TestConflictText(t *testing.T) {
	scale := func(field string) int {
		if field == "total" {
			return 2
		}
		return -1
	}
	var b strings.Builder
	var n conflictCounts
	for _, c := range sampleConflicts() {
		c.Since = c.Since.In(time.UTC)
		n.add(c.Kind)
		b.WriteString(conflictTextIn(time.UTC, c, scale) + "\n")
		checkEvent(t, c.Record, conflictEvent(c))
	}
	b.WriteString(n.text("syncline conflicts resolve a.db 'my b.db' RECORD") + "\n" + conflictCounts{}.text("") + "\n")
	golden(t, "conflicts", b.String())
}

// conflictTextIn is conflictText for somebody who lives in a zone.
func conflictTextIn(zone *time.Location, c syncline.Conflict, scale func(string) int) string {
	return conflictText(false, c, "a.db", "longer/b.db", zone, scale)
}

func TestSummaryText(t *testing.T) {
	reports := []struct {
		name string
		mode runMode
		r    syncline.Report
	}{
		{"first copy", runMode{}, syncline.Report{Settled: true, ToB: syncline.Effect{Inserts: 21345, Bytes: 1_300_000}, Elapsed: 400 * time.Millisecond}},
		{"nothing", runMode{}, syncline.Report{Settled: true, Elapsed: 30 * time.Millisecond}},
		{"both ways", runMode{twoWay: true}, syncline.Report{Settled: true, ToA: syncline.Effect{Updates: 2, Bytes: 100}, ToB: syncline.Effect{Inserts: 1, Deletes: 3, Bytes: 60}, Elapsed: time.Second}},
		{"left", runMode{twoWay: true}, syncline.Report{ToB: syncline.Effect{Updates: 1, Bytes: 10}, Open: 2, Parked: 1, Pending: 3, Resolved: 4, Deviations: 1, Elapsed: time.Second}},
		{"pending", runMode{}, syncline.Report{Settled: true, Pending: 1, Elapsed: time.Second}},
		{"pending both ways", runMode{twoWay: true}, syncline.Report{Settled: true, Pending: 2, Elapsed: time.Second}},
		{"held by triggers", runMode{}, syncline.Report{Settled: true, Deviations: 1, Elapsed: time.Second}},
		{"some tables", runMode{chosen: true}, syncline.Report{Settled: true, Plan: &syncline.Plan{Tables: make([]syncline.TablePlan, 1)}}},
		{"no tables", runMode{chosen: true}, syncline.Report{Settled: true, Plan: &syncline.Plan{}}},
	}
	var b strings.Builder
	for _, c := range reports {
		b.WriteString("# " + c.name + "\n" + strings.Join(summaryText(&c.r, "a.db", "b.db", c.mode, "syncline conflicts a.db b.db"), "\n") + "\n")
		b.WriteString(roundText(false, &c.r, "a.db", "b.db") + "\n")
		checkEvent(t, c.name, roundEvent{Type: "round", Summary: summaryOf(&c.r)})
	}
	golden(t, "summary", b.String())
}
