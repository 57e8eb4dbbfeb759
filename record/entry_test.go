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

func genVector() *rapid.Generator[causal.Vector] {
	return rapid.Custom(func(t *rapid.T) (v causal.Vector) {
		for n := range byte(4) {
			if rapid.Bool().Draw(t, "known") {
				v = append(v, causal.Head{Origin: origin(n + 1), Seq: rapid.Uint64Range(1, 500).Draw(t, "seq"), Hash: hash(rapid.Uint64().Draw(t, "hash"))})
			}
		}
		return v
	})
}

func genEntry(tb testing.TB) *rapid.Generator[record.Entry] {
	return rapid.Custom(func(t *rapid.T) record.Entry {
		e := record.Entry{Kind: record.EntryKind(rapid.IntRange(1, 6).Draw(t, "kind"))}
		switch e.Kind {
		case record.EntryCommit:
			h := someHeader()
			h.Stamp = genStamp().Draw(t, "stamp")
			c := build(tb, h, nil)
			e.Header, e.Hash = record.AppendHeader(nil, &c.header), c.hash
		case record.EntryImport:
			e.Table = "t"
			e.Key, _ = record.AppendKeyValue(nil, genKeyable().Draw(t, "key"), record.Binary)
			e.Versions = rapid.SliceOfNDistinct(genVersion(causal.Dot{}, 0).Filter(func(v record.Version) bool {
				return v.Shape == nil || v.Shape.Table == "t"
			}), 1, 3, func(v record.Version) causal.Dot { return v.Dot }).Draw(t, "versions")
			slices.SortFunc(e.Versions, func(v, w record.Version) int { return v.Dot.Compare(w.Dot) })
		case record.EntryAdvance, record.EntrySkip:
			e.From = genVector().Draw(t, "from")
			e.To, _ = e.From.Join(genVector().Draw(t, "to"))
			if !e.To.Contains(e.From) {
				e.To = e.From
			}
		default:
			e.Origin, e.Epoch = genOrigin().Draw(t, "origin"), rapid.Uint64().Draw(t, "epoch")
		}
		return e
	})
}

func TestEntryRoundTrip(t *testing.T) {
	enc, dec := oracle(t)
	rapid.Check(t, func(rt *rapid.T) {
		e := genEntry(t).Draw(rt, "e")
		b, err := record.AppendEntry([]byte{7}, &e)
		if err != nil {
			rt.Fatalf("%+v: %v", e, err)
		}
		b = b[1:]
		back, err := record.DecodeEntry(b)
		if err != nil || len(back.Versions) != len(e.Versions) {
			rt.Fatalf("%x: %v", b, err)
		}
		for i := range e.Versions {
			if !sameVersion(&back.Versions[i], &e.Versions[i]) {
				rt.Fatalf("got %+v, want %+v", back.Versions[i], e.Versions[i])
			}
		}
		back.Versions, e.Versions = nil, nil
		if fmt.Sprint(back) != fmt.Sprint(e) {
			rt.Fatalf("got %+v, want %+v", back, e)
		}
		var plain any
		if err := dec.Unmarshal(b, &plain); err != nil {
			rt.Fatalf("oracle refuses %x: %v", b, err)
		}
		if again, err := enc.Marshal(plain); err != nil || !bytes.Equal(again, b) {
			rt.Fatalf("oracle writes %x for %x", again, b)
		}
	})
}

func someEntries(t testing.TB) []record.Entry {
	c := build(t, someHeader(), manyChanges(2, 3))
	old := causal.Vector{{Origin: origin(1), Seq: 5, Hash: hash(5)}}
	later := causal.Vector{{Origin: origin(1), Seq: 7, Hash: hash(7)}, {Origin: origin(2), Seq: 1, Hash: hash(1)}}
	put := record.Version{
		Dot: dot(2, 9), Stamp: 8, Birth: dot(1, 1), Shape: someShapes[0],
		Image:  image(record.IntValue(7), record.NullValue(), record.TextValue([]byte("x"))),
		Fields: []record.FieldStamp{{Stamp: 8, Origin: origin(2)}, {Stamp: 4, Origin: origin(1)}, {Stamp: 8, Origin: origin(2)}},
		Seen:   []record.Seen{{Origin: origin(1), Stamp: 4}},
	}
	bury := record.Version{Dot: dot(3, 2), Stamp: 9, Birth: dot(1, 1), Flags: record.Bury}
	return []record.Entry{
		{Kind: record.EntryCommit, Header: record.AppendHeader(nil, &c.header), Hash: c.hash},
		{Kind: record.EntryImport, Table: "t", Key: key(t, record.IntValue(7)), Versions: []record.Version{put, bury}},
		{Kind: record.EntryAdvance, From: old, To: later},
		{Kind: record.EntrySkip, From: old, To: later[:1]},
		{Kind: record.EntryFence, Origin: origin(1), Epoch: 3},
		{Kind: record.EntryEpoch, Origin: origin(2), Epoch: 4},
	}
}

