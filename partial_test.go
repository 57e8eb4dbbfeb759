package syncline_test

import (
	"context"
	"testing"
	"time"

	"github.com/syncline-io/syncline"
)

// A run that leaves tables out says nothing about them: the next one finds their edits.
func TestTablesLeftOutAreNotForgotten(t *testing.T) {
	for _, watch := range []bool{false, true} {
		p := newPlace(t)
		p.exec("a.db", `CREATE TABLE x(id INTEGER PRIMARY KEY, v); CREATE TABLE y(id INTEGER PRIMARY KEY, v);
			INSERT INTO x VALUES(1, 'x'); INSERT INTO y VALUES(1, 'y');`)
		if watch {
			p.watched("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true}, func() {})
		}
		p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
		p.exec("a.db", "UPDATE x SET v = 'x2'; UPDATE y SET v = 'y2'")
		p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Tables: []string{"x"}})
		p.holds("b.db", "SELECT v FROM x UNION ALL SELECT v FROM y", "\"x2\"\n\"y\"")
		p.sync("a.db", "b.db", syncline.Options{TwoWay: true})
		p.same("a.db", "b.db", "SELECT v FROM x UNION ALL SELECT v FROM y")
	}
}

// watched runs f while a watch has the databases in step, and then ends it.
func (p *place) watched(a, b string, o syncline.Options, f func()) *syncline.Report {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	started := make(chan struct{}, 1)
	o.StateDir, o.Watch = p.state, true
	o.Progress = func(pr syncline.Progress) {
		if pr.Phase == syncline.PhaseWatch {
			select {
			case started <- struct{}{}:
			default:
			}
		}
	}
	type result struct {
		r   *syncline.Report
		err error
	}
	done := make(chan result, 1)
	go func() {
		r, err := syncline.Sync(ctx, p.open(a), p.open(b), o)
		done <- result{r, err}
	}()
	select {
	case <-started:
		f()
	case r := <-done:
		p.t.Fatalf("watch ended: %v", r.err)
	case <-time.After(time.Minute):
		p.t.Fatal("watch does not begin")
	}
	cancel()
	res := <-done
	if res.err != nil {
		p.t.Fatalf("watch: %v", res.err)
	}
	return res.r
}

// until waits for a query to give what is wanted.
func (p *place) until(name, sql, want string) {
	p.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); p.query(name, sql) != want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: %s: got\n%s\nwant\n%s", name, sql, p.query(name, sql), want)
		}
	}
}

// A schema change that does not concern the rows makes a watch compare again, not end.
func TestWatchSurvivesASchemaChange(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", "CREATE TABLE x(id INTEGER PRIMARY KEY, v); INSERT INTO x VALUES(1, 'x')")
	p.watched("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true}, func() {
		p.exec("a.db", "CREATE INDEX by_v ON x(v)")
		p.exec("a.db", "UPDATE x SET v = 'after'")
		p.until("b.db", "SELECT v FROM x", `"after"`)
		p.exec("b.db", "UPDATE x SET v = 'back'")
		p.until("a.db", "SELECT v FROM x", `"back"`)
	})
}

// A lock that is held too long makes a watch wait, and nothing is lost meanwhile.
func TestWatchWaitsForALock(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", "CREATE TABLE x(id INTEGER PRIMARY KEY, v); INSERT INTO x VALUES(1, 'x')")
	p.patience = 100 * time.Millisecond
	p.watched("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true}, func() {
		release := p.lock("b.db")
		p.exec("a.db", "UPDATE x SET v = 'late'")
		time.Sleep(500 * time.Millisecond) // longer than the watch waits for a lock
		release()
		p.until("b.db", "SELECT v FROM x", `"late"`)
	})
}
