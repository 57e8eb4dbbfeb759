package syncline_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/endpoint"
)

// sync runs Sync with consent given beforehand, unless o says otherwise.
func (p *place) trySync(a, b string, o syncline.Options) (*syncline.Report, error) {
	p.t.Helper()
	o.StateDir = p.state
	return syncline.Sync(context.Background(), p.open(a), p.open(b), o)
}

func (p *place) sync(a, b string, o syncline.Options) *syncline.Report {
	p.t.Helper()
	r, err := p.trySync(a, b, o)
	if err != nil {
		p.t.Fatalf("sync %s %s: %v", a, b, err)
	}
	return r
}

// same fails unless a query gives the same in both databases, and returns what it gives.
func (p *place) same(a, b, sql string) string {
	p.t.Helper()
	x, y := p.query(a, sql), p.query(b, sql)
	if x != y {
		p.t.Errorf("%s:\n%s: %s\n%s: %s", sql, a, x, b, y)
	}
	return x
}

// holds fails unless a query gives what is wanted.
func (p *place) holds(name, sql, want string) {
	p.t.Helper()
	if got := p.query(name, sql); got != want {
		p.t.Errorf("%s: %s: got\n%s\nwant\n%s", name, sql, got, want)
	}
}

const all = "SELECT * FROM orders ORDER BY id"

func TestSyncOneWay(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`CREATE INDEX by_customer ON orders(customer);
		INSERT INTO orders VALUES(1,'x',1.5),(2,NULL,2),(3,'z',NULL);`)
	var plans []*syncline.Plan
	show := func(p *syncline.Plan) { plans = append(plans, p) }
	r := p.sync("a.db", "b.db", syncline.Options{Plan: show})
	p.same("a.db", "b.db", all)
	p.same("a.db", "b.db", "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE '\\_%' ESCAPE '\\'")
	if r.ToB.Inserts != 3 || r.ToB.Deletes != 0 || !r.Settled {
		t.Errorf("first run: %+v", r)
	}
	if len(plans) != 1 || len(plans[0].Creates) != 2 || plans[0].B.Exists || plans[0].NeedsConsent() {
		t.Errorf("first plan: %+v", plans[0])
	}
	p.holds("a.db", "SELECT count(*) FROM sqlite_schema", "2")

	r = p.sync("a.db", "b.db", syncline.Options{})
	if !r.Plan.Nothing || !r.Plan.Known || r.ToB != (syncline.Effect{}) || !r.Settled {
		t.Errorf("second run: %+v, plan %+v", r, r.Plan)
	}

	p.exec("a.db", "UPDATE orders SET total = 9 WHERE id = 1; DELETE FROM orders WHERE id = 2; INSERT INTO orders VALUES(4,'w',4)")
	r = p.sync("a.db", "b.db", syncline.Options{})
	if r.ToB.Inserts != 1 || r.ToB.Updates != 1 || r.ToB.Deletes != 0 || r.Pending != 1 {
		t.Errorf("third run: %+v", r)
	}
	p.holds("b.db", "SELECT id FROM orders ORDER BY id", "1\n2\n3\n4")

	r = p.sync("a.db", "b.db", syncline.Options{Delete: true, Yes: true})
	if r.ToB.Deletes != 1 || r.Pending != 0 {
		t.Errorf("with deletions: %+v", r)
	}
	p.same("a.db", "b.db", all)
}

func TestSyncOneWayOverwrites(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1),(2,'y',2);`)
	p.sync("a.db", "b.db", syncline.Options{})
	p.exec("b.db", "UPDATE orders SET total = 7 WHERE id = 1")
	p.exec("a.db", "UPDATE orders SET total = 8 WHERE id = 1")
	_, err := p.trySync("a.db", "b.db", syncline.Options{})
	var guard *syncline.GuardError
	if !errors.As(err, &guard) || !errors.Is(err, syncline.ErrUnconfirmed) || !errors.Is(err, syncline.ErrGuard) {
		t.Fatalf("got %v, want ErrUnconfirmed", err)
	}
	if len(guard.Plan.Tables) != 1 || guard.Plan.Tables[0].ToB.Overwrites != 1 {
		t.Errorf("plan: %+v", guard.Plan)
	}
	p.holds("b.db", all, `1 "x" 7`+"\n"+`2 "y" 2`)
	asked := 0
	r := p.sync("a.db", "b.db", syncline.Options{Confirm: func(_ context.Context, p *syncline.Plan) (bool, error) {
		asked++
		return true, nil
	}})
	if asked != 1 || r.ToB.Overwrites != 1 {
		t.Errorf("asked %d times; %+v", asked, r)
	}
	p.same("a.db", "b.db", all)
}

func TestSyncTwoWay(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1),(2,'y',2),(3,'z',3);`)
	two := syncline.Options{TwoWay: true}
	p.sync("a.db", "b.db", two)
	p.same("a.db", "b.db", all)
	p.exec("a.db", "UPDATE orders SET total = 10 WHERE id = 1; DELETE FROM orders WHERE id = 2")
	p.exec("b.db", "UPDATE orders SET customer = 'X' WHERE id = 1; INSERT INTO orders VALUES(4,'w',4)")
	two.Yes = true
	r := p.sync("a.db", "b.db", two)
	if got := p.same("a.db", "b.db", all); got != "1 \"X\" 10\n3 \"z\" 3\n4 \"w\" 4" {
		t.Errorf("got %s", got)
	}
	if !r.Settled || r.Open != 0 {
		t.Errorf("%+v", r)
	}
	// The other order of the arguments is the same pair.
	r = p.sync("b.db", "a.db", two)
	if !r.Plan.Nothing || !r.Plan.Known {
		t.Errorf("other order: %+v", r.Plan)
	}
}

