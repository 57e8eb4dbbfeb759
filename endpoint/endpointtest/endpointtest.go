// Package endpointtest holds every implementation of package endpoint to its contract:
// Run tests what all of them promise alike, whatever the system behind.
package endpointtest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// System is one kind of database.
type System struct {
	// Open returns an endpoint of a new database that does not exist, or is empty. The test closes it.
	Open func(t testing.TB) endpoint.Endpoint
	// User runs statements, each in a transaction of its own, as another program would
	// that knows nothing of Syncline.
	User func(t testing.TB, e endpoint.Endpoint, statements ...string)
	// DDL creates the tables of the suite. Empty is the standard form, [DDL].
	DDL []string
}

// DDL creates the tables that the suite works on: books refer to authors, and prizes
// are written by nobody but a trigger of the suite's.
var DDL = []string{
	"CREATE TABLE authors(id INTEGER PRIMARY KEY, code TEXT UNIQUE, name TEXT)",
	"CREATE TABLE books(author INTEGER NOT NULL REFERENCES authors(id), title TEXT NOT NULL, year INTEGER, score DOUBLE PRECISION, PRIMARY KEY(author, title))",
}

// Run tests one system. Each part works on a database of its own.
func Run(t *testing.T, s System) {
	if len(s.DDL) == 0 {
		s.DDL = DDL
	}
	for _, part := range []struct {
		name string
		test func(*suite)
	}{
		{"a database that is not there", absent},
		{"progress", progress},
		{"rollback", rollback},
		{"rows go in and come out", rows},
		{"scans are in key order and resume", order},
		{"a snapshot does not move", isolation},
		{"large values", large},
		{"a refused write has no effect", refused},
		{"references", references},
		{"capture", capture},
		{"two pairs", twoPairs},
		{"forget", forget},
		{"effects", effects},
		{"fingerprints", fingerprints},
		{"watch", watch},
		{"readers and a writer at once", concurrent},
		{"images that are handed back", handedBack},
		{"a cancelled context", cancelled},
	} {
		t.Run(part.name, func(t *testing.T) {
			e := s.Open(t)
			t.Cleanup(func() {
				if err := e.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			part.test(&suite{T: t, s: s, e: e, ctx: t.Context()})
		})
	}
}

// suite is one test on one database.
type suite struct {
	*testing.T
	s   System
	e   endpoint.Endpoint
	ctx context.Context
}

var (
	pairA  = endpoint.Pair{1, 0xa}
	pairB  = endpoint.Pair{2, 0xb}
	marker = [16]byte{9, 8, 7}
)

// at is a progress that only differs from others by its number.
func at(apply uint64) endpoint.Progress {
	if apply == 0 {
		return endpoint.Progress{}
	}
	return endpoint.Progress{Apply: apply, Nonce: apply * 0x9e3779b97f4a7c15}
}

// noErr fails the test on an error.
func (s *suite) noErr(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// tables creates the tables of the suite, as the user's own.
func (s *suite) tables() {
	s.Helper()
	s.user(s.s.DDL...)
}

func (s *suite) user(statements ...string) {
	s.Helper()
	s.s.User(s.T, s.e, statements...)
}

// apply runs f in a transaction that takes the pair from one progress to the next.
func (s *suite) apply(p endpoint.Pair, from, to uint64, f func(endpoint.Tx)) endpoint.Tx {
	s.Helper()
	return s.commit(endpoint.Begin{Pair: p, From: at(from), To: at(to), Marker: marker}, f)
}

func (s *suite) commit(b endpoint.Begin, f func(endpoint.Tx)) endpoint.Tx {
	s.Helper()
	tx := s.begin(b)
	if f != nil {
		f(tx)
	}
	s.noErr(tx.Commit())
	return tx
}

// begin starts a transaction that ends with the test at the latest.
func (s *suite) begin(b endpoint.Begin) endpoint.Tx {
	s.Helper()
	tx, err := s.e.Begin(s.ctx, b)
	s.noErr(err)
	s.Cleanup(func() { _ = tx.Rollback() }) // without effect after Commit
	return tx
}

func (s *suite) inspect() *endpoint.Inspection {
	s.Helper()
	in, err := s.e.Inspect(s.ctx)
	s.noErr(err)
	return &in
}

func (s *suite) snapshot() endpoint.Snapshot {
	s.Helper()
	sn, err := s.e.Snapshot(s.ctx, false)
	s.noErr(err)
	s.Cleanup(func() { _ = sn.Close() })
	return sn
}

// view runs f on a snapshot that is closed afterwards.
func (s *suite) view(f func(endpoint.Snapshot)) {
	s.Helper()
	sn := s.snapshot()
	f(sn)
	s.noErr(sn.Close())
}

func (s *suite) schema() *endpoint.Schema {
	s.Helper()
	sc, err := s.e.Schema(s.ctx)
	s.noErr(err)
	return sc
}

func (s *suite) table(name string) *endpoint.Table {
	s.Helper()
	t := s.schema().Table(name)
	if t == nil {
		s.Fatalf("table %s is not there", name)
	}
	if t.Refused != "" {
		s.Fatalf("table %s is refused: %s", name, t.Refused)
	}
	return t
}

// row is a row by column; columns that are not named are null.
type row map[string]record.Value

func image(t *endpoint.Table, r row) record.Image {
	var w record.ImageWriter
	return slices.Clone(write(&w, t, r))
}

func write(w *record.ImageWriter, t *endpoint.Table, r row) record.Image {
	w.Reset(len(t.Shape.Fields))
	for _, f := range t.Shape.Fields {
		w.Value(r[f])
	}
	return w.Image()
}

func key(t *endpoint.Table, r row) record.Key {
	var k record.Key
	for _, i := range t.Key {
		var err error
		if k, err = record.AppendKeyValue(k, r[t.Columns[i].Name], t.Columns[i].Collation); err != nil {
			panic(err)
		}
	}
	return k
}

func text(s string) record.Value { return record.TextValue([]byte(s)) }

func author(id int64, code, name string) row {
	return row{"id": record.IntValue(id), "code": text(code), "name": text(name)}
}

func book(author int64, title string, year int64) row {
	return row{"author": record.IntValue(author), "title": text(title), "year": record.IntValue(year), "score": record.FloatValue(float64(year) + 0.5)}
}

// entry is one entry of the capture log, in the words of the tests.
type entry struct {
	record string // orders/7
	pair   endpoint.Pair
	apply  uint64
}

// changed reads the log after a position.
func (s *suite) changed(from endpoint.Cursor) (es []entry, end endpoint.Cursor) {
	s.Helper()
	s.view(func(sn endpoint.Snapshot) {
		var err error
		end, err = sn.Cursor()
		s.noErr(err)
		s.noErr(sn.Changes(from, func(table string, k record.Key, m endpoint.Mark) error {
			name, err := record.FormatKey(table, k)
			es = append(es, entry{name, m.Pair, m.Apply})
			return err
		}))
	})
	return es, end
}

// wantChanged compares the records in the log after a position with what was written;
// one that was not written may be there too, as the contract allows.
func (s *suite) wantChanged(from endpoint.Cursor, m endpoint.Mark, records ...string) endpoint.Cursor {
	s.Helper()
	es, end := s.changed(from)
	for _, want := range records {
		if !slices.Contains(es, entry{want, m.Pair, m.Apply}) {
			s.Errorf("the log has no %s of %x/%d; it has %v", want, m.Pair[:2], m.Apply, es)
		}
	}
	for _, e := range es {
		if e.pair != m.Pair || e.apply != m.Apply {
			s.Errorf("the log has %v; all entries should be of %x/%d", e, m.Pair[:2], m.Apply)
		}
	}
	return end
}

// wantRow compares one row.
func (s *suite) wantRow(t *endpoint.Table, r row) {
	s.Helper()
	s.view(func(sn endpoint.Snapshot) {
		im, found, err := sn.Get(t, key(t, r), nil)
		s.noErr(err)
		if !found {
			s.Fatalf("row %v is not there", r)
		}
		if want := image(t, r); !bytes.Equal(im, want) {
			s.Errorf("row is %x, want %x", im, want)
		}
	})
}

// scan reads a whole table after a key.
func (s *suite) scan(sn endpoint.Snapshot, t *endpoint.Table, after record.Key) (ks []record.Key, ims []record.Image) {
	s.Helper()
	rows, err := sn.Scan(t, after, nil)
	s.noErr(err)
	for rows.Next() {
		ks = append(ks, slices.Clone(rows.Key()))
		ims = append(ims, slices.Clone(rows.Image()))
	}
	s.noErr(rows.Err())
	s.noErr(rows.Close())
	return ks, ims
}

// chunks keeps the chunks of large values.
type chunks map[causal.Hash][]byte

func (c chunks) sink(h causal.Hash, data []byte) error {
	c[h] = slices.Clone(data)
	return nil
}

func (c chunks) source(h causal.Hash) ([]byte, error) {
	b, ok := c[h]
	if !ok {
		return nil, errors.New("no such chunk")
	}
	return b, nil
}
