package flow

import "github.com/syncline-io/syncline/record"

// round is what one run does about one record.
type round struct {
	changes  [2]*record.Change // captured at each site
	verdict  [2]verdict
	have     [2]row
	want     [2]row
	edited   [2]bool // writing undoes an edit
	contest  bool    // several versions are live that contradict each other
	undecide bool    // and nobody has decided
}

// round takes in what was seen of both sites' rows and says what has to be written down and
// written where. Edits are where changes go.
func (l *loaded) round(m *Mode, seen [2]sight, edits [2]edit) (r round, err error) {
	order := [2]int{0, 1}
	if m.Lead == 1 {
		order = [2]int{1, 0}
	}
	for _, i := range order {
		switch {
		case !seen[i].looked:
		case m.Lead == Both:
			r.changes[i], err = l.observe(i, seen[i].row, edits[i], seen[i].flags)
		case m.Lead == i:
			r.changes[i], err = l.lead(i, seen[i].row, edits[i], seen[i].flags)
		default:
			err = l.notice(i, seen[i].row, m)
		}
		if err != nil {
			return r, err
		}
	}
	return r, l.judge(m, &r)
}

// judge says what has to become of the sites' rows, and settles what is right already.
func (l *loaded) judge(m *Mode, r *round) (err error) {
	for i := range l.shadow {
		if l.shadow[i].standing != behind {
			continue
		}
		if !m.writes(i) {
			continue
		}
		if r.verdict[i], r.have[i], r.want[i], err = l.due(i, m); err != nil {
			return err
		}
		switch r.verdict[i] {
		case settled:
			err = l.settle(i, r.have[i])
		case pending:
			l.shadow[i].withheld = m.Lead != Both || l.shadow[i].withheld
		case write:
			r.edited[i] = l.edited(i)
		}
		if err != nil {
			return err
		}
	}
	if len(l.live) > 1 {
		p, err := l.project(l.live)
		if err != nil {
			return err
		}
		r.contest = p.Whole || len(p.Contested) > 0
		if r.undecide = p.open; r.undecide {
			_, agreed, err := l.agreed()
			if err != nil {
				return err
			}
			r.undecide = !agreed
		}
	}
	return nil
}
