package store

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/syncline-io/syncline/record"
)

// rows walks over one tree.
type rows struct {
	it    *pebble.Iterator
	begun bool
	err   error
}

// rows begins behind the key after, or at the start if it is nil.
func (v *View) rows(name treeName, after record.Key) rows {
	if err := v.usable(); err != nil {
		return rows{err: err}
	}
	tree, ok := v.s.trees.find(name)
	if !ok {
		return rows{}
	}
	lower := treeKey(nil, spaceRow, tree)
	upper := prefixEnd(lower)
	if after != nil {
		lower = append(append(lower, after...), 0)
	}
	it, err := v.snap.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return rows{err: readError("rows of "+name.table, err)}
	}
	return rows{it: it}
}

func (r *rows) next() bool {
	if r.it == nil || r.err != nil {
		return false
	}
	ok := false
	if r.begun {
		ok = r.it.Next()
	} else {
		r.begun = true
		ok = r.it.First()
	}
	if !ok {
		r.err = readError("rows", r.it.Error())
	}
	return ok
}

func (r *rows) key() record.Key { return record.Key(r.it.Key()[treeKeySize:]) }

func (r *rows) value() ([]byte, error) {
	b, err := r.it.ValueAndErr()
	return b, readError("row", err)
}

func (r *rows) close() error {
	if r.it == nil {
		return nil
	}
	err := r.it.Close()
	r.it = nil
	if r.err == nil {
		r.err = readError("rows", err)
	}
	return nil
}

// Records walks over the records of a table in the order of their keys. It is not safe
// for concurrent use.
type Records struct {
	rows rows
	dict record.Dict
	vs   []record.Version
}

// Records begins behind the record of key after, or with the first one if it is nil.
func (v *View) Records(table string, after record.Key) *Records {
	return &Records{rows: v.rows(treeName{table: table}, after), dict: v.s.dict}
}

// Next goes to the next record and reports whether there is one; if not, Err says why.
func (r *Records) Next() bool { return r.rows.next() }

// Key returns the record's key, valid until Next.
func (r *Records) Key() record.Key { return r.rows.key() }

// Versions returns the record's live versions, sorted by dot, at least one. They are
// valid until Next.
func (r *Records) Versions() ([]record.Version, error) {
	b, err := r.rows.value()
	if err != nil {
		return nil, err
	}
	if r.vs, err = record.DecodeVersions(b, r.dict, r.vs); err == nil && len(r.vs) == 0 {
		err = corrupt("no versions")
	}
	if err != nil {
		return nil, readError("record", err)
	}
	return r.vs, nil
}

// Single is the fast path for a record of one version: it returns its shape, image (nil
// for a bury) and flags, valid until Next, and decodes nothing else. When ok is false,
// Versions says what there is.
func (r *Records) Single() (shape *record.Shape, image record.Image, flags record.Flags, ok bool) {
	b, err := r.rows.value()
	if err != nil {
		return nil, nil, 0, false
	}
	id, image, flags, ok := record.SingleImage(b)
	if ok && flags&record.Bury == 0 {
		shape, ok = r.dict.Shape(id)
	}
	if !ok {
		return nil, nil, 0, false
	}
	return shape, image, flags, true
}

// Err returns what ended the walk early; nil at the end of the table.
func (r *Records) Err() error { return r.rows.err }

// Close ends the walk. It may be called again.
func (r *Records) Close() error { return r.rows.close() }

// SideRows walks over a side table in the order of its keys. It is not safe for
// concurrent use.
type SideRows struct{ rows rows }

// SideScan begins behind the row of key after, or with the first one if it is nil.
func (v *View) SideScan(space, table string, after record.Key) *SideRows {
	return &SideRows{v.rows(treeName{true, space, table}, after)}
}

// Next goes to the next row and reports whether there is one; if not, Err says why.
func (r *SideRows) Next() bool { return r.rows.next() }

// Key returns the row's key, valid until Next.
func (r *SideRows) Key() record.Key { return r.rows.key() }

// Value returns the row's value, valid until Next.
func (r *SideRows) Value() ([]byte, error) { return r.rows.value() }

// Err returns what ended the walk early; nil at the end of the table.
func (r *SideRows) Err() error { return r.rows.err }

// Close ends the walk. It may be called again.
func (r *SideRows) Close() error { return r.rows.close() }

// SideGet returns a copy of a side table's row.
func (v *View) SideGet(space, table string, k record.Key) (value []byte, ok bool, err error) {
	b, err := v.row(treeName{true, space, table}, k)
	return b, b != nil, err
}

// SideTables returns the side tables of a space that have rows, in the order in which
// they were first met.
func (v *View) SideTables(space string) (tables []string, err error) {
	if err := v.usable(); err != nil {
		return nil, err
	}
	for id, name := range v.s.trees.all()[:v.trees] {
		if !name.side || name.space != space {
			continue
		}
		some, err := hasPrefix(v.snap, treeKey(nil, spaceRow, uint64(id)))
		if err != nil {
			return nil, fmt.Errorf("side tables of %q: %w", space, err)
		}
		if some {
			tables = append(tables, name.table)
		}
	}
	return tables, nil
}
