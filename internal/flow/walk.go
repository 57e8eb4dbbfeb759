package flow

import (
	"bytes"
	"context"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// sight is what was seen of a site's row: nothing, unless looked is set.
type sight struct {
	looked bool
	row    row
	flags  record.Flags // of a change that this is
}

// visit is called by walk for each key that anybody has. l is nil for a record that every
// site that was looked at has exactly as the store does. All it is given is valid until it
// returns.
type visit func(k record.Key, l *loaded, seen [2]sight) error

// walk joins the rows of a table at those sites whose snapshot is not nil with the store's
// records and shadows, in key order, from after on. With chunks, large values of the rows
// are kept in the store.
func (f *Flow) walk(ctx context.Context, v View, t *table, snaps [2]endpoint.Snapshot, after record.Key, chunks endpoint.ChunkSink, each visit) error {
	var w walker
	defer w.close()
	w.records = v.Records(t.Name, after)
	w.next(&w.record, w.records)
	for i := range snaps {
		if !f.sites[i].unknown {
			w.sides[i] = v.Sides(spaceName(i), t.Name, after)
			w.next(&w.side[i], w.sides[i])
		}
		if snaps[i] == nil || t.At[i] == nil {
			w.absent[i] = snaps[i] != nil || t.At[i] == nil
			continue
		}
		rows, err := snaps[i].Scan(t.At[i], after, chunks)
		if err != nil {
			return err
		}
		w.rows[i] = readAhead(rows)
		w.row[i] = w.rows[i].next()
	}
	for n := 0; ; n++ {
		if n%1024 == 0 {
			if err := interrupted(ctx); err != nil {
				return err
			}
		}
		k := w.least()
		if k == nil {
			return w.err()
		}
		if err := w.step(f, t, k, each); err != nil {
			return err
		}
	}
}

// cursor is what records and shadows have in common.
type cursor interface {
	Next() bool
	Key() record.Key
	Err() error
	Close() error
}

// walker holds the heads of the joined scans.
type walker struct {
	records Records
	record  bool // the scan is on a record
	sides   [2]Sides
	side    [2]bool
	rows    [2]*ahead
	row     [2]bool
	absent  [2]bool // the site has no such table: no row is a sight too
	last    *record.Shape
	match   bool // last equals the table's shape
}

func (w *walker) next(on *bool, c cursor) { *on = c.Next() }

// least returns the smallest key that a scan is on, nil at the end.
func (w *walker) least() (k record.Key) {
	take := func(on bool, key func() record.Key) {
		if on {
			if c := key(); k == nil || bytes.Compare(c, k) < 0 {
				k = c
			}
		}
	}
	take(w.record, w.records.Key)
	for i := range w.rows {
		if w.row[i] {
			take(true, w.rows[i].key)
		}
		if w.side[i] {
			take(true, w.sides[i].Key)
		}
	}
	return k
}

// step visits the record of k and moves every scan that is on it.
func (w *walker) step(f *Flow, t *table, k record.Key, each visit) error {
	onRecord := w.record && bytes.Equal(w.records.Key(), k)
	var seen [2]sight
	var onRow, onSide [2]bool
	for i := range w.rows {
		if w.rows[i] != nil {
			seen[i].looked, seen[i].flags = true, record.Loose
			if onRow[i] = w.row[i] && bytes.Equal(w.rows[i].key(), k); onRow[i] {
				seen[i].row = w.rows[i].image()
			}
		} else {
			seen[i].looked, seen[i].flags = w.absent[i], record.Loose
		}
		onSide[i] = w.side[i] && bytes.Equal(w.sides[i].Key(), k)
	}
	var l *loaded
	if !onRecord || onSide[0] || onSide[1] || !w.plain(t, k, seen) {
		var live []record.Version
		var stored [2][]byte
		var err error
		if onRecord {
			if live, err = w.records.Versions(); err != nil {
				return err
			}
		}
		for i := range stored {
			if onSide[i] {
				if stored[i], err = w.sides[i].Value(); err != nil {
					return err
				}
			}
		}
		if l, err = f.load(t, k, live, stored); err != nil {
			return err
		}
	}
	if err := each(k, l, seen); err != nil {
		return err
	}
	if onRecord {
		w.next(&w.record, w.records)
	}
	for i := range w.rows {
		if onRow[i] {
			w.row[i] = w.rows[i].next()
		}
		if onSide[i] {
			w.next(&w.side[i], w.sides[i])
		}
	}
	return nil
}

// plain reports whether the record is one version that every site that was looked at has,
// and of the others it is known: the case that has to be fast.
func (w *walker) plain(t *table, k record.Key, seen [2]sight) bool {
	shape, im, ok := w.records.Single()
	if !ok {
		return false
	}
	for i := range seen {
		if seen[i].looked {
			if !bytes.Equal(seen[i].row, im) {
				return false
			}
		} else if !t.known[i].covers(k) {
			return false
		}
	}
	if shape != w.last {
		w.last, w.match = shape, false
		for _, at := range t.At {
			if at != nil {
				w.match = at.Shape.Equal(shape)
				break
			}
		}
	}
	return w.match
}

// err returns the first error of any scan.
func (w *walker) err() error {
	err := w.records.Err()
	for i := range w.rows {
		if w.sides[i] != nil && err == nil {
			err = w.sides[i].Err()
		}
		if w.rows[i] != nil && err == nil {
			err = w.rows[i].err()
		}
	}
	return err
}

func (w *walker) close() {
	if w.records != nil {
		_ = w.records.Close() // a scan's errors are in err
	}
	for i := range w.rows {
		if w.sides[i] != nil {
			_ = w.sides[i].Close()
		}
		if w.rows[i] != nil {
			w.rows[i].close()
		}
	}
}
