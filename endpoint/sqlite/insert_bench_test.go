package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/endpoint/sqlite"
	"github.com/syncline-io/syncline/record"
)

// BenchmarkInsert writes rows of ten columns in transactions of 100,000, the last one with
// its commit; one operation is one row.
func BenchmarkInsert(b *testing.B) {
	for _, capture := range []bool{false, true} {
		b.Run(fmt.Sprintf("capture=%v", capture), func(b *testing.B) {
			d := open(b, filepath.Join(b.TempDir(), "a.db"))
			begin := func(create bool) (endpoint.Tx, *endpoint.Table) {
				tx, err := d.Begin(b.Context(), endpoint.Begin{Pair: endpoint.Pair{1}})
				if err == nil && create {
					err = tx.Exec("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT, b TEXT, c INTEGER, d INTEGER, e REAL, f REAL, g TEXT, h BLOB, i TEXT)")
				}
				var s *endpoint.Schema
				if err == nil {
					s, err = tx.Schema()
				}
				if err == nil && capture && create {
					err = tx.Capture([]*endpoint.Table{s.Table("t")})
				}
				if err != nil {
					b.Fatal(err)
				}
				return tx, s.Table("t")
			}
			tx, t := begin(true)
			var w record.ImageWriter
			b.ResetTimer()
			for n := range b.N {
				if n > 0 && n%100_000 == 0 {
					if err := tx.Commit(); err != nil {
						b.Fatal(err)
					}
					tx, t = begin(false)
				}
				w.Reset(10) // in the order of the names: a b c d e f g h i id
				w.Text(fmt.Appendf(nil, "customer %d", n))
				w.Text([]byte("some text of a usual length"))
				w.Int(int64(n) * 7)
				w.Int(int64(n % 100))
				w.Float(float64(n) / 100)
				w.Float(0.5)
				w.Text([]byte("2024-05-06 07:08:09"))
				w.Bytes([]byte{1, 2, 3, 4, 5, 6, 7, 8})
				w.Null()
				w.Int(int64(n))
				if err := tx.Insert(t, w.Image(), nil); err != nil {
					b.Fatal(err)
				}
			}
			if err := tx.Commit(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

var _ endpoint.Endpoint = (*sqlite.Database)(nil)

// BenchmarkApply is one small transaction with its commit, as a watching pair makes them.
func BenchmarkApply(b *testing.B) {
	for _, mode := range []string{"DELETE", "WAL"} {
		b.Run(mode, func(b *testing.B) {
			d := made(b, "PRAGMA journal_mode = "+mode, "CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE)", "INSERT INTO t VALUES(1, 0)")
			recapture(b, d, 1)
			t := tableOf(b, d, "t")
			b.ResetTimer()
			for n := range b.N {
				at := func(i int) endpoint.Progress { return endpoint.Progress{Apply: uint64(i)} }
				tx, err := d.Begin(b.Context(), endpoint.Begin{Pair: endpoint.Pair{1}, From: at(n), To: at(n + 1), Effects: true})
				if err == nil {
					err = tx.Update(t, intKey(b, 1), img(n, 1), img(n+1, 1), nil)
				}
				if err == nil {
					err = tx.Commit()
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
