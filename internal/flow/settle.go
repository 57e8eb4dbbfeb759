package flow

import (
	"context"
	"errors"
	"slices"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// rollback ends the transaction without effect.
func (a *transaction) rollback() error {
	return errors.Join(a.tx.Rollback(), a.view.Close())
}

// finish commits, and writes down what is known now.
func (a *transaction) finish(ctx context.Context) (more bool, err error) {
	in := &intent{
		Lead: a.mode.Lead, Delete: a.mode.Delete,
		Only: a.only, Chosen: a.chosen, Derived: a.derived, Skipped: slices.Clone(a.raced),
	}
	for n := range a.tables {
		in.Tables = append(in.Tables, a.tables[n].Name)
	}
	for _, n := range a.park.where {
		in.Skipped = append(in.Skipped, n)
	}
	if err := a.writeParked(); err != nil {
		return false, errors.Join(err, a.rollback())
	}
	if err := a.commit(in); err != nil {
		return false, err
	}
	for name, e := range a.counts {
		to := &a.at[name].To[a.i]
		to.Inserts += e.Inserts
		to.Updates += e.Updates
		to.Deletes += e.Deletes
		to.Overwrites += e.Overwrites
		to.Bytes += e.Bytes
		a.out.Changed = true
	}
	raced, err := a.captureRaced(ctx, a.i, a.raced)
	return raced || len(a.derived) > 0, err
}

// commit ends the transaction and settles what it means.
func (a *transaction) commit(in *intent) error {
	if err := a.seal(a.i, a.tx, in, a.to); err != nil {
		return errors.Join(err, a.rollback())
	}
	if err := a.view.Close(); err != nil {
		return err
	}
	return a.settle(a.i, a.tables, &a.mode)
}

// seal makes an intent durable and then ends the database's transaction.
func (f *Flow) seal(i int, tx endpoint.Tx, in *intent, to endpoint.Progress) error {
	s := f.sites[i]
	in.From, in.To = s.now, to
	b := f.store.Batch()
	err := writeJSON(b, intentName(i), in)
	if err == nil {
		err = b.Commit(true)
	}
	if err = errors.Join(err, b.Close()); err != nil {
		return err
	}
	traced := len(s.traced) > 0 && string(tx.Before()) == string(s.traced)
	if err := tx.Commit(); err != nil {
		return err
	}
	s.traced = nil
	if traced {
		s.traced = tx.After()
	}
	s.now, s.wrote = to, true
	s.done = newApplied(in)
	return nil
}

// touch moves site i's progress without writing rows, and lets go of the part of its log
// that was read.
func (f *Flow) touch(ctx context.Context, i int, m *Mode) error {
	s := f.sites[i]
	to := endpoint.Progress{Apply: s.now.Apply + 1, Nonce: newNonce()}
	tx, err := s.Endpoint.Begin(ctx, endpoint.Begin{Pair: f.Pair(), From: s.now, To: to, Marker: s.marker})
	if err != nil {
		return err
	}
	switch {
	case s.Capturing:
		err = tx.Passed(s.Cursor)
	case s.cut: // what nobody reads must not grow
		err = tx.Release()
	}
	if err == nil {
		err = f.seal(i, tx, new(intent), to)
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	s.passed, s.cut = s.Cursor, false
	return f.settle(i, nil, m)
}

// writeParked writes down what the site will not take, before the rest is committed.
func (a *transaction) writeParked() error {
	if len(a.park.where) == 0 {
		return nil
	}
	w := a.writer()
	defer w.close()
	for name, n := range a.park.where {
		t := a.tableNamed(n.Table, a.run.tables, &a.mode)
		l, err := a.fetch(a.view, t, n.Key)
		if err != nil {
			return err
		}
		why := a.park.records[name]
		l.shadow[a.i].parked = &why
		if err := w.put(t, n.Key, l); err != nil {
			return err
		}
	}
	return w.flush(false)
}

// captureRaced looks again at rows of site i that were edited while it was written to. It
// reports whether there is something to apply now.
func (r *run) captureRaced(ctx context.Context, i int, raced []named) (bool, error) {
	if len(raced) == 0 {
		return false, nil
	}
	if counts := r.mode.counts(i); (counts && r.watching) || (!counts && !r.mode.Overwrite) {
		return false, nil // the log brings it, with the rest of its transaction; or nobody may
	}
	snap, err := r.sites[i].Endpoint.Snapshot(ctx, false)
	if err != nil {
		return false, err
	}
	defer snap.Close()
	v := r.view()
	defer v.Close()
	w := r.writer()
	defer w.close()
	for _, n := range raced {
		t := r.tableNamed(n.Table, r.tables, &r.mode)
		l, err := r.fetch(v, t, n.Key)
		if err != nil {
			return false, err
		}
		im, ok, err := snap.Get(t.At[i], n.Key, r.store.PutChunk)
		if err != nil {
			return false, err
		}
		var seen [2]sight
		seen[i] = sight{looked: true, flags: record.Loose}
		if ok {
			seen[i].row = slices.Clone(im)
		}
		if err := r.captureRow(w, t, n.Key, l, seen); err != nil {
			return false, err
		}
	}
	return true, w.flush(true)
}

// tableNamed finds a table of a run by its name; one that the run does not have is known
// by its name alone.
func (f *Flow) tableNamed(name string, tables []Table, m *Mode) *table {
	for n := range tables {
		if tables[n].Name == name {
			return f.table(tables[n], m)
		}
	}
	return f.table(Table{Name: name}, m)
}

// settle writes down what an apply that is committed at site i means: every shadow it
// concerns moves, what the site's triggers made besides is captured, and the intent goes.
// It may be interrupted and done again.
func (f *Flow) settle(i int, tables []Table, m *Mode) error {
	s := f.sites[i]
	v := f.view()
	defer v.Close()
	w := f.writer()
	defer w.close()
	for _, name := range s.done.Tables {
		t := f.tableNamed(name, tables, m)
		if err := f.settleTable(v, w, i, t); err != nil {
			return err
		}
	}
	done := s.done
	s.done = nil
	if len(done.Derived) > 0 {
		// What follows looks at records that were just settled.
		if err := w.flush(false); err != nil {
			return err
		}
		if err := f.captureDerived(w, i, done.Derived, tables, m); err != nil {
			return err
		}
	}
	s.Progress = done.To
	if err := writeJSON(w.batch(), siteName(i), &s.memory); err != nil {
		return err
	}
	if err := w.batch().DeleteMeta(intentName(i)); err != nil {
		return err
	}
	return w.flush(true)
}

func (f *Flow) settleTable(v View, w *writer, i int, t *table) error {
	sides := v.Sides(spaceName(i), t.Name, nil)
	defer sides.Close()
	for sides.Next() {
		k := sides.Key()
		l, err := f.fetch(v, t, k) // which takes the apply in
		if err != nil {
			return err
		}
		if err := w.put(t, k, l); err != nil {
			return err
		}
	}
	return sides.Err()
}

// captureDerived takes in the rows that site i's own triggers made of an apply. They are
// captured once, marked; what a trigger makes of a version so marked is a deviation, or
// two databases' triggers would answer each other for ever (F9 of the core review).
func (f *Flow) captureDerived(w *writer, i int, rows []rowOf, tables []Table, m *Mode) error {
	v := f.view()
	defer v.Close()
	for _, d := range rows {
		t := f.tableNamed(d.Table, tables, m)
		l, err := f.fetch(v, t, d.Key)
		if err != nil {
			return err
		}
		again := slices.ContainsFunc(l.live, func(v record.Version) bool { return v.Flags&record.Derived != 0 })
		if again || !m.counts(i) {
			err = l.settle(i, d.Row)
		} else {
			var c *record.Change
			if c, err = l.observe(i, d.Row, w.commits[i], record.Derived|record.Loose); err == nil && c != nil {
				err = w.commits[i].add(d.Key, c)
			}
		}
		if err != nil {
			return err
		}
		if err := w.put(t, d.Key, l); err != nil {
			return err
		}
	}
	return nil
}
