package endpointtest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// refused: what the database's rules refuse is a ConstraintError, has no effect, and ends
// nothing.
func refused(s *suite) {
	s.tables()
	t, books := s.table("authors"), s.table("books")
	a, b := author(1, "a", "Ada"), author(2, "b", "Bob")
	s.apply(pairA, 0, 1, func(tx endpoint.Tx) {
		s.noErr(tx.Insert(t, image(t, a), nil))
		s.noErr(tx.Insert(t, image(t, b), nil))
		refuses := func(kind endpoint.Constraint, table string, err error) {
			s.Helper()
			var c *endpoint.ConstraintError
			if !errors.As(err, &c) {
				s.Fatalf("%v, want a ConstraintError", err)
			}
			if c.Kind != kind || c.Table != table || c.Detail == "" {
				s.Errorf("refused with %+v, want kind %d of %s", c, kind, table)
			}
		}
		refuses(endpoint.Unique, "authors", tx.Insert(t, image(t, author(3, "a", "Cy")), nil))
		refuses(endpoint.Unique, "authors", tx.Insert(t, image(t, author(1, "c", "Cy")), nil))
		// Two rows that swap a unique value have to go through a third one.
		refuses(endpoint.Unique, "authors", tx.Update(t, key(t, a), image(t, a), image(t, author(1, "b", "Ada")), nil))
		refuses(endpoint.NotNull, "books", tx.Insert(books, image(books, row{"title": text("t"), "author": record.NullValue()}), nil))
		for _, r := range []row{a, b} {
			im, found, err := tx.Get(t, key(t, r), nil)
			s.noErr(err)
			if !found || !bytes.Equal(im, image(t, r)) {
				s.Errorf("a refused write changed %v", r)
			}
		}
		if _, found, err := tx.Get(t, key(t, author(3, "", "")), nil); err != nil || found {
			s.Errorf("a refused insert left a row (%v)", err)
		}
		park := author(1, "parked", "Ada")
		s.noErr(tx.Update(t, key(t, a), image(t, a), image(t, park), nil))
		s.noErr(tx.Update(t, key(t, b), image(t, b), image(t, author(2, "a", "Bob")), nil))
		s.noErr(tx.Update(t, key(t, a), image(t, park), image(t, author(1, "b", "Ada")), nil))
	})
	s.wantRow(t, author(1, "b", "Ada"))
	s.wantRow(t, author(2, "a", "Bob"))
}

// references: foreign keys are not enforced, and reported in both directions.
func references(s *suite) {
	s.tables()
	authors, books := s.table("authors"), s.table("books")
	a, b := author(1, "a", "Ada"), book(1, "t", 1843)
	s.apply(pairA, 0, 1, func(tx endpoint.Tx) {
		check := func(broken bool, t *endpoint.Table, from, to record.Image) {
			s.Helper()
			got, err := tx.Violates(t, from, to)
			s.noErr(err)
			if (got != "") != broken {
				s.Errorf("violates %q, want broken %v", got, broken)
			}
		}
		s.noErr(tx.Insert(books, image(books, b), nil))
		check(true, books, nil, image(books, b))
		s.noErr(tx.Insert(authors, image(authors, a), nil))
		check(false, books, nil, image(books, b))
		check(false, authors, nil, image(authors, a))
		renamed := author(1, "a", "Ada L.")
		s.noErr(tx.Update(authors, key(authors, a), image(authors, a), image(authors, renamed), nil))
		check(false, authors, image(authors, a), image(authors, renamed))
		s.noErr(tx.Delete(authors, key(authors, a)))
		check(true, authors, image(authors, renamed), nil)
		s.noErr(tx.Delete(books, key(books, b)))
		check(false, authors, image(authors, renamed), nil)
		check(false, books, image(books, b), nil)
	})
	s.view(func(sn endpoint.Snapshot) {
		broken, err := sn.Violates(books, image(books, b))
		s.noErr(err)
		if broken == "" {
			s.Error("a snapshot does not see the broken reference")
		}
	})
}

