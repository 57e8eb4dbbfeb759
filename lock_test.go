package syncline

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be the other process of TestLockDiesWithItsProcess.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SYNCLINE_TEST_HOLD_LOCK"); dir != "" {
		if _, err := lockDir(dir, false); err != nil {
			os.Exit(3)
		}
		os.Stdout.WriteString("locked\n")
		_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
		os.Exit(0)
	}
	code := m.Run()
	if code == 0 && leaked() {
		code = 1
	}
	os.Exit(code)
}

// leaked reports goroutines that are still at work when all tests have ended.
func leaked() bool {
	for range 100 {
		if runtime.NumGoroutine() <= 2 { // this one, and the one that handles signals
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
	os.Stderr.WriteString("goroutines are left:\n")
	_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
	return true
}

func TestLockExcludes(t *testing.T) {
	dir := t.TempDir()
	l, err := lockDir(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{false, true} {
		_, err := lockDir(dir, readOnly)
		var busy *BusyError
		if !errors.As(err, &busy) || !errors.Is(err, ErrBusy) {
			t.Fatalf("second lock, readOnly %v: got %v, want a BusyError", readOnly, err)
		}
		if busy.PID != os.Getpid() {
			t.Errorf("busy names pid %d, want %d", busy.PID, os.Getpid())
		}
	}
	l.unlock()
	if l, err = lockDir(dir, false); err != nil {
		t.Fatalf("after unlock: %v", err)
	}
	l.unlock()
}

func TestLockReadOnlyLeavesNoTrace(t *testing.T) {
	dir := t.TempDir()
	l, err := lockDir(dir, true)
	if l != nil || err != nil {
		t.Fatalf("got %v, %v; want no lock where there is no lock file", l, err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) > 0 {
		t.Errorf("it left %v", names)
	}
}

func TestLockDiesWithItsProcess(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "SYNCLINE_TEST_HOLD_LOCK="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || strings.TrimSpace(line) != "locked" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	var busy *BusyError
	if _, err := lockDir(dir, false); !errors.As(err, &busy) || busy.PID != cmd.Process.Pid {
		t.Errorf("got %v, want a BusyError of pid %d", err, cmd.Process.Pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	l, err := lockDir(dir, false)
	if err != nil {
		t.Fatalf("after its process was killed: %v", err)
	}
	l.unlock()
}

func TestLockRemoveDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pair")
	if err := os.MkdirAll(filepath.Join(dir, "store", "deep"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := lockDir(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.removeDir(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
}
