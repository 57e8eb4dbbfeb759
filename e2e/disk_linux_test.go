package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of so many megabytes as a directory of the world, or
// skips the test.
func (w *world) smallDisk(name string, size string) string {
	w.Helper()
	dir := w.path(name)
	must(w, os.Mkdir(dir, 0o700))
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		w.Skipf("SKIPPED: a disk that is full needs the right to mount one: %v", err)
	}
	w.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			w.Error(err)
		}
	})
	return dir
}

// TestFullDisk fills the disk under the target, and under the state: the run stops with a
// clear line, nothing is half applied, and with room made the next one goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	t.Run("target", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.many("a.db", "20000")
		dir := w.smallDisk("disk", "4m")
		target := filepath.Join("disk", "b.db")
		// First copy: in batches, so that what is there is whole rows.
		ballast := filepath.Join(dir, "ballast")
		must(t, os.WriteFile(ballast, make([]byte, 3<<20), 0o600))
		w.refused(4, "unreachable", "--two-way", "a.db", target)
		must(t, os.Remove(ballast))
		w.sync(0, "--two-way", "a.db", target)
		w.equal("a.db", target)
		// An edit of many rows: all or nothing.
		w.edit("a.db", "UPDATE t SET k = -1")
		must(t, os.WriteFile(ballast, make([]byte, 2<<20), 0o600))
		f := w.refused(4, "unreachable", "--two-way", "a.db", target)
		if !strings.Contains(f.Message+f.Suggestion, "full") {
			t.Errorf("%+v does not say that the disk is full", f)
		}
		if got := w.value(target, "SELECT count(*) FROM t WHERE k = -1"); got != "0" {
			t.Errorf("%s rows of an apply that failed are there", got)
		}
		must(t, os.Remove(ballast))
		w.sync(0, "--two-way", "a.db", target)
		w.equal("a.db", target)
	})
	t.Run("state", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.many("a.db", "20000")
		dir := w.smallDisk("disk", "8m")
		must(t, os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 6<<20), 0o600))
		r := w.run("sync", "--yes", "--json", "--two-way", "--state", dir, "a.db", "b.db")
		if r.exit != 4 {
			t.Errorf("%s: exit %d, want 4", r, r.exit)
		}
		must(t, os.Remove(filepath.Join(dir, "ballast")))
		w.sync(0, "--two-way", "--state", dir, "a.db", "b.db")
		w.equal("a.db", "b.db")
	})
}

// TestPermission is refused what the user may not write.
func TestPermission(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		// Root may write everything but a file system that is mounted to be read only.
		w := newWorld(t)
		w.create("a.db", small)
		dir := w.smallDisk("disk", "1m")
		w.copyFile("a.db", "disk/b.db")
		w.edit("a.db", "INSERT INTO t VALUES (9, 'new')")
		if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		f := w.refused(5, "permission", "a.db", "disk/b.db")
		if !strings.Contains(f.Message, "b.db") {
			t.Errorf("%+v does not name the file", f)
		}
		w.refused(5, "permission", "a.db", "disk/c.db")
		// It can be read, though.
		w.sync(0, "disk/b.db", "copy.db")
		w.must(1, "diff", "a.db", "disk/b.db")
		return
	}
	w := newWorld(t)
	w.create("a.db", small)
	w.copyFile("a.db", "b.db")
	w.edit("a.db", "INSERT INTO t VALUES (9, 'new')")
	must(t, os.Chmod(w.path("b.db"), 0o400))
	w.refused(5, "permission", "a.db", "b.db")
	w.sync(0, "b.db", "copy.db")
	must(t, os.Mkdir(w.path("dir"), 0o500))
	w.refused(5, "permission", "a.db", "dir/c.db")
}
