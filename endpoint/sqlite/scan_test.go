package sqlite

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

// keyTables are tables with the same awkward keys under every kind of key there is.
var keyTables = []struct{ name, ddl string }{
	{"plain", "CREATE TABLE plain(k PRIMARY KEY, v)"},
	{"without", "CREATE TABLE without(k PRIMARY KEY, v) WITHOUT ROWID"},
	{"nocase", "CREATE TABLE nocase(v, k COLLATE NOCASE PRIMARY KEY)"},
	{"rtrim", "CREATE TABLE rtrim(k COLLATE RTRIM PRIMARY KEY, v)"},
	{"other", "CREATE TABLE other(k COLLATE BINARY, v, PRIMARY KEY(k COLLATE NOCASE))"},
	{"down", "CREATE TABLE down(k, v, PRIMARY KEY(k DESC))"},
	{"pair", "CREATE TABLE pair(v, b, k, PRIMARY KEY(k, b))"},
	{"mixed", "CREATE TABLE mixed(k, b, v, PRIMARY KEY(k DESC, b ASC)) WITHOUT ROWID"},
	{"mixedrow", "CREATE TABLE mixedrow(k, b, v, PRIMARY KEY(k DESC, b ASC))"},
	{"numeric", "CREATE TABLE numeric(k NUMERIC PRIMARY KEY, v)"},
	{"texts", "CREATE TABLE texts(k TEXT PRIMARY KEY, v)"},
	{"reals", "CREATE TABLE reals(k REAL PRIMARY KEY, v)"},
	{"hidden", "CREATE TABLE hidden(k PRIMARY KEY, rowid, _rowid_, oid)"},
	{"rowids", "CREATE TABLE rowids(v, k INTEGER PRIMARY KEY)"},
	{"rowdesc", "CREATE TABLE rowdesc(k INTEGER PRIMARY KEY DESC, v)"},
	{"we \"ird", "CREATE TABLE \"we \"\"ird\"(\"se lect\" TEXT, \"k\" PRIMARY KEY, \"ключ\" INT)"},
}

var keyLiterals = []string{
	"0", "-1", "1", "2.5", "-2.5", "127", "128", "-128", "9007199254740992", "9007199254740993", "9007199254740992.0e1",
	"9223372036854775807", "-9223372036854775808", "9223372036854775808.0", "1e300", "-1e300", "9e999", "-9e999",
	"4.9e-324", "0.1", "''", "'a'", "'A '", "'b'", "'ab'", "'B'", "'12'", "'é'", "'z'", "'Z'", "'~'", "'\U0001F600'", "'\uFFFD'", "'\uE000'", "'ｆ'",
	"x''", "x'00'", "x'ff'", "x'6162'", "x'0001'", "'a b'", "'  '",
}

func fillKeyTables(t testing.TB, encoding string) string {
	var sql strings.Builder
	fmt.Fprintf(&sql, "PRAGMA encoding='%s'; BEGIN;", encoding)
	for _, table := range keyTables {
		fmt.Fprintf(&sql, "%s;", table.ddl)
		other := ""
		if table.name == "pair" || strings.HasPrefix(table.name, "mixed") {
			other = "b, "
		}
		for i, v := range keyLiterals {
			second := ""
			if other != "" {
				second = keyLiterals[(i*7)%len(keyLiterals)] + ", "
			}
			// Values that are equal under the collation, or that are no integers where
			// those are wanted, stay out.
			fmt.Fprintf(&sql, "INSERT OR IGNORE INTO %s(%sk) SELECT %s v FROM (SELECT %s v) WHERE %v;",
				quote(table.name), other, second, v, table.name != "rowids" && table.name != "rowdesc" || !strings.ContainsAny(v, ".e'x"))
			if other != "" {
				fmt.Fprintf(&sql, "INSERT OR IGNORE INTO %s(b, k) VALUES(1, %s), (-1, %s), ('x', %s);", quote(table.name), v, v, v)
			}
		}
	}
	return makeRaw(t, sql.String()+"COMMIT")
}