func TestAppendEntryRefuses(t *testing.T) {
	some := someEntries(t)
	for name, tt := range map[string]struct {
		kind   record.EntryKind
		change func(e *record.Entry)
	}{
		"kind 0":         {record.EntryFence, func(e *record.Entry) { e.Kind = 0 }},
		"kind 7":         {record.EntryFence, func(e *record.Entry) { e.Kind = 7 }},
		"hash":           {record.EntryCommit, func(e *record.Entry) { e.Hash[0]++ }},
		"no key":         {record.EntryImport, func(e *record.Entry) { e.Key = nil }},
		"no table":       {record.EntryImport, func(e *record.Entry) { e.Table = "" }},
		"no versions":    {record.EntryImport, func(e *record.Entry) { e.Versions = nil }},
		"versions order": {record.EntryImport, func(e *record.Entry) { slices.Reverse(e.Versions) }},
		"other table":    {record.EntryImport, func(e *record.Entry) { e.Table = "u" }},
		"no shape":       {record.EntryImport, func(e *record.Entry) { e.Versions[0].Shape = nil }},
		"fields order": {record.EntryImport, func(e *record.Entry) {
			e.Versions[0].Shape = &record.Shape{Table: "t", Fields: []string{"c", "b", "a"}}
		}},
		"no birth":          {record.EntryImport, func(e *record.Entry) { e.Versions[0].Birth = causal.Dot{} }},
		"no dot":            {record.EntryImport, func(e *record.Entry) { e.Versions[0].Dot = causal.Dot{} }},
		"seen order":        {record.EntryImport, func(e *record.Entry) { e.Versions[0].Seen = make([]record.Seen, 2) }},
		"image length":      {record.EntryImport, func(e *record.Entry) { e.Versions[0].Image = image() }},
		"fields length":     {record.EntryImport, func(e *record.Entry) { e.Versions[0].Fields = e.Versions[0].Fields[:1] }},
		"advance goes back": {record.EntryAdvance, func(e *record.Entry) { e.From, e.To = e.To, e.From }},
		"skip goes back":    {record.EntrySkip, func(e *record.Entry) { e.From, e.To = e.To, e.From }},
		"no origin":         {record.EntryEpoch, func(e *record.Entry) { e.Origin = causal.Origin{} }},
	} {
		e := some[tt.kind-1]
		e.Versions = slices.Clone(e.Versions)
		tt.change(&e)
		if b, err := record.AppendEntry([]byte("x"), &e); !errors.Is(err, record.ErrEntry) || string(b) != "x" {
			t.Errorf("%s: got %q, %v, want ErrEntry", name, b, err)
		}
	}
}

func TestDecodeEntryRefuses(t *testing.T) {
	for _, e := range someEntries(t) {
		b := must[[]byte](t)(record.AppendEntry(nil, &e))
		for n := range b {
			if _, err := record.DecodeEntry(b[:n]); !errors.Is(err, record.ErrCorrupt) {
				t.Errorf("kind %d cut at %d: got %v", e.Kind, n, err)
			}
		}
		if _, err := record.DecodeEntry(append(b, 0)); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("kind %d with a tail: got %v", e.Kind, err)
		}
		for i := range b {
			bad := bytes.Clone(b)
			bad[i] ^= 0x40
			if got, err := record.DecodeEntry(bad); err == nil {
				if again, err := record.AppendEntry(nil, &got); err != nil || !bytes.Equal(again, bad) {
					t.Errorf("kind %d, byte %d: reads %x, writes %x, %v", e.Kind, i, bad, again, err)
				}
			}
		}
	}
	for _, b := range [][]byte{{0x83, 0x07, 0x00, 0x00}, {0x81, 0x19, 0x01, 0x01}} {
		if _, err := record.DecodeEntry(b); !errors.Is(err, record.ErrFormat) {
			t.Errorf("%x: got %v, want ErrFormat", b, err)
		}
	}
}
