package store

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// formatVersion is the version of everything that docs/format/store.md describes.
const formatVersion = 1

// formatMark begins the value that says the version, in every version.
const formatMark = "syncline store "

// conversion takes a store from one version to the next. It may commit as many batches as
// it likes and is run again after a crash, so it must not mind its own work; the last
// batch, which the caller commits, sets the new version.
type conversion func(db *pebble.DB, last *pebble.Batch) error

// formatTable says which version this program writes and how it reaches it.
type formatTable struct {
	version uint64
	convert map[uint64]conversion // by the version they start from
}

// formats returns the one in use. Version 1 is the first: there is nothing to convert yet.
func formats() formatTable { return formatTable{version: formatVersion} }

// check brings the store to the current version. fresh says that it holds nothing yet.
func (f formatTable) check(db *pebble.DB, readOnly bool) (fresh bool, err error) {
	b, err := get(db, []byte{spaceFormat})
	if err != nil {
		return false, err
	}
	if b == nil {
		err = scanRange(db, []byte{0}, []byte{0xff}, func(_, _ []byte) error { return corrupt("no format") })
		return true, err
	}
	version, err := decodeFormat(b)
	switch {
	case err != nil:
		return false, err
	case version > f.version:
		return false, fmt.Errorf("version %d, and this program knows %d: %w", version, f.version, ErrNewer)
	case version < f.version && readOnly:
		return false, fmt.Errorf("version %d, and this program writes %d: %w", version, f.version, ErrOlder)
	}
	for ; version < f.version; version++ {
		convert, ok := f.convert[version]
		if !ok {
			return false, corrupt("version %d, which never was", version)
		}
		last := db.NewBatch()
		if err := convert(db, last); err != nil {
			return false, fmt.Errorf("convert from version %d: %w", version, err)
		}
		if err := last.Set([]byte{spaceFormat}, appendFormat(nil, version+1), nil); err != nil {
			return false, fmt.Errorf("convert from version %d: %w", version, err)
		}
		if err := last.Commit(pebble.Sync); err != nil {
			return false, fmt.Errorf("convert from version %d: %w", version, err)
		}
	}
	return false, nil
}

// create writes what a store has from the beginning.
func (f formatTable) create(db *pebble.DB) error {
	b := db.NewBatch()
	err := b.Set([]byte{spaceFormat}, appendFormat(nil, f.version), nil)
	if err == nil {
		err = b.Set([]byte{spaceHead}, head{log: newLogID()}.append(nil), nil)
	}
	if err == nil {
		err = b.Commit(pebble.Sync)
	}
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	return nil
}

func appendFormat(b []byte, version uint64) []byte {
	return binary.AppendUvarint(append(b, formatMark...), version)
}

// decodeFormat reads the version of any store, also of later ones: whatever may follow it
// there is theirs.
func decodeFormat(b []byte) (uint64, error) {
	b, ok := bytes.CutPrefix(b, []byte(formatMark))
	r := reader{b: b}
	version := r.uvarint()
	if !ok || r.failed {
		return 0, corrupt("format")
	}
	return version, nil
}
