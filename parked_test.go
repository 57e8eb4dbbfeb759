package syncline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/syncline-io/syncline"
)

// What a database's own rules refuse is parked with the reason, the rest flows, and once the
// cause is gone so does the row.
func TestParkedConstraints(t *testing.T) {
	for _, c := range []struct {
		name   string
		schema string
		a, b   string // edits after the first run
		reason string
		parked int64
		repair string // at either
	}{
		{
			"unique", `CREATE TABLE t(k INTEGER PRIMARY KEY, code TEXT UNIQUE); INSERT INTO t VALUES(1,'one');`,
			"INSERT INTO t VALUES(2,'same'); INSERT INTO t VALUES(9,'nine')", "INSERT INTO t VALUES(3,'same')",
			"UNIQUE", 2, "UPDATE t SET code = 'other' WHERE k = 3",
		},
		{
			"foreign key", `CREATE TABLE p(k INTEGER PRIMARY KEY); CREATE TABLE t(k INTEGER PRIMARY KEY, p REFERENCES p(k)); INSERT INTO p VALUES(1),(2);`,
			"INSERT INTO t VALUES(5,2); INSERT INTO t VALUES(9,1)", "DELETE FROM p WHERE k = 2",
			"REFERS TO", 1, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t)
			p.exec("a.db", c.schema)
			two := syncline.Options{TwoWay: true, Yes: true, AllowEmptySource: true}
			p.sync("a.db", "b.db", two)
			p.exec("a.db", c.a)
			p.exec("b.db", c.b)
			r := p.sync("a.db", "b.db", two)
			if r.Parked < c.parked || r.Settled {
				t.Errorf("report: %+v", r)
			}
			p.holds("b.db", "SELECT count(*) FROM t WHERE k = 9", "1")
			var reasons []string
			err := syncline.Conflicts(context.Background(), p.open("a.db"), p.open("b.db"), syncline.StateOptions{StateDir: p.state}, func(c syncline.Conflict) error {
				if c.Kind == syncline.ConflictParked {
					reasons = append(reasons, c.Record+" at "+c.At+": "+c.Reason)
				}
				return nil
			})
			if err != nil || len(reasons) == 0 || !strings.Contains(strings.ToUpper(strings.Join(reasons, "\n")), c.reason) {
				t.Errorf("conflicts: %q, %v", reasons, err)
			}
			for _, db := range []string{"a.db", "b.db"} {
				if bad := p.query(db, "PRAGMA foreign_key_check"); bad != "" {
					t.Errorf("%s breaks a foreign key: %s", db, bad)
				}
			}
			if c.repair == "" {
				return
			}
			p.exec("b.db", c.repair)
			r = p.sync("a.db", "b.db", two)
			if r.Parked != 0 || !r.Settled {
				t.Errorf("after the repair: %+v", r)
			}
			p.same("a.db", "b.db", "SELECT * FROM t ORDER BY k")
		})
	}
}

// Records are found however their key is written.
func TestResolveFindsKeys(t *testing.T) {
	for _, c := range []struct{ schema, row, edit, name, record string }{
		{"CREATE TABLE t(k TEXT PRIMARY KEY, v)", "'7'", "k='7'", "t/7", `t/["7"]`},
		{"CREATE TABLE t(k TEXT PRIMARY KEY, v)", "'7'", "k='7'", `t/["7"]`, `t/["7"]`},
		{"CREATE TABLE t(k INTEGER PRIMARY KEY, v)", "7", "k=7", `t/["7"]`, "t/7"},
		{"CREATE TABLE t(k TEXT COLLATE NOCASE PRIMARY KEY, v)", "'Abc'", "k='abc'", `t/"aBC"`, `t/["Abc"]`},
		{"CREATE TABLE t(k REAL PRIMARY KEY, v)", "7", "k=7", "t/7", "t/7.0"},
		{`CREATE TABLE "we ird"(k BLOB PRIMARY KEY, v)`, "x'00ff'", "k=x'00ff'", `"we ird"/{"bytes":"00ff"}`, `"we ird"/[{"bytes":"00ff"}]`},
		{"CREATE TABLE t(k, l INTEGER, v, PRIMARY KEY(k,l))", "'a',2", "l=2", `t/["a",2]`, `t/["a",2]`},
	} {
		p := newPlace(t)
		table := strings.TrimPrefix(c.schema[:strings.Index(c.schema, "(")], "CREATE TABLE ")
		p.exec("a.db", c.schema+";INSERT INTO "+table+" VALUES("+c.row+",0)")
		two := syncline.Options{TwoWay: true}
		p.sync("a.db", "b.db", two)
		p.exec("a.db", "UPDATE "+table+" SET v = 1 WHERE "+c.edit)
		p.exec("b.db", "UPDATE "+table+" SET v = 2 WHERE "+c.edit)
		p.sync("a.db", "b.db", two)
		o := syncline.StateOptions{StateDir: p.state}
		got, err := syncline.Resolve(context.Background(), p.open("a.db"), p.open("b.db"), o, c.name, syncline.TakeB)
		if err != nil || got.Record != c.record {
			t.Errorf("%s: got %+v, %v; want %s", c.name, got, err, c.record)
			continue
		}
		if got := p.same("a.db", "b.db", "SELECT v FROM "+table); got != "2" {
			t.Errorf("%s: v is %s, want 2", c.name, got)
		}
	}
}

