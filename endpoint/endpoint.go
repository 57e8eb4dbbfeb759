// Package endpoint is the contract between Syncline and an outside system that holds
// rows: what a database must be able to say, read and write so that it can be kept in
// step. One subpackage implements it per system; endpointtest.Run holds each of them to
// it.
//
// Rows travel as images: the values of a table's columns in the order of the table's
// shape, exactly as the database stores them. Keys are memcomparable and ordered like
// [record.Key]; every scan and every lookup uses that one order. Images and keys that a
// method hands out alias the implementation's memory and are valid until the next call
// on the same Rows, Snapshot or Tx.
package endpoint

import (
	"context"
	"time"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// Endpoint is one database. Its methods may be called from several goroutines; the
// Snapshots and Txs it returns may not. Errors are *[Error] wherever a person can do
// something about them.
type Endpoint interface {
	// Name is how the user names the database: a path, a URL without its password.
	Name() string
	// Inspect says what is there without writing anything, not even a temporary file
	// beside the database. A database that does not exist is no error.
	Inspect(ctx context.Context) (Inspection, error)
	// Schema describes the tables. A database that does not exist has none.
	Schema(ctx context.Context) (*Schema, error)
	// Snapshot pins one consistent read-only view. With sliced, the view may be given
	// up so that writers need not wait; a read that finds the data changed since then
	// fails with [ErrChanged]. Systems whose readers never block writers ignore sliced.
	Snapshot(ctx context.Context, sliced bool) (Snapshot, error)
	// Begin starts a write transaction, creating the database if it does not exist. It
	// waits for locks as long as the endpoint was told to.
	Begin(ctx context.Context, b Begin) (Tx, error)
	// Objects names what [Tx.Capture] creates inside the database for t, for showing it
	// to people beforehand.
	Objects(t *Table) []string
	// Watch returns a channel that receives soon after the data may have changed,
	// whoever changed it; signals may be spurious and are merged. The channel is closed
	// when ctx ends.
	Watch(ctx context.Context) (<-chan struct{}, error)
	// Close releases everything. Snapshots and Txs must be closed before.
	Close() error
}

// Pair names two databases that are kept in step with each other: a random id.
type Pair [16]byte

// Cursor is a position in the log that capture writes inside the database: everything
// up to it has been read. It is 0 before the first entry.
type Cursor int64

// Mark says on whose behalf a captured write was made; the zero Mark is a user's.
type Mark struct {
	Pair  Pair
	Apply uint64
}

// Progress is how far a pair's applies have come at one database. The nonce is drawn
// anew for every apply, so that two histories that count the same are told apart.
type Progress struct {
	Apply uint64
	Nonce uint64
}

// Binding is a pair's row inside a database.
type Binding struct {
	Pair Pair
	Progress
	Cursor    Cursor // log entries up to here are not needed by this pair any more
	Capturing bool   // the pair needs the capture log
}

// Inspection is what there is to know about a database before reading rows.
type Inspection struct {
	Exists  bool
	Empty   bool   // no tables of the user's
	Path    string // canonical location: equal for two spellings of one database
	FileID  string // identity of the file or server behind the location
	Marker  [16]byte
	Counter uint64    // raised by every apply of any pair; 0 without a marker
	Bound   []Binding // sorted by pair
	// ReadOnly says why nothing can be written, or is empty.
	ReadOnly string
	Size     int64 // bytes, 0 when not known
	// Fingerprint changes whenever the content may have changed; nil says that no such
	// cheap answer can be relied on.
	Fingerprint []byte
	Modified    time.Time // of the last write; zero when not known
	Encoding    string    // text encoding, "" when not known
	Mode        string    // for people: journal mode
}

// Binding returns the binding of a pair.
func (i *Inspection) Binding(p Pair) (Binding, bool) {
	for _, b := range i.Bound {
		if b.Pair == p {
			return b, true
		}
	}
	return Binding{}, false
}

// ChunkSink takes the chunks of a large value; data is valid until it returns.
type ChunkSink = func(hash causal.Hash, data []byte) error

// ChunkSource returns the chunk of a hash; the result is valid until the next call.
type ChunkSource = func(hash causal.Hash) ([]byte, error)

// Snapshot is one read-only view of a database.
type Snapshot interface {
	// Schema is that of the view.
	Schema() *Schema
	// Fingerprint is [Inspection.Fingerprint] of exactly this view, or nil.
	Fingerprint() []byte
	// Scan yields the rows of t with after < key, in ascending order of key; a nil
	// after starts at the first. Chunks of large values go to chunks, which may be nil.
	Scan(t *Table, after record.Key, chunks ChunkSink) (Rows, error)
	// Get returns one row.
	Get(t *Table, k record.Key, chunks ChunkSink) (record.Image, bool, error)
	// Count returns the number of rows of t.
	Count(t *Table) (int64, error)
	// Cursor is the end of the capture log in this view.
	Cursor() (Cursor, error)
	// Changes calls f for each entry of the capture log after from, oldest first. It
	// fails with [ErrCapture] when the log cannot have kept all of them: it is not
	// there, or ends before from.
	Changes(from Cursor, f func(table string, k record.Key, m Mark) error) error
	// Violates reports the foreign key that the row with this image breaks in the view,
	// or "".
	Violates(t *Table, im record.Image) (string, error)
	Close() error
}

// Rows is a running scan.
type Rows interface {
	// Next steps to the next row. It returns false at the end and after an error.
	Next() bool
	Key() record.Key
	Image() record.Image
	Err() error
	Close() error
}

// Begin says what a write transaction is for.
type Begin struct {
	Pair Pair
	// From is what the pair's row must say, else Begin fails with [ErrProgress] and
	// nothing is written; the zero Progress means that there is no row yet. To is what
	// the first statement makes of it. When both are equal the row is left alone: for
	// installing and removing capture.
	From, To Progress
	// Marker is the database's identity if it has none yet.
	Marker [16]byte
	// Encoding is the text encoding to create a database with; "" is the default.
	Encoding string
	// Effects asks for [Tx.Effects]. It costs a second write per row in databases whose
	// tables have triggers of the user's.
	Effects bool
}

// Tx is one write transaction. After a [ConstraintError] it is as if the failed call had
// not been made; after any other error only Rollback is allowed.
type Tx interface {
	// Marker is the database's identity.
	Marker() [16]byte
	// Schema is that of the transaction, [Tx.Exec] included.
	Schema() (*Schema, error)
	Cursor() (Cursor, error)
	Changes(from Cursor, f func(table string, k record.Key, m Mark) error) error
	Get(t *Table, k record.Key, chunks ChunkSink) (record.Image, bool, error)
	Insert(t *Table, im record.Image, chunks ChunkSource) error
	// Update makes the row that is old into the one that is new, under the same key,
	// writing only the columns that differ.
	Update(t *Table, k record.Key, from, to record.Image, chunks ChunkSource) error
	Delete(t *Table, k record.Key) error
	// Violates reports the foreign key that is broken by the row having gone from one
	// image to the other (nil: no row): one of its own that finds no parent, or one of
	// another row that has lost it. Foreign keys are not enforced meanwhile.
	Violates(t *Table, from, to record.Image) (string, error)
	// Exec runs statements of another database's DDL.
	Exec(ddl string) error
	// Effects calls f once for each row that was written so far, be it by the caller or
	// by triggers of the user's, in tables that are synced.
	Effects(f func(t *Table, k record.Key) error) error
	// Capture installs, or brings up to date, the capture of all writes to the tables on
	// behalf of the pair. Release ends the pair's capture; what no pair needs any more is
	// removed. Forget removes every trace of the pair.
	Capture(tables []*Table) error
	Release() error
	Forget() error
	// Passed tells the database that the pair has read the log up to c.
	Passed(c Cursor) error
	// Before is [Inspection.Fingerprint] of the content that the transaction began with, or
	// nil. After is that of the content it left: nil before Commit, and when somebody else
	// may have written since.
	Before() []byte
	After() []byte
	Commit() error
	// Rollback ends the transaction without effect. It does nothing after Commit.
	Rollback() error
}
