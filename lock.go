package syncline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// lockName is the file of a pair's directory that a run holds locked. The lock is the
// operating system's and dies with the process, however that ends; the process id inside
// is for people.
const lockName = "lock"

// errLocked is what tryLock says of a file that somebody else has locked.
var errLocked = errors.New("locked")

// dirLock is the right to use a pair's directory.
type dirLock struct {
	f    *os.File
	path string
}

// lockDir locks dir, or fails with a *[BusyError] at once. With readOnly the lock file
// stays as it is; a directory without one is then not locked at all, and the result nil.
func lockDir(dir string, readOnly bool) (*dirLock, error) {
	path := filepath.Join(dir, lockName)
	for {
		f, err := openLock(path, readOnly)
		if err != nil {
			if readOnly && errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			return nil, fmt.Errorf("lock the pair: %w", err)
		}
		if err := tryLock(f); err != nil {
			f.Close()
			if errors.Is(err, errLocked) {
				return nil, &BusyError{PID: lockOwner(path), Path: dir}
			}
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		// Whoever had the lock may have removed the directory before letting go: then this
		// is a lock on a file that nobody else will ever see.
		if !sameFile(f, path) {
			f.Close()
			if readOnly {
				return nil, nil
			}
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return nil, fmt.Errorf("lock the pair: %w", err)
			}
			continue
		}
		if !readOnly {
			if err := writePID(f); err != nil {
				f.Close()
				return nil, fmt.Errorf("lock %s: %w", path, err)
			}
		}
		return &dirLock{f, path}, nil
	}
}

func openLock(path string, readOnly bool) (*os.File, error) {
	if readOnly {
		return os.Open(path)
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}

func sameFile(f *os.File, path string) bool {
	have, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(have, there)
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// lockOwner reads the process id in a lock file; 0 when there is none yet.
func lockOwner(path string) int {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return pid
}

// unlock lets go. It does nothing on a nil lock.
func (l *dirLock) unlock() {
	if l != nil {
		l.f.Close()
	}
}

// removeDir removes the locked directory and all that is in it, the lock file last, and
// lets go.
func (l *dirLock) removeDir() error {
	dir := filepath.Dir(l.path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		l.unlock()
		return err
	}
	for _, e := range entries {
		if e.Name() == lockName {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			l.unlock()
			return err
		}
	}
	// While it is held, so that nobody locks a file that is about to go; where an open
	// file cannot be removed, afterwards.
	held := os.Remove(l.path)
	l.unlock()
	if held != nil {
		if err := os.Remove(l.path); err != nil {
			return err
		}
	}
	return os.Remove(dir)
}