func TestResolveUsage(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders)
	p.exec("b.db", orders)
	o := syncline.StateOptions{StateDir: p.state}
	for _, c := range []struct {
		name string
		take syncline.Take
		want error
	}{
		{"orders/7", "c", syncline.ErrUsage},
		{"orders", syncline.TakeA, syncline.ErrUsage},
		{"orders/[7,8]", syncline.TakeA, syncline.ErrUsage},
		{"orders/7", syncline.TakeA, syncline.ErrNoConflict},
		{"nosuch/7", syncline.TakeA, syncline.ErrNoConflict},
	} {
		if _, err := syncline.Resolve(context.Background(), p.open("a.db"), p.open("b.db"), o, c.name, c.take); !errors.Is(err, c.want) {
			t.Errorf("%s --take %s: got %v, want %v", c.name, c.take, err, c.want)
		}
	}
	p.absent(p.state)
}

// Two databases that are edited at random come together whenever they are synced, whatever
// the order of the arguments, and interrupted or not.
func TestSyncConverges(t *testing.T) {
	seeds := 3
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(seed), 99))
			p := newPlace(t)
			p.exec("a.db", orders+many(30))
			o := syncline.Options{TwoWay: true, Yes: true, AllowEmptySource: true, MaxDelete: 1, OnConflict: rule(t, "fields")}
			for round := range 8 {
				a, b := "a.db", "b.db"
				if rng.IntN(2) == 0 && round > 0 {
					a, b = b, a
				}
				if rng.IntN(3) == 0 {
					p.interrupted(a, b, o, rng.IntN(40))
				}
				p.sync(a, b, o)
				if r := p.sync(a, b, o); !r.Settled || r.ToA != (syncline.Effect{}) || r.ToB != (syncline.Effect{}) {
					t.Fatalf("round %d: not settled after two runs: %+v", round, r)
				}
				p.same("a.db", "b.db", all)
				if t.Failed() {
					t.Fatalf("round %d", round)
				}
				for range rng.IntN(12) {
					db := []string{"a.db", "b.db"}[rng.IntN(2)]
					id := rng.IntN(40)
					switch rng.IntN(5) {
					case 0:
						p.exec(db, fmt.Sprintf("DELETE FROM orders WHERE id = %d", id))
					case 1:
						p.exec(db, fmt.Sprintf("INSERT OR REPLACE INTO orders VALUES(%d,'n%d',%d)", id, rng.IntN(9), rng.IntN(9)))
					case 2:
						p.exec(db, fmt.Sprintf("UPDATE orders SET customer = 'u%d' WHERE id = %d", rng.IntN(9), id))
					case 3:
						p.exec(db, fmt.Sprintf("UPDATE orders SET total = %d WHERE id = %d", rng.IntN(9), id))
					case 4:
						p.exec(db, fmt.Sprintf("UPDATE OR IGNORE orders SET id = %d WHERE id = %d", rng.IntN(40), id))
					}
				}
			}
		})
	}
}

// interrupted runs Sync and ends its context at some call of the clock.
func (p *place) interrupted(a, b string, o syncline.Options, after int) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.StateDir = p.state
	o.Now = clockThat(func(n int) {
		if n == after {
			cancel()
		}
	})
	if _, err := syncline.Sync(ctx, p.open(a), p.open(b), o); err != nil && !errors.Is(err, context.Canceled) {
		p.t.Fatalf("interrupted: %v", err)
	}
}
