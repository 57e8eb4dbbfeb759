package e2e

import (
	"fmt"
	"slices"
	"strings"
)

// past is what the test knows of one record since both databases were last seen to hold
// the same of it with nothing open.
type past struct {
	base    row         // what both held
	last    [2]row      // per side, the row after the user's latest edit there
	edited  [2]bool     // the user edited it there
	fields  [2]set[int] // the fields that those edits changed
	exists  [2]bool     // the edits made or removed the row there
	touched [2]bool     // like edited, but not forgotten when the edit has crossed
	rules   set[string] // the rules of the runs since
	shown   bool        // a run that was killed has listed it as resolved
	listed  set[string] // as what it was listed after the latest run: open, parked
	story   []string    // what happened, for people
}

type set[K comparable] map[K]bool

func (s set[K]) add(k K) set[K] {
	if s == nil {
		s = set[K]{}
	}
	s[k] = true
	return s
}

// model knows every acknowledged edit, and judges what a finished run made of them.
type model struct {
	records map[string]*past // by the record's name as Syncline writes it
	killed  bool             // a run was killed since the last finished one
}

func (m *model) record(name string) *past {
	p := m.records[name]
	if p == nil {
		p = &past{}
		m.records[name] = p
	}
	return p
}

// edit notes that the user changed a record at a side from one row to another, while the
// other side's row was other.
func (m *model) edit(name string, side int, from, to, other row) {
	if from.equal(to) {
		return
	}
	p := m.record(name)
	p.tell("%s: %q -> %q", sideName(side), from, to)
	// An edit that a run which was killed has carried over was seen by the author of this
	// one: it is not concurrent.
	if o := 1 - side; m.killed && p.edited[o] && len(p.listed) == 0 && from.equal(p.last[o]) && from.equal(other) {
		p.base = from
		for s := range 2 {
			p.edited[s], p.fields[s], p.exists[s], p.last[s] = false, nil, false, nil
		}
	}
	p.edited[side], p.touched[side] = true, true
	p.last[side] = to
	if from == nil || to == nil {
		p.exists[side] = true
		return
	}
	for f := range to {
		if from[f] == to[f] {
			continue
		}
		p.fields[side] = p.fields[side].add(f)
		if o := 1 - side; m.killed && p.fields[o][f] && from[f] == p.last[o].at(f) && from[f] != p.base.at(f) {
			delete(p.fields[o], f)
		}
	}
}

// kill notes that a run with a rule was killed, and what it left. What it decided may be
// overwritten by the next edit, so it has to be listed by now.
func (m *model) kill(rule string, left [2]map[string]row, listed map[string]set[string]) {
	m.killed = true
	for name, kinds := range listed {
		m.record(name).shown = m.record(name).shown || kinds["resolved"]
	}
	for name, p := range m.records {
		if p.edited[0] || p.edited[1] || len(p.listed) > 0 {
			p.rules = p.rules.add(rule)
			p.tell("killed run with rule %s left\n  a %q\n  b %q", rule, left[0][name], left[1][name])
		}
	}
}

func (p *past) tell(format string, args ...any) {
	p.story = append(p.story, fmt.Sprintf(format, args...))
}

func (r row) at(f int) cell {
	if r == nil {
		return "no row"
	}
	return r[f]
}

// net is what a side's edits come to, compared with what both sides held: whether the row
// came or went, and which fields changed.
func (p *past) net(side int) (exists bool, fields []int) {
	if !p.edited[side] {
		return false, nil
	}
	last := p.last[side]
	if (last == nil) != (p.base == nil) {
		return true, nil
	}
	for f := range last {
		if last[f] != p.base[f] && (p.fields[side][f] || p.exists[side]) {
			fields = append(fields, f)
		}
	}
	return false, fields
}

