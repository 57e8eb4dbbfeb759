package store_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/internal/store"
	"github.com/syncline-io/syncline/record"
)

func there(t *testing.T, s *store.Store, hash causal.Hash) bool {
	t.Helper()
	v := s.View()
	defer v.Close()
	_, err := v.Chunk(hash)
	if err != nil && !errors.Is(err, store.ErrNoChunk) {
		t.Fatal(err)
	}
	return err == nil
}

// largeVersion is one whose image has the content as a large value.
func largeVersion(t *testing.T, d causal.Dot, content []byte, put func(causal.Hash, []byte) error) record.Version {
	t.Helper()
	var w record.ImageWriter
	w.Chunks = put
	w.Reset(2)
	w.Int(1)
	w.Bytes(content)
	must(t, w.Err())
	v := version(t, d, "t", 1, "")
	v.Image = bytes.Clone(w.Image())
	return v
}

// TestChunkLivesAsLongAsItsOwners gives one chunk three owners, takes them away one after
// the other, and reopens the store at each step.
func TestChunkLivesAsLongAsItsOwners(t *testing.T) {
	fs := vfs.NewMem()
	s, err := store.Open("db", store.Options{FS: fs})
	must(t, err)
	defer func() { must(t, s.Close()) }()
	content, hashes := large(record.ChunkSize+9, 3)
	v := largeVersion(t, dot(1, 1), content, s.PutChunk)
	c := build(t, causal.Head{Origin: origin(1)}, s.PutChunk, v)
	st := stage(t, s, &c)
	b := s.Batch()
	must2(t)(b.Append(&c.entry, st))
	must(t, b.Record("t", key(t, 1), 0, []record.Version{v}))
	must(t, b.SideSet("a", "t", key(t, 1), []byte("x"), []record.Version{v}))
	must(t, b.Commit(true))
	steps := []struct {
		name  string
		do    func(b *store.Batch) error
		there bool
	}{
		{"truncated", func(b *store.Batch) error { return b.Truncate(1) }, true},
		{"record removed", func(b *store.Batch) error { return b.Record("t", key(t, 1), 1, nil) }, true},
		{"owner moved", func(b *store.Batch) error {
			return errors.Join(b.SideDelete("a", "t", key(t, 1)), b.SideSet("b", "t", key(t, 2), nil, []record.Version{v}))
		}, true},
		{"space cleared", func(b *store.Batch) error { return b.SideClear("b", "") }, false},
	}
	for _, step := range steps {
		b := s.Batch()
		must(t, step.do(b))
		must(t, b.Commit(true))
		for _, h := range hashes {
			if got := there(t, s, h); got != step.there {
				t.Fatalf("%s: chunk is there: %v, want %v", step.name, got, step.there)
			}
		}
		if _, err := dumpStore(s); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		must(t, s.Close())
		s, err = store.Open("db", store.Options{FS: fs})
		must(t, err)
	}
}

func TestChunkWithoutOwner(t *testing.T) {
	s := openMem(t, vfs.NewMem())
	content, hashes := large(record.ChunkSize+9, 3)
	v := largeVersion(t, dot(1, 1), content, nil)
	b := s.Batch()
	must(t, b.SideSet("a", "t", key(t, 1), nil, []record.Version{v}))
	if err := b.Commit(true); !errors.Is(err, store.ErrNoChunk) {
		t.Fatalf("commit without its chunks: %v, want ErrNoChunk", err)
	}
	if err := s.PutChunk(hashes[0], content[:9]); !errors.Is(err, record.ErrHash) {
		t.Errorf("wrong chunk: %v, want ErrHash", err)
	}
	must(t, s.PutChunk(hashes[0], content[:record.ChunkSize]))
	b = s.Batch()
	must(t, b.Chunk(hashes[1], content[record.ChunkSize:]))
	must(t, b.Commit(true))
	if !there(t, s, hashes[0]) || !there(t, s, hashes[1]) {
		t.Fatal("chunks that were put are gone")
	}
	must(t, s.Sweep())
	if there(t, s, hashes[0]) || there(t, s, hashes[1]) {
		t.Error("chunks without an owner survived the sweep")
	}
}

// TestChunkedImageOwnsItsInnerChunks commits an image that is too long for a segment and
// holds a large value besides.
func TestChunkedImageOwnsItsInnerChunks(t *testing.T) {
	s := openMem(t, vfs.NewMem())
	content, hashes := large(record.ChunkSize+9, 5)
	sh, err := record.NewShape("t", []string{"a", "b", "c"})
	must(t, err)
	var w record.ImageWriter
	w.Chunks = s.PutChunk
	w.Reset(3)
	w.Bytes(content)
	w.Bytes(content[:record.ChunkSize])
	w.Int(1)
	must(t, w.Err())
	v := version(t, dot(1, 1), "t", 1, "")
	v.Shape, v.Image = sh, w.Image()
	c := build(t, causal.Head{Origin: origin(1)}, s.PutChunk, v)
	st := stage(t, s, &c)
	b := s.Batch()
	must2(t)(b.Append(&c.entry, st))
	must(t, b.Commit(true))
	must(t, s.Sweep())
	if !there(t, s, hashes[0]) || !there(t, s, hashes[1]) {
		t.Error("the log lost chunks of a large value within a chunked image")
	}
}
