package syncline_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

const xy = `CREATE TABLE x(id INTEGER PRIMARY KEY, v); CREATE TABLE y(id INTEGER PRIMARY KEY, v);
	INSERT INTO x VALUES(1, 'x'); INSERT INTO y VALUES(1, 'y');`

const allX = "SELECT id, v FROM x ORDER BY id"

// What a one-way run passes over at the target, because only the target has it, is found
// by the run that has to know: two ways, or with deletions.
func TestRowsOfTheTargetAloneAreFoundLater(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", xy)
	p.sync("a.db", "b.db", syncline.Options{})
	p.exec("b.db", "INSERT INTO x VALUES(2, 'only b')")
	p.exec("a.db", "UPDATE x SET v = 'x2' WHERE id = 1")
	p.sync("a.db", "b.db", syncline.Options{})
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
	p.holds("a.db", allX, "1 \"x2\"\n2 \"only b\"")

	p.exec("b.db", "INSERT INTO x VALUES(3, 'only b')")
	p.sync("a.db", "b.db", syncline.Options{})
	r := p.sync("a.db", "b.db", syncline.Options{Delete: true, Yes: true})
	if r.ToB.Deletes != 1 {
		t.Errorf("deleted %d", r.ToB.Deletes)
	}
	p.same("a.db", "b.db", allX)
}

func TestRowsOfAWatchedTargetAloneAreFoundLater(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", xy)
	p.watched("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true}, func() {})
	p.exec("b.db", "INSERT INTO x VALUES(2, 'only b')")
	p.exec("a.db", "UPDATE x SET v = 'x2' WHERE id = 1")
	p.sync("a.db", "b.db", syncline.Options{})
	p.exec("b.db", "INSERT INTO x VALUES(3, 'later')")
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
	p.same("a.db", "b.db", allX)
	p.holds("a.db", allX, "1 \"x2\"\n2 \"only b\"\n3 \"later\"")
}

// An edit of a row whose deletion a one-way run withheld is an edit to the two-way run
// that follows.
func TestEditOfAWithheldRowCounts(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", xy)
	p.sync("a.db", "b.db", syncline.Options{})
	p.exec("a.db", "INSERT INTO x VALUES(2, 'w'); DELETE FROM x WHERE id = 1")
	p.exec("b.db", "UPDATE x SET v = 'edited' WHERE id = 1")
	p.sync("a.db", "b.db", syncline.Options{})
	r := p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Delete: true, Yes: true, AllowEmptySource: true, MaxDelete: 1})
	p.holds("b.db", "SELECT v FROM x WHERE id = 1", `"edited"`)
	if r.Open != 1 {
		t.Errorf("report: %+v", r)
	}
}

// What the target's own triggers make of a first copy is not hidden.
func TestTriggersAnswerAFirstCopy(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", xy)
	p.exec("b.db", `CREATE TABLE x(id INTEGER PRIMARY KEY, v); CREATE TABLE y(id INTEGER PRIMARY KEY, v);
		CREATE TRIGGER tx AFTER INSERT ON x BEGIN UPDATE x SET v = v || '!' WHERE id = new.id; INSERT INTO y VALUES(new.id + 10, 'of x'); END`)
	for range 2 {
		p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
	}
	p.same("a.db", "b.db", allX)
	p.same("a.db", "b.db", "SELECT * FROM y")
	p.holds("a.db", allX, `1 "x!"`)
}

// With "newest", of edits found in one run the plan and the run prefer the same.
func TestPlanAndRunAgreeOnTheNewest(t *testing.T) {
	for n := range 12 {
		p := newPlace(t)
		p.exec("a.db", xy+"INSERT INTO x VALUES(2, 'x')")
		two := syncline.Options{TwoWay: true, Yes: true, OnConflict: rule(t, "newest")}
		p.sync("a.db", "b.db", two)
		p.exec("a.db", "DELETE FROM x WHERE id = 1")
		p.exec("b.db", "UPDATE x SET v = 'b' WHERE id = 1")
		if n%2 == 0 {
			p.exec("b.db", "UPDATE x SET v = 'b2' WHERE id = 2")
		}
		var plan *syncline.Plan
		two.Plan = func(p *syncline.Plan) { plan = p }
		r := p.sync("a.db", "b.db", two)
		var a, b syncline.Effect
		for _, tp := range plan.Tables {
			a.Inserts, a.Updates, a.Deletes = a.Inserts+tp.ToA.Inserts, a.Updates+tp.ToA.Updates, a.Deletes+tp.ToA.Deletes
			b.Inserts, b.Updates, b.Deletes = b.Inserts+tp.ToB.Inserts, b.Updates+tp.ToB.Updates, b.Deletes+tp.ToB.Deletes
		}
		if a.Deletes != r.ToA.Deletes || b.Deletes != r.ToB.Deletes || a.Inserts != r.ToA.Inserts {
			t.Fatalf("run %d: plan to a %+v, to b %+v; done to a %+v, to b %+v", n, a, b, r.ToA, r.ToB)
		}
		p.same("a.db", "b.db", allX)
	}
}

