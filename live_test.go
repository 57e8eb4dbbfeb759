package syncline_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/syncline-io/syncline"
)

// writer edits databases until it is stopped.
type writer struct {
	stop chan struct{}
	wait sync.WaitGroup
	err  error
}

// write calls sql for the next statement of a database over and over.
func (p *place) write(name string, pause time.Duration, sql func(n int) string) *writer {
	w := &writer{stop: make(chan struct{})}
	w.wait.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-w.stop:
				return
			case <-time.After(pause):
			}
			if w.err = p.try(name, sql(n)); w.err != nil {
				return
			}
		}
	})
	p.t.Cleanup(func() { _ = w.end() })
	return w
}

func (w *writer) end() error {
	select {
	case <-w.stop:
	default:
		close(w.stop)
	}
	w.wait.Wait()
	return w.err
}

// While one database is being written to, the rows that are really different are found, and
// nothing is made up: rows that nobody touches are equal.
func TestDiffOfALiveDatabase(t *testing.T) {
	for _, mode := range []string{"delete", "wal"} {
		t.Run(mode, func(t *testing.T) {
			p := newPlace(t)
			if mode == "wal" {
				p.wal("a.db")
			}
			p.exec("a.db", orders+many(20000)+"UPDATE orders SET total = -1 WHERE id = 15000")
			p.exec("b.db", orders+many(20000))
			// Every write is undone by the next: rows 1 to 10 differ at most for a moment.
			w := p.write("a.db", time.Millisecond, func(n int) string {
				if n%2 == 0 {
					return fmt.Sprintf("UPDATE orders SET total = 77 WHERE id = %d", n/2%10+1)
				}
				return fmt.Sprintf("UPDATE orders SET total = id WHERE id = %d", n/2%10+1)
			})
			for range 5 {
				_, lines := p.diff("a.db", "b.db", syncline.DiffOptions{})
				found := false
				for _, l := range lines {
					switch {
					case l == "* orders/15000 total -1->15000":
						found = true
					case len(l) > len("* orders/10 total 77->10"):
						t.Errorf("made up: %s", l)
					}
				}
				if !found {
					t.Errorf("the row that differs was not found: %q", lines)
				}
			}
			if err := w.end(); err != nil {
				t.Errorf("the writer: %v", err)
			}
		})
	}
}

// What is edited while a person thinks about the plan is neither lost nor overwritten.
func TestEditWhileAsked(t *testing.T) {
	for _, mode := range []string{"delete", "wal"} {
		t.Run(mode, func(t *testing.T) {
			p := newPlace(t)
			if mode == "wal" {
				p.wal("a.db")
				p.wal("b.db")
			}
			p.exec("a.db", orders+many(20))
			p.sync("a.db", "b.db", syncline.Options{})
			p.exec("b.db", "UPDATE orders SET total = 50 WHERE id = 5")
			p.exec("a.db", "UPDATE orders SET total = 51 WHERE id = 5")
			asked := 0
			o := syncline.Options{Confirm: func(_ context.Context, plan *syncline.Plan) (bool, error) {
				asked++
				if asked == 1 {
					start := time.Now()
					p.exec("a.db", "UPDATE orders SET total = 61 WHERE id = 6")
					p.exec("b.db", "UPDATE orders SET total = 70 WHERE id = 7")
					if d := time.Since(start); d > 2*time.Second {
						t.Errorf("two edits took %v while a person was asked", d)
					}
				}
				return true, nil
			}}
			if _, err := p.trySync("a.db", "b.db", o); err != nil {
				t.Fatal(err)
			}
			p.holds("b.db", "SELECT total FROM orders WHERE id = 5", "51")
			o.Confirm = nil
			_, err := p.trySync("a.db", "b.db", o)
			if asked < 2 && p.query("b.db", "SELECT total FROM orders WHERE id = 7") == "7" {
				t.Error("an edit at the target was overwritten without anybody having been asked about it")
			}
			if err != nil && !errors.Is(err, syncline.ErrUnconfirmed) {
				t.Error(err)
			}
			p.sync("a.db", "b.db", syncline.Options{Yes: true})
			p.same("a.db", "b.db", all)
		})
	}
}
