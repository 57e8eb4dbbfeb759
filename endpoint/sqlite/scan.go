package sqlite

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

// Rows are read ahead in batches, so that no lock is held, and nothing unchecked is handed
// out, while the caller works on a row. A batch ends at the first of these limits, and
// before and after a row with a large value, whose chunks go out as it is read.
const (
	batchBytes = 256 << 10
	batchTime  = 25 * time.Millisecond
	// timedRows is how many rows are read between two looks at the clock.
	timedRows = 32
)

// rows is a running scan. See [endpoint.Rows].
type rows struct {
	s      *Snapshot
	source source
	batch  batch
	at     int // in the batch, -1 before its first row
	done   bool
	err    error
}

// source steps through the rows of a table in the order of their keys.
type source interface {
	table() string
	// next reads the next row; the result is valid until the following call.
	next() (record.Key, record.Image, bool, error)
	// pause gives up what cannot outlive the read transaction; next then goes on after
	// the given key, nil for the start.
	pause(after record.Key) error
	close() error
}

// Scan yields the rows of t. See [endpoint.Snapshot].
func (s *Snapshot) Scan(t *endpoint.Table, after record.Key, chunks endpoint.ChunkSink) (endpoint.Rows, error) {
	if s.lost != nil {
		return nil, s.lost
	}
	p, err := s.s.plan(t)
	if err != nil {
		return nil, s.c.fail("read "+t.Name, err)
	}
	rs := &rows{s: s, at: -1}
	var sink endpoint.ChunkSink
	if chunks != nil {
		sink = func(hash causal.Hash, data []byte) error {
			if len(rs.batch.ends) > 0 {
				return errLater
			}
			rs.batch.large = true
			return chunks(hash, data)
		}
	}
	if s.c.native(p) {
		rs.source = &indexSource{r: newReader(s.c, p, sink), after: bytes.Clone(after)}
	} else {
		rs.source = newSortedSource(s, p, bytes.Clone(after), sink)
	}
	rs.batch.last = bytes.Clone(after)
	s.scans[rs] = true
	return rs, nil
}

// errLater keeps the chunks of a large row back until it is the first of a batch.
var errLater = errors.New("not the first row of its batch")

// Next steps to the next row.
func (r *rows) Next() bool {
	if r.err != nil {
		return false
	}
	if r.at+1 < len(r.batch.ends) {
		r.at++
		return true
	}
	if r.done {
		return false
	}
	if err := r.s.read("read "+r.source.table(), r.fill); err != nil {
		r.err = err
		r.batch.reset()
		return false
	}
	r.at = 0
	return len(r.batch.ends) > 0
}

// fill reads the next batch.
func (r *rows) fill() error {
	r.batch.reset()
	start := time.Now()
	for n := 0; ; n++ {
		k, im, ok, err := r.source.next()
		if errors.Is(err, errLater) {
			break
		}
		if err != nil {
			return err
		}
		if !ok {
			r.done = true
			break
		}
		r.batch.add(k, im)
		if r.batch.large || len(r.batch.bytes) >= batchBytes {
			break
		}
		if n%timedRows == timedRows-1 && time.Since(start) > batchTime {
			break
		}
	}
	if r.s.sliced {
		return r.source.pause(r.batch.last)
	}
	return nil
}

func (r *rows) Key() record.Key     { k, _ := r.batch.row(r.at); return k }
func (r *rows) Image() record.Image { _, im := r.batch.row(r.at); return im }
func (r *rows) Err() error          { return r.err }

// Close ends the scan.
func (r *rows) Close() error {
	r.done = true
	r.batch.reset()
	delete(r.s.scans, r)
	return r.source.close()
}

// batch holds rows one after the other in one piece of memory.
type batch struct {
	bytes []byte
	ends  []rowEnd
	last  record.Key // of the last row that was ever added
	large bool
}

// rowEnd says where the key and the image of a row end.
type rowEnd struct{ key, image int }

func (b *batch) reset() {
	b.bytes, b.ends, b.large = b.bytes[:0], b.ends[:0], false
}

