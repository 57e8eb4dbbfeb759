package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/syncline-io/syncline/internal/store"
)

// crash is the disk as it would be found if the machine had lost power at one operation.
type crash struct {
	op     int64
	p      int
	disk   *vfs.MemFS
	synced int64 // batches that were acknowledged as synced
	begun  int64
}

// linkFS keeps links and clones of a MemFS apart: both together are a deadlock in it.
type linkFS struct {
	vfs.FS
	mu *sync.RWMutex
}

func (l linkFS) Link(from, to string) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.FS.Link(from, to)
}

// TestCrashAtFileOperations runs a workload and loses power at every third operation that
// changes the disk, with none, half and all of what was not synced. Whatever is found
// must be the state after a batch that is no older than the last acknowledged one, whole.
func TestCrashAtFileOperations(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { crashes(t, seed) })
	}
}

func crashes(t *testing.T, seed uint64) {
	mem := vfs.NewCrashableMem()
	var ops, synced, begun atomic.Int64
	var mu sync.RWMutex
	var found []crash
	rng := rand.New(rand.NewPCG(seed, 1))
	take := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
			return nil
		}
		n := ops.Add(1)
		if n%3 != 0 {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		p := int(n/3) % 3 * 50
		c := crash{op: n, p: p, synced: synced.Load(), begun: begun.Load()}
		c.disk = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: p, RNG: rng})
		found = append(found, c)
		return nil
	})
	fs := errorfs.Wrap(linkFS{mem, &mu}, take)
	draws := rand.New(rand.NewPCG(seed, 2))
	s, err := store.OpenSmall("db", store.Options{FS: fs})
	must(t, err)
	w := &world{t: t, s: s, m: newModel(), draw: draws.IntN}
	states := []string{w.m.dump()}
	for i := range 22 {
		begun.Add(1)
		sync := w.draw(2) == 0
		w.batch(sync)
		states = append(states, w.m.dump())
		if sync {
			synced.Store(int64(len(states) - 1))
		}
		switch {
		case i%13 == 7:
			must(t, s.Flush())
		case i%17 == 9:
			must(t, s.Close())
			synced.Store(int64(len(states) - 1)) // a store at rest has lost nothing
			s, err = store.OpenSmall("db", store.Options{FS: fs})
			must(t, err)
			w.s = s
		}
	}
	must(t, s.Close())
	mu.Lock()
	defer mu.Unlock()
	t.Logf("%d crashes in %d operations", len(found), ops.Load())
	if len(found) < 50 {
		t.Fatalf("%d crashes are too few to tell anything", len(found))
	}
	for _, c := range found {
		s, err := store.OpenSmall("db", store.Options{FS: c.disk})
		if err != nil {
			t.Fatalf("crash at operation %d (%d %% kept): %v", c.op, c.p, err)
		}
		got, err := dumpStore(s)
		if err != nil {
			t.Fatalf("crash at operation %d (%d %% kept): %v", c.op, c.p, err)
		}
		if !slices.Contains(states[c.synced:c.begun+1], got) {
			t.Errorf("crash at operation %d (%d %% kept): not a state between batches %d and %d: %s",
				c.op, c.p, c.synced, c.begun, diff(got, states[c.begun]))
		}
		if names, err := c.disk.List("db/bulk"); err == nil && len(names) > 0 {
			t.Errorf("crash at operation %d: tables are left: %v", c.op, names)
		}
		must(t, s.Close())
	}
}
