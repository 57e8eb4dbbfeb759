package merge_test

import (
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// tenColumns is a row of the usual kind, and the same with one field changed.
func tenColumns() (s *record.Shape, before, after record.Image) {
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
	s = must(record.NewShape("orders", names))
	values := make([]record.Value, len(names))
	for i := range values {
		values[i] = integer(int64(i) * 1000)
		if i%2 == 1 {
			values[i] = text("some words here")
		}
	}
	before = image(values...)
	values[4] = integer(5)
	return s, before, image(values...)
}

func oneVersion() []record.Version {
	s, before, _ := tenColumns()
	return []record.Version{{Dot: dot(1, 5), Stamp: 5, Birth: dot(1, 5), Shape: s, Image: before}}
}

func BenchmarkProjectSingle(b *testing.B) {
	live := oneVersion()
	table := merge.Table{Fields: map[string]merge.Rule{"qty": {Kind: merge.Counter}}}
	b.ReportAllocs()
	for b.Loop() {
		p, err := table.Project(live)
		if err != nil || p.Absent {
			b.Fatal(err)
		}
	}
}

func BenchmarkProjectSiblings(b *testing.B) {
	live := oneVersion()
	_, _, after := tenColumns()
	v := live[0]
	v.Dot, v.Stamp, v.Image = dot(2, 1), 6, after
	v.Seen = []record.Seen{{Origin: origin(1), Stamp: 4}}
	live = append(live, v)
	var table merge.Table
	b.ReportAllocs()
	for b.Loop() {
		if _, err := table.Project(live); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkEdit(b *testing.B, shown []record.Version, row record.Image, want bool) {
	s, _, _ := tenColumns()
	var table merge.Table
	e := merge.Edit{Dot: dot(2, 9), Stamp: causal.Stamp(9), Shown: shown, Live: shown, Shape: s, Row: row}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := table.Edit(e); ok != want || err != nil {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkEditInsert(b *testing.B) {
	_, before, _ := tenColumns()
	benchmarkEdit(b, nil, before, true)
}

func BenchmarkEditUpdate(b *testing.B) {
	live := oneVersion()
	_, _, after := tenColumns()
	live[0].Shape, _, _ = tenColumns()
	benchmarkEdit(b, live, after, true)
}

func BenchmarkEditSame(b *testing.B) {
	_, before, _ := tenColumns()
	benchmarkEdit(b, oneVersion(), before, false)
}

func BenchmarkFold(b *testing.B) {
	live := oneVersion()
	c := record.Change{Op: record.OpPut, Context: []causal.Dot{live[0].Dot}, Version: live[0]}
	b.ReportAllocs()
	for b.Loop() {
		live = merge.Fold(live, &c, live[0].Dot, 6)
	}
}

func TestTheOrdinaryRecordCostsNoMemory(t *testing.T) {
	live := oneVersion()
	_, before, _ := tenColumns()
	var table merge.Table
	if n := testing.AllocsPerRun(100, func() { _, _ = table.Project(live) }); n != 0 {
		t.Errorf("projecting a single version allocates %v times", n)
	}
	e := merge.Edit{Dot: dot(2, 9), Stamp: 9, Shape: live[0].Shape, Row: before}
	if n := testing.AllocsPerRun(100, func() { _, _, _ = table.Edit(e) }); n != 0 {
		t.Errorf("inserting a row allocates %v times", n)
	}
	e.Shown = live
	if n := testing.AllocsPerRun(100, func() { _, _, _ = table.Edit(e) }); n != 0 {
		t.Errorf("leaving a row as it was allocates %v times", n)
	}
}
