package sqlite

import (
	"bytes"
	"math"
	"strings"

	"github.com/syncline-io/syncline/record"
)

// affinity is what a column does to a value before it stores it
// (https://www.sqlite.org/datatype3.html, 3.1 and 3.2).
type affinity uint8

const (
	affinityNone affinity = iota
	affinityText
	affinityNumeric // and integer
	affinityReal
)

// affinities returns the affinity of each column of the shape.
func affinities(p *plan) []affinity {
	as := make([]affinity, len(p.table.Shape.Fields))
	for _, col := range p.table.Columns {
		if i := p.table.Shape.Index(col.Name); i >= 0 {
			as[i] = affinityOf(col.Type, p.strict)
		}
	}
	return as
}

func affinityOf(typ string, strict bool) affinity {
	typ = fold(typ)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(typ, w) {
				return true
			}
		}
		return false
	}
	switch {
	case strict && typ == "any":
		return affinityNone
	case has("int"):
		return affinityNumeric
	case has("char", "clob", "text"):
		return affinityText
	case typ == "" || has("blob"):
		return affinityNone
	case has("real", "floa", "doub"):
		return affinityReal
	}
	return affinityNumeric
}

// alters reports whether a column may store another value than the one it is given. It
// may say so of values that stay what they are, never the other way round.
func (a affinity) alters(v record.Value) bool {
	switch v.Kind() {
	case record.Int:
		return a == affinityText || a == affinityReal
	case record.Float:
		f := v.Float()
		return a == affinityText || a == affinityNumeric && f == math.Trunc(f) || f == 0 && math.Signbit(f)
	case record.Text, record.RawText:
		return (a == affinityNumeric || a == affinityReal) && looksNumeric(v.Raw())
	case record.Large: // a million digits are a number
		return a == affinityNumeric || a == affinityReal
	}
	return false
}

// looksNumeric reports whether SQLite might read all of a text as a number: spaces, sign,
// digits with a point, exponent, spaces. Dates and the like are none.
func looksNumeric(b []byte) bool {
	b = bytes.Trim(b, " \t\n\v\f\r")
	b = withoutSign(b)
	whole := digits(b)
	b = b[whole:]
	fraction := 0
	if len(b) > 0 && b[0] == '.' {
		fraction = digits(b[1:])
		b = b[1+fraction:]
	}
	if whole+fraction == 0 {
		return false
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		b = withoutSign(b[1:])
		b = b[digits(b):]
	}
	return len(b) == 0
}

func withoutSign(b []byte) []byte {
	if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
		return b[1:]
	}
	return b
}

// digits returns how many digits b begins with.
func digits(b []byte) int {
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	return n
}
