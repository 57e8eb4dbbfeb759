package flow

import (
	"context"
	"errors"
	"slices"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// apply makes site i's rows what they are due to be, in one transaction. It reports
// whether there is more to do: rows that somebody edited meanwhile, or that triggers of the
// site's own wrote.
func (r *run) apply(ctx context.Context, i int) (more bool, err error) {
	due, err := r.anyDue(ctx, i)
	if err != nil || !due {
		return false, err
	}
	park := newParked()
	for {
		a, err := r.transaction(ctx, i, park)
		if err != nil {
			return false, err
		}
		err = a.write(ctx)
		if err == nil {
			err = a.check(ctx)
		}
		if err == nil {
			err = a.look()
		}
		if err == nil {
			return a.finish(ctx)
		}
		if rollback := a.rollback(); rollback != nil {
			return false, errors.Join(err, rollback)
		}
		if !errors.Is(err, errAgain) {
			return false, err
		}
	}
}

// errAgain says that more records were parked than the transaction left out.
var errAgain = errors.New("again without what was parked")

// anyDue reports whether an apply would write something to site i.
func (r *run) anyDue(ctx context.Context, i int) (bool, error) {
	v := r.view()
	defer v.Close()
	found := errors.New("found")
	err := r.eachDue(ctx, v, i, func(*table, record.Key, *loaded, row, row) error { return found })
	if errors.Is(err, found) {
		return true, nil
	}
	return false, err
}

// eachDue visits what is due at site i: what its row is known to be and what it has to be.
func (r *run) eachDue(ctx context.Context, v View, i int, each func(t *table, k record.Key, l *loaded, have, want row) error) error {
	for n := range r.tables {
		t := r.table(r.tables[n], &r.mode)
		if t.At[i] == nil {
			continue
		}
		if err := r.eachDueIn(ctx, v, i, t, each); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) eachDueIn(ctx context.Context, v View, i int, t *table, each func(t *table, k record.Key, l *loaded, have, want row) error) error {
	sides := v.Sides(spaceName(i), t.Name, nil)
	defer sides.Close()
	for sides.Next() {
		if err := interrupted(ctx); err != nil {
			return err
		}
		k := sides.Key()
		if r.leaves(t.Name, k) {
			continue
		}
		l, err := r.fetch(v, t, k)
		if err != nil {
			return err
		}
		verdict, have, want, err := l.due(i, &r.mode)
		if err != nil {
			return err
		}
		if verdict != write {
			continue
		}
		if err := each(t, k, l, have, want); err != nil {
			return err
		}
	}
	return sides.Err()
}

// transaction is one apply at work.
type transaction struct {
	*run
	i     int
	tx    endpoint.Tx
	view  View
	to    endpoint.Progress
	park  *parked
	raced []named
	// chosen and derived go into the intent.
	chosen  []rowOf
	derived []rowOf
	counts  map[string]*Effect
	late    []late // rows that a unique value of another row kept out at first
	effects bool
	skipped map[string]bool
}

// transaction begins an apply at site i.
func (r *run) transaction(ctx context.Context, i int, park *parked) (*transaction, error) {
	s := r.sites[i]
	a := &transaction{
		run: r, i: i, park: park, counts: make(map[string]*Effect), skipped: make(map[string]bool),
		to: endpoint.Progress{Apply: s.now.Apply + 1, Nonce: newNonce()},
	}
	for n := range r.tables {
		if t := r.tables[n].At[i]; t != nil && len(t.Triggers) > 0 {
			a.effects = true
		}
	}
	var err error
	a.tx, err = s.Endpoint.Begin(ctx, endpoint.Begin{
		Pair: r.Pair(), From: s.now, To: a.to, Marker: s.marker, Effects: a.effects,
	})
	if err != nil {
		return nil, err
	}
	a.view = r.view()
	return a, nil
}

// write writes all that is due and can be taken.
func (a *transaction) write(ctx context.Context) error {
	if a.effects {
		// Triggers may write to any row: what others have edited shows only before that.
		if err := a.findRaced(ctx); err != nil {
			return err
		}
	}
	var done int64
	err := a.eachDue(ctx, a.view, a.i, func(t *table, k record.Key, l *loaded, have, want row) error {
		if a.leaveOut(t, k, l) || a.skipped[nameOf(t.Name, k)] {
			return nil
		}
		now, err := a.rowNow(t, k)
		if err != nil {
			return err
		}
		switch {
		case equal(now, have):
		case equal(now, want):
			a.choose(t, k, l, want)
			return nil
		case a.effects: // a trigger has answered this very transaction
			have = slices.Clone(now)
		default:
			a.skip(t, k)
			return nil
		}
		if err := a.put(t, k, l, have, want); err != nil {
			return err
		}
		done++
		a.tell(Progress{Phase: phaseApply, Table: t.Name, Site: a.i, Done: done})
		return nil
	})
	if err != nil {
		return err
	}
	return a.writeLate()
}

// findRaced finds the rows to skip before anything is written.
func (a *transaction) findRaced(ctx context.Context) error {
	return a.eachDue(ctx, a.view, a.i, func(t *table, k record.Key, l *loaded, have, want row) error {
		if a.leaveOut(t, k, l) {
			return nil
		}
		now, err := a.rowNow(t, k)
		if err == nil && !equal(now, have) && !equal(now, want) {
			a.skip(t, k)
		}
		return err
	})
}

// rowNow returns the row that the site has at this point of the transaction, nil for none.
func (a *transaction) rowNow(t *table, k record.Key) (row, error) {
	im, ok, err := a.tx.Get(t.At[a.i], k, nil)
	if err != nil || !ok {
		return nil, err
	}
	return im, nil
}

// left reports whether the record was left out.
func (a *transaction) left(t *table, k record.Key) bool {
	name := nameOf(t.Name, k)
	_, out := a.park.records[name]
	return out || a.skipped[name] || a.leaves(t.Name, k)
}

// skip leaves a row out that somebody edited after it was looked at: that comes first.
func (a *transaction) skip(t *table, k record.Key) {
	a.raced = append(a.raced, named{t.Name, append([]byte(nil), k...)})
	a.skipped[nameOf(t.Name, k)] = true
}

// choose remembers the row that stands for several versions: other rules would show
// another one.
func (a *transaction) choose(t *table, k record.Key, l *loaded, want row) {
	if len(l.live) > 1 {
		r := rowOf{named: named{t.Name, append([]byte(nil), k...)}}
		if want != nil {
			r.Row = append([]byte{}, want...)
		}
		a.chosen = append(a.chosen, r)
	}
}

// put writes one row. What a unique value of another row keeps out is tried again later.
func (a *transaction) put(t *table, k record.Key, l *loaded, have, want row) error {
	err := a.put1(t, k, have, want)
	if err == nil {
		a.wrote(t, k, l, have, want)
		return nil
	}
	var broken *endpoint.ConstraintError
	if !errors.As(err, &broken) {
		return err
	}
	if broken.Kind == endpoint.Unique {
		a.late = append(a.late, late{
			t: t, k: append(record.Key(nil), k...), have: slices.Clone(have), want: slices.Clone(want), l: l,
		})
		return nil
	}
	return a.refuse(t, k, l, broken)
}

func (a *transaction) put1(t *table, k record.Key, have, want row) error {
	at := a.view.Chunk
	switch {
	case equal(have, want):
		return nil
	case want == nil:
		return a.tx.Delete(t.At[a.i], k)
	case have == nil:
		return a.tx.Insert(t.At[a.i], want, at)
	}
	return a.tx.Update(t.At[a.i], k, have, want, at)
}

// wrote counts a row and remembers what of it cannot be told from the state alone.
func (a *transaction) wrote(t *table, k record.Key, l *loaded, have, want row) {
	e := a.counts[t.Name]
	if e == nil {
		e = new(Effect)
		a.counts[t.Name] = e
	}
	switch {
	case want == nil:
		e.Deletes++
	case have == nil:
		e.Inserts++
	default:
		e.Updates++
	}
	if l.edited(a.i) && want != nil {
		e.Overwrites++
	}
	e.Bytes += sizeOf(want)
	a.choose(t, k, l, want)
}

// latePasses bounds how often the rows that others kept out are tried again.
const latePasses = 8
