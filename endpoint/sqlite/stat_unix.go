//go:build linux || darwin

package sqlite

import (
	"fmt"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// inode returns the identity of a file and the time its inode was changed.
func inode(info fs.FileInfo) (id string, changed int64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", 0
	}
	return fmt.Sprintf("%d:%d", st.Dev, st.Ino), changeTime(st)
}

// writable says why path cannot be written to. It does not open the file.
func writable(path string) error { return unix.Access(path, unix.W_OK) }
