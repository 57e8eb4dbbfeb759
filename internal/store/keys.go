package store

import (
	"encoding/binary"

	"github.com/syncline-io/syncline/causal"
)

// The first byte of a key says what it is; docs/format/store.md describes each. A number
// never gets another meaning: a space that is no longer used stays reserved.
const (
	spaceFormat    = 0x00
	spaceHead      = 0x01
	spaceMeta      = 0x02
	spaceVector    = 0x03
	spaceOrigin    = 0x04
	spaceShape     = 0x05
	spaceTree      = 0x06
	spaceEntry     = 0x07
	spaceSegment   = 0x08
	spaceRow       = 0x09
	spaceSibling   = 0x0a
	spaceOwner     = 0x0b
	spaceReference = 0x0c
	spaceSize      = 0x0d
	spaceChunk     = 0x0e
	spaceLarge     = 0x0f
)

const (
	ownerEntry = 0x01
	ownerRow   = 0x02
)

const hashSize = len(causal.Hash{})

func metaKey(b []byte, name string) []byte {
	return append(append(b, spaceMeta), name...)
}

func vectorKey(b []byte, o causal.Origin) []byte {
	return o.Append(append(b, spaceVector))
}

// numberKey is the key of a number in a dictionary: of an origin, a shape or a tree.
func numberKey(b []byte, space byte, id uint64) []byte {
	return binary.BigEndian.AppendUint32(append(b, space), uint32(id))
}

func entryKey(b []byte, at Offset) []byte {
	return binary.BigEndian.AppendUint64(append(b, spaceEntry), uint64(at))
}

func dotKey(b []byte, space byte, d causal.Dot) []byte {
	return binary.BigEndian.AppendUint64(d.Origin.Append(append(b, space)), d.Seq)
}

func segmentKey(b []byte, d causal.Dot, index int) []byte {
	return binary.BigEndian.AppendUint32(dotKey(b, spaceSegment, d), uint32(index))
}

// treeKey begins the keys of one tree in a space.
func treeKey(b []byte, space byte, tree uint64) []byte {
	return binary.BigEndian.AppendUint32(append(b, space), uint32(tree))
}

// treeKeySize is the length of what treeKey appends.
const treeKeySize = 1 + 4

func hashKey(b []byte, space byte, h causal.Hash) []byte {
	return append(append(b, space), h[:]...)
}

// entryOwner names an entry of the log as the owner of chunks, rowOwner a row of a tree.
func entryOwner(b []byte, at Offset) []byte {
	return binary.BigEndian.AppendUint64(append(b, ownerEntry), uint64(at))
}

func rowOwner(b []byte, tree uint64, k []byte) []byte {
	return append(binary.BigEndian.AppendUint32(append(b, ownerRow), uint32(tree)), k...)
}

func ownerKey(b, owner []byte) []byte {
	return append(append(b, spaceOwner), owner...)
}

func referenceKey(b []byte, h causal.Hash, owner []byte) []byte {
	return append(hashKey(b, spaceReference, h), owner...)
}

// prefixEnd returns the least key that is greater than all keys beginning with prefix. The
// prefix is never all 0xff: its first byte is a space.
func prefixEnd(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return end
}
