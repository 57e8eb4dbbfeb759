package sqlite_test

import (
	"errors"
	"testing"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// TestEffectsOfTriggers: what the user's triggers write is an effect too, what REPLACE
// deletes included, and nothing of the noting is in the file.
func TestEffectsOfTriggers(t *testing.T) {
	d := made(t,
		"CREATE TABLE t(id INTEGER PRIMARY KEY, n)",
		"CREATE TABLE counts(k TEXT COLLATE NOCASE PRIMARY KEY, n)",
		"CREATE TABLE slots(id INTEGER PRIMARY KEY, slot UNIQUE)",
		"CREATE TABLE plain(x)", // no key: not synced
		"INSERT INTO slots VALUES(1, 'a')", "INSERT INTO counts VALUES('T', 0)",
		"CREATE TRIGGER a AFTER INSERT ON t BEGIN UPDATE counts SET n = n + 1 WHERE k = 't'; INSERT INTO plain VALUES(1); END",
		"CREATE TRIGGER b AFTER UPDATE ON t BEGIN INSERT OR REPLACE INTO slots VALUES(new.n, 'a'); END",
	)
	before := objects(t, d.Path())
	tab := tableOf(t, d, "t")
	tx, err := d.Begin(t.Context(), endpoint.Begin{Pair: endpoint.Pair{1}, Effects: true})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	got := map[string]int{}
	err = errors.Join(
		tx.Insert(tab, img(7, 0), nil),
		tx.Update(tab, intKey(t, 7), img(7, 0), img(7, 2), nil),
		tx.Exec("CREATE TABLE later(id INTEGER PRIMARY KEY)"),
	)
	if err != nil {
		t.Fatal(err)
	}
	s, err := tx.Schema()
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Insert(s.Table("later"), img(1), nil); err != nil {
		t.Fatal(err)
	}
	err = tx.Effects(func(tab *endpoint.Table, k record.Key) error {
		name, err := record.FormatKey(tab.Name, k)
		got[name]++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"t/7", `counts/["t"]`, "slots/1", "slots/2", "later/1"} {
		if got[want] != 1 {
			t.Errorf("%s was listed %d times: %v", want, got[want], got)
		}
	}
	if len(got) != 5 {
		t.Errorf("effects are %v", got)
	}
	if err := tx.Exec("DROP TABLE later"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if after := objects(t, d.Path()); after != before {
		t.Errorf("the file has %s\nbefore %s", after, before)
	}
}
