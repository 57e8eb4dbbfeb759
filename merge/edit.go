package merge

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// Edit is what a local writer does to a record.
type Edit struct {
	// Dot and Stamp are those of the commit that the change will be part of.
	Dot   causal.Dot
	Stamp causal.Stamp
	// Shown are the versions that the writer was shown, possibly none: those of
	// [Projection.Shown]. They need not live any more.
	Shown []record.Version
	// Live are all live versions: an origin's counters continue from them, too.
	Live []record.Version
	// Shape names the table, and the fields of Row.
	Shape *record.Shape
	// Row is the row as the writer leaves it, in plain values; nil is no row.
	Row record.Image
	// Flags are those of the version; Bury is not the caller's to set.
	Flags record.Flags
}

// Edit returns the change by which the writer of e turns what it was shown into its row;
// ok is false when there is no difference. The key is left to the caller. The result may
// share the memory of e.
//
// Only fields whose plain value differs from what was shown are new writes; the others
// keep theirs, and fields that Shape lacks stay as they were. Counters become the
// origin's own totals and sets its additions and removals. What the writer was shown goes
// (the context), and nothing else does: of an open record that is the newest version. A
// row where none was shown is a new birth. A deletion is a bury where the rules of t let
// deletions be contested, else a delete.
func (t *Table) Edit(e Edit) (c record.Change, ok bool, err error) {
	p, err := t.Project(e.Shown)
	if err != nil {
		return record.Change{}, false, err
	}
	if e.Row == nil {
		if p.Absent {
			return record.Change{}, false, nil
		}
		return t.remove(&e, e.Shown, p.Shown, p.born()), true, nil
	}
	if err := e.check(); err != nil {
		return record.Change{}, false, err
	}
	if !p.Absent && e.Shape.Equal(p.Shape) && bytes.Equal(e.Row, p.Image) {
		return record.Change{}, false, nil
	}
	c = e.put(e.Shown, &p)
	if p.Absent && !t.stateful() {
		return c, true, nil
	}
	w := writing{table: t, edit: &e, shown: &p}
	changed, err := w.fill(&c.Version)
	return c, changed, err
}

// check reports a row that is not of the shape.
func (e *Edit) check() error {
	if n, err := e.Row.Len(); err != nil || n != len(e.Shape.Fields) {
		return fmt.Errorf("row of %d values for the %d fields of %q: %w", n, len(e.Shape.Fields), e.Shape.Table, record.ErrImage)
	}
	return nil
}

// remove is the change by which somebody who was shown the versions of shown that context
// names leaves no row of the birth.
func (t *Table) remove(e *Edit, shown []record.Version, context []causal.Dot, birth causal.Dot) record.Change {
	c := record.Change{Op: record.OpDelete, Context: slices.Clone(context)}
	c.Version = record.Version{Shape: e.Shape, Flags: e.Flags &^ record.Bury}
	if !t.buries() {
		return c
	}
	c.Op = record.OpBury
	c.Version.Flags |= record.Bury
	c.Version.Dot, c.Version.Stamp, c.Version.Birth = e.Dot, e.Stamp, birth
	c.Version.Seen = e.seen(shown, context)
	return c
}

// put is the change that leaves e's row, all of it e's own writes.
func (e *Edit) put(shown []record.Version, p *Projection) record.Change {
	c := record.Change{Op: record.OpPut, Context: slices.Clone(p.Shown)}
	c.Version = record.Version{
		Dot: e.Dot, Stamp: e.Stamp, Flags: e.Flags &^ record.Bury, Birth: p.born(),
		Shape: e.Shape, Image: e.Row, Seen: e.seen(shown, p.Shown),
	}
	if p.Absent {
		c.Version.Birth = e.Dot
	}
	return c
}

// seen returns what a version that replaces those of vs that context names has seen of the
// record: their own changes, and what they have seen.
func (e *Edit) seen(vs []record.Version, context []causal.Dot) []record.Seen {
	var seen []record.Seen
	see := func(s record.Seen) {
		if s.Origin == e.Dot.Origin {
			return
		}
		at, known := slices.BinarySearchFunc(seen, s.Origin, func(s record.Seen, o causal.Origin) int { return s.Origin.Compare(o) })
		switch {
		case !known:
			seen = slices.Insert(seen, at, s)
		case seen[at].Stamp < s.Stamp:
			seen[at].Stamp = s.Stamp
		}
	}
	for i := range vs {
		if v := &vs[i]; slices.Contains(context, v.Dot) {
			see(record.Seen{Origin: v.Dot.Origin, Stamp: v.Stamp})
			for _, s := range v.Seen {
				see(s)
			}
		}
	}
	return seen
}

