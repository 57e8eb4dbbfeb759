package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// chinook copies the Chinook database into the world, or skips the test.
func (w *world) chinook(name string) {
	w.Helper()
	path := filepath.Join("..", "..", "shared", "data", "chinook", "Chinook_Sqlite.sqlite")
	if _, err := os.Stat(path); err != nil {
		w.Skipf("SKIPPED: the Chinook database is not at %s", path)
	}
	copyFile(w, path, w.path(name))
}

// TestChinook copies a real database, with composite keys, dates and decimals, into an
// empty file, and asks SQLite whether it is the same.
func TestChinook(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"one way", "two ways"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.chinook("a.db")
			before := hashTree(t, w.path("a.db"))
			args := []string{"a.db", "b.db"}
			if mode == "two ways" {
				args = append(args, "--two-way")
			}
			s := w.sync(0, args...)
			if s.ToB.Inserted != 15607 || s.ToA.rows() != 0 {
				t.Errorf("%+v, want 15607 inserted into b.db", s)
			}
			w.equal("a.db", "b.db")
			if mode == "one way" && hashTree(t, w.path("a.db")) != before {
				t.Error("the source of a one-way run was written to")
			}
			if r := w.must(0, "diff", "a.db", "b.db"); strings.TrimSpace(r.out) != "= 15,607 equal" {
				t.Errorf("diff: %s", r)
			}
			if s := w.sync(0, args...); s.ToA.rows()+s.ToB.rows() != 0 {
				t.Errorf("a second run wrote: %+v", s)
			}
		})
	}
}
