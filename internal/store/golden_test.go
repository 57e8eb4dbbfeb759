package store_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

var update = flag.Bool("update", false, "write testdata/*.golden; a format that changes needs a new version")

// TestGoldenStore writes one of everything and compares all keys and values with
// testdata/store.golden, so that no change of the format goes unnoticed.
func TestGoldenStore(t *testing.T) {
	s := openMem(t, vfs.NewMem())
	content, hashes := large(record.ChunkSize+1, 1)
	var w record.ImageWriter
	w.Chunks = s.PutChunk
	w.Reset(2)
	w.Int(7)
	w.Bytes(content)
	must(t, w.Err())
	v := version(t, dot(1, 1), "orders", 7, "")
	v.Image = w.Image()
	sibling := version(t, dot(2, 5), "orders", 7, "b")
	c := build(t, causal.Head{Origin: origin(1)}, s.PutChunk, v)
	st := stage(t, s, &c)

	b := s.Batch()
	must2(t)(b.Append(&record.Entry{Kind: record.EntrySkip, To: causal.Vector{{Origin: origin(2), Seq: 5, Hash: causal.Hash{5}}}}, nil))
	must2(t)(b.Append(&c.entry, st))
	must(t, b.Record("orders", key(t, 7), 0, []record.Version{v, sibling}))
	must(t, b.SideSet("a", "orders", key(t, 7), []byte("shadow"), []record.Version{v}))
	must(t, b.SetMeta("cursor", []byte("12")))
	must(t, b.Commit(true))

	var out strings.Builder
	fmt.Fprintf(&out, "# Every key of a store with a commit of one change with a large value, a skip, a record of two\n"+
		"# versions, a row of a side table and a meta value. The log id is zero; what is long is cut at 96 bytes.\n\n")
	must(t, s.EachKey(func(k, v []byte) {
		if k[0] == 1 { // the log id is drawn
			v = append(make([]byte, 16), v[16:]...)
		}
		cut := ""
		if len(v) > 96 {
			cut = fmt.Sprintf("... (%d)", len(v))
			v = v[:96]
		}
		fmt.Fprintf(&out, "%x\n\t%x%s\n", k, v, cut)
	}))
	path := filepath.Join("testdata", "store.golden")
	if *update {
		must(t, os.WriteFile(path, []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Equal(want, []byte(out.String())) {
		t.Errorf("%s: %s", path, diff(out.String(), string(want)))
	}
	if !strings.Contains(out.String(), fmt.Sprintf("\n0e%x\n", hashes[0])) {
		t.Error("the chunk is not in the golden store")
	}
}

// must2 is must for results that do not matter.
func must2(t testing.TB) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		must(t, err)
	}
}