func TestSyncConflict(t *testing.T) {
	for _, take := range []syncline.Take{syncline.TakeA, syncline.TakeB} {
		p := newPlace(t)
		p.exec("a.db", orders+`INSERT INTO orders VALUES(7,'x',19.9),(8,'y',1);`)
		two := syncline.Options{TwoWay: true}
		p.sync("a.db", "b.db", two)
		p.exec("a.db", "UPDATE orders SET total = 1 WHERE id = 7")
		p.exec("b.db", "UPDATE orders SET total = 2 WHERE id = 7")
		r := p.sync("a.db", "b.db", two)
		if r.Open != 1 || r.Settled {
			t.Errorf("got %+v, want one open conflict", r)
		}
		p.holds("a.db", "SELECT total FROM orders WHERE id = 7", "1")
		p.holds("b.db", "SELECT total FROM orders WHERE id = 7", "2")
		o := syncline.StateOptions{StateDir: p.state}
		var list []syncline.Conflict
		err := syncline.Conflicts(context.Background(), p.open("b.db"), p.open("a.db"), o, func(c syncline.Conflict) error {
			list = append(list, c)
			return nil
		})
		if err != nil || len(list) != 1 {
			t.Fatalf("conflicts: %v, %v", list, err)
		}
		c := list[0]
		if c.Record != "orders/7" || c.Kind != syncline.ConflictOpen || c.Rule != "keep" || strings.Join(c.Fields, " ") != "total" || c.Since.IsZero() {
			t.Errorf("conflict: %+v", c)
		}
		if c.A == nil || c.B == nil || c.A.Values[2].Int() != 2 || c.B.Values[2].Int() != 1 {
			t.Errorf("sides in the order of the arguments: %+v, %+v", c.A, c.B)
		}
		if _, err := syncline.Resolve(context.Background(), p.open("a.db"), p.open("b.db"), o, "orders/8", take); !errors.Is(err, syncline.ErrNoConflict) {
			t.Errorf("orders/8: got %v, want ErrNoConflict", err)
		}
		got, err := syncline.Resolve(context.Background(), p.open("a.db"), p.open("b.db"), o, "ORDERS/7", take)
		if err != nil || got.Record != "orders/7" {
			t.Fatalf("resolve: %+v, %v", got, err)
		}
		want := map[syncline.Take]string{syncline.TakeA: "1", syncline.TakeB: "2"}[take]
		if got := p.same("a.db", "b.db", "SELECT total FROM orders WHERE id = 7"); got != want {
			t.Errorf("take %s: got %s, want %s", take, got, want)
		}
		r = p.sync("a.db", "b.db", two)
		if r.Open != 0 || !r.Settled || r.ToA != (syncline.Effect{}) || r.ToB != (syncline.Effect{}) {
			t.Errorf("after the decision: %+v", r)
		}
	}
}

func TestSyncUsage(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders)
	for name, c := range map[string]struct {
		a, b string
		o    syncline.Options
	}{
		"same twice":   {"a.db", "./../data/a.db", syncline.Options{}},
		"max-delete":   {"a.db", "b.db", syncline.Options{MaxDelete: 1.5}},
		"bad pattern":  {"a.db", "b.db", syncline.Options{Tables: []string{"["}}},
		"no such name": {"a.db", "b.db", syncline.Options{Tables: []string{"nosuch"}}},
	} {
		if _, err := p.trySync(c.a, c.b, c.o); !errors.Is(err, syncline.ErrUsage) {
			t.Errorf("%s: got %v, want ErrUsage", name, err)
		}
	}
	var end *endpoint.Error
	if _, err := p.trySync("missing.db", "b.db", syncline.Options{}); !errors.As(err, &end) || end.Family != endpoint.NotExist {
		t.Errorf("first missing: got %v, want NotExist", err)
	}
	p.absent(p.state)
	p.absent(p.path("b.db"))
}

// Progress says what is going on, and Plan is shown once.
func TestSyncTells(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+many(30000))
	phases := map[syncline.Phase]bool{}
	plans := 0
	var last syncline.Progress
	p.sync("a.db", "b.db", syncline.Options{
		Plan: func(*syncline.Plan) { plans++ },
		Progress: func(p syncline.Progress) {
			phases[p.Phase] = true
			last = p
		},
	})
	if !phases[syncline.PhaseCopy] || plans != 1 {
		t.Errorf("phases %v, %d plans", phases, plans)
	}
	if last.Table != "orders" || !strings.HasSuffix(last.Side, "b.db") || last.Done != 30000 || last.Total != 30000 || last.Elapsed <= 0 {
		t.Errorf("at the end: %+v", last)
	}
}

// An error of the function that is told of conflicts ends the list and is returned.
func TestConflictsStops(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+"INSERT INTO orders VALUES(1,'a',1),(2,'a',1)")
	p.exec("b.db", orders+"INSERT INTO orders VALUES(1,'b',1),(2,'b',1)")
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true})
	stop := errors.New("enough")
	calls := 0
	err := syncline.Conflicts(context.Background(), p.open("a.db"), p.open("b.db"), syncline.StateOptions{StateDir: p.state},
		func(syncline.Conflict) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("got %v after %d calls", err, calls)
	}
}
