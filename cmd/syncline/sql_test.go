package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
)

// database makes a database of SQL statements.
func (w *world) database(name string, statements ...string) {
	w.Helper()
	conn, err := sqlite.OpenConn(w.path(name), sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		w.Fatal(err)
	}
	defer conn.Close()
	for _, s := range statements {
		if err := execSQL(conn, s); err != nil {
			w.Fatalf("%s: %v", s, err)
		}
	}
}

func TestSQLPrintsATable(t *testing.T) {
	w := newWorld(t)
	w.database("a.db", "create table t (id integer primary key, name text, x)",
		"insert into t values (1, 'short', x'00ff'), (200, 'a longer name', null), (3, '日本', 1.5)")
	r := w.must(0, "sql", "a.db", "select * from t order by id")
	golden(t, "sql", r.out)
}

func TestSQLSaysWhatChanged(t *testing.T) {
	w := newWorld(t)
	w.database("a.db", "create table p (id integer primary key)",
		"create table c (id integer primary key, p references p (id) on delete cascade)",
		"insert into p values (1), (2)", "insert into c values (1, 1), (2, 1), (3, 2)")
	for _, c := range []struct{ statement, want string }{
		{"update c set p = 2 where id = 3", "1 row changed\n"},
		{"update c set p = 2 where id = 99", "0 rows changed\n"},
		{"create table d (id)", ""},
		{"insert into d values (1), (2); insert into d select 3 -- the end", "2 rows changed\n1 row changed\n"},
		{"delete from p where id = 1", "1 row changed\n"}, // and two rows of c
		{"select count(*) n from c", "n\n1\n"},
		{"insert into d values (4) returning id", "id\n 4\n1 row changed\n"},
		{"with x(v) as (select 5) insert into d select v from x", "1 row changed\n"},
	} {
		if r := w.must(0, "sql", "a.db", c.statement); r.out != c.want {
			t.Errorf("%s: %q, want %q", c.statement, r.out, c.want)
		}
	}
	if r := w.must(0, "sql", "a.db", "delete from d", "-q"); r.out != "" {
		t.Errorf("quiet: %q", r.out)
	}
}

func TestSQLAsJSON(t *testing.T) {
	w := newWorld(t)
	w.database("a.db", "create table t (a, b, c, d)", "insert into t values (1, 1e999, x'0a', 'x'), (null, 1.0, '<&>', cast(x'ff' as text))")
	r := w.must(0, "sql", "a.db", "select a, b, c, d, a from t", "--json")
	lines := strings.Split(r.out, "\n")
	for i, want := range []string{
		`{"type":"row","row":{"column_1":1,"b":9e999,"c":{"bytes":"0a"},"d":"x","a":1}}`,
		`{"type":"row","row":{"column_1":null,"b":1.0,"c":"<&>","d":{"text":"ff"},"a":null}}`,
	} {
		if lines[i] != want {
			t.Errorf("line %d: %s\nwant %s", i+1, lines[i], want)
		}
	}
}

func TestSQLFaults(t *testing.T) {
	w := newWorld(t)
	w.database("a.db", "create table t (id integer primary key)", "insert into t values (1)")
	if err := os.WriteFile(w.path("text.db"), []byte(strings.Repeat("this is no database ", 100)), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		exit            int
		code, db, query string
	}{
		{2, "usage", "a.db", "selec 1"},
		{2, "usage", "a.db", "select * from nowhere"},
		{2, "usage", "a.db", " -- nothing"},
		{1, "failed", "a.db", "insert into t values (1)"},
		{4, "not_exist", "none.db", "select 1"},
		{7, "incompatible", "text.db", "select * from t"},
		{7, "incompatible", ".", "select 1"},
		{2, "usage", "postgres://db/shop", "select 1"},
	} {
		if got := w.must(c.exit, "sql", c.db, c.query, "--json").code(t); got != c.code {
			t.Errorf("%s %s: %s, want %s", c.db, c.query, got, c.code)
		}
	}
	if _, err := os.Stat(w.path("none.db")); err == nil {
		t.Error("a mistyped name made a database")
	}
}

func TestSQLWaitsForLocksAsLongAsItIsTold(t *testing.T) {
	w := newWorld(t)
	w.database("a.db", "create table t (id integer primary key)")
	conn, err := sqlite.OpenConn(w.path("a.db"), sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := execSQL(conn, "begin exclusive"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	r := w.must(4, "sql", "a.db", "insert into t values (1)", "--timeout", "50ms")
	if time.Since(start) > 5*time.Second {
		t.Error("it waited much longer than it was told")
	}
	if !strings.Contains(r.errOut, "--timeout") {
		t.Errorf("stderr: %s", r.errOut)
	}
}
