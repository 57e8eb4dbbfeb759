package flow

import (
	"errors"
	"slices"
	"strings"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// keysOf is a set of keys by table, as a capture log names them. Tables are known by
// their lower-case names.
type keysOf struct {
	tables map[string]map[string]struct{}
	n      int
	bytes  int
}

// errManyKeys reports a log that names more keys than are worth remembering: comparing all
// rows takes no memory.
var errManyKeys = errors.New("too many keys in the capture log")

// keyOverhead is about what a key in a set takes beside its bytes.
const keyOverhead = 64

// read adds the keys that a log names after a cursor, but for this pair's own writes: what
// those left is known from the apply itself. It fails with errManyKeys, and has no key
// then, when there are too many.
func (ks *keysOf) read(from interface {
	Changes(endpoint.Cursor, func(string, record.Key, endpoint.Mark) error) error
}, after endpoint.Cursor, own endpoint.Pair,
) error {
	err := from.Changes(after, func(table string, k record.Key, m endpoint.Mark) error {
		if m.Pair != own {
			ks.add(table, k)
		}
		if ks.bytes > worklistBytes {
			return errManyKeys
		}
		return nil
	})
	if errors.Is(err, errManyKeys) {
		*ks = keysOf{}
	}
	return err
}

func (ks *keysOf) add(table string, k record.Key) {
	table = lower(table)
	if ks.tables == nil {
		ks.tables = make(map[string]map[string]struct{})
	}
	if ks.tables[table] == nil {
		ks.tables[table] = make(map[string]struct{})
	}
	if _, ok := ks.tables[table][string(k)]; !ok {
		ks.tables[table][string(k)] = struct{}{}
		ks.n++
		ks.bytes += len(k) + keyOverhead
	}
}

func (ks *keysOf) addAll(more *keysOf) {
	for table, keys := range more.tables {
		for k := range keys {
			ks.add(table, record.Key(k))
		}
	}
}

func (ks *keysOf) has(table string, k record.Key) bool {
	_, ok := ks.tables[lower(table)][string(k)]
	return ok
}

// take removes a key and reports whether it was there.
func (ks *keysOf) take(table string, k record.Key) bool {
	if !ks.has(table, k) {
		return false
	}
	delete(ks.tables[lower(table)], string(k))
	return true
}

// of lists the keys of a table in key order.
func (ks *keysOf) of(table string) []record.Key {
	var all []record.Key
	for k := range ks.tables[lower(table)] {
		all = append(all, record.Key(k))
	}
	slices.SortFunc(all, func(a, b record.Key) int { return strings.Compare(string(a), string(b)) })
	return all
}

// lower returns a name as SQL compares it: in lower case, as far as it is ASCII.
func lower(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name)
}
