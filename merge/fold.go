package merge

import (
	"cmp"
	"slices"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// Fold applies one change of the commit (dot, stamp) to the live versions of its record:
// those that the context names go, and the version of a put or bury comes. That is the
// whole effect of a change on state, whatever the rules of the table.
//
// Like append it works in the memory of live and returns the result, sorted by dot if live
// was; the version that came aliases c. The caller has made sure that its vector does not
// cover dot (else the change has had its effect and may have been replaced) and that it
// covers all of the context (I3). Under these two, changes may come in every order: the
// result is the same.
func Fold(live []record.Version, c *record.Change, dot causal.Dot, stamp causal.Stamp) []record.Version {
	live = slices.DeleteFunc(live, func(v record.Version) bool {
		return v.Dot == dot || slices.Contains(c.Context, v.Dot)
	})
	if c.Op == record.OpDelete {
		return live
	}
	v := c.Version
	v.Dot, v.Stamp = dot, stamp
	v.Flags &^= record.Bury
	if c.Op == record.OpBury {
		v.Flags |= record.Bury
		v.Shape, v.Image, v.Fields = nil, nil, nil
	}
	at, _ := slices.BinarySearchFunc(live, dot, func(v record.Version, d causal.Dot) int { return v.Dot.Compare(d) })
	return slices.Insert(live, at, v)
}

// newestFirst returns pointers to the versions, the newest first. Ties between equal
// stamps end on the origin.
func newestFirst(vs []record.Version) []*record.Version {
	all := make([]*record.Version, len(vs))
	for i := range vs {
		all[i] = &vs[i]
	}
	slices.SortFunc(all, func(v, w *record.Version) int {
		if c := cmp.Compare(w.Stamp, v.Stamp); c != 0 {
			return c
		}
		return w.Dot.Compare(v.Dot)
	})
	return all
}

// dotsOf returns the dots of versions, sorted.
func dotsOf(vs []record.Version) []causal.Dot {
	dots := make([]causal.Dot, len(vs))
	for i := range vs {
		dots[i] = vs[i].Dot
	}
	slices.SortFunc(dots, causal.Dot.Compare)
	return slices.Compact(dots)
}

// newer orders the writes of a field.
func newer(f, g record.FieldStamp) int {
	if c := cmp.Compare(f.Stamp, g.Stamp); c != 0 {
		return c
	}
	return f.Origin.Compare(g.Origin)
}