// judge says what is wrong with what a finished run left of a record: the rows at the two
// sides, and as what it is listed.
func (m *model) judge(p *past, q [2]row, listed set[string], rule string) error {
	if listed["open"] || listed["parked"] {
		return m.judgeListed(p, q, listed)
	}
	if !q[0].equal(q[1]) {
		return fmt.Errorf("the sides differ, and it is not listed")
	}
	var exists [2]bool
	var fields [2][]int
	for s := range 2 {
		exists[s], fields[s] = p.net(s)
	}
	changed := [2]bool{exists[0] || len(fields[0]) > 0, exists[1] || len(fields[1]) > 0}
	switch got := q[0]; {
	case !changed[0] && !changed[1]:
		if !got.equal(p.base) {
			return fmt.Errorf("nobody edited it")
		}
	case changed[0] != changed[1]:
		s := 0
		if changed[1] {
			s = 1
		}
		if !got.equal(p.last[s]) && (exists[s] || !m.killed || !holds(got, p.last[s], fields[s])) {
			return fmt.Errorf("only %s was edited, and the edit did not arrive", sideName(s))
		}
	default:
		for f := range got {
			if v := got[f]; v != p.base.at(f) && v != p.last[0].at(f) && v != p.last[1].at(f) {
				return fmt.Errorf("field %d holds what nobody wrote", f)
			}
		}
		for s := range 2 {
			lost := exists[s] && (got == nil) != (p.last[s] == nil) || !exists[s] && !holds(got, p.last[s], fields[s]) ||
				exists[s] && exists[1-s] && !got.equal(p.last[s])
			if !lost {
				continue
			}
			if !listed["resolved"] && !p.shown {
				return fmt.Errorf("%s's edit is lost and not listed", sideName(s))
			}
			if p.rules["keep"] && len(p.rules) == 1 {
				return fmt.Errorf("%s's edit is lost, although conflicts are kept", sideName(s))
			}
			if rule == sideName(s) && len(p.rules) == 1 && !m.killed {
				return fmt.Errorf("%s's edit is lost, although it was to win", sideName(s))
			}
		}
	}
	return nil
}

// judgeListed judges a record that waits: it must have a reason to, and keep its rows.
func (m *model) judgeListed(p *past, q [2]row, listed set[string]) error {
	if listed["open"] && !listed["parked"] && !(p.touched[0] && p.touched[1]) {
		return fmt.Errorf("listed as a conflict, although only one side was edited")
	}
	for s := range 2 {
		want := p.base
		if p.edited[s] {
			want = p.last[s]
		}
		if !q[s].equal(want) && !m.killed && len(p.listed) == 0 {
			return fmt.Errorf("%s's row was touched, although it is listed", sideName(s))
		}
	}
	return nil
}

// holds reports whether a row has these fields of another.
func holds(r, want row, fields []int) bool {
	return !slices.ContainsFunc(fields, func(f int) bool { return r.at(f) != want[f] })
}

func sideName(s int) string { return string(rune('a' + s)) }

// finish judges every record after a finished run and forgets what is settled. It
// returns what is wrong, by record.
func (m *model) finish(a, b map[string]row, listed map[string]set[string], rule string) map[string]error {
	for name := range a {
		m.record(name)
	}
	for name := range b {
		m.record(name)
	}
	for name := range listed {
		m.record(name)
	}
	wrong := map[string]error{}
	for name, p := range m.records {
		q := [2]row{a[name], b[name]}
		p.rules = p.rules.add(rule)
		if err := m.judge(p, q, listed[name], rule); err != nil {
			wrong[name] = fmt.Errorf("%w\n base %q\n a wrote %v %q\n b wrote %v %q\n a has %q\n b has %q\n listed %v, was %v, rules %v, killed %v\n%s",
				err, p.base, p.edited[0], p.last[0], p.edited[1], p.last[1], q[0], q[1], listed[name], p.listed, p.rules, m.killed, strings.Join(p.story, "\n"))
		}
		waits := set[string]{}
		for _, k := range []string{"open", "parked"} {
			if listed[name][k] {
				waits.add(k)
			}
		}
		p.tell("run with rule %s: listed %v", rule, listed[name])
		switch {
		case len(waits) > 0:
			p.listed = waits
			for s := range 2 {
				if !p.edited[s] {
					continue
				}
				p.last[s] = q[s]
			}
		case q[0] == nil && q[1] == nil:
			delete(m.records, name)
		default:
			*p = past{base: q[0]}
		}
	}
	m.killed = false
	return wrong
}
