package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// console is the world around one invocation.
type console struct {
	in        io.Reader
	out, err  io.Writer
	lookupEnv func(string) (string, bool)
	exit      func(int)

	inTTY, outTTY, errTTY bool
	outPaint, errPaint    paint
	lines                 *sync.Mutex // one JSON line at a time
	broken                *error      // the first error of writing to out
}

// detect finds out which of the streams are terminals.
func (c *console) detect() {
	c.inTTY, c.outTTY, c.errTTY = isTerminal(c.in), isTerminal(c.out), isTerminal(c.err)
	c.lines = new(sync.Mutex)
	c.broken = new(error)
	c.out = &stickyWriter{w: c.out, err: c.broken}
}

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// stickyWriter keeps the first error, so that a result which could not be printed is
// never taken for one that was.
type stickyWriter struct {
	w   io.Writer
	err *error
}

func (s *stickyWriter) Write(p []byte) (int, error) {
	if *s.err != nil {
		return 0, *s.err
	}
	n, err := s.w.Write(p)
	*s.err = err
	return n, err
}

// flush reports whether everything reached stdout.
func (c *console) flush() error {
	if *c.broken != nil {
		return fmt.Errorf("write the result: %w", *c.broken)
	}
	return nil
}

// paint colors words, or leaves them alone.
type paint bool

const (
	red     = "31"
	green   = "32"
	yellow  = "33"
	magenta = "35"
	bold    = "1"
)

func (p paint) as(color, s string) string {
	if !p || s == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// paint decides about colors: the flag or its variable, else NO_COLOR, else whether the
// stream is a terminal that knows them.
func (a *app) paint() {
	switch a.flags.color.value {
	case "always":
		a.outPaint, a.errPaint = true, true
	case "never":
		a.outPaint, a.errPaint = false, false
	default:
		if v, ok := a.lookupEnv("NO_COLOR"); ok && v != "" {
			return
		}
		if v, _ := a.lookupEnv("TERM"); v == "dumb" {
			return
		}
		a.outPaint = paint(a.outTTY && knowsColors(a.out))
		a.errPaint = paint(a.errTTY && knowsColors(a.err))
	}
}

// event prints one JSON line.
func (a *app) event(v any) {
	writeEvent(a.lines, a.out, v)
}

func writeEvent(mu *sync.Mutex, w io.Writer, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("an event that is no JSON: %v", err)) // ours are plain structs
	}
	mu.Lock()
	defer mu.Unlock()
	_, _ = w.Write(b.Bytes()) // kept by stickyWriter
}

// resultLine is the last line of a command with --json.
type resultLine struct {
	Type    string     `json:"type"`
	Command string     `json:"command"`
	OK      bool       `json:"ok"`
	Exit    int        `json:"exit"`
	Summary any        `json:"summary"`
	Error   *errorJSON `json:"error"`
}

type errorJSON struct {
	Code       string   `json:"code"`
	Message    string   `json:"message"`
	Suggestion string   `json:"suggestion,omitempty"`
	Details    []string `json:"details,omitempty"`
}

// result ends a command: the JSON line, or the error for people.
func (a *app) result(exit int, summary any, f *fault) {
	if a.flags.json {
		line := resultLine{Type: "result", Command: a.command, OK: exit == exitOK, Exit: exit, Summary: summary}
		if f != nil {
			line.Error = &errorJSON{Code: f.code, Message: f.message, Suggestion: f.hint, Details: f.details}
		}
		a.event(line)
		return
	}
	if f == nil {
		return
	}
	fmt.Fprintf(a.err, "%s %s\n", a.errPaint.as(red, "syncline:"), safe(f.line()))
	for _, d := range f.details {
		fmt.Fprintln(a.err, safe(d))
	}
}

// say prints a line of the result for people.
func (a *app) say(format string, args ...any) {
	if !a.flags.json && !a.flags.quiet {
		fmt.Fprintf(a.out, format+"\n", args...)
	}
}

// note prints a line about the work for people.
func (a *app) note(format string, args ...any) {
	if !a.flags.json && !a.flags.quiet {
		fmt.Fprintf(a.err, format+"\n", args...)
	}
}

// logger returns the log, which goes to w.
func (a *app) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelWarn}
	if a.flags.verbose {
		o.Level = slog.LevelInfo
	}
	if a.flags.quiet {
		o.Level = slog.LevelError
	}
	if a.flags.logFormat.value == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// commandLine writes a command line as a shell would take it.
func commandLine(args []string) string {
	words := make([]string, 0, len(args)+1)
	words = append(words, "syncline")
	for _, arg := range args {
		words = append(words, quoteArg(arg))
	}
	return strings.Join(words, " ")
}
