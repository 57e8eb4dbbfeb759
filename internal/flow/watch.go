package flow

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// Installs reports whether Install would create something at a site.
func (f *Flow) Installs(i int, m *Mode, tables []Table) bool {
	return m.counts(i) && !f.sites[i].captures(i, tables)
}

// Install makes the sites whose edits count write down what changes in their tables. It
// comes before the survey of a run that is to watch.
func (f *Flow) Install(ctx context.Context, m Mode, tables []Table) error {
	if err := f.begin(tables, &m); err != nil {
		return err
	}
	for i, s := range f.sites {
		if !m.counts(i) {
			continue
		}
		if !s.captures(i, tables) { // else it goes on from where its log was read to
			if err := f.install(ctx, i, tables); err != nil {
				return err
			}
		}
		s.same = false // the log says what is new from here on
	}
	return nil
}

func (f *Flow) install(ctx context.Context, i int, tables []Table) error {
	s := f.sites[i]
	tx, err := s.Endpoint.Begin(ctx, endpoint.Begin{Pair: f.Pair(), From: s.now, To: s.now, Marker: s.marker})
	if err != nil {
		return err
	}
	var own []*endpoint.Table
	var names []string
	for n := range tables {
		if t := tables[n].At[i]; t != nil {
			own, names = append(own, t), append(names, tables[n].Name)
		}
	}
	err = tx.Capture(own)
	var end endpoint.Cursor
	if err == nil {
		end, err = tx.Cursor()
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	s.Capturing, s.Cursor, s.Bound, s.cut = true, end, false, false // what came before has to be compared
	s.Captured = names
	b := f.store.Batch()
	defer b.Close()
	if err := writeJSON(b, siteName(i), &s.memory); err != nil {
		return err
	}
	return b.Commit(true)
}

// passEvery is how often a database is told how far its log was read, which costs a write.
const passEvery = 2 * time.Second

// Watch keeps both sites in step until ctx ends: it comes after Install and Run. Each round
// takes what the logs say since the last one and applies it, a transaction of the user's
// as a whole. round is told of every round that changed something. It returns nil when ctx
// ends; every round that was begun is finished. It fails with [endpoint.ErrCapture] when a
// log was cut, mostly because the schema changed: then it all begins again with Install.
func (f *Flow) Watch(ctx context.Context, m Mode, tables []Table, round func(*Outcome), p func(Progress)) error {
	f.report = p
	f.again = true // what Run has left
	var signals [2]<-chan struct{}
	for i, s := range f.sites {
		if !m.counts(i) {
			continue
		}
		var err error
		if signals[i], err = s.Endpoint.Watch(ctx); err != nil {
			return err
		}
	}
	passed := time.NewTicker(passEvery)
	defer passed.Stop()
	for first := true; ; {
		if !first {
			select {
			case <-ctx.Done():
			case <-signals[0]:
			case <-signals[1]:
			case <-passed.C:
				if err := f.pass(context.WithoutCancel(ctx), &m); err != nil && !unreachable(err) {
					return err
				}
				continue
			}
		}
		if ctx.Err() != nil {
			return f.pass(context.WithoutCancel(ctx), &m)
		}
		first = false
		out, err := f.turn(context.WithoutCancel(ctx), m, tables)
		if unreachable(err) {
			f.log.WarnContext(ctx, "waiting to try again", slog.Any("error", err))
			if !wait(ctx, passEvery) {
				return err
			}
			first, f.again = true, true // what the signal was about is still to be done
			continue
		}
		if err != nil {
			return err
		}
		if out != nil && out.Changed && round != nil {
			round(out)
		}
	}
}

// unreachable reports whether an error is one that passes: a lock held too long, a full
// disk. All that was captured is durable, so nothing is lost by trying again.
func unreachable(err error) bool {
	var e *endpoint.Error
	return errors.As(err, &e) && e.Family == endpoint.Unreachable
}

// wait waits, and reports false when ctx ends before.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// turn is one round of Watch; nil says that nothing was new.
func (f *Flow) turn(ctx context.Context, m Mode, tables []Table) (*Outcome, error) {
	for range runRounds {
		s := &Survey{mode: m}
		out, err := f.turnOnce(ctx, s, tables)
		err = errors.Join(err, s.Close())
		if !errors.Is(err, endpoint.ErrChanged) && !errors.Is(err, ErrMoved) {
			return out, err
		}
	}
	return nil, nil // it is written to without pause; the next signal tries again
}

func (f *Flow) turnOnce(ctx context.Context, s *Survey, tables []Table) (*Outcome, error) {
	var fresh keysOf
	many := false
	for i, site := range f.sites {
		if !s.mode.counts(i) {
			continue
		}
		var err error
		if s.snaps[i], err = site.Endpoint.Snapshot(ctx, true); err != nil {
			return nil, err
		}
		if s.cursor[i], err = s.snaps[i].Cursor(); err != nil {
			return nil, err
		}
		var own keysOf
		switch err := own.read(s.snaps[i], site.Cursor, f.Pair()); {
		case err == nil:
			fresh.addAll(&own)
		case errors.Is(err, errManyKeys):
			many = true
		default:
			if errors.Is(err, endpoint.ErrCapture) {
				site.Capturing, site.cut = false, true
			}
			return nil, err
		}
		s.traced[i] = s.snaps[i].Fingerprint()
		s.rows[i], s.logged[i] = true, true
	}
	if fresh.n == 0 && !many && !f.again {
		for i, site := range f.sites {
			if s.rows[i] {
				site.Cursor = s.cursor[i]
			}
		}
		return nil, nil
	}
	for n := range tables {
		work := worklist{all: many}
		if !many {
			for _, k := range fresh.of(tables[n].Name) {
				work.append(k)
			}
		}
		s.work = append(s.work, work)
		s.Tables = append(s.Tables, TableSurvey{Name: tables[n].Name, FirstCopy: -1})
	}
	r := f.run(s.mode, tables)
	r.watching = true
	for i := range f.sites {
		f.sites[i].traced = s.traced[i]
	}
	f.again = true // from here on the log says no more what is to be done
	if err := r.capture(ctx, s); err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	if err := r.guard(ctx); err != nil {
		return nil, err
	}
	if err := r.rounds(ctx); err != nil {
		return nil, err
	}
	f.again = false
	return r.out, r.recall(ctx)
}

// guard asks whether what is due to be deleted may be.
func (r *run) guard(ctx context.Context) error {
	if r.mode.Guard == nil {
		return nil
	}
	v := r.view()
	defer v.Close()
	for i, s := range r.sites {
		if !r.mode.writes(i) {
			continue
		}
		deletes := make(map[*endpoint.Table]int64)
		err := r.eachDue(ctx, v, i, func(t *table, _ record.Key, _ *loaded, _, want row) error {
			if want == nil {
				deletes[t.At[i]]++
			}
			return nil
		})
		if err != nil || len(deletes) == 0 {
			if err != nil {
				return err
			}
			continue
		}
		snap, err := s.Endpoint.Snapshot(ctx, true)
		if err != nil {
			return err
		}
		for t, n := range deletes {
			var rows int64
			if rows, err = snap.Count(t); err == nil {
				err = r.mode.Guard(t.Name, i, n, rows)
			}
			if err != nil {
				break
			}
		}
		if err = errors.Join(err, snap.Close()); err != nil {
			return err
		}
	}
	return nil
}

// recall is the end of a watched round: like conclude, without what only has to be right
// when nobody watches.
func (r *run) recall(ctx context.Context) error {
	b := r.store.Batch()
	defer b.Close()
	for i, s := range r.sites {
		s.Fingerprint, s.same = nil, false
		if err := writeJSON(b, siteName(i), &s.memory); err != nil {
			return err
		}
	}
	if err := b.TruncateLog(); err != nil {
		return err
	}
	if err := b.Commit(false); err != nil {
		return err
	}
	return r.left(ctx)
}

// pass tells the databases how far their logs were read.
func (f *Flow) pass(ctx context.Context, m *Mode) error {
	for i, s := range f.sites {
		if s.unpassed() {
			if err := f.touch(ctx, i, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// unpassed reports whether the site keeps more of its log than it must.
func (s *site) unpassed() bool { return s.Capturing && s.passed != s.Cursor }
