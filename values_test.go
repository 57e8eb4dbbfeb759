package syncline_test

import (
	"strings"
	"testing"

	"github.com/syncline-io/syncline"
)

// Every value arrives as it is, one way and two ways, and a second run finds nothing to do.
func TestSyncValues(t *testing.T) {
	const values = `
		CREATE TABLE v(k INTEGER PRIMARY KEY, x, t TEXT, n NUMERIC, r REAL, b BLOB);
		INSERT INTO v(k, x) VALUES (1, NULL), (2, 0), (3, 9223372036854775807), (4, -9223372036854775808),
			(5, 0.1), (6, 9e999), (7, -9e999), (8, -0.0), (9, 1.0), (10, 1e300), (11, ''), (12, x''),
			(13, 'ä€😀'), (14, CAST(x'ff00fe' AS TEXT)), (15, CAST(x'610062' AS TEXT)), (16, x'00'), (17, '007'),
			(18, zeroblob(2000000)), (19, hex(zeroblob(1048575))), (20, 4.9e-324), (21, 9007199254740993);
		INSERT INTO v(k, t, n, r, b) VALUES (30, 12, '12', 3, '12'), (31, 1.5, '1e3', '7', x'31'), (32, 'x', 'x', 'x', 'x');
		CREATE TABLE "we ird"" näme"("col umn" TEXT, "select" INT, "Ü", PRIMARY KEY("col umn", "select")) WITHOUT ROWID;
		INSERT INTO "we ird"" näme" VALUES ('a', 1, 'x'), ('a', 2, NULL), ('B', 1, x'00'), ('', -1, 0);
		CREATE TABLE nc(k TEXT COLLATE NOCASE PRIMARY KEY, v);
		INSERT INTO nc VALUES ('Straße', 1), ('ABC', 2), ('b', 3);
		CREATE TABLE mixed(k PRIMARY KEY, v) WITHOUT ROWID;
		INSERT INTO mixed VALUES (1, 'int'), (1.5, 'real'), ('1', 'text'), (x'31', 'blob'), (-1e300, 'low');
		CREATE TABLE st(k INTEGER PRIMARY KEY, i INT, r REAL, t TEXT, b BLOB, a ANY) STRICT;
		INSERT INTO st VALUES (1, 2, 3.5, '4', x'05', '006');`
	queries := []string{
		"SELECT k, typeof(x), quote(x), typeof(t), quote(t), typeof(n), quote(n), typeof(r), quote(r), typeof(b), quote(b) FROM v ORDER BY k",
		`SELECT quote("col umn"), "select", typeof("Ü"), quote("Ü") FROM "we ird"" näme" ORDER BY 1, 2`,
		"SELECT k, v FROM nc ORDER BY k",
		"SELECT typeof(k), quote(k), v FROM mixed ORDER BY v",
		"SELECT *, typeof(a) FROM st",
	}
	for _, encoding := range []string{"UTF-8", "UTF-16le", "UTF-16be"} {
		t.Run(encoding, func(t *testing.T) {
			p := newPlace(t)
			text := values
			if encoding != "UTF-8" {
				// There, text that is no UTF-16 is not what it is in UTF-8.
				text = strings.Replace(text, "CAST(x'ff00fe' AS TEXT)", "'plain'", 1)
			}
			p.exec("a.db", `PRAGMA encoding = "`+encoding+`";`+text)
			two := syncline.Options{TwoWay: true}
			p.sync("a.db", "b.db", two)
			p.sync("a.db", "c.db", syncline.Options{})
			for _, q := range queries {
				if got := p.same("a.db", "b.db", q); got == "" {
					t.Errorf("%s: nothing", q)
				}
				p.same("a.db", "c.db", q)
			}
			if c, lines := p.diff("b.db", "c.db", syncline.DiffOptions{}); !c.Same() {
				t.Errorf("diff: %q", lines)
			}
			if r := p.sync("a.db", "b.db", two); r.ToA != (syncline.Effect{}) || r.ToB != (syncline.Effect{}) {
				t.Errorf("again: %+v", r)
			}
		})
	}
}

// Keys that change, and unique values that two rows exchange.
func TestSyncKeysAndExchanges(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", `CREATE TABLE u(k INTEGER PRIMARY KEY, code TEXT UNIQUE NOT NULL, v);
		INSERT INTO u VALUES (1,'one',1),(2,'two',2),(3,'three',3),(4,'four',4);`)
	two := syncline.Options{TwoWay: true, Yes: true}
	p.sync("a.db", "b.db", two)
	p.exec("a.db", `UPDATE u SET code = 'x' WHERE k = 1; UPDATE u SET code = 'one' WHERE k = 2; UPDATE u SET code = 'two' WHERE k = 1;
		UPDATE u SET k = 30 WHERE k = 3;`)
	p.exec("b.db", "UPDATE u SET k = 40, v = 44 WHERE k = 4")
	r := p.sync("a.db", "b.db", two)
	if got := p.same("a.db", "b.db", "SELECT * FROM u ORDER BY k"); got != "1 \"two\" 1\n2 \"one\" 2\n30 \"three\" 3\n40 \"four\" 44" {
		t.Errorf("got %s", got)
	}
	if !r.Settled {
		t.Errorf("report: %+v", r)
	}
}

// A target's own triggers fire, and what they change does not go round in circles.
func TestSyncTriggersAtTheTarget(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", orders+many(5))
	p.exec("b.db", orders+`CREATE TABLE log(id INTEGER PRIMARY KEY, o);
		CREATE TRIGGER upper AFTER UPDATE OF customer ON orders BEGIN UPDATE orders SET customer = upper(customer) WHERE id = new.id; END;
		CREATE TRIGGER logged AFTER INSERT ON orders BEGIN INSERT INTO log(o) VALUES(new.id); END;`)
	o := syncline.Options{TwoWay: true, Yes: true, Tables: []string{"orders"}}
	p.sync("a.db", "b.db", o)
	p.holds("b.db", "SELECT count(*) FROM log", "5")
	p.exec("a.db", "UPDATE orders SET customer = 'shout' WHERE id = 3")
	p.sync("a.db", "b.db", o)
	p.holds("b.db", "SELECT customer FROM orders WHERE id = 3", `"SHOUT"`)
	for range 2 {
		r := p.sync("a.db", "b.db", o)
		if r.ToB.Updates > 0 {
			t.Errorf("it goes round in circles: %+v", r)
		}
	}
	p.same("a.db", "b.db", all)
}
