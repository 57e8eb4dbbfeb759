package merge_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

func tags(rule string) merge.Table {
	return merge.Table{Fields: map[string]merge.Rule{"g": must(merge.ParseRule(rule, site))}}
}

func setText(s string) func(record.Image) record.Image {
	return func(im record.Image) record.Image { return with(im, fieldG, text(s)) }
}

func TestSetKeepsWhatNobodyRemovedKnowingly(t *testing.T) {
	for _, tt := range []struct{ base, a, b, want string }{
		{`["x"]`, `["x","a"]`, `["x","b"]`, `["a","b","x"]`},
		{`["x","y"]`, `["x"]`, `["x","y","b"]`, `["b","x"]`},
		{`["x"]`, `[]`, `["x","b"]`, `["b"]`},
		{`[]`, `["n"]`, `["n"]`, `["n"]`},
		{`[1]`, `[1, 1.0]`, `[ 1 , null, "1" ]`, `[1,"1",null,1.0]`},
		{`[{"bytes":"00ff"}]`, `[{"bytes":"00ff"},{"text":"ff"}]`, `[{"bytes":"00ff"},-9e999,{"float":"nan"}]`, `[{"bytes":"00ff"},{"text":"ff"},-9e999,{"float":"nan"}]`},
	} {
		s := newStory(t, tags("set"))
		s.insert(3, 1, with(row(0, 0, 0), fieldG, text(tt.base)))
		s.settle()
		s.put(1, 5, func(im record.Image) record.Image { return with(setText(tt.a)(im), fieldF, integer(1)) })
		s.put(2, 6, func(im record.Image) record.Image { return with(setText(tt.b)(im), fieldQty, integer(1)) })
		p := s.show()
		got := string(at(t, p.Image, fieldG).Raw())
		if sortedMembers(got) != sortedMembers(tt.want) || p.Conflict() {
			t.Errorf("%s -> %s and %s: shown is %s, want %s", tt.base, tt.a, tt.b, got, tt.want)
		}
	}
}

func sortedMembers(s string) string {
	parts := strings.Split(strings.Trim(s, "[]"), ",")
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

func TestSetSpelledAnotherWayIsNoChange(t *testing.T) {
	s := newStory(t, tags("set"))
	s.insert(1, 1, with(row(0, 0, 0), fieldG, text(`["a","b"]`)))
	live := s.at(1).live["7"]
	for _, same := range []string{`["a","b"]`, ` [ "b", "a" ] `, `["b","a","b"]`, `["\u0061","b"]`} {
		e := merge.Edit{Dot: dot(1, 2), Stamp: 9, Shown: live, Live: live, Shape: shape, Row: with(row(0, 0, 0), fieldG, text(same))}
		if _, ok, err := s.table.Edit(e); ok || err != nil {
			t.Errorf("%s: ok %v, %v; want no change", same, ok, err)
		}
	}
}

// What is no JSON array of scalars is a write like any other, and comes back as it was.
func TestWhatIsNoSet(t *testing.T) {
	for _, odd := range []record.Value{
		text(`x`), text(`[[1]]`), text(`[1`), text(`[1] 2`), text(`{"a":1}`), text(`null`), text(``), text(`[{"bytes":"0"}]`),
		text(`[{"a":"b"}]`), text(`["\ud800"]`), text(`[true]`), integer(5), record.NullValue(), record.BytesValue([]byte(`[]`)),
	} {
		s := newStory(t, tags("set"))
		s.insert(3, 1, with(row(0, 0, 0), fieldG, text(`["a"]`)))
		s.settle()
		s.put(1, 5, func(im record.Image) record.Image { return with(im, fieldG, odd) })
		p := s.show()
		if got := at(t, p.Image, fieldG); !got.Equal(odd) {
			t.Errorf("%v came back as %v", odd, got)
		}
		s.put(2, 6, setText(`["b"]`))
		if got := at(t, s.show().Image, fieldG); !got.Equal(text(`["b"]`)) {
			t.Errorf("a set after %v is %v", odd, got)
		}
	}
}

// In random histories a set has exactly the members that somebody added and nobody who
// knew of the addition removed.
func TestSetMembers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(tags("set"), 3)
		w.commit(w.replicas[0], 1, map[string]write{"7": {change: func(record.Image) record.Image { return setText(`[]`)(row(0, 0, 0)) }}})
		w.settle()
		type addition struct {
			member string
			by     causal.Dot
		}
		added, removed := map[addition]bool{}, map[addition]bool{}
		has := map[causal.Dot]map[addition]bool{dot(1, 1): {}} // what each version holds
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			r := w.replicas[rapid.IntRange(0, 2).Draw(t, "replica")]
			if rapid.IntRange(0, 2).Draw(t, "pull") == 0 {
				w.pull(r, w.replicas[rapid.IntRange(0, 2).Draw(t, "from")], rapid.IntRange(1, 4).Draw(t, "commits"))
				continue
			}
			want := map[string]bool{}
			for _, m := range rapid.SliceOfN(rapid.SampledFrom([]string{`"a"`, `"b"`, `"c"`, `1`}), 0, 3).Draw(t, "members") {
				want[m] = true
			}
			list := "[" + strings.Join(slices.Sorted(maps.Keys(want)), ",") + "]"
			shown, _ := w.shown(r, "7")
			seen := map[addition]bool{} // what was there, as the contexts say
			for _, v := range shown {
				for a := range has[v.Dot] {
					seen[a] = true
				}
			}
			for _, v := range shown {
				for a := range seen {
					if (w.ghosts["7"][v.Dot][a.by] || a.by == v.Dot) && !has[v.Dot][a] {
						delete(seen, a)
					}
				}
			}
			c := w.commit(r, causal.Stamp(rapid.IntRange(0, 9).Draw(t, "wall")), map[string]write{"7": {shown: shown, change: setText(list)}})
			if c == nil {
				continue
			}
			has[c.dot] = map[addition]bool{}
			for m := range want {
				kept := false
				for a := range seen {
					if a.member == m {
						has[c.dot][a], kept = true, true
					}
				}
				if a := (addition{m, c.dot}); !kept {
					added[a], has[c.dot][a] = true, true
				}
			}
			for a := range seen {
				removed[a] = removed[a] || !has[c.dot][a]
			}
		}
		w.settle()
		if w.forked {
			return // an origin wrote without having seen its own last write
		}
		want := map[string]bool{}
		for a := range added {
			if !removed[a] {
				want[a.member] = true
			}
		}
		p := must(w.table.Project(w.replicas[0].live["7"]))
		if got := string(at(t, p.Image, fieldG).Raw()); sortedMembers(got) != strings.Join(slices.Sorted(maps.Keys(want)), ",") {
			t.Fatalf("the set is %s, want %v", got, slices.Sorted(maps.Keys(want)))
		}
	})
}
