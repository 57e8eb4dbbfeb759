package record_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// Every decoder takes any bytes without a panic, and what it takes is the only encoding
// of what it returns.

func FuzzDecodeValue(f *testing.F) {
	for _, v := range []record.Value{record.NullValue(), record.IntValue(-500), record.FloatValue(19.9), record.FloatValue(1.5), text("ä"), text("\xff"), record.BytesValue([]byte{1}), large(f, record.BytesValue(bigZeros))} {
		f.Add(record.AppendValue(nil, v))
	}
	f.Add(record.AppendValue(nil, must[record.Value](f)(record.CounterValue([]record.Total{{Origin: origin(1), Total: record.FloatValue(0.5)}}))))
	f.Add(record.AppendValue(nil, must[record.Value](f)(record.SetValue([]record.Element{{Origin: origin(1), Element: text("a")}, {Origin: origin(1), Element: text("b")}}))))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, rest, err := record.DecodeValue(b)
		if err != nil {
			wantCorrupt(t, err)
			return
		}
		if again := record.AppendValue(nil, v); !bytes.Equal(again, b[:len(b)-len(rest)]) {
			t.Fatalf("reads %x, writes %x", b, again)
		}
		_, _ = v.String(), v.AppendJSON(nil)
		if !v.Equal(v) || v.Compare(v) != 0 {
			t.Fatalf("%v is not itself", v)
		}
		_ = v.Plain()
	})
}

func wantCorrupt(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, record.ErrCorrupt) {
		t.Fatalf("got %v, want ErrCorrupt", err)
	}
}

func FuzzImage(f *testing.F) {
	f.Add([]byte(image()))
	f.Add([]byte(image(record.IntValue(7), record.NullValue(), text("x"), record.FloatValue(0.1))))
	f.Add([]byte(image(large(f, record.BytesValue(bigZeros)), text("\xff"))))
	from, to := &record.Shape{Table: "t", Fields: []string{"a", "b"}}, &record.Shape{Table: "t", Fields: []string{"b", "c"}}
	f.Fuzz(func(t *testing.T, b []byte) {
		im := record.Image(b)
		_ = im.EachChunk(func(causal.Hash) {})
		_, _ = im.Value(1)
		_, reshapeErr := record.Reshape(im, from, to, record.NullValue())
		vs, err := im.Values(nil)
		if checkErr := im.Check(); (checkErr == nil) != (err == nil) {
			t.Fatalf("Values says %v, Check %v", err, checkErr)
		}
		if err != nil {
			wantCorrupt(t, err)
			return
		}
		if again := image(vs...); !bytes.Equal(again, b) {
			t.Fatalf("reads %x, writes %x", b, again)
		}
		if len(vs) == 2 && reshapeErr != nil {
			t.Fatalf("reshape: %v", reshapeErr)
		}
	})
}

func FuzzKey(f *testing.F) {
	for _, v := range []record.Value{record.IntValue(0), record.IntValue(-300), record.FloatValue(7.5), record.FloatValue(-1e300), text("a\x00\x01"), record.BytesValue([]byte{255})} {
		f.Add([]byte(key(f, v, record.IntValue(1))))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		vs, err := record.Key(b).Values()
		if checkErr := record.Key(b).Check(); (checkErr == nil) != (err == nil && len(b) > 0) {
			t.Fatalf("Values says %v, Check %v", err, checkErr)
		}
		if err != nil {
			wantCorrupt(t, err)
			return
		}
		if again := key(t, vs...); !bytes.Equal(again, b) {
			t.Fatalf("reads %x as %v, writes %x", b, vs, again)
		}
		name, err := record.FormatKey("t", record.Key(b))
		if err != nil {
			t.Fatal(err)
		}
		if _, k, err := record.ParseKey(name); err != nil || !bytes.Equal(k, b) {
			t.Fatalf("%s parses as %x, %v, want %x", name, k, err, b)
		}
	})
}

