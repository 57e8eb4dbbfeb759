package syncline_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/syncline-io/syncline"
)

const shop = `
CREATE TABLE lines(order_id INTEGER REFERENCES orders(id), no INTEGER, sku TEXT, PRIMARY KEY(order_id, no)) WITHOUT ROWID;
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers(id), total REAL CHECK(total >= 0), twice AS (total*2));
CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE UNIQUE) STRICT;
CREATE INDEX by_total ON orders(total) WHERE total > 0;
CREATE VIEW big AS SELECT * FROM orders WHERE total > 100;
CREATE TRIGGER audit AFTER INSERT ON lines BEGIN SELECT 1; END;
INSERT INTO customers VALUES(1,'Ada'),(2,'Grace');
INSERT INTO orders VALUES(1,1,10),(2,2,20.5);
INSERT INTO lines VALUES(1,1,'a'),(1,2,'b'),(2,1,'c');
`

// The second database gets the tables of the first, parents before children, and what is
// not copied is named.
func TestSyncCreatesTables(t *testing.T) {
	for _, encoding := range []string{"UTF-8", "UTF-16le"} {
		p := newPlace(t)
		p.exec("a.db", `PRAGMA encoding="`+encoding+`";`+shop)
		var plan *syncline.Plan
		p.sync("a.db", "b.db", syncline.Options{Plan: func(p *syncline.Plan) { plan = p }})
		var created []string
		for _, c := range plan.Creates {
			if !strings.HasSuffix(c.SQL, ";") || !strings.HasSuffix(c.Database, "b.db") {
				t.Errorf("creation %+v", c)
			}
			if len(created) == 0 || created[len(created)-1] != c.Table {
				created = append(created, c.Table)
			}
		}
		if got := strings.Join(created, " "); got != "customers orders lines" {
			t.Errorf("created %s", got)
		}
		var skipped []string
		for _, o := range plan.Skipped {
			skipped = append(skipped, o.Kind+" "+o.Name)
		}
		if got := strings.Join(skipped, ", "); !strings.Contains(got, "view big") || !strings.Contains(got, "trigger audit") {
			t.Errorf("skipped %s", got)
		}
		var tables []string
		for _, t := range plan.Tables {
			tables = append(tables, t.Name)
		}
		if got := strings.Join(tables, " "); got != "customers lines orders" {
			t.Errorf("tables of the plan: %s", got)
		}
		for _, q := range []string{
			"SELECT * FROM customers", "SELECT * FROM orders", "SELECT * FROM lines", "PRAGMA encoding",
			"SELECT sql FROM sqlite_schema WHERE tbl_name NOT LIKE '\\_syncline%' ESCAPE '\\' AND type IN ('table','index') ORDER BY name",
		} {
			p.same("a.db", "b.db", q)
		}
	}
}

// Two ways, the empty side may be the first.
func TestSyncCreatesAtTheEmptySide(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", "")
	p.exec("b.db", shop)
	p.exec("a.db", "PRAGMA user_version = 3")
	p.sync("a.db", "b.db", syncline.Options{TwoWay: true})
	p.same("a.db", "b.db", "SELECT * FROM lines")
	p.holds("a.db", "PRAGMA user_version", "3")
}

func TestSyncOnlySomeTables(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", shop)
	p.sync("a.db", "b.db", syncline.Options{Tables: []string{"CUST*"}})
	p.holds("b.db", "SELECT name FROM sqlite_schema WHERE name NOT LIKE '\\_syncline%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'", `"customers"`)
	p.holds("b.db", "SELECT count(*) FROM customers", "2")
}

func TestSyncSchemaRefusals(t *testing.T) {
	for _, c := range []struct {
		name   string
		a, b   string
		two    bool
		detail string
		fix    string
	}{
		{"missing", orders + "CREATE TABLE x(k INTEGER PRIMARY KEY, v)", orders, false, "missing at", "CREATE TABLE x(k INTEGER PRIMARY KEY, v);"},
		{"missing at the first", orders, orders + "CREATE TABLE x(k INTEGER PRIMARY KEY)", true, "missing at", "CREATE TABLE x(k INTEGER PRIMARY KEY);"},
		{"column", orders, "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT)", false, "column total is missing", `ALTER TABLE "orders" ADD COLUMN "total" DECIMAL(10,2);`},
		{"type", orders, "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT, total TEXT)", false, "column total is", ""},
		{"key", "CREATE TABLE t(a INTEGER NOT NULL, b INTEGER NOT NULL, PRIMARY KEY(a))", "CREATE TABLE t(a INTEGER NOT NULL, b INTEGER NOT NULL, PRIMARY KEY(b))", false, "the key is", ""},
		{"no key", "CREATE TABLE t(a, b)", "CREATE TABLE t(a, b)", false, "", ""},
		{"no key, to be created", "CREATE TABLE t(a, b)", "", false, "", ""},
		{"collation of the key", "CREATE TABLE t(a TEXT PRIMARY KEY)", "CREATE TABLE t(a TEXT COLLATE NOCASE PRIMARY KEY)", false, "another collation", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlace(t)
			p.exec("a.db", c.a)
			p.exec("b.db", c.b)
			before := p.contents()
			_, err := p.trySync("a.db", "b.db", syncline.Options{TwoWay: c.two, Yes: true})
			var schema *syncline.SchemaError
			if !errors.As(err, &schema) || !errors.Is(err, syncline.ErrSchema) || len(schema.Differences) == 0 {
				t.Fatalf("got %v, want a SchemaError", err)
			}
			d := schema.Differences[0]
			if !strings.Contains(d.Detail, c.detail) || (c.fix != "" && d.Fix != c.fix) || d.Table == "" {
				t.Errorf("got %+v, want %q and %q", d, c.detail, c.fix)
			}
			after := p.contents()
			for path, was := range before {
				if after[path] != was {
					t.Errorf("%s was written to", path)
				}
			}
			// What is taken out is in nobody's way.
			if _, err := p.trySync("a.db", "b.db", syncline.Options{TwoWay: c.two, Exclude: []string{"t", "x", "orders"}}); err != nil {
				t.Errorf("with the table excluded: %v", err)
			}
		})
	}
}

// A table that only the second has is its own, one way.
func TestSyncNamesTablesOfTheTarget(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+`INSERT INTO orders VALUES(1,'x',1);`)
	p.exec("b.db", orders+"CREATE TABLE own(k INTEGER PRIMARY KEY); INSERT INTO own VALUES(1)")
	r := p.sync("a.db", "b.db", syncline.Options{Delete: true})
	if len(r.Plan.Skipped) != 1 || r.Plan.Skipped[0].Name != "own" || r.Plan.Skipped[0].Kind != "table" {
		t.Errorf("skipped: %+v", r.Plan.Skipped)
	}
	p.holds("b.db", "SELECT count(*) FROM own", "1")
}
