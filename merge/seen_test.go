package merge_test

import (
	"slices"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

// knows reports, by the ghosts, whether v's author knew the write.
func (w *world) knows(key string, v record.Version, write record.FieldStamp) bool {
	for d, stamp := range w.stamps {
		if d.Origin == write.Origin && stamp == write.Stamp {
			return d == v.Dot || w.ghosts[key][v.Dot][d]
		}
	}
	panic("a write that nobody made")
}

// contested finds the contested fields of siblings of one birth by what their authors
// really knew, and for each the newest write that stands.
func (w *world) contested(t *rapid.T, key string, siblings []record.Version) (fields []int, shown []record.Value) {
	for i := range shape.Fields {
		var standing []record.Version
		for _, v := range siblings {
			replaced := slices.ContainsFunc(siblings, func(u record.Version) bool {
				return u.Field(i) != v.Field(i) && w.knows(key, u, v.Field(i)) && !w.knows(key, v, u.Field(i))
			})
			if !replaced {
				standing = append(standing, v)
			}
		}
		best := slices.MaxFunc(standing, func(v, u record.Version) int {
			if c := int(v.Field(i).Stamp) - int(u.Field(i).Stamp); c != 0 {
				return c
			}
			return v.Field(i).Origin.Compare(u.Field(i).Origin)
		})
		value := at(t, best.Image, i)
		for _, v := range standing {
			if !at(t, v.Image, i).Equal(value) {
				fields = append(fields, i)
				break
			}
		}
		shown = append(shown, value)
	}
	return fields, shown
}

// A field is contested exactly when nobody who wrote it had seen the other write: what the
// stamps say is what the authors really knew, and no write is passed over unlisted.
func TestContestedIsWhatNobodyHadSeen(t *testing.T) {
	conflicts, agreed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(merge.Table{}, 3)
		w.commit(w.replicas[0], 1, map[string]write{"7": {change: func(record.Image) record.Image { return row(0, 0, 0) }}})
		w.settle()
		w.live(t, options{steps: 25, keys: 1, noDelete: rapid.IntRange(0, 3).Draw(t, "deletes") > 0})
		w.settle()
		if w.forked {
			return // an origin wrote without having seen its own last write
		}
		live := w.replicas[0].live["7"]
		p := must(w.table.Project(live))
		if len(live) < 2 || p.Whole {
			return
		}
		want, values := w.contested(t, "7", live)
		if !slices.Equal(p.Contested, want) {
			t.Fatalf("contested %v, the authors' knowledge says %v", p.Contested, want)
		}
		for i, v := range values {
			if got := at(t, p.Image, i); !got.Equal(v) {
				t.Fatalf("field %d is shown as %v, the newest write that stands is %v", i, got, v)
			}
		}
		if len(want) > 0 {
			conflicts++
		} else {
			agreed++
		}
	})
	if conflicts == 0 || agreed == 0 {
		t.Errorf("%d histories with conflicts and %d with siblings that agree: the test saw only one kind", conflicts, agreed)
	}
}

// A version goes only by a change whose author had been shown it: the ghosts of the
// context hold it. Whatever was written is live, was replaced by somebody who knew it, or
// is listed.
func TestNoWriteIsLostUnseen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(genTable().Draw(t, "table"), 3)
		w.live(t, options{steps: 40, keys: 1})
		w.settle()
		live := w.replicas[0].live["7"]
		p := must(w.table.Project(live))
		for _, c := range w.commits {
			change, ok := c.changes["7"]
			if !ok || change.Op == record.OpDelete || slices.Contains(dots(live), c.dot) {
				continue
			}
			known := slices.ContainsFunc(w.commits, func(d *commit) bool { return w.ghosts["7"][d.dot][c.dot] })
			if !known {
				t.Fatalf("%v is gone and nobody had seen it", c.dot)
			}
		}
		for _, v := range live {
			w.checkListed(t, &p, v)
		}
	})
}

// checkListed fails if v's own writes are neither shown nor listed. An open record is listed
// as a whole: nothing but the newest version is shown of it.
func (w *world) checkListed(t *rapid.T, p *merge.Projection, v record.Version) {
	if p.Whole || p.Open {
		return
	}
	if p.Absent {
		if v.Flags&record.Bury == 0 {
			t.Fatalf("%v is live, there is no row, and nothing is listed", v.Dot)
		}
		return
	}
	own := record.FieldStamp{Stamp: v.Stamp, Origin: v.Dot.Origin}
	for i, name := range shape.Fields {
		rule, isOwn := w.table.Fields[name]
		if !isOwn {
			rule = w.table.Rule
		}
		if v.Field(i) != own || rule.Kind == merge.Counter || rule.Kind == merge.Set {
			continue
		}
		value := at(t, v.Image, i).Plain()
		if !slices.Contains(p.Contested, i) && !at(t, p.Image, i).Equal(value) {
			t.Fatalf("%v wrote %v into %s; shown is %v, and nothing is listed:\n%s\nunder %+v", v.Dot, value, name, at(t, p.Image, i), summary(*p), w.table)
		}
	}
}

