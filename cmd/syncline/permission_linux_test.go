package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// asNobody makes a directory and runs the program there as a user whom file modes bind,
// also where the tests are run as root.
type asNobody struct {
	*testing.T
	dir, binary string
}

func newNobody(t *testing.T) *asNobody {
	if os.Getuid() != 0 {
		return &asNobody{t, t.TempDir(), binary}
	}
	dir, err := os.MkdirTemp("", "syncline-nobody-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "syncline")
	if err := os.WriteFile(own, program, 0o755); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o777); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o755, work: 0o777, own: 0o755} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	return &asNobody{t, work, own}
}

func (n *asNobody) run(want int, args ...string) string {
	n.Helper()
	var out bytes.Buffer
	cmd := exec.Command(n.binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = n.dir, &out, &out
	cmd.Env = []string{"HOME=" + n.dir}
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	_ = cmd.Run() // the exit code is looked at below
	if got := cmd.ProcessState.ExitCode(); got != want {
		n.Fatalf("syncline %s: exit %d, want %d\n%s", strings.Join(args, " "), got, want, out.String())
	}
	return out.String()
}

func (n *asNobody) mode(name string, mode os.FileMode) {
	n.Helper()
	if err := os.Chmod(filepath.Join(n.dir, name), mode); err != nil {
		n.Fatal(err)
	}
}

func TestExitPermission(t *testing.T) {
	n := newNobody(t)
	n.run(0, "demo", "init", ".")
	n.run(0, "sync", "a.db", "b.db")
	n.run(0, "sql", "a.db", "update orders set total = 1 where id = 7")

	n.mode("b.db", 0o444)
	if out := n.run(5, "sync", "a.db", "b.db"); !strings.Contains(out, "b.db") || strings.Count(out, "\n") != 1 {
		t.Errorf("got %q", out)
	}
	n.run(1, "diff", "a.db", "b.db") // reading needs no more than that
	n.run(5, "sql", "b.db", "update orders set total = 1 where id = 7")
	n.mode("b.db", 0)
	n.run(5, "diff", "a.db", "b.db")
	n.run(5, "sync", "a.db", "b.db")
	n.mode("b.db", 0o644)

	n.mode(".", 0o555)
	n.run(5, "sync", "a.db", "new.db")
	n.run(5, "demo", "init", "more")
	n.run(1, "diff", "a.db", "b.db")
	n.mode(".", 0o777)
	n.run(0, "sync", "a.db", "b.db")
}
