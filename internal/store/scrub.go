package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// Scrub reads everything that is in the store and calls found with each thing that is not
// as it was written: entries that do not follow each other, commits that do not follow
// their origin's, segments that are not their commit's, records and chunks that do not
// read, references without a chunk. It goes on after each, unless found returns an error,
// which it returns; its own are those of ctx and of a store that cannot be read. It works
// on a view, beside everything else.
func (s *Store) Scrub(ctx context.Context, found func(problem error) error) error {
	v := s.View()
	defer v.Close() //nolint:errcheck // always nil
	if err := v.usable(); err != nil {
		return err
	}
	sc := scrub{ctx: ctx, v: v, found: found, heads: make(map[causal.Origin]causal.Head)}
	for _, part := range []func() error{sc.log, sc.rows, sc.siblings, sc.chunks, sc.references} {
		if err := sc.problem(part()); err != nil {
			return fmt.Errorf("scrub: %w", err)
		}
	}
	return nil
}

type scrub struct {
	ctx   context.Context
	v     *View
	found func(error) error
	heads map[causal.Origin]causal.Head // of the commits read so far
	vs    []record.Version
}

// problem hands an error on to found if it is damage, and returns what ends the scrub.
func (sc *scrub) problem(err error) error {
	if err == nil || errors.Is(err, errEnough) {
		return err
	}
	if errors.Is(err, ErrCorrupt) || errors.Is(err, ErrNoChunk) {
		if err := sc.found(err); err != nil {
			return fmt.Errorf("%w: %w", errEnough, err)
		}
		return nil
	}
	return err
}

// errEnough marks what ends a scrub although it wraps a problem that was handed on.
var errEnough = errors.New("stopped")

// log checks the chain of the log. Of an entry that does not read, nothing tells where
// the next one begins a chain, so the log is given up there.
func (sc *scrub) log() error {
	entries := sc.v.Log(sc.v.Floor())
	defer entries.Close() //nolint:errcheck // always nil
	for entries.Next() {
		if err := sc.ctx.Err(); err != nil {
			return err
		}
		if err := sc.problem(sc.entry(entries)); err != nil {
			return err
		}
	}
	if err := entries.Err(); err != nil {
		return err
	}
	for _, h := range sc.heads {
		if have := sc.v.vector.Get(h.Origin); have != h {
			if err := sc.problem(corrupt("log ends with %v, the vector says %v", h.Dot(), have.Dot())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (sc *scrub) entry(entries *Entries) error {
	e := entries.Entry()
	what := fmt.Sprintf("entry %d", entries.Offset())
	switch e.Kind {
	case record.EntryAdvance, record.EntrySkip:
		for _, h := range e.To {
			sc.heads[h.Origin] = h
		}
		return nil
	case record.EntryCommit:
	default:
		return nil
	}
	h, err := record.DecodeHeader(e.Header)
	if err != nil {
		return readError(what, err)
	}
	before, met := sc.heads[h.Dot.Origin]
	sc.heads[h.Dot.Origin] = causal.Head{Origin: h.Dot.Origin, Seq: h.Dot.Seq, Hash: e.Hash}
	if met && (h.Dot.Seq != before.Seq+1 || h.Prev != before.Hash) {
		if err := sc.problem(corrupt("%s: commit %v does not follow %v", what, h.Dot, before.Dot())); err != nil {
			return err
		}
	}
	return readError(what, record.VerifyCommit(&h, e.Hash, entries.Segments()))
}

// rows checks that records decode, whole; what is in side tables only their owners know.
func (sc *scrub) rows() error {
	return scan(sc.v.snap, []byte{spaceRow}, func(k, b []byte) error {
		if err := sc.ctx.Err(); err != nil {
			return err
		}
		if len(k) <= treeKeySize {
			return corrupt("key of a row")
		}
		name, ok := sc.v.s.trees.at(uint64(binary.BigEndian.Uint32(k[1:])))
		if !ok {
			return sc.problem(corrupt("row of no table"))
		}
		if name.side {
			return nil
		}
		return sc.problem(readError("record of "+name.table, sc.record(record.Key(k[treeKeySize:]), b)))
	})
}

func (sc *scrub) record(k record.Key, b []byte) (err error) {
	if err := k.Check(); err != nil {
		return err
	}
	if sc.vs, err = record.DecodeVersions(b, sc.v.s.dict, sc.vs); err != nil {
		return err
	}
	for i := range sc.vs {
		if i > 0 && sc.vs[i-1].Dot.Compare(sc.vs[i].Dot) >= 0 {
			return corrupt("versions out of order")
		}
		if !sc.v.vector.Covers(sc.vs[i].Dot) {
			return corrupt("version %v is of no known commit", sc.vs[i].Dot)
		}
		if sc.vs[i].Flags&record.Bury == 0 {
			if err := sc.vs[i].Image.Check(); err != nil {
				return err
			}
		}
	}
	if len(sc.vs) == 0 {
		return corrupt("no versions")
	}
	return nil
}

// siblings checks the index against the records it names.
func (sc *scrub) siblings() error {
	return sc.v.Siblings(func(table string, k record.Key) error {
		vs, err := sc.v.Get(table, k, sc.vs)
		if err == nil && len(vs) < 2 {
			err = corrupt("%d versions of a record of %s that has siblings", len(vs), table)
		}
		return sc.problem(err)
	})
}

func (sc *scrub) chunks() error {
	return scan(sc.v.snap, []byte{spaceSize}, func(k, _ []byte) error {
		if err := sc.ctx.Err(); err != nil {
			return err
		}
		_, err := sc.v.Chunk(causal.Hash(k[1:]))
		return sc.problem(err)
	})
}

func (sc *scrub) references() error {
	return scan(sc.v.snap, []byte{spaceOwner}, func(k, b []byte) error {
		hashes, err := decodeHashes(b)
		for _, h := range hashes {
			there, err := has(sc.v.snap, hashKey(nil, spaceSize, h))
			if err == nil && !there {
				err = corrupt("chunk %x is needed and not there", h[:8])
			}
			if err == nil {
				if there, err = has(sc.v.snap, referenceKey(nil, h, k[1:])); err == nil && !there {
					err = corrupt("reference to chunk %x is missing", h[:8])
				}
			}
			if err := sc.problem(err); err != nil {
				return err
			}
		}
		return sc.problem(err)
	})
}
