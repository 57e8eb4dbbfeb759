package store

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// disk stands between Pebble and the file system and decides what a failed write means.
// Pebble, told of one, retries for ever, panics, or acknowledges what is lost, depending
// on the file. So it is not told: the goroutine that met the error never returns from the
// call, every later write waits beside it, and all who wait for the store learn the
// reason from broken. What was acknowledged before stays as it is; nothing more is.
type disk struct {
	vfs.FS
	live   atomic.Bool // set once the store is open: before, errors are simply returned
	broken chan struct{}
	once   sync.Once
	err    error // set before broken is closed

	// writing is held for reading during each write, so that release can wait until the
	// last one has ended or is parked.
	writing sync.RWMutex
	locks   []io.Closer // guarded by writing
}

func newDisk(fs vfs.FS) *disk { return &disk{FS: fs, broken: make(chan struct{})} }

// fail makes the store unusable; the first reason stays.
func (d *disk) fail(err error) {
	d.once.Do(func() {
		d.err = err
		close(d.broken)
	})
}

// failure returns why the store is unusable, nil if it is not.
func (d *disk) failure() error {
	select {
	case <-d.broken:
		return d.err
	default:
		return nil
	}
}

// write runs one operation that changes the disk.
func (d *disk) write(what string, op func() error) error {
	d.writing.RLock()
	if d.failure() != nil {
		d.writing.RUnlock()
		park()
	}
	err := op()
	if err == nil || !d.live.Load() {
		d.writing.RUnlock()
		return err
	}
	family := ErrBroken
	if vfs.IsNoSpaceError(err) {
		family = ErrNoSpace
	}
	d.fail(fmt.Errorf("%w: %s: %w", family, what, err))
	d.writing.RUnlock()
	park()
	return err
}

// park never returns.
func park() { select {} }

// release lets another open the store after this one broke. It waits until no write is
// under way; those that come later are parked.
func (d *disk) release() error {
	d.writing.Lock()
	defer d.writing.Unlock()
	var errs []error
	for _, l := range d.locks {
		errs = append(errs, l.Close())
	}
	d.locks = nil
	return errors.Join(errs...)
}

// Lock is that of the file system, its refusal ErrLocked.
func (d *disk) Lock(name string) (io.Closer, error) {
	l, err := d.FS.Lock(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLocked, err)
	}
	d.writing.Lock()
	defer d.writing.Unlock()
	d.locks = append(d.locks, l)
	return l, nil
}

func (d *disk) file(what string, open func() (vfs.File, error)) (f vfs.File, err error) {
	err = d.write(what, func() (err error) {
		f, err = open()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &diskFile{File: f, disk: d}, nil
}

// Create and the others below are those of vfs.FS; see write for their errors.
//
// A marker names another file of its directory, the manifest. Pebble makes both durable
// at once, and on a file system that keeps new names in any order, a crash could leave
// the marker alone; so the names before it are made durable first.
func (d *disk) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(d.PathBase(name), "marker.") {
		if err := syncDir(d, d.PathDir(name)); err != nil {
			return nil, err
		}
	}
	return d.file("create", func() (vfs.File, error) { return d.FS.Create(name, c) })
}

func (d *disk) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return d.file("open", func() (vfs.File, error) { return d.FS.OpenReadWrite(name, c, o...) })
}

func (d *disk) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return d.file("reuse", func() (vfs.File, error) { return d.FS.ReuseForWrite(from, to, c) })
}

func (d *disk) OpenDir(name string) (vfs.File, error) {
	f, err := d.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &diskFile{File: f, disk: d}, nil
}

// Link fails where a file system has no links; the caller copies then.
func (d *disk) Link(from, to string) (err error) {
	d.write("link", func() error { //nolint:errcheck // always nil
		err = d.FS.Link(from, to)
		return nil
	})
	return err
}

func (d *disk) Rename(from, to string) error {
	return d.write("rename", func() error { return d.FS.Rename(from, to) })
}

// Remove fails without consequence: what is obsolete stays.
func (d *disk) Remove(name string) (err error) {
	d.write("remove", func() error { //nolint:errcheck // always nil
		err = d.FS.Remove(name)
		return nil
	})
	return err
}

func (d *disk) Unwrap() vfs.FS { return d.FS }

// diskFile is a file opened for writing.
type diskFile struct {
	vfs.File
	disk *disk
}

func (f *diskFile) Write(p []byte) (n int, err error) {
	err = f.disk.write("write", func() (err error) {
		n, err = f.File.Write(p)
		return err
	})
	return n, err
}

func (f *diskFile) WriteAt(p []byte, at int64) (n int, err error) {
	err = f.disk.write("write", func() (err error) {
		n, err = f.File.WriteAt(p, at)
		return err
	})
	return n, err
}

func (f *diskFile) Sync() error { return f.disk.write("sync", f.File.Sync) }

func (f *diskFile) SyncData() error { return f.disk.write("sync", f.File.SyncData) }

func (f *diskFile) SyncTo(length int64) (full bool, err error) {
	err = f.disk.write("sync", func() (err error) {
		full, err = f.File.SyncTo(length)
		return err
	})
	return full, err
}

// Preallocate does nothing. Measured on ext4 it makes no write faster, and it lets the
// store of a few rows occupy as much disk as a full memtable.
func (f *diskFile) Preallocate(int64, int64) error { return nil }
