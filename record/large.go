package record

import (
	"crypto/sha256"

	"github.com/syncline-io/syncline/causal"
)

// LargeInfo says what a [Large] value stands for: its kind (Text, RawText or Bytes), its
// size in bytes, and the SHA-256 of each of its chunks in order. Every chunk is
// [ChunkSize] bytes long but the last, which is 1 to ChunkSize.
type LargeInfo struct {
	Kind   Kind
	Size   int64
	Hashes []causal.Hash
}

// Large returns what a Large stands for, with hashes of its own memory. It fails with
// [ErrCorrupt] for a value of another kind.
func (v Value) Large() (LargeInfo, error) {
	if v.kind != Large {
		return LargeInfo{}, corrupt("value is not large")
	}
	head, _, err := readLarge(v.raw)
	if err != nil {
		return LargeInfo{}, err
	}
	info := LargeInfo{Kind: head.kind, Size: head.size, Hashes: make([]causal.Hash, len(head.hashes)/sha256.Size)}
	for i := range info.Hashes {
		copy(info.Hashes[i][:], head.hashes[i*sha256.Size:])
	}
	return info, nil
}

// largeKinds are the kinds a large value can stand for, by their number in its encoding.
var largeKinds = [...]Kind{Text, RawText, Bytes}

// largeHead is the content of a Large, aliasing it.
type largeHead struct {
	kind   Kind
	size   int64
	hashes []byte
}

// appendLarge appends the Large that stands for raw and hands each chunk, aliasing raw,
// to chunks unless that is nil. On error b is returned as it was.
func appendLarge(b []byte, kind Kind, raw []byte, chunks func(causal.Hash, []byte) error) ([]byte, error) {
	was := len(b)
	number := uint64(0)
	for largeKinds[number] != kind {
		number++
	}
	b = appendHead(b, majorTag, tagLarge)
	b = appendHead(b, majorArray, 3)
	b = appendHead(b, majorUint, number)
	b = appendHead(b, majorUint, uint64(len(raw)))
	b, err := appendChunks(b, raw, chunks)
	if err != nil {
		return b[:was], err
	}
	return b, nil
}

// appendChunks appends the byte string of the hashes of raw's chunks, handing each chunk
// to chunks unless that is nil.
func appendChunks(b, raw []byte, chunks func(causal.Hash, []byte) error) ([]byte, error) {
	b = appendHead(b, majorBytes, uint64(chunkCount(int64(len(raw)))*sha256.Size))
	for len(raw) > 0 {
		chunk := raw[:min(len(raw), ChunkSize)]
		raw = raw[len(chunk):]
		hash := sha256.Sum256(chunk)
		b = append(b, hash[:]...)
		if chunks == nil {
			continue
		}
		if err := chunks(hash, chunk); err != nil {
			return b, err
		}
	}
	return b, nil
}

// chunkCount is the number of chunks of size bytes.
func chunkCount(size int64) int64 { return (size + ChunkSize - 1) / ChunkSize }

// readLarge reads the content of a Large's tag.
func readLarge(b []byte) (h largeHead, rest []byte, err error) {
	n, b, ok := readArray(b)
	if !ok || n != 3 {
		return h, nil, corrupt("large value")
	}
	kind, b, ok := readUint(b)
	if !ok || kind >= uint64(len(largeKinds)) {
		return h, nil, corrupt("kind of large value")
	}
	h.kind = largeKinds[kind]
	h.size, h.hashes, rest, ok = readChunks(b)
	if !ok || h.size <= ChunkSize {
		return h, nil, corrupt("chunks of large value")
	}
	return h, rest, nil
}

// readChunks reads a size and the byte string of the hashes of as many chunks.
func readChunks(b []byte) (size int64, hashes, rest []byte, ok bool) {
	n, b, ok := readUint(b)
	if !ok || n > 1<<62 {
		return 0, nil, nil, false
	}
	hashes, rest, ok = readString(b, majorBytes)
	if !ok || int64(len(hashes)) != chunkCount(int64(n))*sha256.Size {
		return 0, nil, nil, false
	}
	return int64(n), hashes, rest, true
}
