//go:build unix

package main

import (
	"bytes"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A run that is interrupted ends with 130, says how to continue, and is continued.
func TestInterruptedRunIsContinued(t *testing.T) {
	w := newWorld(t)
	w.database("a.db", "create table t (id integer primary key, text)",
		"with recursive n(i) as (select 1 union all select i + 1 from n where i < 400000) insert into t select i, 'some text that takes a while ' || i from n")
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		var errOut bytes.Buffer
		cmd := w.command("sync", "a.db", "b.db")
		cmd.Stderr = &errOut
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for !exists(w.path("b.db")) {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond)
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // the exit code is looked at below
		switch cmd.ProcessState.ExitCode() {
		case 130:
			if !strings.Contains(errOut.String(), "continue with: syncline sync a.db b.db") {
				t.Errorf("stderr: %s", errOut.String())
			}
		case 0: // it was faster
		default:
			t.Fatalf("exit %d: %s", cmd.ProcessState.ExitCode(), errOut.String())
		}
	}
	w.must(0, "sync", "a.db", "b.db")
	w.must(0, "diff", "a.db", "b.db")
}

// Two runs of one pair do not get into each other's way.
func TestExitBusyNamesTheProcess(t *testing.T) {
	w := newWorld(t)
	w.pair()
	var out bytes.Buffer
	cmd := w.command("sync", "a.db", "b.db", "--watch", "--json")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	buf := make([]byte, 4096)
	for !strings.Contains(out.String(), `"type":"watch"`) {
		n, err := pipe.Read(buf)
		out.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v\n%s", err, out.String())
		}
	}
	r := w.must(9, "sync", "b.db", "a.db")
	r.wantError(t, "pid")
	if !strings.Contains(r.errOut, fmt.Sprintf("(pid %d)", cmd.Process.Pid)) {
		t.Errorf("the pid is %d: %s", cmd.Process.Pid, r.errOut)
	}
	if got := w.must(9, "sync", "a.db", "b.db", "--json").code(t); got != "busy" {
		t.Errorf("code %q", got)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for {
		n, err := pipe.Read(buf)
		out.Write(buf[:n])
		if err != nil {
			break
		}
	}
	_ = cmd.Wait()
	checkLines(t, out.String(), 130)
	w.must(0, "sync", "a.db", "b.db")
}
