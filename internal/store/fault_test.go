package store_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/syncline-io/syncline/internal/store"
)

// TestFailedWriteBreaksTheStore makes one class of operations fail for good, at different
// times of a workload. The store must say so, never hang, acknowledge nothing after, and
// be found by the next Open in a state that lacks nothing acknowledged.
func TestFailedWriteBreaksTheStore(t *testing.T) {
	faults := []struct {
		name string
		hits func(op errorfs.Op) bool
	}{
		{"log write", func(op errorfs.Op) bool { return op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".log") }},
		{"log create", func(op errorfs.Op) bool {
			return (op.Kind == errorfs.OpCreate || op.Kind == errorfs.OpReuseForWrite) && strings.HasSuffix(op.Path, ".log")
		}},
		{"any sync", func(op errorfs.Op) bool {
			return op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo
		}},
		{"table create", func(op errorfs.Op) bool { return op.Kind == errorfs.OpCreate && strings.HasSuffix(op.Path, ".sst") }},
		{"table write", func(op errorfs.Op) bool { return op.Kind == errorfs.OpFileWrite && strings.HasSuffix(op.Path, ".sst") }},
		{"bulk write", func(op errorfs.Op) bool {
			return op.Kind == errorfs.OpFileWrite && strings.Contains(op.Path, "bulk")
		}},
		{"manifest write", func(op errorfs.Op) bool {
			return op.Kind == errorfs.OpFileWrite && strings.Contains(op.Path, "MANIFEST")
		}},
		{"manifest sync", func(op errorfs.Op) bool {
			return op.Kind == errorfs.OpFileSync && strings.Contains(op.Path, "MANIFEST")
		}},
	}
	for _, fault := range faults {
		for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
			for after := range int64(3) {
				t.Run(fault.name+"/"+cause.Error(), func(t *testing.T) {
					open := store.OpenSmall
					if strings.HasPrefix(fault.name, "log") {
						open = store.OpenLogged
					}
					failing(t, open, fault.hits, cause, after*5)
				})
			}
		}
	}
}

func failing(t *testing.T, open func(string, store.Options) (*store.Store, error), hits func(errorfs.Op) bool, cause error, after int64) {
	mem := vfs.NewMem()
	var armed atomic.Bool
	var met atomic.Int64
	fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if armed.Load() && hits(op) && met.Add(1) > after {
			return &os.PathError{Op: "write", Path: op.Path, Err: cause}
		}
		return nil
	}))
	s, err := open("db", store.Options{FS: fs, Fatal: func(reason string) { t.Logf("fatal: %s", reason) }})
	must(t, err)
	draws := rand.New(rand.NewPCG(uint64(after), 7))
	w := &world{t: t, s: s, m: newModel(), draw: draws.IntN, errors: true}
	for range 5 {
		if !w.batch(true) {
			t.Fatal("store broke without a fault")
		}
	}
	armed.Store(true)
	broke := false
	for range 400 {
		if !w.batch(true) {
			broke = true
			break
		}
	}
	if !broke {
		t.Fatalf("400 batches, and %d faults were not noticed", met.Load())
	}
	if b := s.Batch(); !errors.Is(b.SetMeta("cursor", nil), store.ErrBroken) {
		t.Error("a broken store takes another batch")
	}
	v := s.View()
	if _, _, err := v.Meta("cursor"); !errors.Is(err, store.ErrBroken) {
		t.Errorf("a broken store is read: %v", err)
	}
	v.Close()
	err = s.Close()
	if !errors.Is(err, store.ErrBroken) || errors.Is(err, store.ErrNoSpace) != (cause == syscall.ENOSPC) {
		t.Errorf("%v is reported as %v", cause, err)
	}
	armed.Store(false)
	s, err = open("db", store.Options{FS: mem})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	got, err := dumpStore(s)
	must(t, err)
	// The batch that failed may be there, but only whole.
	if got != w.m.dump() && got != w.next.dump() {
		t.Errorf("after the fault: %s", diff(got, w.m.dump()))
	}
}
