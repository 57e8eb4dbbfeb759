package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a program that runs on a terminal.
type terminal struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	done   chan struct{} // closed when the program has ended and all is read

	mu  sync.Mutex
	out bytes.Buffer
}

// onTerminal runs the program on a terminal of a width.
func (w *world) onTerminal(t *testing.T, columns uint16, args ...string) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := w.command(args...)
	cmd.Env = append(cmd.Env, "TERM=xterm-256color")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	term := &terminal{t: t, cmd: cmd, master: master, done: make(chan struct{})}
	go func() {
		defer close(term.done)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			term.mu.Lock()
			term.out.Write(buf[:n])
			term.mu.Unlock()
			if err != nil { // EIO when the program has closed its side
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		master.Close()
		<-term.done
	})
	return term
}

func (s *terminal) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// wait waits until the program has printed something.
func (s *terminal) wait(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		if strings.Contains(s.screen(), text) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%q does not come:\n%q", text, s.screen())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (s *terminal) typed(keys string) {
	s.t.Helper()
	if _, err := s.master.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// ends waits for the end and expects an exit code.
func (s *terminal) ends(exit int) string {
	s.t.Helper()
	ended := make(chan struct{})
	go func() {
		_ = s.cmd.Wait() // the exit code is looked at below
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		s.t.Fatalf("it does not end:\n%q", s.screen())
	}
	<-s.done
	if got := s.cmd.ProcessState.ExitCode(); got != exit {
		s.t.Fatalf("exit %d, want %d\n%s", got, exit, s.screen())
	}
	return s.screen()
}

func TestTerminalAsksBeforeItOverwrites(t *testing.T) {
	for _, c := range []struct {
		keys string
		exit int
		want string // of note in b.db
	}{
		{"y\n", 0, "z"},
		{"YES\n", 0, "z"},
		{"n\n", 6, "mine"},
		{"\n", 6, "mine"},
		{"what?\n", 6, "mine"},
		{"\x04", 6, "mine"}, // end of input
	} {
		t.Run(fmt.Sprintf("%q", c.keys), func(t *testing.T) {
			w := newWorld(t)
			w.pair(sameTable, "insert into orders values (7, 19.90, 'mine')")
			s := w.onTerminal(t, 80, "sync", "a.db", "b.db")
			s.wait("proceed?")
			s.wait("[y/N] ")
			if !strings.Contains(s.screen(), "overwrites 1 row of orders in b.db") {
				t.Errorf("the plan comes first: %q", s.screen())
			}
			s.typed(c.keys)
			s.ends(c.exit)
			r := w.must(0, "sql", "b.db", "select note from orders where id = 7")
			if r.out != "note\n"+c.want+"\n" {
				t.Errorf("b.db has %q, want %q", r.out, c.want)
			}
		})
	}
}

func TestTerminalInterruptedAtTheQuestion(t *testing.T) {
	w := newWorld(t)
	w.pair(sameTable, "insert into orders values (7, 19.90, 'mine')")
	s := w.onTerminal(t, 80, "sync", "a.db", "b.db")
	s.wait("[y/N] ")
	s.typed("\x03")
	out := s.ends(130)
	if !strings.Contains(out, "continue with: syncline sync a.db b.db") {
		t.Errorf("got %q", out)
	}
	if r := w.must(0, "sql", "b.db", "select note from orders"); r.out != "note\nmine\n" {
		t.Errorf("b.db has %q", r.out)
	}
}

func TestTerminalYesAsksNothing(t *testing.T) {
	w := newWorld(t)
	w.pair(sameTable, "insert into orders values (7, 19.90, 'mine')")
	out := w.onTerminal(t, 80, "sync", "a.db", "b.db", "--yes").ends(0)
	if strings.Contains(out, "[y/N]") {
		t.Errorf("it asks although --yes was given: %q", out)
	}
	if !strings.Contains(out, "overwrites 1 row") {
		t.Errorf("the plan is shown all the same: %q", out)
	}
}

func TestTerminalColorsAndNoColor(t *testing.T) {
	w := newWorld(t)
	w.pair(sameTable)
	if out := w.onTerminal(t, 80, "diff", "a.db", "b.db").ends(1); !strings.Contains(out, "\x1b[32m+\x1b[0m orders 1") {
		t.Errorf("no colors: %q", out)
	}
	w.env = append(w.env, "NO_COLOR=1")
	if out := w.onTerminal(t, 80, "diff", "a.db", "b.db").ends(1); strings.Contains(out, "\x1b[32m") {
		t.Errorf("colors with NO_COLOR: %q", out)
	}
}

func TestTerminalWatch(t *testing.T) {
	w := newWorld(t)
	w.pair()
	s := w.onTerminal(t, 80, "sync", "a.db", "b.db", "--two-way", "--watch", "--yes")
	s.wait("watching a.db <-> b.db; Ctrl-C stops")
	w.must(0, "sql", "b.db", "update orders set note = 'seen' where id = 7")
	s.wait("-> a.db  ")
	if r := w.must(0, "sql", "a.db", "select note from orders where id = 7"); r.out != "note\nseen\n" {
		t.Errorf("a.db has %q", r.out)
	}
	before := strings.Count(s.screen(), "\n")
	time.Sleep(300 * time.Millisecond) // nothing happens
	if after := strings.Count(s.screen(), "\n"); after != before {
		t.Errorf("it scrolls while nothing happens: %q", s.screen())
	}
	s.typed("\x03")
	out := s.ends(130)
	if !strings.Contains(out, "continue with: syncline sync a.db b.db --two-way --watch --yes") {
		t.Errorf("got %q", out)
	}
}

func TestTerminalBarOnNarrowScreens(t *testing.T) {
	w := newWorld(t)
	w.database("big.db", "create table some_table_with_a_long_name (id integer primary key, text)",
		"with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000) insert into some_table_with_a_long_name select i, 'some text that takes a while ' || i from n")
	for _, columns := range []uint16{100, 40} {
		out := w.onTerminal(t, columns, "sync", "big.db", fmt.Sprintf("copy%d.db", columns)).ends(0)
		if !strings.Contains(out, "some_tab") || !strings.Contains(out, "ETA") {
			t.Errorf("%d columns: no bar: %q", columns, out)
		}
		for _, line := range strings.FieldsFunc(out, func(r rune) bool { return r == '\n' || r == '\r' }) {
			if n := len([]rune(stripEscapes(line))); strings.Contains(line, "ETA") && n > int(columns) {
				t.Errorf("%d columns: a bar of %d: %q", columns, n, line)
			}
		}
		if !strings.Contains(out, "done, ") {
			t.Errorf("no summary: %q", out)
		}
	}
}

// stripEscapes removes what a terminal does not show.
func stripEscapes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\x1b' {
			b.WriteByte(s[i])
			continue
		}
		for i++; i < len(s) && (s[i] == '[' || s[i] < '@' || s[i] > '~'); i++ {
		}
	}
	return b.String()
}
