package sqlite

import "golang.org/x/sys/unix"

// networkFileSystem names the network file system that dir is on, or "".
func networkFileSystem(dir string) string {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return "" // opening the file will say what is wrong
	}
	switch name := unix.ByteSliceToString(st.Fstypename[:]); name {
	case "nfs", "smbfs", "afpfs", "webdav", "ftp":
		return name
	}
	return ""
}
