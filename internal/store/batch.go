package store

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// Batch is a set of changes that become visible and durable together. There is one at a
// time: [Store.Batch] waits for the end of the one before. It is held in memory and reads
// nothing of what is in it; large commits and values go through [Stage] and
// [Store.PutChunk]. It is not safe for concurrent use.
type Batch struct {
	s      *Store
	p      *pebble.Batch
	head   head
	vector causal.Vector
	chunks chunkLedger
	staged []*Stage
	table  treeName // the tree looked up last
	tree   uint64
	key    []byte
	value  []byte
	err    error // why nothing can be added any more
}

// Batch begins a batch. Its end, Commit or Close, must come, or nobody ever writes again.
// When the store cannot be written to, all methods of the batch say so.
func (s *Store) Batch() *Batch {
	b := &Batch{s: s}
	if s.readOnly {
		b.err = ErrReadOnly
		return b
	}
	if b.err = s.takeWriter(); b.err != nil {
		return b
	}
	b.p = s.db.NewBatch()
	b.head = s.head
	b.vector = slices.Clone(s.vector)
	b.chunks.begin(b)
	return b
}

// takeWriter is take for those that come from outside, and so may come after Close.
func (s *Store) takeWriter() error {
	select {
	case <-s.closed:
	case <-s.disk.broken:
		return s.disk.failure()
	case s.writer <- struct{}{}:
		select {
		case <-s.closed: // Close waits for the slot
			s.writer.leave()
		default:
			return s.disk.failure()
		}
	}
	return fmt.Errorf("batch: %w", ErrClosed)
}

// Record sets the live versions of a record, sorted by dot; none removes it. was is the
// number of live versions that it had before, which the caller knows and the store does
// not look up.
func (b *Batch) Record(table string, k record.Key, was int, live []record.Version) error {
	if b.err != nil {
		return b.err
	}
	for i := 1; i < len(live); i++ {
		if live[i-1].Dot.Compare(live[i].Dot) >= 0 {
			return fmt.Errorf("versions of a record in %q: out of order", table)
		}
	}
	tree := b.treeOf(treeName{table: table})
	b.key = append(treeKey(b.key[:0], spaceRow, tree), k...)
	var err error
	if len(live) == 0 {
		err = b.p.Delete(b.key, nil)
	} else {
		b.value = record.AppendVersions(b.value[:0], b.s.dict, live)
		err = b.p.Set(b.key, b.value, nil)
	}
	if err != nil {
		return b.fail(err)
	}
	if siblings := len(live) > 1; siblings != (was > 1) {
		b.key[0] = spaceSibling
		if siblings {
			err = b.p.Set(b.key, nil, nil)
		} else {
			err = b.p.Delete(b.key, nil)
		}
		if err != nil {
			return b.fail(err)
		}
	}
	return b.fail(b.chunks.holdRow(tree, k, live))
}

// SideSet sets a row of a side table, which belongs to whoever uses the space. value is
// opaque; versions are those whose images' chunks it needs, and it holds no others any
// more. Space and table are not empty.
func (b *Batch) SideSet(space, table string, k record.Key, value []byte, versions []record.Version) error {
	if b.err != nil {
		return b.err
	}
	tree := b.treeOf(treeName{true, space, table})
	b.key = append(treeKey(b.key[:0], spaceRow, tree), k...)
	if err := b.p.Set(b.key, value, nil); err != nil {
		return b.fail(err)
	}
	return b.fail(b.chunks.holdRow(tree, k, versions))
}

// SideDelete removes a row of a side table, if it is there.
func (b *Batch) SideDelete(space, table string, k record.Key) error {
	if b.err != nil {
		return b.err
	}
	tree, ok := b.s.trees.find(treeName{true, space, table})
	if !ok {
		return nil
	}
	b.key = append(treeKey(b.key[:0], spaceRow, tree), k...)
	if err := b.p.Delete(b.key, nil); err != nil {
		return b.fail(err)
	}
	return b.fail(b.chunks.holdRow(tree, k, nil))
}

// SideClear removes all rows of a side table, or of all tables of the space if table is
// empty: what is in the store, and what this batch has set so far.
func (b *Batch) SideClear(space, table string) error {
	if b.err != nil {
		return b.err
	}
	for id, name := range b.s.trees.all() {
		if !name.side || name.space != space || (table != "" && name.table != table) {
			continue
		}
		prefix := treeKey(nil, spaceRow, uint64(id))
		if err := b.p.DeleteRange(prefix, prefixEnd(prefix), nil); err != nil {
			return b.fail(err)
		}
		if err := b.chunks.dropTree(uint64(id)); err != nil {
			return b.fail(err)
		}
	}
	return nil
}

