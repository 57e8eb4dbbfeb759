package merge

import (
	"bytes"
	"fmt"

	"github.com/syncline-io/syncline/record"
)

// statePrefix is how the tag of a merge state begins, and those of raw text and large
// values too (docs/format/records.md). Looking for it spares decoding the images of
// tables that have none of them.
var statePrefix = []byte{0xda, 'S', 'Y', 'L'}

// Plain returns what a database is shown of an image of s: counters as their sums and sets
// as the text of a JSON array; im itself where there are none. It depends on nothing but
// the image, so values written under an earlier rule are plain, too. A set whose text
// would be longer than a value can be inline is [record.ErrTooLarge].
func (t *Table) Plain(s *record.Shape, im record.Image) (record.Image, error) {
	if n, err := im.Len(); err != nil || n != len(s.Fields) {
		return nil, fmt.Errorf("image of %d values for %q: %w", n, s.Table, record.ErrCorrupt)
	}
	return plain(im)
}

func plain(im record.Image) (record.Image, error) {
	if !bytes.Contains(im, statePrefix) {
		return im, nil
	}
	values, err := im.Values(nil)
	if err != nil {
		return nil, err
	}
	states := false
	for i, v := range values {
		if v.Kind() != record.Counter && v.Kind() != record.Set {
			continue
		}
		states = true
		if values[i] = v.Plain(); len(values[i].Raw()) > record.ChunkSize {
			return nil, fmt.Errorf("show a set of %d bytes: %w", len(values[i].Raw()), record.ErrTooLarge)
		}
	}
	if !states {
		return im, nil
	}
	return image(values)
}

// image writes values that fit inline, or are large already.
func image(values []record.Value) (record.Image, error) {
	var w record.ImageWriter
	w.Reset(len(values))
	for _, v := range values {
		w.Value(v)
	}
	return w.Image(), w.Err()
}
