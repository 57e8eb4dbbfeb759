package merge

import (
	"slices"

	"github.com/syncline-io/syncline/record"
)

// claim is what one sibling says about a field.
type claim struct {
	version *record.Version
	value   record.Value
	write   record.FieldStamp
}

// own reports whether the sibling itself made the write.
func (c *claim) own() bool {
	return c.write == record.FieldStamp{Stamp: c.version.Stamp, Origin: c.version.Dot.Origin}
}

// seenBy reports whether d's sibling has c's write in its past. A live sibling is in the
// past of no other: whoever had seen it would have replaced it. Where an origin has two
// siblings of its own only this tells; its stamps do not.
func (c *claim) seenBy(d *claim) bool {
	if c.version == d.version || c.write == d.write {
		return true
	}
	return !c.own() && d.version.HasSeen(c.write)
}

// replacedBy reports whether d's sibling carries another write having seen c's. Two that
// have seen each other's and still differ are two decisions: neither replaces the other.
func (c *claim) replacedBy(d *claim) bool {
	return c.write != d.write && c.seenBy(d) && !d.seenBy(c)
}

// field decides one field of the siblings of one birth.
type field struct {
	table  *Table
	name   string
	rule   Rule
	own    bool // the rule is the field's own, not the table's
	claims []claim

	value     record.Value
	write     record.FieldStamp
	fresh     bool // no sibling has the value
	contested bool
	passed    bool // a value was passed over because its version was not taken
	failed    error
}

// decide fills in the result. lead is the version that the table's rule takes whole.
func (f *field) decide(lead *record.Version) error {
	switch {
	case len(f.claims) == 0:
		return nil
	case f.rule.Kind == Counter && f.count(), f.rule.Kind == Set && f.unite():
		return nil
	}
	standing := f.standing()
	f.contested = !allEqual(standing)
	if lead != nil && !f.own {
		if i := slices.IndexFunc(f.claims, func(c claim) bool { return c.version == lead }); i >= 0 {
			f.take(f.claims[i])
			f.passed = !allEqual(f.claims)
			return nil
		}
	}
	if !f.contested {
		f.take(newest(standing))
		return nil
	}
	return f.choose(standing)
}

func (f *field) take(c claim) { f.value, f.write = c.value, c.write }

// standing returns the claims whose writes nobody has replaced.
func (f *field) standing() []claim {
	var left []claim
	for i := range f.claims {
		c := &f.claims[i]
		if !slices.ContainsFunc(f.claims, func(d claim) bool { return c.replacedBy(&d) }) {
			left = append(left, *c)
		}
	}
	if len(left) == 0 { // decisions that replaced each other in a ring
		return f.claims
	}
	return left
}

// choose applies the rule to standing claims that differ.
func (f *field) choose(standing []claim) error {
	switch f.rule.Kind {
	case Priority:
		f.take(first(standing, func(c, d claim) int {
			return f.rule.rank(d.write.Origin.Node) - f.rule.rank(c.write.Origin.Node)
		}))
	case Max:
		f.take(first(standing, func(c, d claim) int { return c.value.Compare(d.value) }))
	case Min:
		f.take(first(standing, func(c, d claim) int { return d.value.Compare(c.value) }))
	case Latest:
		return f.chooseLatest(standing)
	case Expr:
		return f.evaluate(standing)
	default:
		f.take(newest(standing))
	}
	return nil
}

func (f *field) chooseLatest(standing []claim) error {
	by := make(map[*record.Version]record.Value, len(standing))
	for _, c := range standing {
		value, err := fieldOf(c.version, f.rule.Column)
		if err != nil {
			return err
		}
		by[c.version] = value
	}
	f.take(first(standing, func(c, d claim) int { return by[c.version].Compare(by[d.version]) }))
	return nil
}

// evaluate asks the expression; what is shown while it fails is the newest write.
func (f *field) evaluate(standing []claim) error {
	f.take(newest(standing))
	siblings := make([]Sibling, len(f.claims))
	for i, c := range f.claims {
		siblings[i] = Sibling{Version: c.version, Value: c.value.Plain(), Write: c.write}
		siblings[i].Standing = slices.ContainsFunc(standing, func(d claim) bool { return d.version == c.version })
	}
	value, err := f.rule.Expr.Eval(f.name, siblings)
	if err != nil {
		f.failed = err
		return nil
	}
	same := slices.DeleteFunc(slices.Clone(f.claims), func(c claim) bool { return !c.value.Plain().Equal(value) })
	if len(same) > 0 {
		f.take(newest(same))
		return nil
	}
	f.value, f.fresh = value, true
	return nil
}

// newest returns the claim with the newest write.
func newest(claims []claim) claim {
	return first(claims, func(claim, claim) int { return 0 })
}

// first returns the greatest claim, of equals that with the newest write. Claims come with
// the newest version first, which is the last word.
func first(claims []claim, compare func(c, d claim) int) claim {
	best := claims[0]
	for _, c := range claims[1:] {
		if order := compare(c, best); order > 0 || (order == 0 && newer(c.write, best.write) > 0) {
			best = c
		}
	}
	return best
}

// allEqual reports whether all claims show the same value.
func allEqual(claims []claim) bool {
	for _, c := range claims[1:] {
		if !c.value.Plain().Equal(claims[0].value.Plain()) {
			return false
		}
	}
	return true
}