// changing is an endpoint whose sliced views are lost to writers now and then.
type changing struct {
	endpoint.Endpoint
	left *atomic.Int64
}

func (e changing) Snapshot(ctx context.Context, sliced bool) (endpoint.Snapshot, error) {
	s, err := e.Endpoint.Snapshot(ctx, sliced)
	if err != nil || !sliced {
		return s, err
	}
	return changingView{s, e.left}, nil
}

type changingView struct {
	endpoint.Snapshot
	left *atomic.Int64
}

func (v changingView) Count(t *endpoint.Table) (int64, error) {
	if v.left.Add(-1) >= 0 {
		return 0, fmt.Errorf("count: %w", endpoint.ErrChanged)
	}
	return v.Snapshot.Count(t)
}

// A round of a watch that loses its view to a writer half way is finished all the same.
func TestWatchFinishesARoundThatWasDisturbed(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", xy+"INSERT INTO x VALUES(2, 'x')")
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
	left := new(atomic.Int64)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	started := make(chan struct{}, 100)
	o := syncline.Options{TwoWay: true, Yes: true, Watch: true, StateDir: p.state, Progress: func(pr syncline.Progress) {
		if pr.Phase == syncline.PhaseWatch {
			started <- struct{}{}
		}
	}}
	go func() {
		_, err := syncline.Sync(ctx, p.open("a.db"), changing{p.open("b.db"), left}, o)
		done <- err
	}()
	<-started
	left.Store(1)
	p.exec("a.db", "DELETE FROM x WHERE id = 1")
	p.until("b.db", "SELECT count(*) FROM x", "1")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A first copy that goes on later finds what was edited meanwhile among the rows that it
// had copied.
func TestInterruptedFirstCopyFindsEdits(t *testing.T) {
	for _, side := range []string{"a.db", "b.db"} {
		p := newPlace(t)
		p.exec("a.db", `CREATE TABLE x(id INTEGER PRIMARY KEY, v); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 70000)
			INSERT INTO x SELECT i, 'v' || i FROM n`)
		ctx, cancel := context.WithCancel(context.Background())
		o := syncline.Options{TwoWay: true, Yes: true, StateDir: p.state}
		o.Progress = func(pr syncline.Progress) {
			if pr.Phase == syncline.PhaseCopy && pr.Done > 0 {
				cancel()
			}
		}
		if _, err := syncline.Sync(ctx, p.open("a.db"), p.open("b.db"), o); err == nil {
			t.Fatal("was not interrupted")
		}
		if p.query("b.db", "SELECT count(*) > 0 AND count(*) < 70000 FROM x") != "1" {
			t.Fatal("was not interrupted in the middle")
		}
		p.exec(side, "UPDATE x SET v = 'edited' WHERE id = 1; DELETE FROM x WHERE id = 2")
		p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
		p.same("a.db", "b.db", "SELECT count(*), (SELECT v FROM x WHERE id = 1) FROM x")
		p.holds("a.db", "SELECT count(*), (SELECT v FROM x WHERE id = 1) FROM x", `69999 "edited"`)
	}
}

// The state knows a table by the same name whatever the order of the databases and the
// spelling of the table in them.
func TestTableNamesSpelledDifferently(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", `CREATE TABLE Orders(id INTEGER PRIMARY KEY, v); INSERT INTO orders VALUES(1, 'x'), (2, 'y');`)
	p.exec("b.db", `CREATE TABLE orders(id INTEGER PRIMARY KEY, v);`)
	two := syncline.Options{TwoWay: true, Yes: true}
	p.sync("a.db", "b.db", two)
	p.exec("a.db", "DELETE FROM orders WHERE id = 2")
	p.sync("b.db", "a.db", two)
	p.same("a.db", "b.db", "SELECT * FROM orders")
	p.holds("a.db", "SELECT id FROM orders", "1")
}

// Deciding one conflict does not do what a guard has refused.
func TestResolveWritesOneRecordOnly(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", "CREATE TABLE x(id INTEGER PRIMARY KEY, v); CREATE TABLE y(id INTEGER PRIMARY KEY, v); INSERT INTO y VALUES(1, 'y'), (2, 'z'); INSERT INTO x VALUES(1, 'x')")
	two := syncline.Options{TwoWay: true, Yes: true}
	p.sync("a.db", "b.db", two)
	p.exec("a.db", "UPDATE x SET v = 'a'")
	p.exec("b.db", "UPDATE x SET v = 'b'")
	p.sync("a.db", "b.db", two)
	w := p.watch("a.db", "b.db", two)
	p.exec("a.db", "DELETE FROM y")
	if err := w.failed(t); err == nil {
		t.Fatal("no guard")
	}
	_, err := syncline.Resolve(context.Background(), p.open("a.db"), p.open("b.db"), syncline.StateOptions{StateDir: p.state}, "x/1", syncline.TakeA)
	if err != nil {
		t.Fatal(err)
	}
	p.holds("b.db", "SELECT v FROM x", `"a"`)
	p.holds("b.db", "SELECT count(*) FROM y", "2")
}

// A watch of all tables after one of some watches all.
func TestWatchOfMoreTables(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", xy)
	p.exec("b.db", "CREATE TABLE x(id INTEGER PRIMARY KEY, v); CREATE TABLE y(id INTEGER PRIMARY KEY, v)")
	p.watched("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true, Tables: []string{"x"}}, func() {})
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
	p.exec("a.db", "UPDATE y SET v = 'y2'")
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
	p.holds("b.db", "SELECT v FROM y", `"y2"`)
	p.watched("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true}, func() {
		p.exec("a.db", "UPDATE y SET v = 'y3'")
		p.until("b.db", "SELECT v FROM y", `"y3"`)
	})
}

// failed waits for a watch to end by itself and returns why.
func (w *watching) failed(t *testing.T) error {
	t.Helper()
	select {
	case <-w.done:
	case <-time.After(20 * time.Second):
		t.Fatal("watch goes on")
	}
	return w.err
}

// Taking a side's row means the row that it has, also when that was edited after a rule
// had decided.
func TestResolveTakesWhatIsThereNow(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", xy)
	two := syncline.Options{TwoWay: true, Yes: true, OnConflict: rule(t, "priority:a,b")}
	p.sync("a.db", "b.db", two)
	p.exec("a.db", "UPDATE x SET v = 'of a'")
	p.exec("b.db", "UPDATE x SET v = 'of b'")
	p.sync("a.db", "b.db", two)
	p.same("a.db", "b.db", allX)
	p.exec("a.db", "UPDATE x SET v = 'newer'")
	_, err := syncline.Resolve(context.Background(), p.open("a.db"), p.open("b.db"), syncline.StateOptions{StateDir: p.state}, "x/1", syncline.TakeA)
	if err != nil {
		t.Fatal(err)
	}
	p.same("a.db", "b.db", allX)
	p.holds("a.db", allX, `1 "newer"`)
}

// disturbed is an endpoint to which somebody else writes before each of our transactions.
type disturbed struct {
	endpoint.Endpoint
	before func()
}

func (e disturbed) Begin(ctx context.Context, b endpoint.Begin) (endpoint.Tx, error) {
	e.before()
	return e.Endpoint.Begin(ctx, b)
}

// A user's edit of a row that one of our own triggers answers to is seen before it is
// written over.
func TestEditBehindATrigger(t *testing.T) {
	p := newPlace(t)
	const schema = `CREATE TABLE x(id INTEGER PRIMARY KEY, v, n INTEGER DEFAULT 0);
		CREATE TRIGGER tx AFTER UPDATE OF v ON x WHEN new.id = 1 BEGIN UPDATE x SET n = n + 1 WHERE id = 2; END;`
	p.exec("a.db", schema+"INSERT INTO x VALUES(1, 'x', 0), (2, 'x', 0)")
	p.exec("b.db", schema)
	two := syncline.Options{TwoWay: true, Yes: true}
	p.sync("a.db", "b.db", two)
	p.same("a.db", "b.db", "SELECT * FROM x")
	p.exec("a.db", "UPDATE x SET v = 'of a' WHERE id = 2; UPDATE x SET v = 'one' WHERE id = 1")
	once := false
	two.StateDir = p.state
	r, err := syncline.Sync(context.Background(), p.open("a.db"), disturbed{p.open("b.db"), func() {
		if !once {
			once = true
			p.exec("b.db", "UPDATE x SET v = 'of b' WHERE id = 2")
		}
	}}, two)
	if err != nil {
		t.Fatal(err)
	}
	p.holds("b.db", "SELECT v FROM x WHERE id = 2", `"of b"`)
	if r.Open != 1 {
		t.Errorf("report: %+v", r)
	}
}

// A run that gives up because somebody edits faster than it writes says that it is not done.
func TestRunThatGivesUpSaysSo(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", xy)
	two := syncline.Options{TwoWay: true, Yes: true, OnConflict: rule(t, "priority:a,b")}
	p.sync("a.db", "b.db", two)
	p.exec("a.db", "UPDATE x SET v = 'of a'")
	n := 0
	two.StateDir = p.state
	r, err := syncline.Sync(context.Background(), p.open("a.db"), disturbed{p.open("b.db"), func() {
		n++
		p.exec("b.db", fmt.Sprintf("UPDATE x SET v = 'b%d'", n))
	}}, two)
	if err != nil {
		t.Fatal(err)
	}
	if r.Settled {
		t.Errorf("settled: %+v; b has %s, a %s", r, p.query("b.db", allX), p.query("a.db", allX))
	}
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true, OnConflict: rule(t, "priority:a,b")})
	p.same("a.db", "b.db", allX)
}

