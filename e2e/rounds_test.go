package e2e

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestRandomRounds edits both databases at random, syncs them with rules that vary, kills
// the program in between at random moments, and holds every finished run against a model
// that knows every edit: an edit of one side arrives, an edit of both sides is listed or
// was decided by the rule, and nothing else happens.
func TestRandomRounds(t *testing.T) {
	t.Parallel()
	rounds := number(t, "SYNCLINE_E2E_ROUNDS", 12)
	seed := number(t, "SYNCLINE_E2E_SEED", int(time.Now().UnixNano()&0xffffff))
	t.Logf("SYNCLINE_E2E_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(uint64(seed), 1)) //nolint:gosec // reproducible on purpose
	w := newWorld(t)
	w.chinook("a.db")
	w.edit("a.db", "CREATE UNIQUE INDEX GenreName ON Genre(Name)")
	if rng.IntN(2) == 0 {
		w.edit("a.db", "PRAGMA journal_mode = WAL")
	}
	w.sync(0, "a.db", "b.db", "--two-way")
	w.equal("a.db", "b.db")

	m := &model{records: map[string]*past{}}
	e := newEditor(rng, w.database("a.db"), w.database("b.db"), m)
	for name, r := range e.snapshot(0) {
		m.records[name] = &past{base: r}
	}
	typical := 300 * time.Millisecond
	for round := range rounds {
		e.editBoth()
		rule := []string{"keep", "keep", "keep", "a", "b", "newest", "fields"}[rng.IntN(7)]
		pair := []string{"a.db", "b.db"}
		args := append([]string{"sync", "--json", "--yes", "--two-way", "--max-delete", "50%", "--on-conflict", rule}, pair...)
		for rng.IntN(3) > 0 {
			p := w.start(args...)
			time.Sleep(time.Duration(rng.Int64N(int64(typical))))
			p.kill()
			p.report().checkCrash(t)
			left := [2]map[string]row{e.snapshot(0), e.snapshot(1)} // which rolls back what was half done
			listed, _ := w.listed(rule)
			m.kill(rule, left, listed)
			if rng.IntN(2) == 0 {
				e.editBoth()
			}
		}
		r := w.run(args...)
		typical = (typical + r.took) / 2
		if r.exit > 1 {
			t.Fatalf("round %d: %s: exit %d", round, r, r.exit)
		}
		listed, open := w.listed(rule)
		if (r.exit == 1) != (open > 0) {
			t.Errorf("round %d: exit %d with %d conflicts open or parked\n%s", round, r.exit, open, r)
		}
		for name, err := range m.finish(e.snapshot(0), e.snapshot(1), listed, rule) {
			t.Errorf("round %d, rule %s: %s: %v", round, rule, name, err)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	w.settle(e)
	w.equal("a.db", "b.db")
	if s := w.sync(0, "a.db", "b.db", "--two-way"); s.ToA.rows()+s.ToB.rows() != 0 {
		t.Errorf("a run over equal databases wrote: %+v", s)
	}
}

// editBoth makes a few edits at both sides.
func (e *editor) editBoth() {
	for range 2 + e.rng.IntN(14) {
		e.edit(e.rng.IntN(2))
	}
}

// listed returns as what each record is listed with a rule, and how many wait.
func (w *world) listed(rule string) (kinds map[string]set[string], waiting int) {
	w.Helper()
	kinds = map[string]set[string]{}
	for _, c := range w.conflicts("a.db", "b.db", "--on-conflict", rule) {
		kinds[c.Record] = kinds[c.Record].add(c.Kind)
		if c.Kind != "resolved" {
			waiting++
		}
	}
	return kinds, waiting
}

// settle decides every conflict that is open, and repairs by hand what is parked, as a
// person would.
func (w *world) settle(e *editor) {
	w.Helper()
	for range 20 {
		kinds, waiting := w.listed("keep")
		if waiting == 0 {
			w.sync(0, "a.db", "b.db", "--two-way")
			return
		}
		for name, k := range kinds {
			if k["open"] {
				take := sideName(e.rng.IntN(2))
				r := w.run("conflicts", "resolve", "a.db", "b.db", name, "--take", take)
				if r.exit != 0 && r.exit != 1 {
					w.Fatalf("%s: exit %d", r, r.exit)
				}
			}
			if k["parked"] {
				e.repair(name)
			}
		}
		if r := w.run("sync", "--yes", "--two-way", "a.db", "b.db"); r.exit > 1 {
			w.Fatalf("%s: exit %d", r, r.exit)
		}
	}
	r := w.run("conflicts", "a.db", "b.db")
	w.Fatalf("conflicts that nothing settles: %s", r)
}

// repair makes both sides hold the same of a parked record where SQLite allows it: what
// one side has and the other will not take is deleted or given its old value.
func (e *editor) repair(name string) {
	table, key, _ := strings.Cut(name, "/")
	ids := strings.Split(strings.Trim(key, "[]"), ",")
	for i := range e.tables {
		t := &e.tables[i]
		if t.name != table {
			continue
		}
		probe := make(row, len(t.columns))
		for n, k := range t.key {
			probe[k] = cell("integer " + ids[n])
		}
		where := t.where(probe)
		for _, d := range e.sides {
			// Without its children a row can go, and without the row its parent can.
			d.exec("PRAGMA foreign_keys = OFF")
			d.exec("DELETE FROM " + quote(table) + " " + where)
			for again := true; again; {
				again = false
				for _, o := range d.query(`SELECT format('DELETE FROM "%w" WHERE rowid = %d', "table", rowid) FROM pragma_foreign_key_check`) {
					d.exec(o)
					again = true
				}
			}
			d.exec("PRAGMA foreign_keys = ON")
		}
	}
}

// number reads a variable of the environment.
func number(t testing.TB, name string, otherwise int) int {
	v := os.Getenv(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
