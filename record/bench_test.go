package record_test

import (
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// One row of ten columns, as most tables have them.

var rowTexts = [][]byte{[]byte("customer of an ordinary name"), []byte("2026-11-24 14:33:07"), []byte("open"), []byte("0123456789abcdef")}

func writeRow(w *record.ImageWriter, i int64) {
	w.Reset(10)
	w.Int(i)
	w.Text(rowTexts[0])
	w.Text(rowTexts[1])
	w.Float(19.9 + float64(i))
	w.Int(i * 7919)
	w.Null()
	w.Text(rowTexts[2])
	w.Bytes(rowTexts[3])
	w.Float(0.5)
	w.Int(1)
}

func BenchmarkImageWriter(b *testing.B) {
	var w record.ImageWriter
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		writeRow(&w, i)
		if w.Image() == nil {
			b.Fatal(w.Err())
		}
	}
}

func BenchmarkImageValues(b *testing.B) {
	var w record.ImageWriter
	writeRow(&w, 123456)
	im := w.Image()
	var vs []record.Value
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if vs, err = im.Values(vs); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendKeyValue(b *testing.B) {
	var k record.Key
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		k, _ = record.AppendKeyValue(k[:0], record.IntValue(i), record.Binary)
	}
}

func rowVersion() ([]record.Version, *dict) {
	var w record.ImageWriter
	writeRow(&w, 123456)
	s, _ := record.NewShape("t", []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"})
	return []record.Version{{Dot: dot(1, 200), Birth: dot(1, 200), Stamp: 1 << 57, Shape: s, Image: w.Image()}}, &dict{}
}

func BenchmarkAppendVersions(b *testing.B) {
	vs, d := rowVersion()
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = record.AppendVersions(out[:0], d, vs)
	}
}

func BenchmarkDecodeVersions(b *testing.B) {
	vs, d := rowVersion()
	out := record.AppendVersions(nil, d, vs)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if vs, err = record.DecodeVersions(out, d, vs); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSingleImage(b *testing.B) {
	vs, d := rowVersion()
	out := record.AppendVersions(nil, d, vs)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, _, ok := record.SingleImage(out); !ok {
			b.Fatal("not single")
		}
	}
}

func BenchmarkBuilderAdd(b *testing.B) {
	vs, _ := rowVersion()
	h := someHeader()
	builder := record.NewBuilder(h, func(int, []byte) error { return nil })
	c := record.Change{Version: vs[0], Context: []causal.Dot{dot(2, 77)}}
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		c.Key, _ = record.AppendKeyValue(c.Key[:0], record.IntValue(i), record.Binary)
		if err := builder.Add(&c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSegmentReaderNext(b *testing.B) {
	vs, _ := rowVersion()
	changes := make([]record.Change, 5000)
	for i := range changes {
		changes[i] = record.Change{Key: key(b, record.IntValue(int64(i))), Version: vs[0], Context: []causal.Dot{dot(2, 77)}}
	}
	c := build(b, someHeader(), changes)
	var r record.SegmentReader
	var change record.Change
	more := false
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if !more {
			err = r.Reset(c.segments[0], &c.header)
		}
		if err == nil {
			more, err = r.Next(&change)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifierPerChange(b *testing.B) {
	vs, _ := rowVersion()
	changes := make([]record.Change, 5000)
	for i := range changes {
		changes[i] = record.Change{Key: key(b, record.IntValue(int64(i))), Version: vs[0], Context: []causal.Dot{dot(2, 77)}}
	}
	c := build(b, someHeader(), changes)
	for b.Loop() {
		if err := c.verify(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/5000, "ns/change")
}

// The hot path of a copy allocates nothing per row.
func TestHotPathDoesNotAllocate(t *testing.T) {
	var w record.ImageWriter
	writeRow(&w, 1)
	im := record.Image(append([]byte(nil), w.Image()...))
	values, _ := im.Values(nil)
	vs, d := rowVersion()
	stored := record.AppendVersions(nil, d, vs)
	decoded, _ := record.DecodeVersions(stored, d, nil)
	k := make(record.Key, 0, 64)
	for name, f := range map[string]func(){
		"ImageWriter":    func() { writeRow(&w, 99); _ = w.Image() },
		"Image.Values":   func() { values, _ = im.Values(values) },
		"AppendKeyValue": func() { k, _ = record.AppendKeyValue(k[:0], values[1], record.NoCase) },
		"AppendVersions": func() { stored = record.AppendVersions(stored[:0], d, vs) },
		"DecodeVersions": func() { decoded, _ = record.DecodeVersions(stored, d, decoded) },
		"SingleImage":    func() { _, _, _, _ = record.SingleImage(stored) },
	} {
		if n := testing.AllocsPerRun(100, f); n > 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}
