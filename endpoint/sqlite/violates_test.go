package sqlite_test

import (
	"strings"
	"testing"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// TestViolates: references as SQLite compares them, and those nobody could enforce.
func TestViolates(t *testing.T) {
	d := made(t,
		"CREATE TABLE p(id INTEGER PRIMARY KEY, code TEXT COLLATE NOCASE UNIQUE, x INT, y INT, UNIQUE(x, y))",
		"CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p, code TEXT REFERENCES p(code), x INT, y INT, up INT REFERENCES c, gone INT REFERENCES nowhere, FOREIGN KEY(x, y) REFERENCES p(x, y))",
		"INSERT INTO p VALUES(1, 'Ab', 1, 2)",
	)
	p, c := tableOf(t, d, "p"), tableOf(t, d, "c")
	// The shape of p is code, id, x, y; that of c is code, gone, id, p, up, x, y.
	tx := begin(t, d)
	defer tx.Rollback()
	check := func(want string, tab *endpoint.Table, from, to record.Image) {
		t.Helper()
		got, err := tx.Violates(tab, from, to)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("violates %q, want %q", got, want)
		}
	}
	check("", c, nil, img(nil, nil, 1, nil, nil, nil, nil))
	check("", c, nil, img("aB", 5, 1, 1, nil, 1, 2))
	check("c(p) refers to p(id), which has no row with 2", c, nil, img(nil, nil, 1, 2, nil, nil, nil))
	check("", c, nil, img(nil, nil, 1, "1", nil, nil, nil)) // the parent's affinity
	check("c(code)", c, nil, img("ac", nil, 1, nil, nil, nil, nil))
	check("c(x, y)", c, nil, img(nil, nil, 1, nil, nil, 1, 3))
	check("", c, nil, img(nil, nil, 1, nil, nil, 1, nil))
	check("c(up)", c, nil, img(nil, nil, 1, nil, 1, nil, nil))
	check("", c, img(nil, nil, 1, 7, nil, nil, nil), img(nil, 3, 1, 7, nil, nil, nil)) // was broken before
	self := img("AB", nil, 1, 1, 1, 1, 2)
	if err := tx.Insert(c, self, nil); err != nil {
		t.Fatal(err)
	}
	check("", c, nil, self)
	old := img("Ab", 1, 1, 2)
	for _, step := range []struct {
		to   record.Image
		want string
	}{
		{img("aB", 1, 1, 2), ""},
		{img("ac", 1, 1, 2), "c(code)"},
		{img("Ab", 1, 1, 3), "c(x, y)"},
		{img(nil, 1, 1, 2), "c(code)"},
		{img("Ab", 1, 1, 2), ""},
	} {
		if err := tx.Update(p, intKey(t, 1), old, step.to, nil); err != nil {
			t.Fatal(err)
		}
		check(step.want, p, img("Ab", 1, 1, 2), step.to)
		old = step.to
	}
	if err := tx.Delete(p, intKey(t, 1)); err != nil {
		t.Fatal(err)
	}
	check("c(p) refers to p(id), which has no row with 1", p, old, nil)
	if err := tx.Delete(c, intKey(t, 1)); err != nil {
		t.Fatal(err)
	}
	check("", p, old, nil)
	check("", c, self, nil)
}

// TestViolatesNoncharacters: references by text that SQLite would replace if it were bound.
func TestViolatesNoncharacters(t *testing.T) {
	d := made(t, "PRAGMA encoding = 'UTF-16le'", "CREATE TABLE p(k TEXT PRIMARY KEY)", "CREATE TABLE c(id INTEGER PRIMARY KEY, p TEXT REFERENCES p)")
	p, c := tableOf(t, d, "p"), tableOf(t, d, "c")
	tx := begin(t, d)
	defer tx.Rollback()
	row, parent := img(1, "\ufffe"), img("\ufffe")
	for _, step := range []struct {
		write    func() error
		table    *endpoint.Table
		from, to record.Image
		broken   bool
	}{
		{func() error { return tx.Insert(p, img("\ufffd"), nil) }, p, nil, img("\ufffd"), false},
		{func() error { return tx.Insert(c, row, nil) }, c, nil, row, true},
		{func() error { return tx.Insert(p, parent, nil) }, c, nil, row, false},
		{func() error { return tx.Delete(p, keyOf(t, record.TextValue([]byte("\ufffe")))) }, p, parent, nil, true},
	} {
		if err := step.write(); err != nil {
			t.Fatal(err)
		}
		if got, err := tx.Violates(step.table, step.from, step.to); err != nil || (got != "") != step.broken {
			t.Errorf("violates %q (%v), want broken %v", got, err, step.broken)
		}
	}
}