// capture: every write is logged under its key, on behalf of whoever made it.
func capture(s *suite) {
	s.tables()
	s.user("INSERT INTO authors VALUES(1, 'a', 'Ada')")
	authors, books := s.table("authors"), s.table("books")
	s.view(func(sn endpoint.Snapshot) {
		if c, err := sn.Cursor(); err != nil || c != 0 {
			s.Errorf("cursor without a log is %d (%v), want 0", c, err)
		}
		if err := sn.Changes(0, nil); !errors.Is(err, endpoint.ErrCapture) {
			s.Errorf("changes without a log: %v, want ErrCapture", err)
		}
	})
	if len(s.e.Objects(authors)) == 0 {
		s.Error("capture says that it creates nothing")
	}
	var start endpoint.Cursor
	s.commit(endpoint.Begin{Pair: pairA, Marker: marker}, func(tx endpoint.Tx) {
		s.noErr(tx.Capture([]*endpoint.Table{authors, books}))
		var err error
		start, err = tx.Cursor()
		s.noErr(err)
	})
	if b, ok := s.inspect().Binding(pairA); !ok || !b.Capturing || b.Progress != at(0) {
		s.Errorf("binding is %+v", b)
	}
	user := endpoint.Mark{}
	c := s.wantChanged(start, user)
	s.user("INSERT INTO authors VALUES(2, 'b', 'Bob')", "UPDATE authors SET name = 'Ada L.' WHERE id = 1", "DELETE FROM authors WHERE id = 2")
	s.user("INSERT INTO books VALUES(1, 'first', 1843, NULL)")
	c = s.wantChanged(c, user, "authors/2", "authors/1", `books/[1,"first"]`)
	s.user("UPDATE books SET title = 'second'")
	c = s.wantChanged(c, user, `books/[1,"first"]`, `books/[1,"second"]`)
	s.apply(pairA, 0, 5, func(tx endpoint.Tx) {
		s.noErr(tx.Insert(authors, image(authors, author(9, "z", "Zoe")), nil))
		s.noErr(tx.Delete(books, key(books, book(1, "second", 0))))
	})
	c = s.wantChanged(c, endpoint.Mark{Pair: pairA, Apply: 5}, "authors/9", `books/[1,"second"]`)
	s.commit(endpoint.Begin{Pair: pairA, From: at(5), To: at(5), Marker: marker}, func(tx endpoint.Tx) {
		s.noErr(tx.Passed(c))
	})
	if b, _ := s.inspect().Binding(pairA); b.Cursor != c {
		s.Errorf("cursor is %d, want %d", b.Cursor, c)
	}
	if end := s.wantChanged(c, user); end != c {
		s.Errorf("the end of the log moved from %d to %d", c, end)
	}
	s.user("DELETE FROM authors WHERE id = 9")
	if end := s.wantChanged(c, user, "authors/9"); end <= c {
		s.Errorf("an id of the log came again: %d after %d", end, c)
	}
	s.view(func(sn endpoint.Snapshot) {
		if err := sn.Changes(start, nil); !errors.Is(err, endpoint.ErrCapture) {
			s.Errorf("changes that were passed: %v, want ErrCapture", err)
		}
		if err := sn.Changes(c+1000, nil); !errors.Is(err, endpoint.ErrCapture) {
			s.Errorf("changes after the end: %v, want ErrCapture", err)
		}
	})
	// What the log lost while nobody captured is noticed, and so is that it began anew.
	end := c
	s.commit(endpoint.Begin{Pair: pairA, From: at(5), To: at(5), Marker: marker}, func(tx endpoint.Tx) {
		var err error
		end, err = tx.Cursor()
		s.noErr(err)
		s.noErr(tx.Release())
	})
	s.user("INSERT INTO authors VALUES(3, 'c', 'Cy')")
	s.commit(endpoint.Begin{Pair: pairA, From: at(5), To: at(5), Marker: marker}, func(tx endpoint.Tx) {
		s.noErr(tx.Capture([]*endpoint.Table{authors, books}))
	})
	s.view(func(sn endpoint.Snapshot) {
		if err := sn.Changes(end, nil); !errors.Is(err, endpoint.ErrCapture) {
			s.Errorf("changes over a pause of the capture: %v, want ErrCapture", err)
		}
	})
}

