package syncline_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/syncline-io/syncline"
)

// Runs of every mode, over all tables or some, with edits between them, end with equal
// databases once a run of both ways has sent everything; and no run that is not asked to
// overwrites or deletes.
func TestModesInAnyOrder(t *testing.T) {
	seeds := []int{0, 1, 8, 44}
	if os.Getenv("SYNCLINE_LONG") != "" {
		for seed := range 100 {
			seeds = append(seeds, 100+seed)
		}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			modesInAnyOrder(t, rand.New(rand.NewPCG(uint64(seed), 7)))
		})
	}
}

func modesInAnyOrder(t *testing.T, r *rand.Rand) {
	p := newPlace(t)
	const schema = "CREATE TABLE x(id INTEGER PRIMARY KEY, v, w); CREATE TABLE Y(id INTEGER PRIMARY KEY, v, w); INSERT INTO x(id) VALUES(100); INSERT INTO y(id) VALUES(100);"
	p.exec("a.db", schema)
	p.exec("b.db", schema)
	const content = "SELECT 'x', * FROM x UNION ALL SELECT 'y', * FROM y ORDER BY 1, 2"
	names := [2]string{"a.db", "b.db"}
	edit := func(db string) {
		for range r.IntN(4) {
			table, id := []string{"x", "y"}[r.IntN(2)], r.IntN(8)
			switch r.IntN(5) {
			case 0:
				p.exec(db, fmt.Sprintf("DELETE FROM %s WHERE id = %d", table, id))
			case 1, 2:
				p.exec(db, fmt.Sprintf("INSERT OR REPLACE INTO %s VALUES(%d, %d, %d)", table, id, r.IntN(3), r.IntN(3)))
			default:
				p.exec(db, fmt.Sprintf("UPDATE %s SET %s = %d WHERE id = %d", table, []string{"v", "w"}[r.IntN(2)], r.IntN(3), id))
			}
		}
	}
	var trace []string
	note := func() { trace = append(trace, "A "+p.query("a.db", content)+" B "+p.query("b.db", content)) }
	both := syncline.Options{TwoWay: true, Yes: true, Delete: true, AllowEmptySource: true, MaxDelete: 1, OnConflict: rule(t, "priority:a,b")}
	for step := range 25 {
		edit("a.db")
		edit("b.db")
		o := syncline.Options{AllowEmptySource: true, MaxDelete: 1}
		o.TwoWay, o.Yes, o.Delete = r.IntN(2) == 0, r.IntN(3) > 0, r.IntN(3) == 0
		if r.IntN(3) == 0 {
			o.Tables = []string{[]string{"x", "y"}[r.IntN(2)]}
		}
		if o.TwoWay && r.IntN(2) == 0 {
			o.OnConflict = rule(t, []string{"newest", "priority:a,b"}[r.IntN(2)])
		}
		note()
		from := r.IntN(2)
		watch := r.IntN(6) == 0
		before := p.query(names[1-from], content)
		trace = append(trace, fmt.Sprintf("%d: from %s two %v yes %v delete %v tables %v watch %v", step, names[from], o.TwoWay, o.Yes, o.Delete, o.Tables, watch))
		if watch {
			o.Yes = true
			p.watched(names[from], names[1-from], o, func() { edit("a.db"); edit("b.db") })
		} else if _, err := p.trySync(names[from], names[1-from], o); errors.Is(err, syncline.ErrUnconfirmed) {
			if now := p.query(names[1-from], content); now != before {
				t.Fatalf("not confirmed and written all the same\n%s", now)
			}
		} else if err != nil {
			t.Fatalf("%v: %v", trace, err)
		}
		note()
		if r.IntN(4) == 0 {
			rep := p.sync("a.db", "b.db", both)
			trace = append(trace, "both")
			if a, b := p.query("a.db", content), p.query("b.db", content); a != b || !rep.Settled {
				t.Fatalf("%s\nreport %+v\na:\n%s\nb:\n%s", strings.Join(trace[max(0, len(trace)-12):], "\n"), rep, a, b)
			}
		}
	}
}
