package record

import (
	"errors"

	"github.com/syncline-io/syncline/causal"
)

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
	Context []causal.Dot // sorted, no dot twice
	// Version is what a put or bury adds. Dot and Stamp are the commit's, and the Bury
	// flag is the Op's. Shape names the table, in a bury and a delete too. Of a delete
	// nothing else counts but the flags Derived and Loose.
	Version Version
}

// Header is the head of a commit; its SHA-256 names the commit's content for ever.
type Header struct {
	Dataset Dataset
	Epoch   uint64
	Dot     causal.Dot
	Prev    causal.Hash // hash of the origin's previous commit; zero exactly for seq 1
	Stamp   causal.Stamp
	// Deps holds, per origin but the commit's own, the highest dot this commit depends
	// on; sorted. On its own origin a commit depends on the seq before.
	Deps     []causal.Dot
	Meta     []byte      // CBOR map, free for the writer; nil for none, at most MaxMeta bytes
	Root     causal.Hash // hash tree over the segments
	Segments uint64
	Changes  uint64 // in all segments
}

// Dataset names a dataset in one of its incarnations.
type Dataset [16]byte

// SegmentSize bounds a segment's encoded bytes. A change is never split: one change is
// at most SegmentSize minus 64 KiB, because an image that would make it longer is chunks.
const SegmentSize = 1 << 20

// MaxMeta bounds the bytes of a header's Meta.
const MaxMeta = 1 << 16

// maxChange bounds the encoded bytes of a change.
const maxChange = SegmentSize - 1<<16

var (
	// ErrChange reports a change that cannot be part of the commit.
	ErrChange = errors.New("not a change of this commit")
	// ErrTooLarge reports what does not fit its bound even with its image in chunks.
	ErrTooLarge = errors.New("too large for a segment")
	// ErrFormat reports a format that this version of the program does not know.
	ErrFormat = errors.New("unknown format")
	// ErrHash reports bytes that are not those their hash names.
	ErrHash = errors.New("hash does not match")
)
