package store_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/internal/store"
	"github.com/syncline-io/syncline/record"
)

// What the tests have in common: small things to put into a store.

func origin(n byte) (o causal.Origin) {
	o.Incarnation = uint32(n)
	for i := range o.Node {
		o.Node[i] = n
	}
	return o
}

func dot(n byte, seq uint64) causal.Dot { return causal.Dot{Origin: origin(n), Seq: seq} }

func key(t testing.TB, i int64) record.Key {
	t.Helper()
	k, err := record.AppendKeyValue(nil, record.IntValue(i), record.Binary)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func shape(t testing.TB, table string) *record.Shape {
	t.Helper()
	s, err := record.NewShape(table, []string{"id", "note"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// image is a row of shape.
func image(t testing.TB, id int64, note string) record.Image {
	t.Helper()
	var w record.ImageWriter
	w.Reset(2)
	w.Int(id)
	w.Text([]byte(note))
	if w.Err() != nil {
		t.Fatal(w.Err())
	}
	return w.Image()
}

func version(t testing.TB, d causal.Dot, table string, id int64, note string) record.Version {
	t.Helper()
	return record.Version{
		Dot: d, Birth: d, Stamp: causal.Stamp(d.Seq << 16), Shape: shape(t, table), Image: image(t, id, note),
	}
}

// commit is one in all its parts.
type commit struct {
	entry    record.Entry
	header   record.Header
	segments [][]byte
}

// build makes the commit after prev of an origin, of puts of the versions, whose dots
// become the commit's.
func build(t testing.TB, prev causal.Head, chunks func(causal.Hash, []byte) error, vs ...record.Version) commit {
	t.Helper()
	var c commit
	d := causal.Dot{Origin: prev.Origin, Seq: prev.Seq + 1}
	b := record.NewBuilder(record.Header{Dot: d, Prev: prev.Hash, Stamp: causal.Stamp(d.Seq << 16)}, func(_ int, seg []byte) error {
		c.segments = append(c.segments, append([]byte(nil), seg...))
		return nil
	})
	b.Chunks = chunks
	for i, v := range vs {
		v.Dot, v.Birth = d, d
		if err := b.Add(&record.Change{Key: key(t, int64(i)), Version: v}); err != nil {
			t.Fatal(err)
		}
	}
	h, hash, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	c.header = h
	c.entry = record.Entry{Kind: record.EntryCommit, Hash: hash, Header: record.AppendHeader(nil, &h)}
	return c
}

func (c *commit) head() causal.Head {
	return causal.Head{Origin: c.header.Dot.Origin, Seq: c.header.Dot.Seq, Hash: c.entry.Hash}
}

// stage stages the segments of a commit.
func stage(t testing.TB, s *store.Store, c *commit) *store.Stage {
	t.Helper()
	st := s.Stage(c.header.Dot)
	for i, seg := range c.segments {
		if err := st.Segment(i, seg); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

func openMem(t testing.TB, fs vfs.FS) *store.Store {
	t.Helper()
	s, err := store.Open("db", store.Options{FS: fs, Fatal: func(reason string) { t.Error("fatal: " + reason) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// large is the content of a large value of some chunks, and its hashes.
func large(n int, seed byte) (b []byte, hashes []causal.Hash) {
	b = make([]byte, n)
	for i := range b {
		b[i] = seed + byte(i>>10)
	}
	for rest := b; len(rest) > 0; {
		size := min(len(rest), record.ChunkSize)
		hashes = append(hashes, sha256.Sum256(rest[:size]))
		rest = rest[size:]
	}
	return b, hashes
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func note(i int) string { return fmt.Sprintf("note %d", i) }
