package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
)

// watch starts a two-way watch and waits until it watches.
func (w *world) watch(args ...string) *process {
	w.Helper()
	p := w.start(append([]string{"sync", "--yes", "--json", "--two-way", "--watch", "a.db", "b.db"}, args...)...)
	p.await(`"type":"watch"`)
	return p
}

// TestWatch carries edits over in both directions while it goes on, well within a second,
// and leaves nothing undone when it ends.
func TestWatch(t *testing.T) {
	for _, mode := range []string{"delete", "wal"} {
		t.Run(mode, func(t *testing.T) {
			w := newWorld(t)
			w.many("a.db", "1000")
			w.edit("a.db", "PRAGMA journal_mode = "+mode)
			w.sync(0, "--two-way", "a.db", "b.db")
			w.edit("b.db", "PRAGMA journal_mode = "+mode)
			p := w.watch()
			sides := [2]*database{w.database("a.db"), w.database("b.db")}
			var took []time.Duration
			for n := range 60 {
				from, to := sides[n%2], sides[1-n%2]
				begin := time.Now()
				from.do("UPDATE t SET note = ? WHERE id = ?", fmt.Sprint("edit ", n), n+1)
				eventually(t, "the edit at the other side", func() bool {
					return to.text("SELECT note FROM t WHERE id = ?", n+1) == fmt.Sprint("edit ", n)
				})
				took = append(took, time.Since(begin))
			}
			slices.Sort(took)
			t.Logf("edit to visible: p50 %v, p99 %v", took[len(took)/2], took[len(took)-1])
			if p50, p99 := took[len(took)/2], took[len(took)-1]; p50 > 300*time.Millisecond || p99 > time.Second+slack {
				t.Errorf("edit to visible: p50 %v, p99 %v", p50, p99)
			}
			sides[0].exec("DELETE FROM t WHERE id = 500")
			sides[1].exec("INSERT INTO t(id, name) VALUES (5000, 'new')")
			eventually(t, "a deletion and a new row at the other sides", func() bool {
				return sides[1].text("SELECT count(*) FROM t WHERE id = 500") == "0" && sides[0].text("SELECT count(*) FROM t WHERE id = 5000") == "1"
			})
			if r := p.interrupt(); r.exit != 0 && r.exit != 130 {
				t.Errorf("%s: exit %d", r, r.exit)
			}
			w.equal("a.db", "b.db")
			if s := w.sync(0, "--two-way", "a.db", "b.db"); s.ToA.rows()+s.ToB.rows() != 0 {
				t.Errorf("a run after the watch wrote: %+v", s)
			}
		})
	}
}

// TestWatchConflicts lists conflicts while it watches, and takes decisions in.
func TestWatchConflicts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.twoRows()
	// The edits meet because the program is stopped while both are made.
	p := w.watch()
	p.kill()
	w.edit("a.db", "UPDATE t SET v = 'a' WHERE id = 1")
	w.edit("b.db", "UPDATE t SET v = 'b' WHERE id = 1; UPDATE t SET v = 'bb' WHERE id = 2")
	p = w.watch()
	eventually(t, "the other edit", func() bool { return w.value("a.db", "SELECT v FROM t WHERE id = 2") == "bb" })
	c := w.conflicts("a.db", "b.db")
	if len(c) != 1 || c[0].Record != "t/1" || c[0].Kind != "open" || c[0].A["v"] != "a" || c[0].B["v"] != "b" {
		t.Errorf("conflicts %+v, want t/1 open while the pair is watched", c)
	}
	if got := w.value("a.db", "SELECT v FROM t WHERE id = 1") + w.value("b.db", "SELECT v FROM t WHERE id = 1"); got != "ab" {
		t.Errorf("the rows of an open conflict are %q, want both untouched", got)
	}
	w.edit("a.db", "UPDATE t SET v = 'agreed' WHERE id = 1")
	w.edit("b.db", "UPDATE t SET v = 'agreed' WHERE id = 1")
	eventually(t, "the conflict to close", func() bool { return len(w.conflicts("a.db", "b.db")) == 0 })
	p.interrupt()
	w.sync(0, "--two-way", "a.db", "b.db")
	w.equal("a.db", "b.db")
}

