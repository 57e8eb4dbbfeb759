package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/syncline-io/syncline"
)

// planStyle says how a plan is written.
type planStyle struct {
	paint     paint
	stateDir  string
	maxDelete string // as the flag says it
	ddl       bool   // print every statement
}

// planText writes a plan for people: one line that says it all, one per table and
// direction, and one for everything a person may want to object to.
func planText(p *syncline.Plan, style planStyle) string {
	w := &planWriter{p: p, style: style}
	w.headline()
	if !p.Nothing {
		w.tables()
	}
	w.history()
	w.creations()
	w.losses()
	w.installations()
	w.skipped()
	if p.StateBytes > 0 {
		w.line("state: about %s in %s", size(p.StateBytes), safe(style.stateDir))
	}
	return w.b.String()
}

type planWriter struct {
	b     strings.Builder
	p     *syncline.Plan
	style planStyle
}

func (w *planWriter) line(format string, args ...any) {
	fmt.Fprintf(&w.b, "      "+format+"\n", args...)
}

func (w *planWriter) headline() {
	p := w.p
	arrow := "->"
	if p.TwoWay {
		arrow = "<->"
	}
	a, b := total(p.Tables)
	parts := []string{fmt.Sprintf("%s %s %s", safe(p.A.Name), arrow, safe(p.B.Name))}
	if n := int64(len(p.Tables)); n > 0 {
		parts = append(parts, plural(n, "table", "tables"))
	}
	switch all := changes(w.style.paint, a.Inserts+b.Inserts, a.Updates+b.Updates, a.Deletes+b.Deletes); {
	case all != "":
		parts = append(parts, all)
		if n := a.Bytes + b.Bytes; n > 0 {
			parts = append(parts, "~"+size(n))
		}
	case p.Nothing:
		parts = append(parts, "nothing has changed since the last sync")
	default:
		parts = append(parts, "no rows to write")
	}
	fmt.Fprintf(&w.b, "%s  %s\n", w.style.paint.as(bold, "plan"), strings.Join(parts, "   "))
}

// total adds up what is written to the two databases.
func total(tables []syncline.TablePlan) (toA, toB syncline.Effect) {
	add := func(sum *syncline.Effect, e syncline.Effect) {
		sum.Inserts += e.Inserts
		sum.Updates += e.Updates
		sum.Deletes += e.Deletes
		sum.Overwrites += e.Overwrites
		sum.Bytes += e.Bytes
	}
	for _, t := range tables {
		add(&toA, t.ToA)
		add(&toB, t.ToB)
	}
	return toA, toB
}

func (w *planWriter) tables() {
	var unchanged []string
	width, where := 0, max(utf8.RuneCountInString(safe(w.p.A.Name)), utf8.RuneCountInString(safe(w.p.B.Name)))
	for _, t := range w.p.Tables {
		width = max(width, utf8.RuneCountInString(safe(t.Name)))
	}
	for _, t := range w.p.Tables {
		var lines []string
		for _, side := range []struct {
			name string
			e    syncline.Effect
		}{{w.p.A.Name, t.ToA}, {w.p.B.Name, t.ToB}} {
			text := changes(w.style.paint, side.e.Inserts, side.e.Updates, side.e.Deletes)
			if text == "" {
				continue
			}
			if w.p.TwoWay {
				text = fmt.Sprintf("-> %s  %s", pad(safe(side.name), where), text)
			}
			if t.FirstCopy {
				text += "   first copy"
			}
			if side.e.Bytes > 0 {
				text += "   ~" + size(side.e.Bytes)
			}
			lines = append(lines, text)
		}
		if left := leftText(t.Open, t.Parked, t.Pending, t.Conflicts); left != "" {
			lines = append(lines, left)
		}
		if len(lines) == 0 {
			unchanged = append(unchanged, t.Name)
			continue
		}
		for i, line := range lines {
			name := ""
			if i == 0 {
				name = safe(t.Name)
			}
			w.line("%s  %s", pad(name, width), line)
		}
	}
	if len(unchanged) > 0 && len(unchanged) < len(w.p.Tables) {
		w.line("unchanged: %s", list(unchanged, 8))
	}
}

// leftText names what will not be brought over: conflicts, parked rows, pending deletions.
func leftText(open, parked, pending, conflicts int64) string {
	var parts []string
	if conflicts > 0 {
		s := plural(conflicts, "conflict", "conflicts")
		if open > 0 && open != conflicts {
			s += fmt.Sprintf(", %s open", count(open))
		} else if open == conflicts {
			s += ", open"
		}
		parts = append(parts, s)
	} else if open > 0 {
		parts = append(parts, plural(open, "open conflict", "open conflicts"))
	}
	if parked > 0 {
		parts = append(parts, plural(parked, "parked row", "parked rows"))
	}
	if pending > 0 {
		parts = append(parts, plural(pending, "deletion pending", "deletions pending"))
	}
	return strings.Join(parts, "   ")
}

func (w *planWriter) history() {
	if text := historyText(w.p); text != "" {
		w.line("%s", text)
	}
}

