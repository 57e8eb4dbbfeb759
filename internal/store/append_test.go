package store_test

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/internal/store"
	"github.com/syncline-io/syncline/record"
)

// TestAppendKeepsTheChain tries what must not follow the first commit of an origin.
func TestAppendKeepsTheChain(t *testing.T) {
	first := build(t, causal.Head{Origin: origin(1)}, nil, version(t, dot(1, 1), "t", 1, "one"))
	other := build(t, causal.Head{Origin: origin(1)}, nil, version(t, dot(1, 1), "t", 1, "other"))
	second := build(t, first.head(), nil, version(t, dot(1, 2), "t", 1, "two"))
	third := build(t, second.head(), nil)
	forked := build(t, other.head(), nil, version(t, dot(1, 2), "t", 1, "two"))
	h := first.head()
	skip := func(from, to causal.Vector) record.Entry {
		return record.Entry{Kind: record.EntrySkip, From: from, To: to}
	}
	cases := []struct {
		name   string
		entry  record.Entry
		commit *commit // whose segments are staged, nil for none
		want   error
	}{
		{"next", second.entry, &second, nil},
		{"next without its segments", second.entry, nil, store.ErrStage},
		{"the same again", first.entry, nil, causal.ErrGap},
		{"known dot with another hash", other.entry, nil, causal.ErrFork},
		{"one too far", third.entry, nil, causal.ErrGap},
		{"next of another first", forked.entry, &forked, causal.ErrFork},
		{"skip from here", skip(causal.Vector{h}, causal.Vector{{Origin: h.Origin, Seq: 4, Hash: causal.Hash{4}}}), nil, nil},
		{"skip from nowhere", skip(nil, causal.Vector{{Origin: h.Origin, Seq: 4, Hash: causal.Hash{4}}}), nil, causal.ErrGap},
		{
			"skip from a fork",
			skip(causal.Vector{other.head()}, causal.Vector{{Origin: h.Origin, Seq: 4, Hash: causal.Hash{4}}}), nil, causal.ErrFork,
		},
		{"advance behind", record.Entry{Kind: record.EntryAdvance, To: causal.Vector{{Origin: origin(2), Seq: 1}}}, nil, causal.ErrGap},
		{"advance to a fork", record.Entry{Kind: record.EntryAdvance, To: causal.Vector{other.head()}}, nil, causal.ErrFork},
		{"advance", record.Entry{Kind: record.EntryAdvance, To: causal.Vector{{Origin: h.Origin, Seq: 2}}}, nil, nil},
		{"no entry", record.Entry{Kind: record.EntryFence}, nil, record.ErrEntry},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := openMem(t, vfs.NewMem())
			st := stage(t, s, &first)
			b := s.Batch()
			must2(t)(b.Append(&first.entry, st))
			must(t, b.Commit(true))

			b = s.Batch()
			defer b.Close()
			var next *store.Stage
			if c.commit != nil {
				next = stage(t, s, c.commit)
				defer next.Abort()
			}
			before := b.Vector()
			at, err := b.Append(&c.entry, next)
			if !errors.Is(err, c.want) || (c.want == nil && (err != nil || at != 1)) {
				t.Fatalf("appended at %d, %v; want %v", at, err, c.want)
			}
			if c.want != nil {
				if after := b.Vector(); !after.Contains(before) || !before.Contains(after) {
					t.Errorf("a refused entry moved the vector from %v to %v", before, after)
				}
			}
			must(t, b.Commit(true))
			v := s.View()
			defer v.Close()
			want := store.Offset(1)
			if c.want == nil {
				want = 2
			}
			if _, end := v.Position(); end != want {
				t.Errorf("log ends at %d, want %d", end, want)
			}
		})
	}
}

func TestStageHasOnePlace(t *testing.T) {
	s := openMem(t, vfs.NewMem())
	c := build(t, causal.Head{Origin: origin(1)}, nil, version(t, dot(1, 1), "t", 1, "one"))
	st := s.Stage(c.header.Dot)
	if err := s.Stage(c.header.Dot).Segment(0, c.segments[0]); !errors.Is(err, store.ErrStage) {
		t.Errorf("second stage: %v, want ErrStage", err)
	}
	if err := st.Segment(1, c.segments[0]); !errors.Is(err, store.ErrStage) {
		t.Errorf("second segment first: %v, want ErrStage", err)
	}
	must(t, st.Abort())
	st = stage(t, s, &c)
	b := s.Batch()
	must2(t)(b.Append(&c.entry, st))
	must(t, b.Close()) // discarded: the stage can be taken again
	b = s.Batch()
	must2(t)(b.Append(&c.entry, st))
	must(t, b.Commit(true))
	must(t, st.Abort())
	if err := s.Stage(c.header.Dot).Segment(0, c.segments[0]); !errors.Is(err, store.ErrStage) {
		t.Errorf("stage of a known dot: %v, want ErrStage", err)
	}
	if _, err := dumpStore(s); err != nil {
		t.Error(err)
	}
}

func TestTruncateKeepsGroups(t *testing.T) {
	s := openMem(t, vfs.NewMem())
	imported := record.Entry{
		Kind: record.EntryImport, Table: "t", Key: key(t, 1),
		Versions: []record.Version{version(t, dot(2, 1), "t", 1, "x")},
	}
	b := s.Batch()
	for _, e := range []record.Entry{
		{Kind: record.EntryFence, Origin: origin(1)},
		imported, imported,
		{Kind: record.EntryAdvance, To: causal.Vector{{Origin: origin(2), Seq: 1}}},
		{Kind: record.EntryFence, Origin: origin(1)},
	} {
		must2(t)(b.Append(&e, nil))
	}
	must(t, b.Commit(true))
	for _, c := range []struct{ to, floor store.Offset }{{0, 0}, {1, 1}, {2, 1}, {3, 1}, {4, 4}, {2, 4}, {5, 5}} {
		b := s.Batch()
		must(t, b.Truncate(c.to))
		must(t, b.Commit(true))
		v := s.View()
		if got := v.Floor(); got != c.floor {
			t.Errorf("truncated to %d: floor %d, want %d", c.to, got, c.floor)
		}
		log := v.Log(c.floor)
		for log.Next() {
		}
		must(t, log.Err())
		must(t, log.Close())
		if c.floor > 0 {
			if log := v.Log(c.floor - 1); log.Next() || !errors.Is(log.Err(), store.ErrPosition) {
				t.Errorf("below the floor: %v, want ErrPosition", log.Err())
			}
		}
		must(t, v.Close())
	}
	b = s.Batch()
	defer b.Close()
	if err := b.Truncate(6); !errors.Is(err, store.ErrPosition) {
		t.Errorf("beyond the end: %v, want ErrPosition", err)
	}
}
