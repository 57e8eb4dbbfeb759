package syncline_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/syncline-io/syncline/endpoint"
	sqliteend "github.com/syncline-io/syncline/endpoint/sqlite"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// place is a directory with databases, and one for the state beside them.
type place struct {
	t     testing.TB
	dir   string
	state string
	// patience is how long an endpoint waits for a lock; 0 is five seconds.
	patience time.Duration
}

func newPlace(t testing.TB) *place {
	t.Helper()
	base := t.TempDir()
	p := &place{t: t, dir: filepath.Join(base, "data"), state: filepath.Join(base, "state")}
	if err := os.Mkdir(p.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *place) path(name string) string { return filepath.Join(p.dir, name) }

// exec runs SQL in a database, as a program of the user's would.
func (p *place) exec(name, sql string) {
	p.t.Helper()
	if err := p.try(name, sql); err != nil {
		p.t.Fatalf("%s: %v", name, err)
	}
}

func (p *place) try(name, sql string) error {
	c, err := sqlite.OpenConn(p.path(name), sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetBusyTimeout(5 * time.Second)
	return sqlitex.ExecuteScript(c, sql, nil)
}

// lock takes the lock of a writer, as a program of the user's might, until release is called.
func (p *place) lock(name string) (release func()) {
	p.t.Helper()
	c, err := sqlite.OpenConn(p.path(name), sqlite.OpenReadWrite)
	if err == nil {
		c.SetBusyTimeout(5 * time.Second)
		err = sqlitex.ExecuteTransient(c, "BEGIN EXCLUSIVE", nil)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return func() {
		if err := c.Close(); err != nil {
			p.t.Error(err)
		}
	}
}

// wal makes a database keep a write-ahead log.
func (p *place) wal(name string) {
	p.t.Helper()
	c, err := sqlite.OpenConn(p.path(name), sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.Close()
	if err := sqlitex.ExecuteTransient(c, "PRAGMA journal_mode=WAL", nil); err != nil {
		p.t.Fatal(err)
	}
}

// query returns the rows of a query, one a line, with the storage class of each value.
func (p *place) query(name, sql string) string {
	p.t.Helper()
	c, err := sqlite.OpenConn(p.path(name), sqlite.OpenReadOnly)
	if err != nil {
		p.t.Fatal(err)
	}
	defer c.Close()
	c.SetBusyTimeout(time.Minute) // a large apply holds its lock for a while
	var lines []string
	err = sqlitex.ExecuteTransient(c, sql, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		var cells []string
		for i := range s.ColumnCount() {
			switch s.ColumnType(i) {
			case sqlite.TypeNull:
				cells = append(cells, "NULL")
			case sqlite.TypeBlob:
				b := make([]byte, s.ColumnLen(i))
				s.ColumnBytes(i, b)
				cells = append(cells, fmt.Sprintf("x'%x'", b))
			case sqlite.TypeText:
				cells = append(cells, fmt.Sprintf("%q", s.ColumnText(i)))
			default:
				cells = append(cells, s.ColumnText(i))
			}
		}
		lines = append(lines, strings.Join(cells, " "))
		return nil
	}})
	if err != nil {
		p.t.Fatalf("%s: %s: %v", name, sql, err)
	}
	return strings.Join(lines, "\n")
}

// open returns the database as an endpoint.
func (p *place) open(name string) endpoint.Endpoint {
	p.t.Helper()
	d, err := sqliteend.Open(p.path(name), sqliteend.Options{Timeout: cmp.Or(p.patience, 5*time.Second)})
	if err != nil {
		p.t.Fatal(err)
	}
	return d
}

// absent fails when there is something at path.
func (p *place) absent(path string) {
	p.t.Helper()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		p.t.Errorf("%s is there: %v", path, err)
	}
}

// clockThat is the time of day, and calls f with the number of the call.
func clockThat(f func(n int)) func() time.Time {
	var n atomic.Int64
	return func() time.Time {
		f(int(n.Add(1)))
		return time.Now()
	}
}
