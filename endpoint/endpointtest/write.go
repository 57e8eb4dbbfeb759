package endpointtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"
)

// absent: a database that does not exist, or holds nothing, is no error to look at.
func absent(s *suite) {
	in := s.inspect()
	if !in.Empty || len(in.Bound) != 0 || in.Counter != 0 {
		s.Errorf("a new database is not empty: %+v", in)
	}
	if n := len(s.schema().Tables); n != 0 {
		s.Errorf("a new database has %d tables", n)
	}
	if s.inspect().Exists != in.Exists {
		s.Error("looking at a database created it")
	}
	_, err := s.e.Begin(s.ctx, endpoint.Begin{Pair: pairA, From: at(3), To: at(4), Marker: marker})
	if !errors.Is(err, endpoint.ErrProgress) {
		s.Errorf("continuing where nothing was: %v, want ErrProgress", err)
	}
	if again := s.inspect(); again.Exists != in.Exists {
		s.Error("a refused Begin created the database")
	}
}

// progress: a pair's row moves only from where it is, and every move raises the counter.
func progress(s *suite) {
	s.tables()
	s.apply(pairA, 0, 1, nil)
	s.apply(pairA, 1, 2, nil)
	s.apply(pairB, 0, 7, nil)
	in := s.inspect()
	if in.Marker != marker || in.Counter != 3 {
		s.Errorf("marker %x counts %d, want %x and 3", in.Marker, in.Counter, marker)
	}
	want := []endpoint.Binding{{Pair: pairA, Progress: at(2)}, {Pair: pairB, Progress: at(7)}}
	if !slices.Equal(in.Bound, want) {
		s.Errorf("bound: %+v, want %+v", in.Bound, want)
	}
	wrongNonce := at(2)
	wrongNonce.Nonce++
	for _, from := range []endpoint.Progress{at(0), at(1), at(3), wrongNonce} {
		tx, err := s.e.Begin(s.ctx, endpoint.Begin{Pair: pairA, From: from, To: at(4), Marker: marker})
		if !errors.Is(err, endpoint.ErrProgress) {
			s.Errorf("from %v: %v, want ErrProgress", from, err)
		}
		if err == nil {
			s.noErr(tx.Rollback())
		}
	}
	if again := s.inspect(); !slices.Equal(again.Bound, in.Bound) || again.Counter != in.Counter {
		s.Errorf("a refused Begin wrote: %+v", again)
	}
	tx := s.commit(endpoint.Begin{Pair: pairA, From: at(2), To: at(2), Marker: [16]byte{1}}, nil)
	if tx.Marker() != marker {
		s.Errorf("the marker changed to %x", tx.Marker())
	}
	if again := s.inspect(); !slices.Equal(again.Bound, in.Bound) || again.Counter != in.Counter {
		s.Errorf("staying at one progress wrote: %+v", again)
	}
}

// rollback: nothing of a transaction stays.
func rollback(s *suite) {
	s.tables()
	t := s.table("authors")
	tx := s.begin(endpoint.Begin{Pair: pairA, To: at(1), Marker: marker})
	s.noErr(tx.Insert(t, image(t, author(1, "a", "Ada")), nil))
	s.noErr(tx.Capture([]*endpoint.Table{t}))
	s.noErr(tx.Rollback())
	s.noErr(tx.Rollback())
	if err := tx.Commit(); err == nil {
		s.Error("a commit after a rollback succeeded")
	}
	if in := s.inspect(); in.Counter != 0 || len(in.Bound) != 0 {
		s.Errorf("a rolled back transaction left %+v", in)
	}
	s.view(func(sn endpoint.Snapshot) {
		n, err := sn.Count(t)
		s.noErr(err)
		if n != 0 {
			s.Errorf("%d rows are left", n)
		}
	})
}

