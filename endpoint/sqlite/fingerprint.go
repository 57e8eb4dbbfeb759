package sqlite

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// A fingerprint is made of what the file system says of the database file (identity, size,
// times) and of how far its write-ahead log goes: the log's header, which has new salts each
// time it starts over, the number of its frames, and the checksum of the last one, which
// covers all before it. Every commit changes one of them. So does a checkpoint, which
// changes nothing else: a fingerprint may change for nothing, but never stay for something.
type fingerprint struct {
	main stat
	log  logEnd
}

// logEnd is the end of a write-ahead log; the zero logEnd is that of an empty one.
type logEnd struct {
	header   [walHeader]byte
	frames   int64
	last     [frameHeader]byte
	modified int64 // ns: also notices frames of a rolled back write that were overwritten
}

const (
	walHeader   = 32
	frameHeader = 24
)

func (f fingerprint) bytes() []byte {
	h := sha256.New()
	fmt.Fprintf(h, "1 %s %d %d %d %d %d ", f.main.id, f.main.size, f.main.modified, f.main.changed, f.log.frames, f.log.modified)
	h.Write(f.log.header[:])
	h.Write(f.log.last[:])
	return h.Sum(nil)
}

// look takes the fingerprint of the files as they are. settled is false when a later write
// could go unnoticed because it carries the same time.
func (d *Database) look() (f fingerprint, settled bool, err error) {
	if f.main, err = statFile(d.path); err != nil {
		return f, false, err
	}
	if f.log, err = readLogEnd(d.path + "-wal"); err != nil {
		return f, false, err
	}
	now := time.Now()
	return f, f.main.settlesIn(now) <= 0 && time.Duration(now.UnixNano()-f.log.modified) > clockTick(), nil
}

// lookSettled is look after a wait of a few ticks at most; ok is false if that was not
// enough.
func (d *Database) lookSettled(ctx context.Context) (f fingerprint, ok bool, err error) {
	for deadline := time.Now().Add(2 * maxTick); ; {
		f, ok, err = d.look()
		if err != nil || ok || time.Now().After(deadline) {
			return f, ok, err
		}
		t := time.NewTimer(time.Millisecond)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return f, false, ctx.Err()
		}
	}
}

// readLogEnd finds the last frame of a write-ahead log. No locks are held on that file, so
// it may be opened and closed.
func readLogEnd(path string) (e logEnd, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return logEnd{}, nil
	}
	if err != nil {
		return logEnd{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return logEnd{}, err
	}
	if info.Size() < walHeader+frameHeader {
		return logEnd{}, nil
	}
	if err := readAt(f, e.header[:], 0); err != nil {
		return logEnd{}, err
	}
	e.modified = info.ModTime().UnixNano()
	page := int64(binary.BigEndian.Uint32(e.header[8:]))
	if page < 512 || page > 65536 {
		return e, nil // not a log that SQLite would read
	}
	// Frames of the present log carry the salts of its header and come first.
	frame := func(i int64) (h [frameHeader]byte, ours bool, err error) {
		err = readAt(f, h[:], walHeader+i*(frameHeader+page))
		return h, [8]byte(h[8:16]) == [8]byte(e.header[16:24]), err
	}
	low, high := int64(0), (info.Size()-walHeader)/(frameHeader+page)
	for low < high {
		mid := (low + high) / 2
		_, ours, err := frame(mid)
		switch {
		case err != nil:
			return logEnd{}, err
		case ours:
			low = mid + 1
		default:
			high = mid
		}
	}
	if e.frames = low; low > 0 {
		e.last, _, err = frame(low - 1)
	}
	return e, err
}

// readAt fills b; what lies beyond the end of a file that was cut meanwhile is zeros.
func readAt(f *os.File, b []byte, at int64) error {
	n, err := f.ReadAt(b, at)
	if errors.Is(err, io.EOF) {
		clear(b[n:])
		return nil
	}
	return err
}

// fingerprint returns the [endpoint.Inspection.Fingerprint] of the view of a connection
// that keeps others from writing: it holds the write lock, or a read lock of a rollback
// journal. nil says that none can be relied on.
func (c *conn) fingerprint() ([]byte, error) {
	var err error
	if c.version, err = c.dataVersion(); err != nil {
		return nil, err
	}
	f, ok, err := c.d.lookSettled(c.ctx)
	if err != nil || !ok {
		return nil, err
	}
	return f.bytes(), nil
}

// left returns the fingerprint of what this connection has committed since
// [conn.fingerprint], or nil when somebody else may have written too. The connection's end
// changes it no more.
func (c *conn) left() []byte {
	wal, err := c.wal()
	if err != nil {
		return nil
	}
	if wal {
		// The last connection to close moves the log into the file. Doing it here, while
		// data_version can still tell, makes that the same before and after. A reader in
		// the way keeps the log, and keeps us from being the last.
		if err := c.query("PRAGMA wal_checkpoint(TRUNCATE)", nil); err != nil && !isBusy(err) {
			return nil
		}
	}
	f, ok, err := c.d.lookSettled(c.ctx)
	if err != nil || !ok {
		return nil
	}
	version, err := c.dataVersion()
	if err != nil || version != c.version {
		return nil
	}
	return f.bytes()
}

// viewFingerprint is the fingerprint of a read view that does not keep others from writing:
// before is what was there before the view began. The log's end tells their commits apart
// whatever their time.
func (c *conn) viewFingerprint(before fingerprint) ([]byte, error) {
	f, ok, err := c.d.lookSettled(c.ctx)
	if err != nil || !ok || f != before {
		return nil, err
	}
	return f.bytes(), nil
}
