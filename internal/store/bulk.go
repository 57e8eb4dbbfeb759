package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A large batch is not worth a log: it is written as tables at once and these are
// ingested, all together, with the metadata of the batch among them. That costs one write
// of each byte instead of three, and it is as atomic and as durable.

// bulkDir holds tables that are not ingested yet.
const bulkDir = "bulk"

// bulkOp is one operation of a batch; key and value alias it.
type bulkOp struct {
	kind       pebble.InternalKeyKind
	key, value []byte
}

// bulkRun holds the operations on the keys of one space or tree.
type bulkRun struct {
	name  [treeKeySize]byte // what all keys begin with, filled up with zeros
	gone  []bulkOp          // the ranges that are deleted before ops
	ops   []bulkOp          // sorted unless mixed
	size  int
	mixed bool
}

// add appends an operation. Rows come in order, mostly; then nothing is left to sort.
func (r *bulkRun) add(op bulkOp) {
	if op.kind == pebble.InternalKeyKindRangeDelete {
		r.ops = slices.DeleteFunc(r.ops, func(o bulkOp) bool {
			return bytes.Compare(o.key, op.key) >= 0 && bytes.Compare(o.key, op.value) < 0
		})
		if n := len(r.gone); n == 0 || !bytes.Equal(r.gone[n-1].key, op.key) {
			r.gone = append(r.gone, op)
		}
		return
	}
	if n := len(r.ops); n > 0 {
		switch c := bytes.Compare(r.ops[n-1].key, op.key); {
		case c == 0:
			r.ops[n-1] = op
			return
		case c > 0:
			r.mixed = true
		}
	}
	r.ops = append(r.ops, op)
	r.size += len(op.key) + len(op.value)
}

// sort brings the operations in order, of each key only the last.
func (r *bulkRun) sort() {
	if !r.mixed {
		return
	}
	slices.SortStableFunc(r.ops, func(a, b bulkOp) int { return bytes.Compare(a.key, b.key) })
	last := r.ops[:0]
	for i, op := range r.ops {
		if i+1 == len(r.ops) || !bytes.Equal(op.key, r.ops[i+1].key) {
			last = append(last, op)
		}
	}
	r.ops = last
}

// bulkRuns takes a batch apart into runs, in the order of their keys.
func bulkRuns(p *pebble.Batch) ([]*bulkRun, error) {
	of := make(map[[treeKeySize]byte]*bulkRun)
	reader := p.Reader()
	for {
		kind, key, value, more, err := reader.Next()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		var name [treeKeySize]byte
		if name[0] = key[0]; key[0] == spaceRow {
			copy(name[:], key)
		}
		run := of[name]
		if run == nil {
			run = &bulkRun{name: name}
			of[name] = run
		}
		run.add(bulkOp{kind, key, value})
	}
	runs := make([]*bulkRun, 0, len(of))
	for _, run := range of {
		run.sort()
		runs = append(runs, run)
	}
	slices.SortFunc(runs, func(a, b *bulkRun) int { return bytes.Compare(a.name[:], b.name[:]) })
	return runs, nil
}

// ingest writes a batch as tables and takes them over together with those that stages
// have written, whose keys begin with staged. It is durable then. An error means that the
// store is broken.
func (s *Store) ingest(p *pebble.Batch, staged [][]byte, paths []string) error {
	slices.SortFunc(staged, bytes.Compare)
	return s.broken(s.run(func() error {
		w := bulkWriter{s: s, staged: staged, paths: paths}
		runs, err := bulkRuns(p)
		for i := 0; i < len(runs) && err == nil; i++ {
			err = w.run(runs[i])
		}
		if err == nil {
			err = w.cut()
		}
		if err != nil {
			return fmt.Errorf("write tables: %w", err)
		}
		// The tables are durable at once, whatever of the log is not: what was written
		// before them has to be durable first.
		if err := s.db.LogData(nil, pebble.Sync); err != nil {
			return err
		}
		return s.db.Ingest(context.Background(), w.paths)
	}))
}

// bulkWriter writes operations in the order of their keys to tables that do not overlap
// each other or those of stages.
type bulkWriter struct {
	s      *Store
	staged [][]byte        // the beginnings of what stages hold that comes later
	table  *sstable.Writer // the open one
	size   int
	large  bool // the open table belongs to a large run
	paths  []string
}

// run writes one run. A large one has its tables to itself, so that these find their
// place below everything that is there, for good.
func (w *bulkWriter) run(r *bulkRun) error {
	large := r.size > w.s.tuning.bulk/4
	if large || w.large {
		if err := w.cut(); err != nil {
			return err
		}
	}
	w.large = large
	for _, op := range r.gone {
		if w.passes(op.key) {
			if err := w.cut(); err != nil {
				return err
			}
		}
		if err := w.open(); err != nil {
			return err
		}
		if err := w.table.DeleteRange(op.key, op.value); err != nil {
			return err
		}
	}
	for _, op := range r.ops {
		// A deleted range has to be in one table.
		if len(r.gone) == 0 && w.size >= w.s.tuning.table || w.passes(op.key) {
			if err := w.cut(); err != nil {
				return err
			}
		}
		if err := w.add(op); err != nil {
			return err
		}
	}
	return nil
}

// passes reports whether the table of a stage comes before the key.
func (w *bulkWriter) passes(key []byte) (passed bool) {
	for len(w.staged) > 0 && bytes.Compare(w.staged[0], key) < 0 {
		w.staged, passed = w.staged[1:], true
	}
	return passed
}

func (w *bulkWriter) add(op bulkOp) error {
	if err := w.open(); err != nil {
		return err
	}
	w.size += len(op.key) + len(op.value)
	if op.kind == pebble.InternalKeyKindDelete {
		return w.table.Delete(op.key)
	}
	return w.table.Set(op.key, op.value)
}

func (w *bulkWriter) open() error {
	if w.table != nil {
		return nil
	}
	path, table, err := w.s.newTable()
	if err == nil {
		w.paths, w.table = append(w.paths, path), table
	}
	return err
}

// cut finishes the open table, which syncs it.
func (w *bulkWriter) cut() error {
	if w.table == nil {
		return nil
	}
	err := w.table.Close()
	w.table, w.size = nil, 0
	return err
}

// newTable begins a table that is to be ingested.
func (s *Store) newTable() (path string, w *sstable.Writer, err error) {
	dir := s.disk.PathJoin(s.dir, bulkDir)
	if err := s.disk.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	path = s.disk.PathJoin(dir, fmt.Sprintf("%d", s.table.Add(1)))
	f, err := s.disk.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return "", nil, err
	}
	return path, sstable.NewWriter(objstorageprovider.NewFileWritable(f), s.tables), nil
}

// clearBulk removes the tables that a crash left half-way.
func clearBulk(fsys vfs.FS, dir string) error {
	dir = fsys.PathJoin(dir, bulkDir)
	names, err := fsys.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, name := range names {
		err = errors.Join(err, fsys.Remove(fsys.PathJoin(dir, name)))
	}
	return err
}
