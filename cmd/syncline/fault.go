package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/endpoint"
)

// The exit codes. docs/cli.md says what each means to a script.
const (
	exitOK           = 0
	exitNo           = 1 // ran fine, and the answer is no; or failed for a reason without a code
	exitUsage        = 2
	exitPartial      = 3 // some rows could not be read
	exitUnreachable  = 4
	exitPermission   = 5
	exitGuard        = 6
	exitIncompatible = 7
	exitCorrupt      = 8
	exitBusy         = 9
	exitInterrupted  = 130
)

// usageError is a command line that cannot be meant.
type usageError struct{ msg, hint string }

func (e *usageError) Error() string { return e.msg }

// refusedError is something the program will not do although it could.
type refusedError struct{ msg, hint string }

func (e *refusedError) Error() string { return e.msg }

// fault is an error as people and scripts see it.
type fault struct {
	exit    int
	code    string // stable, for scripts: "guard.max_delete"
	message string
	hint    string   // what to do; may be empty
	details []string // further lines
}

// describe says what an error is, by its family and never by its text.
func describe(err error) fault {
	f := fault{exit: exitNo, code: "failed", message: err.Error()}
	var (
		usage   *usageError
		refused *refusedError
		guard   *syncline.GuardError
		schema  *syncline.SchemaError
		ep      *endpoint.Error
		file    *fs.PathError
	)
	switch {
	case errors.As(err, &usage):
		f.exit, f.code, f.hint = exitUsage, "usage", usage.hint
	case errors.As(err, &refused):
		f.exit, f.code, f.hint = exitGuard, "refused", refused.hint
	case errors.As(err, &guard):
		f.exit, f.hint = exitGuard, guardHint(guard)
		f.code = "guard." + strings.ReplaceAll(guard.Guard, "-", "_")
	case errors.As(err, &schema):
		f.exit, f.code = exitIncompatible, "schema.incompatible"
		f.details = schemaDetails(schema)
	case errors.Is(err, context.Canceled):
		f.exit, f.code, f.message = exitInterrupted, "interrupted", "interrupted, nothing is half done"
	case errors.Is(err, syncline.ErrNoConflict):
		f.code, f.hint = "no_conflict", "syncline conflicts lists them"
	case errors.Is(err, syncline.ErrUsage):
		f.exit, f.code = exitUsage, "usage"
		f.message = strings.TrimPrefix(f.message, syncline.ErrUsage.Error()+": ")
	case errors.Is(err, syncline.ErrBusy):
		f.exit, f.code, f.hint = exitBusy, "busy", "wait for it to end, or stop it"
	case errors.Is(err, syncline.ErrNewerState):
		f.exit, f.code, f.hint = exitIncompatible, "state.newer", "use the newer syncline that wrote it, or another --state directory"
	case errors.Is(err, syncline.ErrState):
		f.exit, f.code, f.hint = exitCorrupt, "state.damaged", "move the pair's state directory away: the next run compares everything and guesses nothing"
	case errors.As(err, &ep):
		f.exit, f.code = family(ep.Family)
		f.hint = ep.Hint
	case errors.Is(err, fs.ErrPermission):
		f.exit, f.code, f.hint = exitPermission, "permission", "check who may read and write there"
	case errors.As(err, &file):
		f.exit, f.code, f.hint = exitUnreachable, "unreachable", "check the path and the disk"
	}
	return f
}

// guardHint says which flag lifts a guard; the library knows no flags.
func guardHint(e *syncline.GuardError) string {
	switch e.Guard {
	case syncline.GuardMaxDelete:
		return "raise --max-delete if that is meant, or check the order of the two databases; nothing was written"
	case syncline.GuardEmptySource:
		return "--allow-empty-source if that is meant; nothing was written"
	case syncline.GuardUnconfirmed:
		return "--yes agrees beforehand, --dry-run shows the plan; nothing was written"
	}
	return e.Hint
}

// family returns the exit code and the stable code of a family of database errors.
func family(f endpoint.Family) (exit int, code string) {
	switch f {
	case endpoint.NotExist:
		return exitUnreachable, "not_exist"
	case endpoint.Unreachable:
		return exitUnreachable, "unreachable"
	case endpoint.Permission:
		return exitPermission, "permission"
	case endpoint.Refused:
		return exitGuard, "refused"
	case endpoint.Incompatible:
		return exitIncompatible, "incompatible"
	case endpoint.Corrupt:
		return exitCorrupt, "corrupt"
	case endpoint.Failed:
	}
	return exitNo, "failed"
}

// schemaDetails lists what differs and the DDL that would remove it.
func schemaDetails(e *syncline.SchemaError) []string {
	var lines []string
	for _, d := range e.Differences {
		if len(e.Differences) > 1 {
			lines = append(lines, fmt.Sprintf("table %s: %s", safe(d.Table), safe(d.Detail)))
		}
		for line := range strings.Lines(d.Fix) {
			lines = append(lines, "    "+strings.TrimRight(line, "\n"))
		}
	}
	return lines
}

// line is the error as one line.
func (f *fault) line() string {
	if f.hint == "" {
		return f.message
	}
	return fmt.Sprintf("%s (%s)", f.message, f.hint)
}
