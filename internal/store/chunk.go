package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// A chunk is kept as long as a record, a side value or an entry of the log needs it:
// each of those is an owner, and has a reference for each of its chunks. The last
// reference takes the chunk with it, in the same batch.

// heldChunks are those put outside a batch and not referenced yet: who put them is about
// to, so they are not dropped by another owner's end.
type heldChunks struct {
	mu  sync.Mutex
	set map[causal.Hash]struct{}
}

func (h *heldChunks) add(hash causal.Hash) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.set == nil {
		h.set = make(map[causal.Hash]struct{})
	}
	h.set[hash] = struct{}{}
}

func (h *heldChunks) remove(hash causal.Hash) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.set, hash)
}

func (h *heldChunks) clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.set = nil
}

func (h *heldChunks) has(hash causal.Hash) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.set[hash]
	return ok
}

// PutChunk keeps a chunk of a large value before the batch that refers to it, so that
// values pass in bounded memory. data must be what hash names ([record.ErrHash]). It is
// written at most once, however often it is put, and stays until the last of its owners
// goes or, if it gets none, until [Store.Sweep] or the next Open. It is durable when the
// batch that refers to it is.
func (s *Store) PutChunk(hash causal.Hash, data []byte) error {
	if err := checkChunk(hash, data); err != nil {
		return err
	}
	if err := s.enterToWrite(); err != nil {
		return err
	}
	defer s.users.Done()
	// While this slot is taken no batch decides which chunks go.
	if err := s.take(s.publish); err != nil {
		return err
	}
	defer s.publish.leave()
	s.held.add(hash)
	there, err := has(s.db, hashKey(nil, spaceSize, hash))
	if there || err != nil {
		return err
	}
	p := s.db.NewBatch()
	if err := setChunk(p, hash, data); err != nil {
		return err
	}
	if err := s.apply(p, false); err != nil {
		return fmt.Errorf("put chunk: %w", err)
	}
	return p.Close()
}

func checkChunk(hash causal.Hash, data []byte) error {
	if len(data) == 0 || len(data) > record.ChunkSize || sha256.Sum256(data) != hash {
		return fmt.Errorf("chunk %x of %d bytes: %w", hash[:8], len(data), record.ErrHash)
	}
	return nil
}

func setChunk(p *pebble.Batch, hash causal.Hash, data []byte) error {
	if err := p.Set(hashKey(nil, spaceChunk, hash), data, nil); err != nil {
		return fmt.Errorf("put chunk: %w", err)
	}
	if err := p.Set(hashKey(nil, spaceSize, hash), binary.AppendUvarint(nil, uint64(len(data))), nil); err != nil {
		return fmt.Errorf("put chunk: %w", err)
	}
	return nil
}

func deleteChunk(p *pebble.Batch, hash causal.Hash) error {
	if err := p.Delete(hashKey(nil, spaceChunk, hash), nil); err != nil {
		return err
	}
	return p.Delete(hashKey(nil, spaceSize, hash), nil)
}

// Sweep drops the chunks that nobody refers to, also those that were put and wait for
// their batch: it is called when no commit is being staged. Open does it.
func (s *Store) Sweep() error {
	if s.readOnly {
		return ErrReadOnly
	}
	if err := s.takeWriter(); err != nil {
		return err
	}
	defer s.writer.leave()
	if err := s.take(s.publish); err != nil {
		return err
	}
	defer s.publish.leave()
	p := s.db.NewBatch()
	err := scan(s.db, []byte{spaceSize}, func(k, _ []byte) error {
		if len(k) != 1+hashSize {
			return corrupt("key of a chunk")
		}
		hash := causal.Hash(k[1:])
		owned, err := hasPrefix(s.db, hashKey(nil, spaceReference, hash))
		if owned || err != nil {
			return err
		}
		return deleteChunk(p, hash)
	})
	if err != nil {
		return fmt.Errorf("sweep chunks: %w", err)
	}
	s.held.clear()
	if p.Empty() {
		return p.Close()
	}
	if err := s.apply(p, false); err != nil {
		return fmt.Errorf("sweep chunks: %w", err)
	}
	return p.Close()
}

// Chunk adds a chunk to the batch; see [Store.PutChunk], which takes less memory.
func (b *Batch) Chunk(hash causal.Hash, data []byte) error {
	if b.err != nil {
		return b.err
	}
	if err := checkChunk(hash, data); err != nil {
		return err
	}
	if b.chunks.put[hash] {
		return nil
	}
	there, err := has(b.s.db, hashKey(nil, spaceSize, hash))
	if err != nil {
		return err
	}
	if !there {
		if err := setChunk(b.p, hash, data); err != nil {
			return b.fail(err)
		}
	}
	b.chunks.put[hash] = true
	return nil
}

// chunkLedger is what a batch changes about who needs which chunk.
type chunkLedger struct {
	b      *Batch
	put    map[causal.Hash]bool
	owners map[string][]causal.Hash        // of those touched: what they need now
	refs   map[causal.Hash]map[string]bool // whether an owner that was touched needs it
	large  map[uint64]bool                 // trees that get their first owner
}

func (l *chunkLedger) begin(b *Batch) {
	*l = chunkLedger{
		b: b, put: make(map[causal.Hash]bool), owners: make(map[string][]causal.Hash),
		refs: make(map[causal.Hash]map[string]bool), large: make(map[uint64]bool),
	}
}