// writing turns a row into a version's image and writes.
type writing struct {
	table *Table
	edit  *Edit
	shown *Projection
	// known finds the write of a value that some sibling has, if that counts as kept.
	known func(field string, v record.Value) (record.FieldStamp, bool)
}

// fill gives v the row of the edit and says whether it has a write of its own, or a field
// that differs from what was shown.
func (w *writing) fill(v *record.Version) (changed bool, err error) {
	p, own := w.shown, record.FieldStamp{Stamp: w.edit.Stamp, Origin: w.edit.Dot.Origin}
	if p.Absent {
		// There is nothing to compare with: one shape, no values.
		p = &Projection{Absent: true, Shape: w.edit.Shape}
	}
	shape, err := unionShape(w.edit.Shape, p.Shape)
	if err != nil {
		return false, err
	}
	row, err := w.edit.Row.Values(nil)
	if err != nil {
		return false, err
	}
	var before []record.Value
	if !p.Absent {
		if before, err = p.State.Values(nil); err != nil {
			return false, err
		}
	}
	values := make([]record.Value, len(shape.Fields))
	writes := make([]record.FieldStamp, len(shape.Fields))
	for i, name := range shape.Fields {
		f := cell{name: name, own: own, absent: p.Absent}
		if j := p.Shape.Index(name); j >= 0 && !p.Absent {
			f.shown, f.write = before[j], p.Write(j)
			f.fresh = p.fresh(j)
		}
		f.want = f.shown.Plain()
		if j := w.edit.Shape.Index(name); j >= 0 {
			f.want = row[j]
		}
		var differs bool
		if values[i], writes[i], differs, err = w.cell(&f); err != nil {
			return false, err
		}
		changed = changed || differs
	}
	v.Shape = shape
	if v.Image, err = image(values); err != nil {
		return false, err
	}
	if slices.ContainsFunc(writes, func(f record.FieldStamp) bool { return f != own }) {
		v.Fields = writes
	}
	return changed || p.Absent, nil
}

// cell is one field of a row that is written.
type cell struct {
	name   string
	shown  record.Value // as it is stored
	write  record.FieldStamp
	fresh  bool // nobody wrote what is shown
	absent bool // no row was shown
	want   record.Value
	own    record.FieldStamp
}

// cell returns what is stored for the field, whose write it is, and whether it differs from
// what was shown.
func (w *writing) cell(f *cell) (record.Value, record.FieldStamp, bool, error) {
	rule, _ := w.table.rule(f.name)
	switch rule.Kind {
	case Counter:
		past, err := w.past(f)
		if err != nil {
			return record.Value{}, f.own, false, err
		}
		if v, changed, ok := recount(f.shown, f.write, f.want, f.own, past); ok {
			return v, f.writeOf(changed), changed, nil
		}
	case Set:
		if v, changed, ok := regather(f.shown, f.write, f.want, f.own); ok {
			return v, f.writeOf(changed), changed, nil
		}
	}
	if !f.absent && f.want.Equal(f.shown.Plain()) {
		return f.shown, f.writeOf(false), false, nil
	}
	if w.known != nil {
		if write, ok := w.known(f.name, f.want); ok {
			return f.want, write, true, nil
		}
	}
	return f.want, f.own, true, nil
}

// writeOf returns whose write the field is.
func (f *cell) writeOf(changed bool) record.FieldStamp {
	if changed || f.fresh || f.absent {
		return f.own
	}
	return f.write
}

// past returns the totals of the writer in all versions of the birth that it writes to.
func (w *writing) past(f *cell) ([]record.Total, error) {
	if f.absent {
		return nil, nil
	}
	var past []record.Total
	for _, vs := range [][]record.Version{w.edit.Live, w.edit.Shown} {
		for i := range vs {
			v := &vs[i]
			if v.Flags&record.Bury != 0 || v.Birth != w.shown.born() {
				continue
			}
			j := v.Shape.Index(f.name)
			if j < 0 {
				continue
			}
			value, err := v.Image.Value(j)
			if err != nil {
				return nil, err
			}
			all, _ := totalsOf(value, v.Field(j))
			past = append(past, all...)
		}
	}
	return past, nil
}
