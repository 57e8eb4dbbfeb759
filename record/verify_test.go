package record_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

func TestTrimmedCommitVerifies(t *testing.T) {
	c := build(t, someHeader(), manyChanges(500, 10_000))
	for name, keep := range map[string]func(i int64) bool{
		"one":         func(i int64) bool { return i == 250 },
		"odd":         func(i int64) bool { return i%2 == 1 },
		"from middle": func(i int64) bool { return i > 250 },
		"none":        func(int64) bool { return false },
		"all":         func(int64) bool { return true },
	} {
		trimmed := c
		trimmed.segments = nil
		want := 0
		for _, s := range c.segments {
			seg, err := record.TrimSegment(s, func(table string, k record.Key) bool {
				vs, err := k.Values()
				if err != nil || table != "t" {
					t.Fatalf("asked about %q, %v", table, err)
				}
				if keep(vs[0].Int()) {
					want++
					return true
				}
				return false
			})
			if err != nil {
				t.Fatal(err)
			}
			if h1, h2 := must[causal.Hash](t)(record.SegmentHash(s)), must[causal.Hash](t)(record.SegmentHash(seg)); h1 != h2 {
				t.Fatalf("%s: trimming changes the hash", name)
			}
			again, err := record.TrimSegment(seg, func(string, record.Key) bool { return true })
			if err != nil || !bytes.Equal(again, seg) {
				t.Fatalf("%s: keeping all of a trimmed segment changes it, %v", name, err)
			}
			trimmed.segments = append(trimmed.segments, seg)
		}
		if err := trimmed.verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := trimmed.changes(t); len(got) != want {
			t.Errorf("%s: %d changes, want %d", name, len(got), want)
		}
	}
}

func TestTrimmedTwiceIsTrimmedOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := someHeader()
		c := build(t, h, rapid.SliceOfN(genChange(h.Dot, h.Stamp), 1, 12).Draw(rt, "changes"))
		n := rapid.Uint32().Draw(rt, "first")
		m := rapid.Uint32().Draw(rt, "second")
		keep := func(bits uint32) func(string, record.Key) bool {
			return func(table string, k record.Key) bool { return bits>>(sum(k)%32)&1 == 1 }
		}
		for _, s := range c.segments {
			once := must[[]byte](t)(record.TrimSegment(s, keep(n&m)))
			twice := must[[]byte](t)(record.TrimSegment(must[[]byte](t)(record.TrimSegment(s, keep(n))), keep(m)))
			if !bytes.Equal(once, twice) {
				rt.Fatalf("once %x, twice %x", once, twice)
			}
		}
	})
}

func sum(b []byte) (s uint32) {
	for _, c := range b {
		s = s*31 + uint32(c)
	}
	return s
}

func TestTrimmingHidesTables(t *testing.T) {
	changes := manyChanges(4, 10)
	for i := range changes {
		changes[i].Version.Shape = &record.Shape{Table: fmt.Sprintf("secret%d", i%2), Fields: changes[i].Version.Shape.Fields}
		if i%2 == 0 {
			changes[i].Version.Image = image(record.NullValue(), record.NullValue(), record.NullValue())
		}
	}
	c := build(t, someHeader(), changes)
	seg := must[[]byte](t)(record.TrimSegment(c.segments[0], func(table string, _ record.Key) bool { return table == "secret1" }))
	if bytes.Contains(seg, []byte("secret0")) || !bytes.Contains(seg, []byte("secret1")) {
		t.Errorf("trimmed segment: %q", seg)
	}
}

// Every changed bit of a commit is noticed, in whole and in trimmed segments.
func TestTamperedByteFails(t *testing.T) {
	c := build(t, someHeader(), manyChanges(9, 10))
	trimmed := must[[]byte](t)(record.TrimSegment(c.segments[0], func(_ string, k record.Key) bool { return k[len(k)-1]&2 == 0 }))
	for name, seg := range map[string][]byte{"whole": c.segments[0], "trimmed": trimmed} {
		for i := range seg {
			for bit := range 8 {
				bad := bytes.Clone(seg)
				bad[i] ^= 1 << bit
				d := c
				d.segments = [][]byte{bad}
				if err := d.verify(); !errors.Is(err, record.ErrHash) && !errors.Is(err, record.ErrCorrupt) {
					t.Fatalf("%s segment, bit %d of byte %d: got %v", name, bit, i, err)
				}
			}
		}
	}
	header := record.AppendHeader(nil, &c.header)
	for i := range header {
		bad := bytes.Clone(header)
		bad[i] ^= 1
		h, err := record.DecodeHeader(bad)
		if err != nil {
			continue
		}
		if err := record.VerifyCommit(&h, c.hash, c.all()); !errors.Is(err, record.ErrHash) {
			t.Fatalf("byte %d of the header: got %v", i, err)
		}
	}
}

func TestVerifyCommitRefuses(t *testing.T) {
	c := build(t, someHeader(), manyChanges(300, 10_000))
	disk := errors.New("disk")
	for name, tt := range map[string]struct {
		change func(c *built)
		want   error
	}{
		"missing":   {func(c *built) { c.segments = c.segments[:2] }, record.ErrCorrupt},
		"swapped":   {func(c *built) { c.segments[0], c.segments[1] = c.segments[1], c.segments[0] }, record.ErrHash},
		"twice":     {func(c *built) { c.segments = append(c.segments, c.segments[0]) }, record.ErrCorrupt},
		"empty":     {func(c *built) { c.segments[1] = nil }, record.ErrCorrupt},
		"hash":      {func(c *built) { c.hash[0]++ }, record.ErrHash},
		"count":     {func(c *built) { c.header.Changes++; c.rehash() }, record.ErrCorrupt},
		"deps":      {func(c *built) { c.header.Deps = c.header.Deps[1:]; c.rehash() }, record.ErrCorrupt},
		"old dep":   {func(c *built) { c.header.Deps[0].Seq--; c.rehash() }, record.ErrCorrupt},
		"other own": {func(c *built) { c.header.Dot.Origin = origin(6); c.rehash() }, record.ErrCorrupt},
	} {
		d := c
		d.segments = slices.Clone(c.segments)
		d.header.Deps = slices.Clone(c.header.Deps)
		tt.change(&d)
		if err := d.verify(); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	err := record.VerifyCommit(&c.header, c.hash, func(yield func([]byte, error) bool) { yield(nil, disk) })
	if !errors.Is(err, disk) {
		t.Errorf("error of the iterator: got %v", err)
	}
}

func (c *built) rehash() { c.hash = record.HeaderHash(record.AppendHeader(nil, &c.header)) }
