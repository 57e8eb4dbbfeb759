package syncline_test

import (
	"context"
	"testing"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/merge"
)

// Who asks for conflicts without naming rules is answered by those of the last run.
func TestConflictsByTheRulesOfTheLastRun(t *testing.T) {
	for _, c := range []struct {
		rule string
		kind syncline.ConflictKind
		want string
	}{
		{"keep", syncline.ConflictOpen, ""},
		{"newest", syncline.ConflictResolved, "newest"},
		{"priority:b,a", syncline.ConflictResolved, "priority:b,a"},
	} {
		p := newPlace(t)
		p.exec("a.db", "CREATE TABLE x(id INTEGER PRIMARY KEY, v); INSERT INTO x VALUES(1, 'x')")
		rule, err := merge.ParseRule(c.rule, syncline.SiteNode)
		if err != nil {
			t.Fatal(err)
		}
		o := syncline.Options{TwoWay: true, Yes: true, OnConflict: &rule}
		p.sync("a.db", "b.db", o)
		p.exec("a.db", "UPDATE x SET v = 'a'")
		p.exec("b.db", "UPDATE x SET v = 'b'")
		p.sync("a.db", "b.db", o)
		var got []syncline.Conflict
		err = syncline.Conflicts(context.Background(), p.open("a.db"), p.open("b.db"), syncline.StateOptions{StateDir: p.state},
			func(one syncline.Conflict) error { got = append(got, one); return nil })
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Kind != c.kind || (c.want != "" && got[0].Rule != c.want) {
			t.Errorf("%s: %+v", c.rule, got)
		}
	}
}

// A rule that prefers a side decides between its deletion and the other's edit as well.
func TestPreferredSideDeletes(t *testing.T) {
	p := newPlace(t)
	p.exec("a.db", "CREATE TABLE x(id INTEGER PRIMARY KEY, v); INSERT INTO x VALUES(1, 'x'), (2, 'y')")
	rule, err := merge.ParseRule("priority:a,b", syncline.SiteNode)
	if err != nil {
		t.Fatal(err)
	}
	o := syncline.Options{TwoWay: true, Yes: true, OnConflict: &rule}
	p.sync("a.db", "b.db", o)
	p.exec("a.db", "DELETE FROM x WHERE id = 1; UPDATE x SET v = 'a' WHERE id = 2")
	p.exec("b.db", "UPDATE x SET v = 'b' WHERE id = 1; DELETE FROM x WHERE id = 2")
	p.sync("a.db", "b.db", o)
	p.holds("b.db", "SELECT * FROM x", `2 "a"`)
	p.same("a.db", "b.db", "SELECT * FROM x")
}
