package record_test

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

// built is a commit with all its parts.
type built struct {
	header   record.Header
	hash     causal.Hash
	segments [][]byte
	chunks   map[causal.Hash][]byte
}

func someHeader() record.Header {
	return record.Header{
		Dataset: record.Dataset{1, 2, 3}, Epoch: 4, Dot: dot(1, 200), Prev: hash(199), Stamp: 1 << 56,
		Meta: []byte{0xa1, 0x61, 'k', 0x01},
	}
}

func build(t testing.TB, h record.Header, changes []record.Change) built {
	t.Helper()
	out := built{chunks: map[causal.Hash][]byte{}}
	b := record.NewBuilder(h, func(i int, seg []byte) error {
		if i != len(out.segments) || len(seg) > record.SegmentSize {
			t.Fatalf("segment %d of %d bytes after %d", i, len(seg), len(out.segments))
		}
		out.segments = append(out.segments, bytes.Clone(seg))
		return nil
	})
	b.Chunks = func(h causal.Hash, data []byte) error { out.chunks[h] = bytes.Clone(data); return nil }
	for i := range changes {
		if err := b.Add(&changes[i]); err != nil {
			t.Fatalf("change %d: %v", i, err)
		}
	}
	var err error
	if out.header, out.hash, err = b.Finish(); err != nil {
		t.Fatal(err)
	}
	return out
}

func (c built) all() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for _, s := range c.segments {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func (c built) verify() error { return record.VerifyCommit(&c.header, c.hash, c.all()) }

func (c built) changes(t testing.TB) (all []record.Change) {
	t.Helper()
	r := &record.SegmentReader{Chunks: func(h causal.Hash) ([]byte, error) { return c.chunks[h], nil }}
	for _, s := range c.segments {
		if err := r.Reset(s, &c.header); err != nil {
			t.Fatal(err)
		}
		for {
			var change record.Change
			more, err := r.Next(&change)
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			all = append(all, change)
		}
	}
	return all
}

func sameChange(c, d *record.Change) bool {
	shapes := c.Version.Shape.Table == d.Version.Shape.Table && slices.Equal(c.Version.Shape.Fields, d.Version.Shape.Fields)
	v, w := c.Version, d.Version
	v.Shape, w.Shape = nil, nil
	return shapes && c.Op == d.Op && bytes.Equal(c.Key, d.Key) && slices.Equal(c.Context, d.Context) && sameVersion(&v, &w)
}

func TestCommitRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := someHeader()
		h.Stamp = genStamp().Draw(rt, "stamp")
		changes := rapid.SliceOfN(genChange(h.Dot, h.Stamp), 0, 12).Draw(rt, "changes")
		c := build(t, h, changes)
		if err := c.verify(); err != nil {
			rt.Fatal(err)
		}
		got := c.changes(t)
		if len(got) != len(changes) || c.header.Changes != uint64(len(changes)) {
			rt.Fatalf("%d changes came back as %d", len(changes), len(got))
		}
		for i := range got {
			if !sameChange(&got[i], &changes[i]) {
				rt.Fatalf("got %+v, want %+v", got[i], changes[i])
			}
		}
		for _, d := range c.header.Deps {
			if d.Origin == h.Dot.Origin {
				rt.Fatalf("deps name the own origin: %v", c.header.Deps)
			}
		}
		if again := build(t, h, got); again.hash != c.hash || !slices.EqualFunc(again.segments, c.segments, bytes.Equal) {
			rt.Fatal("what was read is other bytes when written")
		}
		if back, err := record.DecodeHeader(record.AppendHeader(nil, &c.header)); err != nil || fmt.Sprint(back) != fmt.Sprint(c.header) {
			rt.Fatalf("header came back as %+v, %v, want %+v", back, err, c.header)
		}
	})
}

func TestSegmentsAreDeterministicCBOR(t *testing.T) {
	enc, dec := oracle(t)
	rapid.Check(t, func(rt *rapid.T) {
		h := someHeader()
		c := build(t, h, rapid.SliceOfN(genChange(h.Dot, h.Stamp), 1, 5).Draw(rt, "changes"))
		for _, b := range append(c.segments, record.AppendHeader(nil, &c.header)) {
			var back any
			if err := dec.Unmarshal(b, &back); err != nil {
				rt.Fatalf("oracle refuses %x: %v", b, err)
			}
			if again, err := enc.Marshal(back); err != nil || !bytes.Equal(again, b) {
				rt.Fatalf("oracle writes %x for %x", again, b)
			}
		}
		var outline struct {
			_       struct{} `cbor:",toarray"`
			Origins []byte
			Groups  []any
			Changes [][]byte
		}
		if err := dec.Unmarshal(c.segments[0], &outline); err != nil {
			rt.Fatal(err)
		}
		for _, change := range outline.Changes {
			var parts []cbor.RawMessage
			if err := dec.Unmarshal(change, &parts); err != nil {
				rt.Fatalf("change %x: %v", change, err)
			}
		}
	})
}

// manyChanges fill several segments.
func manyChanges(n, size int) []record.Change {
	changes := make([]record.Change, n)
	for i := range changes {
		c := &changes[i]
		shape := someShapes[i%2]
		values := make([]record.Value, len(shape.Fields))
		values[0] = record.BytesValue(bytes.Repeat([]byte{byte(i)}, size))
		k, _ := record.AppendKeyValue(nil, record.IntValue(int64(i)), record.Binary)
		*c = record.Change{Key: k, Context: []causal.Dot{dot(byte(2+i%5), uint64(i+1))}}
		c.Version = record.Version{Dot: dot(1, 200), Birth: dot(byte(2+i%3), 1), Shape: shape, Image: image(values...)}
		c.Version.Stamp = 1 << 56
	}
	return changes
}

func TestCommitOfManySegments(t *testing.T) {
	changes := manyChanges(500, 10_000)
	c := build(t, someHeader(), changes)
	if len(c.segments) != 5 || c.header.Segments != 5 {
		t.Fatalf("%d segments", len(c.segments))
	}
	if err := c.verify(); err != nil {
		t.Fatal(err)
	}
	got := c.changes(t)
	for i := range changes {
		if !sameChange(&got[i], &changes[i]) {
			t.Fatalf("change %d differs", i)
		}
	}
	want := []causal.Dot{dot(2, 496), dot(3, 497), dot(4, 498), dot(5, 499), dot(6, 500)}
	if !slices.Equal(c.header.Deps, want) {
		t.Errorf("deps are %v, want %v", c.header.Deps, want)
	}
	if got[0].Version.Shape != got[400].Version.Shape {
		t.Error("equal groups of two segments got two shapes")
	}
}
