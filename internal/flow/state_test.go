package flow

import (
	"fmt"
	"slices"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

// pair is one record between two databases, with everything a run does to it but the
// reading and writing.
type pair struct {
	t     *testing.T
	fail  func(string, ...any)
	st    state
	rows  [2]row
	clock causal.Stamp
	seq   [3]uint64
}

var pairShape = func() *record.Shape {
	s, err := record.NewShape("t", []string{"f", "g"})
	if err != nil {
		panic(err)
	}
	return s
}()

type pairEdit struct {
	p *pair
	i int
}

func (e pairEdit) at() (causal.Dot, causal.Stamp) {
	e.p.seq[e.i]++
	e.p.clock++
	return causal.Dot{Origin: causal.Origin{Node: causal.Node{byte(e.i + 1)}, Incarnation: 1}, Seq: e.p.seq[e.i]}, e.p.clock
}

func newPair(t *testing.T, rule merge.Kind) *pair {
	p := &pair{t: t, fail: func(f string, a ...any) { t.Fatalf(f, a...) }}
	p.st.rules, p.st.shape = &merge.Table{Rule: merge.Rule{Kind: rule}}, pairShape
	if rule == merge.Keep {
		p.st.rules.Delete = merge.RuleDecides
	}
	return p
}

func pairRow(f, g int64) row {
	var w record.ImageWriter
	w.Reset(2)
	w.Int(f)
	w.Int(g)
	return slices.Clone(w.Image())
}

func show(r row) string {
	if r == nil {
		return "-"
	}
	vs, err := r.Values(nil)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%v,%v", vs[0], vs[1])
}

// run is one run: it observes both sites, then writes what is due at each.
func (p *pair) run(m *Mode) (rd round) {
	seen := [2]sight{{looked: true, row: p.rows[0]}, {looked: true, row: p.rows[1]}}
	l := &loaded{state: p.st}
	rd, err := l.round(m, seen, [2]edit{pairEdit{p, 0}, pairEdit{p, 1}})
	if err != nil {
		p.fail("round: %v", err)
	}
	p.st = l.state
	for i := range p.rows {
		p.apply(m, i)
	}
	l = &loaded{state: p.st}
	l.forget()
	p.st = l.state
	return rd
}

func (p *pair) apply(m *Mode, i int) {
	if !m.writes(i) {
		return
	}
	v, have, want, err := p.st.due(i, m)
	if err != nil {
		p.fail("due: %v", err)
	}
	if v != write {
		return
	}
	if !equal(have, p.rows[i]) {
		p.fail("site %d is thought to have %s and has %s", i, show(have), show(p.rows[i]))
	}
	p.rows[i] = slices.Clone(want)
	if err := p.st.settle(i, want); err != nil {
		p.fail("settle: %v", err)
	}
}

var (
	twoWay = &Mode{Lead: Both}
	toB    = &Mode{Lead: 0}
	mirror = &Mode{Lead: 0, Delete: true}
)

func (p *pair) want(a, b row) {
	p.t.Helper()
	if !equal(p.rows[0], a) || !equal(p.rows[1], b) {
		p.t.Fatalf("rows are %s and %s, want %s and %s", show(p.rows[0]), show(p.rows[1]), show(a), show(b))
	}
}

func TestFirstTwoWayRunGuessesNothing(t *testing.T) {
	p := newPair(t, merge.Keep)
	p.rows = [2]row{pairRow(1, 1), pairRow(1, 2)}
	if rd := p.run(twoWay); !rd.undecide {
		t.Error("rows that differ under one key are no conflict")
	}
	p.want(pairRow(1, 1), pairRow(1, 2))

	p = newPair(t, merge.Fields)
	p.rows = [2]row{pairRow(1, 7), pairRow(2, 8)}
	p.run(twoWay)
	p.want(pairRow(2, 8), pairRow(2, 8)) // whole, never field by field

	p = newPair(t, merge.Keep)
	p.rows = [2]row{pairRow(1, 1), nil}
	p.run(twoWay)
	p.want(pairRow(1, 1), pairRow(1, 1))
}

func TestFieldsOfOneRowMerge(t *testing.T) {
	p := newPair(t, merge.Keep)
	p.rows[0] = pairRow(1, 1)
	p.run(twoWay)
	p.rows = [2]row{pairRow(2, 1), pairRow(1, 3)}
	p.run(twoWay)
	p.want(pairRow(2, 3), pairRow(2, 3))
	// What one side edits then is an edit of what both wrote.
	p.rows[1] = pairRow(9, 9)
	p.run(twoWay)
	p.want(pairRow(9, 9), pairRow(9, 9))
}

func TestConflictClosesWhenBothAreEqual(t *testing.T) {
	p := newPair(t, merge.Keep)
	p.rows[0] = pairRow(1, 1)
	p.run(twoWay)
	p.rows = [2]row{pairRow(2, 1), pairRow(3, 1)}
	if rd := p.run(twoWay); !rd.undecide {
		t.Fatal("two edits of one field are no conflict")
	}
	p.want(pairRow(2, 1), pairRow(3, 1))
	if rd := p.run(twoWay); !rd.undecide {
		t.Fatal("the conflict went away by itself")
	}
	p.rows[1] = pairRow(2, 1)
	if rd := p.run(twoWay); rd.undecide {
		t.Fatal("the conflict stays though both are equal")
	}
	p.rows[0] = pairRow(5, 5)
	p.run(twoWay)
	p.want(pairRow(5, 5), pairRow(5, 5))
}

func TestDeleteAgainstUpdateStaysOpen(t *testing.T) {
	p := newPair(t, merge.Keep)
	p.rows[0] = pairRow(1, 1)
	p.run(twoWay)
	p.rows = [2]row{nil, pairRow(1, 2)}
	if rd := p.run(twoWay); !rd.undecide {
		t.Fatal("a deletion against an update is no conflict")
	}
	p.want(nil, pairRow(1, 2))
	p.rows[1] = nil
	p.run(twoWay)
	p.want(nil, nil)
	if len(p.st.live) != 0 {
		t.Errorf("%d versions are left of a record that nobody has", len(p.st.live))
	}
}

func TestDeletionCrosses(t *testing.T) {
	for _, rule := range []merge.Kind{merge.Keep, merge.Fields, merge.Newest} {
		p := newPair(t, rule)
		p.rows[0] = pairRow(1, 1)
		p.run(twoWay)
		p.rows[1] = nil
		p.run(twoWay)
		p.want(nil, nil)
		p.rows[0] = pairRow(4, 4)
		p.run(twoWay)
		p.want(pairRow(4, 4), pairRow(4, 4))
	}
}

func TestOneWayWithholdsDeletions(t *testing.T) {
	p := newPair(t, merge.Keep)
	p.rows[0] = pairRow(1, 1)
	p.run(toB)
	p.rows[0] = nil
	if rd := p.run(toB); rd.verdict[1] != pending {
		t.Errorf("verdict is %d, want pending", rd.verdict[1])
	}
	p.want(nil, pairRow(1, 1))
	// Shown, and not undone, by two-way runs that were not told to delete.
	if rd := p.run(twoWay); rd.verdict[1] != pending {
		t.Errorf("verdict is %d, want pending", rd.verdict[1])
	}
	p.want(nil, pairRow(1, 1))
	p.run(&Mode{Lead: Both, Delete: true})
	p.want(nil, nil)
}

func TestOneWayCountsWhatItOverwrites(t *testing.T) {
	p := newPair(t, merge.Keep)
	p.rows[0] = pairRow(1, 1)
	p.run(toB)
	p.rows[1] = pairRow(1, 5)
	if rd := p.run(toB); !rd.edited[1] {
		t.Error("an edit at the target is overwritten uncounted")
	}
	p.want(pairRow(1, 1), pairRow(1, 1))
	p.rows[1] = nil
	if rd := p.run(toB); !rd.edited[1] {
		t.Error("a deletion at the target is undone uncounted")
	}
	p.want(pairRow(1, 1), pairRow(1, 1))
	p.rows[0] = pairRow(2, 1)
	if rd := p.run(toB); rd.edited[1] {
		t.Error("an ordinary update counts as overwriting")
	}
	p.want(pairRow(2, 1), pairRow(2, 1))
}

func TestOneWayEndsConflicts(t *testing.T) {
	p := newPair(t, merge.Keep)
	p.rows[0] = pairRow(1, 1)
	p.run(twoWay)
	p.rows = [2]row{pairRow(2, 1), pairRow(3, 1)}
	p.run(twoWay)
	if rd := p.run(toB); !rd.edited[1] {
		t.Error("the other side of a conflict is overwritten uncounted")
	}
	p.want(pairRow(2, 1), pairRow(2, 1))
	if rd := p.run(twoWay); rd.undecide {
		t.Error("still open")
	}
}

// What a rule decided stays decided for runs with another rule.
func TestEditOfWhatARuleDecided(t *testing.T) {
	for i := range 2 {
		p := newPair(t, merge.Keep)
		p.rows[0] = pairRow(1, 1)
		p.run(twoWay)
		p.rows = [2]row{pairRow(2, 1), pairRow(3, 1)}
		p.st.rules = &merge.Table{Rule: merge.Rule{Kind: merge.Priority, Nodes: []causal.Node{{1}, {2}}}, Delete: merge.RuleDecides}
		p.run(twoWay)
		p.want(pairRow(2, 1), pairRow(2, 1))
		p.st.rules = &merge.Table{Rule: merge.Rule{Kind: merge.Keep}}
		if rd := p.run(twoWay); rd.undecide || !rd.contest {
			t.Errorf("site %d: another rule reopens the conflict, or forgets it", i)
		}
		p.want(pairRow(2, 1), pairRow(2, 1))
		p.rows[i] = pairRow(4, 1)
		if rd := p.run(twoWay); rd.undecide {
			t.Errorf("site %d: an edit reopens the conflict", i)
		}
		p.want(pairRow(4, 1), pairRow(4, 1))
		p.rows[1-i] = nil
		p.run(twoWay)
		p.want(nil, nil)
	}
}

func TestOneWayLeavesForeignRowsAlone(t *testing.T) {
	p := newPair(t, merge.Keep)
	p.rows[1] = pairRow(7, 7)
	p.run(toB)
	p.want(nil, pairRow(7, 7))
	if rd := p.run(mirror); rd.verdict[1] != write || !rd.edited[1] {
		t.Error("a row of the target's own goes uncounted")
	}
	p.want(nil, nil)
}

// An edit that a one-way run saw and did not get to overwrite is still an edit.
func TestInterruptedOneWayRunLosesNoEdit(t *testing.T) {
	p := newPair(t, merge.Keep)
	p.rows[0] = pairRow(1, 1)
	p.run(toB)
	p.rows[1] = pairRow(1, 5)
	l := &loaded{state: p.st}
	seen := [2]sight{{looked: true, row: p.rows[0]}, {looked: true, row: p.rows[1]}}
	if _, err := l.round(toB, seen, [2]edit{pairEdit{p, 0}, pairEdit{p, 1}}); err != nil {
		t.Fatal(err)
	}
	p.st = l.state // and here it ends
	p.run(twoWay)
	p.want(pairRow(1, 5), pairRow(1, 5))
}

// Whatever two users and a mixture of runs do: both ends are equal unless a conflict is
// open or a deletion was withheld, a run changes nothing more once it is done, and with
// only two-way runs no edit is replaced by one whose author had not seen it, but by a
// rule that says so.
func TestRunsConverge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rule := rapid.SampledFrom([]merge.Kind{merge.Keep, merge.Fields, merge.Newest}).Draw(rt, "rule")
		p := newPair(t, rule)
		p.fail = rt.Fatalf
		modes := []*Mode{twoWay}
		if rapid.Bool().Draw(rt, "mixed") {
			modes = append(modes, toB, mirror, &Mode{Lead: 1}, &Mode{Lead: Both, Delete: true})
		}
		genRow := rapid.Custom(func(rt *rapid.T) row {
			if rapid.IntRange(0, 4).Draw(rt, "none") == 0 {
				return nil
			}
			return pairRow(rapid.Int64Range(0, 3).Draw(rt, "f"), rapid.Int64Range(0, 3).Draw(rt, "g"))
		})
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			var before [2]row
			for i := range p.rows {
				if rapid.Bool().Draw(rt, "edit") {
					p.rows[i] = genRow.Draw(rt, "row")
				}
				before[i] = p.rows[i]
			}
			m := rapid.SampledFrom(modes).Draw(rt, "mode")
			rd := p.run(m)
			again := p.rows
			rd2 := p.run(m)
			if !equal(again[0], p.rows[0]) || !equal(again[1], p.rows[1]) {
				rt.Fatalf("a second run made %s, %s of %s, %s", show(p.rows[0]), show(p.rows[1]), show(again[0]), show(again[1]))
			}
			switch {
			case m.Lead == Both && rule == merge.Keep && rd2.undecide:
				if !equal(before[0], p.rows[0]) || !equal(before[1], p.rows[1]) {
					rt.Fatalf("an open conflict changed %s, %s to %s, %s", show(before[0]), show(before[1]), show(p.rows[0]), show(p.rows[1]))
				}
			case rd2.verdict[0] == pending || rd2.verdict[1] == pending:
			case m.Lead >= 0:
				if lead := p.rows[m.Lead]; !equal(lead, before[m.Lead]) {
					rt.Fatalf("the leading row %s became %s", show(before[m.Lead]), show(lead))
				} else if other := p.rows[1-m.Lead]; !equal(lead, other) && (lead != nil || m.Delete) {
					rt.Fatalf("%s leads and %s followed", show(lead), show(other))
				}
			case !equal(p.rows[0], p.rows[1]):
				rt.Fatalf("rows stay %s and %s after %+v", show(p.rows[0]), show(p.rows[1]), rd)
			}
			for i, v := range rd2.changes {
				if v != nil && m.Lead != 1-i {
					rt.Fatalf("a run that had nothing to do captured a change at site %d", i)
				}
			}
		}
	})
}

// delete: wins holds against keep: a deletion that is concurrent with an edit wins, and
// what is left is no deviation for runs with other rules.
func TestDeletionThatWins(t *testing.T) {
	p := newPair(t, merge.Keep)
	p.st.rules = &merge.Table{Rule: merge.Rule{Kind: merge.Keep}, Delete: merge.DeleteWins}
	p.rows[0] = pairRow(1, 1)
	p.run(twoWay)
	p.rows = [2]row{nil, pairRow(1, 2)}
	p.run(twoWay)
	p.want(nil, nil)
	p.st.rules = &merge.Table{}
	if rd := p.run(twoWay); rd.verdict != [2]verdict{settled, settled} {
		t.Errorf("verdicts %v", rd.verdict)
	}
	p.want(nil, nil)
	p.rows[0] = pairRow(7, 7)
	p.run(twoWay)
	p.want(pairRow(7, 7), pairRow(7, 7))
}
