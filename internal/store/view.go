package store

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// View is the state after some batch, whatever is written later. It is safe for
// concurrent use by several goroutines, until Close.
type View struct {
	s      *Store
	snap   *pebble.Snapshot
	head   head
	vector causal.Vector
	trees  int // how many there were
	close  sync.Once
	err    error // why there is nothing to see
}

// View pins the state as it is now. It keeps what is deleted later on disk until Close.
// It waits for the batch that is being made durable, and when the store cannot be used,
// all methods of the view say so.
func (s *Store) View() *View {
	v := &View{s: s}
	if v.err = s.enter(); v.err != nil {
		return v
	}
	v.err = s.take(s.publish)
	if v.err == nil {
		v.snap = s.db.NewSnapshot()
		v.head, v.vector, v.trees = s.head, s.vector, s.trees.durable
		s.publish.leave()
	} else {
		s.users.Done()
	}
	return v
}

// Close unpins the state. Everything that reads from the view must have ended.
func (v *View) Close() error {
	v.close.Do(func() {
		if v.snap == nil {
			return
		}
		defer v.s.users.Done()
		// A snapshot of a broken store ends with the process: closing it takes a lock
		// that a parked writer may hold.
		if v.s.disk.failure() == nil {
			v.snap.Close() //nolint:errcheck // always nil
		}
	})
	return nil
}

// usable reports why nothing can be read.
func (v *View) usable() error {
	if v.err != nil {
		return v.err
	}
	return v.s.disk.failure()
}

// Vector returns what commits the state reflects. It is not the caller's to change.
func (v *View) Vector() causal.Vector { return v.vector }

// Position returns the end of the log: its id and the offset of the entry that comes
// next.
func (v *View) Position() (LogID, Offset) { return v.head.log, v.head.end }

// Floor returns the offset of the first entry that is still in the log; with an empty log
// it is the end.
func (v *View) Floor() Offset { return v.head.floor }

// Tables returns the tables that have or had records, in the order in which they were
// first met.
func (v *View) Tables() (tables []string) {
	for _, name := range v.s.trees.all()[:v.trees] {
		if !name.side {
			tables = append(tables, name.table)
		}
	}
	return tables
}

// Get returns the live versions of a record, sorted by dot, in the memory of dst; none if
// there is no such record. The images have memory of their own, one piece for all.
func (v *View) Get(table string, k record.Key, dst []record.Version) ([]record.Version, error) {
	b, err := v.row(treeName{table: table}, k)
	if err != nil || b == nil {
		return dst[:0], err
	}
	vs, err := record.DecodeVersions(b, v.s.dict, dst)
	return vs, readError("record of "+table, err)
}

// row returns a copy of a row's value, nil if there is none.
func (v *View) row(name treeName, k record.Key) ([]byte, error) {
	if err := v.usable(); err != nil {
		return nil, err
	}
	tree, ok := v.s.trees.find(name)
	if !ok {
		return nil, nil
	}
	var room [128]byte
	b, err := get(v.snap, append(treeKey(room[:0], spaceRow, tree), k...))
	return b, readError("row of "+name.table, err)
}

// Siblings calls f with every record that has two or more live versions, table by table
// in the order of Tables, by key. k is valid until f returns.
func (v *View) Siblings(f func(table string, k record.Key) error) error {
	if err := v.usable(); err != nil {
		return err
	}
	return scan(v.snap, []byte{spaceSibling}, func(key, _ []byte) error {
		if len(key) <= treeKeySize {
			return corrupt("key of a sibling")
		}
		name, ok := v.s.trees.at(uint64(binary.BigEndian.Uint32(key[1:])))
		if !ok || name.side {
			return corrupt("sibling of no table")
		}
		return f(name.table, record.Key(key[treeKeySize:]))
	})
}

// Chunk returns a chunk of a large value. Its bytes are what the hash says, or the error
// is [ErrCorrupt]; a chunk that is not there is [ErrNoChunk].
func (v *View) Chunk(h causal.Hash) ([]byte, error) {
	if err := v.usable(); err != nil {
		return nil, err
	}
	return readChunk(v.snap, h)
}

func readChunk(r pebble.Reader, h causal.Hash) ([]byte, error) {
	b, err := get(r, hashKey(nil, spaceChunk, h))
	if err != nil {
		return nil, readError("chunk", err)
	}
	if b == nil {
		return nil, fmt.Errorf("chunk %x: %w", h[:8], ErrNoChunk)
	}
	return b, readError("chunk", checkChunk(h, b))
}

// Meta returns a copy of a named value.
func (v *View) Meta(name string) (value []byte, ok bool, err error) {
	if err := v.usable(); err != nil {
		return nil, false, err
	}
	b, err := get(v.snap, metaKey(nil, name))
	return b, b != nil, readError("meta "+name, err)
}
