package merge

import (
	"slices"

	"github.com/syncline-io/syncline/record"
)

// Decide returns the change by which somebody who has seen all of e.Live replaces them by
// e.Row, or by nothing when that is nil; e.Shown means nothing. It closes the conflict:
// the context names all live versions. The key is left to the caller.
//
// A field keeps the write of the sibling whose value it takes, the newest if several have
// it; other values are new writes. The birth is that of the newest version that is the
// row, else of the one that would win. A counter is set by adding to the decider's own
// total, so that what others add meanwhile still counts.
func (t *Table) Decide(e Edit) (record.Change, error) {
	p, err := t.Project(e.Live)
	if err != nil {
		return record.Change{}, err
	}
	shown := dotsOf(e.Live)
	all := newestFirst(e.Live)
	if e.Row == nil {
		birth := p.born()
		switch {
		case birth.IsZero() && len(all) > 0:
			birth = all[0].Birth
		case birth.IsZero():
			birth = e.Dot
		}
		return t.remove(&e, e.Live, shown, birth), nil
	}
	if err := e.check(); err != nil {
		return record.Change{}, err
	}
	if p, err = t.chosen(&e, all, p); err != nil {
		return record.Change{}, err
	}
	p.Shown = shown
	c := e.put(e.Live, &p)
	e.Shown = nil
	w := writing{table: t, edit: &e, shown: &p, known: func(field string, v record.Value) (record.FieldStamp, bool) {
		return writeOf(all, field, v)
	}}
	_, err = w.fill(&c.Version)
	return c, err
}

// chosen returns the projection of the birth that the decided row goes on with.
func (t *Table) chosen(e *Edit, all []*record.Version, p Projection) (Projection, error) {
	puts := slices.DeleteFunc(slices.Clone(all), func(v *record.Version) bool { return v.Flags&record.Bury != 0 })
	if len(puts) == 0 {
		return p, nil
	}
	births, err := t.births(puts)
	if err != nil {
		return Projection{}, err
	}
	for _, v := range puts {
		row, err := plain(v.Image)
		if err != nil {
			return Projection{}, err
		}
		if sameRow(row, v.Shape, e.Row, e.Shape) {
			return births[birthOf(births, v)].project(), nil
		}
	}
	for _, b := range births {
		if b.versions[0].Birth == p.born() {
			return b.project(), nil
		}
	}
	// The rules would have taken a deletion, the decider does not.
	return births[0].project(), nil
}

// writeOf returns the newest write of a plain value of a field among versions.
func writeOf(all []*record.Version, field string, want record.Value) (write record.FieldStamp, ok bool) {
	for _, v := range all {
		if v.Flags&record.Bury != 0 {
			continue
		}
		i := v.Shape.Index(field)
		if i < 0 {
			continue
		}
		// Values that cannot be read are not the wanted one; projecting them has failed.
		value, err := v.Image.Value(i)
		if err != nil || !value.Plain().Equal(want) || newer(v.Field(i), write) <= 0 {
			continue
		}
		write, ok = v.Field(i), true
	}
	return write, ok
}
