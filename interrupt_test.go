package syncline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

var errEnd = errors.New("the run ends here")

// fuse ends a run at its nth operation on either database: from then on nothing works. A
// COMMIT that it ends has happened or not, as late says.
type fuse struct {
	n, at  int
	late   bool
	coarse bool // single rows are no operations
}

func (f *fuse) burnRow() error {
	if f.coarse {
		return nil
	}
	return f.burn()
}

func (f *fuse) burn() error {
	if f.n++; f.n >= f.at {
		return errEnd
	}
	return nil
}

// fused is an endpoint on a fuse.
type fused struct {
	endpoint.Endpoint
	f *fuse
}

func (e fused) Snapshot(ctx context.Context, sliced bool) (endpoint.Snapshot, error) {
	if err := e.f.burn(); err != nil {
		return nil, err
	}
	return e.Endpoint.Snapshot(ctx, sliced)
}

func (e fused) Begin(ctx context.Context, b endpoint.Begin) (endpoint.Tx, error) {
	if err := e.f.burn(); err != nil {
		return nil, err
	}
	tx, err := e.Endpoint.Begin(ctx, b)
	return fusedTx{tx, e.f}, err
}

type fusedTx struct {
	endpoint.Tx
	f *fuse
}

func (t fusedTx) Insert(tb *endpoint.Table, im record.Image, c endpoint.ChunkSource) error {
	if err := t.f.burnRow(); err != nil {
		return err
	}
	return t.Tx.Insert(tb, im, c)
}

func (t fusedTx) Update(tb *endpoint.Table, k record.Key, from, to record.Image, c endpoint.ChunkSource) error {
	if err := t.f.burnRow(); err != nil {
		return err
	}
	return t.Tx.Update(tb, k, from, to, c)
}

func (t fusedTx) Delete(tb *endpoint.Table, k record.Key) error {
	if err := t.f.burnRow(); err != nil {
		return err
	}
	return t.Tx.Delete(tb, k)
}

func (t fusedTx) Commit() error {
	err := t.f.burn()
	if err == nil || t.f.late {
		if err := t.Tx.Commit(); err != nil {
			return err
		}
	}
	return err
}

// interruptSchema has what makes applies hard: a unique value that rows exchange, rows that
// refer to rows, and a trigger that answers writes.
const interruptSchema = `
	CREATE TABLE parent(id INTEGER PRIMARY KEY, name TEXT UNIQUE, n INTEGER);
	CREATE TABLE child(a INTEGER, b TEXT, parent INTEGER REFERENCES parent(id), v, PRIMARY KEY(a, b)) WITHOUT ROWID;
	CREATE TABLE noted(id INTEGER PRIMARY KEY, v INTEGER, changes INTEGER DEFAULT 0);
	CREATE TRIGGER note AFTER UPDATE OF v ON noted BEGIN UPDATE noted SET changes = changes + 1 WHERE id = new.id; END;
`

// interruptEdits are the edits of one side between two runs.
func interruptEdits(r *rand.Rand, side string) string {
	var sql strings.Builder
	for range 1 + r.IntN(8) {
		id := r.IntN(12)
		switch r.IntN(8) {
		case 0:
			fmt.Fprintf(&sql, "INSERT OR IGNORE INTO parent VALUES(%d, '%s%d', %d);", id, side, r.IntN(100), r.IntN(9))
		case 1:
			fmt.Fprintf(&sql, "UPDATE parent SET n = %d WHERE id = %d;", r.IntN(99), id)
		case 2:
			fmt.Fprintf(&sql, "UPDATE parent SET name = '%s%d' WHERE id = %d;", side, r.IntN(1000), id)
		case 3:
			fmt.Fprintf(&sql, "DELETE FROM child WHERE a = %d;", id)
		case 4:
			fmt.Fprintf(&sql, "INSERT OR REPLACE INTO child VALUES(%d, 'k', NULL, '%s%d');", id, side, r.IntN(99))
		case 5:
			fmt.Fprintf(&sql, "INSERT OR IGNORE INTO noted(id, v) VALUES(%d, %d);", id, r.IntN(9))
		case 6:
			fmt.Fprintf(&sql, "UPDATE noted SET v = %d WHERE id = %d;", 10+r.IntN(90), id)
		case 7:
			// Two rows exchange a unique name.
			fmt.Fprintf(&sql, "UPDATE parent SET name = name || '~' WHERE id = %d;", id)
		}
	}
	return sql.String()
}