func TestScanIsInKeyOrder(t *testing.T) {
	for _, encoding := range []string{"UTF-8", "UTF-16le", "UTF-16be"} {
		for _, sliced := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s sliced %v", encoding, sliced), func(t *testing.T) {
				d := openDatabase(t, fillKeyTables(t, encoding), Options{})
				s := openSnapshot(t, d, sliced)
				for _, table := range keyTables {
					desc := s.Schema().Table(table.name)
					if desc.Refused != "" {
						t.Fatalf("%s is refused: %s", table.name, desc.Refused)
					}
					if all := checkScan(t, s, table.name); len(all) < 8 {
						t.Errorf("%s: only %d rows", table.name, len(all))
					}
				}
			})
		}
	}
}

// Every scan must be a walk along one b-tree: a sort would read the whole table, and hold
// the lock, before the first row.
func TestScanSeeks(t *testing.T) {
	d := openDatabase(t, fillKeyTables(t, "UTF-8"), Options{})
	s := openSnapshot(t, d, false)
	for _, p := range s.s.plans {
		if !s.c.native(p) {
			if !strings.HasPrefix(p.table.Name, "mixed") {
				t.Errorf("%s is not read in its own order", p.table.Name)
			}
			continue
		}
		for _, after := range []bool{false, true} {
			var plan []string
			var args []any
			if after {
				for range p.key {
					args = append(args, storedBytes("x"))
				}
			}
			err := s.c.query("EXPLAIN QUERY PLAN "+s.c.scanSQL(p, args), func(st *sqlite.Stmt) error {
				plan = append(plan, st.ColumnText(3))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			verb := "SCAN"
			if after {
				verb = "SEARCH"
			}
			if len(plan) != 1 || !strings.HasPrefix(plan[0], verb) {
				t.Errorf("%s after %v: %q", p.table.Name, after, plan)
			}
		}
	}
}

func TestSortedSourceInWindows(t *testing.T) {
	for _, sliced := range []bool{false, true} {
		path := makeRaw(t, `PRAGMA encoding='UTF-16le'; CREATE TABLE t(k PRIMARY KEY, v);
			INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 5000) SELECT printf('%x', i * 7919 % 5003), i FROM n;`)
		s := openSnapshot(t, openDatabase(t, path, Options{}), sliced)
		rows, err := s.Scan(s.Schema().Table("t"), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		rows.(*rowsType).source.(*sortedSource).bytes = 1000
		var last record.Key
		n := 0
		for ; rows.Next(); n++ {
			if bytes.Compare(last, rows.Key()) >= 0 {
				t.Fatalf("row %d is not after the one before", n)
			}
			last = append(last[:0], rows.Key()...)
		}
		if rows.Err() != nil || n != 5000 {
			t.Errorf("%d rows, %v", n, rows.Err())
		}
		rows.Close()
	}
}

type rowsType = rows

func TestEveryValueArrives(t *testing.T) {
	path := makeRaw(t, `CREATE TABLE t(id INTEGER PRIMARY KEY, a, n NUMERIC, r REAL, x TEXT, i INTEGER, g AS (a || 'x') STORED, h AS (id + 1), d DEFAULT 5);
		INSERT INTO t(id, a, n, r, x, i, d) VALUES
		(1, NULL, NULL, NULL, NULL, NULL, NULL),
		(2, 9223372036854775807, 12, 12, 12, 12, 1),
		(3, '', '', '', '', '', ''),
		(4, x'', x'', x'', x'', x'', x''),
		(5, CAST(x'ff00fe' AS TEXT), CAST(x'c328' AS TEXT), 1e999, -1e999, 1.5, 'é'),
		(6, 'a' || char(0) || 'b', 'abc', 0.1, CAST(x'00' AS TEXT), 1e20, -9223372036854775808),
		(7, -0.0, -0.0, -0.0, -0.0, -0.0, x'00ff');`)
	s := openSnapshot(t, openDatabase(t, path, Options{}), false)
	table := s.Schema().Table("t")
	if got := strings.Join(table.Shape.Fields, " "); got != "a d i id n r x" {
		t.Fatalf("fields %s", got)
	}
	text := func(h string) record.Value {
		b, _ := hex.DecodeString(h)
		return record.TextValue(b)
	}
	i, f, n := record.IntValue, record.FloatValue, record.NullValue()
	empty, none := record.TextValue(nil), record.BytesValue(nil)
	want := [][]record.Value{
		{n, n, n, i(1), n, n, n},
		{i(math.MaxInt64), i(1), i(12), i(2), i(12), f(12), text("3132")},
		{empty, empty, empty, i(3), empty, empty, empty},
		{none, none, none, i(4), none, none, none},
		{text("ff00fe"), text("c3a9"), f(1.5), i(5), text("c328"), f(math.Inf(1)), text("2d496e66")},
		{text("610062"), i(math.MinInt64), f(1e20), i(6), text("616263"), f(0.1), text("00")},
		{f(math.Copysign(0, -1)), record.BytesValue([]byte{0, 255}), i(0), i(7), i(0), f(0), text("302e30")},
	}
	got := checkScan(t, s, "t")
	for r := range want {
		for c := range want[r] {
			if !got[r].values[c].Equal(want[r][c]) {
				t.Errorf("row %d, %s: %v, want %v", r+1, table.Shape.Fields[c], got[r].values[c], want[r][c])
			}
		}
	}
}

func TestLargeValuesComeInChunks(t *testing.T) {
	path := makeRaw(t, `CREATE TABLE t(id INTEGER PRIMARY KEY, b);
		INSERT INTO t VALUES(1, 'small'), (2, zeroblob(3500000)), (3, zeroblob(1048577)), (4, 'small'), (5, zeroblob(1048576));
		UPDATE t SET b = CAST(b AS TEXT) WHERE id = 3;`)
	for _, sliced := range []bool{false, true} {
		s := openSnapshot(t, openDatabase(t, path, Options{}), sliced)
		chunks := 0
		rows, err := s.Scan(s.Schema().Table("t"), nil, func(_ causal.Hash, data []byte) error { chunks += len(data); return nil })
		if err != nil {
			t.Fatal(err)
		}
		want := map[int64]int{2: 3500000, 3: 1048577}
		for rows.Next() {
			v, err := rows.Image().Value(1)
			if err != nil {
				t.Fatal(err)
			}
			id := v.Int()
			if chunks != want[id] {
				t.Errorf("row %d came with %d bytes of chunks, want %d", id, chunks, want[id])
			}
			if v, _ = rows.Image().Value(0); want[id] > 0 {
				if info, err := v.Large(); err != nil || info.Size != int64(want[id]) {
					t.Errorf("row %d: %v, %v", id, v, err)
				}
			}
			chunks = 0
		}
		if rows.Err() != nil {
			t.Error(rows.Err())
		}
		rows.Close()
	}
}

func TestNullKeyIsRefusedByName(t *testing.T) {
	for _, encoding := range []string{"UTF-8", "UTF-16le"} {
		path := makeRaw(t, "PRAGMA encoding='"+encoding+"'; CREATE TABLE orders(code TEXT PRIMARY KEY, v); INSERT INTO orders VALUES('a', 1), (NULL, 2);")
		s := openSnapshot(t, openDatabase(t, path, Options{}), false)
		rows, err := s.Scan(s.Schema().Table("orders"), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
		}
		var e *endpoint.Error
		if !errors.As(rows.Err(), &e) || e.Family != endpoint.Refused || !strings.Contains(e.Error(), "code") || !strings.Contains(e.Error(), "orders") || e.Hint == "" {
			t.Errorf("%s: %v", encoding, rows.Err())
		}
		rows.Close()
	}
}

func TestInvalidUTF16IsRefused(t *testing.T) {
	for _, text := range []string{"00d8", "00d84100", "00dc"} {
		path := makeRaw(t, "PRAGMA encoding='UTF-16le'; CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1, CAST(x'"+text+"' AS TEXT));")
		s := openSnapshot(t, openDatabase(t, path, Options{}), false)
		rows, err := s.Scan(s.Schema().Table("t"), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		var e *endpoint.Error
		if rows.Next() || !errors.As(rows.Err(), &e) || e.Family != endpoint.Incompatible || !errors.Is(e, errUTF16) {
			t.Errorf("%s: %v", text, rows.Err())
		}
		rows.Close()
	}
}

// A sliced view of a rollback journal keeps no writer waiting, and notices it.
func TestSlicedViewLetsWritersIn(t *testing.T) {
	path := makeRaw(t, `CREATE TABLE t(k INTEGER PRIMARY KEY, v);
		INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 20000) SELECT i, hex(randomblob(20)) FROM n;`)
	s := openSnapshot(t, openDatabase(t, path, Options{}), true)
	rows, err := s.Scan(s.Schema().Table("t"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	other := openRaw(t, path)
	defer other.Close()
	other.SetBusyTimeout(0)
	runRaw(t, other, "UPDATE t SET v = 'new' WHERE k = 20000")
	n := 1
	for rows.Next() {
		n++
	}
	if !errors.Is(rows.Err(), endpoint.ErrChanged) || n >= 20000 {
		t.Errorf("%d rows, then %v", n, rows.Err())
	}
	if _, err := s.Count(s.Schema().Table("t")); !errors.Is(err, endpoint.ErrChanged) {
		t.Errorf("count after the change: %v", err)
	}
	if s.Fingerprint() != nil {
		t.Error("a view that is gone has a fingerprint")
	}
}

func TestSlicedViewWithoutWritersIsWhole(t *testing.T) {
	path := makeRaw(t, `CREATE TABLE t(k INTEGER PRIMARY KEY, v);
		INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 50000) SELECT i, hex(randomblob(20)) FROM n;`)
	s := openSnapshot(t, openDatabase(t, path, Options{}), true)
	if got := scanAll(t, s, "t", nil); len(got) != 50000 {
		t.Errorf("%d rows", len(got))
	}
}

func TestViewOfWALStays(t *testing.T) {
	path := makeRaw(t, "PRAGMA journal_mode=WAL; CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1, 'old');")
	s := openSnapshot(t, openDatabase(t, path, Options{}), true)
	other := openRaw(t, path)
	defer other.Close()
	other.SetBusyTimeout(0)
	runRaw(t, other, "UPDATE t SET v = 'new'")
	if got := fmt.Sprint(scanAll(t, s, "t", nil)); got != "[[1 old]]" {
		t.Errorf("the view shows %s", got)
	}
}

func TestCancelledScanEnds(t *testing.T) {
	path := makeRaw(t, `CREATE TABLE t(k INTEGER PRIMARY KEY, v);
		INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 50000) SELECT i, hex(randomblob(20)) FROM n;`)
	ctx, cancel := context.WithCancel(context.Background())
	s, err := openDatabase(t, path, Options{}).Snapshot(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows, err := s.Scan(s.Schema().Table("t"), nil, nil)
	if err != nil || !rows.Next() {
		t.Fatal(err, rows.Err())
	}
	cancel()
	for rows.Next() {
	}
	if !errors.Is(rows.Err(), context.Canceled) {
		t.Errorf("%v", rows.Err())
	}
	rows.Close()
}

func TestWaitForLockCanBeCancelled(t *testing.T) {
	path := makeRaw(t, "CREATE TABLE t(k INTEGER PRIMARY KEY)")
	other := openRaw(t, path)
	defer other.Close()
	execScript(t, other, "BEGIN EXCLUSIVE")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := openDatabase(t, path, Options{}).Snapshot(ctx, false)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// BenchmarkScan reads a million rows of ten columns.
func BenchmarkScan(b *testing.B) {
	path := makeRaw(b, `PRAGMA synchronous=OFF; CREATE TABLE t(id INTEGER PRIMARY KEY, customer INTEGER, code TEXT, name TEXT, total REAL, quantity INTEGER, state TEXT, note TEXT, created TEXT, data BLOB);
		INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 1000000)
		SELECT i, i % 1000, printf('C%08d', i), 'customer ' || i, i * 0.01, i % 17, 'open', NULL, '2024-01-02 03:04:05', x'00112233445566778899' FROM n;`)
	d := openDatabase(b, path, Options{})
	for b.Loop() {
		s := openSnapshot(b, d, true)
		rows, err := s.Scan(s.Schema().Table("t"), nil, nil)
		if err != nil {
			b.Fatal(err)
		}
		n, size := 0, 0
		for rows.Next() {
			n++
			size += len(rows.Image()) + len(rows.Key())
		}
		if rows.Err() != nil || n != 1000000 {
			b.Fatal(n, rows.Err())
		}
		b.ReportMetric(float64(size)/float64(n), "B/row")
		rows.Close()
		s.Close()
	}
	b.ReportAllocs()
}
