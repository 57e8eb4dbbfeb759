package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/syncline-io/syncline/internal/store"
	"github.com/syncline-io/syncline/record"
)

// TestFlippedBits flips one bit of one file of a store at rest, opens it and reads
// everything: it is reported, or what is read is what was written.
func TestFlippedBits(t *testing.T) {
	fs := vfs.NewMem()
	s, err := store.OpenSmall("db", store.Options{FS: fs})
	must(t, err)
	// No large values: Pebble takes half a minute to give up on a damaged block of 1 MiB,
	// because it looks for the bit.
	w := &world{t: t, s: s, m: newModel(), draw: rand.New(rand.NewPCG(3, 3)).IntN, small: true}
	for range 12 {
		w.batch(true)
	}
	must(t, s.Close())
	want := w.m.dump()
	names, err := fs.List("db")
	must(t, err)
	slices.Sort(names)
	rng := rand.New(rand.NewPCG(5, 5))
	met := map[string]bool{}
	for _, name := range names {
		info, err := fs.Stat("db/" + name)
		must(t, err)
		if info.IsDir() || info.Size() == 0 {
			continue
		}
		kind := strings.TrimRight(strings.TrimSuffix(filepath.Ext(name), "."), "0123456789")
		if kind == "" {
			kind, _, _ = strings.Cut(name, "-")
		}
		met[kind] = true
		reported := 0
		const flips = 12
		for range flips {
			copied := flipped(t, fs, name, rng)
			got, err := readAll(copied)
			switch {
			case err != nil:
				reported++
			case got != want:
				t.Errorf("%s: a flipped bit changed what is read: %s", name, diff(got, want))
			}
		}
		t.Logf("%s: %d of %d reported", name, reported, flips)
	}
	for _, kind := range []string{".sst", "MANIFEST", "OPTIONS", "WITNESS"} {
		if !met[kind] {
			t.Errorf("no file of kind %s among %v", kind, names)
		}
	}
}

// flipped returns a copy of a store with one bit of a file changed.
func flipped(t *testing.T, from *vfs.MemFS, name string, rng *rand.Rand) *vfs.MemFS {
	t.Helper()
	to := vfs.NewMem()
	if _, err := vfs.Clone(from, to, "db", "db"); err != nil {
		t.Fatal(err)
	}
	f, err := to.OpenReadWrite("db/"+name, vfs.WriteCategoryUnspecified)
	must(t, err)
	info, err := f.Stat()
	must(t, err)
	at := rng.Int64N(info.Size())
	var b [1]byte
	must2(t)(f.ReadAt(b[:], at))
	b[0] ^= 1 << rng.IntN(8)
	must2(t)(f.WriteAt(b[:], at))
	must(t, f.Close())
	return to
}

func readAll(fs vfs.FS) (string, error) {
	s, err := store.OpenSmall("db", store.Options{FS: fs, Fatal: func(string) {}})
	if err != nil {
		return "", err
	}
	got, err := dumpStore(s)
	return got, errors.Join(err, s.Close())
}

// TestDamageIsFound changes single keys behind the store's back: what Open does not
// notice, a scrub does.
func TestDamageIsFound(t *testing.T) {
	flip := func(v []byte) []byte {
		v = slices.Clone(v)
		if len(v) > 0 {
			v[len(v)-1] ^= 1
		}
		return v
	}
	cases := []struct {
		name   string
		space  byte
		change func(v []byte) []byte // nil removes the key
	}{
		{"format gone", 0x00, nil},
		{"head gone", 0x01, nil},
		{"origin gone", 0x04, nil},
		{"shape gone", 0x05, nil},
		{"tree gone", 0x06, nil},
		{"entry gone", 0x07, nil},
		{"entry changed", 0x07, flip},
		{"segment gone", 0x08, nil},
		{"segment changed", 0x08, flip},
		{"record cut", 0x09, func(v []byte) []byte { return v[:len(v)-1] }},
		{"chunk gone", 0x0e, nil},
		{"chunk changed", 0x0e, flip},
		{"reference gone", 0x0c, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			fs := vfs.NewMem()
			s, err := store.Open("db", store.Options{FS: fs})
			must(t, err)
			w := &world{t: t, s: s, m: newModel(), draw: rand.New(rand.NewPCG(1, 1)).IntN}
			for range 60 {
				w.batch(true)
			}
			content, _ := large(record.ChunkSize+9, 3)
			v := largeVersion(t, dot(1, 1), content, s.PutChunk)
			b := s.Batch()
			must(t, b.SideSet("z", "t", key(t, 1), nil, []record.Version{v}))
			must(t, b.Commit(true))
			var damaged, value []byte
			must(t, s.EachKey(func(k, v []byte) {
				if k[0] == c.space && damaged == nil {
					damaged, value = slices.Clone(k), slices.Clone(v)
				}
			}))
			if damaged == nil {
				t.Fatalf("nothing in space %#02x", c.space)
			}
			if c.change == nil {
				must(t, s.DeleteRaw(damaged))
			} else {
				must(t, s.SetRaw(damaged, c.change(value)))
			}
			must(t, s.Close())
			s, err = store.Open("db", store.Options{FS: fs})
			if err != nil {
				if !errors.Is(err, store.ErrCorrupt) {
					t.Fatalf("open: %v, want ErrCorrupt", err)
				}
				return
			}
			defer s.Close()
			found := 0
			must(t, s.Scrub(context.Background(), func(problem error) error {
				if !errors.Is(problem, store.ErrCorrupt) && !errors.Is(problem, store.ErrNoChunk) {
					t.Errorf("problem %v, want ErrCorrupt", problem)
				}
				found++
				return nil
			}))
			if found == 0 {
				t.Error("neither Open nor Scrub found it")
			}
		})
	}
}

func TestScrubStopsWhenAsked(t *testing.T) {
	s := openMem(t, vfs.NewMem())
	w := &world{t: t, s: s, m: newModel(), draw: rand.New(rand.NewPCG(1, 1)).IntN}
	for range 20 {
		w.batch(true)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Scrub(ctx, func(error) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