// TestWatchTransactions lets a reader at the other side look all the time: a transaction
// of the user's is there whole or not at all.
func TestWatchTransactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("a.db", `PRAGMA journal_mode = WAL; CREATE TABLE account(id INTEGER PRIMARY KEY, balance INT NOT NULL); CREATE TABLE entry(id INTEGER PRIMARY KEY, n INT, amount INT);
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO account SELECT i, 100 FROM n`)
	w.sync(0, "--two-way", "a.db", "b.db")
	w.edit("b.db", "PRAGMA journal_mode = WAL")
	p := w.watch()
	a, b := w.database("a.db"), open(w, w.path("b.db"), sqlite.OpenReadOnly)
	looked := 0
	look := func() string {
		looked++
		b.exec("BEGIN")
		sum := b.text("SELECT sum(balance) FROM account")
		halves := b.text("SELECT count(*) FROM (SELECT n FROM entry GROUP BY n HAVING count(*) <> 2 OR sum(amount) <> 0)")
		last := b.text("SELECT ifnull(max(n), 0) FROM entry")
		b.exec("COMMIT")
		if sum != "20000" || halves != "0" {
			t.Fatalf("half a transaction is visible: sum %s, %s halves, last %s", sum, halves, last)
		}
		return last
	}
	const transfers = 150
	for n := 1; n <= transfers; n++ {
		from, to := 1+n*7%200, 1+n*13%200
		a.exec(fmt.Sprintf(`BEGIN; UPDATE account SET balance = balance - %[3]d WHERE id = %[1]d; INSERT INTO entry(n, amount) VALUES (%[3]d, -%[3]d);
			UPDATE account SET balance = balance + %[3]d WHERE id = %[2]d; INSERT INTO entry(n, amount) VALUES (%[3]d, %[3]d); COMMIT`, from, to, n))
		look()
	}
	eventually(t, "the last transfer", func() bool { return look() == itoa(transfers) })
	t.Logf("looked %d times", looked)
	p.interrupt()
	w.equal("a.db", "b.db")
}

// TestWatchKilled kills a watch among edits of both sides, starts it again, and loses
// nothing.
func TestWatchKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.many("a.db", "100")
	w.sync(0, "--two-way", "a.db", "b.db")
	sides := [2]*database{w.database("a.db"), w.database("b.db")}
	n := 0
	for round := range 8 {
		p := w.watch()
		for range 10 {
			n++
			// Each side has rows of its own to edit: what meets nothing has to arrive.
			d := sides[n%2]
			id := n%2 + 1 + 2*(n%50)
			d.do("UPDATE t SET note = ?, k = ? WHERE id = ?", fmt.Sprint("edit ", n), n, id)
			d.do("INSERT INTO t(id, name, k) VALUES (?, 'new', ?)", 1000+n, n)
			if n%5 == round%5 {
				time.Sleep(20 * time.Millisecond)
			}
		}
		p.kill()
		p.report().checkCrash(t)
	}
	want := [2]string{}
	for i, d := range sides {
		own := strings.Join(d.query("SELECT id || note FROM t WHERE id <= 100 AND id % 2 = ? ORDER BY id", 1-i), "\n")
		want[i] = own
	}
	w.sync(0, "--two-way", "a.db", "b.db")
	w.equal("a.db", "b.db")
	if got := sides[0].text("SELECT count(*) FROM t WHERE id > 1000"); got != itoa(n) {
		t.Errorf("%s of %d new rows are there", got, n)
	}
	for i := range sides {
		for _, d := range sides {
			if got := strings.Join(d.query("SELECT id || note FROM t WHERE id <= 100 AND id % 2 = ? ORDER BY id", 1-i), "\n"); got != want[i] {
				t.Errorf("edits of %s are lost in %s", sideName(i), d.path)
			}
		}
	}
}

// TestWatchOneWay follows one database, and leaves no triggers in the one it writes to.
func TestWatchOneWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("a.db", small)
	p := w.start("sync", "--yes", "--json", "--watch", "a.db", "b.db")
	p.await(`"type":"watch"`)
	w.edit("a.db", "UPDATE t SET v = 'edited' WHERE id = 1; INSERT INTO t VALUES (4, 'd')")
	eventually(t, "the edits in b.db", func() bool {
		return w.value("b.db", "SELECT count(*) FROM t WHERE v IN ('edited', 'd')") == "2"
	})
	p.interrupt()
	for _, o := range w.objects("b.db") {
		if strings.HasPrefix(o, "trigger") {
			t.Errorf("b.db, whose edits do not count, has %s", o)
		}
	}
	w.must(0, "sync", "--uninstall", "--yes", "a.db", "b.db")
	for _, name := range []string{"a.db", "b.db"} {
		if got := w.objects(name); len(got) > 0 {
			t.Errorf("%s still has %q", name, got)
		}
	}
}
