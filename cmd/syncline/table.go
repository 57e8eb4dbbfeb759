package main

import (
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/syncline-io/syncline/record"
)

// How many rows a table looks at before it decides how wide its columns are, and how
// wide a cell may be on a terminal.
const (
	tableSample = 500
	tableCell   = 60
)

// table prints rows in aligned columns. It holds the first rows back to learn the widths,
// and then prints each row as it comes.
type table struct {
	w      io.Writer
	cut    bool // shorten long cells
	widths []int
	right  []bool     // numbers stand at the right
	held   [][]string // the header and the first rows, until the widths are known
	known  bool
}

func newTable(w io.Writer, names []string, cut bool) *table {
	t := &table{w: w, cut: cut, widths: make([]int, len(names)), right: make([]bool, len(names))}
	header := make([]string, len(names))
	for i, name := range names {
		header[i] = t.fit(safe(name))
		t.right[i] = true
	}
	t.hold(header)
	return t
}

// add takes a row.
func (t *table) add(values []record.Value) {
	cells := make([]string, len(values))
	for i, v := range values {
		cells[i] = t.fit(cell(v))
		if k := v.Kind(); !t.known && k != record.Int && k != record.Float && k != record.Null {
			t.right[i] = false
		}
	}
	if t.known {
		t.print(cells)
		return
	}
	t.hold(cells)
	if len(t.held) > tableSample {
		t.flush()
	}
}

// flush prints what is held back.
func (t *table) flush() {
	for _, cells := range t.held {
		t.print(cells)
	}
	t.held, t.known = nil, true
}

func (t *table) hold(cells []string) {
	for i, c := range cells {
		t.widths[i] = max(t.widths[i], runewidth.StringWidth(c))
	}
	t.held = append(t.held, cells)
}

func (t *table) fit(s string) string {
	if t.cut {
		return runewidth.Truncate(s, tableCell, "…")
	}
	return s
}

func (t *table) print(cells []string) {
	var b strings.Builder
	for i, c := range cells {
		if i > 0 {
			b.WriteString("  ")
		}
		gap := strings.Repeat(" ", max(0, t.widths[i]-runewidth.StringWidth(c)))
		if t.right[i] {
			c = gap + c
		} else if i < len(cells)-1 {
			c += gap
		}
		b.WriteString(c)
	}
	b.WriteByte('\n')
	_, _ = io.WriteString(t.w, b.String()) // kept by stickyWriter
}

// cell writes a value without quotes: in a table of its own column nothing else could
// be meant.
func cell(v record.Value) string {
	switch v.Kind() {
	case record.Text, record.RawText:
		return safe(string(v.Raw()))
	}
	return v.String()
}
