package main

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
)

func TestSplitRule(t *testing.T) {
	for _, c := range []struct {
		in                 string
		table, field, rule string
		bad                bool
	}{
		{in: "orders=a", table: "orders", rule: "a"},
		{in: "stock.qty=counter", table: "stock", field: "qty", rule: "counter"},
		{in: "orders=newest:updated_at", table: "orders", rule: "newest:updated_at"},
		{in: `"we.ird"."f=g"=keep`, table: "we.ird", field: "f=g", rule: "keep"},
		{in: `orders=expr:a == "x"`, table: "orders", rule: `expr:a == "x"`},
		{in: "größe.straße=max", table: "größe", field: "straße", rule: "max"},
		{in: "", bad: true},
		{in: "orders", bad: true},
		{in: "orders=", bad: true},
		{in: "=a", bad: true},
		{in: "orders.=a", bad: true},
		{in: "a.b.c=max", bad: true},
		{in: `"unfinished=a`, bad: true},
	} {
		table, field, rule, err := splitRule(c.in)
		if (err != nil) != c.bad {
			t.Errorf("splitRule(%q): %v", c.in, err)
			continue
		}
		if err == nil && (table != c.table || field != c.field || rule != c.rule) {
			t.Errorf("splitRule(%q) = %q, %q, %q", c.in, table, field, rule)
		}
	}
}

func TestParseRules(t *testing.T) {
	f := ruleFlags{onConflict: "a", rules: []string{"stock.Qty=counter", "orders=newest:updated_at", "orders=delete-wins", "orders.note=b"}}
	all, tables, err := f.parse()
	if err != nil {
		t.Fatal(err)
	}
	var sites [2]causal.Node
	for i, name := range []string{"a", "b"} {
		if sites[i], err = syncline.SiteNode(name); err != nil {
			t.Fatal(err)
		}
	}
	if all.Kind != merge.Priority || !slices.Equal(all.Nodes, sites[:]) {
		t.Errorf("--on-conflict a is %v", all)
	}
	stock := tables["stock"]
	if stock.Rule.Kind != merge.Priority || stock.Fields["qty"].Kind != merge.Counter {
		t.Errorf("a field's rule leaves its table to --on-conflict: %v", stock)
	}
	orders := tables["orders"]
	if orders.Rule.Kind != merge.Latest || orders.Rule.Column != "updated_at" || orders.Delete != merge.DeleteWins {
		t.Errorf("orders is %v", orders)
	}
	if n := orders.Fields["note"].Nodes; !slices.Equal(n, []causal.Node{sites[1], sites[0]}) {
		t.Errorf("orders.note prefers %v", n)
	}
}

func TestBadRulesAreUsage(t *testing.T) {
	for _, f := range []ruleFlags{
		{onConflict: "mine"},
		{onConflict: "priority:a,c"},
		{onConflict: "keep", rules: []string{"orders=sometimes"}},
		{onConflict: "keep", rules: []string{"orders"}},
	} {
		_, _, err := f.parse()
		var usage *usageError
		if !errors.As(err, &usage) || usage.hint == "" {
			t.Errorf("%v: %v", f, err)
		}
	}
}

func TestParseKeys(t *testing.T) {
	for _, c := range []struct {
		in   []string
		want map[string][]string
		bad  bool
	}{
		{in: nil, want: map[string][]string{}},
		{in: []string{"events:day,no"}, want: map[string][]string{"events": {"day", "no"}}},
		{in: []string{"a:x", "b:y"}, want: map[string][]string{"a": {"x"}, "b": {"y"}}},
		{in: []string{`"a:b":"x,y",z`}, want: map[string][]string{"a:b": {"x,y", "z"}}},
		{in: []string{"events"}, bad: true},
		{in: []string{"events:"}, bad: true},
		{in: []string{"events:a,"}, bad: true},
		{in: []string{"events:,a"}, bad: true},
		{in: []string{":a"}, bad: true},
		{in: []string{`events:"a"b`}, bad: true},
	} {
		got, err := parseKeys(c.in)
		if (err != nil) != c.bad {
			t.Errorf("parseKeys(%q): %v", c.in, err)
			continue
		}
		if err == nil && !maps.EqualFunc(got, c.want, slices.Equal) {
			t.Errorf("parseKeys(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestParseShare(t *testing.T) {
	for _, c := range []struct {
		in   string
		want float64
		bad  bool
	}{
		{in: "10%", want: 0.1},
		{in: "0.5%", want: 0.005},
		{in: "0.25", want: 0.25},
		{in: "100%", want: 1},
		{in: "0", want: 0},
		{in: "1", want: 1},
		{in: "10", bad: true},
		{in: "101%", bad: true},
		{in: "-1%", bad: true},
		{in: "NaN", bad: true},
		{in: "", bad: true},
		{in: "ten", bad: true},
	} {
		got, err := parseShare(c.in)
		if (err != nil) != c.bad || err == nil && got != c.want {
			t.Errorf("parseShare(%q) = %v, %v", c.in, got, err)
		}
	}
}

// What is not valid is refused, and nothing panics.
func FuzzSplitRule(f *testing.F) {
	for _, s := range []string{"orders=a", `"a.b".c=max`, "events:day,no", `"`, `"\ud800"=a`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if table, _, rule, err := splitRule(s); err == nil && (table == "" || rule == "") {
			t.Fatalf("%q gives an empty table or rule", s)
		}
		keys, err := parseKeys([]string{s})
		if err != nil {
			return
		}
		for table, columns := range keys {
			if table == "" || slices.Contains(columns, "") {
				t.Fatalf("%q gives %q", s, keys)
			}
		}
	})
}
