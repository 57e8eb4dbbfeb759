package sqlite

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// hold is how long a writer may have to wait for a reader of a rollback journal.
const hold = 250 * time.Millisecond

// However large a table is, whatever is read of it, and however slow the caller is, a
// writer gets its lock soon. On a busy machine everybody waits, so the best of some rounds
// counts: a lock that is held too long is held too long in all of them.
func TestWritersHardlyWait(t *testing.T) {
	if testing.Short() {
		t.Skip("reads large tables")
	}
	for _, encoding := range []string{"UTF-8", "UTF-16le"} {
		path := makeRaw(t, "PRAGMA encoding='"+encoding+`'; BEGIN;
			CREATE TABLE plain(id INTEGER PRIMARY KEY, v); CREATE TABLE texts(k TEXT PRIMARY KEY, v) WITHOUT ROWID; CREATE TABLE rows(k TEXT PRIMARY KEY, v);
			INSERT INTO plain WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 400000) SELECT i - 200000, hex(i) FROM n;
			INSERT INTO texts SELECT printf('%08x', id * 7919 % 400009), v FROM plain; INSERT INTO rows SELECT k, v FROM texts; COMMIT`)
		d := openDatabase(t, path, Options{})
		for _, table := range []string{"plain", "texts", "rows"} {
			best := time.Hour
			for round := 0; round < 5 && best > hold; round++ {
				done, longest := make(chan struct{}), make(chan time.Duration)
				go lockAgainAndAgain(openRaw(t, path), done, longest)
				readSlowly(t, d, table)
				close(done)
				best = min(best, <-longest)
			}
			if best > hold {
				t.Errorf("%s, %s: a writer waited %v", encoding, table, best)
			}
		}
	}
}

func readSlowly(t *testing.T, d *Database, table string) {
	t.Helper()
	s := openSnapshot(t, d, true)
	defer s.Close()
	desc := s.Schema().Table(table)
	if n, err := s.Count(desc); n != 400000 || err != nil {
		t.Fatalf("%s: %d, %v", table, n, err)
	}
	rows, err := s.Scan(desc, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		if n++; n == 1000 {
			time.Sleep(2 * hold) // a slow caller holds no lock
		}
	}
	if n != 400000 || rows.Err() != nil {
		t.Fatalf("%s: %d rows, %v", table, n, rows.Err())
	}
}

// lockAgainAndAgain takes the lock of a writer until done, and says how long it took at
// most. It waits as programs do, with a timeout, and so keeps new readers out meanwhile.
func lockAgainAndAgain(c *sqlite.Conn, done <-chan struct{}, longest chan<- time.Duration) {
	defer c.Close()
	c.SetBusyTimeout(time.Minute)
	most := time.Duration(0)
	for {
		select {
		case <-done:
			longest <- most
			return
		case <-time.After(5 * time.Millisecond):
		}
		start := time.Now()
		if err := sqlitex.ExecuteTransient(c, "BEGIN EXCLUSIVE", nil); err != nil {
			panic(err)
		}
		most = max(most, time.Since(start))
		sqlitex.ExecuteTransient(c, "ROLLBACK", nil)
	}
}

func TestCount(t *testing.T) {
	path := makeRaw(t, `CREATE TABLE t(k INTEGER PRIMARY KEY); CREATE TABLE w(a, b, PRIMARY KEY(a, b)) WITHOUT ROWID; CREATE TABLE e(k INTEGER PRIMARY KEY); CREATE TABLE h(k PRIMARY KEY, rowid, oid, _rowid_);
		INSERT INTO t VALUES(-9223372036854775808), (-1), (0), (9223372036854775807); INSERT INTO w VALUES(1, 2), (1, 3); INSERT INTO h VALUES('a', 1, 1, 1);
		CREATE TABLE big(k INTEGER PRIMARY KEY); INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 400000) SELECT i FROM n;`)
	for _, sliced := range []bool{false, true} {
		s := openSnapshot(t, openDatabase(t, path, Options{}), sliced)
		for table, want := range map[string]int64{"t": 4, "w": 2, "e": 0, "h": 1, "big": 8 * countSlice} {
			if n, err := s.Count(s.Schema().Table(table)); n != want || err != nil {
				t.Errorf("%s sliced %v: %d, %v, want %d", table, sliced, n, err, want)
			}
		}
	}
}

// A view that is closed under a running scan leaves no lock behind.
func TestCloseEndsScans(t *testing.T) {
	path := makeRaw(t, "CREATE TABLE t(k INTEGER PRIMARY KEY); INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 100000) SELECT i FROM n;")
	s := openSnapshot(t, openDatabase(t, path, Options{}), false)
	table := s.Schema().Table("t")
	rows, err := s.Scan(table, nil, nil)
	if err != nil || !rows.Next() {
		t.Fatal(err, rows.Err())
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if rows.Next() {
		t.Error("a closed scan goes on")
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Scan(table, nil, nil); err == nil {
		t.Error("a closed view can be scanned")
	}
	if _, _, err := s.Get(table, record.Key{0x80}, nil); err == nil {
		t.Error("a closed view can be read")
	}
	other := openRaw(t, path)
	defer other.Close()
	other.SetBusyTimeout(0)
	runRaw(t, other, "DELETE FROM t")
}

// What a transaction says it left is what is found afterwards, if nobody came between.
func TestFingerprintsOfTransactions(t *testing.T) {
	for _, mode := range []string{"DELETE", "WAL"} {
		for _, open := range []bool{false, true} {
			path := makeRaw(t, "PRAGMA journal_mode="+mode+";"+traced)
			d := openDatabase(t, path, Options{})
			other := openRaw(t, path)
			defer other.Close()
			runRaw(t, other, "UPDATE t SET v = 7")
			if !open {
				other.Close()
			}
			var at endpoint.Progress
			for round := range uint64(3) {
				name := fmt.Sprintf("%s, open elsewhere %v, round %d", mode, open, round)
				in, err := d.Inspect(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				to := endpoint.Progress{Apply: round + 1, Nonce: 9}
				tx, err := d.Begin(context.Background(), endpoint.Begin{Pair: endpoint.Pair{1}, From: at, To: to, Marker: [16]byte{2}})
				if err != nil {
					t.Fatal(name, err)
				}
				at = to
				if string(tx.Before()) != string(in.Fingerprint) || tx.Before() == nil {
					t.Errorf("%s: it began with something else", name)
				}
				if err := tx.Commit(); err != nil {
					t.Fatal(name, err)
				}
				if in, err = d.Inspect(context.Background()); err != nil {
					t.Fatal(err)
				}
				if string(tx.After()) != string(in.Fingerprint) || tx.After() == nil {
					t.Errorf("%s: it left something else: %x, %x", name, tx.After(), in.Fingerprint)
				}
				if string(tx.After()) == string(tx.Before()) {
					t.Errorf("%s: nothing changed", name)
				}
			}
		}
	}
}
