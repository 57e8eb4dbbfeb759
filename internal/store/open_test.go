package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/syncline-io/syncline/internal/store"
)

func TestNewerFormatIsRefused(t *testing.T) {
	fs := vfs.NewMem()
	s, err := store.OpenVersion("db", store.Options{FS: fs}, 2, nil)
	must(t, err)
	must(t, s.Close())
	for _, readOnly := range []bool{false, true} {
		if _, err := store.Open("db", store.Options{FS: fs, ReadOnly: readOnly}); !errors.Is(err, store.ErrNewer) {
			t.Errorf("read-only %v: %v, want ErrNewer", readOnly, err)
		}
	}
}

// TestOlderFormatIsConverted goes through two conversions, of which the second fails at
// first: the next Open begins there.
func TestOlderFormatIsConverted(t *testing.T) {
	fs := vfs.NewMem()
	s := openMem(t, fs)
	b := s.Batch()
	must(t, b.SetMeta("steps", []byte("1")))
	must(t, b.Commit(true))
	must(t, s.Close())

	if _, err := store.OpenVersion("db", store.Options{FS: fs, ReadOnly: true}, 3, nil); !errors.Is(err, store.ErrOlder) {
		t.Errorf("read-only: %v, want ErrOlder", err)
	}
	fault := errors.New("fault")
	fail := true
	step := func(from string) store.Conversion {
		return func(db *pebble.DB, last *pebble.Batch) error {
			if from == "2" && fail {
				return fault
			}
			key := []byte("\x02steps")
			v, closer, err := db.Get(key)
			if err != nil {
				return err
			}
			defer closer.Close()
			if string(v) != from {
				return fmt.Errorf("conversion from %s meets %s", from, v)
			}
			return last.Set(key, []byte{v[0] + 1}, nil)
		}
	}
	steps := map[uint64]store.Conversion{1: step("1"), 2: step("2")}
	if _, err := store.OpenVersion("db", store.Options{FS: fs}, 3, steps); !errors.Is(err, fault) {
		t.Fatalf("got %v, want the fault", err)
	}
	fail = false
	s, err := store.OpenVersion("db", store.Options{FS: fs}, 3, steps)
	must(t, err)
	v := s.View()
	if got, _, err := v.Meta("steps"); err != nil || string(got) != "3" {
		t.Errorf("after the conversions: %q, %v", got, err)
	}
	must(t, v.Close())
	must(t, s.Close())
	if _, err := store.Open("db", store.Options{FS: fs}); !errors.Is(err, store.ErrNewer) {
		t.Errorf("the program of before: %v, want ErrNewer", err)
	}
}

func TestOpenTwiceIsLocked(t *testing.T) {
	dir := t.TempDir() + "/db"
	s, err := store.Open(dir, store.Options{})
	must(t, err)
	if _, err := store.Open(dir, store.Options{}); !errors.Is(err, store.ErrLocked) {
		t.Errorf("got %v, want ErrLocked", err)
	}
	must(t, s.Close())
	must(t, s.Close())
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v, %v", info.Mode(), err)
	}
}

// TestReadOnlyChangesNothing opens, reads and closes, after a clean end and after a
// crash, and compares every file.
func TestReadOnlyChangesNothing(t *testing.T) {
	for _, clean := range []bool{true, false} {
		dir := t.TempDir() + "/db"
		s, err := store.Open(dir, store.Options{})
		must(t, err)
		for i := range 50 {
			b := s.Batch()
			must(t, b.SetMeta("cursor", []byte(note(i))))
			must(t, b.SideSet("a", "t", key(t, int64(i)), []byte("value"), nil))
			must(t, b.Commit(true))
		}
		from := dir
		if !clean { // what a kill leaves
			from = t.TempDir() + "/copy"
			must(t, os.CopyFS(from, os.DirFS(dir)))
		}
		must(t, s.Close())
		before := hashDir(t, from)
		s, err = store.Open(from, store.Options{ReadOnly: true})
		must(t, err)
		v := s.View()
		if got, _, err := v.Meta("cursor"); err != nil || string(got) != note(49) {
			t.Errorf("read-only: %q, %v", got, err)
		}
		must(t, v.Close())
		if err := s.Batch().SetMeta("cursor", nil); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("write: %v, want ErrReadOnly", err)
		}
		must(t, s.Close())
		if after := hashDir(t, from); after != before {
			t.Errorf("clean %v: read-only changed the disk:\n%s\nwas\n%s", clean, after, before)
		}
	}
}

func hashDir(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s %x\n", filepath.Base(path), sha256.Sum256(content))
		return err
	})
	must(t, err)
	return b.String()
}

func TestWitnessNoticesAnOlderDatabase(t *testing.T) {
	base := t.TempDir()
	write := func() {
		s, err := store.Open(base+"/db", store.Options{})
		must(t, err)
		b := s.Batch()
		must(t, b.SetMeta("cursor", []byte("1")))
		must(t, b.Commit(true))
		must(t, s.Close())
	}
	write()
	must(t, os.CopyFS(base+"/old", os.DirFS(base+"/db")))
	write()
	witness, err := os.ReadFile(base + "/db/WITNESS")
	must(t, err)
	must(t, os.WriteFile(base+"/old/WITNESS", witness, 0o600))
	if _, err := store.Open(base+"/old", store.Options{}); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("database behind its witness: %v, want ErrCorrupt", err)
	}
	must(t, os.MkdirAll(base+"/gone", 0o700))
	must(t, os.WriteFile(base+"/gone/WITNESS", witness, 0o600))
	if _, err := store.Open(base+"/gone", store.Options{}); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("witness without a database: %v, want ErrCorrupt", err)
	}
}