func (v changingView) Violates(t *endpoint.Table, im record.Image) (string, error) {
	if v.left.Add(-1) >= 0 {
		return "", fmt.Errorf("look up: %w", endpoint.ErrChanged)
	}
	return v.Snapshot.Violates(t, im)
}

// A run whose view is lost to a writer while it asks whether a reference is broken at the
// other side too begins again.
func TestRunSurvivesAWriterAtTheOtherSide(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", `CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p(id), v);
		INSERT INTO c VALUES(1, 7, 'dangling')`)
	two := syncline.Options{TwoWay: true, Yes: true, StateDir: p.state}
	p.sync("a.db", "b.db", two)
	p.exec("a.db", "UPDATE c SET v = 'x', p = 8")
	left := new(atomic.Int64)
	left.Store(1)
	if _, err := syncline.Sync(context.Background(), changing{p.open("a.db"), left}, p.open("b.db"), two); err != nil {
		t.Fatal(err)
	}
	if left.Load() >= 0 {
		t.Fatal("nobody asked")
	}
	p.same("a.db", "b.db", "SELECT * FROM c")
}

// A table that is gone from both databases does not make every run compare all.
func TestTablesThatAreGone(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", xy)
	two := syncline.Options{TwoWay: true, Yes: true}
	p.sync("a.db", "b.db", two)
	for _, db := range []string{"a.db", "b.db"} {
		p.exec(db, "DROP TABLE y")
	}
	p.sync("a.db", "b.db", two)
	if r := p.sync("a.db", "b.db", two); !r.Plan.Nothing {
		t.Error("still something to do")
	}
}

// committed is an endpoint that calls after with every transaction of ours that is committed.
type committed struct {
	endpoint.Endpoint
	after func()
}

func (e committed) Begin(ctx context.Context, b endpoint.Begin) (endpoint.Tx, error) {
	tx, err := e.Endpoint.Begin(ctx, b)
	return committedTx{tx, e.after}, err
}

type committedTx struct {
	endpoint.Tx
	after func()
}

func (t committedTx) Commit() error {
	err := t.Tx.Commit()
	if err == nil {
		t.after()
	}
	return err
}

// A user's transaction stays whole under a watch, also when it comes between our looking
// and our writing.
func TestWatchKeepsARacingTransactionWhole(t *testing.T) {
	p := newPlace(t)
	p.wal("a.db")
	p.exec("a.db", xy+"INSERT INTO x VALUES(2, 'x')")
	two := syncline.Options{TwoWay: true, Yes: true, OnConflict: rule(t, "priority:b,a"), StateDir: p.state, Watch: true}
	var armed, torn atomic.Bool
	b := disturbed{p.open("b.db"), func() {
		if armed.CompareAndSwap(true, false) {
			p.exec("b.db", "UPDATE x SET v = 'both'")
		}
	}}
	a := committed{p.open("a.db"), func() {
		if got := p.query("a.db", "SELECT count(*) FROM x WHERE v = 'both'"); got == "1" {
			torn.Store(true)
		}
	}}
	ctx, cancel := context.WithCancel(context.Background())
	started := make(chan struct{}, 100)
	two.Progress = func(pr syncline.Progress) {
		if pr.Phase == syncline.PhaseWatch {
			started <- struct{}{}
		}
	}
	done := make(chan error, 1)
	go func() {
		_, err := syncline.Sync(ctx, a, b, two)
		done <- err
	}()
	<-started
	armed.Store(true)
	p.exec("a.db", "UPDATE x SET v = 'of a' WHERE id = 1")
	p.until("a.db", "SELECT count(*) FROM x WHERE v = 'both'", "2")
	p.until("b.db", "SELECT count(*) FROM x WHERE v = 'both'", "2")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if torn.Load() {
		t.Error("half of the transaction was there")
	}
}

func TestTableLeftOutOfAnyName(t *testing.T) {
	p := newPlace(t)
	const both = `SELECT v FROM "Ä" UNION ALL SELECT v FROM x`
	p.exec("a.db", `CREATE TABLE "Ä"(id INTEGER PRIMARY KEY, v); CREATE TABLE x(id INTEGER PRIMARY KEY, v);
		INSERT INTO "Ä" VALUES(1, 'a'); INSERT INTO x VALUES(1, 'x')`)
	two := syncline.Options{TwoWay: true, Yes: true}
	p.sync("a.db", "b.db", two)
	p.exec("a.db", `UPDATE "Ä" SET v = 'a2'; UPDATE x SET v = 'x2'`)
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true, Tables: []string{"x"}})
	p.sync("a.db", "b.db", two)
	p.same("a.db", "b.db", both)
	p.holds("b.db", both, "\"a2\"\n\"x2\"")
}

// Databases without tables are no special case.
func TestNoTables(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", "CREATE TABLE x(id INTEGER PRIMARY KEY); DROP TABLE x")
	for range 2 {
		p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
	}
}

// A log that names more keys than are held in memory is read all the same.
func TestLogOfManyKeys(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", "CREATE TABLE x(k TEXT PRIMARY KEY, v) WITHOUT ROWID")
	two := syncline.Options{TwoWay: true, Yes: true}
	const fill = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
		INSERT INTO x SELECT printf('%s%02000d', 'NAME', i), 'v' FROM n; UPDATE x SET v = 'w' WHERE k LIKE '%7'`
	sum := "SELECT count(*), count(v = 'w') FROM x"
	p.watched("a.db", "b.db", two, func() {
		p.exec("a.db", strings.ReplaceAll(fill, "NAME", "a"))
		p.until("b.db", "SELECT count(*) FROM x", "10000")
	})
	p.same("a.db", "b.db", sum)
	p.exec("b.db", strings.ReplaceAll(fill, "NAME", "b"))
	p.sync("a.db", "b.db", two)
	p.holds("a.db", "SELECT count(*) FROM x", "20000")
	p.same("a.db", "b.db", sum)
}