// SetMeta sets a named value: cursors, identities, settings.
func (b *Batch) SetMeta(name string, value []byte) error {
	if b.err != nil {
		return b.err
	}
	return b.fail(b.p.Set(metaKey(nil, name), value, nil))
}

// DeleteMeta removes a named value, if it is there.
func (b *Batch) DeleteMeta(name string) error {
	if b.err != nil {
		return b.err
	}
	return b.fail(b.p.Delete(metaKey(nil, name), nil))
}

// Vector returns the vector as it is with what was appended so far.
func (b *Batch) Vector() causal.Vector { return slices.Clone(b.vector) }

// Size returns how many bytes the batch holds in memory.
func (b *Batch) Size() int {
	if b.p == nil {
		return 0
	}
	return b.p.Len()
}

// Commit makes the batch visible and, if sync is set, durable before it returns: then
// everything that was committed before it is durable too, synced or not. Without sync, a
// crash may take this batch and all after it, never one alone.
//
// An error says that nothing of the batch was written; after [ErrBroken] it is found when
// the store is opened anew whether it was, in whole. [ErrNoChunk] says that a value needs
// a chunk that is not there.
func (b *Batch) Commit(sync bool) error {
	if b.err != nil {
		return errors.Join(b.err, b.Close())
	}
	defer b.end()
	if err := b.s.take(b.s.publish); err != nil {
		return err
	}
	defer b.s.publish.leave()
	return b.publish(sync)
}

// publish writes the batch. While it does, nobody pins a view, so nobody sees what a sync
// has not made durable yet (I1).
func (b *Batch) publish(sync bool) error {
	s := b.s
	if err := b.chunks.settle(); err != nil {
		return err
	}
	b.head.batches++
	if err := b.p.Set([]byte{spaceHead}, b.head.append(nil), nil); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	numbered, err := b.writeNumbers()
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	var staged [][]byte
	var paths []string
	for _, st := range b.staged {
		if st.path != "" {
			staged, paths = append(staged, dotKey(nil, spaceSegment, st.header.Dot)), append(paths, st.path)
		}
	}
	if len(paths) > 0 || b.p.Len() >= s.tuning.bulk {
		err = s.ingest(b.p, staged, paths)
	} else {
		err = s.apply(b.p, sync)
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	numbered()
	s.head, s.vector = b.head, b.vector
	b.chunks.committed()
	for _, st := range b.staged {
		st.end()
	}
	return nil
}

// writeNumbers adds the numbers that are not durable yet, of this batch or not, and
// returns what is to be done once they are.
func (b *Batch) writeNumbers() (done func(), err error) {
	s := b.s
	origins, shapes, trees := s.dict.origins.all(), s.dict.shapes.all(), s.trees.all()
	set := func(space byte, id int, v []byte) {
		if err == nil {
			err = b.p.Set(numberKey(nil, space, uint64(id)), v, nil)
		}
	}
	for id := s.dict.origins.durable; id < len(origins); id++ {
		set(spaceOrigin, id, origins[id].Append(nil))
	}
	for id := s.dict.shapes.durable; id < len(shapes); id++ {
		set(spaceShape, id, appendShape(nil, shapes[id]))
	}
	for id := s.trees.durable; id < len(trees); id++ {
		set(spaceTree, id, trees[id].append(nil))
	}
	return func() {
		s.dict.origins.durable, s.dict.shapes.durable, s.trees.durable = len(origins), len(shapes), len(trees)
	}, err
}

// Close discards the batch unless it was committed.
func (b *Batch) Close() error {
	b.end()
	return nil
}

// end gives up the batch's memory and its turn, once.
func (b *Batch) end() {
	if b.err == nil || b.p != nil {
		b.err = fmt.Errorf("batch: %w", ErrClosed)
	}
	if b.p == nil {
		return
	}
	// A batch that a broken store may still be reading is left to the collector.
	if b.s.disk.failure() == nil {
		b.p.Close() //nolint:errcheck // always nil
	}
	b.p = nil
	b.s.writer.leave()
}

// fail remembers that the batch is incomplete, so that it is never committed.
func (b *Batch) fail(err error) error {
	if err != nil {
		b.err = err
	}
	return err
}

// treeOf returns the number of a tree, and remembers it: rows come in the order of
// tables.
func (b *Batch) treeOf(name treeName) uint64 {
	if b.table != name || name == (treeName{}) {
		b.table, b.tree = name, b.s.trees.number(name, name)
	}
	return b.tree
}
