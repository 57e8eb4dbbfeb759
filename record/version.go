package record

import (
	"slices"

	"github.com/syncline-io/syncline/causal"
)

// Flags mark what is special about a version.
type Flags uint8

const (
	// Bury marks a delete that stays visible: a version without image.
	Bury Flags = 1 << iota
	// Derived marks a change that a target's own triggers made while a change from
	// elsewhere was applied there.
	Derived
	// Loose marks a change found by comparing rows: which other changes were in its
	// transaction is not known.
	Loose
)

// FieldStamp is the last real change of one field: when, and by whom.
type FieldStamp struct {
	Stamp  causal.Stamp
	Origin causal.Origin
}

// Seen says that of one origin, every change of the record up to the stamp is in the past
// of a version.
type Seen struct {
	Origin causal.Origin
	Stamp  causal.Stamp
}

// Version is a live value of a record, named by (key, dot).
type Version struct {
	Dot   causal.Dot
	Stamp causal.Stamp
	Flags Flags
	// Birth is the dot of the put with empty context that the version descends from; it
	// is the version's own dot when that put is this one.
	Birth causal.Dot
	Shape *Shape // nil in a bury, but in a [Change] the shape that names the table
	Image Image  // nil in a bury
	// Fields holds, per field of the shape, its last real change; nil says that every
	// field was written by this version.
	Fields []FieldStamp
	// Seen is sorted by origin and lists the other origins whose changes of this record
	// are in the version's past, each with the highest such stamp. The version's own
	// origin is listed only if its highest stamp is not this version's (never, by I2).
	Seen []Seen
}

// Field returns the last real change of the i-th field.
func (v *Version) Field(i int) FieldStamp {
	if v.Fields == nil {
		return FieldStamp{v.Stamp, v.Dot.Origin}
	}
	return v.Fields[i]
}

// HasSeen reports whether the change that f names is in the version's past, or is the
// version's own.
func (v *Version) HasSeen(f FieldStamp) bool {
	if f.Origin == v.Dot.Origin {
		return f.Stamp <= v.Stamp
	}
	for _, s := range v.Seen {
		if s.Origin == f.Origin {
			return f.Stamp <= s.Stamp
		}
	}
	return false
}

// Clone returns a copy that shares no memory with v but the shape.
func (v *Version) Clone() Version {
	c := *v
	c.Image = slices.Clone(v.Image)
	c.Fields = slices.Clone(v.Fields)
	c.Seen = slices.Clone(v.Seen)
	return c
}
