package merge

import (
	"slices"
	"unsafe"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// Projection is the one value that a reader of a record sees. Its memory may be that of
// the versions it was made of.
type Projection struct {
	// Absent says that there is no row: no version, or a deletion that won.
	Absent bool
	// Shape is that of the images. Where siblings differ in their fields it has those of
	// all siblings of the birth that is shown.
	Shape *record.Shape
	// Image is the row as a database is shown it: counters as sums, sets as JSON text.
	Image record.Image
	// State is the row with its merge states; it is Image where there are none.
	State record.Image
	// Shown names the versions that a reader of this projection has been shown, sorted:
	// the context of what it writes next.
	Shown []causal.Dot
	// Open says that the record is contested and nobody has decided: a rule is [Keep], or
	// an [Expression] failed. Image is the newest version's meanwhile, and Shown names
	// that version alone.
	Open bool
	// Contested lists the fields of Shape that more than one sibling wrote without having
	// seen the other, with different values. Counters and sets keep all writes and are
	// never among them.
	Contested []int
	// Whole says that siblings are contested as a whole: different births that show
	// different rows, a deletion beside an update, or different rows of which the table's
	// rule takes one whole.
	Whole bool
	// Winner is the version whose row and merge states these are, or the zero dot when
	// they come from several.
	Winner causal.Dot
	// By is the rule that decided the first contested thing.
	By Rule
	// Failed is the error of the Expression that could not decide.
	Failed error

	// Whose the fields are: those of merged if it has writes, else of only. Both are nil
	// when Absent.
	only   *record.Version
	merged *birth
}

// Conflict reports whether anything is contested.
func (p *Projection) Conflict() bool { return p.Whole || len(p.Contested) > 0 }

// Write returns the last real change of the i-th field of Shape: when it was written, and
// by whom. It is the zero FieldStamp for a field that was added to the table later and
// never written.
func (p *Projection) Write(i int) record.FieldStamp {
	if p.merged == nil || p.merged.writes == nil {
		return p.only.Field(i)
	}
	return p.merged.writes[i]
}

// born returns the birth of the row that is shown, zero if there is none.
func (p *Projection) born() causal.Dot {
	if p.only == nil {
		return causal.Dot{}
	}
	return p.only.Birth
}

// fresh reports whether the i-th field has a value that no version has.
func (p *Projection) fresh(i int) bool {
	return p.merged != nil && p.merged.fresh != nil && p.merged.fresh[i]
}

// Project returns what a reader is shown of the live versions of a record, in whatever
// order they come. It fails only for images that are not of their shapes, with
// [record.ErrCorrupt], and for what [Table.Plain] cannot show. It allocates nothing for a
// single version without merge states.
func (t *Table) Project(live []record.Version) (p Projection, err error) {
	switch len(live) {
	case 0:
		p.Absent = true
	case 1:
		err = p.single(&live[0])
	default:
		return t.resolve(live)
	}
	return p, err
}

// single makes p, which is zero, the projection of a record that is not contested.
func (p *Projection) single(v *record.Version) (err error) {
	p.Shown = unsafe.Slice(&v.Dot, 1) // the slice that v is in holds it
	p.Winner = v.Dot
	if v.Flags&record.Bury != 0 {
		p.Absent = true
		return nil
	}
	p.Shape, p.State, p.only = v.Shape, v.Image, v
	p.Image, err = plain(v.Image)
	return err
}

// resolve is the projection of siblings.
func (t *Table) resolve(live []record.Version) (Projection, error) {
	all := newestFirst(live)
	var puts, buries []*record.Version
	for _, v := range all {
		if v.Flags&record.Bury != 0 {
			buries = append(buries, v)
		} else {
			puts = append(puts, v)
		}
	}
	if len(puts) == 0 {
		return Projection{Absent: true, Shown: dotsOf(live), Winner: buries[0].Dot}, nil
	}
	births, err := t.births(puts)
	if err != nil {
		return Projection{}, err
	}
	whole := len(buries) > 0 || !agree(births)
	if t.Rule.Kind == Keep && whole && !(t.Delete == DeleteWins && len(buries) > 0) {
		return leaveOpen(t.Rule, all[0], whole, births)
	}
	buried, err := t.deleted(all, buries, &births)
	switch {
	case err != nil:
		return Projection{}, err
	case buried != nil:
		return Projection{Absent: true, Shown: dotsOf(live), Winner: buried.Dot, Whole: true, By: t.Rule}, nil
	}
	if t.Rule.Kind == Keep && whole { // what a deletion does not concern is still contested
		return leaveOpen(t.Rule, all[0], whole, births)
	}
	b, err := t.bestBirth(births)
	if err != nil {
		return Projection{}, err
	}
	if b.open {
		return leaveOpen(t.Rule, b.versions[0], whole, []*birth{b})
	}
	p := b.project()
	p.Shown = dotsOf(live)
	p.Whole = whole || b.whole
	if p.Whole {
		p.By = t.Rule
	}
	return p, nil
}

// deleted applies the table's Delete: it returns the bury that wins, or nil, and takes
// from births those that are gone.
func (t *Table) deleted(all, buries []*record.Version, births *[]*birth) (*record.Version, error) {
	if len(buries) == 0 {
		return nil, nil
	}
	switch t.Delete {
	case DeleteWins:
		left := slices.DeleteFunc(slices.Clone(*births), func(b *birth) bool {
			return slices.ContainsFunc(buries, func(v *record.Version) bool { return v.Birth == b.versions[0].Birth })
		})
		if len(left) == 0 {
			return buries[0], nil
		}
		*births = left
	case RuleDecides:
		v, err := t.best(all)
		if err != nil {
			return nil, err
		}
		if v.Flags&record.Bury != 0 {
			return v, nil
		}
	}
	return nil, nil
}

// bestBirth returns the birth of the version that wins as a whole.
func (t *Table) bestBirth(births []*birth) (*birth, error) {
	var vs []record.Version
	for _, b := range births {
		for _, v := range b.versions {
			vs = append(vs, *v)
		}
	}
	v, err := t.best(newestFirst(vs))
	if err != nil {
		return nil, err
	}
	return births[birthOf(births, v)], nil
}

// leaveOpen is the projection of a record that nobody has decided: the newest version as
// it is.
func leaveOpen(by Rule, newest *record.Version, whole bool, births []*birth) (Projection, error) {
	var p Projection
	if err := p.single(newest); err != nil {
		return Projection{}, err
	}
	p.Open, p.Whole, p.By = true, whole, by
	p.Shown = []causal.Dot{newest.Dot}
	if p.Absent {
		return p, nil
	}
	b := births[birthOf(births, newest)]
	if !whole {
		p.By = b.by
	}
	p.Contested, p.Failed = b.contested, b.failed
	return p, p.reshape(newest, b.shape)
}

// reshape makes p, which shows v alone, one of a shape that has all fields of v's.
func (p *Projection) reshape(v *record.Version, s *record.Shape) (err error) {
	if v.Shape.Equal(s) {
		return nil
	}
	if p.State, err = record.Reshape(v.Image, v.Shape, s, record.NullValue()); err != nil {
		return err
	}
	if p.Image, err = plain(p.State); err != nil {
		return err
	}
	writes := make([]record.FieldStamp, len(s.Fields))
	for i, field := range s.Fields {
		if j := v.Shape.Index(field); j >= 0 {
			writes[i] = v.Field(j)
		}
	}
	p.Shape, p.merged = s, &birth{writes: writes}
	return nil
}
