package main

import (
	"fmt"
	"strings"

	"github.com/syncline-io/syncline"
)

// runMode is what a summary has to know of how the run was asked for.
type runMode struct {
	twoWay bool
	chosen bool // only some of the tables
}

// summaryText says in plain words what a run did and what is left; list is the command
// that lists the conflicts.
func summaryText(r *syncline.Report, a, b string, m runMode, list string) []string {
	first := doneText(r, a, b, m)
	lines := []string{first}
	if r.Resolved > 0 {
		lines = append(lines, fmt.Sprintf("%s decided by a rule: %s", plural(r.Resolved, "conflict", "conflicts"), list))
	}
	if r.Open > 0 {
		lines = append(lines, fmt.Sprintf("%s open, neither side was touched: %s", plural(r.Open, "conflict is", "conflicts are"), list))
	}
	if r.Parked > 0 {
		lines = append(lines, fmt.Sprintf("%s: %s",
			plural(r.Parked, "row is parked, a database refuses it", "rows are parked, a database refuses them"), list))
	}
	if r.Pending > 0 {
		lines = append(lines, plural(r.Pending, "deletion is pending: --delete sends it", "deletions are pending: --delete sends them"))
	}
	if r.Deviations > 0 {
		lines = append(lines, fmt.Sprintf("%s kept different by a database's own triggers", plural(r.Deviations, "row is", "rows are")))
	}
	return lines
}

// doneText is the first sentence: what was written, and how the databases stand.
func doneText(r *syncline.Report, a, b string, m runMode) string {
	var standing, within string
	if m.chosen {
		within = " in the tables chosen"
	}
	switch {
	case r.Plan != nil && len(r.Plan.Tables) == 0:
		standing = "there is no table to sync"
	case !r.Settled:
		standing = "the databases are not in step yet"
	case m.twoWay:
		standing = fmt.Sprintf("%s and %s hold the same rows", safe(a), safe(b)) + within
	default:
		standing = fmt.Sprintf("%s holds every row of %s", safe(b), safe(a)) + within
	}
	if r.Settled && (r.Deviations > 0 || m.twoWay && r.Pending > 0) {
		standing += " but for the following"
	}
	var wrote []string
	for _, side := range []struct {
		name string
		e    syncline.Effect
	}{{a, r.ToA}, {b, r.ToB}} {
		if text := effectText(side.e); text != "" {
			wrote = append(wrote, fmt.Sprintf("%s: %s", safe(side.name), text))
		}
	}
	if len(wrote) == 0 {
		return fmt.Sprintf("nothing to do, %s   %s", standing, seconds(r.Elapsed))
	}
	return fmt.Sprintf("done, %s   %s   %s in %s", standing, strings.Join(wrote, "   "),
		size(r.ToA.Bytes+r.ToB.Bytes), seconds(r.Elapsed))
}

// effectText says what happened to one database.
func effectText(e syncline.Effect) string {
	var parts []string
	for _, c := range []struct {
		n    int64
		word string
	}{{e.Inserts, "inserted"}, {e.Updates, "updated"}, {e.Deletes, "deleted"}} {
		if c.n > 0 {
			parts = append(parts, count(c.n)+" "+c.word)
		}
	}
	return strings.Join(parts, ", ")
}

// roundText is one round of watching on one line.
func roundText(p paint, r *syncline.Report, a, b string) string {
	var parts []string
	for _, side := range []struct {
		name string
		e    syncline.Effect
	}{{a, r.ToA}, {b, r.ToB}} {
		if text := changes(p, side.e.Inserts, side.e.Updates, side.e.Deletes); text != "" {
			parts = append(parts, fmt.Sprintf("-> %s  %s", safe(side.name), text))
		}
	}
	if left := leftText(r.Open, r.Parked, r.Pending, 0); left != "" {
		parts = append(parts, left)
	}
	if len(parts) == 0 {
		return "in step"
	}
	return strings.Join(parts, "   ")
}

// removalText says what --uninstall removed.
func removalText(r *syncline.Removal, a, b string) []string {
	var lines []string
	for _, d := range r.Databases {
		lines = append(lines, "removed this pair's traces from "+safe(d))
	}
	if r.StateDir != "" {
		lines = append(lines, "removed the state "+safe(r.StateDir))
	}
	if len(lines) == 0 {
		lines = append(lines, fmt.Sprintf("there was nothing of the pair %s and %s", safe(a), safe(b)))
	}
	return lines
}
