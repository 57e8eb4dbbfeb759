package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
)

// pair makes two databases of one table, a.db with three rows and b.db as it is told.
func (w *world) pair(b ...string) {
	w.Helper()
	w.database("a.db", "create table orders (id integer primary key, total decimal(10,2), note text)",
		"insert into orders values (1, 10, 'x'), (2, 20, 'y'), (7, 19.90, 'z')")
	if len(b) > 0 {
		w.database("b.db", b...)
	}
}

const sameTable = "create table orders (id integer primary key, total decimal(10,2), note text)"

// wantError checks that stderr is an error as people are shown it, and holds
// the words.
func (r ran) wantError(t *testing.T, words ...string) {
	t.Helper()
	if !strings.HasPrefix(r.errOut, "syncline: ") {
		t.Errorf("stderr does not begin with the program's name: %q", r.errOut)
	}
	for _, word := range words {
		if !strings.Contains(r.errOut, word) {
			t.Errorf("stderr lacks %q: %s", word, r.errOut)
		}
	}
}

func TestExitUsage(t *testing.T) {
	w := newWorld(t)
	w.pair()
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"snyc", "a.db", "b.db"}, "did you mean sync?"},
		{[]string{"a.db", "b.db"}, "did you mean syncline sync a.db b.db?"},
		{[]string{"frobnicate"}, "syncline help lists the commands"},
		{[]string{"demo", "start"}, "usage: syncline demo init DIR"},
		{[]string{"sync"}, "usage: syncline sync A B"},
		{[]string{"sync", "a.db"}, "missing B"},
		{[]string{"sync", "a.db", "b.db", "c.db"}, "unexpected argument c.db"},
		{[]string{"sync", "a.db", ""}, "B is empty"},
		{[]string{"sync", "a.db", "b.db", "--two-wya"}, "did you mean --two-way?"},
		{[]string{"sync", "a.db", "b.db", "-Z"}, "unknown flag -Z"},
		{[]string{"sync", "a.db", "b.db", "--max-delete", "lots"}, "want a share"},
		{[]string{"sync", "a.db", "b.db", "--timeout", "0s"}, "--timeout"},
		{[]string{"sync", "a.db", "b.db", "--timeout", "10"}, "--timeout"},
		{[]string{"sync", "a.db", "b.db", "--color", "pink"}, "auto, always, never"},
		{[]string{"sync", "a.db", "b.db", "--on-conflict", "mine"}, "--on-conflict"},
		{[]string{"sync", "a.db", "b.db", "--rule", "orders"}, "--rule"},
		{[]string{"sync", "a.db", "b.db", "--key", "orders"}, "--key"},
		{[]string{"sync", "a.db", "b.db", "-q", "-v"}, "exclude each other"},
		{[]string{"sync", "a.db", "b.db", "--uninstall", "--dry-run"}, "--uninstall"},
		{[]string{"sync", "a.db", "a.db"}, "same database"},
		{[]string{"sync", "a.db", "./a.db"}, "same database"},
		{[]string{"sync", "a.db", "b.db", "-t", "nothing*"}, "nothing*"},
		{[]string{"sync", "a.db", "mysql://db/shop"}, "SQLite"},
		{[]string{"diff", "a.db", filepath.Join(w.dir, "a.db")}, "same database"},
		{[]string{"conflicts", "resolve", "a.db", "b.db", "orders/7"}, "--take a"},
		{[]string{"conflicts", "resolve", "a.db", "b.db", "orders/7", "--take", "c"}, "neither a nor b"},
		{[]string{"completion", "tcsh"}, "bash, zsh"},
		{[]string{"version", "now"}, "unexpected argument"},
	} {
		w.must(2, c.args...).wantError(t, c.want)
		if got := w.must(2, append(c.args, "--json")...).code(t); got != "usage" {
			t.Errorf("%q: code %q", c.args, got)
		}
	}
	if exists(w.path("b.db")) || exists(w.path("state")) {
		t.Error("a command line that cannot be meant left something behind")
	}
}

func TestExitNotExist(t *testing.T) {
	w := newWorld(t)
	w.pair()
	for _, args := range [][]string{
		{"sync", "none.db", "b.db"},
		{"diff", "a.db", "none.db"},
		{"diff", "none.db", "a.db"},
		{"sync", "a.db", "no/such/dir/b.db"},
	} {
		w.must(4, args...).wantError(t, "(")
		if got := w.must(4, append(args, "--json")...).code(t); got != "not_exist" {
			t.Errorf("%q: code %q", args, got)
		}
	}
	if exists(w.path("b.db")) {
		t.Error("b.db was created")
	}
}

