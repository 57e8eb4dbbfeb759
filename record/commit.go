package record

import "github.com/syncline-io/syncline/causal"

// Op is what a change does to its record.
type Op uint8

// The operations. Bury is a delete that stays visible as a version without image.
const (
	OpPut Op = iota
	OpDelete
	OpBury
)

// Change is one record's part of a commit: the versions named in Context go, and on put
// and bury the version comes. A commit holds at most one change per record.
type Change struct {
	Op      Op
	Key     Key
	Context []causal.Dot // sorted
	// Version is what a put or bury adds. Dot and Stamp are the commit's. For a delete
	// only Shape is set: it names the table.
	Version Version
}

// Header is the head of a commit; its SHA-256 names the commit's content for ever.
type Header struct {
	Dataset Dataset
	Epoch   uint64
	Dot     causal.Dot
	Prev    causal.Hash // hash of the origin's previous commit; zero for seq 1
	Stamp   causal.Stamp
	Deps    []causal.Dot // per origin the highest dot this commit depends on; sorted
	Meta    []byte       // CBOR map, free for the writer; nil for none
	Origins []causal.Origin
	Root    causal.Hash // hash tree over the segments
	Changes uint64      // in all segments
}

// Dataset names a dataset in one of its incarnations.
type Dataset [16]byte

// SegmentSize bounds a segment's encoded bytes. A change is never split: one change is
// at most SegmentSize minus 64 KiB, because larger values are chunks.
const SegmentSize = 1 << 20
