package syncline

import (
	"errors"
	"fmt"
)

// The families of errors a caller can tell apart with errors.Is. Errors of databases are
// *endpoint.Error.
var (
	ErrUsage       = errors.New("usage")                       // exit 2
	ErrGuard       = errors.New("refused by a safety guard")   // exit 6; always a *GuardError
	ErrUnconfirmed = fmt.Errorf("%w: not confirmed", ErrGuard) // exit 6
	ErrSchema      = errors.New("incompatible schema")         // exit 7; always a *SchemaError
	ErrNewerState  = errors.New("state of a newer version")    // exit 7
	ErrState       = errors.New("state is damaged")            // exit 8
	ErrBusy        = errors.New("another run has the pair")    // exit 9; always a *BusyError
)

// GuardError says which guard refused, and what would lift it.
type GuardError struct {
	Guard  string // one of the constants below
	Detail string
	Hint   string
	Plan   *Plan
}

// The guards: what keeps a run from destroying what nobody meant to lose.
const (
	GuardMaxDelete   = "max-delete"
	GuardEmptySource = "empty-source"
	GuardUnconfirmed = "unconfirmed"
)

func (e *GuardError) Error() string { return e.Detail }

// Unwrap makes it [ErrGuard], and [ErrUnconfirmed] where that is what was missing.
func (e *GuardError) Unwrap() error {
	if e.Guard == GuardUnconfirmed {
		return ErrUnconfirmed
	}
	return ErrGuard
}

// SchemaError lists what keeps two databases from holding the same rows.
type SchemaError struct {
	Differences []SchemaDifference
}

// SchemaDifference is one of them, with the statement that would remove it at a database.
type SchemaDifference struct{ Table, Detail, Fix string }

func (e *SchemaError) Error() string {
	if len(e.Differences) == 1 {
		return fmt.Sprintf("table %s: %s", e.Differences[0].Table, e.Differences[0].Detail)
	}
	return fmt.Sprintf("the schemas do not fit: %d differences", len(e.Differences))
}

// Unwrap makes it [ErrSchema].
func (e *SchemaError) Unwrap() error { return ErrSchema }

// BusyError names the process that has the pair.
type BusyError struct {
	PID  int // 0 when not known
	Path string
}

func (e *BusyError) Error() string {
	if e.PID == 0 {
		return "another syncline is working on this pair"
	}
	return fmt.Sprintf("another syncline (pid %d) is working on this pair", e.PID)
}

// Unwrap makes it [ErrBusy].
func (e *BusyError) Unwrap() error { return ErrBusy }

// usage returns an [ErrUsage] that says what is wrong with what was asked for.
func usage(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUsage, fmt.Sprintf(format, args...))
}
