package flow

import (
	"context"
	"errors"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

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
