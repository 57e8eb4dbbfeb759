package record

import (
	"crypto/sha256"
	"hash"

	"github.com/syncline-io/syncline/causal"
)

// The first byte of what is hashed keeps the levels of a commit's hash tree apart.
const (
	leafMark    = 0x00 // group hash, change
	segmentMark = 0x01 // leaf hashes
	rootMark    = 0x02 // segment hashes
	groupMark   = 0x03 // origins, group
)

// node computes one hash of the tree after the other, without allocating.
type node struct {
	h   hash.Hash
	sum [sha256.Size]byte
	one [1]byte
}

func (n *node) begin(mark byte) {
	if n.h == nil {
		n.h = sha256.New()
	}
	n.h.Reset()
	n.one[0] = mark
	n.h.Write(n.one[:])
}

func (n *node) add(b []byte) { n.h.Write(b) }

func (n *node) end() causal.Hash {
	n.h.Sum(n.sum[:0])
	return n.sum
}

// groupHash hashes what the changes of a group refer to: the segment's origin table, as
// the byte string that it is in the segment, and the group itself.
func (n *node) groupHash(origins, group []byte) causal.Hash {
	n.begin(groupMark)
	n.add(origins)
	n.add(group)
	return n.end()
}

func (n *node) leafHash(group *causal.Hash, change []byte) causal.Hash {
	n.begin(leafMark)
	n.add(group[:])
	n.add(change)
	return n.end()
}
