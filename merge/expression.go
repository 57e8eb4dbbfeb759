package merge

import "github.com/syncline-io/syncline/record"

// Expression is a rule that is computed.
type Expression interface {
	// Eval returns the value of a contested field, one of the siblings' or another. It is
	// a pure function of its arguments, with a bound on its cost: every node must come to
	// the same. When it fails the record stays open as under [Keep].
	Eval(field string, siblings []Sibling) (record.Value, error)
	// String returns the text of the expression.
	String() string
}

// Sibling is one of the versions between which an [Expression] decides. They are those of
// one birth that have the field, the newest first.
type Sibling struct {
	Version *record.Version
	Value   record.Value      // of the field, as a database is shown it
	Write   record.FieldStamp // the field's last real change
	// Standing says that no sibling has replaced this write knowing it.
	Standing bool
}

// Field returns the value of any field of the sibling as a database is shown it, null if
// it has none of the name.
func (s *Sibling) Field(name string) (record.Value, error) { return fieldOf(s.Version, name) }