// rows: random inserts, updates and deletes leave what a map would hold.
func rows(s *suite) {
	s.tables()
	t := s.table("books")
	s.user("INSERT INTO authors VALUES(0, 'x', 'x')", "INSERT INTO authors VALUES(1, 'y', 'y')")
	apply := uint64(0)
	model := map[string]record.Image{}
	rapid.Check(s.T, func(r *rapid.T) {
		apply++
		s.apply(pairA, apply-1, apply, func(tx endpoint.Tx) {
			for range rapid.IntRange(0, 20).Draw(r, "writes") {
				b := book(rapid.Int64Range(0, 1).Draw(r, "author"), rapid.SampledFrom(titles).Draw(r, "title"), rapid.Int64().Draw(r, "year"))
				b["score"] = record.FloatValue(rapid.Float64().Draw(r, "score") + 0) // not every system has a negative zero
				if rapid.IntRange(0, 3).Draw(r, "null") == 0 {
					delete(b, "year")
				}
				k, im := key(t, b), image(t, b)
				old, have := model[string(k)]
				got, found, err := tx.Get(t, k, nil)
				s.noErr(err)
				if found != have || !bytes.Equal(got, old) {
					r.Fatalf("get: %x, want %x", got, old)
				}
				switch {
				case !have:
					s.noErr(tx.Insert(t, im, nil))
					model[string(k)] = im
				case rapid.Bool().Draw(r, "delete"):
					s.noErr(tx.Delete(t, k))
					delete(model, string(k))
				default:
					s.noErr(tx.Update(t, k, old, im, nil))
					model[string(k)] = im
				}
			}
		})
		s.view(func(sn endpoint.Snapshot) {
			ks, ims := s.scan(sn, t, nil)
			if len(ks) != len(model) {
				r.Fatalf("%d rows, want %d", len(ks), len(model))
			}
			for i, k := range ks {
				if !bytes.Equal(ims[i], model[string(k)]) {
					r.Fatalf("row %x is %x, want %x", k, ims[i], model[string(k)])
				}
			}
		})
	})
}

var titles = []string{"", "a", "A", "Ab", "b", "ä", "é", "日本", "🙂", "it's", `"`, "tab\t", " a", "a b"}

// order: scans and their continuation after any key.
func order(s *suite) {
	s.tables()
	t := s.table("books")
	s.apply(pairA, 0, 1, func(tx endpoint.Tx) {
		authors := s.table("authors")
		for i := range int64(5) {
			s.noErr(tx.Insert(authors, image(authors, author(i-2, fmt.Sprint(i), "n")), nil))
			for _, title := range titles {
				s.noErr(tx.Insert(t, image(t, book(i-2, title, i)), nil))
			}
		}
	})
	s.view(func(sn endpoint.Snapshot) {
		ks, ims := s.scan(sn, t, nil)
		if len(ks) != 5*len(titles) {
			s.Fatalf("%d rows, want %d", len(ks), 5*len(titles))
		}
		if !slices.IsSortedFunc(ks, func(a, b record.Key) int { return bytes.Compare(a, b) }) {
			s.Error("rows are not in the order of their keys")
		}
		for i, k := range ks {
			rest, _ := s.scan(sn, t, k)
			if !slices.EqualFunc(rest, ks[i+1:], func(a, b record.Key) bool { return bytes.Equal(a, b) }) {
				s.Fatalf("after the %d-th key come %d rows, want %d", i, len(rest), len(ks)-i-1)
			}
			im, found, err := sn.Get(t, k, nil)
			s.noErr(err)
			if !found || !bytes.Equal(im, ims[i]) {
				s.Fatalf("the %d-th row cannot be found by its key", i)
			}
		}
		n, err := sn.Count(t)
		s.noErr(err)
		if int(n) != len(ks) {
			s.Errorf("count is %d, want %d", n, len(ks))
		}
		// A key that is not there, between others.
		between, _ := s.scan(sn, t, key(t, book(0, "a", 0)))
		beyond, _ := s.scan(sn, t, key(t, book(0, "a\x01", 0)))
		if len(between) != len(beyond) {
			s.Errorf("after a key that is not there come %d rows, want %d", len(beyond), len(between))
		}
	})
}

// isolation: a view stays what it is while others write, or says that it cannot.
func isolation(s *suite) {
	s.tables()
	s.user("INSERT INTO authors VALUES(1, 'a', 'Ada')")
	t := s.table("authors")
	for _, sliced := range []bool{false, true} {
		sn, err := s.e.Snapshot(s.ctx, sliced)
		s.noErr(err)
		if sliced {
			s.user("INSERT INTO authors VALUES(2, 'b', 'Bob')")
		}
		n, err := sn.Count(t)
		switch {
		case sliced && errors.Is(err, endpoint.ErrChanged):
		case err != nil:
			s.Fatal(err)
		case n != 1:
			s.Errorf("the view has %d rows, want 1", n)
		}
		s.noErr(sn.Close())
	}
}

