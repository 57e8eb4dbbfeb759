package syncline_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/syncline-io/syncline"
)

// watching is a Sync that watches in the background.
type watching struct {
	rounds chan *syncline.Report
	plans  []*syncline.Plan
	stop   context.CancelFunc
	done   chan struct{}
	report *syncline.Report
	err    error
}

// watch begins to watch and returns once changes are waited for.
func (p *place) watch(a, b string, o syncline.Options) *watching {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &watching{rounds: make(chan *syncline.Report, 1000), stop: cancel, done: make(chan struct{})}
	ready := make(chan struct{})
	o.StateDir, o.Watch = p.state, true
	o.Round = func(r *syncline.Report) { w.rounds <- r }
	o.Plan = func(p *syncline.Plan) { w.plans = append(w.plans, p) }
	o.Progress = func(p syncline.Progress) {
		if p.Phase == syncline.PhaseWatch {
			select {
			case <-ready:
			default:
				close(ready)
			}
		}
	}
	go func() {
		defer close(w.done)
		w.report, w.err = syncline.Sync(ctx, p.open(a), p.open(b), o)
	}()
	p.t.Cleanup(func() { cancel(); <-w.done })
	select {
	case <-ready:
	case <-w.done:
		p.t.Fatalf("watch ended: %v", w.err)
	case <-time.After(20 * time.Second):
		p.t.Fatal("watch does not begin")
	}
	return w
}

// end stops watching.
func (w *watching) end(t *testing.T) *syncline.Report {
	t.Helper()
	w.stop()
	select {
	case <-w.done:
	case <-time.After(20 * time.Second):
		t.Fatal("watch does not end")
	}
	if w.err != nil {
		t.Fatalf("watch: %v", w.err)
	}
	return w.report
}

// becomes waits until a query gives what is wanted.
func (p *place) becomes(name, sql, want string) {
	p.t.Helper()
	var got string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if got = p.query(name, sql); got == want {
			return
		}
	}
	p.t.Fatalf("%s: %s: still\n%s\nwant\n%s", name, sql, got, want)
}

func TestWatchTwoWay(t *testing.T) {
	for _, mode := range []string{"delete", "wal"} {
		t.Run(mode, func(t *testing.T) {
			p := newPlace(t)
			if mode == "wal" {
				p.wal("a.db")
				p.wal("b.db")
			}
			p.exec("a.db", orders+many(50))
			w := p.watch("a.db", "b.db", syncline.Options{TwoWay: true})
			if len(w.plans) != 1 || len(w.plans[0].Installs) == 0 {
				t.Errorf("plans: %+v", w.plans)
			}
			p.exec("a.db", "UPDATE orders SET total = -1 WHERE id = 7")
			p.becomes("b.db", "SELECT total FROM orders WHERE id = 7", "-1")
			p.exec("b.db", "DELETE FROM orders WHERE id = 8; INSERT INTO orders VALUES(1000,'new',1)")
			p.becomes("a.db", "SELECT id FROM orders WHERE id IN (8,1000)", "1000")
			// A user's transaction arrives whole: the last row of it implies the first.
			p.exec("a.db", "UPDATE orders SET customer = 'same' WHERE id < 40")
			p.becomes("b.db", "SELECT count(*) FROM orders WHERE customer = 'same'", "38")
			r := w.end(t)
			if r.ToB.Updates < 39 || r.ToA.Inserts != 1 || r.ToA.Deletes != 1 || !r.Settled {
				t.Errorf("report: %+v", r)
			}
			p.same("a.db", "b.db", all)
			// Edits while nobody watches are found by the next run.
			p.exec("b.db", "UPDATE orders SET total = 3 WHERE id = 3")
			p.sync("a.db", "b.db", syncline.Options{TwoWay: true})
			p.same("a.db", "b.db", all)
			if r := p.sync("a.db", "b.db", syncline.Options{TwoWay: true}); r.ToA != (syncline.Effect{}) || r.ToB != (syncline.Effect{}) {
				t.Errorf("nothing was new: %+v", r)
			}
		})
	}
}

func TestWatchOneWay(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+many(3))
	w := p.watch("a.db", "b.db", syncline.Options{Delete: true})
	p.exec("a.db", "UPDATE orders SET total = 9 WHERE id = 1")
	p.becomes("b.db", "SELECT total FROM orders WHERE id = 1", "9")
	w.end(t)
	p.holds("b.db", "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'", "0")
	if p.query("a.db", "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger'") == "0" {
		t.Error("the source has no triggers")
	}
}

func TestWatchConflictStaysOpen(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+many(3))
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true})
	p.exec("a.db", "UPDATE orders SET total = 11 WHERE id = 1")
	p.exec("b.db", "UPDATE orders SET total = 22 WHERE id = 1")
	w := p.watch("a.db", "b.db", syncline.Options{TwoWay: true})
	p.exec("a.db", "UPDATE orders SET total = 5 WHERE id = 2")
	p.becomes("b.db", "SELECT total FROM orders WHERE id = 2", "5")
	r := w.end(t)
	if r.Open != 1 || r.Settled {
		t.Errorf("report: %+v", r)
	}
	p.holds("a.db", "SELECT total FROM orders WHERE id = 1", "11")
	p.holds("b.db", "SELECT total FROM orders WHERE id = 1", "22")
}

// An uninstall after watching leaves nothing.
func TestWatchThenUninstall(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+many(3))
	w := p.watch("a.db", "b.db", syncline.Options{TwoWay: true})
	w.end(t)
	if _, err := syncline.Uninstall(context.Background(), p.open("a.db"), p.open("b.db"), syncline.StateOptions{StateDir: p.state}); err != nil {
		t.Fatal(err)
	}
	for _, db := range []string{"a.db", "b.db"} {
		if got := p.query(db, "SELECT name FROM sqlite_schema"); strings.Contains(got, "_syncline") {
			t.Errorf("%s still has\n%s", db, got)
		}
	}
}
