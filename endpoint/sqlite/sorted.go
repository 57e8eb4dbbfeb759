package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

// windowBytes bounds the keys that a sortedSource keeps in memory.
const windowBytes = 32 << 20

// sortedSource yields rows in the order of their keys where the database has another: it
// reads all keys, keeps the smallest ones after the last key that was yielded, as many as
// fit in memory, and looks up their rows one by one. A table with more keys than fit is
// read once per window.
type sortedSource struct {
	s      *Snapshot
	get    *getter
	r      *reader // of keys alone
	byID   string  // looks up a row by its rowid; "" where it has none to use
	chunks endpoint.ChunkSink
	after  record.Key
	window window
	at     int
	bytes  int // of the window
	end    bool
}

func newSortedSource(s *Snapshot, p *plan, after record.Key, chunks endpoint.ChunkSink) *sortedSource {
	x := &sortedSource{
		s: s, r: newReader(s.c, p, nil), get: newGetter(s.c, p), chunks: chunks, after: after, bytes: windowBytes,
	}
	if p.rowidName != "" {
		x.byID = "SELECT " + s.c.selects(p, "") + " FROM " + p.name + " WHERE " + p.rowidName + " = ?1"
	}
	return x
}

func (x *sortedSource) table() string { return x.r.p.table.Name }

func (x *sortedSource) next() (record.Key, record.Image, bool, error) {
	if x.at == len(x.window.keys) {
		if x.end {
			return nil, nil, false, nil
		}
		if err := x.refill(); err != nil {
			return nil, nil, false, err
		}
		if len(x.window.keys) == 0 {
			return nil, nil, false, nil
		}
	}
	k := x.window.key(x.at)
	im, found, err := x.lookUp(k, x.window.keys[x.at].rowid)
	switch {
	case err != nil:
		return nil, nil, false, err // errLater too: the same key comes again
	case !found:
		return nil, nil, false, fmt.Errorf("table %s: a row that was listed is not found by its key", x.table())
	}
	x.at++
	x.after = append(x.after[:0], k...)
	return k, im, true, nil
}

// lookUp returns the row of a key. By its rowid it is found without an index on the key.
func (x *sortedSource) lookUp(k record.Key, rowid int64) (record.Image, bool, error) {
	if x.byID == "" {
		return x.get.get(k, x.chunks)
	}
	st, err := x.s.c.Prepare(x.byID)
	if err != nil {
		return nil, false, err
	}
	defer st.Reset()
	st.BindInt64(1, rowid)
	if more, err := st.Step(); err != nil || !more {
		return nil, false, err
	}
	x.get.r.w.Chunks = x.chunks
	got, im, err := x.get.r.read(st, 0)
	return im, bytes.Equal(got, k), err
}

func (x *sortedSource) pause(record.Key) error { return nil }
func (x *sortedSource) close() error           { return nil }

// refill lists the next window of keys.
func (x *sortedSource) refill() error {
	w := window{limit: x.bytes, after: x.after, memory: x.window.memory[:0], keys: x.window.keys[:0]}
	walk := newWalk(x.s, x.r.p)
	add := func(st *sqlite.Stmt) error {
		k, err := x.r.readKey(st, 0)
		if err != nil {
			return err
		}
		rowid := int64(0)
		if x.byID != "" {
			rowid = st.ColumnInt64(st.ColumnCount() - 1)
		}
		if w.add(k, rowid); w.full() {
			if walk.resumes {
				return errSlice
			}
			w.halve()
		}
		return nil
	}
	// Sorting takes its time, so it is done while a writer may have its turn.
	sort := func() {
		if w.full() {
			w.halve()
		}
		if walk.done {
			w.sort()
		}
	}
	if err := walk.run(add, sort); err != nil {
		return err
	}
	x.window, x.at, x.end = w, 0, !w.cut
	return nil
}

// window keeps the smallest keys after a key.
type window struct {
	after  []byte
	limit  int // of memory
	memory []byte
	keys   []span
	bound  []byte // when cut: the greatest key that can still be in
	cut    bool   // there are greater keys than those kept
}

// span is where a key lies in memory, and the rowid of its row.
type span struct {
	from, to int
	rowid    int64
}

func (w *window) key(i int) record.Key { return record.Key(w.memory[w.keys[i].from:w.keys[i].to]) }

func (w *window) add(k record.Key, rowid int64) {
	if bytes.Compare(k, w.after) <= 0 || w.cut && bytes.Compare(k, w.bound) > 0 {
		return
	}
	from := len(w.memory)
	w.memory = append(w.memory, k...)
	w.keys = append(w.keys, span{from, len(w.memory), rowid})
}

