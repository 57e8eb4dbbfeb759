package merge

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// birth is the siblings of one birth, merged field by field.
type birth struct {
	versions []*record.Version // newest first, at least one
	shape    *record.Shape     // of state and image: all fields of all versions
	state    record.Image
	image    record.Image // plain
	winner   *record.Version
	writes   []record.FieldStamp // nil: those of winner
	fresh    []bool              // nil: none

	contested []int
	by        Rule // that decided the first of contested
	open      bool // a contested field is not decided
	failed    error
	whole     bool // the table's rule took one version whole and passed over another value
}

// births merges the puts, which come newest first, birth by birth; the birth of the newest
// comes first.
func (t *Table) births(puts []*record.Version) ([]*birth, error) {
	var births []*birth
	place := make(map[causal.Dot]*birth)
	for _, v := range puts {
		b := place[v.Birth]
		if b == nil {
			b = &birth{}
			place[v.Birth] = b
			births = append(births, b)
		}
		b.versions = append(b.versions, v)
	}
	for _, b := range births {
		if err := b.merge(t); err != nil {
			return nil, err
		}
	}
	return births, nil
}

// birthOf returns the place of v's birth.
func birthOf(births []*birth, v *record.Version) int {
	return slices.IndexFunc(births, func(b *birth) bool { return b.versions[0].Birth == v.Birth })
}

// agree reports whether it makes no difference which of the births is shown.
func agree(births []*birth) bool {
	if len(births) == 1 {
		return true
	}
	first := births[0]
	for _, b := range births[1:] {
		if len(b.contested) > 0 || !sameRow(first.image, first.shape, b.image, b.shape) {
			return false
		}
	}
	return len(first.contested) == 0
}

// sameRow reports whether two images are the same row; a field that one lacks is null.
func sameRow(x record.Image, xs *record.Shape, y record.Image, ys *record.Shape) bool {
	if xs.Equal(ys) {
		return bytes.Equal(x, y)
	}
	all, err := unionShape(xs, ys)
	if err != nil {
		return false
	}
	x, errX := record.Reshape(x, xs, all, record.NullValue())
	y, errY := record.Reshape(y, ys, all, record.NullValue())
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// unionShape returns the shape with the fields of all, which is one of them if it has all.
func unionShape(shapes ...*record.Shape) (*record.Shape, error) {
	all := shapes[0]
	for _, s := range shapes[1:] {
		if s.Equal(all) {
			continue
		}
		var more []string
		for _, field := range s.Fields {
			if all.Index(field) < 0 {
				more = append(more, field)
			}
		}
		switch {
		case len(more) == 0:
		case len(more)+len(all.Fields) == len(s.Fields):
			all = s
		default:
			var err error
			if all, err = record.NewShape(all.Table, slices.Concat(all.Fields, more)); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// merge fills in b from its versions.
func (b *birth) merge(t *Table) (err error) {
	if len(b.versions) == 1 {
		v := b.versions[0]
		b.shape, b.state, b.winner = v.Shape, v.Image, v
		b.image, err = plain(v.Image)
		return err
	}
	rows, err := b.rows()
	if err != nil {
		return err
	}
	var lead *record.Version
	if t.Rule.whole() {
		if lead, err = t.best(b.versions); err != nil {
			return err
		}
	}
	values := make([]record.Value, len(b.shape.Fields))
	b.writes = make([]record.FieldStamp, len(values))
	for i, name := range b.shape.Fields {
		f := field{table: t, name: name, claims: b.claims(name, rows)}
		f.rule, f.own = t.rule(name)
		if err := f.decide(lead); err != nil {
			return err
		}
		values[i], b.writes[i] = f.value, f.write
		b.note(i, &f)
	}
	if b.state, err = image(values); err != nil {
		return err
	}
	if b.image, err = plain(b.state); err != nil {
		return err
	}
	for _, v := range b.versions {
		if v.Shape.Equal(b.shape) && bytes.Equal(v.Image, b.state) {
			b.winner, b.state = v, v.Image
			break
		}
	}
	return nil
}

// rows decodes the images of the versions and settles the shape.
func (b *birth) rows() ([][]record.Value, error) {
	rows := make([][]record.Value, len(b.versions))
	shapes := make([]*record.Shape, len(b.versions))
	for i, v := range b.versions {
		row, err := v.Image.Values(nil)
		if err != nil {
			return nil, err
		}
		if len(row) != len(v.Shape.Fields) || (v.Fields != nil && len(v.Fields) != len(row)) {
			return nil, fmt.Errorf("version %v of %d values for %d fields: %w", v.Dot, len(row), len(v.Shape.Fields), record.ErrCorrupt)
		}
		rows[i], shapes[i] = row, v.Shape
	}
	var err error
	b.shape, err = unionShape(shapes...)
	return rows, err
}

// claims lists what the versions say about a field, newest version first. A version has
// nothing to say about a field that it lacks, or that it has but nobody ever wrote.
func (b *birth) claims(name string, rows [][]record.Value) []claim {
	claims := make([]claim, 0, len(rows))
	for i, v := range b.versions {
		j := v.Shape.Index(name)
		if j < 0 {
			continue
		}
		if write := v.Field(j); write != (record.FieldStamp{}) {
			claims = append(claims, claim{v, rows[i][j], write})
		}
	}
	return claims
}

// note keeps what deciding the i-th field has shown.
func (b *birth) note(i int, f *field) {
	if f.fresh {
		if b.fresh == nil {
			b.fresh = make([]bool, len(b.shape.Fields))
		}
		b.fresh[i] = true
	}
	b.whole = b.whole || f.passed
	if !f.contested {
		return
	}
	if len(b.contested) == 0 {
		b.by = f.rule
	}
	b.contested = append(b.contested, i)
	b.open = b.open || f.rule.Kind == Keep || f.failed != nil
	if b.failed == nil {
		b.failed = f.failed
	}
}

// project is the projection of b alone; what was shown is the caller's.
func (b *birth) project() Projection {
	p := Projection{
		Shape: b.shape, Image: b.image, State: b.state, Contested: b.contested, By: b.by,
		only: b.versions[0], merged: b,
	}
	if b.winner != nil {
		p.Winner = b.winner.Dot
	}
	return p
}
