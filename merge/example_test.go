package merge_test

import (
	"fmt"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// Two sites change different fields of a row, and one field both.
func ExampleTable_Project() {
	table := merge.Table{Rule: merge.Rule{Kind: merge.Fields}}
	site := func(n byte, seq uint64) causal.Dot {
		return causal.Dot{Origin: causal.Origin{Node: causal.Node{n}}, Seq: seq}
	}
	orders, _ := record.NewShape("orders", []string{"id", "note", "total"})
	row := func(id int64, note string, total float64) record.Image {
		var w record.ImageWriter
		w.Reset(3)
		w.Int(id)
		w.Text([]byte(note))
		w.Float(total)
		return w.Image()
	}

	write := func(d causal.Dot, stamp causal.Stamp, shown []record.Version, im record.Image) record.Change {
		c, _, _ := table.Edit(merge.Edit{Dot: d, Stamp: stamp, Shown: shown, Live: shown, Shape: orders, Row: im})
		return c
	}
	first := write(site(1, 1), 10, nil, row(7, "", 19.9))
	base := merge.Fold(nil, &first, site(1, 1), 10)
	here := write(site(1, 2), 20, base, row(7, "call first", 19.9))
	there := write(site(2, 1), 30, base, row(7, "leave at door", 1))

	// Both changes arrive, in whatever order.
	live := merge.Fold(base, &there, site(2, 1), 30)
	live = merge.Fold(live, &here, site(1, 2), 20)

	p, _ := table.Project(live)
	values, _ := p.Image.Values(nil)
	for i, v := range values {
		fmt.Println(p.Shape.Fields[i], v)
	}
	for _, i := range p.Contested {
		fmt.Println("contested:", p.Shape.Fields[i], "by rule", p.By)
	}
	// Output:
	// id 7
	// note leave at door
	// total 1.0
	// contested: note by rule fields
}

// Additions of a counter add up, and a row shows their sum.
func ExampleTable_Edit() {
	table := merge.Table{Fields: map[string]merge.Rule{"qty": {Kind: merge.Counter}}}
	stock, _ := record.NewShape("stock", []string{"qty"})
	row := func(qty int64) record.Image {
		var w record.ImageWriter
		w.Reset(1)
		w.Int(qty)
		return w.Image()
	}
	dot := func(n byte, seq uint64) causal.Dot {
		return causal.Dot{Origin: causal.Origin{Node: causal.Node{n}}, Seq: seq}
	}
	first, _, _ := table.Edit(merge.Edit{Dot: dot(1, 1), Stamp: 1, Shape: stock, Row: row(10)})
	base := merge.Fold(nil, &first, dot(1, 1), 1)
	sold, _, _ := table.Edit(merge.Edit{Dot: dot(1, 2), Stamp: 2, Shown: base, Live: base, Shape: stock, Row: row(7)})
	bought, _, _ := table.Edit(merge.Edit{Dot: dot(2, 1), Stamp: 3, Shown: base, Live: base, Shape: stock, Row: row(15)})
	live := merge.Fold(base, &sold, dot(1, 2), 2)
	live = merge.Fold(live, &bought, dot(2, 1), 3)

	p, _ := table.Project(live)
	qty, _ := p.Image.Value(0)
	fmt.Println(qty)
	// Output: 12
}

func ExampleParseRule() {
	sites := map[string]causal.Node{"frankfurt": {1}, "berlin": {2}}
	r, err := merge.ParseRule("priority:frankfurt,berlin", func(name string) (causal.Node, error) {
		n, ok := sites[name]
		if !ok {
			return n, fmt.Errorf("no site %q", name)
		}
		return n, nil
	})
	fmt.Println(r.Kind == merge.Priority, len(r.Nodes), err)
	// Output: true 2 <nil>
}
