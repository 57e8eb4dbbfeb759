package sqlite_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/endpoint/sqlite"
	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// The types that decide what a column does to a value, and what each leaves alone.
var types = []string{"", "BLOB", "TEXT", "VARCHAR(10)", "INTEGER", "NUMERIC", "DECIMAL(10,2)", "DATETIME", "REAL", "DOUBLE", "FLOATING POINT", "BOOLEAN"}

// anyValue draws a value of any class, with a liking for those that get lost elsewhere.
func anyValue(utf16 bool) *rapid.Generator[record.Value] {
	texts := []string{
		"", " ", "a", "A", "\x00", "a\x00b", "12", " 12 ", "1.0", "1e3", "+5", ".5", "5.", "-0", "0x10", "1e", "inf", "nan", "Infinity",
		"9223372036854775807", "9223372036854775808", "1.7976931348623157e309", "2024-05-06", "12 monkeys", "\ufeffbom", "日本", "🙂", "NULL", "'", "٣",
	}
	ints := []int64{0, 1, -1, 127, 128, 1<<31 - 1, 1 << 31, 1 << 53, 1<<53 + 1, math.MaxInt64, math.MinInt64}
	floats := []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, 1e15, 1e16, 1 << 53, 1<<53 + 2, 1 << 62, 1 << 63, -(1 << 63), 1e300, math.MaxFloat64,
		math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1),
	}
	gens := []*rapid.Generator[record.Value]{
		rapid.Just(record.NullValue()),
		rapid.Map(rapid.OneOf(rapid.SampledFrom(ints), rapid.Int64()), record.IntValue),
		rapid.Map(rapid.OneOf(rapid.SampledFrom(floats), rapid.Float64()), record.FloatValue),
		rapid.Map(rapid.OneOf(rapid.SampledFrom(texts), rapid.String()), func(s string) record.Value { return record.TextValue([]byte(s)) }),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), record.BytesValue),
	}
	if !utf16 {
		gens = append(gens, rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), record.TextValue)) // often no UTF-8
	}
	return rapid.OneOf(gens...)
}

// TestValues writes random rows of every type of column, by Insert and by Update, and
// reads them back by Get and Scan: each value is what it was, or was refused.
func TestValues(t *testing.T) {
	for _, table := range []struct {
		name, encoding, suffix string
		strict                 bool
	}{
		{"rowid", "UTF-8", "", false},
		{"without rowid", "UTF-8", " WITHOUT ROWID", false},
		{"utf16le", "UTF-16le", "", false},
		{"utf16be", "UTF-16be", " WITHOUT ROWID", false},
		{"strict", "UTF-8", " STRICT", true},
	} {
		t.Run(table.name, func(t *testing.T) {
			types := types
			if table.strict {
				types = []string{"INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"}
			}
			ddl := "CREATE TABLE t(k INTEGER PRIMARY KEY"
			for i, typ := range types {
				ddl += fmt.Sprintf(", c%02d %s", i, typ)
			}
			path := filepath.Join(t.TempDir(), "a.db")
			user(t, path, "PRAGMA encoding = '"+table.encoding+"'", ddl+")"+table.suffix)
			d := open(t, path)
			tab := tableOf(t, d, "t")
			plain := newOracle(t, "PRAGMA encoding = '"+table.encoding+"'", ddl+")"+table.suffix)
			values := anyValue(table.encoding != "UTF-8")
			id := int64(0)
			rapid.Check(t, func(r *rapid.T) {
				id++
				k := keyOf(t, record.IntValue(id))
				tx := begin(t, d)
				defer tx.Rollback()
				now := record.Image(nil)
				for _, what := range []string{"insert ", "update "} {
					write := func(vs []record.Value) error {
						if now == nil {
							return tx.Insert(tab, imageOf(vs), nil)
						}
						return tx.Update(tab, k, now, imageOf(vs), nil)
					}
					vs := make([]record.Value, len(types)+1)
					vs[len(types)] = record.IntValue(id)
					for i, typ := range types {
						vs[i] = values.Draw(r, what+typ)
						if plain.keeps(r, i, vs[i]) {
							continue
						}
						alone := make([]record.Value, len(vs))
						alone[i], alone[len(types)] = vs[i], vs[len(types)]
						var c *endpoint.ConstraintError
						if err := write(alone); !errors.As(err, &c) {
							r.Fatalf("%v into %s: %v, want a ConstraintError", vs[i], typ, err)
						}
						wantGet(r, tx, tab, k, now)
						vs[i] = record.NullValue()
					}
					if err := write(vs); err != nil {
						r.Fatal(err)
					}
					now = imageOf(vs)
					wantGet(r, tx, tab, k, now)
				}
				if err := tx.Commit(); err != nil {
					r.Fatal(err)
				}
				s, err := d.Snapshot(t.Context(), false)
				if err != nil {
					r.Fatal(err)
				}
				defer s.Close()
				rows, err := s.Scan(tab, keyOf(t, record.IntValue(id-1)), nil)
				if err != nil {
					r.Fatal(err)
				}
				if !rows.Next() || !bytes.Equal(rows.Image(), now) {
					r.Fatalf("scan reads %x, want %x (%v)", rows.Image(), now, rows.Err())
				}
				if err := rows.Close(); err != nil {
					r.Fatal(err)
				}
			})
		})
	}
}

// oracle says what SQLite alone makes of a value, in a database in memory.
type oracle struct{ *zombie.Conn }