// What a writer leaves is what the next reader sees, when nothing else came between.
func TestEditIsWhatIsShownNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(genTable().Draw(t, "table"), 3)
		w.live(t, options{steps: 25, keys: 1})
		w.settle()
		r := w.replicas[0]
		shown, p := w.shown(r, "7")
		if p.Open || slices.ContainsFunc(shown, func(v record.Version) bool { return len(shown) != len(r.live["7"]) }) {
			return
		}
		var want record.Image
		change := genChange(options{keys: 1}).Draw(t, "change")
		c := w.commit(r, 20, map[string]write{"7": {shown: shown, change: func(before record.Image) record.Image {
			want = change(before)
			return want
		}}})
		if c == nil && !slices.Equal(want, p.Image) {
			t.Fatalf("%x was shown, %x is no change", p.Image, want)
		}
		q := must(w.table.Project(r.live["7"]))
		if q.Absent != (want == nil) || !slices.Equal(q.Image, want) {
			t.Fatalf("wrote %x, the next reader sees %x", want, q.Image)
		}
		if c != nil && q.Conflict() {
			t.Fatalf("somebody who was shown everything left a conflict: %s", summary(q))
		}
	})
}

// A decision closes the conflict with exactly the row decided, everywhere.
func TestDecideCloses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(genTable().Draw(t, "table"), 3)
		w.live(t, options{steps: 25, keys: 1})
		w.settle()
		var want record.Image
		if rapid.IntRange(0, 4).Draw(t, "keep") > 0 {
			want = row(int64(rapid.IntRange(0, 3).Draw(t, "f")), int64(rapid.IntRange(0, 3).Draw(t, "g")), int64(rapid.IntRange(0, 9).Draw(t, "qty")))
		}
		w.commit(w.replicas[0], 20, map[string]write{"7": {decide: true, change: func(record.Image) record.Image { return want }}})
		w.settle()
		for _, r := range w.replicas {
			p := must(w.table.Project(r.live["7"]))
			if p.Conflict() || p.Open || p.Absent != (want == nil) || !slices.Equal(p.Image, want) {
				t.Fatalf("decided %x, shown is %s", want, summary(p))
			}
		}
	})
}

// What a counter shows is what everybody has added, whoever wrote blind, from stale tokens
// or concurrently (I6).
func TestCounterKeepsEveryAddition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(merge.Table{Fields: map[string]merge.Rule{"qty": {Kind: merge.Counter}}}, 3)
		want := int64(rapid.IntRange(-5, 5).Draw(t, "first"))
		w.commit(w.replicas[0], 1, map[string]write{"7": {change: func(record.Image) record.Image { return row(0, 0, want) }}})
		w.settle()
		var tokens [][]record.Version
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			r := w.replicas[rapid.IntRange(0, 2).Draw(t, "replica")]
			shown, _ := w.shown(r, "7")
			switch rapid.IntRange(0, 4).Draw(t, "action") {
			case 0:
				tokens = append(tokens, shown)
			case 1:
				w.pull(r, w.replicas[rapid.IntRange(0, 2).Draw(t, "from")], rapid.IntRange(1, 4).Draw(t, "commits"))
			default:
				if len(tokens) > 0 && rapid.Bool().Draw(t, "stale") {
					if old := rapid.SampledFrom(tokens).Draw(t, "token"); r.knows(dots(old)) {
						shown = old
					}
				}
				more, f := int64(rapid.IntRange(-3, 3).Draw(t, "more")), int64(rapid.IntRange(0, 9).Draw(t, "f"))
				want += more
				w.commit(r, causal.Stamp(rapid.IntRange(0, 9).Draw(t, "wall")), map[string]write{"7": {shown: shown, change: func(before record.Image) record.Image {
					qty, _ := before.Value(fieldQty)
					return with(with(before, fieldQty, integer(qty.Int()+more)), fieldF, integer(f))
				}}})
			}
		}
		w.settle()
		for _, r := range w.replicas {
			p := must(w.table.Project(r.live["7"]))
			if got := at(t, p.Image, fieldQty); got.Int() != want {
				t.Fatalf("the counter is %v, all additions are %d", got, want)
			}
			if slices.Contains(p.Contested, fieldQty) {
				t.Fatal("a counter is contested")
			}
		}
	})
}
