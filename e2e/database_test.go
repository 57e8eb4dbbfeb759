package e2e

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// database is a connection of the user's, as an application would have one.
type database struct {
	testing.TB
	path string
	conn *sqlite.Conn
}

// database opens a database file of the world, and creates it when there is none. The
// test's end closes it.
func (w *world) database(name string) *database {
	w.Helper()
	return open(w, w.path(name), sqlite.OpenReadWrite|sqlite.OpenCreate)
}

func open(t testing.TB, path string, flags sqlite.OpenFlags) *database {
	t.Helper()
	conn, err := sqlite.OpenConn(path, flags)
	if err != nil {
		t.Fatal(err)
	}
	d := &database{TB: t, path: path, conn: conn}
	t.Cleanup(d.close)
	conn.SetBusyTimeout(30 * time.Second)
	d.exec("PRAGMA foreign_keys = ON; PRAGMA synchronous = OFF")
	return d
}

// create makes a database of a script and closes it.
func (w *world) create(name, script string) {
	w.Helper()
	d := w.database(name)
	d.exec(script)
	d.close()
}

// edit runs a script on a database, one transaction a statement unless it says otherwise.
func (w *world) edit(name, script string) {
	w.Helper()
	w.create(name, script)
}

func (d *database) close() {
	if d.conn == nil {
		return
	}
	if err := d.conn.Close(); err != nil {
		d.Errorf("close %s: %v", d.path, err)
	}
	d.conn = nil
}

// exec runs statements.
func (d *database) exec(script string) {
	d.Helper()
	for script = strings.TrimSpace(script); script != ""; {
		stmt, rest, err := d.conn.PrepareTransient(script)
		if err != nil {
			d.Fatalf("%s: %s: %v", d.path, script, err)
		}
		if stmt == nil {
			return
		}
		for more := true; more && err == nil; {
			more, err = stmt.Step()
		}
		if err := errors.Join(err, stmt.Finalize()); err != nil {
			d.Fatalf("%s: %s: %v", d.path, script, err)
		}
		script = strings.TrimSpace(script[len(script)-rest:])
	}
}

// try runs one statement and reports whether the database took it.
func (d *database) try(query string, args ...any) error {
	return sqlitex.ExecuteTransient(d.conn, query, &sqlitex.ExecOptions{Args: args})
}

// do runs one statement with arguments.
func (d *database) do(query string, args ...any) {
	d.Helper()
	if err := d.try(query, args...); err != nil {
		d.Fatalf("%s: %s: %v", d.path, query, err)
	}
}

// text returns the one value of a query.
func (d *database) text(query string, args ...any) string {
	d.Helper()
	var v string
	n := 0
	err := sqlitex.ExecuteTransient(d.conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: func(s *sqlite.Stmt) error {
		n++
		v = s.ColumnText(0)
		return nil
	}})
	if err != nil || n > 1 {
		d.Fatalf("%s: %s: %d rows, %v", d.path, query, n, err)
	}
	return v
}

// value returns the one value of a query on a database of the world.
func (w *world) value(name, query string, args ...any) string {
	w.Helper()
	d := w.database(name)
	defer d.close()
	return d.text(query, args...)
}

// copyFile copies a file of the world, as a person would restore a backup.
func (w *world) copyFile(from, to string) {
	w.Helper()
	copyFile(w, w.path(from), w.path(to))
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
