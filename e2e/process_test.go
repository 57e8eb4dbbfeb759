package e2e

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// process is the program at work in the background.
type process struct {
	testing.TB
	cmd  *exec.Cmd
	done chan struct{}

	mu     sync.Mutex
	out    []string
	more   chan struct{} // closed and replaced when a line comes
	errOut bytes.Buffer
}

// start starts the program. The test's end kills it.
func (w *world) start(args ...string) *process {
	w.Helper()
	p := &process{TB: w, cmd: w.command(args...), done: make(chan struct{}), more: make(chan struct{})}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	p.cmd.Stderr = lockedWriter{&p.mu, &p.errOut}
	if err := p.cmd.Start(); err != nil {
		w.Fatal(err)
	}
	go func() {
		defer close(p.done)
		in := bufio.NewScanner(stdout)
		in.Buffer(nil, 16<<20)
		for in.Scan() {
			p.mu.Lock()
			p.out = append(p.out, in.Text())
			close(p.more)
			p.more = make(chan struct{})
			p.mu.Unlock()
		}
		p.cmd.Wait() //nolint:errcheck // how it ended is in ProcessState
	}()
	w.Cleanup(p.kill)
	return p
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// await waits until a line of output contains a text and returns the line.
func (p *process) await(text string) string {
	p.Helper()
	deadline := time.After(patience)
	for seen := 0; ; {
		p.mu.Lock()
		lines, more := p.out[seen:], p.more
		p.mu.Unlock()
		for _, l := range lines {
			if strings.Contains(l, text) {
				return l
			}
		}
		seen += len(lines)
		select {
		case <-more:
		case <-p.done:
			p.Fatalf("%s: ended before it said %q", p.report(), text)
		case <-deadline:
			p.Fatalf("%s: did not say %q", p.report(), text)
		}
	}
}

// kill ends the process without a chance to do anything, as a power loss would.
func (p *process) kill() {
	p.cmd.Process.Kill() //nolint:errcheck // it may have ended
	<-p.done
}

// interrupt is Ctrl-C; it waits for the end.
func (p *process) interrupt() ran {
	p.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.Fatal(err)
	}
	return p.wait()
}

// wait waits for the end.
func (p *process) wait() ran {
	p.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.Fatalf("%s: does not end", p.report())
	}
	r := p.report()
	r.checkCrash(p)
	return r
}

// report is what the process said so far, and how it ended if it did.
func (p *process) report() ran {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := ran{args: p.cmd.Args[1:], exit: -2, out: strings.Join(p.out, "\n"), errOut: p.errOut.String()}
	select {
	case <-p.done:
		r.exit = p.cmd.ProcessState.ExitCode()
	default:
	}
	return r
}

// patience is how long a test waits for what should come at once.
const patience = 60 * time.Second

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain waited for: %s", what)
		}
	}
}
