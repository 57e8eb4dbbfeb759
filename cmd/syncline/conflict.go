package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/syncline-io/syncline"
)

// conflictText shows one conflict: its name, since when and by which rule, and both
// values of every field in question. scale says how many decimal places a field has.
func conflictText(p paint, c syncline.Conflict, a, b string, zone *time.Location, scale func(field string) int) string {
	var w strings.Builder
	fmt.Fprintf(&w, "%s %s   %s", p.as(kindColor(c.Kind), kindSign(c.Kind)), p.as(bold, safe(c.Record)), kindText(c))
	if !c.Since.IsZero() {
		fmt.Fprintf(&w, "   since %s", c.Since.In(zone).Format(time.DateTime))
	}
	if c.Kind == syncline.ConflictParked {
		fmt.Fprintf(&w, "\n    %s refuses it: %s", safe(c.At), safe(c.Reason))
	}
	sides := []struct {
		name string
		row  *syncline.Row
	}{{a, c.A}, {b, c.B}}
	if c.Kind == syncline.ConflictResolved {
		sides = append(sides, struct {
			name string
			row  *syncline.Row
		}{"result", c.Result})
	}
	width := 0
	for _, s := range sides {
		width = max(width, utf8.RuneCountInString(safe(s.name)))
	}
	for _, s := range sides {
		fmt.Fprintf(&w, "\n    %s   %s", pad(safe(s.name), width), rowText(s.row, c, scale))
	}
	return w.String()
}

// rowText is one side's row: the fields in question, or that there is none.
func rowText(r *syncline.Row, c syncline.Conflict, scale func(field string) int) string {
	if r == nil && c.Kind == syncline.ConflictParked {
		return "no row"
	}
	if r == nil {
		return "deleted"
	}
	fields := c.Fields
	if len(fields) == 0 {
		fields = differing(c)
	}
	var parts []string
	for i, name := range r.Fields {
		if !slices.ContainsFunc(fields, func(f string) bool { return lowerASCII(f) == lowerASCII(name) }) {
			continue
		}
		parts = append(parts, safe(name)+" "+show(r.Values[i], scale(name)))
	}
	return strings.Join(parts, "   ")
}

// differing names the fields that the two rows do not share; all of them when there is
// only one row.
func differing(c syncline.Conflict) []string {
	row := c.A
	if row == nil {
		row = c.B
	}
	if row == nil {
		return nil
	}
	if c.A == nil || c.B == nil {
		return row.Fields
	}
	var names []string
	for i, name := range c.A.Fields {
		if !c.A.Values[i].Equal(fieldValue(c.B, name, i)) {
			names = append(names, name)
		}
	}
	if names == nil {
		return row.Fields
	}
	return names
}

func kindSign(k syncline.ConflictKind) string {
	switch k {
	case syncline.ConflictOpen:
		return "?"
	case syncline.ConflictParked:
		return "!"
	case syncline.ConflictResolved:
	}
	return "="
}

func kindColor(k syncline.ConflictKind) string {
	switch k {
	case syncline.ConflictOpen:
		return yellow
	case syncline.ConflictParked:
		return magenta
	case syncline.ConflictResolved:
	}
	return green
}

func kindText(c syncline.Conflict) string {
	switch c.Kind {
	case syncline.ConflictOpen:
		return "open (" + safe(ruleName(c.Rule)) + ")"
	case syncline.ConflictParked:
		return "parked"
	case syncline.ConflictResolved:
	}
	return "decided by " + safe(ruleName(c.Rule))
}

// ruleName writes a rule as --on-conflict takes it.
func ruleName(rule string) string {
	switch rule {
	case preferA:
		return "a"
	case preferB:
		return "b"
	}
	return rule
}

// conflictCounts are how many conflicts of each kind there are.
type conflictCounts struct {
	Open     int64 `json:"open"`
	Parked   int64 `json:"parked"`
	Resolved int64 `json:"resolved"`
}

func (n *conflictCounts) add(k syncline.ConflictKind) {
	switch k {
	case syncline.ConflictOpen:
		n.Open++
	case syncline.ConflictParked:
		n.Parked++
	case syncline.ConflictResolved:
		n.Resolved++
	}
}

// text is the last line of the list; resolve is the command that decides.
func (n conflictCounts) text(resolve string) string {
	var parts []string
	for _, k := range []struct {
		n    int64
		word string
	}{{n.Open, "open"}, {n.Parked, "parked"}, {n.Resolved, "decided by a rule"}} {
		if k.n > 0 {
			parts = append(parts, count(k.n)+" "+k.word)
		}
	}
	if len(parts) == 0 {
		return "no conflicts"
	}
	line := strings.Join(parts, ", ")
	if n.Open > 0 {
		line += "   decide with: " + resolve + " --take a|b"
	}
	return line
}

type conflictJSON struct {
	Type   string   `json:"type"` // "conflict"
	Record string   `json:"record"`
	Table  string   `json:"table"`
	Kind   string   `json:"kind"`
	Since  string   `json:"since,omitempty"`
	Rule   string   `json:"rule,omitempty"`
	Reason string   `json:"reason,omitempty"`
	At     string   `json:"at,omitempty"`
	Fields []string `json:"fields"`
	A      any      `json:"a"`
	B      any      `json:"b"`
	Result any      `json:"result"`
}

func conflictEvent(c syncline.Conflict) conflictJSON {
	e := conflictJSON{
		Type: "conflict", Record: c.Record, Table: c.Table, Kind: string(c.Kind), Rule: c.Rule,
		Reason: c.Reason, At: c.At, Fields: append([]string{}, c.Fields...),
		A: rowObject(c.A), B: rowObject(c.B), Result: rowObject(c.Result),
	}
	if !c.Since.IsZero() {
		e.Since = c.Since.UTC().Format(time.RFC3339Nano)
	}
	return e
}

type resolvedJSON struct {
	Record string `json:"record"`
	Table  string `json:"table"`
	Take   string `json:"take"`
	Result any    `json:"result"`
}
