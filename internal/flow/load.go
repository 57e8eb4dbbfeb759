package flow

import (
	"bytes"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// loaded is a record's state and what of it is in the store.
type loaded struct {
	state
	was    []causal.Dot // of the live versions
	stored [2][]byte    // the shadows' stored forms, nil for none
	nodes  [2]causal.Node
}

// table is a Table in a run.
type table struct {
	Table
	rules   *merge.Table
	known   [2]extent
	scratch []byte
}

func (f *Flow) table(t Table, m *Mode) *table {
	n := &table{Table: t, rules: m.Rules(t.Name)}
	for i, s := range f.sites {
		n.known[i] = s.extent(t.Name)
	}
	return n
}

// load makes the state of a record out of what the store has: its live versions, and the
// stored shadows, nil where there is none. It aliases both.
func (f *Flow) load(t *table, k record.Key, live []record.Version, stored [2][]byte) (*loaded, error) {
	l := &loaded{stored: stored}
	l.rules, l.live = t.rules, live
	for i := range live {
		l.was = append(l.was, live[i].Dot)
	}
	for i, s := range f.sites {
		l.nodes[i] = s.Origin.Node
		if s.unknown {
			continue
		}
		var err error
		switch {
		case stored[i] != nil:
			if l.shadow[i], err = readShadow(stored[i], f.store.Dict()); err != nil {
				return nil, err
			}
		case t.known[i].covers(k):
			l.shadow[i].standing = current
		}
	}
	l.shape = t.shape(l)
	for i, s := range f.sites {
		if s.done != nil && !s.unknown {
			if err := s.done.settle(&l.state, i, t.Name, k); err != nil {
				return nil, err
			}
		}
	}
	return l, nil
}

// shape is that of the table at the sites, or of the record's newest rows for a table that
// no site has any more.
func (t *table) shape(l *loaded) *record.Shape {
	for _, at := range t.At {
		if at != nil {
			return at.Shape
		}
	}
	for _, vs := range [][]record.Version{l.live, l.shadow[0].reflects, l.shadow[1].reflects} {
		for i := range vs {
			if vs[i].Shape != nil {
				return vs[i].Shape
			}
		}
	}
	return &record.Shape{Table: t.Name}
}

// fetch loads one record from a view.
func (f *Flow) fetch(v View, t *table, k record.Key) (*loaded, error) {
	live, err := v.Get(t.Name, k)
	if err != nil {
		return nil, err
	}
	var stored [2][]byte
	for i := range stored {
		b, ok, err := v.Side(spaceName(i), t.Name, k)
		if err != nil {
			return nil, err
		}
		if ok {
			stored[i] = b
		}
	}
	return f.load(t, k, live, stored)
}

// save writes the differences between the state and the store to a batch. It reports
// whether there were any.
func (f *Flow) save(b Batch, t *table, k record.Key, l *loaded) (bool, error) {
	l.forget()
	wrote := false
	if l.moved() {
		wrote = true
		if err := b.Record(t.Name, k, len(l.was), l.live); err != nil {
			return false, err
		}
	}
	for i := range l.shadow {
		sh := &l.shadow[i]
		switch {
		case sh.standing == behind:
			t.scratch = appendShadow(t.scratch[:0], f.store.Dict(), sh)
			if l.stored[i] != nil && bytes.Equal(l.stored[i], t.scratch) {
				continue
			}
			wrote = true
			if err := b.Side(spaceName(i), t.Name, k, t.scratch, sh.holds()); err != nil {
				return false, err
			}
		case l.stored[i] != nil && !f.sites[i].unknown:
			wrote = true
			if err := b.DeleteSide(spaceName(i), t.Name, k); err != nil {
				return false, err
			}
		}
	}
	return wrote, nil
}

// dirty reports whether save would write something.
func (f *Flow) dirty(t *table, l *loaded) bool {
	if l.moved() {
		return true
	}
	for i := range l.shadow {
		sh := &l.shadow[i]
		if sh.standing != behind {
			if l.stored[i] != nil && !f.sites[i].unknown {
				return true
			}
			continue
		}
		t.scratch = appendShadow(t.scratch[:0], f.store.Dict(), sh)
		if !bytes.Equal(l.stored[i], t.scratch) {
			return true
		}
	}
	return false
}

// moved reports whether the live versions are others than the store's.
func (l *loaded) moved() bool {
	if len(l.was) != len(l.live) {
		return true
	}
	for i := range l.was {
		if l.was[i] != l.live[i].Dot {
			return true
		}
	}
	return false
}
