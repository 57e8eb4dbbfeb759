//go:build !linux && !darwin

package sqlite

import "strings"

// networkFileSystem names the network file system that dir is on, or "". Only the paths
// of Windows shares show what they are.
func networkFileSystem(dir string) string {
	if strings.HasPrefix(dir, `\\`) && !strings.HasPrefix(dir, `\\?\`) && !strings.HasPrefix(dir, `\\.\`) {
		return "a Windows share"
	}
	return ""
}
