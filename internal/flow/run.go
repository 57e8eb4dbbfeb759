package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// Outcome is what a run did and what it left.
type Outcome struct {
	Tables  []TableSurvey // To and FirstCopy count what was done, the rest what is left
	Read    int64         // bytes of rows captured
	Changed bool
	// Raced counts rows that are still to be written: they were edited while the run was at
	// work.
	Raced int64
}

// runRounds bounds how often a run captures and applies again because somebody wrote
// meanwhile, or because triggers answered.
const runRounds = 8

// run is a Run at work.
type run struct {
	*Flow
	mode   Mode
	tables []Table
	out    *Outcome
	at     map[string]*TableSurvey
	only   *named // when not nil, nothing else is applied
	// watching: what is edited at a site whose edits count comes by its log, as transactions.
	watching bool
}

// leaves reports whether the run leaves a record as it is, whatever is due there.
func (r *run) leaves(table string, k record.Key) bool {
	return r.only != nil && (r.only.Table != table || string(r.only.Key) != string(k))
}

// Run does what a survey found: copies, captures, applies, until nothing is due. The tables
// are those of the survey, all of them there at both sites by now. It fails with [ErrMoved]
// when the survey's views could not be held, or when the source of a first copy was written
// to meanwhile: then another survey has to find what the copy did not see. What this run
// has done counts in the next one's outcome.
func (f *Flow) Run(ctx context.Context, s *Survey, tables []Table, p func(Progress)) (*Outcome, error) {
	f.report = p
	r := f.run(s.mode, tables)
	if err := f.begin(tables, &s.mode); err != nil {
		return nil, err
	}
	for i := range f.sites {
		f.sites[i].traced = s.traced[i]
	}
	if err := r.capture(ctx, s); err != nil {
		if errors.Is(err, endpoint.ErrChanged) {
			err = ErrMoved
		}
		return nil, err
	}
	// From here on no view is held: it would keep writers out, and in the end us.
	if err := s.Close(); err != nil {
		return nil, err
	}
	moved := false
	for n := range tables {
		if to := s.Tables[n].FirstCopy; to >= 0 {
			m, err := r.copyTable(ctx, s, n, to)
			if err != nil {
				return nil, err
			}
			moved = moved || m
		}
	}
	if moved {
		f.carried = r.out
		return nil, ErrMoved
	}
	if err := r.rounds(ctx); err != nil {
		return nil, err
	}
	f.carried = nil
	return r.out, r.conclude(ctx)
}

func (f *Flow) run(m Mode, tables []Table) *run {
	r := &run{Flow: f, mode: m, tables: tables, out: new(Outcome), at: make(map[string]*TableSurvey)}
	r.out.Tables = make([]TableSurvey, len(tables))
	for n := range tables {
		r.out.Tables[n] = TableSurvey{Name: tables[n].Name, FirstCopy: -1, Rows: [2]int64{-1, -1}}
		r.at[tables[n].Name] = &r.out.Tables[n]
	}
	if f.carried != nil {
		r.out.Changed, r.out.Read = f.carried.Changed, f.carried.Read
		for _, t := range f.carried.Tables {
			if ts := r.at[t.Name]; ts != nil {
				ts.To, ts.FirstCopy = t.To, t.FirstCopy
			}
		}
	}
	return r
}

// capture writes down what the survey found to be news, from the survey's own views.
func (r *run) capture(ctx context.Context, s *Survey) error {
	w := r.writer()
	defer w.close()
	for n := range r.tables {
		if s.Tables[n].FirstCopy >= 0 {
			continue
		}
		t := r.table(r.tables[n], &r.mode)
		if err := r.captureTable(ctx, w, s, t, &s.work[n]); err != nil {
			return err
		}
	}
	for i, site := range r.sites {
		if !s.rows[i] {
			continue
		}
		for n := range r.tables {
			if s.Tables[n].FirstCopy < 0 {
				site.Known[r.tables[n].Name] = extent{All: true}
			}
		}
		site.Cursor, site.Partial = s.cursor[i], false
		if s.snaps[i] != nil {
			site.Partial = !site.covers(r.tables, s.snaps[i].Schema())
		} else { // it has no table of this run
			site.Partial = len(site.Known) > 0
		}
		site.Uncaptured = !r.mode.counts(i)
		site.PassedOver = site.Uncaptured && !r.mode.Delete
		if err := writeJSON(w.batch(), siteName(i), &site.memory); err != nil {
			return err
		}
	}
	r.out.Changed = r.out.Changed || w.wrote
	return w.flush(true) // I1: durable before anybody applies it
}

