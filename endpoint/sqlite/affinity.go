package sqlite

import (
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
	}
	return false
}

// looksNumeric reports whether a text might read as a number: after spaces, a sign or a
// point, it has a digit.
func looksNumeric(b []byte) bool {
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9':
			return true
		case c > ' ' && c != '+' && c != '-' && c != '.':
			return false
		}
	}
	return false
}