func (b *batch) add(k record.Key, im record.Image) {
	b.bytes = append(b.bytes, k...)
	key := len(b.bytes)
	b.bytes = append(b.bytes, im...)
	b.ends = append(b.ends, rowEnd{key, len(b.bytes)})
	b.last = append(b.last[:0], k...)
}

func (b *batch) row(i int) (record.Key, record.Image) {
	if i < 0 || i >= len(b.ends) {
		return nil, nil
	}
	start := 0
	if i > 0 {
		start = b.ends[i-1].image
	}
	e := b.ends[i]
	return record.Key(b.bytes[start:e.key:e.key]), record.Image(b.bytes[e.key:e.image:e.image])
}

// native reports whether the database keeps the table, or an index of it, in the order of
// the keys. In a UTF-16 database the order of binary text is that of its UTF-16 bytes.
func (c *conn) native(p *plan) bool {
	if !p.ordered || c.utf16 == nil || p.rowid {
		return p.ordered
	}
	for _, k := range p.key {
		if k.collation == record.Binary && p.mayBeText(k) {
			return false
		}
	}
	return true
}

// mayBeText reports whether a column can hold text.
func (p *plan) mayBeText(k keyPart) bool {
	if !p.strict {
		return true
	}
	for _, c := range p.table.Columns {
		if fold(c.Name) == fold(p.table.Shape.Fields[k.field]) {
			switch fold(c.Type) {
			case "int", "integer", "real", "blob":
				return false
			}
		}
	}
	return true
}

// indexSource walks the table, or the index of its key, in the order of the database.
type indexSource struct {
	r     *reader
	after record.Key
	st    *sqlite.Stmt
	// again is true when the statement stands on a row that was not taken.
	again bool
}

func (x *indexSource) table() string { return x.r.p.table.Name }

func (x *indexSource) next() (record.Key, record.Image, bool, error) {
	if x.st == nil {
		if err := x.begin(); err != nil {
			return nil, nil, false, err
		}
	}
	if !x.again {
		more, err := x.st.Step()
		if err != nil || !more {
			return nil, nil, false, err
		}
	}
	k, im, err := x.r.read(x.st, 0)
	x.again = errors.Is(err, errLater)
	return k, im, err == nil, err
}

func (x *indexSource) begin() error {
	var args []any
	if len(x.after) > 0 {
		var err error
		if args, _, err = x.r.c.keyArgs(x.r.p, x.after); err != nil {
			return err
		}
	}
	st, _, err := x.r.c.PrepareTransient(x.r.c.scanSQL(x.r.p, args))
	if err != nil {
		return err
	}
	x.st, x.again = st, false
	for i, a := range args {
		bind(st, i+1, a)
	}
	return nil
}

func (x *indexSource) pause(after record.Key) error {
	x.after = append(x.after[:0], after...)
	x.again = false
	if x.st == nil {
		return nil
	}
	// The next batch begins at another key, so the statement may be another too.
	st := x.st
	x.st = nil
	return st.Finalize()
}

func (x *indexSource) close() error {
	if x.st == nil {
		return nil
	}
	st := x.st
	x.st = nil
	// What Finalize reports is the last error of the statement, which Err has told.
	_ = st.Finalize()
	return nil
}

// scanSQL selects all rows in the order of the key: those after the key whose values are
// args, if there are any. It is a walk along one b-tree, from a seek.
func (c *conn) scanSQL(p *plan, args []any) string {
	var order, values, columns []string
	for i, k := range p.key {
		order = append(order, k.column+k.collate)
		columns = append(columns, k.column)
		if args != nil {
			values = append(values, parameter(i+1, args[i])+k.collate)
		}
	}
	sql := "SELECT " + c.selects(p, "") + " FROM " + p.name
	switch {
	case p.index != "":
		sql += " INDEXED BY " + p.index
	case p.rowid:
		sql += " NOT INDEXED"
	}
	if args != nil {
		sql += " WHERE (" + strings.Join(columns, ", ") + ") > (" + strings.Join(values, ", ") + ")"
	}
	return sql + " ORDER BY " + strings.Join(order, ", ")
}
