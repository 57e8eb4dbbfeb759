package merge

import "github.com/syncline-io/syncline/record"

// Delete says what becomes of a deletion that is concurrent with an update.
type Delete uint8

const (
	// UpdateWins lets the update live and the deletion leave no trace.
	UpdateWins Delete = iota
	// DeleteWins lets the deletion win over every concurrent version of the row that it
	// deleted. Another row, inserted under the same key unawares, stays.
	DeleteWins
	// RuleDecides takes the deletion for a version like any other: the table's rule picks
	// one, and if that is the deletion there is no row.
	RuleDecides
	// UpdateOver lets the update live like [UpdateWins], and keeps the deletion beside it, so
	// that it is listed what was overruled and can be decided otherwise.
	UpdateOver
)

// Table holds the rules of one table. The zero Table is [Fields] and [UpdateWins]. It is
// not changed by any method and may be used by several goroutines.
type Table struct {
	Rule Rule
	// Fields overrides Rule per field, by the field's name with A-Z lowered.
	Fields map[string]Rule
	Delete Delete
}

// rule returns the rule of a field and whether it is the field's own.
func (t *Table) rule(field string) (r Rule, own bool) {
	if len(t.Fields) == 0 {
		return t.Rule, false
	}
	if r, own = t.Fields[lowered(field)]; own {
		return r, true
	}
	return t.Rule, false
}

// buries reports whether deletions are written as versions, so that they can be contested.
func (t *Table) buries() bool { return t.Rule.Kind == Keep || t.Delete != UpdateWins }

// stateful reports whether there may be fields that are written as merge states.
func (t *Table) stateful() bool {
	if t.Rule.Kind == Counter || t.Rule.Kind == Set {
		return true
	}
	for _, r := range t.Fields {
		if r.Kind == Counter || r.Kind == Set {
			return true
		}
	}
	return false
}

// best returns the version that wins when one must win as a whole. vs is not empty and
// sorted newest first.
func (t *Table) best(vs []*record.Version) (*record.Version, error) {
	best := vs[0]
	switch t.Rule.Kind {
	case Priority:
		for _, v := range vs[1:] {
			if t.Rule.rank(v.Dot.Origin.Node) < t.Rule.rank(best.Dot.Origin.Node) {
				best = v
			}
		}
	case Latest:
		var most record.Value
		for _, v := range vs {
			value, err := fieldOf(v, t.Rule.Column)
			if err != nil {
				return nil, err
			}
			if value.Compare(most) > 0 {
				best, most = v, value
			}
		}
	}
	return best, nil
}

// fieldOf returns the plain value of a version's field, null if it has none.
func fieldOf(v *record.Version, field string) (record.Value, error) {
	if v.Flags&record.Bury != 0 {
		return record.NullValue(), nil
	}
	i := v.Shape.Index(field)
	if i < 0 {
		return record.NullValue(), nil
	}
	value, err := v.Image.Value(i)
	return value.Plain(), err
}

// lowered returns s with the ASCII upper-case letters lowered, which is s itself mostly.
func lowered(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if c := b[i]; 'A' <= c && c <= 'Z' {
					b[i] = c + 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
