package store

import (
	"encoding/binary"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// head is what changes with every batch: how many there were, and the bounds of the log.
type head struct {
	log     LogID
	batches uint64
	floor   Offset // of the first entry that is still there
	end     Offset // of the next entry
}

func (h head) append(b []byte) []byte {
	b = append(b, h.log[:]...)
	b = binary.AppendUvarint(b, h.batches)
	b = binary.AppendUvarint(b, uint64(h.floor))
	return binary.AppendUvarint(b, uint64(h.end))
}

func decodeHead(b []byte) (h head, err error) {
	r := reader{b: b}
	copy(h.log[:], r.fixed(len(h.log)))
	h.batches = r.uvarint()
	h.floor, h.end = Offset(r.uvarint()), Offset(r.uvarint())
	if !r.end() || h.floor > h.end {
		return head{}, corrupt("head")
	}
	return h, nil
}

// originHead is the head of one origin in the vector, and where in the log its commit is.
type originHead struct {
	seq  uint64
	hash causal.Hash
	at   Offset // valid if in
	in   bool   // the commit came through this log; it may be truncated since
}

func (h originHead) append(b []byte) []byte {
	b = binary.AppendUvarint(b, h.seq)
	b = append(b, h.hash[:]...)
	if !h.in {
		return binary.AppendUvarint(b, 0)
	}
	return binary.AppendUvarint(b, uint64(h.at)+1)
}

func decodeOriginHead(b []byte) (h originHead, err error) {
	r := reader{b: b}
	h.seq = r.uvarint()
	copy(h.hash[:], r.fixed(hashSize))
	if at := r.uvarint(); at > 0 {
		h.at, h.in = Offset(at-1), true
	}
	if !r.end() || h.seq == 0 {
		return originHead{}, corrupt("head of an origin")
	}
	return h, nil
}

func appendShape(b []byte, s *record.Shape) []byte {
	b = appendText(b, s.Table)
	for _, f := range s.Fields {
		b = appendText(b, f)
	}
	return b
}

func decodeShape(b []byte) (*record.Shape, error) {
	r := reader{b: b}
	table := r.text()
	var fields []string
	for len(r.b) > 0 && !r.failed {
		fields = append(fields, r.text())
	}
	if !r.end() {
		return nil, corrupt("shape")
	}
	return &record.Shape{Table: table, Fields: fields}, nil
}

// treeName names a tree: rows in the order of their keys.
type treeName struct {
	side         bool
	space, table string // space is empty for records
}

func (t treeName) append(b []byte) []byte {
	if !t.side {
		return appendText(append(b, 0), t.table)
	}
	return appendText(appendText(append(b, 1), t.space), t.table)
}

func decodeTreeName(b []byte) (t treeName, err error) {
	r := reader{b: b}
	switch kind := r.fixed(1); {
	case kind == nil || kind[0] > 1:
		r.failed = true
	case kind[0] == 1:
		t.side, t.space = true, r.text()
	}
	t.table = r.text()
	if !r.end() {
		return treeName{}, corrupt("name of a tree")
	}
	return t, nil
}

func appendHashes(b []byte, hs []causal.Hash) []byte {
	for _, h := range hs {
		b = append(b, h[:]...)
	}
	return b
}

// decodeHashes reads a list that is sorted, each hash once, and not empty.
func decodeHashes(b []byte) ([]causal.Hash, error) {
	if len(b) == 0 || len(b)%hashSize != 0 {
		return nil, corrupt("chunks of an owner")
	}
	hs := make([]causal.Hash, 0, len(b)/hashSize)
	for ; len(b) > 0; b = b[hashSize:] {
		h := causal.Hash(b[:hashSize])
		if len(hs) > 0 && compareHash(hs[len(hs)-1], h) >= 0 {
			return nil, corrupt("chunks of an owner out of order")
		}
		hs = append(hs, h)
	}
	return hs, nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// reader reads values of fixed and counted parts. What is read after the first failure
// is zero.
type reader struct {
	b      []byte
	failed bool
}

// end reports whether all was read, and nothing failed.
func (r *reader) end() bool { return !r.failed && len(r.b) == 0 }

func (r *reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.b)
	if r.failed || size <= 0 || (size > 1 && r.b[size-1] == 0) { // shortest form only
		r.failed = true
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) fixed(n int) []byte {
	if r.failed || len(r.b) < n {
		r.failed = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.failed = true
		return ""
	}
	return string(r.fixed(int(n)))
}
