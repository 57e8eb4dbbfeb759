package record_test

import (
	"errors"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

func TestLongImageIsChunked(t *testing.T) {
	changes := manyChanges(3, 10)
	long := &changes[1]
	long.Version.Shape = someShapes[0]
	v := record.BytesValue(bigZeros[:record.ChunkSize])
	long.Version.Image = image(v, v, v)
	c := build(t, someHeader(), changes)
	if len(c.segments) != 1 || len(c.segments[0]) > 1000 || len(c.chunks) < 2 {
		t.Fatalf("%d segments, %d chunks", len(c.segments), len(c.chunks))
	}
	if err := c.verify(); err != nil {
		t.Fatal(err)
	}
	got := c.changes(t)
	for i := range got {
		if !sameChange(&got[i], &changes[i]) {
			t.Errorf("change %d differs", i)
		}
	}

	r, err := record.ReadSegment(c.segments[0], &c.header)
	if err != nil {
		t.Fatal(err)
	}
	var change record.Change
	for i := range 3 {
		if more, err := r.Next(&change); !more || err != nil {
			t.Fatal(err)
		}
		info, ok := r.Chunked()
		if ok != (i == 1) || ok && info.Size != int64(len(long.Version.Image)) || ok != (change.Version.Image == nil) {
			t.Errorf("change %d: %+v, %v", i, info, ok)
		}
	}

	for name, tt := range map[string]struct {
		chunk func(causal.Hash) ([]byte, error)
		want  error
	}{
		"another chunk": {func(causal.Hash) ([]byte, error) { return []byte("x"), nil }, record.ErrHash},
		"no chunk":      {func(causal.Hash) ([]byte, error) { return nil, errors.ErrUnsupported }, errors.ErrUnsupported},
	} {
		r := record.SegmentReader{Chunks: tt.chunk}
		if err := r.Reset(c.segments[0], &c.header); err != nil {
			t.Fatal(err)
		}
		_, err := r.Next(&change)
		if _, err2 := r.Next(&change); err != nil || !errors.Is(err2, tt.want) {
			t.Errorf("%s: got %v, %v, want %v", name, err, err2, tt.want)
		}
	}
}

func TestChunkedExactlyWhenTooLong(t *testing.T) {
	const bound = record.SegmentSize - 1<<16
	for size := bound - 60; size < bound; size++ {
		c := build(t, someHeader(), manyChanges(1, size))
		if err := c.verify(); err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		r, _ := record.ReadSegment(c.segments[0], &c.header)
		var change record.Change
		if _, err := r.Next(&change); err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		_, chunked := r.Chunked()
		if inline := len(c.segments[0]) > 1000; inline == chunked {
			t.Fatalf("%d bytes: segment of %d, chunked %v", size, len(c.segments[0]), chunked)
		}
	}
}

func TestBuilderRefuses(t *testing.T) {
	good := manyChanges(1, 10)[0]
	h := someHeader()
	b := record.NewBuilder(h, func(int, []byte) error { return nil })
	for name, tt := range map[string]struct {
		change func(c *record.Change)
		want   error
	}{
		"op":       {func(c *record.Change) { c.Op = 3 }, record.ErrChange},
		"no key":   {func(c *record.Change) { c.Key = nil }, record.ErrChange},
		"long key": {func(c *record.Change) { c.Key = make(record.Key, record.MaxKeySize+1) }, record.ErrChange},
		"fields order": {func(c *record.Change) {
			c.Version.Shape = &record.Shape{Table: "t", Fields: []string{"b", "a"}}
			c.Version.Image = image(record.IntValue(1), record.IntValue(2))
		}, record.ErrChange},
		"no shape":         {func(c *record.Change) { c.Version.Shape = nil }, record.ErrChange},
		"context order":    {func(c *record.Change) { c.Context = []causal.Dot{dot(3, 1), dot(2, 1)} }, record.ErrChange},
		"context twice":    {func(c *record.Change) { c.Context = []causal.Dot{dot(3, 1), dot(3, 1)} }, record.ErrChange},
		"context zero":     {func(c *record.Change) { c.Context = []causal.Dot{dot(3, 0)} }, record.ErrChange},
		"context of own":   {func(c *record.Change) { c.Context = []causal.Dot{h.Dot} }, record.ErrChange},
		"no birth":         {func(c *record.Change) { c.Version.Birth = causal.Dot{} }, record.ErrChange},
		"birth to come":    {func(c *record.Change) { c.Version.Birth = dot(1, 201) }, record.ErrChange},
		"other length":     {func(c *record.Change) { c.Version.Image = image() }, record.ErrChange},
		"no image":         {func(c *record.Change) { c.Version.Image = nil }, record.ErrChange},
		"fields":           {func(c *record.Change) { c.Version.Fields = make([]record.FieldStamp, 1) }, record.ErrChange},
		"seen order":       {func(c *record.Change) { c.Version.Seen = make([]record.Seen, 2) }, record.ErrChange},
		"endless context":  {func(c *record.Change) { c.Context = manyDots(400_000) }, record.ErrTooLarge},
		"image, no chunks": {func(c *record.Change) { *c = manyChanges(1, record.ChunkSize)[0] }, record.ErrTooLarge},
	} {
		c := good
		tt.change(&c)
		if err := b.Add(&c); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	if err := b.Add(&good); err != nil {
		t.Fatal(err)
	}
	_, got, err := b.Finish()
	if want := build(t, h, []record.Change{good}); err != nil || got != want.hash {
		t.Errorf("refused changes left a trace, %v", err)
	}
}

func manyDots(n int) []causal.Dot {
	dots := make([]causal.Dot, n)
	for i := range dots {
		dots[i] = dot(3, uint64(i+1))
	}
	return dots
}

func TestBuilderErrorsStick(t *testing.T) {
	full := errors.New("disk full")
	b := record.NewBuilder(someHeader(), func(int, []byte) error { return full })
	changes := manyChanges(300, 10_000)
	var err error
	for i := range changes {
		if err = b.Add(&changes[i]); err != nil {
			break
		}
	}
	_, _, finish := b.Finish()
	if !errors.Is(err, full) || !errors.Is(b.Add(&changes[0]), full) || !errors.Is(finish, full) {
		t.Errorf("got %v, then %v", err, finish)
	}
	b.Reset(someHeader(), func(int, []byte) error { return nil })
	b.Chunks = func(causal.Hash, []byte) error { return full }
	if err := b.Add(&manyChanges(1, record.ChunkSize)[0]); !errors.Is(err, full) || !errors.Is(b.Add(&changes[0]), full) {
		t.Errorf("got %v", err)
	}
}

func TestBuilderReset(t *testing.T) {
	b := record.NewBuilder(someHeader(), func(int, []byte) error { return nil })
	var first causal.Hash
	for range 2 {
		for _, c := range manyChanges(300, 10_000) {
			if err := b.Add(&c); err != nil {
				t.Fatal(err)
			}
		}
		_, h, err := b.Finish()
		if err != nil || first != (causal.Hash{}) && first != h {
			t.Fatalf("%x, then %x, %v", first, h, err)
		}
		first = h
		b.Reset(someHeader(), func(int, []byte) error { return nil })
	}
}
