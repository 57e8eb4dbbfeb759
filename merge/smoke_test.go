package merge_test

import (
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

func TestSmoke(t *testing.T) {
	shape, _ := record.NewShape("t", []string{"k", "f", "g"})
	row := func(k, f, g int64) record.Image {
		var w record.ImageWriter
		w.Reset(3)
		w.Int(f)
		w.Int(g)
		w.Int(k)
		return w.Image()
	}
	var tb merge.Table
	a, b := causal.Origin{Incarnation: 1}, causal.Origin{Incarnation: 2}
	c1, ok, err := tb.Edit(merge.Edit{Dot: causal.Dot{Origin: a, Seq: 1}, Stamp: 1, Shape: shape, Row: row(1, 1, 1)})
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	live := merge.Fold(nil, &c1, c1.Version.Dot, 1)
	base := []record.Version{live[0].Clone()}
	c2, _, _ := tb.Edit(merge.Edit{Dot: causal.Dot{Origin: a, Seq: 2}, Stamp: 2, Shape: shape, Row: row(1, 2, 1), Shown: base, Live: base})
	c3, _, _ := tb.Edit(merge.Edit{Dot: causal.Dot{Origin: b, Seq: 1}, Stamp: 3, Shape: shape, Row: row(1, 1, 3), Shown: base, Live: base})
	live = merge.Fold(live, &c2, c2.Version.Dot, 2)
	live = merge.Fold(live, &c3, c3.Version.Dot, 3)
	p, err := tb.Project(live)
	if err != nil || string(p.Image) != string(row(1, 2, 3)) || p.Conflict() || len(p.Shown) != 2 {
		t.Fatalf("%+v %v", p, err)
	}
}