// holdRow makes the row's chunks those of the versions.
func (l *chunkLedger) holdRow(tree uint64, k record.Key, vs []record.Version) error {
	hashes, err := chunksOfAll(vs)
	if err != nil {
		return err
	}
	if len(hashes) == 0 && !l.b.s.large[tree] && !l.large[tree] {
		return nil // there never was anything to let go
	}
	if len(hashes) > 0 && !l.b.s.large[tree] && !l.large[tree] {
		l.large[tree] = true
		if err := l.b.p.Set(treeKey(nil, spaceLarge, tree), nil, nil); err != nil {
			return err
		}
	}
	return l.own(rowOwner(nil, tree, k), hashes)
}

// own makes the owner's chunks the given ones, which are sorted, each once.
func (l *chunkLedger) own(owner []byte, hashes []causal.Hash) error {
	old, ok := l.owners[string(owner)]
	key := ownerKey(nil, owner)
	if !ok {
		b, err := get(l.b.s.db, key)
		if err != nil {
			return err
		}
		if b != nil {
			if old, err = decodeHashes(b); err != nil {
				return err
			}
		}
	}
	if len(old) == 0 && len(hashes) == 0 {
		return nil
	}
	p := l.b.p
	for _, h := range old {
		if _, kept := slices.BinarySearchFunc(hashes, h, compareHash); !kept {
			if err := p.Delete(referenceKey(nil, h, owner), nil); err != nil {
				return err
			}
			l.note(h, owner, false)
		}
	}
	for _, h := range hashes {
		if _, had := slices.BinarySearchFunc(old, h, compareHash); !had {
			if err := p.Set(referenceKey(nil, h, owner), nil, nil); err != nil {
				return err
			}
		}
		l.note(h, owner, true)
	}
	l.owners[string(owner)] = hashes
	if len(hashes) == 0 {
		return p.Delete(key, nil)
	}
	return p.Set(key, appendHashes(nil, hashes), nil)
}

func (l *chunkLedger) note(h causal.Hash, owner []byte, needs bool) {
	if l.refs[h] == nil {
		l.refs[h] = make(map[string]bool)
	}
	l.refs[h][string(owner)] = needs
}

// dropTree ends the ownership of all rows of a tree.
func (l *chunkLedger) dropTree(tree uint64) error {
	if !l.b.s.large[tree] && !l.large[tree] {
		return nil
	}
	return l.dropOwners(rowOwner(nil, tree, nil), prefixEnd(rowOwner(nil, tree, nil)))
}

// dropOwners ends the ownership of all owners in a range.
func (l *chunkLedger) dropOwners(from, to []byte) error {
	var owners [][]byte
	err := scanRange(l.b.s.db, ownerKey(nil, from), ownerKey(nil, to), func(k, _ []byte) error {
		owners = append(owners, bytes.Clone(k[1:]))
		return nil
	})
	if err != nil {
		return err
	}
	for owner := range l.owners {
		if owner >= string(from) && owner < string(to) {
			owners = append(owners, []byte(owner))
		}
	}
	for _, owner := range owners {
		if err := l.own(owner, nil); err != nil {
			return err
		}
	}
	return nil
}

// settle drops the chunks whose last owner has gone, and sees that no owner lacks one.
func (l *chunkLedger) settle() error {
	for h, owners := range l.refs {
		needed := false
		for _, needs := range owners {
			needed = needed || needs
		}
		if !needed {
			var err error
			if needed, err = l.neededElsewhere(h, owners); err != nil {
				return err
			}
			if !needed && !l.put[h] && !l.b.s.held.has(h) {
				if err := deleteChunk(l.b.p, h); err != nil {
					return err
				}
			}
			continue
		}
		if l.put[h] {
			continue
		}
		there, err := has(l.b.s.db, hashKey(nil, spaceSize, h))
		if err != nil {
			return err
		}
		if !there {
			return fmt.Errorf("commit: chunk %x: %w", h[:8], ErrNoChunk)
		}
	}
	return nil
}

// neededElsewhere reports whether an owner that the batch does not touch needs the chunk.
func (l *chunkLedger) neededElsewhere(h causal.Hash, touched map[string]bool) (needed bool, err error) {
	prefix := hashKey(nil, spaceReference, h)
	err = scan(l.b.s.db, prefix, func(k, _ []byte) error {
		_, ok := touched[string(k[len(prefix):])]
		needed = needed || !ok
		return nil
	})
	return needed, err
}

// committed takes note that the batch is written.
func (l *chunkLedger) committed() {
	s := l.b.s
	for tree := range l.large {
		s.large[tree] = true
	}
	for h := range l.put {
		if _, ok := l.refs[h]; !ok {
			s.held.add(h)
		}
	}
	for h, owners := range l.refs {
		for _, needs := range owners {
			if needs {
				s.held.remove(h)
				break
			}
		}
	}
}

// largeMark is the tag by which every large value begins (docs/format/records.md). An
// image without these bytes has none, which is nearly always and quickly found.
var largeMark = []byte{0xda, 0x53, 0x59, 0x4c, 0x02}

// chunksOf appends the chunks of an image's large values.
func chunksOf(hashes []causal.Hash, im record.Image) ([]causal.Hash, error) {
	if !bytes.Contains(im, largeMark) {
		return hashes, nil
	}
	err := im.EachChunk(func(h causal.Hash) { hashes = append(hashes, h) })
	return hashes, err
}

// chunksOfAll returns the chunks of the versions' images, sorted, each once.
func chunksOfAll(vs []record.Version) (hashes []causal.Hash, err error) {
	for i := range vs {
		if hashes, err = chunksOf(hashes, vs[i].Image); err != nil {
			return nil, fmt.Errorf("chunks of %v: %w", vs[i].Dot, err)
		}
	}
	slices.SortFunc(hashes, compareHash)
	return slices.Compact(hashes), nil
}

func compareHash(a, b causal.Hash) int { return bytes.Compare(a[:], b[:]) }
