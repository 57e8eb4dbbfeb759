package record

import (
	"errors"
	"fmt"

	"github.com/syncline-io/syncline/causal"
)

// EntryKind is what an [Entry] of a log says.
type EntryKind uint8

// The kinds of entries; docs/format/log.md says what each does to the state.
const (
	// EntryCommit is a commit: Header and Hash. Its segments lie beside the log.
	EntryCommit EntryKind = iota + 1
	// EntryImport is one record's versions taken over by a reconciliation: Table, Key and
	// Versions, sorted by dot.
	EntryImport
	// EntryAdvance ends a reconciliation: the vector moves From one To another.
	EntryAdvance
	// EntrySkip passes over commits without a change in scope: From and To, both with
	// only the origins it moves.
	EntrySkip
	// EntryFence stops Origin from writing under Epoch.
	EntryFence
	// EntryEpoch makes Origin the primary of Epoch.
	EntryEpoch
)

// Entry is one entry of a log. Which fields count is said by its Kind; the others are
// zero.
type Entry struct {
	Kind     EntryKind
	Hash     causal.Hash // of Header
	Header   []byte      // encoded, see [DecodeHeader]
	Table    string
	Key      Key
	Versions []Version
	From, To causal.Vector
	Origin   causal.Origin
	Epoch    uint64
}

// ErrEntry reports an entry of an unknown kind or with a field that its kind requires
// missing.
var ErrEntry = errors.New("not a log entry")

// AppendEntry appends the canonical encoding of an entry (docs/format/log.md). An entry
// that does not keep the rules of its kind is [ErrEntry], and b is returned as it was.
func AppendEntry(b []byte, e *Entry) ([]byte, error) {
	if err := e.check(); err != nil {
		return b, err
	}
	switch e.Kind {
	case EntryCommit:
		b = appendEntryHead(b, e.Kind, 2)
		b = appendBytes(b, e.Hash[:])
		b = appendBytes(b, e.Header)
	case EntryImport:
		b = appendEntryHead(b, e.Kind, 3)
		b = appendString(b, Text, []byte(e.Table))
		b = appendBytes(b, e.Key)
		b = appendHead(b, majorArray, uint64(len(e.Versions)))
		for i := range e.Versions {
			b = appendImported(b, &e.Versions[i])
		}
	case EntryAdvance, EntrySkip:
		b = appendEntryHead(b, e.Kind, 2)
		b = appendVector(b, e.From)
		b = appendVector(b, e.To)
	default:
		b = appendEntryHead(b, e.Kind, 2)
		b = appendOrigin(b, e.Origin)
		b = appendHead(b, majorUint, e.Epoch)
	}
	return b, nil
}

// check says which rule of its kind the entry breaks.
func (e *Entry) check() error {
	bad := func(what string) error { return fmt.Errorf("entry of kind %d: %s: %w", e.Kind, what, ErrEntry) }
	switch e.Kind {
	case EntryCommit:
		if HeaderHash(e.Header) != e.Hash {
			return bad("hash is not the header's")
		}
	case EntryImport:
		if len(e.Key) == 0 || e.Table == "" || len(e.Versions) == 0 {
			return bad("no record or no versions")
		}
		for i := range e.Versions {
			if i > 0 && e.Versions[i-1].Dot.Compare(e.Versions[i].Dot) >= 0 {
				return bad("versions out of order")
			}
			if what := e.Versions[i].importFault(e.Table); what != "" {
				return bad(what)
			}
		}
	case EntryAdvance, EntrySkip:
		if !e.To.Contains(e.From) {
			return bad("vector moves back")
		}
	case EntryFence, EntryEpoch:
		if e.Origin.IsZero() {
			return bad("no origin")
		}
	default:
		return bad("unknown kind")
	}
	return nil
}

// importFault says why v cannot be imported into the table; nothing when it can.
func (v *Version) importFault(table string) string {
	if v.Dot.Seq == 0 || v.Birth.Seq == 0 {
		return "version without a dot or birth"
	}
	for i := range v.Seen {
		if i > 0 && v.Seen[i-1].Origin.Compare(v.Seen[i].Origin) >= 0 {
			return "seen out of order"
		}
	}
	if v.Flags&Bury != 0 {
		return ""
	}
	if v.Shape == nil || v.Shape.Table != table {
		return "version of another table"
	}
	if v.Shape.check() != nil {
		return "shape out of order"
	}
	n := len(v.Shape.Fields)
	if have, err := v.Image.Len(); err != nil || have != n || (v.Fields != nil && len(v.Fields) != n) {
		return "image, fields and shape differ in length"
	}
	return ""
}

// DecodeEntry reads one whole entry. Header, Key and the images alias b. An entry of a
// kind that this version of the program does not know is [ErrFormat], other bytes that
// [AppendEntry] cannot have written are [ErrCorrupt].
func DecodeEntry(b []byte) (Entry, error) {
	r := cborReader{b: b}
	parts := r.array("entry")
	e := Entry{Kind: EntryKind(min(r.uint("entry kind"), 0xff))}
	want := 3
	switch e.Kind {
	case EntryCommit:
		e.Hash = r.hash("commit hash")
		e.Header = r.bytes("commit header")
	case EntryImport:
		want = 4
		e.Table = r.text("table")
		e.Key = Key(r.bytes("key"))
		for range r.array("versions") {
			e.Versions = append(e.Versions, r.imported(e.Table))
			if r.failed != "" {
				break
			}
		}
	case EntryAdvance, EntrySkip:
		e.From, e.To = r.vector("from"), r.vector("to")
	case EntryFence, EntryEpoch:
		e.Origin, e.Epoch = r.origin("origin"), r.uint("epoch")
	default:
		if r.failed == "" {
			return Entry{}, fmt.Errorf("entry of kind %d: %w", e.Kind, ErrFormat)
		}
	}
	if parts != want || len(r.b) > 0 {
		r.fail("length of entry")
	}
	if err := r.err(); err != nil {
		return Entry{}, err
	}
	if err := e.check(); err != nil {
		return Entry{}, fmt.Errorf("%w: %w", err, ErrCorrupt)
	}
	return e, nil
}

func appendEntryHead(b []byte, kind EntryKind, parts uint64) []byte {
	return appendHead(appendHead(b, majorArray, 1+parts), majorUint, uint64(kind))
}

func appendVector(b []byte, v causal.Vector) []byte { return appendBytes(b, v.Append(nil)) }

func (r *cborReader) vector(what string) causal.Vector {
	raw := r.bytes(what)
	if r.failed != "" {
		return nil
	}
	v, err := causal.VectorFromBytes(raw)
	if err != nil {
		r.fail(what)
		return nil
	}
	return v
}

func (r *cborReader) text(what string) string {
	s, rest, ok := readString(r.b, majorText)
	if !ok {
		r.fail(what)
		return ""
	}
	r.b = rest
	return string(s)
}