const interruptRows = `
	SELECT 'parent', id, name, n, NULL FROM parent UNION ALL
	SELECT 'child', a, b, parent, v FROM child UNION ALL
	SELECT 'noted', id, v, changes, NULL FROM noted ORDER BY 1, 2, 3`

// A run that ends at any operation of either database, with a COMMIT that happened or one
// that did not, is continued by the next one as if nothing had been: the databases are
// what they would be if it had never been interrupted.
func TestInterruptedAnywhere(t *testing.T) {
	seeds, step := 2, 9
	if os.Getenv("SYNCLINE_LONG") != "" {
		seeds, step = 20, 1
	}
	for seed := range seeds {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("seed%d-late%v", seed, late), func(t *testing.T) {
				t.Parallel()
				interruptEverywhere(t, uint64(seed), step, late)
			})
		}
	}
}

func interruptEverywhere(t *testing.T, seed uint64, step int, late bool) {
	o := syncline.Options{TwoWay: true, Yes: true, AllowEmptySource: true, MaxDelete: 1}
	rule, err := merge.ParseRule("priority:a,b", syncline.SiteNode)
	if err != nil {
		t.Fatal(err)
	}
	o.OnConflict = &rule
	run := func(p *place, at int) (string, bool) {
		r := rand.New(rand.NewPCG(seed, 1))
		p.exec("a.db", interruptSchema+interruptEdits(r, "a"))
		p.exec("b.db", interruptSchema+interruptEdits(r, "b"))
		f := &fuse{at: at, late: late}
		o := o
		o.StateDir = p.state
		ended := false
		for range 3 {
			_, err := syncline.Sync(context.Background(), fused{p.open("a.db"), f}, fused{p.open("b.db"), f}, o)
			if err != nil {
				if !errors.Is(err, errEnd) {
					t.Fatalf("at %d: %v", at, err)
				}
				ended = true
				f.at = 1 << 60
				if _, err := syncline.Sync(context.Background(), p.open("a.db"), p.open("b.db"), o); err != nil {
					t.Fatalf("after the end at %d: %v", at, err)
				}
			}
			p.exec("a.db", interruptEdits(r, "a"))
			p.exec("b.db", interruptEdits(r, "b"))
		}
		rep, err := syncline.Sync(context.Background(), p.open("a.db"), p.open("b.db"), o)
		if err != nil {
			t.Fatalf("at %d: last run: %v", at, err)
		}
		if rep.Parked == 0 && rep.Deviations == 0 {
			p.same("a.db", "b.db", interruptRows)
		}
		return p.query("a.db", interruptRows), ended
	}
	want, _ := run(newPlace(t), 1<<60)
	for at := 1; ; at += step {
		got, ended := run(newPlace(t), at)
		if !ended {
			t.Logf("%d operations", at)
			return
		}
		if got != want {
			t.Fatalf("interrupted at operation %d:\n%s\nuninterrupted:\n%s", at, got, want)
		}
	}
}

// A first copy that ends between any two of its batches goes on after the last one that
// was committed, and copies all of the rest.
func TestInterruptedFirstCopy(t *testing.T) {
	const rows = 9_000 // three batches where others may write too
	for _, o := range []syncline.Options{{Yes: true}, {Yes: true, TwoWay: true}} {
		for _, late := range []bool{false, true} {
			for at := 1; ; at++ {
				p := newPlace(t)
				p.exec("a.db", fmt.Sprintf(`CREATE TABLE x(id INTEGER PRIMARY KEY, v);
					WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < %d) INSERT INTO x SELECT i, 'v'||i FROM n`, rows))
				p.exec("b.db", "CREATE TABLE x(id INTEGER PRIMARY KEY, v)")
				o.StateDir = p.state
				f := &fuse{at: at, late: late, coarse: true}
				_, err := syncline.Sync(context.Background(), fused{p.open("a.db"), f}, fused{p.open("b.db"), f}, o)
				if err == nil {
					break
				}
				if !errors.Is(err, errEnd) {
					t.Fatalf("at %d: %v", at, err)
				}
				if _, err := syncline.Sync(context.Background(), p.open("a.db"), p.open("b.db"), o); err != nil {
					t.Fatalf("after the end at %d: %v", at, err)
				}
				p.same("a.db", "b.db", "SELECT count(*), sum(id), min(v), max(v) FROM x")
				if r, err := syncline.Sync(context.Background(), p.open("a.db"), p.open("b.db"), o); err != nil || !r.Plan.Nothing {
					t.Fatalf("at %d (late %v, two ways %v): a run afterwards has something to do: %+v, %v", at, late, o.TwoWay, r.Plan, err)
				}
			}
		}
	}
}
