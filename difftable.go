package syncline

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// tableDiff compares one table.
type tableDiff struct {
	TableComparison
	ends  [2]endpoint.Endpoint
	table *pairedTable
	row   func(RowDifference) error
	scale []int

	// doubtful are rows that differed when they were scanned, in order of their keys. The
	// two scans read at different times.
	doubtful      []doubtfulRow
	doubtfulBytes int
	// fingerprints are those of the views that all doubtful rows are from; nil when they
	// are from several, or a view has none.
	fingerprints [2][]byte
}

// doubtfulRow is a row as it was last seen on both sides; nil is none.
type doubtfulRow struct {
	key    record.Key
	images [2]record.Image
}

// Doubtful rows are looked at again once there are this many or they take this much
// memory.
const (
	doubtfulRows  = 512
	doubtfulBytes = 1 << 20
)

// merge goes through both scans at once.
func (d *tableDiff) merge(ctx context.Context, sides [2]*sideScan, progress *meter) error {
	var rows [2]scannedRow
	var have [2]bool
	take := func(i int) (err error) {
		rows[i], have[i], err = sides[i].next()
		return err
	}
	for i := range sides {
		if err := take(i); err != nil {
			return err
		}
	}
	for have[0] || have[1] {
		order := 0
		switch {
		case !have[1]:
			order = -1
		case !have[0]:
			order = 1
		default:
			order = bytes.Compare(rows[0].key, rows[1].key)
		}
		var doubt doubtfulRow
		switch {
		case order != 0:
			one := 0
			if order > 0 {
				one = 1
			}
			doubt.key = rows[one].key
			doubt.images[one] = rows[one].image
		case bytes.Equal(rows[0].image, rows[1].image):
			d.Equal++
		default:
			doubt = doubtfulRow{rows[0].key, [2]record.Image{rows[0].image, rows[1].image}}
		}
		if doubt.key != nil {
			d.doubt(doubt, [2][]byte{rows[0].fingerprint, rows[1].fingerprint}, have)
			if len(d.doubtful) >= doubtfulRows || d.doubtfulBytes >= doubtfulBytes {
				if err := d.flush(ctx); err != nil {
					return err
				}
			}
		}
		read := 0
		for i := range sides {
			if (i == 0 && order > 0) || (i == 1 && order < 0) {
				continue
			}
			read += len(rows[i].image)
			if err := take(i); err != nil {
				return err
			}
		}
		progress.add(1, int64(read))
	}
	return d.flush(ctx)
}

// doubt remembers a row that differs. A side that is at its end says nothing of its view.
func (d *tableDiff) doubt(r doubtfulRow, views [2][]byte, have [2]bool) {
	for i := range views {
		if !have[i] {
			continue
		}
		if len(d.doubtful) == 0 || bytes.Equal(d.fingerprints[i], views[i]) {
			d.fingerprints[i] = views[i]
		} else {
			d.fingerprints[i] = nil
		}
	}
	copied := doubtfulRow{key: bytes.Clone(r.key)}
	for i, im := range r.images {
		copied.images[i] = bytes.Clone(im)
		d.doubtfulBytes += len(im)
	}
	d.doubtfulBytes += len(r.key)
	d.doubtful = append(d.doubtful, copied)
}

// rereads is how often doubtful rows are read again, and rereadPause how long is waited
// between.
const (
	rereads     = 6
	rereadPause = 50 * time.Millisecond
)

// flush settles the doubtful rows: a row that is as it was seen, on both sides, differs;
// one that is equal now is equal; others are looked at again. It reports them in order.
func (d *tableDiff) flush(ctx context.Context) error {
	unsettled := len(d.doubtful) > 0
	for try := 0; unsettled && try < rereads; try++ {
		if try > 0 {
			if err := sleep(ctx, rereadPause); err != nil {
				return err
			}
		}
		var err error
		if unsettled, err = d.reread(ctx); errors.Is(err, endpoint.ErrChanged) {
			unsettled = true
		} else if err != nil {
			return err
		}
	}
	for i := range d.doubtful {
		if err := d.report(&d.doubtful[i]); err != nil {
			return err
		}
	}
	clear(d.doubtful)
	d.doubtful, d.doubtfulBytes, d.fingerprints = d.doubtful[:0], 0, [2][]byte{}
	return nil
}

// reread looks at the doubtful rows once more. It reports true when one of them has
// changed and still differs.
func (d *tableDiff) reread(ctx context.Context) (moving bool, err error) {
	var snaps [2]endpoint.Snapshot
	var tables [2]*endpoint.Table
	same := true // nothing has changed since the rows were scanned
	for i, t := range d.table.at {
		if t == nil {
			continue
		}
		if snaps[i], err = d.ends[i].Snapshot(ctx, true); err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, snaps[i].Close()) }()
		if tables[i], err = tableIn(d.ends[i], snaps[i], t); err != nil {
			return false, err
		}
		now := snaps[i].Fingerprint()
		if now == nil || !bytes.Equal(now, d.fingerprints[i]) {
			same = false
		}
	}
	if same {
		return false, nil
	}
	for n := range d.doubtful {
		r := &d.doubtful[n]
		changed := false
		for i, t := range tables {
			if t == nil {
				continue
			}
			im, ok, err := snaps[i].Get(t, r.key, nil)
			if err != nil {
				return false, err
			}
			if !ok {
				im = nil
			}
			if (im == nil) != (r.images[i] == nil) || !bytes.Equal(im, r.images[i]) {
				r.images[i] = bytes.Clone(im)
				changed = true
			}
		}
		if changed && !r.equal() {
			moving = true
		}
	}
	return moving, nil
}

func (r *doubtfulRow) equal() bool {
	return (r.images[0] == nil) == (r.images[1] == nil) && bytes.Equal(r.images[0], r.images[1])
}

// report counts a row that has been settled, and tells of it if it differs.
func (d *tableDiff) report(r *doubtfulRow) error {
	var kind byte
	switch a, b := r.images[0], r.images[1]; {
	case a == nil && b == nil: // gone on both sides
		return nil
	case r.equal():
		d.Equal++
		return nil
	case b == nil:
		kind = OnlyInA
		d.OnlyA++
	case a == nil:
		kind = OnlyInB
		d.OnlyB++
	default:
		kind = Differs
		d.Differing++
	}
	if d.row == nil {
		return nil
	}
	diff := RowDifference{Kind: kind, Record: recordName(d.table.any(), r.key, r.images[0], r.images[1])}
	for i, to := range []**Row{&diff.A, &diff.B} {
		if r.images[i] == nil {
			continue
		}
		row, err := rowOf(d.table.any().Shape, r.images[i])
		if err != nil {
			return err
		}
		*to = row
	}
	if kind == Differs {
		for i := range diff.A.Values {
			if !diff.A.Values[i].Equal(diff.B.Values[i]) {
				diff.Fields = append(diff.Fields, i)
			}
		}
	}
	return d.tell(diff)
}

// tell hands a difference to whoever wants to know.
func (d *tableDiff) tell(r RowDifference) error {
	if d.row == nil {
		return nil
	}
	r.Table, r.Scale = d.Name, d.scale
	return d.row(r)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
