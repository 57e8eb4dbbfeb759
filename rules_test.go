package syncline_test

import (
	"context"
	"errors"
	"testing"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/merge"
)

func rule(t testing.TB, text string) *merge.Rule {
	t.Helper()
	r, err := merge.ParseRule(text, syncline.SiteNode)
	if err != nil {
		t.Fatal(err)
	}
	return &r
}

// Rules name the databases in the order of the arguments, whatever that of the state is.
func TestSyncRules(t *testing.T) {
	const stock = `CREATE TABLE stock(id INTEGER PRIMARY KEY, qty INTEGER, note TEXT, at INTEGER);`
	for _, c := range []struct {
		name    string
		o       syncline.Options
		swapped bool
		want    string // qty and note
		rule    string
	}{
		{"first", syncline.Options{OnConflict: rule(t, "priority:a,b")}, false, `13 "A"`, "priority:a,b"},
		{"second", syncline.Options{OnConflict: rule(t, "priority:b,a")}, false, `20 "B"`, "priority:b,a"},
		{"first, other order", syncline.Options{OnConflict: rule(t, "priority:a,b")}, true, `20 "B"`, "priority:a,b"},
		{"latest", syncline.Options{OnConflict: rule(t, "newest:at")}, false, `20 "B"`, "newest:at"},
		{"max", syncline.Options{OnConflict: rule(t, "max")}, false, `20 "B"`, "max"},
		{
			"counter and priority", syncline.Options{Rules: map[string]merge.Table{
				"STOCK": {Rule: *rule(t, "priority:a,b"), Fields: map[string]merge.Rule{"Qty": *rule(t, "counter")}},
			}}, false, `23 "A"`, "priority:a,b",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t)
			p.exec("a.db", stock+`INSERT INTO stock VALUES(1,10,'',0);`)
			c.o.TwoWay = true
			p.sync("a.db", "b.db", c.o)
			p.exec("a.db", "UPDATE stock SET qty = qty+3, note = 'A', at = 1")
			p.exec("b.db", "UPDATE stock SET qty = qty+10, note = 'B', at = 2")
			a, b := "a.db", "b.db"
			if c.swapped {
				a, b = b, a
			}
			r := p.sync(a, b, c.o)
			if got := p.same("a.db", "b.db", "SELECT qty, note FROM stock"); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if r.Open != 0 || r.Resolved != 1 || !r.Settled {
				t.Errorf("report: %+v", r)
			}
			var list []syncline.Conflict
			err := syncline.Conflicts(context.Background(), p.open(a), p.open(b), syncline.StateOptions{
				StateDir: p.state, OnConflict: c.o.OnConflict, Rules: c.o.Rules,
			}, func(c syncline.Conflict) error {
				list = append(list, c)
				return nil
			})
			if err != nil || len(list) != 1 || list[0].Kind != syncline.ConflictResolved || list[0].Rule != c.rule || list[0].Result == nil {
				t.Errorf("conflicts: %+v, %v", list, err)
			}
			if r := p.sync(a, b, c.o); r.Resolved != 0 || r.ToA != (syncline.Effect{}) || r.ToB != (syncline.Effect{}) {
				t.Errorf("once more: %+v", r)
			}
		})
	}
}

func TestSyncRulesOfNothing(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders)
	for name, rules := range map[string]map[string]merge.Table{
		"table":  {"order": {}},
		"field":  {"orders": {Fields: map[string]merge.Rule{"sum": {}}}},
		"column": {"orders": {Rule: *rule(t, "newest:changed")}},
	} {
		if _, err := p.trySync("a.db", "b.db", syncline.Options{TwoWay: true, Rules: rules}); !errors.Is(err, syncline.ErrUsage) {
			t.Errorf("%s: got %v, want ErrUsage", name, err)
		}
	}
	p.exec("a.db", "CREATE TABLE more(id INTEGER PRIMARY KEY, at)")
	all := syncline.Options{TwoWay: true, OnConflict: rule(t, "newest:at")}
	if _, err := p.trySync("a.db", "b.db", all); !errors.Is(err, syncline.ErrUsage) {
		t.Errorf("column that one table lacks: got %v, want ErrUsage", err)
	}
	all.Rules = map[string]merge.Table{"Orders": {}}
	if _, err := p.trySync("a.db", "b.db", all); err != nil {
		t.Errorf("column that a table with a rule of its own lacks: %v", err)
	}
	if _, err := merge.ParseRule("priority:c", syncline.SiteNode); !errors.Is(err, syncline.ErrUsage) {
		t.Errorf("site c: got %v, want ErrUsage", err)
	}
}
