package sqlite

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
	"zombiezen.com/go/sqlite"
)

// drawKey draws a value that a key can have, among them those that comparisons get wrong.
func drawKey(t *rapid.T, c *conn) any {
	text := rapid.StringOf(rapid.SampledFrom([]rune("aAbBzZ ~\x01é\u0800\ufffd\ufffe\uffff\U00010000\U0010ffff")))
	integer := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-3, 3), rapid.Int64Range(1<<53-2, 1<<53+2),
		rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64, math.MaxInt64 - 511, 1 << 62}))
	stored := func(s string) any {
		if c.altered([]byte(s)) {
			return storedBytes(encodeUTF16(nil, []byte(s), c.utf16))
		}
		return s
	}
	return rapid.OneOf(
		rapid.Map(integer, func(i int64) any { return i }),
		rapid.Map(integer, func(i int64) any { return float64(i) }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.SampledFrom([]any{0.0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), 0.5, 0x1p63, -0x1p63, math.SmallestNonzeroFloat64}),
		rapid.Map(text, stored),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 4), func(b []byte) any { return b }),
	).Draw(t, "key")
}

// The order and the equality of keys are those of the database, whatever the values, for
// every collation; in UTF-16 the order is still that of the keys.
func TestKeysCompareAsTheDatabaseDoes(t *testing.T) {
	for _, encoding := range []string{"UTF-8", "UTF-16le", "UTF-16be"} {
		t.Run(encoding, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.db")
			raw := openRaw(t, path)
			defer raw.Close()
			execScript(t, raw, "PRAGMA synchronous=OFF; PRAGMA encoding='"+encoding+"'")
			for _, collation := range []string{"BINARY", "NOCASE", "RTRIM"} {
				execScript(t, raw, fmt.Sprintf("CREATE TABLE %[1]s(k COLLATE %[1]s PRIMARY KEY, v); CREATE TABLE %[1]s2(a COLLATE %[1]s, b, PRIMARY KEY(a, b)) WITHOUT ROWID", collation))
			}
			c := &conn{Conn: raw, utf16: orderOf(encoding)}
			d := openDatabase(t, path, Options{})
			rapid.Check(t, func(t *rapid.T) {
				collation := rapid.SampledFrom([]string{"BINARY", "NOCASE", "RTRIM"}).Draw(t, "collation")
				if !raw.AutocommitEnabled() { // after a failure
					must(t, c.exec("ROLLBACK"))
				}
				must(t, c.exec("BEGIN"))
				must(t, c.exec("DELETE FROM "+collation))
				must(t, c.exec("DELETE FROM "+collation+"2"))
				kept := 0
				for range rapid.IntRange(1, 30).Draw(t, "rows") {
					a, b := drawKey(t, c), drawKey(t, c)
					must(t, c.exec("INSERT OR IGNORE INTO "+collation+"(k) VALUES("+parameter(1, a)+")", a))
					kept += raw.Changes()
					must(t, c.exec("INSERT OR IGNORE INTO "+collation+"2 VALUES("+parameter(1, a)+", "+parameter(2, b)+")", a, b))
				}
				must(t, c.exec("COMMIT"))
				s, err := d.snapshot(t.Context(), rapid.Bool().Draw(t, "sliced"), false)
				must(t, err)
				defer s.Close()
				for _, table := range []string{collation, collation + "2"} {
					checkOrder(t, s, table)
				}
				if n, err := s.Count(s.Schema().Table(collation)); err != nil || n != int64(kept) {
					t.Fatalf("%d rows, want %d, %v", n, kept, err)
				}
			})
		})
	}
}

// checkOrder scans in order, from a place in the middle too, and finds each key.
func checkOrder(t *rapid.T, s *Snapshot, table string) {
	desc := s.Schema().Table(table)
	var keys []record.Key
	scan := func(after record.Key, f func(k record.Key, im record.Image)) {
		rows, err := s.Scan(desc, after, nil)
		must(t, err)
		defer rows.Close()
		for rows.Next() {
			f(rows.Key(), rows.Image())
		}
		must(t, rows.Err())
	}
	scan(nil, func(k record.Key, im record.Image) {
		must(t, k.Check())
		must(t, im.Check())
		if n := len(keys); n > 0 && bytes.Compare(keys[n-1], k) >= 0 {
			t.Fatalf("%x comes before %x", keys[n-1], k)
		}
		keys = append(keys, bytes.Clone(k))
	})
	for i, k := range keys {
		if _, found, err := s.Get(desc, k, nil); !found || err != nil {
			t.Fatalf("%x is not found, %v", k, err)
		}
		next := i + 1
		scan(k, func(k record.Key, _ record.Image) {
			if next == len(keys) || !bytes.Equal(k, keys[next]) {
				t.Fatalf("after %x comes %x", keys[i], k)
			}
			next++
		})
		if next != len(keys) {
			t.Fatalf("after %x the scan ends early", keys[i])
		}
	}
}

func must(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Every stored text is read back as its own bytes, and what has none is refused.
func FuzzDecodeUTF16(f *testing.F) {
	for _, seed := range []string{"", "a\x00", "\x00\xd8\x00\xdc", "\x00\xd8", "\x00\xdc\x00\xd8", "a", "\xff\xff\xfe\xff", "\xac\x20"} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	c := make(map[string]*sqlite.Conn)
	for _, encoding := range []string{"UTF-16le", "UTF-16be"} {
		raw, err := sqlite.OpenConn(":memory:", sqlite.OpenReadWrite)
		if err != nil {
			f.Fatal(err)
		}
		defer raw.Close()
		execScript(f, raw, "PRAGMA encoding='"+encoding+"'; CREATE TABLE t(v)")
		c[encoding] = raw
	}
	f.Fuzz(func(t *testing.T, b []byte, little bool) {
		encoding := "UTF-16be"
		if little {
			encoding = "UTF-16le"
		}
		order := orderOf(encoding)
		text, err := decodeUTF16(nil, b, order)
		if err != nil {
			return
		}
		if n := lenUTF8(b, order); n != len(text) {
			t.Errorf("%x: length %d, want %d", b, n, len(text))
		}
		if back := encodeUTF16(nil, text, order); !bytes.Equal(back, b) {
			t.Errorf("%x: encoded again it is %x", b, back)
		}
		raw := &conn{Conn: c[encoding], utf16: order}
		var arg any = string(text)
		if raw.altered(text) {
			arg = storedBytes(b)
		}
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		must(raw.exec("DELETE FROM t"))
		must(raw.exec("INSERT INTO t VALUES("+parameter(1, arg)+")", arg))
		var back []byte
		kind := ""
		must(raw.query("SELECT CAST(v AS BLOB), typeof(v) FROM t", func(st *sqlite.Stmt) error {
			back, kind = bytes.Clone(blob(st, 0, new([]byte))), st.ColumnText(1)
			return nil
		}))
		if kind != "text" || !bytes.Equal(back, b) {
			t.Errorf("%x: SQLite stores %s %x", b, kind, back)
		}
	})
}