func FuzzParseRecord(f *testing.F) {
	for _, s := range []string{`orders/7`, `lines/[7,2]`, `"we ird"/["k"]`, `t/{"bytes":"0a0b"}`, `t/-9e999`, `t/[ 1.5e3 , "\ud83d\ude00\n" ]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		table, vs, err := record.ParseRecord(s)
		if err != nil {
			if !errors.Is(err, record.ErrName) {
				t.Fatalf("got %v, want ErrName", err)
			}
			return
		}
		name, err := record.FormatRecord(table, vs)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		table2, vs2, err := record.ParseRecord(name)
		if err != nil || table2 != table || len(vs2) != len(vs) {
			t.Fatalf("%q is written %q, which reads %q, %v, %v", s, name, table2, vs2, err)
		}
		for i := range vs {
			if !vs[i].Equal(vs2[i]) {
				t.Fatalf("%q: %v came back as %v", s, vs[i], vs2[i])
			}
		}
		if again, _ := record.FormatRecord(table2, vs2); again != name {
			t.Fatalf("%q is written %q, then %q", s, name, again)
		}
	})
}

func FuzzDecodeVersions(f *testing.F) {
	d := &dict{origins: []causal.Origin{origin(1), origin(2), origin(3)}, shapes: someShapes}
	put := record.Version{Dot: dot(1, 300), Birth: dot(1, 300), Stamp: 5, Shape: someShapes[0], Image: image(make([]record.Value, 3)...)}
	update := put
	update.Birth = dot(2, 5)
	update.Fields = []record.FieldStamp{put.Field(0), {Stamp: 4, Origin: origin(2)}, put.Field(2)}
	update.Seen = []record.Seen{{Origin: origin(2), Stamp: 4}}
	bury := record.Version{Dot: dot(3, 2), Stamp: 9, Birth: dot(2, 5), Flags: record.Bury}
	f.Add(record.AppendVersions(nil, d, []record.Version{put}))
	f.Add(record.AppendVersions(nil, d, []record.Version{update, bury, put}))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _, _, single := record.SingleImage(b)
		vs, err := record.DecodeVersions(b, d, nil)
		if err != nil {
			wantCorrupt(t, err)
			return
		}
		if again := record.AppendVersions(nil, d, vs); !bytes.Equal(again, b) {
			t.Fatalf("reads %x, writes %x", b, again)
		}
		if single != (len(vs) == 1) {
			t.Fatalf("SingleImage of %d versions: %v", len(vs), single)
		}
	})
}

func FuzzDecodeHeader(f *testing.F) {
	c := build(f, someHeader(), manyChanges(3, 10))
	f.Add(record.AppendHeader(nil, &c.header))
	c = build(f, record.Header{Dot: dot(1, 1)}, nil)
	f.Add(record.AppendHeader(nil, &c.header))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := record.DecodeHeader(b)
		if err != nil {
			if !errors.Is(err, record.ErrFormat) {
				wantCorrupt(t, err)
			}
			return
		}
		if again := record.AppendHeader(nil, &h); !bytes.Equal(again, b) {
			t.Fatalf("reads %x, writes %x", b, again)
		}
	})
}

func FuzzReadSegment(f *testing.F) {
	h := someHeader()
	changes := manyChanges(6, 5)
	changes[1].Op, changes[1].Version.Flags = record.OpBury, record.Bury
	changes[2].Op, changes[2].Version.Flags = record.OpDelete, record.Derived
	changes[3].Version.Fields = []record.FieldStamp{{Stamp: 3, Origin: origin(4)}}
	changes[4].Version.Seen = []record.Seen{{Origin: origin(4), Stamp: 3}}
	c := build(f, h, changes)
	f.Add(c.segments[0])
	f.Add(must[[]byte](f)(record.TrimSegment(c.segments[0], func(table string, k record.Key) bool { return sum(k)%2 == 0 })))
	f.Add(must[[]byte](f)(record.TrimSegment(c.segments[0], func(string, record.Key) bool { return false })))
	v := record.BytesValue(bigZeros[:record.ChunkSize])
	f.Add(build(f, h, []record.Change{{Key: key(f, record.IntValue(1)), Version: record.Version{Birth: h.Dot, Shape: someShapes[0], Image: image(v, v, v)}}}).segments[0])
	f.Fuzz(func(t *testing.T, seg []byte) {
		hash, hashErr := record.SegmentHash(seg)
		trimmed, trimErr := record.TrimSegment(seg, func(table string, k record.Key) bool { return sum(k)%2 == 0 })
		if trimErr == nil {
			if h, err := record.SegmentHash(trimmed); err != nil || h != hash {
				t.Fatalf("trimming %x to %x changes its hash, %v", seg, trimmed, err)
			}
		}
		all, whole, err := readAll(seg, &h)
		if err != nil {
			wantCorrupt(t, err)
			return
		}
		if hashErr != nil || trimErr != nil {
			t.Fatalf("segment reads, but: %v, %v", hashErr, trimErr)
		}
		if !whole {
			return
		}
		var again []byte
		b := record.NewBuilder(h, func(_ int, seg []byte) error { again = bytes.Clone(seg); return nil })
		for i := range all {
			if err := b.Add(&all[i]); err != nil {
				t.Fatalf("change %d of %x: %v", i, seg, err)
			}
		}
		if _, _, err := b.Finish(); err != nil || !bytes.Equal(again, seg) {
			t.Fatalf("reads %x, writes %x, %v", seg, again, err)
		}
	})
}

// readAll reads all changes of a segment; whole says that nothing is left out or chunked.
func readAll(seg []byte, h *record.Header) (all []record.Change, whole bool, err error) {
	r, err := record.ReadSegment(seg, h)
	if err != nil {
		return nil, false, err
	}
	whole = true
	for {
		var c record.Change
		more, err := r.Next(&c)
		if err != nil || !more {
			return all, whole && !r.Trimmed(), err
		}
		if _, chunked := r.Chunked(); chunked {
			whole = false
		}
		all = append(all, c)
	}
}

func FuzzDecodeEntry(f *testing.F) {
	for _, e := range someEntries(f) {
		f.Add(must[[]byte](f)(record.AppendEntry(nil, &e)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := record.DecodeEntry(b)
		if err != nil {
			if !errors.Is(err, record.ErrFormat) {
				wantCorrupt(t, err)
			}
			return
		}
		if again, err := record.AppendEntry(nil, &e); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("reads %x, writes %x, %v", b, again, err)
		}
	})
}