// twoPairs: pairs share a database; each sees the other's writes, and none ends the other.
func twoPairs(s *suite) {
	s.tables()
	authors, books := s.table("authors"), s.table("books")
	var a, b endpoint.Cursor
	s.apply(pairA, 0, 1, func(tx endpoint.Tx) {
		s.noErr(tx.Capture([]*endpoint.Table{authors, books}))
		var err error
		a, err = tx.Cursor()
		s.noErr(err)
	})
	s.apply(pairB, 0, 1, func(tx endpoint.Tx) {
		s.noErr(tx.Capture([]*endpoint.Table{authors}))
		var err error
		b, err = tx.Cursor()
		s.noErr(err)
	})
	s.wantChanged(a, endpoint.Mark{}) // the second pair's arrival loses nothing of the first's
	s.apply(pairB, 1, 2, func(tx endpoint.Tx) {
		s.noErr(tx.Insert(authors, image(authors, author(1, "a", "Ada")), nil))
	})
	a2 := s.wantChanged(a, endpoint.Mark{Pair: pairB, Apply: 2}, "authors/1")
	s.commit(endpoint.Begin{Pair: pairA, From: at(1), To: at(1), Marker: marker}, func(tx endpoint.Tx) { s.noErr(tx.Passed(a2)) })
	s.wantChanged(b, endpoint.Mark{Pair: pairB, Apply: 2}, "authors/1") // the second pair has not read it
	s.commit(endpoint.Begin{Pair: pairA, From: at(1), To: at(1), Marker: marker}, func(tx endpoint.Tx) { s.noErr(tx.Release()) })
	s.user("UPDATE authors SET name = 'x'", "INSERT INTO books VALUES(1, 't', NULL, NULL)")
	es, _ := s.changed(a2)
	if !slices.Contains(es, entry{"authors/1", endpoint.Pair{}, 0}) {
		s.Errorf("the end of one pair's capture ended the other's: %v", es)
	}
	for _, e := range es {
		if e.record[:5] == "books" {
			s.Errorf("a table is captured that no pair captures any more: %v", e)
		}
	}
	in := s.inspect()
	if x, _ := in.Binding(pairA); x.Capturing {
		s.Error("the released pair captures")
	}
	if x, _ := in.Binding(pairB); !x.Capturing {
		s.Error("the other pair does not capture any more")
	}
}

// forget: the last pair takes everything with it, an earlier one only what is its own.
func forget(s *suite) {
	s.tables()
	authors := s.table("authors")
	before := s.schema()
	for _, p := range []endpoint.Pair{pairA, pairB} {
		s.apply(p, 0, 1, func(tx endpoint.Tx) { s.noErr(tx.Capture([]*endpoint.Table{authors})) })
	}
	stay := func(p endpoint.Pair) endpoint.Begin {
		return endpoint.Begin{Pair: p, From: at(1), To: at(1), Marker: marker}
	}
	s.commit(stay(pairA), func(tx endpoint.Tx) { s.noErr(tx.Forget()) })
	in := s.inspect()
	if len(in.Bound) != 1 || in.Bound[0].Pair != pairB || !in.Bound[0].Capturing || in.Marker != marker {
		s.Errorf("after one pair was forgotten: %+v", in)
	}
	s.commit(stay(pairB), func(tx endpoint.Tx) { s.noErr(tx.Forget()) })
	in = s.inspect()
	if len(in.Bound) != 0 || in.Marker != [16]byte{} || in.Counter != 0 {
		s.Errorf("after both pairs were forgotten: %+v", in)
	}
	after := s.schema()
	if len(after.Tables) != len(before.Tables) || len(after.Skipped) != len(before.Skipped) {
		s.Errorf("the schema is %+v, was %+v", after, before)
	}
	s.user("INSERT INTO authors VALUES(1, 'a', 'Ada')")
}

