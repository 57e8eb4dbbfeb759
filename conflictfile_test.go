package syncline_test

import (
	"context"
	"errors"
	"testing"

	"github.com/syncline-io/syncline"
)

// While a pair is watched its conflicts can be asked for, from either end.
func TestConflictsOfAWatchedPair(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", "CREATE TABLE x(id INTEGER PRIMARY KEY, v); INSERT INTO x VALUES(1, 'x'), (2, X'00ff')")
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
	p.exec("a.db", "UPDATE x SET v = 'a' WHERE id = 1")
	p.exec("b.db", "UPDATE x SET v = 'b' WHERE id = 1")
	ask := func(a, b string) (got []syncline.Conflict, err error) {
		err = syncline.Conflicts(context.Background(), p.open(a), p.open(b), syncline.StateOptions{StateDir: p.state},
			func(c syncline.Conflict) error { got = append(got, c); return nil })
		return got, err
	}
	p.watched("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true}, func() {
		for _, order := range [][2]string{{"a.db", "b.db"}, {"b.db", "a.db"}} {
			got, err := ask(order[0], order[1])
			if err != nil || len(got) != 1 {
				t.Fatalf("%v: %+v, %v", order, got, err)
			}
			c := got[0]
			if c.Record != "x/1" || c.Kind != syncline.ConflictOpen || c.A.Values[1].String() != order[0][:1] || c.B.Values[1].String() != order[1][:1] {
				t.Errorf("%v: %+v", order, c)
			}
		}
		_, err := syncline.Resolve(context.Background(), p.open("a.db"), p.open("b.db"), syncline.StateOptions{StateDir: p.state}, "x/1", syncline.TakeA)
		if !errors.Is(err, syncline.ErrBusy) {
			t.Errorf("deciding while watched: %v", err)
		}
		p.exec("b.db", "UPDATE x SET v = 'a' WHERE id = 1")
		p.until("a.db", "SELECT count(*) FROM x", "2")
		for {
			got, err := ask("a.db", "b.db")
			if err != nil {
				t.Fatal(err)
			}
			if len(got) == 0 {
				break
			}
		}
	})
	if got, err := ask("a.db", "b.db"); err != nil || len(got) != 0 {
		t.Errorf("afterwards: %+v, %v", got, err)
	}
}
