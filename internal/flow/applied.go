package flow

import (
	"github.com/syncline-io/syncline/record"
)

// applied is an intent with its lists as sets.
type applied struct {
	intent
	tables  map[string]bool
	skipped map[string]bool
	chosen  map[string]row
}

func newApplied(in *intent) *applied {
	a := &applied{
		intent: *in, tables: make(map[string]bool), skipped: make(map[string]bool), chosen: make(map[string]row),
	}
	for _, name := range in.Tables {
		a.tables[name] = true
	}
	for _, n := range in.Skipped {
		a.skipped[nameOf(n.Table, n.Key)] = true
	}
	for _, c := range in.Chosen {
		a.chosen[nameOf(c.Table, c.Key)] = c.Row
	}
	return a
}

func nameOf(table string, k record.Key) string { return table + "\x00" + string(k) }

// settle takes in that the intent was committed at site i, for one record.
func (a *applied) settle(st *state, i int, table string, k record.Key) error {
	if st.shadow[i].standing != behind || !a.tables[table] || a.skipped[nameOf(table, k)] {
		return nil
	}
	if a.Only != nil && nameOf(a.Only.Table, a.Only.Key) != nameOf(table, k) {
		return nil
	}
	v, _, want, err := st.due(i, &Mode{Lead: a.Lead, Delete: a.Delete})
	if err != nil {
		return err
	}
	if chosen, ok := a.chosen[nameOf(table, k)]; ok {
		return st.settle(i, chosen)
	}
	if v == write && len(st.live) < 2 {
		return st.settle(i, want)
	}
	return nil
}
