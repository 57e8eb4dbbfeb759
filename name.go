package syncline

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// recordName returns the name of a record as people write it, with the key's values as
// they are in the first of the images that is there: a key is folded by its collations,
// and people know the row by what it says.
func recordName(t *endpoint.Table, k record.Key, images ...record.Image) string {
	i := slices.IndexFunc(images, func(im record.Image) bool { return im != nil })
	if i >= 0 {
		if vs, err := keyValues(t, images[i]); err == nil {
			if name, err := record.FormatRecord(t.Name, vs); err == nil {
				return name
			}
		}
	}
	return keyName(t.Name, k)
}

// keyName is recordName where there is no image.
func keyName(table string, k record.Key) string {
	name, err := record.FormatKey(table, k)
	if err != nil {
		// No name that could be read back: a table that is not UTF-8.
		return fmt.Sprintf("%q/%x", table, []byte(k))
	}
	return name
}

// keyValues returns the values of the key's columns in an image of the table.
func keyValues(t *endpoint.Table, im record.Image) ([]record.Value, error) {
	var vs []record.Value
	for _, c := range t.Key {
		i := t.Shape.Index(t.Columns[c].Name)
		if i < 0 {
			return nil, fmt.Errorf("key column %s is not stored: %w", t.Columns[c].Name, record.ErrShape)
		}
		v, err := im.Value(i)
		if err != nil {
			return nil, err
		}
		vs = append(vs, v)
	}
	return vs, nil
}

// rowOf returns an image's values. They alias the image.
func rowOf(s *record.Shape, im record.Image) (*Row, error) {
	vs, err := im.Values(nil)
	if err != nil {
		return nil, fmt.Errorf("row of %s: %w", s.Table, err)
	}
	if len(vs) != len(s.Fields) {
		return nil, fmt.Errorf("row of %s: %w", s.Table, record.ErrImage)
	}
	return &Row{Fields: s.Fields, Values: vs}, nil
}

// keyCandidates returns the keys that a record's name may stand for in a table: with the
// values as they are written, and with numbers as text and text as numbers, because people
// do not know what a column makes of them: a TEXT key 7 is asked for as orders/7.
func keyCandidates(t *endpoint.Table, values []record.Value) ([]record.Key, error) {
	if len(values) != len(t.Key) {
		return nil, fmt.Errorf("the key of table %s has %d columns, not %d: %w",
			t.Name, len(t.Key), len(values), record.ErrName)
	}
	keys := []record.Key{nil}
	for i, v := range values {
		var longer []record.Key
		for _, k := range keys {
			for _, as := range spellings(v) {
				next, err := record.AppendKeyValue(slices.Clone(k), as, t.Columns[t.Key[i]].Collation)
				if err != nil {
					return nil, err
				}
				if !slices.ContainsFunc(longer, func(l record.Key) bool { return string(l) == string(next) }) {
					longer = append(longer, next)
				}
			}
		}
		keys = longer
	}
	return keys, nil
}

// spellings returns a value and what else it may be meant as, the value itself first.
func spellings(v record.Value) []record.Value {
	switch v.Kind() {
	case record.Int:
		return []record.Value{v, record.TextValue(strconv.AppendInt(nil, v.Int(), 10))}
	case record.Float:
		return []record.Value{v, record.TextValue(v.AppendJSON(nil))}
	case record.Text:
		text := string(v.Raw())
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return []record.Value{v, record.IntValue(n)}
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(f) {
			return []record.Value{v, record.FloatValue(f)}
		}
	}
	return []record.Value{v}
}
