package store

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// witness is a small file beside the database that says how far it had come when it was
// closed last. A database that is opened behind it has lost what was acknowledged: its
// manifest or log was damaged in a place where that looks like the end, or an older copy
// of some of its files was put back.
type witness struct {
	log     LogID
	batches uint64
}

const (
	witnessName = "WITNESS"
	witnessMark = "syncline witness 1\n"
)

func (w witness) encode() []byte {
	text := fmt.Sprintf("%s%x %d\n", witnessMark, w.log, w.batches)
	return fmt.Appendf(nil, "%s%08x\n", text, crc32.Checksum([]byte(text), crc32.MakeTable(crc32.Castagnoli)))
}

func decodeWitness(b []byte) (*witness, error) {
	var id string
	var w witness
	rest, ok := bytes.CutPrefix(b, []byte(witnessMark))
	if !ok {
		return nil, corrupt("witness")
	}
	if _, err := fmt.Sscanf(string(rest), "%32s %d\n", &id, &w.batches); err != nil {
		return nil, corrupt("witness")
	}
	raw, err := hex.DecodeString(id)
	if err != nil || len(raw) != len(w.log) {
		return nil, corrupt("witness")
	}
	copy(w.log[:], raw)
	if !bytes.Equal(w.encode(), b) {
		return nil, corrupt("witness")
	}
	return &w, nil
}

// readWitness returns nil if there is none.
func readWitness(fsys vfs.FS, dir string) (*witness, error) {
	f, err := fsys.Open(fsys.PathJoin(dir, witnessName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open witness: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, 1<<10))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read witness: %w", err)
	}
	return decodeWitness(b)
}

// write replaces the witness, durably and at once.
func (w witness) write(fsys vfs.FS, dir string) error {
	path := fsys.PathJoin(dir, witnessName)
	next := path + ".new"
	f, err := fsys.Create(next, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(w.encode())
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := fsys.Rename(next, path); err != nil {
		return err
	}
	return syncDir(fsys, dir)
}