// large: values in chunks go in and come out, and change.
func large(s *suite) {
	s.tables()
	t := s.table("authors")
	content := func(size int, seed byte) []byte {
		b := make([]byte, size)
		for i := range b {
			b[i] = 'a' + (byte(i>>8)^byte(i)^seed)%26
		}
		return b
	}
	kept := chunks{}
	w := record.ImageWriter{Chunks: kept.sink}
	make := func(name []byte) record.Image {
		r := author(1, "a", "")
		r["name"] = record.TextValue(name)
		return slices.Clone(write(&w, t, r))
	}
	before := make(content(record.ChunkSize+1, 0))
	after := make(content(3*record.ChunkSize, 1))
	k := key(t, author(1, "", ""))
	s.apply(pairA, 0, 1, func(tx endpoint.Tx) { s.noErr(tx.Insert(t, before, kept.source)) })
	want := func(im record.Image) {
		s.Helper()
		s.view(func(sn endpoint.Snapshot) {
			read := chunks{}
			got, found, err := sn.Get(t, k, read.sink)
			s.noErr(err)
			if !found || !bytes.Equal(got, im) {
				s.Fatalf("got %x, want %x", got, im)
			}
			s.noErr(got.EachChunk(func(h causal.Hash) {
				if !bytes.Equal(read[h], kept[h]) {
					s.Error("a chunk differs")
				}
			}))
		})
	}
	want(before)
	s.apply(pairA, 1, 2, func(tx endpoint.Tx) { s.noErr(tx.Update(t, k, before, after, kept.source)) })
	want(after)
	tx := s.begin(endpoint.Begin{Pair: pairA, From: at(2), To: at(3), Marker: marker})
	if err := tx.Update(t, k, after, before, chunks{}.source); err == nil {
		s.Error("a large value whose chunks are not there was written")
	}
	s.noErr(tx.Rollback())
	want(after)
}

// concurrent: an endpoint serves readers and a writer at once, and readers see whole
// transactions.
func concurrent(s *suite) {
	s.tables()
	t := s.table("authors")
	var g errgroup.Group
	const rounds = 20
	g.Go(func() error {
		for i := range uint64(rounds) {
			tx, err := s.e.Begin(s.ctx, endpoint.Begin{Pair: pairA, From: at(i), To: at(i + 1), Marker: marker})
			if err != nil {
				return err
			}
			for j := range int64(2) {
				if err := tx.Insert(t, image(t, author(int64(i)*2+j, fmt.Sprint(i, "/", j), "n")), nil); err != nil {
					return errors.Join(err, tx.Rollback())
				}
			}
			if err := tx.Commit(); err != nil {
				return errors.Join(err, tx.Rollback())
			}
		}
		return nil
	})
	for range 2 {
		g.Go(func() error {
			for {
				sn, err := s.e.Snapshot(s.ctx, true)
				if err != nil {
					return err
				}
				n, err := sn.Count(t)
				if errors.Is(err, endpoint.ErrChanged) {
					err = nil
				}
				if err := errors.Join(err, sn.Close()); err != nil {
					return err
				}
				switch {
				case n%2 != 0:
					return fmt.Errorf("half a transaction: %d rows", n)
				case n == 2*rounds:
					return nil
				}
			}
		})
	}
	s.noErr(g.Wait())
}

// handedBack: what Get returned may be handed to Update, which must not trip over it.
func handedBack(s *suite) {
	s.tables()
	t := s.table("books")
	b := book(1, "t", 1)
	s.apply(pairA, 0, 1, func(tx endpoint.Tx) {
		s.noErr(tx.Insert(t, image(t, b), nil))
		old, found, err := tx.Get(t, key(t, b), nil)
		s.noErr(err)
		if !found {
			s.Fatal("the row is not there")
		}
		s.noErr(tx.Update(t, key(t, b), old, image(t, book(1, "t", 2)), nil))
		now, _, err := tx.Get(t, key(t, b), nil)
		s.noErr(err)
		s.noErr(tx.Delete(t, key(t, b)))
		s.noErr(tx.Insert(t, now, nil))
	})
	s.wantRow(t, book(1, "t", 2))
}

// cancelled: a context that has ended ends what waits for it, and leaves nothing.
func cancelled(s *suite) {
	s.tables()
	ctx, cancel := context.WithCancel(s.ctx)
	t := s.table("authors")
	tx, err := s.e.Begin(ctx, endpoint.Begin{Pair: pairA, To: at(1), Marker: marker})
	s.noErr(err)
	s.noErr(tx.Insert(t, image(t, author(1, "a", "Ada")), nil))
	cancel()
	if err := tx.Commit(); err == nil {
		s.Error("a commit after the context ended succeeded")
	} else if !errors.Is(err, context.Canceled) {
		s.Errorf("commit: %v, want context.Canceled", err)
	}
	s.noErr(tx.Rollback())
	if in := s.inspect(); in.Counter != 0 {
		s.Error("a cancelled transaction was committed")
	}
}