func (r *run) captureTable(ctx context.Context, w *writer, s *Survey, t *table, work *worklist) error {
	v := r.view()
	defer v.Close()
	one := func(k record.Key, l *loaded, seen [2]sight) error {
		if l == nil {
			return nil
		}
		return r.captureRow(w, t, k, l, seen)
	}
	if work.walks() {
		snaps := s.snaps
		for i := range snaps {
			if !s.rows[i] {
				snaps[i] = nil
			}
		}
		return r.walk(ctx, v, t, snaps, nil, r.store.PutChunk, one)
	}
	for n := range work.len() {
		if err := interrupted(ctx); err != nil {
			return err
		}
		k := work.key(n)
		var seen [2]sight
		for i := range seen {
			if t.At[i] == nil || s.snaps[i] == nil || !s.rows[i] {
				continue
			}
			im, ok, err := s.snaps[i].Get(t.At[i], k, r.store.PutChunk)
			if err != nil {
				return err
			}
			seen[i].looked = true
			if !s.logged[i] {
				seen[i].flags = record.Loose
			}
			if ok {
				seen[i].row = append(row(nil), im...)
			}
		}
		l, err := r.fetch(v, t, k)
		if err != nil {
			return err
		}
		if err := one(k, l, seen); err != nil {
			return err
		}
		r.tell(Progress{Phase: phaseCapture, Table: t.Name, Site: -1, Done: int64(n + 1), Total: int64(work.len())})
	}
	return nil
}

// captureRow writes down what is new about one record.
func (r *run) captureRow(w *writer, t *table, k record.Key, l *loaded, seen [2]sight) error {
	done, err := l.round(&r.mode, seen, [2]edit{w.commits[0], w.commits[1]})
	if err != nil {
		return fmt.Errorf("capture %s: %w", t.Name, err)
	}
	for i, c := range done.changes {
		if c == nil {
			continue
		}
		r.out.Read += int64(len(c.Version.Image))
		if err := w.commits[i].add(k, c); err != nil {
			return fmt.Errorf("capture %s: %w", t.Name, err)
		}
	}
	return w.put(t, k, l)
}

// rounds applies what is due at each site, and captures and applies again what came up
// while doing so.
func (r *run) rounds(ctx context.Context) error {
	for range runRounds {
		again := false
		for _, i := range [2]int{1, 0} {
			if !r.mode.writes(i) {
				continue
			}
			more, err := r.apply(ctx, i)
			if err != nil {
				return err
			}
			again = again || more
		}
		if !again {
			return nil
		}
	}
	return nil
}

// conclude writes down that everything is captured, and as far as is known settled.
func (r *run) conclude(ctx context.Context) error {
	for i, s := range r.sites {
		// Both databases count a run that changed the state, so that an older copy of either
		// is noticed even if this run had nothing to write to it.
		if (r.out.Changed && r.mode.Lead == Both && !s.wrote) || s.unpassed() || s.cut {
			err := r.touch(ctx, i, &r.mode)
			var denied *endpoint.Error
			if errors.As(err, &denied) && denied.Family == endpoint.Permission && !r.mode.writes(i) {
				// A source that captured once and is read-only now keeps its log, and is synced.
				r.log.WarnContext(ctx, "the capture log stays as it is", slog.Any("error", err))
				err = nil
			}
			if err != nil {
				return err
			}
		}
	}
	b := r.store.Batch()
	defer b.Close()
	for i, s := range r.sites {
		s.wrote, s.Bound = false, true
		if s.Fingerprint = s.traced; s.Partial {
			s.Fingerprint = nil // nobody looked at the tables that were left out
		}
		s.same = len(s.Fingerprint) > 0
		if err := writeJSON(b, siteName(i), &s.memory); err != nil {
			return err
		}
	}
	// Both sites are past every entry; what they do not have yet is in their shadows.
	if err := b.TruncateLog(); err != nil {
		return err
	}
	if err := b.Commit(true); err != nil {
		return err
	}
	return r.left(ctx)
}

// left counts what is not settled.
func (r *run) left(ctx context.Context) error {
	v := r.view()
	defer v.Close()
	for n := range r.tables {
		t := r.table(r.tables[n], &r.mode)
		ts := r.at[t.Name]
		err := r.eachShadow(ctx, v, t, func(k record.Key, l *loaded) error {
			for i := range l.shadow {
				if l.shadow[i].parked != nil {
					ts.Parked++
				}
			}
			var rd round
			if err := l.judge(&r.mode, &rd); err != nil {
				return err
			}
			for i := range rd.verdict {
				switch rd.verdict[i] {
				case pending:
					ts.Pending++
				case deviating:
					ts.Deviating++
				case write:
					if l.shadow[i].parked == nil {
						r.out.Raced++
					}
				}
			}
			if rd.undecide {
				ts.Open++
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return v.Siblings(func(name string, k record.Key) error {
		if ts := r.at[name]; ts != nil {
			ts.Conflicts++
		}
		return nil
	})
}