// A unique value that all rows hand on to the next costs a few writes a row, not one for
// every pair of rows.
func TestUniqueValuesMoveOn(t *testing.T) {
	const rows = 1000
	for _, move := range []string{"pos + 1", "pos - 1", "(pos * 7919) % 1009"} {
		p := newPlace(t)
		p.exec("a.db", fmt.Sprintf(`CREATE TABLE x(id INTEGER PRIMARY KEY, pos INTEGER UNIQUE);
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO x SELECT i, i FROM n`, rows))
		two := syncline.Options{TwoWay: true, Yes: true}
		p.sync("a.db", "b.db", two)
		p.exec("a.db", fmt.Sprintf(`CREATE TEMP TABLE y AS SELECT id, %s AS pos FROM x; UPDATE x SET pos = -id;
			UPDATE x SET pos = (SELECT pos FROM y WHERE y.id = x.id)`, move))
		two.StateDir = p.state
		f := &fuse{at: 1 << 60}
		if _, err := syncline.Sync(context.Background(), p.open("a.db"), fused{p.open("b.db"), f}, two); err != nil {
			t.Fatal(err)
		}
		p.same("a.db", "b.db", "SELECT * FROM x")
		if f.n > 20*rows {
			t.Errorf("%s: %d operations for %d rows", move, f.n, rows)
		}
	}
}

// A deletion that a one-way run withheld stays withheld when the row was edited meanwhile
// and edited back.
func TestWithheldDeletionStaysWithheld(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", xy)
	p.sync("a.db", "b.db", syncline.Options{})
	p.exec("a.db", "INSERT INTO x VALUES(2, 'w'); DELETE FROM x WHERE id = 1")
	p.exec("b.db", "UPDATE x SET v = 'edited' WHERE id = 1")
	p.sync("a.db", "b.db", syncline.Options{})
	p.exec("b.db", "UPDATE x SET v = 'x' WHERE id = 1")
	r := p.sync("a.db", "b.db", syncline.Options{TwoWay: true, Yes: true})
	p.holds("b.db", allX, "1 \"x\"\n2 \"w\"")
	if r.Pending != 1 {
		t.Errorf("report: %+v", r)
	}
}
