package syncline

import (
	"fmt"
	"slices"

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
