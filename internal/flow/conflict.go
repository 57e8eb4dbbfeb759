package flow

import (
	"context"
	"errors"
	"slices"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// ConflictKind says what is wrong with a record.
type ConflictKind uint8

// The kinds of conflicts.
const (
	ConflictOpen     ConflictKind = iota // waits for a decision
	ConflictResolved                     // a rule has decided
	ConflictParked                       // a site would not take it
)

// Conflict is a record whose versions contradict each other, or that a site would not take.
type Conflict struct {
	Kind      ConflictKind
	Table     string
	Key       record.Key
	Since     causal.Stamp
	Shape     *record.Shape
	Rows      [2]record.Image // each site's own value of it; nil for none
	Result    record.Image    // what both get; nil for none, or while it is open
	Contested []int           // fields of Shape; nil when it is the row as a whole
	Rule      string          // that decided, or "keep"
	At        int             // the site that would not take it
	Reason    string          // in that site's words
}

// Conflicts calls fn with every conflict, table by table. What it is given is fn's.
func (f *Flow) Conflicts(ctx context.Context, m Mode, tables []Table, fn func(Conflict) error) error {
	v := f.view()
	defer v.Close()
	for n := range tables {
		t := f.table(tables[n], &m)
		var siblings []record.Key
		err := v.Siblings(func(name string, k record.Key) error {
			if name == t.Name {
				siblings = append(siblings, slices.Clone(k))
			}
			return interrupted(ctx)
		})
		if err != nil {
			return err
		}
		for _, k := range siblings {
			l, err := f.fetch(v, t, k)
			if err != nil {
				return err
			}
			c, err := l.contradiction(t, k)
			if err != nil {
				return err
			}
			if c != nil {
				if err := fn(*c); err != nil {
					return err
				}
			}
		}
		err = f.eachShadow(ctx, v, t, func(k record.Key, l *loaded) error {
			for i := range l.shadow {
				if l.shadow[i].parked == nil {
					continue
				}
				c, err := l.refusal(t, k, i)
				if err != nil {
					return err
				}
				if err := fn(c); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// contradiction describes the conflict among the live versions, nil if there is none.
func (l *loaded) contradiction(t *table, k record.Key) (*Conflict, error) {
	p, err := l.project(l.live)
	if err != nil {
		return nil, err
	}
	if !p.Whole && len(p.Contested) == 0 {
		return nil, nil
	}
	c := &Conflict{Kind: ConflictResolved, Table: t.Name, Key: slices.Clone(k), Shape: l.shape, Rule: p.By.String()}
	result, agreed, err := l.agreed()
	switch {
	case err != nil:
		return nil, err
	case p.open && agreed:
		c.Rule, c.Result = ruleOfThatTime, slices.Clone(result)
	case p.open:
		c.Kind = ConflictOpen
	default:
		c.Result = slices.Clone(p.row)
	}
	if !p.Whole {
		for _, i := range p.Contested {
			if at := l.shape.Index(p.Shape.Fields[i]); at >= 0 {
				c.Contested = append(c.Contested, at)
			}
		}
	}
	for i := range l.live {
		c.Since = max(c.Since, l.live[i].Stamp) // a conflict is as old as its last version
	}
	c.Rows, err = l.sides()
	return c, err
}

// ruleOfThatTime stands for the rule of an earlier run, which nobody remembers.
const ruleOfThatTime = "an earlier rule"

func (l *loaded) refusal(t *table, k record.Key, i int) (Conflict, error) {
	why := l.shadow[i].parked
	since, err := causal.StampAt(why.Since)
	if err != nil {
		return Conflict{}, err
	}
	c := Conflict{
		Kind: ConflictParked, Table: t.Name, Key: slices.Clone(k), Shape: l.shape,
		Since: since, At: i, Reason: why.Detail, Rule: constraintName(why.Kind),
	}
	p, err := l.project(l.live)
	if err != nil {
		return c, err
	}
	c.Result = slices.Clone(p.row)
	c.Rows, err = l.sides()
	return c, err
}

func constraintName(k endpoint.Constraint) string {
	switch k {
	case endpoint.Unique:
		return "unique"
	case endpoint.NotNull:
		return "not null"
	case endpoint.Check:
		return "check"
	case endpoint.Reference:
		return "foreign key"
	}
	return "constraint"
}

// sides returns each site's own value of the record. Of a conflict that a rule decided
// both sites have the result; their own values are those of the versions they wrote.
func (l *loaded) sides() (rows [2]record.Image, err error) {
	for i := range rows {
		vs := l.reflected(i)
		if len(vs) > 1 {
			for n := range vs {
				if vs[n].Dot.Origin.Node == l.nodes[i] {
					vs = vs[n : n+1]
					break
				}
			}
		}
		var r row
		if l.shadow[i].held && len(l.reflected(i)) < 2 {
			r, _, err = l.at(i)
		} else {
			var p shown
			if p, err = l.project(vs); err == nil {
				r = p.row
			}
		}
		if err != nil {
			return rows, err
		}
		rows[i] = slices.Clone(r)
	}
	return rows, nil
}

// Decide ends a conflict: both sites get what site take has. The decision is written down
// and applied at once, and nothing else is: what more is due, a run shows before it does it.
func (f *Flow) Decide(ctx context.Context, m Mode, tables []Table, name string, k record.Key, take int) (*Outcome, error) {
	if err := f.begin(tables, &m); err != nil {
		return nil, err
	}
	r := f.run(m, tables)
	t := f.tableNamed(name, tables, &m)
	if t.At[0] == nil || t.At[1] == nil {
		return nil, ErrNoRecord
	}
	if err := r.decide(ctx, t, k, take); err != nil {
		return nil, err
	}
	r.only = &named{t.Name, k}
	if err := r.rounds(ctx); err != nil {
		return nil, err
	}
	b := f.store.Batch()
	defer b.Close()
	for i, s := range f.sites {
		// Nobody compared the rest of the databases: the next run does.
		s.Fingerprint = nil
		if err := writeJSON(b, siteName(i), &s.memory); err != nil {
			return nil, err
		}
	}
	if err := b.Commit(true); err != nil {
		return nil, err
	}
	return r.out, r.left(ctx)
}

// decide captures what both sites have now, and then the decision.
func (r *run) decide(ctx context.Context, t *table, k record.Key, take int) error {
	w := r.writer()
	defer w.close()
	v := r.view()
	defer v.Close()
	l, err := r.fetch(v, t, k)
	if err != nil {
		return err
	}
	c, err := l.contradiction(t, k)
	if err != nil {
		return err
	}
	parkedAt := -1
	for i := range l.shadow {
		if l.shadow[i].parked != nil {
			parkedAt = i
		}
	}
	if c == nil && parkedAt < 0 {
		return ErrNoRecord
	}
	var rows [2]row
	for i, s := range r.sites {
		if rows[i], err = r.lookAt(ctx, s, t.At[i], k); err != nil {
			return err
		}
		ch, err := l.observe(i, rows[i], w.commits[i], record.Loose)
		if err != nil {
			return err
		}
		if ch != nil {
			if err := w.commits[i].add(k, ch); err != nil {
				return err
			}
		}
	}
	if c, err = l.contradiction(t, k); err != nil { // edits may have ended it, or begun another
		return err
	}
	chosen := rows[take]
	if c != nil && c.Kind == ConflictResolved {
		chosen = c.Rows[take] // both have the result; what was asked for is the side's own
	}
	ch, err := l.state.decide(-1, chosen, w.commits[decisions], 0)
	if err != nil {
		return err
	}
	if err := w.commits[decisions].add(k, ch); err != nil {
		return err
	}
	if err := w.put(t, k, l); err != nil {
		return err
	}
	return w.flush(true)
}

// lookAt reads one row as it is now.
func (r *run) lookAt(ctx context.Context, s *site, t *endpoint.Table, k record.Key) (row, error) {
	snap, err := s.Endpoint.Snapshot(ctx, false)
	if err != nil {
		return nil, err
	}
	im, ok, err := snap.Get(t, k, r.store.PutChunk)
	if ok {
		im = slices.Clone(im)
	} else {
		im = nil
	}
	return im, errors.Join(err, snap.Close())
}

// Create runs DDL at a site, in one transaction, creating the database if need be.
func (f *Flow) Create(ctx context.Context, i int, ddl []string, encoding string) error {
	m := Mode{Lead: Both, Rules: func(string) *merge.Table { return new(merge.Table) }}
	if err := f.begin(nil, &m); err != nil {
		return err
	}
	s := f.sites[i]
	tx, err := s.Endpoint.Begin(ctx, endpoint.Begin{
		Pair: f.Pair(), From: s.now, To: s.now, Marker: s.marker, Encoding: encoding,
	})
	if err != nil {
		return err
	}
	for _, sql := range ddl {
		if err = tx.Exec(sql); err != nil {
			break
		}
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	s.same, s.created = false, len(ddl) > 0
	return nil
}
