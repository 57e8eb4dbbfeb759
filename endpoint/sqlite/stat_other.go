//go:build !linux && !darwin

package sqlite

import (
	"io/fs"
	"os"
	"time"
)

// inode returns nothing: the size and the time of the last write have to do.
func inode(fs.FileInfo) (id string, changed int64) { return "", 0 }

// clockTick is how long writes may carry the same time.
func clockTick() time.Duration { return maxTick }

// writable says why path cannot be written to.
func writable(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o200 == 0 {
		return fs.ErrPermission
	}
	return err
}
