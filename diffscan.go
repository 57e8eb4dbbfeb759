package syncline

import (
	"context"
	"errors"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// sideScan reads one database's rows of a table in a goroutine of its own, a batch ahead
// of whoever compares them.
type sideScan struct {
	end   endpoint.Endpoint
	table *endpoint.Table // nil: there is none, and no rows
	full  chan *rowBatch
	free  chan *rowBatch
	done  chan struct{}
	err   error // of the scan; set before full is closed

	batch *rowBatch // being compared
	at    int       // of the next row in it
}

// A batch ends with whichever comes first, so that it is small and the goroutines rarely
// wait for each other.
const (
	batchRows  = 1024
	batchBytes = 256 << 10
)

// rowBatch is some rows in a row, in memory of its own.
type rowBatch struct {
	bytes []byte
	rows  []rowSpan
	// fingerprint is that of the view the rows are from, or nil.
	fingerprint []byte
}

// rowSpan says where a row is in its batch: the key, then the image.
type rowSpan struct{ start, image, end int }

func (b *rowBatch) add(k record.Key, im record.Image) {
	s := rowSpan{start: len(b.bytes)}
	b.bytes = append(b.bytes, k...)
	s.image = len(b.bytes)
	b.bytes = append(b.bytes, im...)
	s.end = len(b.bytes)
	b.rows = append(b.rows, s)
}

func (b *rowBatch) reset(fingerprint []byte) {
	b.bytes, b.rows, b.fingerprint = b.bytes[:0], b.rows[:0], fingerprint
}

// startScan begins to read. The scan ends with ctx, and wait returns after it has.
func startScan(ctx context.Context, end endpoint.Endpoint, t *endpoint.Table) *sideScan {
	s := &sideScan{
		end: end, table: t,
		full: make(chan *rowBatch, 1), free: make(chan *rowBatch, 3), done: make(chan struct{}),
	}
	for range cap(s.free) {
		s.free <- &rowBatch{}
	}
	go func() {
		defer close(s.done)
		defer close(s.full)
		if t != nil {
			s.err = s.run(ctx)
		}
	}()
	return s
}

func (s *sideScan) wait() { <-s.done }

// patience is how often in a row a view may be lost before one is held that writers have
// to wait for, for the time of one batch.
const patience = 4

// run reads all rows, going on where it was when the view is lost.
func (s *sideScan) run(ctx context.Context) error {
	var after record.Key
	for lost := 0; ; {
		last, done, err := s.readFrom(ctx, after, lost < patience)
		if last != nil {
			after, lost = last, 0
		} else {
			lost++
		}
		if done || (err != nil && !errors.Is(err, endpoint.ErrChanged)) {
			return err
		}
	}
}

// readFrom reads the rows after a key from one view, all of them or, when the view is not
// sliced, those of one batch. It returns the last key that was sent, nil if there was none,
// and whether there are no rows after it.
func (s *sideScan) readFrom(ctx context.Context, after record.Key, sliced bool) (last record.Key, done bool, err error) {
	// Whoever compares the rows may take his time, and is not waited for with a view that
	// keeps writers waiting: memory comes first, and what was read goes out last.
	b, err := s.take(ctx)
	if err != nil {
		return nil, false, err
	}
	defer func() {
		if b == nil {
			return
		}
		if len(b.rows) == 0 {
			s.free <- b
			return
		}
		last = b.lastKey()
		if serr := s.send(ctx, b); err == nil {
			err = serr
		}
	}()
	snap, err := s.end.Snapshot(ctx, sliced)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, snap.Close()) }()
	t, err := tableIn(s.end, snap, s.table)
	if err != nil {
		return nil, false, err
	}
	rows, err := snap.Scan(t, after, nil)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	fingerprint := snap.Fingerprint()
	b.reset(fingerprint)
	for rows.Next() {
		b.add(rows.Key(), rows.Image())
		if len(b.rows) < batchRows && len(b.bytes) < batchBytes {
			continue
		}
		if !sliced {
			return last, false, nil
		}
		last = b.lastKey()
		full := b
		b = nil
		if err := s.send(ctx, full); err != nil {
			return last, false, err
		}
		if b, err = s.take(ctx); err != nil {
			return last, false, err
		}
		b.reset(fingerprint)
	}
	return last, rows.Err() == nil, rows.Err()
}

// take returns an empty batch once there is one.
func (s *sideScan) take(ctx context.Context) (*rowBatch, error) {
	select {
	case b := <-s.free:
		b.reset(nil)
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (b *rowBatch) lastKey() record.Key {
	r := b.rows[len(b.rows)-1]
	return append(record.Key(nil), b.bytes[r.start:r.image]...)
}

func (s *sideScan) send(ctx context.Context, b *rowBatch) error {
	select {
	case s.full <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// scannedRow is a row of a running scan; it is valid until the next one of that scan.
type scannedRow struct {
	key         record.Key
	image       record.Image
	fingerprint []byte
}

// next returns the next row; ok is false after the last one.
func (s *sideScan) next() (r scannedRow, ok bool, err error) {
	for s.batch == nil || s.at == len(s.batch.rows) {
		if s.batch != nil {
			s.free <- s.batch // it has room for all there are
			s.batch = nil
		}
		if s.batch, ok = <-s.full; !ok {
			s.batch = nil
			return scannedRow{}, false, s.err
		}
		s.at = 0
	}
	span := s.batch.rows[s.at]
	s.at++
	return scannedRow{
		key:         s.batch.bytes[span.start:span.image:span.image],
		image:       s.batch.bytes[span.image:span.end:span.end],
		fingerprint: s.batch.fingerprint,
	}, true, nil
}

// tableIn returns a table as the view has it, which must still be what it was: rows of
// another shape or order cannot be compared.
func tableIn(end endpoint.Endpoint, snap endpoint.Snapshot, was *endpoint.Table) (*endpoint.Table, error) {
	t := snap.Schema().Table(was.Name)
	if t == nil || t.Refused != "" || !t.Shape.Equal(was.Shape) || len(endpoint.Compare(was, t)) > 0 {
		return nil, &endpoint.Error{
			Family: endpoint.Incompatible, Op: "read " + was.Name, Name: end.Name(),
			Hint: "try again", Err: errors.New("its schema was changed while it was read"),
		}
	}
	return t, nil
}
