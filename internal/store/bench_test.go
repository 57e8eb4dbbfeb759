package store_test

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/internal/store"
	"github.com/syncline-io/syncline/record"
)

// rowImage is a row of ten columns and about 120 bytes.
func rowImage(w *record.ImageWriter, i int64) record.Image {
	w.Reset(10)
	w.Int(i)
	w.Text([]byte("customer of an ordinary name"))
	w.Text([]byte("2026-11-24 14:33:07"))
	w.Float(19.9 + float64(i))
	w.Int(i * 7919)
	w.Null()
	w.Text([]byte("open"))
	w.Bytes([]byte("0123456789abcdef"))
	w.Text([]byte("a note of some length, as people write"))
	w.Int(1)
	return w.Image()
}

// BenchmarkFirstCopy puts rows of ascending keys into log, records and a side table of
// shadows, in commits of 50,000, synced: what the first copy of a database does. Time is
// per row.
func BenchmarkFirstCopy(b *testing.B) {
	for _, side := range []bool{false, true} {
		name := "log+records"
		if side {
			name += "+shadow"
		}
		b.Run(name, func(b *testing.B) {
			dir, err := os.MkdirTemp("", "store")
			must(b, err)
			defer os.RemoveAll(dir)
			s, err := store.Open(dir+"/db", store.Options{})
			must(b, err)
			firstCopy(b, s, b.N, side)
			must(b, s.Close())
		})
	}
}

const copyCommit = 50_000

func firstCopy(b *testing.B, s *store.Store, n int, side bool) {
	fields := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
	sh, err := record.NewShape("orders", fields)
	must(b, err)
	var w record.ImageWriter
	head := causal.Head{Origin: origin(1)}
	builder := record.NewBuilder(record.Header{}, nil)
	vs := make([]record.Version, 1)
	var k record.Key
	var shadow []byte
	check := func(err error) { // without must's bookkeeping
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < n; {
		d := causal.Dot{Origin: head.Origin, Seq: head.Seq + 1}
		stamp := causal.Stamp(d.Seq << 16)
		st := s.Stage(d)
		builder.Reset(record.Header{Dot: d, Prev: head.Hash, Stamp: stamp}, st.Segment)
		batch := s.Batch()
		for end := min(n, i+copyCommit); i < end; i++ {
			k, _ = record.AppendKeyValue(k[:0], record.IntValue(int64(i)), record.Binary)
			vs[0] = record.Version{Dot: d, Birth: d, Stamp: stamp, Shape: sh, Image: rowImage(&w, int64(i))}
			check(builder.Add(&record.Change{Key: k, Version: vs[0]}))
			check(batch.Record("orders", k, 0, vs))
			if side {
				shadow = binary.AppendUvarint(append(shadow[:0], 1), d.Seq)
				shadow = append(shadow, "0123456789012345678901234567890123456789"[:40]...)
				check(batch.SideSet("a", "orders", k, shadow, nil))
			}
		}
		h, hash, err := builder.Finish()
		must(b, err)
		_, err = batch.Append(&record.Entry{Kind: record.EntryCommit, Hash: hash, Header: record.AppendHeader(nil, &h)}, st)
		must(b, err)
		must(b, batch.Commit(true))
		head = causal.Head{Origin: d.Origin, Seq: d.Seq, Hash: hash}
	}
}
