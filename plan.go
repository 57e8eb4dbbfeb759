package syncline

// Plan is what a run will do, made before it writes anything.
type Plan struct {
	A, B   Database
	TwoWay bool
	// Known reports that the state remembers the last sync of both databases as they are. If
	// not, Unknown says why, for people, and nothing is guessed: rows that differ are
	// conflicts or overwrites, and no deletion is known.
	Known   bool
	Unknown string
	Tables  []TablePlan // sorted by name, the unchanged ones included
	// Creates lists the DDL run at the second database (or the first, two ways), in order.
	Creates []Creation
	// Skipped are things in a database that are not synced: views, triggers, virtual tables.
	Skipped []SkippedObject
	// Installs names the triggers and tables that Watch puts into the databases.
	Installs []Installation
	// StateBytes estimates how much the state will hold.
	StateBytes int64
	// Nothing reports that both databases are as the last run left them.
	Nothing bool
}

// Database says which database a side of the plan is.
type Database struct {
	Name    string
	Exists  bool // one that does not will be created
	Empty   bool // it has no tables
	Written bool // the run may write to it
	Size    int64
	Mode    string // journal mode, for people
}

// TablePlan is the part of a plan that concerns one table.
type TablePlan struct {
	Name      string
	ToA, ToB  Effect
	RowsA     int64 // rows there are now; -1 when nobody had to know
	RowsB     int64
	FirstCopy bool // the whole table is copied in batches; the counts are the source's rows
	Conflicts int64
	Open      int64 // conflicts that nobody has decided
	Pending   int64 // deletions that earlier one-way runs left unsent, and this one too
	Parked    int64 // rows that a database would not take last time
	EmptiedA  bool  // all rows the last sync knew are gone at this side
	EmptiedB  bool
}

// Effect counts what is written to one database.
type Effect struct {
	Inserts, Updates, Deletes int64
	// Overwrites are those of the updates and deletes, and inserts of rows deleted there, that
	// undo an edit made at this database since the last sync, or of which that is not known.
	Overwrites int64
	Bytes      int64 // of row content
}

// Creation is one statement to be run, and where.
type Creation struct{ Database, Table, SQL string }

// SkippedObject is something in a database that is not synced, and why.
type SkippedObject struct{ Database, Kind, Name, Reason string }

// Installation is an object that Watch creates inside a database.
type Installation struct{ Database, Name string }

// NeedsConsent reports whether the plan deletes, overwrites or creates something, which
// a person has to agree to. Tables created where there were none at all need no consent.
func (p *Plan) NeedsConsent() bool {
	for _, t := range p.Tables {
		for _, e := range []Effect{t.ToA, t.ToB} {
			if e.Deletes > 0 || e.Overwrites > 0 {
				return true
			}
		}
	}
	for _, c := range p.Creates {
		if (c.Database == p.A.Name && !p.A.Empty) || (c.Database == p.B.Name && !p.B.Empty) {
			return true
		}
	}
	return false
}

// covers reports whether whoever agreed to p has agreed to q as well: q, made of the same
// tables later, deletes and overwrites no more of any of them.
func (p *Plan) covers(q *Plan) bool {
	if len(p.Tables) != len(q.Tables) {
		return false
	}
	for i := range q.Tables {
		was, is := &p.Tables[i], &q.Tables[i]
		if is.Name != was.Name || !was.ToA.covers(is.ToA) || !was.ToB.covers(is.ToB) {
			return false
		}
	}
	return true
}

func (e Effect) covers(f Effect) bool {
	return f.Deletes <= e.Deletes && f.Overwrites <= e.Overwrites
}
