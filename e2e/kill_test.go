package e2e

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

const manyRows = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
	INSERT INTO t SELECT i, 'name ' || i, i * 0.25, x'00ff' || i, i % 100, 'some text that is as long as texts are ' || (i * 7919) FROM n`

// many creates a database with a table of so many rows.
func (w *world) many(name string, rows string) {
	w.Helper()
	w.create(name, `CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL, code BLOB, k INT, note TEXT); CREATE INDEX tk ON t(k);`+
		strings.Replace(manyRows, "%d", rows, 1))
}

// TestKilledFirstCopy kills the first copy of a large table again and again. It is
// resumed, not begun anew, and nothing is missing or twice at the end.
func TestKilledFirstCopy(t *testing.T) {
	t.Parallel()
	const total = 200_000
	w := newWorld(t)
	w.many("a.db", "200000")
	var kills int
	var runs []string
	var copied, last int64
	resumed := false
	for delay := 300 * time.Millisecond; ; delay = time.Duration(float64(delay) * 1.15) {
		p := w.start("sync", "--yes", "--json", "--two-way", "a.db", "b.db")
		select {
		case <-p.done:
		case <-time.After(delay + time.Duration(rand.Int64N(int64(100*time.Millisecond)))):
			p.kill()
		}
		r := p.report()
		runs = append(runs, r.out)
		if r.exit == 0 {
			copied = r.result(t).Summary.ToB.Inserted
			break
		}
		if r.exit >= 0 {
			t.Fatalf("%s: exit %d", r, r.exit)
		}
		kills++
		b := w.database("b.db")
		var now int64
		if len(b.tables()) > 0 {
			for _, v := range b.query("SELECT count(*) FROM t") {
				now = int64(atoi(t, v))
			}
		}
		b.close()
		if now < last {
			t.Fatalf("b.db had %d rows, and after another kill %d", last, now)
		}
		resumed = resumed || last > 0 && now > last
		last = now
	}
	t.Logf("%d kills; the last run copied %d of %d rows, %d were there", kills, copied, total, last)
	if kills < 2 {
		t.Errorf("%d kills: too few to say anything", kills)
	}
	if copied > total-last {
		t.Errorf("the last run copied %d rows, although %d of %d were there", copied, last, total)
	}
	if copied < total-last {
		t.Fatalf("the last run copied %d rows, although only %d of %d were there\n%s", copied, last, total, strings.Join(runs, "\n--\n"))
	}
	w.equal("a.db", "b.db")
	if s := w.sync(0, "--two-way", "a.db", "b.db"); s.ToA.rows()+s.ToB.rows() != 0 {
		t.Errorf("a run over equal databases wrote: %+v", s)
	}
}

// TestKilledSync kills runs that carry edits of both sides. Whenever it is killed, each
// database holds all of what was to be applied to it, or nothing of it.
func TestKilledSync(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many("a.db", "5000")
	w.edit("a.db", "UPDATE t SET k = 999")
	w.sync(0, "--two-way", "a.db", "b.db")
	delay := 50 * time.Millisecond
	for round := range 6 {
		serial := 1000 + round
		// No two sides edit one row, so no conflict hides what is lost.
		w.edit("a.db", strings.ReplaceAll("UPDATE t SET k = # WHERE id % 2 = 0", "#", itoa(serial)))
		w.edit("b.db", strings.ReplaceAll("UPDATE t SET k = # WHERE id % 2 = 1", "#", itoa(serial)))
		for done := false; !done; {
			p := w.start("sync", "--yes", "--json", "--two-way", "a.db", "b.db")
			select {
			case <-p.done:
				if r := p.report(); r.exit != 0 {
					t.Fatalf("%s: exit %d", r, r.exit)
				}
				done = true
			case <-time.After(delay):
				p.kill()
				delay = delay * 5 / 4
			}
			for _, name := range []string{"a.db", "b.db"} {
				d := w.database(name)
				for parity := range 2 {
					if got := d.text("SELECT count(DISTINCT k) FROM t WHERE id % 2 = ?", parity); got != "1" {
						t.Fatalf("%s holds half of an apply", name)
					}
				}
				d.close()
			}
		}
		w.equal("a.db", "b.db")
		if got := w.value("a.db", "SELECT count(*) FROM t WHERE k = ?", serial); got != "5000" {
			t.Fatalf("%s of 5000 rows arrived", got)
		}
		if round == 3 {
			delay = 100 * time.Millisecond
		}
	}
}

// TestInterrupt ends a first copy as Ctrl-C does: with 130, saying how to go on, and the
// next run goes on.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many("a.db", "200000")
	p := w.start("sync", "--yes", "--two-way", "--progress", "json", "a.db", "b.db")
	eventually(t, "rows in b.db", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return strings.Contains(p.errOut.String(), `"phase":"copy"`) || len(p.out) > 0
	})
	r := p.interrupt()
	if r.exit != 130 {
		t.Fatalf("%s: exit %d, want 130", r, r.exit)
	}
	if !strings.Contains(r.errOut, "syncline sync") {
		t.Errorf("%s: does not say how to go on", r)
	}
	w.sync(0, "--two-way", "a.db", "b.db")
	w.equal("a.db", "b.db")
}