// full reports whether it is time to drop keys.
func (w *window) full() bool { return len(w.memory) > w.limit && len(w.keys) > 1 }

func (w *window) sort() {
	slices.SortFunc(w.keys, func(a, b span) int {
		return bytes.Compare(w.memory[a.from:a.to], w.memory[b.from:b.to])
	})
}

// halve drops the greater half of the keys.
func (w *window) halve() {
	w.sort()
	w.keys = w.keys[:(len(w.keys)+1)/2]
	kept := make([]byte, 0, w.limit)
	for i, s := range w.keys {
		from := len(kept)
		kept = append(kept, w.memory[s.from:s.to]...)
		w.keys[i] = span{from, len(kept), s.rowid}
	}
	w.memory, w.cut = kept, true
	w.bound = append(w.bound[:0], w.key(len(w.keys)-1)...)
}

// walk visits every row once, in whatever order is cheap, in slices that it can go on from.
type walk struct {
	s *Snapshot
	p *plan
	// place is the columns that say where it has come to. It goes on from there, in a
	// sliced view, unless the columns of the table hide its rowid or its key runs up and
	// down at once; then the walk is one slice.
	place   []keyPart
	resumes bool
	last    []any
	done    bool
}

// errSlice ends a slice of a walk after the row it is returned for.
var errSlice = errors.New("the slice is over")

func newWalk(s *Snapshot, p *plan) *walk {
	w := &walk{s: s, p: p}
	switch {
	case p.rowidName != "":
		w.place, w.resumes = []keyPart{{column: p.rowidName}}, s.sliced
	case p.withoutRowid && p.ordered && s.sliced:
		w.place, w.resumes = p.key, true
	}
	return w
}

// run calls f for each row, whose columns are those of [conn.keySelects] and then the
// place, and between after each slice, while no lock is held in a sliced view.
func (w *walk) run(f func(*sqlite.Stmt) error, between func()) error {
	for !w.done {
		if err := w.step(f); err != nil {
			return err
		}
		if err := w.s.release(); err != nil {
			return err
		}
		between()
		if err := w.s.take(); err != nil {
			return err
		}
	}
	return nil
}

// step visits rows until all are visited, or the slice is over.
func (w *walk) step(f func(*sqlite.Stmt) error) error {
	start, n := time.Now(), 0
	err := w.s.c.query(w.sql(), func(st *sqlite.Stmt) error {
		err := f(st)
		if n++; err == nil && w.resumes && n%timedRows == 0 && time.Since(start) >= batchTime {
			err = errSlice
		}
		if errors.Is(err, errSlice) {
			w.last = nil
			for i := range w.place {
				w.last = append(w.last, w.stored(st, i))
			}
		}
		return err
	}, w.last...)
	if errors.Is(err, errSlice) {
		return nil
	}
	w.done = err == nil
	return err
}

func (w *walk) sql() string {
	sql := "SELECT " + w.s.c.keySelects(w.p)
	var columns, marks, order []string
	for i, k := range w.place {
		columns = append(columns, k.column)
		if w.last != nil {
			marks = append(marks, parameter(i+1, w.last[i])+k.collate)
		}
		order = append(order, k.column+k.collate)
		sql += ", " + k.column
	}
	sql += " FROM " + w.p.name
	if w.resumes && !w.p.withoutRowid {
		sql += " NOT INDEXED" // an index that has all columns would have to be sorted
	}
	if w.last != nil {
		sql += " WHERE (" + strings.Join(columns, ", ") + ") > (" + strings.Join(marks, ", ") + ")"
	}
	if w.resumes {
		sql += " ORDER BY " + strings.Join(order, ", ")
	}
	return sql
}

// stored returns the value of the i-th column of the place.
func (w *walk) stored(st *sqlite.Stmt, i int) any {
	col := st.ColumnCount() - len(w.place) + i
	switch st.ColumnType(col) {
	case sqlite.TypeInteger:
		return st.ColumnInt64(col)
	case sqlite.TypeFloat:
		return st.ColumnFloat(col)
	case sqlite.TypeText:
		if w.s.c.utf16 == nil {
			return st.ColumnText(col)
		}
		// Only a key has text, and its columns come with their bytes before the place.
		return storedBytes(bytes.Clone(blob(st, 2*i+1, new([]byte))))
	case sqlite.TypeBlob:
		return bytes.Clone(blob(st, col, new([]byte)))
	}
	return nil
}
