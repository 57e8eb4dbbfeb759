package sqlite_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/endpoint/sqlite"
	"github.com/syncline-io/syncline/record"
)

const hundredMB = 100 << 20

// chunkOf makes the i-th chunk of a large value, letters for a text.
func chunkOf(b []byte, i int, text bool) {
	for j := 0; j+8 <= len(b); j += 8 {
		binary.LittleEndian.PutUint64(b[j:], uint64(i*len(b)+j+1)*0x9e3779b97f4a7c15)
	}
	if text {
		for j := range b {
			b[j] = 'a' + b[j]%26
		}
	}
}

// largeValue returns the image of (body, id) with a body of 100 MB, and what makes its
// chunks again one at a time.
func largeValue(t testing.TB, text bool) (record.Image, endpoint.ChunkSource) {
	t.Helper()
	index := map[causal.Hash]int{}
	var w record.ImageWriter
	w.Chunks = func(h causal.Hash, _ []byte) error {
		index[h] = len(index)
		return nil
	}
	whole := make([]byte, hundredMB)
	for i := range hundredMB / record.ChunkSize {
		chunkOf(whole[i*record.ChunkSize:(i+1)*record.ChunkSize], i, text)
	}
	w.Reset(2)
	if text {
		w.Text(whole)
	} else {
		w.Bytes(whole)
	}
	w.Int(1)
	buf := make([]byte, record.ChunkSize)
	return bytes.Clone(w.Image()), func(h causal.Hash) ([]byte, error) {
		i, ok := index[h]
		if !ok {
			return nil, fmt.Errorf("no chunk %x", h)
		}
		chunkOf(buf, i, text)
		return buf, nil
	}
}

// TestLargeValues writes 100 MB into one cell, once by insert and once by update, and
// reads them back, within the stated memory: a blob of a rowid table in little more than
// its pieces, everything else in at most twice its size.
func TestLargeValues(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 200 MB per case")
	}
	for _, c := range []struct {
		name, ddl string
		text      bool
		limit     int64 // bytes of resident memory over what there was before
	}{
		{"blob", "CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB)", false, 80 << 20},
		{"text", "CREATE TABLE t(id INTEGER PRIMARY KEY, body TEXT)", true, 2*hundredMB + 80<<20},
		{"without rowid", "CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB) WITHOUT ROWID", false, 2*hundredMB + 80<<20},
		{"checked", "CREATE TABLE t(id INTEGER PRIMARY KEY, body BLOB CHECK(substr(body, 1, 1) <> x'00' OR length(body) < 10))", false, 2*hundredMB + 80<<20},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			user(t, path, c.ddl)
			d := open(t, path)
			tab := tableOf(t, d, "t")
			im, chunks := largeValue(t, c.text)
			for _, update := range []bool{false, true} {
				write := func() {
					tx := begin(t, d)
					defer tx.Rollback()
					small := img("small", 1)
					var err error
					if update {
						if err = tx.Delete(tab, intKey(t, 1)); err == nil {
							err = tx.Insert(tab, small, nil)
						}
						if err == nil {
							err = tx.Update(tab, intKey(t, 1), small, im, chunks)
						}
					} else {
						err = tx.Insert(tab, im, chunks)
					}
					if err == nil {
						err = tx.Commit()
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				// The least of a few tries is what it needs: how far the collector is behind on a
				// busy machine is not.
				peak := measure(t, write)
				for try := 0; try < 3 && peak > c.limit; try++ {
					undo(t, d, tab, update)
					peak = min(peak, measure(t, write))
				}
				t.Logf("update %v: %d MB at the most", update, peak>>20)
				if peak > c.limit {
					t.Errorf("writing took %d MB, want at most %d", peak>>20, c.limit>>20)
				}
				s, err := d.Snapshot(t.Context(), false)
				if err != nil {
					t.Fatal(err)
				}
				got, found, err := s.Get(tab, intKey(t, 1), nil)
				if err != nil || !found || !bytes.Equal(got, im) {
					t.Errorf("read back: %v %v, equal %v", found, err, bytes.Equal(got, im))
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// undo removes the row that an insert has written; an update writes it anew by itself.
func undo(t *testing.T, d *sqlite.Database, tab *endpoint.Table, update bool) {
	t.Helper()
	if update {
		return
	}
	tx := begin(t, d)
	defer tx.Rollback()
	if err := tx.Delete(tab, intKey(t, 1)); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// measure returns by how much the resident memory of the process was larger at any
// moment of f than before it; 0 where the system does not tell.
func measure(t testing.TB, f func()) int64 {
	t.Helper()
	// What counts is what is in use: on a busy machine the collector may be far behind.
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(32 << 20))
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		f()
		return 0
	}
	before := resident(t, "VmRSS:")
	f()
	return resident(t, "VmHWM:") - before
}

func resident(t testing.TB, field string) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var kb int64
		if rest, ok := strings.CutPrefix(line, field); ok {
			if _, err := fmt.Sscan(rest, &kb); err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatalf("no %s", field)
	return 0
}
