package syncline

import (
	"time"

	"github.com/syncline-io/syncline/record"
)

// Report is what a run did.
type Report struct {
	Plan *Plan
	ToA  Effect
	ToB  Effect
	// Open, Parked and Pending count what is left: conflicts that nobody has decided, rows a
	// database would not take, deletions not sent. Resolved counts the conflicts that a rule
	// decided in this run.
	Open, Parked, Pending, Resolved int64
	Deviations                      int64 // rows a database's own triggers keep different
	BytesRead                       int64
	Elapsed                         time.Duration
	StateBytes                      int64
	// Settled reports that both databases hold the same rows as far as the run's direction
	// asks for it: nothing is open, parked or left over.
	Settled bool
}

// Conflict is a record with concurrent versions, or one that a database would not take.
type Conflict struct {
	Record string // as people write it: orders/7
	Table  string
	Key    record.Key
	Kind   ConflictKind
	Since  time.Time
	// Rule is the rule that decided, or "keep" while nobody has.
	Rule   string
	Reason string // of what is parked: the database's words
	At     string // of what is parked: the database that would not take it
	Fields []string
	// A and B are the two sides' values of the record, nil where it is deleted.
	A, B *Row
	// Result is what both sides get, nil while the conflict is open or for a deletion.
	Result *Row
}

// ConflictKind says what is wrong with a record.
type ConflictKind string

// The kinds of conflicts.
const (
	ConflictOpen     ConflictKind = "open"     // waits for a decision
	ConflictResolved ConflictKind = "resolved" // decided by a rule; can be decided otherwise
	ConflictParked   ConflictKind = "parked"   // a constraint of a database refuses it
)

// Row is one row's values by field, in the order of the table's shape.
type Row struct {
	Fields []string
	Values []record.Value
}

// Take says how a conflict is decided.
type Take string

// What can be taken: one side's row.
const (
	TakeA Take = "a"
	TakeB Take = "b"
)
