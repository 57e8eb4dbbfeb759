package flow

import (
	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// Store is the durable state of one dataset, as far as flow needs it.
type Store interface {
	View() View
	Batch() Batch
	Dict() record.Dict
	// Stage takes the segments of a commit in the making.
	Stage(causal.Dot) Stage
	// PutChunk keeps a chunk. It may go again until a record, a side value or a commit of
	// the log refers to it and that is durable.
	PutChunk(causal.Hash, []byte) error
}

// View is a pinned, consistent view of the store. It is safe for concurrent use.
type View interface {
	// Get returns the live versions of a record, sorted by dot, and Side a side value; both
	// are the caller's.
	Get(table string, k record.Key) ([]record.Version, error)
	Records(table string, after record.Key) Records
	Siblings(f func(table string, k record.Key) error) error
	Tables() []string // that have or had records
	Side(space, table string, k record.Key) ([]byte, bool, error)
	Sides(space, table string, after record.Key) Sides
	Meta(name string) ([]byte, bool, error)
	Vector() causal.Vector
	Chunk(causal.Hash) ([]byte, error)
	Close() error
}

// Records is a running scan over a table's records in key order.
type Records interface {
	Next() bool
	Key() record.Key
	// Single returns the shape and image of a record with exactly one version that is no
	// bury.
	Single() (*record.Shape, record.Image, bool)
	// Versions returns the live versions, valid until Next.
	Versions() ([]record.Version, error)
	Err() error
	Close() error
}

// Sides is a running scan over a side table in key order.
type Sides interface {
	Next() bool
	Key() record.Key
	Value() ([]byte, error) // valid until Next
	Err() error
	Close() error
}

// Batch is a group of writes that become visible and durable together. There is one at a
// time: [Store.Batch] waits for the end of the one before.
type Batch interface {
	Append(e *record.Entry, segments Stage) error
	// Record replaces the live versions of a record, which were was in number.
	Record(table string, k record.Key, was int, live []record.Version) error
	// Side sets a side value; the chunks of the versions' images are kept as long as it
	// stands.
	Side(space, table string, k record.Key, value []byte, held []record.Version) error
	DeleteSide(space, table string, k record.Key) error
	ClearSide(space string) error
	SetMeta(name string, value []byte) error
	DeleteMeta(name string) error
	// TruncateLog forgets all entries appended so far.
	TruncateLog() error
	Len() int
	Commit(sync bool) error
	Close() error
}

// Stage takes the segments of one commit, in order.
type Stage interface {
	Segment(index int, segment []byte) error
	Abort() error
}
