package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
)

func TestDemoHasWhatTheReadmeSays(t *testing.T) {
	w := newWorld(t)
	w.must(0, "demo", "init", "play")
	conn, err := sqlite.OpenConn(w.path("play/a.db"), sqlite.OpenReadOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, c := range []struct{ query, want string }{
		{"select (select count(*) from customers) + (select count(*) from orders) + (select count(*) from lines)", "21345"},
		{"select count(*) from orders", "10000"},
		{"select total from orders where id = 7", "19.9"},
		{"select count(*) from lines where order_id = 7", "2"},
		{"select count(*) from pragma_foreign_key_check", "0"},
		{"select count(*) from orders where abs(total - (select sum(quantity * price) from lines where order_id = orders.id)) > 0.001", "0"},
		{"pragma integrity_check", "ok"},
	} {
		stmt, _, err := conn.PrepareTransient(c.query)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stmt.Step(); err != nil {
			t.Fatal(err)
		}
		if got := stmt.ColumnText(0); got != c.want {
			t.Errorf("%s: %s, want %s", c.query, got, c.want)
		}
		if err := stmt.Finalize(); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(w.path("play/b.db"))
	if err != nil || len(b) != 0 {
		t.Errorf("b.db holds %d bytes, %v", len(b), err)
	}
}

func TestDemoIsTheSameEveryTime(t *testing.T) {
	w := newWorld(t)
	w.must(0, "demo", "init", "one")
	w.must(0, "demo", "init", "two")
	a, err := os.ReadFile(w.path("one/a.db"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(w.path("two/a.db"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("two play databases differ")
	}
}

func TestDemoOverwritesNothing(t *testing.T) {
	for _, name := range []string{"a.db", "b.db"} {
		w := newWorld(t)
		if err := os.WriteFile(w.path(name), []byte("precious"), 0o666); err != nil {
			t.Fatal(err)
		}
		r := w.must(6, "demo", "init", ".")
		if !strings.Contains(r.errOut, name+" exists") {
			t.Errorf("stderr: %s", r.errOut)
		}
		files, err := os.ReadDir(w.dir)
		if err != nil || len(files) != 1 {
			t.Errorf("%d files, %v", len(files), err)
		}
	}
}
