package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/syncline-io/syncline/endpoint"
	"zombiezen.com/go/sqlite"
)

// Options say how a database is opened. The zero value is good.
type Options struct {
	// Timeout is how long locks of other programs are waited for. Default 10 s.
	Timeout time.Duration
	// Keys names the key columns of tables that have no primary key, by table. The
	// columns must hold no null and be unique together; that is verified.
	Keys map[string][]string
	// ReadOnly promises that nothing is written: neither to the database nor beside it.
	// Begin fails then. Without it, a database that a crashed program left behind is
	// recovered when it is read, as every SQLite program does, and the -wal and -shm
	// files of a WAL database may come and go.
	ReadOnly bool
}

const defaultTimeout = 10 * time.Second

// Database is one SQLite database. See [endpoint.Endpoint].
type Database struct {
	name string // as the user wrote it
	path string // canonical
	o    Options
}

// Open returns the database at path, which may have the prefix sqlite: or file:. It
// touches nothing on disk, and the database need not exist.
func Open(path string, o Options) (*Database, error) {
	d := &Database{name: path, o: o}
	if d.o.Timeout <= 0 {
		d.o.Timeout = defaultTimeout
	}
	path, err := location(path)
	if err == nil && (path == "" || path == ":memory:" || strings.IndexByte(path, 0) >= 0) {
		err = errors.New("not the path of a database file")
	}
	if err != nil {
		return nil, d.failure("open", endpoint.Incompatible, "name a file", err)
	}
	if d.path, err = canonical(path); err != nil {
		return nil, d.fail("open", err)
	}
	return d, nil
}

// Name is the path as it was given to [Open].
func (d *Database) Name() string { return d.name }

// Path is the canonical path of the file.
func (d *Database) Path() string { return d.path }

// Close does nothing: every connection belongs to a Snapshot or Tx.
func (d *Database) Close() error { return nil }

// location takes the forms of a path apart that other programs for SQLite know: sqlite: and
// file: in front of it, the latter with escapes, as in a URI.
func location(path string) (string, error) {
	path = strings.TrimPrefix(path, "sqlite:")
	uri, ok := strings.CutPrefix(path, "file:")
	if !ok {
		return path, nil
	}
	if strings.ContainsAny(uri, "?#") {
		return "", errors.New("parameters after the path are not supported")
	}
	if rest, ok := strings.CutPrefix(uri, "//"); ok {
		uri = strings.TrimPrefix(rest, "localhost")
		if !strings.HasPrefix(uri, "/") {
			return "", errors.New("the file is on another machine")
		}
	}
	uri, err := url.PathUnescape(uri)
	if err != nil {
		return "", err
	}
	if drive := strings.TrimPrefix(uri, "/"); filepath.VolumeName(drive) != "" {
		uri = drive // /C:/a.db
	}
	return filepath.FromSlash(uri), nil
}

// canonical resolves the links of the longest part of path that exists.
func canonical(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	rest := ""
	for head := path; ; {
		real, err := filepath.EvalSymlinks(head)
		if err == nil {
			return filepath.Join(real, rest), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		parent := filepath.Dir(head)
		if parent == head {
			return path, nil
		}
		rest = filepath.Join(filepath.Base(head), rest)
		head = parent
	}
}

// exists reports whether the file is there, and is a file. Both a directory in its place
// and a missing directory on the way are errors.
func (d *Database) exists() (bool, error) {
	info, err := os.Stat(d.path)
	switch {
	case err == nil && info.IsDir():
		return false, d.failure("open", endpoint.Incompatible, "name the database file inside it", errors.New("is a directory"))
	case err == nil && !info.Mode().IsRegular():
		return false, d.failure("open", endpoint.Incompatible, "name a file", errors.New("is not a regular file"))
	case err == nil:
		return true, nil
	case !errors.Is(err, fs.ErrNotExist):
		return false, d.fail("open", err)
	}
	dir := filepath.Dir(d.path)
	if _, err := os.Stat(dir); err != nil {
		return false, d.failure("open", endpoint.NotExist, fmt.Sprintf("create the directory %s first", dir), err)
	}
	return false, nil
}

// errAbsent is what opening for reading says of a database that does not exist.
func (d *Database) errAbsent() error {
	return d.failure("open", endpoint.NotExist, "check the path", fs.ErrNotExist)
}

// openWrite opens a connection for one Tx, creating the file if it does not exist.
func (d *Database) openWrite(ctx context.Context) (*conn, error) {
	if d.o.ReadOnly {
		return nil, d.failure("open", endpoint.Permission, "", errors.New("opened for reading only"))
	}
	if _, err := d.exists(); err != nil {
		return nil, err
	}
	if err := d.refuseNetwork(); err != nil {
		return nil, err
	}
	c, err := d.connect(ctx, d.path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		return nil, err
	}
	// EXTRA also syncs the directory after the journal is gone: without that, a power
	// loss could bring the journal back and roll back a commit we have reported.
	err = c.setup("PRAGMA synchronous=EXTRA", "PRAGMA temp_store=MEMORY", "PRAGMA cache_size=-32000")
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// connect opens a connection that is interrupted when ctx ends. It reads nothing yet.
func (d *Database) connect(ctx context.Context, path string, flags sqlite.OpenFlags) (*conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sc, err := sqlite.OpenConn(path, flags)
	if err != nil {
		return nil, d.fail("open", err)
	}
	c := &conn{Conn: sc, d: d, ctx: ctx}
	sc.SetBusyTimeout(0)
	sc.SetInterrupt(ctx.Done())
	if err := sc.SetDefensive(true); err != nil {
		c.close()
		return nil, d.fail("open", err)
	}
	// The rules of the database are checked by Violates, not by cascades that would be
	// effects nobody asked for.
	if err := c.setup("PRAGMA foreign_keys=OFF", "PRAGMA recursive_triggers=OFF", "PRAGMA mmap_size=0"); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}