// historyText says why the state does not know what became of the rows since the last
// sync, "" when it does or when that could not matter.
func historyText(p *syncline.Plan) string {
	if p.Known || p.Nothing || p.A.Empty || p.B.Empty {
		return "" // what is copied into an empty database has no history
	}
	what := "rows that differ are overwritten"
	if p.TwoWay {
		what = "rows that differ are conflicts"
	}
	return fmt.Sprintf("history unknown: %s; %s, no deletion is guessed", safe(p.Unknown), what)
}

func (w *planWriter) creations() {
	for _, d := range []syncline.Database{w.p.A, w.p.B} {
		if !d.Exists {
			w.line("creates the database %s", safe(d.Name))
		}
		var tables []string
		var indexes, others int64
		for _, c := range w.p.Creates {
			if c.Database != d.Name {
				continue
			}
			switch creates(c.SQL) {
			case "TABLE":
				tables = append(tables, c.Table)
			case "INDEX":
				indexes++
			default:
				others++
			}
		}
		if len(tables) == 0 && indexes == 0 && others == 0 {
			continue
		}
		parts := []string{plural(int64(len(tables)), "table", "tables")}
		if indexes > 0 {
			parts = append(parts, plural(indexes, "index", "indexes"))
		}
		if others > 0 {
			parts = append(parts, plural(others, "other object", "other objects"))
		}
		w.line("creates %s in %s: %s", strings.Join(parts, " and "), safe(d.Name), list(tables, w.most(tables, 8)))
	}
	if w.style.ddl {
		for _, c := range w.p.Creates {
			for line := range strings.Lines(c.SQL) {
				w.line("    %s", safe(strings.TrimRight(line, "\r\n")))
			}
		}
	}
}

// creates says what kind of object a CREATE statement makes.
func creates(sql string) string {
	for _, word := range strings.Fields(strings.ToUpper(sql)) {
		if word == "TABLE" || word == "INDEX" {
			return word
		}
	}
	return ""
}

// losses says which rows go or are overwritten, and out of how many.
func (w *planWriter) losses() {
	for _, t := range w.p.Tables {
		for _, side := range []struct {
			name string
			rows int64
			e    syncline.Effect
		}{{w.p.A.Name, t.RowsA, t.ToA}, {w.p.B.Name, t.RowsB, t.ToB}} {
			if side.e.Deletes > 0 {
				text := fmt.Sprintf("deletes %s of %s from %s", count(side.e.Deletes), safe(t.Name), safe(side.name))
				if side.rows >= side.e.Deletes {
					text = fmt.Sprintf("deletes %s of %s rows of %s from %s (%s, at most %s)", count(side.e.Deletes), count(side.rows),
						safe(t.Name), safe(side.name), percent(side.e.Deletes, side.rows), strings.Replace(w.style.maxDelete, "%", " %", 1))
				}
				w.line("%s", w.style.paint.as(red, text))
			}
			if side.e.Overwrites > 0 {
				reason := "edited there since the last sync"
				switch {
				case !w.p.Known && side.e.Overwrites == 1:
					reason = "that differs"
				case !w.p.Known:
					reason = "that differ"
				}
				w.line("%s", w.style.paint.as(yellow, fmt.Sprintf("overwrites %s of %s in %s %s",
					plural(side.e.Overwrites, "row", "rows"), safe(t.Name), safe(side.name), reason)))
			}
		}
		for _, side := range []struct {
			name    string
			emptied bool
		}{{w.p.A.Name, t.EmptiedA}, {w.p.B.Name, t.EmptiedB}} {
			if side.emptied {
				w.line("%s", w.style.paint.as(red, fmt.Sprintf("all rows of %s are gone from %s", safe(t.Name), safe(side.name))))
			}
		}
	}
}

func (w *planWriter) installations() {
	for _, d := range []string{w.p.A.Name, w.p.B.Name} {
		var names []string
		for _, in := range w.p.Installs {
			if in.Database == d {
				names = append(names, in.Name)
			}
		}
		if len(names) > 0 {
			w.line("--watch installs in %s: %s", safe(d), list(names, w.most(names, 7)))
		}
	}
}

// most is how many of names to write: all of them for whoever wants every statement.
func (w *planWriter) most(names []string, most int) int {
	if w.style.ddl {
		return len(names)
	}
	return most
}

// skipped names what is not synced, things with one reason on one line.
func (w *planWriter) skipped() {
	for _, line := range skippedLines(w.p.Skipped) {
		w.line("not synced: %s", line)
	}
}

// skippedLines groups what is left out by database, kind and reason, in the order given.
func skippedLines(skipped []syncline.SkippedObject) []string {
	type group struct{ database, kind, reason string }
	names := make(map[group][]string)
	var order []group
	for _, s := range skipped {
		g := group{s.Database, s.Kind, s.Reason}
		if names[g] == nil {
			order = append(order, g)
		}
		if !slices.Contains(names[g], s.Name) {
			names[g] = append(names[g], s.Name)
		}
	}
	var lines []string
	for _, g := range order {
		line := fmt.Sprintf("%s %s in %s", safe(g.kind), list(names[g], len(names[g])), safe(g.database))
		if g.reason != "" {
			line += " (" + safe(g.reason) + ")"
		}
		lines = append(lines, line)
	}
	return lines
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}
