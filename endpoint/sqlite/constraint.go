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
