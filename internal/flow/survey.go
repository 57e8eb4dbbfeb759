package flow

import (
	"context"
	"errors"
	"slices"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// Survey is what a run would do, found out without writing anything. It holds views of
// both databases until it is closed, and the run works on just these.
type Survey struct {
	Tables []TableSurvey
	// Nothing reports that both databases are as the last run left them and nothing waits.
	Nothing bool

	mode   Mode
	work   []worklist // per table
	snaps  [2]endpoint.Snapshot
	traced [2][]byte // fingerprints of the views
	cursor [2]endpoint.Cursor
	rows   [2]bool // the site's rows were looked at, or its log
	logged [2]bool // its log: what it says is whole transactions
}

// TableSurvey counts for one table.
type TableSurvey struct {
	Name string
	// Rows counts the rows at each site; -1 where nobody had to know.
	Rows [2]int64
	To   [2]Effect // what is written to each site
	// FirstCopy is the site that the whole table is copied to, or -1. The counts of To are
	// the other site's rows then.
	FirstCopy int
	Conflicts int64 // records whose versions contradict each other
	Open      int64 // of them undecided
	Pending   int64 // deletions not sent
	Parked    int64 // records that a site would not take when it was last asked
	Deviating int64 // rows that a site's own triggers keep different
	// Emptied says that at this site all rows are gone and the other would follow.
	Emptied [2]bool
}

// Effect counts what is written to a site.
type Effect struct {
	Inserts, Updates, Deletes int64
	Overwrites                int64 // of them undo an edit made there that the other site has not seen
	Bytes                     int64
}

// Writes is the number of rows written.
func (e *Effect) Writes() int64 { return e.Inserts + e.Updates + e.Deletes }

// sizeOf is about how many bytes of content a row has, large values included.
func sizeOf(r row) int64 {
	n := int64(len(r))
	_ = r.EachChunk(func(causal.Hash) { n += record.ChunkSize }) // a row that is none has no chunks
	return n
}

// worklistBytes bounds the keys that a survey remembers per table; with more of them the
// run walks the table again.
const worklistBytes = 16 << 20

// worklist holds the keys of a table that have something to capture, in key order.
type worklist struct {
	bytes []byte
	ends  []int
	all   bool // too many: every key may be one
	seen  int  // keys that were looked at to find these
}

// Looking one key up costs as much as walking over about this many.
const lookupCost = 16

// walks reports whether the keys are best found again by walking over the whole table.
func (w *worklist) walks() bool { return w.all || (w.seen > 0 && w.len()*lookupCost > w.seen) }

func (w *worklist) add(k record.Key) {
	if w.all {
		return
	}
	if len(w.bytes)+len(k)+8*len(w.ends) > worklistBytes {
		*w = worklist{all: true}
		return
	}
	w.append(k)
}

func (w *worklist) append(k record.Key) {
	w.bytes = append(w.bytes, k...)
	w.ends = append(w.ends, len(w.bytes))
}

func (w *worklist) len() int { return len(w.ends) }

func (w *worklist) key(i int) record.Key {
	start := 0
	if i > 0 {
		start = w.ends[i-1]
	}
	return record.Key(w.bytes[start:w.ends[i]])
}

// Close gives up the views.
func (s *Survey) Close() error {
	var errs []error
	for i := range s.snaps {
		if s.snaps[i] != nil {
			errs = append(errs, s.snaps[i].Close())
			s.snaps[i] = nil
		}
	}
	return errors.Join(errs...)
}

// Survey compares both sites with the store. A site whose content is as the last run left
// it is not read, one that captures only where its log says that something changed. When
// firm, writers may have to wait until it is done; otherwise it fails with [ErrMoved] when
// they do not let it finish.
func (f *Flow) Survey(ctx context.Context, m Mode, tables []Table, firm bool, p func(Progress)) (*Survey, error) {
	f.report = p
	s := &Survey{mode: m}
	err := f.survey(ctx, s, tables, firm)
	if errors.Is(err, endpoint.ErrChanged) {
		err = ErrMoved
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (f *Flow) survey(ctx context.Context, s *Survey, tables []Table, firm bool) error {
	v := f.view()
	defer v.Close()
	s.Nothing = true
	scan := [2]endpoint.Snapshot{}
	for i, site := range f.sites {
		s.rows[i] = !site.same || !f.allKnown(i, tables) || site.unread(i, &s.mode)
		s.Nothing = s.Nothing && !s.rows[i]
		if !s.rows[i] {
			s.traced[i] = site.Fingerprint
			s.cursor[i] = site.Cursor
			continue
		}
		if !exists(tables, i) {
			continue
		}
		var err error
		if s.snaps[i], err = site.Endpoint.Snapshot(ctx, !firm); err != nil {
			return err
		}
		s.traced[i] = s.snaps[i].Fingerprint()
		if s.cursor[i], err = s.snaps[i].Cursor(); err != nil {
			return err
		}
		if site.captures(i, tables) && site.Bound && !site.Partial && !site.Uncaptured && !site.unknown && s.mode.counts(i) && f.allKnown(i, tables) {
			s.logged[i] = true
		} else {
			scan[i] = s.snaps[i]
		}
	}
	fresh, err := f.readLogs(s, &scan)
	if err != nil {
		return err
	}
	for n := range tables {
		if err := f.surveyTable(ctx, v, s, &tables[n], scan, fresh); err != nil {
			return err
		}
	}
	return nil
}

// readLogs returns the keys that the logs name. A site whose log does not say everything,
// or too much, is scanned.
func (f *Flow) readLogs(s *Survey, scan *[2]endpoint.Snapshot) (*keysOf, error) {
	all := new(keysOf)
	for i := range s.logged {
		if !s.logged[i] {
			continue
		}
		var fresh keysOf
		err := fresh.read(s.snaps[i], f.sites[i].Cursor, f.Pair())
		switch {
		case err == nil:
			all.addAll(&fresh)
		case errors.Is(err, endpoint.ErrCapture):
			// The log was cut: only a comparison finds everything.
			f.sites[i].Capturing, f.sites[i].cut = false, true
			scan[i], s.logged[i] = s.snaps[i], false
		case errors.Is(err, errManyKeys):
			scan[i], s.logged[i] = s.snaps[i], false
		default:
			return nil, err
		}
	}
	return all, nil
}

// exists reports whether site i has any of the tables.
func exists(tables []Table, i int) bool {
	for n := range tables {
		if tables[n].At[i] != nil {
			return true
		}
	}
	return false
}

// allKnown reports whether site i's rows are known in every table it has.
func (f *Flow) allKnown(i int, tables []Table) bool {
	for n := range tables {
		if tables[n].At[i] != nil && !f.sites[i].Known[tables[n].Name].All {
			return false
		}
	}
	return true
}

func (f *Flow) surveyTable(ctx context.Context, v View, s *Survey, tb *Table, scan [2]endpoint.Snapshot, fresh *keysOf) error {
	t := f.table(*tb, &s.mode)
	s.Tables = append(s.Tables, TableSurvey{Name: t.Name, Rows: [2]int64{-1, -1}, FirstCopy: -1})
	s.work = append(s.work, worklist{})
	ts, work := &s.Tables[len(s.Tables)-1], &s.work[len(s.work)-1]
	copied, err := f.firstCopy(s, t, ts)
	if err != nil || copied {
		s.Nothing = s.Nothing && !copied
		return err
	}
	edits := [2]edit{foreseen{0, f}, foreseen{1, f}}
	for i := range scan {
		if scan[i] != nil || t.At[i] == nil {
			ts.Rows[i] = 0
		}
	}
	seen := func(k record.Key, l *loaded, rows [2]sight) error {
		for i := range rows {
			if scan[i] != nil && rows[i].row != nil {
				ts.Rows[i]++
			}
		}
		if work.seen++; work.seen%1024 == 0 {
			f.tell(Progress{Phase: phaseCompare, Table: t.Name, Site: -1, Done: max(ts.Rows[0], ts.Rows[1])})
		}
		if l == nil {
			return nil
		}
		parked := [2]bool{l.shadow[0].parked != nil, l.shadow[1].parked != nil}
		r, err := l.round(&s.mode, rows, edits)
		if err != nil {
			return err
		}
		ts.count(&r, parked)
		if f.dirty(t, l) {
			work.add(k)
			s.Nothing = false
		}
		if r.verdict[0] == write || r.verdict[1] == write {
			s.Nothing = false
		}
		return nil
	}
	if scan[0] != nil || scan[1] != nil {
		err = f.walk(ctx, v, t, scan, nil, nil, func(k record.Key, l *loaded, rows [2]sight) error {
			if l != nil && fresh.take(t.Name, k) {
				if err := s.lookUp(t, k, scan, &rows); err != nil {
					return err
				}
			}
			return seen(k, l, rows)
		})
	} else {
		defer func() { work.seen = 0 }() // nothing was walked over
		err = f.eachShadow(ctx, v, t, func(k record.Key, l *loaded) error {
			if fresh.has(t.Name, k) {
				return nil // comes below
			}
			return seen(k, l, [2]sight{})
		})
	}
	if err != nil {
		return err
	}
	if err := f.surveyKeys(ctx, v, s, t, scan, fresh, seen); err != nil {
		return err
	}
	return f.countRows(s, t, ts)
}

// surveyKeys looks at the rows that the capture logs name.
func (f *Flow) surveyKeys(ctx context.Context, v View, s *Survey, t *table, scan [2]endpoint.Snapshot, fresh *keysOf, seen visit) error {
	for _, k := range fresh.of(t.Name) {
		if err := interrupted(ctx); err != nil {
			return err
		}
		var rows [2]sight
		if err := s.lookUp(t, k, scan, &rows); err != nil {
			return err
		}
		l, err := f.fetch(v, t, k)
		if err != nil {
			return err
		}
		if err := seen(k, l, rows); err != nil {
			return err
		}
	}
	return nil
}

// lookUp looks at the rows of a key at the sites that are not scanned and may have changed.
func (s *Survey) lookUp(t *table, k record.Key, scan [2]endpoint.Snapshot, rows *[2]sight) error {
	for i := range rows {
		if scan[i] != nil || s.snaps[i] == nil || t.At[i] == nil {
			continue
		}
		im, ok, err := s.snaps[i].Get(t.At[i], k, nil)
		if err != nil {
			return err
		}
		rows[i].looked = true
		if ok {
			rows[i].row = slices.Clone(im)
		}
	}
	return nil
}

// countRows fills in how many rows there are where a guard has to know.
func (f *Flow) countRows(s *Survey, t *table, ts *TableSurvey) error {
	for i := range ts.Rows {
		if ts.To[0].Deletes+ts.To[1].Deletes == 0 {
			continue
		}
		if ts.Rows[i] < 0 && s.snaps[i] != nil && t.At[i] != nil {
			n, err := s.snaps[i].Count(t.At[i])
			if err != nil {
				return err
			}
			ts.Rows[i] = n
		}
	}
	for i := range ts.Rows {
		ts.Emptied[i] = ts.Rows[i] == 0 && ts.To[1-i].Deletes > 0
	}
	return nil
}

// count adds one record's round.
func (ts *TableSurvey) count(r *round, parked [2]bool) {
	for i := range r.verdict {
		to := &ts.To[i]
		switch r.verdict[i] {
		case pending:
			ts.Pending++
		case deviating:
			ts.Deviating++
		case write:
			if parked[i] {
				ts.Parked++
			}
			switch {
			case r.want[i] == nil:
				to.Deletes++
			case r.have[i] == nil:
				to.Inserts++
			default:
				to.Updates++
			}
			if r.edited[i] && r.want[i] != nil { // what is deleted counts as that
				to.Overwrites++
			}
			to.Bytes += sizeOf(r.want[i])
		}
	}
	if r.contest {
		ts.Conflicts++
	}
	if r.undecide {
		ts.Open++
	}
}

// sampleRows is how many rows tell how large those of a table are.
const sampleRows = 200

// firstCopy finds out whether the table is copied as a whole to a site that has no row of
// it, nor is known to have had one.
func (f *Flow) firstCopy(s *Survey, t *table, ts *TableSurvey) (bool, error) {
	for to := range f.sites {
		from := 1 - to
		// A copy that was interrupted is known further at the site it comes from: the other
		// way round it would take what the target still lacks for nothing at all.
		known := t.known[to]
		if known.All || !s.mode.writes(to) || !s.mode.counts(from) || t.At[from] == nil || s.snaps[from] == nil {
			continue
		}
		if !t.known[from].All && string(known.Up) > string(t.known[from].Up) {
			continue
		}
		if t.At[to] != nil && len(t.At[to].Triggers) > 0 {
			continue // what they answer is looked for by an apply, not by a copy
		}
		empty, err := f.emptyAfter(s, t, to, known.Up)
		if err != nil {
			return false, err
		}
		if !empty {
			continue
		}
		if none, err := f.emptyAfter(s, t, from, nil); err != nil {
			return false, err
		} else if none {
			continue
		}
		ts.FirstCopy = to
		ts.Rows[to] = 0
		if ts.Rows[from], err = s.snaps[from].Count(t.At[from]); err != nil {
			return false, err
		}
		ts.To[to].Inserts = ts.Rows[from]
		ts.To[to].Bytes, err = sample(s.snaps[from], t.At[from], ts.Rows[from])
		return true, err
	}
	return false, nil
}

// emptyAfter reports whether site i has no row of the table after a key.
func (f *Flow) emptyAfter(s *Survey, t *table, i int, after record.Key) (bool, error) {
	if t.At[i] == nil || s.snaps[i] == nil {
		return t.At[i] == nil, nil
	}
	rows, err := s.snaps[i].Scan(t.At[i], after, nil)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	return !rows.Next(), rows.Err()
}

// sample estimates the bytes of n rows.
func sample(snap endpoint.Snapshot, t *endpoint.Table, n int64) (int64, error) {
	rows, err := snap.Scan(t, nil, nil)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var bytes, count int64
	for count < sampleRows && rows.Next() {
		bytes += sizeOf(rows.Image())
		count++
	}
	if err := rows.Err(); err != nil || count == 0 {
		return 0, err
	}
	return bytes * n / count, nil
}

// eachShadow visits the records of a table that have a shadow of their own.
func (f *Flow) eachShadow(ctx context.Context, v View, t *table, each func(record.Key, *loaded) error) error {
	for i := range f.sites {
		err := func() error {
			sides := v.Sides(spaceName(i), t.Name, nil)
			defer sides.Close()
			for sides.Next() {
				if err := interrupted(ctx); err != nil {
					return err
				}
				k := sides.Key()
				if i == 1 {
					if _, twice, err := v.Side(spaceName(0), t.Name, k); twice || err != nil {
						if err != nil {
							return err
						}
						continue
					}
				}
				l, err := f.fetch(v, t, k)
				if err != nil {
					return err
				}
				if err := each(k, l); err != nil {
					return err
				}
			}
			return sides.Err()
		}()
		if err != nil {
			return err
		}
	}
	return nil
}
