package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/internal/store"
	"github.com/syncline-io/syncline/record"
)

func TestCommitIsReadBackAfterReopen(t *testing.T) {
	fs := vfs.NewMem()
	s := openMem(t, fs)
	v := version(t, dot(1, 1), "orders", 7, "seven")
	c := build(t, causal.Head{Origin: origin(1)}, nil, v)
	st := stage(t, s, &c)

	b := s.Batch()
	at, err := b.Append(&c.entry, st)
	must(t, err)
	if at != 0 {
		t.Errorf("first entry at %d, want 0", at)
	}
	must(t, b.Record("orders", key(t, 7), 0, []record.Version{v}))
	must(t, b.SideSet("a", "orders", key(t, 7), []byte("shadow"), nil))
	must(t, b.SetMeta("cursor", []byte("12")))
	must(t, b.Commit(true))
	must(t, s.Close())

	s = openMem(t, fs)
	view := s.View()
	defer view.Close()
	if got := view.Vector(); len(got) != 1 || got[0] != c.head() {
		t.Errorf("vector %v, want %v", got, c.head())
	}
	vs, err := view.Get("orders", key(t, 7), nil)
	must(t, err)
	if len(vs) != 1 || string(vs[0].Image) != string(v.Image) || vs[0].Dot != v.Dot || !vs[0].Shape.Equal(v.Shape) {
		t.Errorf("record %v, want %v", vs, v)
	}
	if side, ok, err := view.SideGet("a", "orders", key(t, 7)); err != nil || !ok || string(side) != "shadow" {
		t.Errorf("side row %q, %v, %v", side, ok, err)
	}
	if m, ok, err := view.Meta("cursor"); err != nil || !ok || string(m) != "12" {
		t.Errorf("meta %q, %v, %v", m, ok, err)
	}
	entries := view.Log(0)
	defer entries.Close()
	n := 0
	for entries.Next() {
		n++
		if err := record.VerifyCommit(&c.header, entries.Entry().Hash, entries.Segments()); err != nil {
			t.Error(err)
		}
	}
	if err := entries.Err(); err != nil || n != 1 {
		t.Errorf("%d entries, %v", n, err)
	}
	must(t, s.Scrub(context.Background(), func(problem error) error { return problem }))
}

func TestOpenReadOnlyNeedsAStore(t *testing.T) {
	_, err := store.Open("db", store.Options{FS: vfs.NewMem(), ReadOnly: true})
	if !errors.Is(err, store.ErrNotExist) {
		t.Fatalf("got %v, want ErrNotExist", err)
	}
}
