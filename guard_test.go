package syncline_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/syncline-io/syncline"
)

// many returns SQL that fills orders with n rows.
func many(n int) string {
	return fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < %d)
		INSERT INTO orders SELECT i, 'c'||i, i FROM n;`, n)
}

func TestGuards(t *testing.T) {
	for _, c := range []struct {
		name  string
		rows  int
		edit  string // at the first database, after the first run
		o     syncline.Options
		guard string // "" when it passes
		lift  func(*syncline.Options)
	}{
		{"a tenth is allowed", 100, "DELETE FROM orders WHERE id <= 10", syncline.Options{TwoWay: true}, "", nil},
		{
			"more than a tenth", 100, "DELETE FROM orders WHERE id <= 11",
			syncline.Options{TwoWay: true},
			syncline.GuardMaxDelete, func(o *syncline.Options) { o.MaxDelete = 0.11 },
		},
		{
			"more than a tenth, one way", 200, "DELETE FROM orders WHERE id <= 30",
			syncline.Options{Delete: true},
			syncline.GuardMaxDelete, func(o *syncline.Options) { o.MaxDelete = 0.15 },
		},
		{"a small table", 99, "DELETE FROM orders WHERE id <= 98", syncline.Options{TwoWay: true}, "", nil},
		{
			"emptied", 5, "DELETE FROM orders",
			syncline.Options{TwoWay: true},
			syncline.GuardEmptySource, func(o *syncline.Options) { o.AllowEmptySource = true },
		},
		{
			"emptied, one way", 5, "DELETE FROM orders",
			syncline.Options{Delete: true},
			syncline.GuardEmptySource, func(o *syncline.Options) { o.AllowEmptySource = true },
		},
		{"emptied, nothing to delete", 5, "DELETE FROM orders", syncline.Options{}, "", nil},
		{
			"emptied, large", 500, "DELETE FROM orders",
			syncline.Options{TwoWay: true, AllowEmptySource: true},
			syncline.GuardMaxDelete, func(o *syncline.Options) { o.MaxDelete = 1 },
		},
		{"dropped", 5, "DROP TABLE orders", syncline.Options{TwoWay: true}, syncline.GuardEmptySource, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t)
			p.exec("a.db", orders+many(c.rows))
			first := c.o
			first.Delete = false
			p.sync("a.db", "b.db", first)
			p.exec("a.db", c.edit)
			c.o.Yes = true // lifts no guard
			before := p.query("b.db", all)
			_, err := p.trySync("a.db", "b.db", c.o)
			var guard *syncline.GuardError
			switch {
			case c.guard == "" && err != nil:
				t.Fatalf("got %v, want no refusal", err)
			case c.guard == "":
				return
			case !errors.As(err, &guard) || guard.Guard != c.guard || errors.Is(err, syncline.ErrUnconfirmed):
				t.Fatalf("got %v, want the guard %s", err, c.guard)
			case guard.Plan == nil || guard.Hint == "" || !strings.Contains(guard.Detail, "orders"):
				t.Errorf("it says %+v", guard)
			}
			if got := p.query("b.db", all); got != before {
				t.Error("something was written")
			}
			if c.lift == nil {
				return
			}
			c.lift(&c.o)
			p.sync("a.db", "b.db", c.o)
			p.same("a.db", "b.db", "SELECT count(*), sum(id) FROM orders")
		})
	}
}

// A source that is empty by mistake does not empty a target that nothing is known of.
func TestGuardEmptySourceWithoutHistory(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders)
	p.exec("b.db", orders+many(3))
	_, err := p.trySync("a.db", "b.db", syncline.Options{Delete: true, Yes: true})
	var guard *syncline.GuardError
	if !errors.As(err, &guard) || guard.Guard != syncline.GuardEmptySource {
		t.Fatalf("got %v, want the guard against an empty source", err)
	}
	p.holds("b.db", "SELECT count(*) FROM orders", "3")
}

func TestConsent(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+many(20))
	two := syncline.Options{TwoWay: true}
	p.sync("a.db", "b.db", two)
	p.exec("a.db", "DELETE FROM orders WHERE id = 3; UPDATE orders SET total = 0 WHERE id = 4")
	before := p.query("b.db", all)
	for name, confirm := range map[string]func(context.Context, *syncline.Plan) (bool, error){
		"nobody to ask": nil,
		"no":            func(context.Context, *syncline.Plan) (bool, error) { return false, nil },
	} {
		two.Confirm = confirm
		if _, err := p.trySync("a.db", "b.db", two); !errors.Is(err, syncline.ErrUnconfirmed) {
			t.Errorf("%s: got %v, want ErrUnconfirmed", name, err)
		}
	}
	gone := errors.New("the terminal is gone")
	two.Confirm = func(context.Context, *syncline.Plan) (bool, error) { return true, gone }
	if _, err := p.trySync("a.db", "b.db", two); !errors.Is(err, gone) {
		t.Errorf("got %v, want the error of Confirm", err)
	}
	if got := p.query("b.db", all); got != before {
		t.Error("something was written")
	}
	var shown *syncline.Plan
	two.Confirm = func(_ context.Context, p *syncline.Plan) (bool, error) { shown = p; return true, nil }
	p.sync("a.db", "b.db", two)
	if shown == nil || shown.Tables[0].ToB.Deletes != 1 || shown.Tables[0].ToB.Updates != 1 || shown.Tables[0].ToA != (syncline.Effect{}) {
		t.Errorf("plan: %+v", shown)
	}
	p.same("a.db", "b.db", all)
}
