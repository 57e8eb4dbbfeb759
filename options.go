package syncline

import (
	"context"
	"log/slog"
	"time"

	"github.com/syncline-io/syncline/merge"
)

// Options says how [Sync] works. The zero Options copy one way, from the first database
// to the second, without deleting anything, and write only what needs no consent.
type Options struct {
	// StateDir is the directory that holds the state of all pairs, one directory each.
	// Required.
	StateDir string
	// TwoWay lets both databases' edits cross. Otherwise the second follows the first.
	TwoWay bool
	// Delete sends deletions: one way, rows that only the target has; two ways, also the
	// deletions that earlier one-way runs left unsent.
	Delete bool
	// Watch keeps the pair in step until the context ends. It installs triggers that
	// capture changes in every database whose edits count.
	Watch bool
	// DryRun makes the plan and stops. Nothing is written anywhere.
	DryRun bool
	// Yes stands for the person's consent to deletions, overwrites and new tables. It lifts
	// no guard.
	Yes bool
	// MaxDelete is the greatest share of a table's rows, 0 to 1, that one run may delete in
	// either database once the table has 100 rows; 0 is the default of 0.1.
	MaxDelete float64
	// AllowEmptySource lifts the guard against a table whose rows are all gone at one side.
	AllowEmptySource bool
	// OnConflict is what becomes of two edits of one field in two-way runs; nil is keep,
	// which leaves both rows as they are and lists them. Edits of different fields of a row
	// are no conflict. A priority names its sites by what [SiteNode] returns.
	OnConflict *merge.Rule
	// Rules are the rules of tables by their names, whatever their ASCII case, each whole
	// and instead of OnConflict: a table for which only some fields are meant repeats in
	// Rule what is to become of the others.
	Rules map[string]merge.Table
	// Tables limits the run to the tables that match one of these patterns (path.Match,
	// without regard to ASCII case), Exclude takes some out; empty means all.
	Tables, Exclude []string
	// Confirm is asked with the plan when it deletes, overwrites or creates something and
	// Yes is not set; nil refuses ([ErrUnconfirmed]). Plan, when not nil, is shown every plan.
	Confirm func(context.Context, *Plan) (bool, error)
	Plan    func(*Plan)
	// Progress, when not nil, is called about ten times a second while something goes on,
	// from one goroutine at a time.
	Progress func(Progress)
	// Round, when not nil, is called by Watch after everything that changed something: the
	// run it begins with, and then each round.
	Round func(*Report)
	// Logger gets what an operator may want to know; nil discards it.
	Logger *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// DefaultMaxDelete and MaxDeleteFrom are the default guard against mass deletion: a share
// of a table's rows, and from how many rows on it counts.
const (
	DefaultMaxDelete = 0.10
	MaxDeleteFrom    = 100
)

// Phase is what a run is doing.
type Phase string

// The phases of a run, in order.
const (
	PhaseCompare Phase = "compare" // reading both sides to see what differs
	PhaseCopy    Phase = "copy"    // the first copy into an empty table
	PhaseCapture Phase = "capture" // writing down what changed
	PhaseApply   Phase = "apply"
	PhaseWatch   Phase = "watch" // waiting for changes
)

// Progress is where a run stands.
type Progress struct {
	Phase Phase
	Table string // "" when it concerns no single table
	Side  string // name of the database written to or read, or ""
	// Done and Total count rows of the table in this phase; Total is 0 when not known.
	Done, Total int64
	Bytes       int64 // of row content in this phase so far
	Elapsed     time.Duration
}
