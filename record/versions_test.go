package record_test

import (
	"bytes"
	"errors"
	"reflect"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

func TestVersionsRoundTrip(t *testing.T) {
	var reused []record.Version
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(genVersion(causal.Dot{}, 0), 0, 4).Draw(t, "vs")
		var d dict
		b := record.AppendVersions(nil, &d, vs)
		var err error
		if reused, err = record.DecodeVersions(b, &d, reused); err != nil || len(reused) != len(vs) {
			t.Fatalf("%x: %v", b, err)
		}
		for i := range vs {
			if !sameVersion(&reused[i], &vs[i]) {
				t.Fatalf("got %+v, want %+v", reused[i], vs[i])
			}
		}
		id, im, flags, ok := record.SingleImage(b)
		if ok != (len(vs) == 1) {
			t.Fatalf("SingleImage of %d versions: %v", len(vs), ok)
		}
		if !ok {
			return
		}
		if !bytes.Equal(im, vs[0].Image) || flags != vs[0].Flags {
			t.Fatalf("SingleImage: %x with %b", im, flags)
		}
		if s, ok := d.Shape(id); vs[0].Shape != nil && (!ok || s != vs[0].Shape) {
			t.Fatalf("SingleImage: shape %v", s)
		}
	})
}

// sameVersion compares what counts, taking empty and nil slices as the same.
func sameVersion(v, w *record.Version) bool {
	shapes := v.Shape == w.Shape || v.Shape != nil && w.Shape != nil &&
		v.Shape.Table == w.Shape.Table && v.Shape.Equal(w.Shape)
	same := v.Dot == w.Dot && v.Stamp == w.Stamp && v.Flags == w.Flags && v.Birth == w.Birth && shapes &&
		bytes.Equal(v.Image, w.Image) && len(v.Seen) == len(w.Seen) && len(v.Fields) == len(w.Fields)
	for i := 0; same && i < len(v.Seen); i++ {
		same = v.Seen[i] == w.Seen[i]
	}
	for i := 0; same && i < len(v.Fields); i++ {
		same = v.Field(i) == w.Field(i)
	}
	return same
}

func TestOrdinaryVersionIsShort(t *testing.T) {
	var d dict
	v := record.Version{Dot: dot(1, 100_000), Birth: dot(1, 100_000), Stamp: 1 << 57, Shape: someShapes[0], Image: image(make([]record.Value, 3)...)}
	if b := record.AppendVersions(nil, &d, []record.Version{v}); len(b) != 14+len(v.Image) {
		t.Errorf("%d bytes besides the image", len(b)-len(v.Image))
	}
	v.Fields = []record.FieldStamp{v.Field(0), v.Field(1), v.Field(2)}
	if b := record.AppendVersions(nil, &d, []record.Version{v}); len(b) != 14+len(v.Image) {
		t.Errorf("%d bytes besides the image when all fields are own", len(b)-len(v.Image))
	}
}

func TestManyWrites(t *testing.T) {
	s := &record.Shape{Table: "wide"}
	v := record.Version{Dot: dot(1, 1), Birth: dot(1, 1), Stamp: 1, Shape: s}
	for i := range 300 {
		s.Fields = append(s.Fields, string(rune('a'+i)))
		v.Fields = append(v.Fields, record.FieldStamp{Stamp: causal.Stamp(i % 200), Origin: origin(byte(i % 3))})
	}
	v.Image = image(make([]record.Value, 300)...)
	var d dict
	vs, err := record.DecodeVersions(record.AppendVersions(nil, &d, []record.Version{v}), &d, nil)
	if err != nil || !sameVersion(&vs[0], &v) {
		t.Fatalf("%v", err)
	}
	c := v.Clone()
	if !reflect.DeepEqual(c, v) {
		t.Error("a clone differs")
	}
	c.Fields[0].Stamp++
	c.Image[0]++
	if v.Fields[0].Stamp == c.Fields[0].Stamp || v.Image[0] == c.Image[0] {
		t.Error("a clone shares memory")
	}
}

func TestDecodeVersionsRefuses(t *testing.T) {
	var d dict
	v := record.Version{
		Dot: dot(1, 5), Birth: dot(2, 1), Stamp: 9, Shape: someShapes[0], Image: image(make([]record.Value, 3)...),
		Fields: []record.FieldStamp{{Stamp: 9, Origin: origin(1)}, {Stamp: 3, Origin: origin(2)}, {Stamp: 9, Origin: origin(1)}},
		Seen:   []record.Seen{{Origin: origin(2), Stamp: 3}},
	}
	b := record.AppendVersions(nil, &d, []record.Version{v, v})
	for n := 1; n < len(b); n++ {
		if vs, err := record.DecodeVersions(b[:n], &d, nil); !errors.Is(err, record.ErrCorrupt) || len(vs) != 0 {
			t.Errorf("cut at %d: %v, %v", n, vs, err)
		}
	}
	single := record.AppendVersions(nil, &d, []record.Version{v})
	for name, change := range map[string]func(b []byte) []byte{
		"reserved bit":   func(b []byte) []byte { b[0] |= 0x80; return b },
		"unknown origin": func(b []byte) []byte { b[1] = 100; return b },
		"unknown shape":  func(b []byte) []byte { b[11] = 100; return b },
		"birth of own":   func(b []byte) []byte { b[13], b[14] = b[1], b[2]; return b },
		"unused write":   func(b []byte) []byte { b[26] = 0; return b },
		"place too far":  func(b []byte) []byte { b[27] = 2; return b },
		"own as foreign": func(b []byte) []byte { b[16] = b[1]; copy(b[17:25], b[3:11]); return b },
	} {
		if vs, err := record.DecodeVersions(change(bytes.Clone(single)), &d, nil); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("%s: got %v, %v, want ErrCorrupt", name, vs, err)
		}
	}
	if vs, err := record.DecodeVersions(single, &d, nil); err != nil || !sameVersion(&vs[0], &v) {
		t.Errorf("unchanged: %v", err)
	}
	for n := range 12 {
		if _, _, _, ok := record.SingleImage(single[:n]); ok {
			t.Errorf("SingleImage of %d bytes", n)
		}
	}
}

func TestHasSeen(t *testing.T) {
	v := record.Version{Dot: dot(1, 9), Stamp: 10, Seen: []record.Seen{{Origin: origin(2), Stamp: 5}}}
	for f, want := range map[record.FieldStamp]bool{
		{Stamp: 10, Origin: origin(1)}: true,
		{Stamp: 11, Origin: origin(1)}: false,
		{Stamp: 5, Origin: origin(2)}:  true,
		{Stamp: 6, Origin: origin(2)}:  false,
		{Stamp: 1, Origin: origin(3)}:  false,
	} {
		if got := v.HasSeen(f); got != want {
			t.Errorf("HasSeen(%v) = %v", f, got)
		}
	}
}
