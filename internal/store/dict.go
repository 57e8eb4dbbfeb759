package store

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// numbers gives things numbers from 0 in the order in which they are first met. A number
// is made durable by the first batch that commits after it was given, so by the time a
// value that uses it is on disk, it is too. Reading takes no lock.
type numbers[K comparable, V any] struct {
	mu   sync.RWMutex
	ids  map[K]uint64
	list atomic.Pointer[[]V] // only ever appended to

	durable int // how many are on disk; guarded by the store's publish slot
}

func newNumbers[K comparable, V any]() *numbers[K, V] {
	n := &numbers[K, V]{ids: make(map[K]uint64)}
	n.list.Store(new([]V))
	return n
}

// all returns those given out so far.
func (n *numbers[K, V]) all() []V { return *n.list.Load() }

func (n *numbers[K, V]) at(id uint64) (v V, ok bool) {
	if l := n.all(); id < uint64(len(l)) {
		return l[id], true
	}
	return v, false
}

func (n *numbers[K, V]) find(k K) (id uint64, ok bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	id, ok = n.ids[k]
	return id, ok
}

// number returns the number of k, which stands for v, and gives it one if it has none.
func (n *numbers[K, V]) number(k K, v V) uint64 {
	if id, ok := n.find(k); ok {
		return id
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if id, ok := n.ids[k]; ok {
		return id
	}
	l := n.all()
	id := uint64(len(l))
	l = append(l, v) // beyond the length that readers of the old slice see
	n.ids[k] = id
	n.list.Store(&l)
	return id
}

// dict is the store's [record.Dict]. Shapes that differ in the case of a letter are two.
type dict struct {
	origins *numbers[causal.Origin, causal.Origin]
	shapes  *numbers[string, *record.Shape]
	known   shapeCache
}

func newDict() *dict {
	return &dict{origins: newNumbers[causal.Origin, causal.Origin](), shapes: newNumbers[string, *record.Shape]()}
}

func (d *dict) OriginID(o causal.Origin) uint64 { return d.origins.number(o, o) }

func (d *dict) Origin(id uint64) (causal.Origin, bool) { return d.origins.at(id) }

func (d *dict) Shape(id uint64) (*record.Shape, bool) { return d.shapes.at(id) }

// ShapeID takes shapes as immutable: the number of one that was met lately is found by
// its address.
func (d *dict) ShapeID(s *record.Shape) uint64 {
	if id, ok := d.known.get(s); ok {
		return id
	}
	own := &record.Shape{Table: s.Table, Fields: slices.Clone(s.Fields)}
	id := d.shapes.number(string(appendShape(nil, s)), own)
	d.known.put(s, id)
	return id
}

// shapeCache remembers the numbers of some shapes by their address.
type shapeCache struct {
	mu  sync.RWMutex
	ids map[*record.Shape]uint64
}

// shapeCacheSize is more than the tables of most datasets. Readers of segments make new
// shapes for the same tables again and again, so it is emptied when full.
const shapeCacheSize = 256

func (c *shapeCache) get(s *record.Shape) (uint64, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	id, ok := c.ids[s]
	return id, ok
}

func (c *shapeCache) put(s *record.Shape, id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ids == nil || len(c.ids) >= shapeCacheSize {
		c.ids = make(map[*record.Shape]uint64)
	}
	c.ids[s] = id
}
