package store

import (
	"bytes"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// FuzzValues reads any bytes as each of the store's own values: what is taken must be
// what would be written, to the byte.
func FuzzValues(f *testing.F) {
	f.Add(head{log: LogID{1}, batches: 300, floor: 2, end: 9}.append(nil))
	f.Add(originHead{seq: 5, hash: causal.Hash{7}, at: 3, in: true}.append(nil))
	f.Add(appendShape(nil, &record.Shape{Table: "orders", Fields: []string{"id", "note"}}))
	f.Add(treeName{true, "a", "orders"}.append(nil))
	f.Add(treeName{table: "orders"}.append(nil))
	f.Add(appendHashes(nil, []causal.Hash{{1}, {2}}))
	f.Add(witness{log: LogID{1}, batches: 12}.encode())
	f.Add(appendFormat(nil, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		same := func(what string, again []byte, err error) {
			if err == nil && !bytes.Equal(again, b) {
				t.Errorf("%s: %x is written as %x", what, b, again)
			}
		}
		h, err := decodeHead(b)
		same("head", h.append(nil), err)
		o, err := decodeOriginHead(b)
		same("head of an origin", o.append(nil), err)
		if s, err := decodeShape(b); err == nil {
			same("shape", appendShape(nil, s), err)
		}
		n, err := decodeTreeName(b)
		same("tree", n.append(nil), err)
		hs, err := decodeHashes(b)
		same("hashes", appendHashes(nil, hs), err)
		if w, err := decodeWitness(b); err == nil {
			same("witness", w.encode(), err)
		}
		if v, err := decodeFormat(b); err == nil && !bytes.HasPrefix(b, appendFormat(nil, v)) {
			t.Errorf("format: %x is version %d", b, v)
		}
	})
}
