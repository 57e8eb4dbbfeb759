package store

import "github.com/cockroachdb/pebble/v2"

// OpenSmall is Open with bounds so small that a short test meets all of them.
func OpenSmall(dir string, o Options) (*Store, error) { return open(dir, o, small()) }

// OpenLogged is OpenSmall without tables of its own: all goes through the log.
func OpenLogged(dir string, o Options) (*Store, error) {
	t := tuned()
	t.memTable = 64 << 10
	return open(dir, o, t)
}

func small() tuning {
	t := tuned()
	t.memTable, t.bulk, t.table, t.stage = 64<<10, 8<<10, 4<<10, 1<<10
	return t
}

// Conversion is what a format table has for each older version.
type Conversion = conversion

// OpenVersion is Open by a program that writes another version of the format.
func OpenVersion(dir string, o Options, version uint64, convert map[uint64]Conversion) (*Store, error) {
	t := tuned()
	t.formats = formatTable{version: version, convert: convert}
	return open(dir, o, t)
}

// EachKey calls f with every key and value of the database.
func (s *Store) EachKey(f func(k, v []byte)) error {
	return scanRange(s.db, []byte{0}, []byte{0xff}, func(k, v []byte) error {
		f(k, v)
		return nil
	})
}

// Flush writes the memtable to a table.
func (s *Store) Flush() error { return s.db.Flush() }

// SetRaw writes a key behind the store's back.
func (s *Store) SetRaw(k, v []byte) error { return s.db.Set(k, v, pebble.Sync) }

// DeleteRaw removes a key behind the store's back.
func (s *Store) DeleteRaw(k []byte) error { return s.db.Delete(k, pebble.Sync) }
