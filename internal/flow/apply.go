package flow

import (
	"context"
	"errors"
	"slices"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
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
	v := r.store.View()
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

// late is a row that has to wait for others.
type late struct {
	t          *table
	k          record.Key
	have, want row
	l          *loaded
}

// parked is what a site will not take, found out so far.
type parked struct {
	records map[string]parking
	where   map[string]named
	commits map[causal.Dot]parking
}

func newParked() *parked {
	return &parked{make(map[string]parking), make(map[string]named), make(map[causal.Dot]parking)}
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
	a.view = r.store.View()
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

// leaveOut reports whether the record is parked, by itself or with its commit.
func (a *transaction) leaveOut(t *table, k record.Key, l *loaded) bool {
	name := nameOf(t.Name, k)
	if _, ok := a.park.records[name]; ok {
		return true
	}
	for i := range l.live {
		if p, ok := a.park.commits[l.live[i].Dot]; ok {
			a.park.add(t, k, p)
			return true
		}
	}
	return false
}

func (p *parked) add(t *table, k record.Key, why parking) {
	name := nameOf(t.Name, k)
	p.records[name] = why
	p.where[name] = named{t.Name, append([]byte(nil), k...)}
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
	if l.edited(a.i) {
		e.Overwrites++
	}
	e.Bytes += int64(len(want))
	a.choose(t, k, l, want)
}

// refuse parks a record, with all of its commit where that is one transaction.
func (a *transaction) refuse(t *table, k record.Key, l *loaded, broken *endpoint.ConstraintError) error {
	why := parking{Since: a.now().UnixMilli(), Kind: broken.Kind, Detail: broken.Detail}
	if was := l.shadow[a.i].parked; was != nil {
		why.Since = was.Since
	}
	a.park.add(t, k, why)
	whole := false
	for i := range l.live {
		if v := &l.live[i]; v.Flags&record.Loose == 0 {
			a.park.commits[v.Dot] = why
			whole = true
		}
	}
	if whole {
		return errAgain // others of the commit may be written already
	}
	return nil
}

// latePasses bounds how often the rows that others kept out are tried again.
const latePasses = 8

// writeLate writes the rows that others kept out: again and again as long as that helps,
// and what then stands in a circle, or in a long row without order, by taking all of it out
// first. Values that move on by one wait for each other in the order of their keys or
// against it, so it is tried in both.
func (a *transaction) writeLate() error {
	for pass := 0; len(a.late) > 0; pass++ {
		slices.Reverse(a.late)
		var left []late
		for _, w := range a.late {
			err := a.put1(w.t, w.k, w.have, w.want)
			var broken *endpoint.ConstraintError
			switch {
			case err == nil:
				a.wrote(w.t, w.k, w.l, w.have, w.want)
			case errors.As(err, &broken):
				left, err = append(left, w), nil
			}
			if err != nil {
				return err
			}
		}
		if len(left) == len(a.late) || pass == latePasses {
			return a.writeCircle(left)
		}
		a.late = left
	}
	return nil
}

func (a *transaction) writeCircle(stuck []late) error {
	for _, w := range stuck {
		if w.have != nil {
			if err := a.tx.Delete(w.t.At[a.i], w.k); err != nil {
				return err
			}
		}
	}
	refused := false
	for _, w := range stuck {
		if w.want == nil {
			continue
		}
		err := a.tx.Insert(w.t.At[a.i], w.want, a.view.Chunk)
		var broken *endpoint.ConstraintError
		if errors.As(err, &broken) {
			refused = true
			if err := a.refuse(w.t, w.k, w.l, broken); err != nil && !errors.Is(err, errAgain) {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		a.wrote(w.t, w.k, w.l, w.have, w.want)
	}
	if refused {
		return errAgain // rows were taken out that have to stay
	}
	return nil
}

// check looks for foreign keys that the transaction breaks, and that the other site does
// not break as well.
func (a *transaction) check(ctx context.Context) error {
	if !a.referential() {
		return nil
	}
	there := &otherSide{site: a.sites[1-a.i]}
	defer there.close()
	again := false
	err := a.eachDue(ctx, a.view, a.i, func(t *table, k record.Key, l *loaded, have, want row) error {
		if a.left(t, k) {
			return nil
		}
		detail, err := a.tx.Violates(t.At[a.i], have, want)
		if err != nil || detail == "" {
			return err
		}
		if want != nil && t.At[1-a.i] != nil {
			if broken, err := there.violates(ctx, t.At[1-a.i], want); err != nil || broken {
				return err // where the row comes from it breaks it, too: it is copied as it is
			}
		}
		again = true
		err = a.refuse(t, k, l, &endpoint.ConstraintError{Kind: endpoint.Reference, Table: t.Name, Detail: detail})
		if errors.Is(err, errAgain) {
			err = nil
		}
		return err
	})
	if err == nil && again {
		err = errAgain
	}
	return err
}

// otherSide answers questions about single rows of the site that is not written to.
type otherSide struct {
	site *site
	snap endpoint.Snapshot // nil until somebody asks, and after it was lost to a writer
}

// violates reports whether the row breaks a foreign key there.
func (o *otherSide) violates(ctx context.Context, t *endpoint.Table, im row) (bool, error) {
	for n := 1; ; n++ {
		if o.snap == nil {
			var err error
			if o.snap, err = o.site.Endpoint.Snapshot(ctx, true); err != nil {
				return false, err
			}
		}
		detail, err := o.snap.Violates(t, im)
		if !errors.Is(err, endpoint.ErrChanged) || n == runRounds {
			return detail != "", err
		}
		o.close()
	}
}

func (o *otherSide) close() {
	if o.snap != nil {
		_ = o.snap.Close() // nothing was written through it
		o.snap = nil
	}
}

// referential reports whether site i has a foreign key at all.
func (a *transaction) referential() bool {
	for n := range a.tables {
		if t := a.tables[n].At[a.i]; t != nil && len(t.ForeignKeys) > 0 {
			return true
		}
	}
	return false
}

// look reads back what triggers wrote.
func (a *transaction) look() error {
	if !a.effects {
		return nil
	}
	byName := make(map[string]*table)
	for n := range a.tables {
		t := a.table(a.tables[n], &a.mode)
		if t.At[a.i] != nil {
			byName[t.At[a.i].Name] = t
		}
	}
	return a.tx.Effects(func(et *endpoint.Table, k record.Key) error {
		t := byName[et.Name]
		if t == nil || a.skipped[nameOf(t.Name, k)] {
			return nil // not among the tables of this run, or looked at after it
		}
		now, ok, err := a.tx.Get(et, k, a.store.PutChunk)
		if err != nil {
			return err
		}
		if !ok {
			now = nil
		}
		l, err := a.fetch(a.view, t, k)
		if err != nil {
			return err
		}
		known, have, want, err := l.due(a.i, &a.mode)
		if err != nil {
			return err
		}
		if l.shadow[a.i].standing != behind {
			if have, _, err = l.at(a.i); err != nil {
				return err
			}
		}
		if known == write && !a.left(t, k) {
			have = want
		}
		if equal(now, have) {
			return nil
		}
		d := rowOf{named: named{t.Name, append([]byte(nil), k...)}}
		if ok {
			d.Row = append([]byte(nil), now...)
		}
		a.derived = append(a.derived, d)
		return nil
	})
}
