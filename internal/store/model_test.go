package store_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/syncline-io/syncline/internal/store"
)

// TestStoreIsItsModel drives a store and its model through batches, discarded batches,
// flushes, reopenings and pinned views, and compares all that can be read.
func TestStoreIsItsModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fs := vfs.NewMem()
		open := func() *store.Store {
			s, err := store.OpenSmall("db", store.Options{FS: fs})
			must(t, err)
			return s
		}
		w := &world{t: t, s: open(), m: newModel(), draw: func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "n") }}
		defer func() { must(t, w.s.Close()) }()
		var pinned *store.View
		var want string
		unpin := func() {
			if pinned == nil {
				return
			}
			got, err := dump(pinned)
			must(t, err)
			if got != want {
				rt.Fatalf("pinned view moved: %s", diff(got, want))
			}
			must(t, pinned.Close())
			pinned = nil
		}
		defer unpin()
		for range rapid.IntRange(1, 25).Draw(rt, "batches") {
			switch w.draw(10) {
			case 0:
				unpin()
				must(t, w.s.Close())
				w.s = open()
			case 1:
				must(t, w.s.Flush())
			case 2:
				unpin()
				pinned, want = w.s.View(), w.m.dump()
			case 3:
				b := w.s.Batch()
				w.next = w.m.clone()
				w.step(b)
				must(t, b.Close())
				for _, st := range w.stages {
					must(t, st.Abort())
				}
				w.stages = nil
			default:
				w.batch(w.draw(2) == 0)
			}
			got, err := dumpStore(w.s)
			must(t, err)
			if want := w.m.dump(); got != want {
				rt.Fatalf("store is not its model: %s", diff(got, want))
			}
		}
	})
}
