package syncline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/endpoint"
)

// difference writes a difference as a line.
func difference(r syncline.RowDifference) string {
	line := fmt.Sprintf("%c %s", r.Kind, r.Record)
	for _, f := range r.Fields {
		line += fmt.Sprintf(" %s %v->%v", r.A.Fields[f], r.A.Values[f], r.B.Values[f])
	}
	if r.Reason != "" {
		line += r.Table + ": " + r.Reason
	}
	return line
}

func (p *place) diff(a, b string, o syncline.DiffOptions) (*syncline.Comparison, []string) {
	p.t.Helper()
	var lines []string
	o.Row = func(r syncline.RowDifference) error {
		lines = append(lines, difference(r))
		return nil
	}
	c, err := syncline.Diff(context.Background(), p.open(a), p.open(b), o)
	if err != nil {
		p.t.Fatal(err)
	}
	return c, lines
}

const orders = `CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT, total DECIMAL(10,2));`

func TestDiff(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b string
		want []string
		sum  string
	}{
		{
			"equal", orders + `INSERT INTO orders VALUES(1,'x',1.5),(2,NULL,2);`,
			orders + `INSERT INTO orders VALUES(2,NULL,2),(1,'x',1.5);`, nil, "=2 +0 -0 *0 !0",
		},
		{
			"each kind", orders + `INSERT INTO orders VALUES(1,'x',1),(2,'y',2),(3,'z',3),(5,'v',5);`,
			orders + `INSERT INTO orders VALUES(1,'x',1),(3,'Z',4),(4,'w',3),(6,'u',1);`,
			[]string{"+ orders/2", "* orders/3 customer z->Z total 3->4", "- orders/4", "+ orders/5", "- orders/6"},
			"=1 +2 -2 *1 !0",
		},
		{
			"order of columns", `CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c TEXT); INSERT INTO t VALUES(1,'b','c');`,
			`CREATE TABLE T(c TEXT, B TEXT, a INTEGER PRIMARY KEY); INSERT INTO t VALUES('c','b',1);`, nil, "=1 +0 -0 *0 !0",
		},
		{
			"classes", `CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,1),(2,'x'),(3,''),(4,1);`,
			`CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,1.0),(2,x'78'),(3,NULL),(4,1);`,
			[]string{"* t/1 v 1->1.0", "* t/2 v x->x'78'", "* t/3 v ''->NULL"},
			"=1 +0 -0 *3 !0",
		},
		{
			"keys as the database compares", `CREATE TABLE t(k TEXT COLLATE NOCASE PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO t VALUES('Abc',1),('b',1);`,
			`CREATE TABLE t(k TEXT COLLATE NOCASE PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO t VALUES('aBC',1),('B',1);`,
			[]string{`* t/["Abc"] k Abc->aBC`, `* t/["b"] k b->B`},
			"=0 +0 -0 *2 !0",
		},
		{
			"composite keys", `CREATE TABLE lines(o INTEGER, n INTEGER, q, PRIMARY KEY(o,n)); INSERT INTO lines VALUES(7,1,1),(7,2,1),(8,1,1);`,
			`CREATE TABLE lines(o INTEGER, n INTEGER, q, PRIMARY KEY(o,n)); INSERT INTO lines VALUES(7,1,1),(8,1,2);`,
			[]string{"+ lines/[7,2]", "* lines/[8,1] q 1->2"},
			"=1 +1 -0 *1 !0",
		},
		{
			"table missing", orders + `CREATE TABLE x(k INTEGER PRIMARY KEY); INSERT INTO x VALUES(1),(2);`,
			orders + `CREATE TABLE y(k INTEGER PRIMARY KEY); INSERT INTO y VALUES(3);`,
			[]string{"+ x/1", "+ x/2", "- y/3"},
			"=0 +2 -1 *0 !0",
		},
		{
			"large values", `CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,zeroblob(3000000)),(2,zeroblob(3000000));`,
			`CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,zeroblob(3000000)),(2,zeroblob(2999999)||x'01');`,
			nil, "=1 +0 -0 *1 !0",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t)
			p.exec("a.db", c.a)
			p.exec("b.db", c.b)
			got, lines := p.diff("a.db", "b.db", syncline.DiffOptions{})
			sum := fmt.Sprintf("=%d +%d -%d *%d !%d", got.Equal, got.OnlyA, got.OnlyB, got.Differing, got.Unreadable)
			if sum != c.sum || got.Same() != (len(c.want) == 0 && got.Differing == 0) {
				t.Errorf("got %s, same %v; want %s", sum, got.Same(), c.sum)
			}
			if c.want != nil && !slices.Equal(lines, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestDiffScale(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(7,'x',19.9);`)
	p.exec("b.db", orders+`INSERT INTO orders VALUES(7,'x',1);`)
	_, err := syncline.Diff(context.Background(), p.open("a.db"), p.open("b.db"), syncline.DiffOptions{
		Row: func(r syncline.RowDifference) error {
			if len(r.Fields) != 1 || r.A.Fields[r.Fields[0]] != "total" || r.Scale[r.Fields[0]] != 2 {
				t.Errorf("got fields %v, scale %v; want total with 2 places", r.Fields, r.Scale)
			}
			if i := slices.Index(r.A.Fields, "customer"); r.Scale[i] != -1 {
				t.Errorf("scale of customer: %d, want -1", r.Scale[i])
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDiffPatterns(t *testing.T) {
	p := newPlace(t)
	tables := `CREATE TABLE Aa(k INTEGER PRIMARY KEY); CREATE TABLE ab(k INTEGER PRIMARY KEY); CREATE TABLE c(k INTEGER PRIMARY KEY); CREATE TABLE "a[b"(k INTEGER PRIMARY KEY);`
	p.exec("a.db", tables)
	p.exec("b.db", tables)
	for _, c := range []struct {
		tables, exclude []string
		want            string
	}{
		{nil, nil, "a[b Aa ab c"},
		{[]string{"A*"}, nil, "a[b Aa ab"},
		{[]string{"a*"}, []string{"AB", `a\[*`}, "Aa"},
		{nil, []string{"a?", "zzz"}, "a[b c"},
	} {
		got, _ := p.diff("a.db", "b.db", syncline.DiffOptions{Tables: c.tables, Exclude: c.exclude})
		var names []string
		for _, t := range got.Tables {
			names = append(names, t.Name)
		}
		if strings.Join(names, " ") != c.want {
			t.Errorf("-t %v -x %v: got %v, want %s", c.tables, c.exclude, names, c.want)
		}
	}
	for _, bad := range []string{"[", "nosuch"} {
		_, err := syncline.Diff(context.Background(), p.open("a.db"), p.open("b.db"), syncline.DiffOptions{Tables: []string{bad}})
		if !errors.Is(err, syncline.ErrUsage) {
			t.Errorf("-t %s: got %v, want ErrUsage", bad, err)
		}
	}
}

func TestDiffRefuses(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders)
	p.exec("b.db", `CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT);`)
	p.exec("nokey.db", `CREATE TABLE orders(id, customer);`)
	diff := func(a, b string) error {
		_, err := syncline.Diff(context.Background(), p.open(a), p.open(b), syncline.DiffOptions{})
		return err
	}
	var schema *syncline.SchemaError
	if err := diff("a.db", "b.db"); !errors.As(err, &schema) || len(schema.Differences) != 1 || schema.Differences[0].Fix == "" {
		t.Errorf("a column missing: got %v, want a SchemaError with a fix", err)
	}
	if err := diff("a.db", "nokey.db"); !errors.As(err, &schema) || schema.Differences[0].Fix == "" {
		t.Errorf("no key: got %v, want a SchemaError with a fix", err)
	}
	var end *endpoint.Error
	if err := diff("a.db", "missing.db"); !errors.As(err, &end) || end.Family != endpoint.NotExist {
		t.Errorf("missing: got %v, want NotExist", err)
	}
	if err := diff("a.db", "../data/a.db"); !errors.Is(err, syncline.ErrUsage) {
		t.Errorf("the same twice: got %v, want ErrUsage", err)
	}
	stop := errors.New("stop")
	p.exec("c.db", orders+"INSERT INTO orders VALUES(1,'x',1),(2,'x',1)")
	calls := 0
	_, err := syncline.Diff(context.Background(), p.open("a.db"), p.open("c.db"), syncline.DiffOptions{
		Row: func(syncline.RowDifference) error { calls++; return stop },
	})
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("Row's error: got %v after %d calls, want it after 1", err, calls)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := syncline.Diff(ctx, p.open("a.db"), p.open("c.db"), syncline.DiffOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
}

// A row that cannot be compared does not keep the other tables from being compared.
func TestDiffUnreadable(t *testing.T) {
	p := newPlace(t)
	schema := `CREATE TABLE n(k TEXT PRIMARY KEY, v); CREATE TABLE o(k INTEGER PRIMARY KEY);`
	p.exec("a.db", schema+`INSERT INTO n VALUES('a',1),(NULL,2); INSERT INTO o VALUES(1);`)
	p.exec("b.db", schema+`INSERT INTO n VALUES('a',1); INSERT INTO o VALUES(2);`)
	got, lines := p.diff("a.db", "b.db", syncline.DiffOptions{})
	if got.Unreadable != 1 || got.Same() {
		t.Errorf("got %+v, want one unreadable", got)
	}
	if !slices.Contains(lines, "+ o/1") || !slices.Contains(lines, "- o/2") {
		t.Errorf("got %q, want the rows of the other table too", lines)
	}
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "! ") && strings.Contains(l, "NULL") }) {
		t.Errorf("got %q, want a line that says the key is null", lines)
	}
}

// Diff agrees with a comparison of two maps, at sizes around those of its batches.
func TestDiffAgainstModel(t *testing.T) {
	sizes := []int{0, 1, 511, 512, 513, 1023, 1024, 1025, 2600}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, size := range sizes {
		for _, share := range []float64{0, 0.01, 0.5, 1} {
			p := newPlace(t)
			want := map[byte]int64{}
			var a, b strings.Builder
			a.WriteString("CREATE TABLE t(k INTEGER PRIMARY KEY, v);")
			b.WriteString(a.String())
			for k := range size {
				kind := byte('=')
				if rng.Float64() < share {
					kind = "+-*"[rng.IntN(3)]
				}
				want[kind]++
				if kind != '-' {
					fmt.Fprintf(&a, "INSERT INTO t VALUES(%d,%d);", k-size/2, k)
				}
				if kind != '+' {
					v := k
					if kind == '*' {
						v = -1
					}
					fmt.Fprintf(&b, "INSERT INTO t VALUES(%d,%d);", k-size/2, v)
				}
			}
			p.exec("a.db", a.String())
			p.exec("b.db", b.String())
			got, lines := p.diff("a.db", "b.db", syncline.DiffOptions{})
			if got.Equal != want['='] || got.OnlyA != want['+'] || got.OnlyB != want['-'] || got.Differing != want['*'] {
				t.Errorf("%d rows: got %+v, want %v", size, got, want)
			}
			if len(lines) != int(want['+']+want['-']+want['*']) {
				t.Errorf("%d rows: %d differences told, want %v", size, len(lines), want)
			}
		}
	}
}
