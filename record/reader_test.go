package record_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/syncline-io/syncline/record"
)

// Each segment here is one rule away from the good one.
func TestReadSegmentRefuses(t *testing.T) {
	enc, _ := oracle(t)
	encode := func(parts ...any) []byte { return must[[]byte](t)(enc.Marshal(parts)) }
	h := someHeader()
	o2, o3 := origin(2).Append(nil), origin(3).Append(nil)
	both := slices.Concat(o2, o3)
	table := func(name string, fields ...any) any { return []any{name, append([]any{}, fields...)} }
	groups := []any{table("t", "a")}
	im := []any{1}
	keyBytes := []byte(key(t, record.IntValue(1)))
	change := func(parts ...any) []byte { return encode(parts...) }
	put := change(0, 0, keyBytes, []any{1, 5}, im)
	all := func(c ...[]byte) any {
		out := make([]any, len(c))
		for i := range c {
			out[i] = c[i]
		}
		return out
	}
	leaf := make([]byte, 32)

	good := map[string][]byte{
		"put":       encode(o2, groups, all(put)),
		"all bits":  encode(both, groups, all(change(0x7c, 0, keyBytes, []any{1, 5}, []any{2, 3}, []any{[]any{1, 9}, []any{1}}, []any{1, 9}, im))),
		"delete":    encode([]byte{}, groups, all(change(1, 0, keyBytes, []any{}))),
		"bury":      encode([]byte{}, groups, all(change(2, 0, keyBytes, []any{}))),
		"left out":  encode(o2, []any{nil, table("t", "a")}, []any{[]any{leaf}, change(0, 1, keyBytes, []any{1, 5}, im)}),
		"only hash": must[[]byte](t)(enc.Marshal(leaf)),
	}
	for name, seg := range good {
		if _, _, err := readAll(seg, &h); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := record.SegmentHash(seg); err != nil {
			t.Errorf("%s: hash: %v", name, err)
		}
	}

	bad := map[string][]byte{
		"nothing":             {},
		"no parts":            encode(),
		"two parts":           encode(o2, groups),
		"no changes":          encode([]byte{}, []any{}, all()),
		"tail":                append(bytes.Clone(good["put"]), 0),
		"too long":            encode(o2, groups, all(put, make([]byte, record.SegmentSize))),
		"cut origin":          encode(o2[:19], groups, all(put)),
		"own origin":          encode(slices.Concat(origin(1).Append(nil), o2), groups, all(put)),
		"origin twice":        encode(slices.Concat(o2, o2), groups, all(put)),
		"origin not named":    encode(both, groups, all(put)),
		"origins out of turn": encode(both, groups, all(change(0, 0, keyBytes, []any{2, 5, 1, 5}, im))),
		"origin unknown":      encode([]byte{}, groups, all(put)),
		"group twice":         encode(o2, []any{table("t", "a"), table("t", "a")}, all(put, change(0, 1, keyBytes, []any{}, im))),
		"group not named":     encode(o2, []any{table("t", "a"), table("u", "a")}, all(put)),
		"groups out of turn":  encode([]byte{}, []any{table("t", "a"), table("u", "a")}, all(change(0, 1, keyBytes, []any{}, im), change(0, 0, keyBytes, []any{}, im))),
		"group unknown":       encode(o2, []any{}, all(put)),
		"group left out":      encode(o2, []any{nil}, all(put)),
		"fields out of order": encode(o2, []any{table("t", "b", "a")}, all(put)),
		"field twice":         encode(o2, []any{table("t", "a", "A")}, all(put)),
		"table without name":  encode(o2, []any{table("", "a")}, all(put)),
		"group of three":      encode(o2, []any{[]any{"t", []any{"a"}, 1}}, all(put)),
		"empty run":           encode(o2, groups, []any{[]any{[]byte{}}, put}),
		"odd run":             encode(o2, groups, []any{[]any{leaf[:31]}, put}),
		"two runs in a row":   encode(o2, groups, []any{[]any{leaf}, []any{leaf}, put}),
		"run of two":          encode(o2, groups, []any{[]any{leaf, leaf}, put}),
		"item of text":        encode(o2, groups, []any{"x"}),
		"op 3":                encode(o2, groups, all(change(3, 0, keyBytes, []any{1, 5}))),
		"head above 8 bits":   encode(o2, groups, all(change(256, 0, keyBytes, []any{1, 5}, im))),
		"no key":              encode(o2, groups, all(change(0, 0, []byte{}, []any{1, 5}, im))),
		"odd context":         encode(o2, groups, all(change(0, 0, keyBytes, []any{1}, im))),
		"context of 0":        encode(o2, groups, all(change(0, 0, keyBytes, []any{1, 0}, im))),
		"context twice":       encode(o2, groups, all(change(0, 0, keyBytes, []any{1, 5, 1, 5}, im))),
		"context of own":      encode([]byte{}, groups, all(change(0, 0, keyBytes, []any{0, 200}, im))),
		"parts missing":       encode(o2, groups, all(change(0, 0, keyBytes, []any{1, 5}))),
		"part too many":       encode(o2, groups, all(change(0, 0, keyBytes, []any{1, 5}, im, im))),
		"image of two":        encode(o2, groups, all(change(0, 0, keyBytes, []any{1, 5}, []any{1, 2}))),
		"delete with image":   encode(o2, groups, all(change(1, 0, keyBytes, []any{1, 5}, im))),
		"delete with birth":   encode(o2, groups, all(change(0x11, 0, keyBytes, []any{}, []any{1, 5}))),
		"bury with fields":    encode(o2, groups, all(change(0x22, 0, keyBytes, []any{}, []any{[]any{1, 9}, []any{1}}))),
		"bury with a tail":    encode([]byte{}, groups, all(append(change(2, 0, keyBytes, []any{}), 0))),
		"birth is own dot":    encode([]byte{}, groups, all(change(0x10, 0, keyBytes, []any{}, []any{0, 200}, im))),
		"birth to come":       encode([]byte{}, groups, all(change(0x10, 0, keyBytes, []any{}, []any{0, 201}, im))),
		"birth of 0":          encode(o2, groups, all(change(0x10, 0, keyBytes, []any{}, []any{1, 0}, im))),
		"birth of three":      encode(o2, groups, all(change(0x10, 0, keyBytes, []any{}, []any{1, 5, 5}, im))),
		"fields all own":      encode(o2, groups, all(change(0x20, 0, keyBytes, []any{1, 5}, []any{[]any{}, []any{0}}, im))),
		"write not named":     encode(o2, groups, all(change(0x20, 0, keyBytes, []any{}, []any{[]any{1, 9}, []any{0}}, im))),
		"write twice":         encode(o2, []any{table("t", "a", "b")}, all(change(0x20, 0, keyBytes, []any{}, []any{[]any{1, 9, 1, 9}, []any{1, 2}}, []any{1, 2}))),
		"write is own":        encode([]byte{}, groups, all(change(0x20, 0, keyBytes, []any{}, []any{[]any{0, 1 << 56}, []any{1}}, im))),
		"places missing":      encode(o2, groups, all(change(0x20, 0, keyBytes, []any{}, []any{[]any{1, 9}, []any{}}, im))),
		"place unknown":       encode(o2, groups, all(change(0x20, 0, keyBytes, []any{}, []any{[]any{1, 9}, []any{2}}, im))),
		"seen nobody":         encode([]byte{}, groups, all(change(0x40, 0, keyBytes, []any{}, []any{}, im))),
		"seen twice":          encode(o2, groups, all(change(0x40, 0, keyBytes, []any{}, []any{1, 9, 1, 9}, im))),
		"chunked and short":   encode([]byte{}, groups, all(change(0x80, 0, keyBytes, []any{}, []any{100, leaf}))),
		"chunked, one hash":   encode([]byte{}, groups, all(change(0x80, 0, keyBytes, []any{}, []any{2 << 20, leaf}))),
	}
	for name, seg := range bad {
		if all, _, err := readAll(seg, &h); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("%s: got %d changes, %v, want ErrCorrupt", name, len(all), err)
		}
		_, _ = record.SegmentHash(seg)
		_, _ = record.TrimSegment(seg, func(string, record.Key) bool { return false })
	}
}