// effects: the rows that a transaction wrote, each once.
func effects(s *suite) {
	s.tables()
	authors, books := s.table("authors"), s.table("books")
	got := map[string]int{}
	s.commit(endpoint.Begin{Pair: pairA, To: at(1), Marker: marker, Effects: true}, func(tx endpoint.Tx) {
		a := author(1, "a", "Ada")
		s.noErr(tx.Insert(authors, image(authors, a), nil))
		s.noErr(tx.Update(authors, key(authors, a), image(authors, a), image(authors, author(1, "b", "Ada")), nil))
		s.noErr(tx.Insert(books, image(books, book(1, "t", 1)), nil))
		s.noErr(tx.Insert(books, image(books, book(1, "u", 1)), nil))
		s.noErr(tx.Delete(books, key(books, book(1, "u", 1))))
		s.noErr(tx.Effects(func(t *endpoint.Table, k record.Key) error {
			name, err := record.FormatKey(t.Name, k)
			got[name]++
			if _, _, err := tx.Get(t, k, nil); err != nil {
				return err
			}
			return err
		}))
	})
	for _, want := range []string{"authors/1", `books/[1,"t"]`, `books/[1,"u"]`} {
		if got[want] != 1 {
			s.Errorf("%s was listed %d times", want, got[want])
		}
	}
	if len(got) != 3 {
		s.Errorf("effects are %v", got)
	}
}

// fingerprints: equal ones mean equal content, and both ends of a transaction have theirs.
func fingerprints(s *suite) {
	s.tables()
	authors := s.table("authors")
	look := func() []byte {
		s.Helper()
		f := s.inspect().Fingerprint
		if f == nil {
			s.Skip("the system gives no fingerprints")
		}
		return f
	}
	first := look()
	if !bytes.Equal(first, look()) {
		s.Error("the fingerprint changed by looking")
	}
	s.view(func(sn endpoint.Snapshot) {
		if got := sn.Fingerprint(); got != nil && !bytes.Equal(got, first) {
			s.Errorf("the snapshot's fingerprint is %x, want %x", got, first)
		}
	})
	tx := s.apply(pairA, 0, 1, func(tx endpoint.Tx) {
		if b := tx.Before(); b != nil && !bytes.Equal(b, first) {
			s.Errorf("the transaction began at %x, want %x", b, first)
		}
		if tx.After() != nil {
			s.Error("a transaction that runs knows what it left")
		}
		s.noErr(tx.Insert(authors, image(authors, author(1, "a", "Ada")), nil))
	})
	second := look()
	if bytes.Equal(first, second) {
		s.Error("a write left the fingerprint as it was")
	}
	if a := tx.After(); a != nil && !bytes.Equal(a, second) {
		s.Errorf("the transaction left %x, and there is %x", a, second)
	}
	seen := [][]byte{first, second}
	for range 5 {
		s.user("UPDATE authors SET name = name || '.'")
		f := look()
		for _, old := range seen {
			if bytes.Equal(old, f) {
				s.Error("a fingerprint came again")
			}
		}
		seen = append(seen, f)
	}
}

// watch: a write of anybody's is signalled, and the end of the context closes the channel.
func watch(s *suite) {
	s.tables()
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	signals, err := s.e.Watch(ctx)
	s.noErr(err)
	wait := func(what string) {
		s.Helper()
		select {
		case _, open := <-signals:
			if !open {
				s.Fatal("the channel was closed")
			}
		case <-time.After(10 * time.Second):
			s.Fatalf("no signal after %s", what)
		}
	}
	s.user("INSERT INTO authors VALUES(1, 'a', 'Ada')")
	wait("a user's write")
	s.apply(pairA, 0, 1, nil)
	wait("a write of ours")
	cancel()
	for range signals {
	}
}
