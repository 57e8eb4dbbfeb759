package endpoint

import (
	"errors"
	"fmt"
)

var (
	// ErrProgress reports that the pair's row in the database is not the expected one:
	// the database or the state is older than it was.
	ErrProgress = errors.New("the database is not where this pair left it")
	// ErrChanged reports that a sliced view could not be held.
	ErrChanged = errors.New("the data changed while it was read")
	// ErrCapture reports that the capture log does not reach back far enough.
	ErrCapture = errors.New("the capture log does not reach back far enough")
)

// Family groups errors by what a person has to do about them.
type Family uint8

// The families. The number after each is the exit code of the command.
const (
	Failed       Family = iota // 1: anything else
	NotExist                   // 4: no such database
	Unreachable                // 4: locked, disk full, I/O errors
	Permission                 // 5: not allowed to read or write
	Refused                    // 6: will not, unless told to: a network file system
	Incompatible               // 7: not a database, encrypted, a schema that does not fit
	Corrupt                    // 8: damaged
)

// Error is an error with a family and, where there is one, a hint what to do.
type Error struct {
	Family Family
	Op     string // what was being done: "open", "read orders"
	Name   string // of the endpoint
	Hint   string // one sentence, may be empty
	Err    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Name, e.Op, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Constraint is a kind of rule of the database that a write can break.
type Constraint uint8

// The kinds of constraints.
const (
	OtherConstraint Constraint = iota // raised by a trigger, a type of a strict table
	Unique
	NotNull
	Check
	Reference
)

// ConstraintError reports a write that the database's own rules refuse.
type ConstraintError struct {
	Kind   Constraint
	Table  string
	Detail string // the database's words: "UNIQUE constraint failed: orders.code"
}

func (e *ConstraintError) Error() string { return e.Detail }
