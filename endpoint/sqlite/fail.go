package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/syncline-io/syncline/endpoint"
	"zombiezen.com/go/sqlite"
)

// failure returns an error of the database.
func (d *Database) failure(op string, f endpoint.Family, hint string, err error) error {
	return &endpoint.Error{Family: f, Op: op, Name: d.name, Hint: hint, Err: err}
}

// fail gives an error of SQLite or of the file system its family, and a hint what to do.
// Errors that have one, the contract's own errors and the end of a context pass as they are.
func (d *Database) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *endpoint.Error
	var constraint *endpoint.ConstraintError
	switch {
	case errors.As(err, &known), errors.As(err, &constraint),
		errors.Is(err, endpoint.ErrChanged), errors.Is(err, endpoint.ErrCapture), errors.Is(err, endpoint.ErrProgress),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	code := sqlite.ErrCode(err)
	if code == sqlite.ResultError {
		if f, hint, ok := d.system(err); ok {
			return d.failure(op, f, hint, err)
		}
	}
	f, hint := d.explain(code)
	if code.ToPrimary() == sqlite.ResultInterrupt {
		err = fmt.Errorf("%w: %w", context.Canceled, err)
	}
	return d.failure(op, f, hint, err)
}

// system explains an error of the file system.
func (d *Database) system(err error) (endpoint.Family, string, bool) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return endpoint.NotExist, "check the path", true
	case errors.Is(err, fs.ErrPermission):
		return endpoint.Permission, "check who may read and write " + d.path + " and its directory", true
	case errors.Is(err, syscall.ENOTDIR):
		return endpoint.NotExist, "check the path: a part of it is a file", true
	case errors.Is(err, syscall.ENOSPC):
		return endpoint.Unreachable, "free some space on its disk", true
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return endpoint.Unreachable, "check the disk", true
	}
	return 0, "", false
}

// explain says what a result code asks a person to do.
func (d *Database) explain(code sqlite.ResultCode) (endpoint.Family, string) {
	switch code {
	case sqlite.ResultReadOnlyRollback, sqlite.ResultReadOnlyRecovery, sqlite.ResultReadOnlyCantInit:
		return endpoint.Unreachable, "a program that crashed left it in the middle of a write; open it once with a program that may write, such as: sqlite3 " + d.path + " .tables"
	case sqlite.ResultBusyRecovery:
		return endpoint.Unreachable, "another program is recovering it; try again"
	case sqlite.ResultErrorMissingCollSeq:
		return endpoint.Incompatible, "a collation that only the program that made the database has cannot be used"
	case sqlite.ResultIOErrAuth, sqlite.ResultIOErrAccess:
		return endpoint.Permission, "check who may read and write " + d.path + " and its directory"
	}
	switch code.ToPrimary() {
	case sqlite.ResultBusy, sqlite.ResultLocked, sqlite.ResultProtocol:
		return endpoint.Unreachable, fmt.Sprintf("another program has locked it for more than %v; close that program, or wait longer with --timeout", d.o.Timeout)
	case sqlite.ResultFull:
		return endpoint.Unreachable, "free some space on its disk"
	case sqlite.ResultIOErr, sqlite.ResultNoLFS:
		return endpoint.Unreachable, "check the disk"
	case sqlite.ResultReadOnly, sqlite.ResultPerm, sqlite.ResultAuth:
		return endpoint.Permission, "check who may write to " + d.path + " and its directory"
	case sqlite.ResultCantOpen:
		if _, err := os.Stat(d.path); err != nil {
			if f, hint, ok := d.system(err); ok {
				return f, hint
			}
		}
		return endpoint.Permission, "check who may read and write " + d.path + " and its directory"
	case sqlite.ResultNotADB:
		return endpoint.Incompatible, "it is not an SQLite database, or it is encrypted"
	case sqlite.ResultCorrupt, sqlite.ResultFormat:
		return endpoint.Corrupt, "restore it from a backup, or rescue what can be read: sqlite3 " + d.path + " .recover"
	case sqlite.ResultTooBig:
		return endpoint.Incompatible, "a value is larger than SQLite's limit of 1,000,000,000 bytes"
	}
	return endpoint.Failed, ""
}

// isBusy reports whether somebody else's lock is the reason.
func isBusy(err error) bool {
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultBusy, sqlite.ResultProtocol:
		return true
	}
	return false
}
