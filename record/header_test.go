package record_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

func TestEmptyCommit(t *testing.T) {
	h := someHeader()
	h.Deps = []causal.Dot{dot(3, 4), dot(2, 1), dot(1, 5)}
	c := build(t, h, nil)
	if err := c.verify(); err != nil || c.header.Segments != 0 {
		t.Errorf("%+v, %v", c.header, err)
	}
	if want := []causal.Dot{dot(2, 1), dot(3, 4)}; !slices.Equal(c.header.Deps, want) {
		t.Errorf("deps are %v, want %v", c.header.Deps, want)
	}
}

func TestFinishRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(h *record.Header)
		want   error
	}{
		"seq 0":           {func(h *record.Header) { h.Dot.Seq = 0 }, record.ErrChange},
		"first with prev": {func(h *record.Header) { h.Dot.Seq = 1 }, record.ErrChange},
		"no prev":         {func(h *record.Header) { h.Prev = causal.Hash{} }, record.ErrChange},
		"meta":            {func(h *record.Header) { h.Meta = make([]byte, record.MaxMeta+1) }, record.ErrTooLarge},
	} {
		h := someHeader()
		tt.change(&h)
		if _, _, err := record.NewBuilder(h, nil).Finish(); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

func TestDecodeHeaderRefuses(t *testing.T) {
	c := build(t, someHeader(), manyChanges(3, 10))
	good := record.AppendHeader(nil, &c.header)
	for n := range good {
		if _, err := record.DecodeHeader(good[:n]); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("cut at %d: got %v", n, err)
		}
	}
	for name, tt := range map[string]struct {
		change func(h *record.Header)
		want   error
	}{
		"seq 0":             {func(h *record.Header) { h.Dot.Seq = 0 }, record.ErrCorrupt},
		"first with prev":   {func(h *record.Header) { h.Dot.Seq = 1 }, record.ErrCorrupt},
		"no prev":           {func(h *record.Header) { h.Prev = causal.Hash{} }, record.ErrCorrupt},
		"deps order":        {func(h *record.Header) { slices.Reverse(h.Deps) }, record.ErrCorrupt},
		"dep of own":        {func(h *record.Header) { h.Deps[0] = dot(1, 1) }, record.ErrCorrupt},
		"dep of 0":          {func(h *record.Header) { h.Deps[0].Seq = 0 }, record.ErrCorrupt},
		"meta":              {func(h *record.Header) { h.Meta = make([]byte, record.MaxMeta+1) }, record.ErrCorrupt},
		"empty segment":     {func(h *record.Header) { h.Segments = 9 }, record.ErrCorrupt},
		"nothing somewhere": {func(h *record.Header) { h.Segments = 0 }, record.ErrCorrupt},
	} {
		h := c.header
		h.Deps = slices.Clone(h.Deps)
		tt.change(&h)
		if _, err := record.DecodeHeader(record.AppendHeader(nil, &h)); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	newer := bytes.Clone(good)
	newer[1] = 2
	if _, err := record.DecodeHeader(newer); !errors.Is(err, record.ErrFormat) {
		t.Errorf("newer format: got %v", err)
	}
	if _, err := record.DecodeHeader(append(good, 0)); !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("tail: got %v", err)
	}
}