func newOracle(t testing.TB, statements ...string) oracle {
	t.Helper()
	c, err := zombie.OpenConn(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	for _, sql := range statements {
		if err := sqlitex.ExecuteTransient(c, sql, nil); err != nil {
			t.Fatal(err)
		}
	}
	return oracle{c}
}

// keeps reports whether the i-th column stores v as it is.
func (o oracle) keeps(r *rapid.T, i int, v record.Value) bool {
	insert, err := o.Prepare(fmt.Sprintf("INSERT OR REPLACE INTO t(k, c%02d) VALUES(1, ?)", i))
	if err != nil {
		r.Fatal(err)
	}
	switch v.Kind() {
	case record.Null:
		insert.BindNull(1)
	case record.Int:
		insert.BindInt64(1, v.Int())
	case record.Float:
		insert.BindFloat(1, v.Float())
	case record.Bytes:
		if insert.BindBytes(1, v.Raw()); len(v.Raw()) == 0 {
			insert.BindZeroBlob(1, 0)
		}
	default:
		insert.BindText(1, string(v.Raw()))
	}
	if _, err := insert.Step(); err != nil {
		return false
	}
	st, err := o.Prepare(fmt.Sprintf("SELECT c%02d FROM t WHERE k = 1", i))
	if err != nil {
		r.Fatal(err)
	}
	if _, err := st.Step(); err != nil {
		r.Fatal(err)
	}
	defer st.Reset()
	switch v.Kind() {
	case record.Null:
		return st.ColumnType(0) == zombie.TypeNull
	case record.Int:
		return st.ColumnType(0) == zombie.TypeInteger && st.ColumnInt64(0) == v.Int()
	case record.Float:
		return st.ColumnType(0) == zombie.TypeFloat && math.Float64bits(st.ColumnFloat(0)) == math.Float64bits(v.Float())
	case record.Bytes:
		return st.ColumnType(0) == zombie.TypeBlob && bytes.Equal(columnBytes(st), v.Raw())
	default:
		return st.ColumnType(0) == zombie.TypeText && st.ColumnText(0) == string(v.Raw())
	}
}

func columnBytes(st *zombie.Stmt) []byte {
	b := make([]byte, st.ColumnLen(0))
	return b[:st.ColumnBytes(0, b)]
}

func keyOf(t testing.TB, vs ...record.Value) record.Key {
	t.Helper()
	var k record.Key
	for _, v := range vs {
		var err error
		if k, err = record.AppendKeyValue(k, v, record.Binary); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func wantGet(r *rapid.T, tx endpoint.Tx, tab *endpoint.Table, k record.Key, want record.Image) {
	got, found, err := tx.Get(tab, k, nil)
	if err != nil {
		r.Fatal(err)
	}
	if found != (want != nil) || !bytes.Equal(got, want) {
		r.Fatalf("got %x, want %x", got, want)
	}
}

func imageOf(vs []record.Value) record.Image {
	var w record.ImageWriter
	w.Reset(len(vs))
	for _, v := range vs {
		w.Value(v)
	}
	return slices.Clone(w.Image())
}

func tableOf(t testing.TB, d *sqlite.Database, name string) *endpoint.Table {
	t.Helper()
	s, err := d.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tab := s.Table(name)
	if tab == nil || tab.Refused != "" {
		t.Fatalf("table %s: %+v", name, tab)
	}
	return tab
}

// begin starts a transaction that moves no progress.
func begin(t testing.TB, d *sqlite.Database) endpoint.Tx {
	t.Helper()
	tx, err := d.Begin(t.Context(), endpoint.Begin{Pair: endpoint.Pair{1}})
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// TestNoncharacters: SQLite replaces U+FFFE and U+FFFF in what is bound to a statement of a
// UTF-16 database; they arrive all the same, in values and in keys.
func TestNoncharacters(t *testing.T) {
	for _, encoding := range []string{"UTF-8", "UTF-16le", "UTF-16be"} {
		d := made(t, "PRAGMA encoding = '"+encoding+"'", "CREATE TABLE t(k TEXT PRIMARY KEY, v TEXT, w)")
		tab := tableOf(t, d, "t")
		tx := begin(t, d)
		defer tx.Rollback()
		for _, k := range []string{"\ufffe", "a\uffff\U0001f642", "\ufffd", "plain"} {
			key := keyOf(t, record.TextValue([]byte(k)))
			rows := []record.Image{img(k, k+"\ufffe", 1), img(k, "\uffff", nil), img(k, "x", "\ufffe"), img(k, "y", "\ufffe")}
			if err := tx.Insert(tab, rows[0], nil); err != nil {
				t.Fatal(err)
			}
			for i, row := range rows {
				if i > 0 {
					if err := tx.Update(tab, key, rows[i-1], row, nil); err != nil {
						t.Fatal(err)
					}
				}
				if got, found, err := tx.Get(tab, key, nil); err != nil || !found || !bytes.Equal(got, row) {
					t.Errorf("%s %q: got %x %v %v, want %x", encoding, k, got, found, err, row)
				}
			}
		}
		for _, k := range []string{"\ufffe", "a\uffff\U0001f642", "\ufffd", "plain"} {
			key := keyOf(t, record.TextValue([]byte(k)))
			if err := tx.Delete(tab, key); err != nil {
				t.Fatal(err)
			}
			if _, found, err := tx.Get(tab, key, nil); err != nil || found {
				t.Errorf("%s %q: is there after its deletion (%v)", encoding, k, err)
			}
		}
	}
}
