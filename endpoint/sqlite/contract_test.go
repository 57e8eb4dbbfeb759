package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/endpoint/endpointtest"
	"github.com/syncline-io/syncline/endpoint/sqlite"
	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// TestContract runs the suite of all endpoints, on databases of each kind that a user's
// program may have made.
func TestContract(t *testing.T) {
	for _, kind := range []struct {
		name    string
		pragmas []string
	}{
		{"not there", nil},
		{"rollback journal", []string{"PRAGMA journal_mode = DELETE"}},
		{"wal", []string{"PRAGMA journal_mode = WAL"}},
		{"utf16", []string{"PRAGMA encoding = 'UTF-16le'"}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			endpointtest.Run(t, endpointtest.System{
				Open: func(t testing.TB) endpoint.Endpoint {
					path := filepath.Join(t.TempDir(), "a.db")
					if kind.pragmas != nil {
						user(t, path, append(kind.pragmas, "CREATE TABLE t(a)", "DROP TABLE t")...)
					}
					return open(t, path)
				},
				User: func(t testing.TB, e endpoint.Endpoint, statements ...string) {
					t.Helper()
					user(t, e.(*sqlite.Database).Path(), statements...)
				},
			})
		})
	}
}

func open(t testing.TB, path string) *sqlite.Database {
	t.Helper()
	d, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// user runs statements as a program of the user's: on a connection of its own with the
// defaults of SQLite.
func user(t testing.TB, path string, statements ...string) {
	t.Helper()
	c, err := zombie.OpenConn(path, zombie.OpenReadWrite|zombie.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, sql := range statements {
		if err := sqlitex.ExecuteTransient(c, sql, nil); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}
