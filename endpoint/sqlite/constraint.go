package sqlite

import (
	"errors"
	"fmt"
	"strings"

	"github.com/syncline-io/syncline/endpoint"
	"zombiezen.com/go/sqlite"
)

// refusal returns the ConstraintError for an error that a rule of the database caused, or
// nil for every other.
func refusal(table string, err error) *endpoint.ConstraintError {
	var known *endpoint.ConstraintError
	if errors.As(err, &known) {
		return known
	}
	code := sqlite.ErrCode(err)
	if code.ToPrimary() != sqlite.ResultConstraint {
		return nil
	}
	kind := endpoint.OtherConstraint
	switch code {
	case sqlite.ResultConstraintUnique, sqlite.ResultConstraintPrimaryKey, sqlite.ResultConstraintRowID:
		kind = endpoint.Unique
	case sqlite.ResultConstraintNotNull:
		kind = endpoint.NotNull
	case sqlite.ResultConstraintCheck:
		kind = endpoint.Check
	case sqlite.ResultConstraintForeignKey:
		kind = endpoint.Reference
	}
	return &endpoint.ConstraintError{Kind: kind, Table: table, Detail: words(err, code)}
}

// words returns what SQLite itself says, without what was put around it on the way.
func words(err error, code sqlite.ResultCode) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return strings.TrimPrefix(err.Error(), code.Message()+": ")
		}
		err = inner
	}
}

// refuse makes a ConstraintError of our own.
func refuse(p *plan, format string, args ...any) error {
	return &endpoint.ConstraintError{
		Kind: endpoint.OtherConstraint, Table: p.table.Name,
		Detail: fmt.Sprintf("table %s: ", p.table.Name) + fmt.Sprintf(format, args...),
	}
}

// guard runs f inside a savepoint, if asked to, and undoes all of it when f fails for a
// rule of the database.
func (w *writer) guard(f func() error, savepoint bool) error {
	if !savepoint {
		return w.refused(f())
	}
	if err := w.t.c.run("SAVEPOINT _syncline_row", nil); err != nil {
		return err
	}
	err := w.refused(f())
	if err != nil {
		if w.t.c.AutocommitEnabled() {
			return err
		}
		if undo := w.t.c.run("ROLLBACK TO _syncline_row", nil); undo != nil {
			return undo // not a ConstraintError: only Rollback is left
		}
	}
	if release := w.t.c.run("RELEASE _syncline_row", nil); release != nil {
		return release
	}
	return err
}

// refused makes a ConstraintError of what a rule of the database caused, and sees to it
// that the end of the whole transaction is not taken for one.
func (w *writer) refused(err error) error {
	if err == nil {
		return nil
	}
	c := refusal(w.p.table.Name, err)
	switch {
	case c == nil:
		return err
	case w.t.c.AutocommitEnabled():
		return w.t.c.d.failure("write "+w.p.table.Name, endpoint.Refused,
			fmt.Sprintf("change the trigger on table %s to RAISE(ABORT) instead of RAISE(ROLLBACK)", w.p.table.Name),
			fmt.Errorf("%w: %s", errAborted, c.Detail))
	}
	return c
}
