package sqlite

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/syncline-io/syncline/endpoint"
	"zombiezen.com/go/sqlite"
)

// How a database can be read depends on what is beside it:
//
//	rollback journal mode         read-only
//	  with a hot journal          read-only cannot roll it back: recover, or fail
//	WAL, with -wal and -shm       read-only; the -shm read-only too where asked for
//	WAL, with -wal but no -shm    read-only would create and leave the -shm: recover, or fail
//	WAL, nobody has it open       read-only would create and leave both: see below
//
// A WAL database without a -wal file is complete in its main file. It can be opened for
// writing, which removes the files again in the end; or, where no file may be created, be
// read without locks as long as the main file does not change. That is checked whenever
// something read is handed out. A program that opens the database and writes goes to a
// new -wal first, so a change is rare; it fails with [endpoint.ErrChanged].
//
// Recovering is what every SQLite program does on opening. It is done only where
// Options.ReadOnly does not forbid it.
type mode uint8

const (
	rollback  mode = iota
	walOpen        // -wal and -shm are there
	walOrphan      // -wal alone
	walClosed      // neither
)

// openRead opens a connection that only reads, and begins its transaction. A quiet one
// creates no file even for a moment unless the database needs to be recovered.
func (d *Database) openRead(ctx context.Context, quiet bool) (*conn, error) {
	there, err := d.exists()
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, d.errAbsent()
	}
	if err := d.refuseNetwork(); err != nil {
		return nil, err
	}
	// Where no -wal can be created, reading without locks is all there is.
	quiet = quiet || d.o.ReadOnly || writable(filepath.Dir(d.path)) != nil
	c, err := d.beginRead(ctx, func() (*conn, error) { return d.connectRead(ctx, quiet) })
	if err != nil && !d.o.ReadOnly && needsRecovery(err) {
		return d.beginRead(ctx, func() (*conn, error) { return d.connectRecover(ctx) })
	}
	return c, err
}

// errOrphan reports a write-ahead log that cannot be read without creating its index.
var errOrphan = errors.New("has a write-ahead log without its -shm file")

// errUnsettled reports a WAL database that nobody has open, and that may still change
// without a trace.
var errUnsettled = errors.New("was written to just now")

func needsRecovery(err error) bool {
	if errors.Is(err, errOrphan) || errors.Is(err, errUnsettled) {
		return true
	}
	switch sqlite.ErrCode(err) {
	case sqlite.ResultReadOnlyRollback, sqlite.ResultReadOnlyRecovery, sqlite.ResultReadOnlyCantInit:
		return true
	}
	return false
}

func (d *Database) beginRead(ctx context.Context, connect func() (*conn, error)) (*conn, error) {
	for {
		c, err := connect()
		if err != nil {
			return nil, err
		}
		err = c.beginView()
		if err == nil {
			return c, nil
		}
		c.close()
		if !errors.Is(err, endpoint.ErrChanged) {
			return nil, c.fail("open", err)
		}
		// Somebody opened the database between our look at it and the first read.
	}
}

// beginView starts a read transaction.
func (c *conn) beginView() error {
	err := c.busy(func() error {
		if err := c.exec("BEGIN"); err != nil {
			return err
		}
		err := c.query("SELECT 1 FROM sqlite_schema LIMIT 1", nil)
		if err != nil {
			_ = c.exec("ROLLBACK") // what made the read fail is what there is to say
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := c.begun(); err != nil {
		return err
	}
	return c.unchanged()
}

// unchanged fails with ErrChanged if the connection reads without locks and the file is
// not what it was.
func (c *conn) unchanged() error {
	if c.frozen == nil {
		return nil
	}
	now, err := statFile(c.d.path)
	if err != nil || now != *c.frozen {
		return fmt.Errorf("%s: %w", c.d.name, endpoint.ErrChanged)
	}
	return nil
}

// connectRecover opens the database as a writer would, to recover it and then only read.
func (d *Database) connectRecover(ctx context.Context) (*conn, error) {
	c, err := d.connect(ctx, d.path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, err
	}
	if err := c.setup("PRAGMA query_only=ON"); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (d *Database) connectRead(ctx context.Context, quiet bool) (*conn, error) {
	m, err := d.mode(ctx)
	if err != nil {
		return nil, err
	}
	switch m {
	case walOpen:
		if d.o.ReadOnly {
			return d.connect(ctx, d.uri("readonly_shm=1"), sqlite.OpenReadOnly|sqlite.OpenURI)
		}
		// A read-only -shm would be shared with, and break, a Tx of this process.
		return d.connect(ctx, d.path, sqlite.OpenReadOnly)
	case walOrphan:
		_, hint := d.explain(sqlite.ResultReadOnlyRecovery)
		return nil, d.failure("open", endpoint.Unreachable, hint, errOrphan)
	case walClosed:
		if !quiet {
			return d.connectRecover(ctx)
		}
		frozen, ok, err := settled(ctx, d.path)
		if err != nil {
			return nil, d.fail("open", err)
		}
		if !ok {
			// The clock is too coarse, or somebody is writing, to notice every change.
			return nil, d.failure("open", endpoint.Unreachable, "try again in a few seconds", errUnsettled)
		}
		c, err := d.connect(ctx, d.uri("immutable=1"), sqlite.OpenReadOnly|sqlite.OpenURI)
		if err != nil {
			return nil, err
		}
		c.frozen = &frozen
		if m, err := d.mode(ctx); err != nil || m != walClosed {
			c.close()
			if err == nil {
				return d.connectRead(ctx, quiet)
			}
			return nil, err
		}
		return c, nil
	default:
		return d.connect(ctx, d.path, sqlite.OpenReadOnly)
	}
}

// mode finds out how the database can be read.
func (d *Database) mode(ctx context.Context) (mode, error) {
	wal, err := sizeOf(d.path + "-wal")
	if err != nil {
		return 0, d.fail("open", err)
	}
	shm, err := sizeOf(d.path + "-shm")
	if err != nil {
		return 0, d.fail("open", err)
	}
	switch {
	case wal > 0 && shm >= 0:
		return walOpen, nil
	case wal > 0:
		return walOrphan, nil
	}
	// Only SQLite may open the file to look at its header. A connection without locks
	// cannot use a write-ahead log, and says so.
	c, err := d.connect(ctx, d.uri("nolock=1"), sqlite.OpenReadOnly|sqlite.OpenURI)
	if err != nil {
		return 0, err
	}
	defer c.close()
	err = c.query("SELECT 1 FROM sqlite_schema LIMIT 1", nil)
	if sqlite.ErrCode(err).ToPrimary() != sqlite.ResultCantOpen {
		return rollback, nil // errors are for the connection that reads to meet
	}
	if wal == 0 && shm >= 0 {
		return walOpen, nil
	}
	return walClosed, nil
}

// sizeOf returns the size of a file, or -1 if there is none.
func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// uri is the database's path in the form that takes parameters.
func (d *Database) uri(query string) string {
	path := filepath.ToSlash(d.path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a Windows drive
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: query}
	return u.String()
}
