package e2e

import "testing"

// TestRules lets each rule decide an edit against an edit, and a deletion against an
// edit: both sides get what the rule says, and what lost is listed.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule            string
		edited, deleted string // rows 1 and 2 in the end
	}{
		{"a", "of a", ""},
		{"b", "of b", "of b"},
		{"newest:at", "of a", "of b"},
		{"newest", "", "of b"},
		{"fields", "", "of b"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.create("a.db", "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, at INT); INSERT INTO t VALUES (1, 'one', 0), (2, 'two', 0), (3, 'three', 0)")
			w.sync(0, "--two-way", "a.db", "b.db")
			w.edit("a.db", "UPDATE t SET v = 'of a', at = 20 WHERE id = 1; DELETE FROM t WHERE id = 2")
			w.edit("b.db", "UPDATE t SET v = 'of b', at = 10 WHERE id IN (1, 2)")
			if s := w.sync(0, "--two-way", "--on-conflict", tt.rule, "a.db", "b.db"); s.Resolved != 2 || s.Open != 0 {
				t.Errorf("%+v, want two conflicts decided", s)
			}
			w.equal("a.db", "b.db")
			for id, want := range map[int]string{1: tt.edited, 2: tt.deleted} {
				got := w.value("a.db", "SELECT v FROM t WHERE id = ?", id)
				if got != want && (id == 2 || want != "") {
					t.Errorf("row %d is %q, want %q", id, got, want)
				}
			}
			listed := set[string]{}
			for _, c := range w.conflicts("a.db", "b.db") {
				if c.Kind != "resolved" || c.Rule == "" {
					t.Errorf("%+v, want it decided by the rule of the last run", c)
				}
				listed[c.Record] = true
			}
			if !listed["t/1"] || !listed["t/2"] {
				t.Errorf("listed are %v, want both: one side's edit lost", listed)
			}
			// What was decided can be decided otherwise.
			w.must(0, "conflicts", "resolve", "a.db", "b.db", "t/1", "--take", "b")
			w.equal("a.db", "b.db")
			if got := w.value("a.db", "SELECT v FROM t WHERE id = 1"); got != "of b" {
				t.Errorf("row 1 is %q after taking b's", got)
			}
		})
	}
}

// TestCounter adds up what both sides counted.
func TestCounter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("a.db", "CREATE TABLE stock(id INTEGER PRIMARY KEY, name TEXT, qty INTEGER); INSERT INTO stock VALUES (1, 'cup', 10)")
	args := []string{"--two-way", "--rule", "stock.qty=counter", "a.db", "b.db"}
	w.sync(0, args...)
	for range 3 {
		w.edit("a.db", "UPDATE stock SET qty = qty + 5")
		w.edit("b.db", "UPDATE stock SET qty = qty - 3; UPDATE stock SET name = 'mug'")
		w.sync(0, args...)
		w.equal("a.db", "b.db")
	}
	if got := w.value("a.db", "SELECT qty || name FROM stock"); got != "16mug" {
		t.Errorf("stock is %s, want 16mug: 10 + 3 x (5 - 3)", got)
	}
}
