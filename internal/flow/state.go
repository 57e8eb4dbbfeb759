package flow

import (
	"bytes"
	"slices"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// state is everything known of one record: its live versions and each site's shadow. Its
// methods are the whole of what can happen to a record; none reads or writes anything.
type state struct {
	rules  *merge.Table
	shape  *record.Shape // of the sites' tables now
	live   []record.Version
	shadow [2]shadow
	// overruled: a decision replaced versions that its site's row did not reflect.
	overruled bool
}

// row is a site's row of the record: nil is none.
type row = record.Image

// shown is what a reader of some versions sees.
type shown struct {
	row  row
	open bool
	merge.Projection
}

// project returns the projection of versions as a row of the tables' shape.
func (s *state) project(vs []record.Version) (shown, error) {
	p, err := s.rules.Project(vs)
	if err != nil || p.Absent {
		return shown{Projection: p, open: p.Open}, err
	}
	im, err := s.reshape(p.Image, p.Shape)
	return shown{row: im, open: p.Open, Projection: p}, err
}

func (s *state) reshape(im record.Image, from *record.Shape) (record.Image, error) {
	if from == s.shape {
		return im, nil
	}
	return record.Reshape(im, from, s.shape, record.NullValue())
}

// at returns what is known to be site i's row. ok is false when nothing is.
func (s *state) at(i int) (r row, ok bool, err error) {
	sh := &s.shadow[i]
	switch {
	case sh.standing == unknown:
		return nil, false, nil
	case sh.held && sh.row == nil:
		return nil, true, nil
	case sh.held:
		r, err = s.reshape(sh.row, sh.shape)
		return r, true, err
	}
	p, err := s.project(s.reflected(i))
	return p.row, true, err
}

// reflected returns the versions that site i's row is known to be made of.
func (s *state) reflected(i int) []record.Version {
	if s.shadow[i].standing == current {
		return s.live
	}
	return s.shadow[i].reflects
}

// seenBy returns the versions that whoever edits site i's row has been shown.
func (s *state) seenBy(i int) ([]record.Version, error) {
	vs := s.reflected(i)
	if len(vs) < 2 || s.shadow[i].held {
		return vs, nil // a row that is held was made of all of them, by the rules of that time
	}
	p, err := s.rules.Project(vs)
	if err != nil {
		return nil, err
	}
	var seen []record.Version
	for _, v := range vs {
		if slices.Contains(p.Shown, v.Dot) {
			seen = append(seen, v)
		}
	}
	return seen, nil
}

// edit is the commit that a change goes into: its dot and stamp are drawn when the first
// change needs them.
type edit interface {
	at() (causal.Dot, causal.Stamp)
}

// observe takes in that site i, whose edits count, has row r. It returns the change by
// which that is written down, or nil when it is nothing new.
func (s *state) observe(i int, r row, e edit, flags record.Flags) (*record.Change, error) {
	was, known, err := s.at(i)
	if err != nil {
		return nil, err
	}
	sh := &s.shadow[i]
	if known && sh.uncaptured {
		// The row was seen by a run that did not write edits down. What it was made of is
		// known, or, with nothing to reflect, that it is not.
		p, err := s.project(sh.reflects)
		if err != nil {
			return nil, err
		}
		was, known = p.row, len(sh.reflects) > 0
	}
	if known && equal(was, r) {
		if sh.uncaptured { // it was edited back
			*sh = shadow{standing: behind, reflects: sh.reflects, withheld: sh.withheld}
		}
		return nil, nil
	}
	if !known {
		adopted, err := s.adopt(i, r)
		if adopted || err != nil {
			return nil, err
		}
	}
	var seen []record.Version
	if known {
		if seen, err = s.seenBy(i); err != nil {
			return nil, err
		}
	}
	rules := s.rules
	if len(seen) > 1 && sh.held {
		rules = decided(rules)
	}
	dot, stamp := e.at()
	c, ok, err := rules.Edit(merge.Edit{
		Dot: dot, Stamp: stamp, Shown: seen, Live: s.live, Shape: s.shape, Row: r, Flags: flags,
	})
	if err != nil {
		return nil, err
	}
	if !ok && len(seen) > 1 && sh.held {
		// The row was what other rules made of these versions, and is now what these make of
		// them: an edit all the same, and the other site has not seen it.
		c, err = rules.Decide(merge.Edit{
			Dot: dot, Stamp: stamp, Live: seen, Shape: s.shape, Row: r, Flags: flags,
		})
		if ok = err == nil; !ok {
			return nil, err
		}
	}
	if !ok {
		// Another spelling of what it was shown, which merging does not tell apart: 1 and 1.0 of
		// a counter. It is what the site has, all the same.
		*sh = shadow{
			standing: behind, reflects: clone(s.reflected(i)),
			held: true, row: slices.Clone(r), shape: s.shape,
		}
		return nil, nil
	}
	s.fold(i, &c, dot, stamp)
	return &c, nil
}

// decided returns the rules by which a row is edited that stands for several versions:
// what they contradicted each other in was decided, by whatever rule, and the edit
// replaces all of them. Under [merge.Keep] it would be taken for an edit of one.
func decided(t *merge.Table) *merge.Table {
	d := &merge.Table{Rule: t.Rule, Delete: t.Delete, Fields: make(map[string]merge.Rule, len(t.Fields))}
	if d.Rule.Kind == merge.Keep {
		d.Rule, d.Delete = merge.Rule{}, merge.RuleDecides
	}
	for name, r := range t.Fields {
		if r.Kind != merge.Keep {
			d.Fields[name] = r
		}
	}
	return d
}

// adopt binds a row of which nothing is known: to the projection or to the version it
// equals, or, where there is no row, to nothing. It reports false when the row is news.
func (s *state) adopt(i int, r row) (bool, error) {
	p, err := s.project(s.live)
	if err != nil {
		return false, err
	}
	if equal(p.row, r) && !p.open {
		return true, s.settle(i, r)
	}
	if r == nil {
		s.shadow[i] = shadow{standing: behind}
		return true, nil
	}
	for n := range s.live {
		one, err := s.project(s.live[n : n+1])
		if err != nil {
			return false, err
		}
		if equal(one.row, r) {
			s.shadow[i] = shadow{standing: behind, reflects: clone(s.live[n : n+1])}
			return true, nil
		}
	}
	return false, nil
}

// notice takes in that site i, whose edits do not count, has row r. Rows that only this
// site ever had are nothing to notice unless the mode deletes them.
func (s *state) notice(i int, r row, m *Mode) error {
	was, known, err := s.at(i)
	if err != nil || (known && equal(was, r)) {
		return err
	}
	if len(s.live) == 0 && s.shadow[i].standing != behind && !m.Delete {
		return nil
	}
	if !known {
		if adopted, err := s.adopt(i, r); adopted || err != nil {
			return err
		}
	}
	var reflects []record.Version
	if known {
		reflects = clone(s.reflected(i))
	}
	s.shadow[i] = shadow{
		standing: behind, reflects: reflects,
		held: true, row: slices.Clone(r), shape: s.shape, uncaptured: true,
	}
	return nil
}

// lead takes in that site i, which is right whatever the others say, has row r.
func (s *state) lead(i int, r row, e edit, flags record.Flags) (*record.Change, error) {
	p, err := s.project(s.live)
	if err != nil {
		return nil, err
	}
	switch {
	case equal(p.row, r) && !p.open:
		return nil, s.settle(i, r)
	case s.shadow[i].standing == current, s.shadow[i].standing == unknown && len(s.live) == 0:
		// Its own edit of what everybody has, or of nothing: an ordinary change.
		return s.observe(i, r, e, flags)
	}
	return s.decide(i, r, e, flags)
}

// decide replaces all live versions by row r, on behalf of site i; -1 is of nobody.
func (s *state) decide(i int, r row, e edit, flags record.Flags) (*record.Change, error) {
	dot, stamp := e.at()
	c, err := s.rules.Decide(merge.Edit{
		Dot: dot, Stamp: stamp, Shown: s.live, Live: s.live, Shape: s.shape, Row: r, Flags: flags,
	})
	if err != nil {
		return nil, err
	}
	var mine []record.Version
	if i >= 0 {
		mine = s.reflected(i)
	}
	s.overruled = s.overruled || slices.ContainsFunc(s.live, func(v record.Version) bool {
		return !slices.ContainsFunc(mine, func(w record.Version) bool { return w.Dot == v.Dot })
	})
	s.fold(i, &c, dot, stamp)
	return &c, nil
}

// fold applies a change that was made from site i's row; -1 is a change of nobody's row.
// The other sites' shadows pin what was live until then.
func (s *state) fold(i int, c *record.Change, dot causal.Dot, stamp causal.Stamp) {
	for j := range s.shadow {
		if j != i && s.shadow[j].standing == current {
			s.shadow[j] = shadow{standing: behind, reflects: clone(s.live)}
		}
	}
	s.live = merge.Fold(s.live, c, dot, stamp)
	if i < 0 {
		return
	}
	if n := len(s.live); n == 0 || (n == 1 && s.live[0].Dot == dot) {
		s.shadow[i] = shadow{standing: current}
		return
	}
	s.shadow[i] = shadow{standing: behind}
	for n := range s.live {
		if s.live[n].Dot == dot {
			s.shadow[i].reflects = clone(s.live[n : n+1])
		}
	}
}

// verdict is what has to become of a site's row.
type verdict uint8

const (
	// settled: the shadow is right, or is made so by settle without writing.
	settled verdict = iota
	// write: the row has to become another.
	write
	// open: the record waits for a decision, and the site keeps its row.
	open
	// pending: a deletion that was not asked for.
	pending
	// deviating: the site's own triggers keep the row different.
	deviating
)

// due says what has to become of site i's row: have is what it is now, want what it has to
// be. deletes says whether a deletion may be sent, even one that was withheld before.
func (s *state) due(i int, m *Mode) (v verdict, have, want row, err error) {
	sh := &s.shadow[i]
	if sh.standing != behind {
		return settled, nil, nil, nil
	}
	have, _, err = s.at(i)
	if err != nil {
		return 0, nil, nil, err
	}
	p, err := s.project(s.live)
	if err != nil {
		return 0, nil, nil, err
	}
	want = p.row
	switch {
	case p.open && len(sh.reflects) > 0 && !sh.uncaptured:
		return open, have, want, nil
	case equal(have, want):
		return settled, have, want, nil
	case sh.held && !sh.uncaptured && len(s.live) > 1 && sameDots(sh.reflects, s.live):
		return settled, have, have, nil // decided, by the rules of that time
	case sh.held && !sh.uncaptured && sameDots(sh.reflects, s.live):
		return deviating, have, want, nil
	case want == nil && !m.Delete && (m.Lead >= 0 || sh.withheld):
		return pending, have, want, nil
	}
	return write, have, want, nil
}

// settle takes in that site i now has row r, written there because it was due.
func (s *state) settle(i int, r row) error {
	p, err := s.project(s.live)
	if err != nil {
		return err
	}
	if equal(p.row, r) && len(s.live) < 2 {
		s.shadow[i] = shadow{standing: current}
	} else {
		// Of several versions the row itself is kept: another run may have other rules.
		s.shadow[i] = shadow{
			standing: behind, reflects: clone(s.live),
			held: true, row: slices.Clone(r), shape: s.shape,
		}
	}
	return nil
}

// forget drops the buries of a record that no site has any more: nobody is left whom they
// have to tell.
func (s *state) forget() {
	for i := range s.live {
		if s.live[i].Flags&record.Bury == 0 {
			return
		}
	}
	for i := range s.shadow {
		if r, known, err := s.at(i); err != nil || !known || r != nil || s.shadow[i].uncaptured {
			return
		}
	}
	s.live = nil
	for i := range s.shadow {
		s.shadow[i] = shadow{standing: current}
	}
}

// agreed returns the row that both sites have been given for all of the live versions: what
// a rule decided once stays decided for runs with another rule.
func (s *state) agreed() (r row, ok bool, err error) {
	var rows [2]row
	for i := range s.shadow {
		sh := &s.shadow[i]
		if sh.standing != behind || !sh.held || sh.uncaptured || !sameDots(sh.reflects, s.live) {
			return nil, false, nil
		}
		if rows[i], _, err = s.at(i); err != nil {
			return nil, false, err
		}
	}
	return rows[0], equal(rows[0], rows[1]), nil
}

// edited reports whether writing to site i's row undoes an edit made there, or one of
// which nobody knows.
func (s *state) edited(i int) bool { return s.shadow[i].uncaptured || s.overruled }

func equal(a, b row) bool {
	return (a == nil) == (b == nil) && bytes.Equal(a, b)
}

func clone(vs []record.Version) []record.Version {
	out := make([]record.Version, len(vs))
	for i := range vs {
		out[i] = vs[i].Clone()
	}
	return out
}

func sameDots(a, b []record.Version) bool {
	return slices.EqualFunc(a, b, func(x, y record.Version) bool { return x.Dot == y.Dot })
}