func TestExitLocked(t *testing.T) {
	w := newWorld(t)
	w.pair(sameTable)
	conn, err := sqlite.OpenConn(w.path("b.db"), sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := execSQL(conn, "begin exclusive"); err != nil {
		t.Fatal(err)
	}
	w.must(4, "sync", "a.db", "b.db", "--timeout", "100ms").wantError(t, "locked", "--timeout")
	if got := w.must(4, "sync", "a.db", "b.db", "--timeout", "100ms", "--json").code(t); got != "unreachable" {
		t.Errorf("code %q", got)
	}
}

func TestExitGuard(t *testing.T) {
	w := newWorld(t)
	w.pair(sameTable, "insert into orders values (9, 1, 'only in b')")
	// Without a terminal and without --yes nothing is deleted or overwritten.
	before := w.must(0, "sql", "b.db", "select * from orders").out
	r := w.must(6, "sync", "a.db", "b.db", "--delete")
	if !strings.Contains(r.errOut, "--yes") || !strings.Contains(r.errOut, "plan  a.db -> b.db") {
		t.Errorf("stderr: %s", r.errOut)
	}
	if r := w.must(0, "sync", "a.db", "b.db", "--delete", "--dry-run", "-q"); r.out+r.errOut != "" {
		t.Errorf("quiet means nothing: %q, %q", r.out, r.errOut)
	}
	if r := w.must(6, "sync", "a.db", "b.db", "--delete", "-q"); r.out != "" || strings.Count(r.errOut, "\n") != 1 {
		t.Errorf("quiet means the error alone: %q, %q", r.out, r.errOut)
	}
	if got := w.must(6, "sync", "a.db", "b.db", "--delete", "--json").code(t); got != "guard.unconfirmed" {
		t.Errorf("code %q", got)
	}
	if after := w.must(0, "sql", "b.db", "select * from orders").out; after != before {
		t.Errorf("b.db was changed:\n%s", after)
	}

	// --yes lifts no guard.
	w.must(0, "sql", "b.db", "with recursive n(i) as (select 100 union all select i + 1 from n where i < 400) insert into orders select i, i, 'b' from n")
	if got := w.must(6, "sync", "a.db", "b.db", "--delete", "--yes", "--json").code(t); got != "guard.max_delete" {
		t.Errorf("code %q", got)
	}
	w.must(0, "sync", "a.db", "b.db", "--delete", "--yes", "--max-delete", "100%")
	w.must(0, "diff", "a.db", "b.db")
	w.must(0, "sql", "a.db", "delete from orders")
	if got := w.must(6, "sync", "a.db", "b.db", "--delete", "--yes", "--max-delete", "100%", "--json").code(t); got != "guard.empty_source" {
		t.Errorf("code %q", got)
	}
	w.must(0, "sync", "a.db", "b.db", "--delete", "--yes", "--allow-empty-source")
	w.must(0, "diff", "a.db", "b.db")
}

func TestExitIncompatible(t *testing.T) {
	w := newWorld(t)
	w.pair("create table orders (id integer primary key, total decimal(10,2))", "insert into orders values (1, 1)")
	r := w.must(7, "sync", "a.db", "b.db")
	r.wantError(t, "orders", "note")
	if !strings.Contains(r.errOut, "ALTER TABLE") {
		t.Errorf("no DDL that would fix it: %s", r.errOut)
	}
	if got := w.must(7, "sync", "a.db", "b.db", "--json").code(t); got != "schema.incompatible" {
		t.Errorf("code %q", got)
	}
	if err := os.WriteFile(w.path("text.db"), []byte(strings.Repeat("no database ", 100)), 0o666); err != nil {
		t.Fatal(err)
	}
	w.must(7, "sync", "a.db", "text.db").wantError(t, "text.db", "not an SQLite database")
	w.must(7, "diff", "text.db", "a.db").wantError(t, "text.db")
	w.must(7, "sync", "a.db", ".").wantError(t, "directory")
}

func TestExitNewerState(t *testing.T) {
	w := newWorld(t)
	w.pair()
	w.must(0, "sync", "a.db", "b.db")
	files, err := filepath.Glob(filepath.Join(w.dir, "state", "syncline", "*", "pair.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	newer := strings.NewReplacer(`"format":1`, `"format":99`, `"format": 1`, `"format": 99`, `"Format":1`, `"Format":99`, `"Format": 1`, `"Format": 99`).Replace(string(b))
	if newer == string(b) {
		t.Fatalf("no format in %s", b)
	}
	if err := os.WriteFile(files[0], []byte(newer), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := w.must(7, "sync", "a.db", "b.db", "--json").code(t); got != "state.newer" {
		t.Errorf("code %q", got)
	}
}

func TestExitCorrupt(t *testing.T) {
	w := newWorld(t)
	w.pair()
	w.database("c.db", "pragma page_size = 1024", sameTable,
		"with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000) insert into orders select i, i, 'some text to fill pages' from n")
	b, err := os.ReadFile(w.path("c.db"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(b); i++ {
		b[i] ^= 0x5a
	}
	if err := os.WriteFile(w.path("c.db"), b, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"sync", "c.db", "new.db"}, {"diff", "c.db", "a.db"}} {
		w.must(8, args...).wantError(t, "c.db")
		if got := w.must(8, append(args, "--json")...).code(t); got != "corrupt" {
			t.Errorf("code %q", got)
		}
	}
}
