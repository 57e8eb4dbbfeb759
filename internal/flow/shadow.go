package flow

import (
	"encoding/binary"
	"fmt"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// standing says how a shadow is known.
type standing uint8

const (
	// unknown: nothing is known of the site's row.
	unknown standing = iota
	// current: the row is the projection of the record's live versions. It is what a shadow
	// is nearly always, and the one that is not stored.
	current
	// behind: the row is something else, and the shadow says what.
	behind
)

// shadow is what is known of one site's row of one record (docs/format/shadows.md).
type shadow struct {
	standing standing
	// reflects are the versions that the row was made of, pinned: they may be live no more.
	reflects []record.Version
	// held says that row, and not the projection of reflects, is what the site has; a nil
	// row is none.
	held  bool
	row   record.Image
	shape *record.Shape // of row
	// uncaptured: row is an edit that nobody has written down as a version. An apply that
	// replaces it has to have been asked for.
	uncaptured bool
	// withheld: a deletion that a one-way run was not told to send.
	withheld bool
	parked   *parking
}

// parking says why a site would not take a record.
type parking struct {
	Since  int64 // Unix milliseconds
	Kind   endpoint.Constraint
	Detail string
}

const (
	shadowRow = 1 << iota
	shadowNoRow
	shadowUncaptured
	shadowWithheld
	shadowParked
	shadowBits = 1<<iota - 1
)

// maxDetail bounds a parking's detail: the words are the database's.
const maxDetail = 4096

// appendShadow appends the stored form of a shadow that is behind.
func appendShadow(b []byte, d record.Dict, s *shadow) []byte {
	var flags byte
	switch {
	case s.held && s.row != nil:
		flags |= shadowRow
	case s.held:
		flags |= shadowNoRow
	}
	if s.uncaptured {
		flags |= shadowUncaptured
	}
	if s.withheld {
		flags |= shadowWithheld
	}
	if s.parked != nil {
		flags |= shadowParked
	}
	b = append(b, flags)
	if p := s.parked; p != nil {
		b = binary.AppendUvarint(b, uint64(p.Since))
		b = append(b, byte(p.Kind))
		detail := p.Detail[:min(len(p.Detail), maxDetail)]
		b = binary.AppendUvarint(b, uint64(len(detail)))
		b = append(b, detail...)
	}
	if flags&shadowRow != 0 {
		b = binary.AppendUvarint(b, d.ShapeID(s.shape))
		b = binary.AppendUvarint(b, uint64(len(s.row)))
		b = append(b, s.row...)
	}
	return record.AppendVersions(b, d, s.reflects)
}

// readShadow reads what appendShadow wrote. The result aliases b.
func readShadow(b []byte, d record.Dict) (s shadow, err error) {
	bad := func(what string) (shadow, error) {
		return shadow{}, fmt.Errorf("%s of shadow: %w", what, record.ErrCorrupt)
	}
	if len(b) == 0 || b[0] > shadowBits || b[0]&(shadowRow|shadowNoRow) == shadowRow|shadowNoRow {
		return bad("flags")
	}
	flags := b[0]
	b = b[1:]
	s.standing = behind
	s.held = flags&(shadowRow|shadowNoRow) != 0
	s.uncaptured = flags&shadowUncaptured != 0
	s.withheld = flags&shadowWithheld != 0
	if flags&shadowParked != 0 {
		since, rest, ok := uvarint(b)
		if !ok || len(rest) == 0 {
			return bad("parking")
		}
		kind := rest[0]
		size, rest, ok := uvarint(rest[1:])
		if !ok || size > maxDetail || size > uint64(len(rest)) {
			return bad("parking")
		}
		s.parked = &parking{int64(since), endpoint.Constraint(kind), string(rest[:size])}
		b = rest[size:]
	}
	if flags&shadowRow != 0 {
		id, rest, ok := uvarint(b)
		if !ok {
			return bad("shape")
		}
		if s.shape, ok = d.Shape(id); !ok {
			return bad("shape")
		}
		size, rest, ok := uvarint(rest)
		if !ok || size == 0 || size > uint64(len(rest)) {
			return bad("row")
		}
		s.row, b = record.Image(rest[:size:size]), rest[size:]
		if n, err := s.row.Len(); err != nil || n != len(s.shape.Fields) {
			return bad("row")
		}
	}
	if s.reflects, err = record.DecodeVersions(b, d, nil); err != nil {
		return shadow{}, fmt.Errorf("shadow: %w", err)
	}
	return s, nil
}

// uvarint reads an unsigned LEB128 number in its shortest form.
func uvarint(b []byte) (n uint64, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 || (size > 1 && b[size-1] == 0) {
		return 0, nil, false
	}
	return n, b[size:], true
}

// holds lists versions with all images that the shadow keeps alive.
func (s *shadow) holds() []record.Version {
	if s.row == nil {
		return s.reflects
	}
	return append([]record.Version{{Image: s.row, Shape: s.shape}}, s.reflects...)
}
