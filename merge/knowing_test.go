package merge_test

import (
	"bytes"
	"cmp"
	"slices"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// The histories that broke earlier drafts of the core rules, as far as they concern single
// records, by the numbers under which they were found.

// story tells a history of one record at replicas 1, 2, 3.
type story struct {
	*testing.T
	*world
}

func newStory(t *testing.T, table merge.Table) *story {
	return &story{t, newWorld(table, 3)}
}

func (s *story) at(n int) *replica { return s.replicas[n-1] }

// put writes what change makes of the row that replica n shows, at a wall time.
func (s *story) put(n int, wall causal.Stamp, change func(record.Image) record.Image) *commit {
	s.Helper()
	shown, _ := s.shown(s.at(n), "7")
	return s.putShown(n, wall, shown, change)
}

// putShown writes likewise for somebody who was shown these versions.
func (s *story) putShown(n int, wall causal.Stamp, shown []record.Version, change func(record.Image) record.Image) *commit {
	s.Helper()
	c := s.commit(s.at(n), wall, map[string]write{"7": {shown: shown, change: change}})
	if c == nil {
		s.Fatal("nothing differs")
	}
	return c
}

func (s *story) insert(n int, wall causal.Stamp, im record.Image) *commit {
	s.Helper()
	return s.putShown(n, wall, nil, func(record.Image) record.Image { return im })
}

func (s *story) decide(n int, wall causal.Stamp, im record.Image) {
	s.Helper()
	s.commit(s.at(n), wall, map[string]write{"7": {decide: true, change: func(record.Image) record.Image { return im }}})
}

func set(i int, v int64) func(record.Image) record.Image {
	return func(im record.Image) record.Image { return with(im, i, integer(v)) }
}

func gone(record.Image) record.Image { return nil }

// show returns what replica 1 shows once everybody has everything.
func (s *story) show() merge.Projection {
	s.Helper()
	s.settle()
	_, p := s.shown(s.at(1), "7")
	return p
}

func (s *story) wantRow(p merge.Projection, want record.Image) {
	s.Helper()
	if p.Absent != (want == nil) || !bytes.Equal(p.Image, want) {
		s.Errorf("shown is %v, want %v", values(p.Image), values(want))
	}
}

func (s *story) wantContested(p merge.Projection, whole bool, fields ...int) {
	s.Helper()
	if p.Whole != whole || !slices.Equal(p.Contested, fields) {
		s.Errorf("contested %v, whole %v; want %v, %v", p.Contested, p.Whole, fields, whole)
	}
}

func values(im record.Image) []record.Value {
	vs, _ := im.Values(nil)
	return vs
}

func TestF8ShownVersionThatLeftTheState(t *testing.T) {
	s := newStory(t, merge.Table{})
	s.insert(1, 1, row(1, 1, 1))
	old, _ := s.shown(s.at(1), "7")
	s.pull(s.at(2), s.at(1), -1)
	s.put(2, 10, set(fieldF, 2))
	s.pull(s.at(1), s.at(2), -1) // the version that was shown is gone from the state
	s.putShown(1, 20, old, set(fieldG, 3))
	p := s.show()
	s.wantRow(p, row(2, 3, 1))
	s.wantContested(p, false)
}

func TestF10TokenFromTheFutureIsADependency(t *testing.T) {
	s := newStory(t, merge.Table{})
	s.insert(1, 1, row(1, 1, 1))
	token, _ := s.shown(s.at(1), "7")
	if s.at(2).knows(dots(token)) {
		t.Fatal("replica 2 knows a dot that it never pulled")
	}
	c, _, err := s.table.Edit(merge.Edit{Dot: dot(2, 1), Stamp: 5, Shown: token, Shape: shape, Row: row(2, 1, 1)})
	if err != nil || !slices.Equal(c.Context, []causal.Dot{dot(1, 1)}) {
		t.Errorf("context %v, error %v; want the dot of the token, so that the commit waits for it", c.Context, err)
	}
}

func TestF11DeleteWins(t *testing.T) {
	for _, tt := range []struct {
		del    merge.Delete
		stamp  causal.Stamp // of the delete; that of the update is 10
		want   record.Image
		listed bool
	}{
		{merge.UpdateWins, 5, row(2, 1, 1), false},
		{merge.UpdateWins, 15, row(2, 1, 1), false},
		{merge.DeleteWins, 5, nil, true},
		{merge.DeleteWins, 15, nil, true},
		{merge.RuleDecides, 5, row(2, 1, 1), true},
		{merge.RuleDecides, 15, nil, true},
	} {
		s := newStory(t, merge.Table{Delete: tt.del})
		s.insert(1, 1, row(1, 1, 1))
		s.settle()
		s.put(1, tt.stamp, gone)
		s.put(2, 10, set(fieldF, 2))
		p := s.show()
		s.wantRow(p, tt.want)
		s.wantContested(p, tt.listed)
	}
}

func TestDeleteWinsOnlyOverItsOwnRow(t *testing.T) {
	s := newStory(t, merge.Table{Delete: merge.DeleteWins})
	s.insert(1, 1, row(1, 1, 1))
	s.insert(2, 2, row(2, 2, 2))
	s.put(1, 9, gone)
	p := s.show()
	s.wantRow(p, row(2, 2, 2))
	s.wantContested(p, true)
}

func TestRowInsertedAfterADeletionIsANewBirth(t *testing.T) {
	s := newStory(t, merge.Table{Delete: merge.DeleteWins})
	s.insert(1, 1, row(1, 1, 1))
	s.put(1, 2, gone)
	c := s.put(1, 3, func(record.Image) record.Image { return row(5, 5, 5) })
	p := s.show()
	s.wantRow(p, row(5, 5, 5))
	s.wantContested(p, false)
	if v := s.at(1).live["7"]; len(v) != 1 || v[0].Birth != c.dot {
		t.Errorf("live %v, want the new row alone, born of %v", v, c.dot)
	}
}

func TestF12KeepStaysOpenWhoeverWrites(t *testing.T) {
	s := newStory(t, merge.Table{Rule: merge.Rule{Kind: merge.Keep}})
	s.insert(1, 1, row(1, 1, 1))
	s.settle()
	s.put(1, 5, set(fieldF, 2))
	c := s.put(2, 6, set(fieldF, 3))
	p := s.show()
	s.wantRow(p, row(3, 1, 1))
	s.wantContested(p, false, fieldF)
	if !p.Open || !slices.Equal(p.Shown, []causal.Dot{c.dot}) || p.By.Kind != merge.Keep {
		t.Errorf("open %v, shown %v, by %v; want the newest version alone, kept open", p.Open, p.Shown, p.By)
	}
	s.put(1, 8, set(fieldG, 9)) // a write to the open record
	p = s.show()
	if !p.Open || len(s.at(1).live["7"]) != 2 {
		t.Errorf("a write closed the conflict: %s", summary(p))
	}
	s.wantRow(p, row(3, 9, 1))
	s.decide(3, 9, row(2, 9, 1))
	p = s.show()
	s.wantRow(p, row(2, 9, 1))
	if p.Open || p.Conflict() {
		t.Errorf("a decision left it open: %s", summary(p))
	}
}

func TestKeepMergesWhatIsNotContested(t *testing.T) {
	s := newStory(t, merge.Table{Rule: merge.Rule{Kind: merge.Keep}})
	s.insert(1, 1, row(1, 1, 1))
	s.settle()
	s.put(1, 5, set(fieldF, 2))
	s.put(2, 6, set(fieldG, 3))
	p := s.show()
	s.wantRow(p, row(2, 3, 1))
	s.wantContested(p, false)
	if p.Open || len(p.Shown) != 2 || !p.Winner.IsZero() {
		t.Errorf("open %v, shown %v, winner %v; want a merge of both", p.Open, p.Shown, p.Winner)
	}
}

func TestKeepLeavesADeletionOpen(t *testing.T) {
	s := newStory(t, merge.Table{Rule: merge.Rule{Kind: merge.Keep}})
	s.insert(1, 1, row(1, 1, 1))
	s.settle()
	s.put(1, 9, gone)
	s.put(2, 6, set(fieldG, 3))
	p := s.show()
	s.wantRow(p, nil) // the newest meanwhile
	s.wantContested(p, true)
	if !p.Open {
		t.Error("a deletion beside an update is not open")
	}
	s.decide(1, 20, row(1, 3, 1))
	s.wantRow(s.show(), row(1, 3, 1))
}

func TestF16CounterOfAWriterWithTwoSiblings(t *testing.T) {
	s := newStory(t, merge.Table{Fields: map[string]merge.Rule{"qty": {Kind: merge.Counter}}})
	s.insert(3, 1, row(0, 0, 0))
	s.settle()
	old, _ := s.shown(s.at(1), "7")
	s.put(1, 2, set(fieldQty, 5))             // +5
	s.putShown(1, 3, old, set(fieldQty, 1))   // +1, by somebody who was shown 0
	s.wantRow(s.show(), row(0, 0, 6))         // not 1, not 5
	s.put(2, 4, set(fieldQty, 10))            // +4, having seen both
	s.putShown(1, 9, old, set(fieldQty, -10)) // -10 from the old token again
	s.wantRow(s.show(), row(0, 0, 0))
}

func TestF17AVersionIsAKeyAndADot(t *testing.T) {
	s := newStory(t, merge.Table{})
	put := func(im record.Image) write {
		return write{change: func(record.Image) record.Image { return im }}
	}
	s.commit(s.at(1), 1, map[string]write{"7": put(row(7, 0, 0)), "8": put(row(8, 0, 0))})
	s.settle()
	for _, key := range []string{"7", "8"} {
		if got := dots(s.at(2).live[key]); !slices.Equal(got, []causal.Dot{dot(1, 1)}) {
			t.Errorf("%s is %v, want the commit's one dot for each record", key, got)
		}
	}
}

func TestF18EqualStampsEndOnTheFieldsWriter(t *testing.T) {
	s := newStory(t, merge.Table{})
	s.insert(1, 1, row(0, 0, 0))
	s.settle()
	s.put(1, 5, set(fieldF, 1))
	s.put(2, 5, set(fieldF, 2))
	s.pull(s.at(3), s.at(1), -1) // replica 3 sees only 1's
	s.put(3, 6, set(fieldG, 9))
	p := s.show()
	s.wantRow(p, row(2, 9, 0))
	s.wantContested(p, false, fieldF)
}

func TestF19BirthsDoNotMerge(t *testing.T) {
	s := newStory(t, merge.Table{})
	s.insert(1, 1, row(1, 1, 1))
	s.insert(2, 2, row(2, 2, 2))
	s.put(1, 3, set(fieldF, 5))
	p := s.show()
	s.wantRow(p, row(5, 1, 1))
	s.wantContested(p, true)
	if p.Winner != dot(1, 2) {
		t.Errorf("winner %v, want the newest version's birth whole", p.Winner)
	}
}

func TestEqualRowsOfTwoBirthsAgree(t *testing.T) {
	for _, kind := range []merge.Kind{merge.Fields, merge.Keep, merge.Newest, merge.Counter} {
		s := newStory(t, merge.Table{Rule: merge.Rule{Kind: kind}})
		s.insert(1, 1, row(1, 1, 1))
		s.insert(2, 2, row(1, 1, 1))
		p := s.show()
		s.wantRow(p, row(1, 1, 1))
		s.wantContested(p, false)
		if p.Open || len(p.Shown) != 2 {
			t.Errorf("%v: open %v, shown %v", merge.Rule{Kind: kind}, p.Open, p.Shown)
		}
	}
}

func TestKeepLeavesTwoBirthsOpen(t *testing.T) {
	s := newStory(t, merge.Table{Rule: merge.Rule{Kind: merge.Keep}})
	s.insert(1, 1, row(1, 1, 1))
	s.insert(2, 2, row(1, 2, 1))
	p := s.show()
	s.wantRow(p, row(1, 2, 1))
	s.wantContested(p, true)
	if !p.Open {
		t.Error("two rows of unknown history are not open")
	}
}

// An origin's stamps say that its later version has seen its earlier one. Live siblings
// have not, and the merge knows.
func TestTwoSiblingsOfOneOriginAreContested(t *testing.T) {
	s := newStory(t, merge.Table{})
	s.insert(1, 1, row(0, 0, 0))
	old, _ := s.shown(s.at(1), "7")
	s.put(1, 2, set(fieldF, 1))
	s.putShown(1, 3, old, set(fieldF, 2))
	p := s.show()
	s.wantRow(p, row(2, 0, 0))
	s.wantContested(p, false, fieldF)
}

func TestTwoDecisionsThatDisagreeAreContested(t *testing.T) {
	s := newStory(t, merge.Table{})
	s.insert(1, 1, row(0, 0, 0))
	s.settle()
	s.put(1, 2, set(fieldF, 1))
	s.put(2, 3, set(fieldF, 2))
	s.settle()
	s.decide(1, 4, row(1, 0, 0))
	s.decide(2, 5, row(2, 0, 0))
	p := s.show()
	s.wantRow(p, row(2, 0, 0))
	s.wantContested(p, false, fieldF)
}

// A third writer who knew neither decision does not win by their cancelling each other.
func TestTwoDecisionsAndAWrite(t *testing.T) {
	s := newStory(t, merge.Table{})
	s.insert(1, 1, row(0, 0, 0))
	s.settle()
	old, _ := s.shown(s.at(3), "7")
	s.put(1, 2, set(fieldF, 1))
	s.put(2, 5, set(fieldF, 2))
	s.pull(s.at(1), s.at(2), -1)
	s.pull(s.at(2), s.at(1), -1)
	s.decide(1, 6, row(1, 0, 0))
	s.decide(2, 7, row(2, 0, 0))
	s.putShown(3, 3, old, set(fieldF, 3))
	p := s.show()
	s.wantRow(p, row(2, 0, 0))
	s.wantContested(p, false, fieldF)
}

// A birth that is contested within is not the same as another that shows the same row.
func TestContestedBirthBesideAnother(t *testing.T) {
	for n := range 2 {
		s := newStory(t, merge.Table{Rule: merge.Rule{Kind: merge.Keep}})
		s.insert(1, 1, row(0, 0, 0))
		s.pull(s.at(2), s.at(1), -1)
		s.put(1, 2, set(fieldF, 1))
		s.put(2, 3, set(fieldF, 2))
		s.insert(3, causal.Stamp(1+9*n), row(2, 0, 0))
		p := s.show()
		s.wantRow(p, row(2, 0, 0))
		if !p.Open || !p.Whole {
			t.Errorf("%s; want it open as a whole", summary(p))
		}
	}
}

// Somebody who hands in more versions than an open record shows was not shown them.
func TestOpenRecordShowsOneVersion(t *testing.T) {
	s := newStory(t, merge.Table{Rule: merge.Rule{Kind: merge.Keep}})
	s.insert(3, 1, row(0, 0, 0))
	s.settle()
	s.put(1, 2, set(fieldF, 1))
	s.put(2, 3, set(fieldF, 2))
	s.settle()
	s.putShown(3, 4, s.at(3).live["7"], set(fieldG, 5))
	p := s.show()
	s.wantContested(p, false, fieldF)
	if v := newest(s.at(1).live["7"]); !p.Open || slices.ContainsFunc(v.Seen, func(o record.Seen) bool { return o.Origin == origin(1) }) {
		t.Errorf("%s, seen %v; want it open, and origin 1 unseen", summary(p), v.Seen)
	}
}

func newest(vs []record.Version) record.Version {
	return slices.MaxFunc(vs, func(v, w record.Version) int { return cmp.Compare(v.Stamp, w.Stamp) })
}

// A decided field keeps the newest write of the value it takes; others are the decider's.
func TestDecisionKeepsWrites(t *testing.T) {
	s := newStory(t, merge.Table{})
	s.insert(3, 1, row(0, 0, 0))
	s.settle()
	s.put(1, 2, func(im record.Image) record.Image { return row(1, 1, 0) })
	s.put(2, 3, func(im record.Image) record.Image { return row(2, 1, 0) })
	s.settle()
	s.decide(1, 9, row(1, 1, 8))
	v := s.at(1).live["7"][0]
	want := []record.FieldStamp{{Stamp: 2, Origin: origin(1)}, {Stamp: 3, Origin: origin(2)}, {Stamp: 1, Origin: origin(3)}, {Stamp: 9, Origin: origin(1)}}
	if !slices.Equal(v.Fields, want) || len(s.at(1).live["7"]) != 1 {
		t.Errorf("writes %v, want %v", v.Fields, want)
	}
}

// The newest write is not always the newest version's.
func TestDecisionKeepsTheNewestWrite(t *testing.T) {
	s := newStory(t, merge.Table{})
	s.insert(3, 1, row(0, 0, 0))
	s.settle()
	s.put(1, 2, set(fieldF, 1))
	s.put(1, 9, set(fieldG, 1))
	s.put(3, 3, set(fieldF, 1))
	s.put(2, 4, set(fieldF, 2))
	s.settle()
	s.decide(1, 20, row(1, 1, 0))
	if got, want := s.at(1).live["7"][0].Field(fieldF), (record.FieldStamp{Stamp: 3, Origin: origin(3)}); got != want {
		t.Errorf("the decided value is the write %v, want %v", got, want)
	}
}

// A decision for the older value stands against an edit of another field by somebody who
// had only seen the newer.
func TestADecisionOutlivesTheWriteItRejected(t *testing.T) {
	s := newStory(t, merge.Table{})
	s.insert(1, 1, row(0, 0, 0))
	s.settle()
	s.put(1, 2, set(fieldF, 1))
	s.put(2, 3, set(fieldF, 2))
	s.pull(s.at(3), s.at(2), -1)
	s.pull(s.at(1), s.at(2), -1)
	s.decide(1, 4, row(1, 0, 0))
	s.put(3, 9, set(fieldG, 8))
	p := s.show()
	s.wantRow(p, row(1, 8, 0))
	s.wantContested(p, false)
}
