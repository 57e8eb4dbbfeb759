package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/syncline-io/syncline"
)

// syncSession is one run of sync: what the library calls back while it works.
type syncSession struct {
	*app
	flags    *syncFlags
	args     []string
	meter    *meter
	first    *syncline.Plan // the first that was made
	shown    bool           // the plan has been printed
	watching bool
}

// plan shows a plan: on a terminal always, and where it is itself the result.
func (s *syncSession) plan(p *syncline.Plan) {
	s.meter.clear()
	if s.first == nil {
		s.first = p
	}
	switch {
	case s.app.flags.json:
		s.event(planEvent(p))
	case s.flags.dryRun && !s.app.flags.quiet:
		s.print(s.out, s.outPaint, p)
	case s.errTTY && !s.app.flags.quiet, s.app.flags.verbose:
		s.print(s.err, s.errPaint, p)
	}
}

func (s *syncSession) print(w io.Writer, color paint, p *syncline.Plan) {
	s.shown = true
	dir, _ := s.flags.stateDir() // known to be good, options took it
	_, _ = io.WriteString(w, planText(p, planStyle{paint: color, stateDir: dir, maxDelete: s.flags.maxDelete, ddl: s.app.flags.verbose}))
}

// canAsk reports whether there is somebody to ask.
func (a *app) canAsk() bool {
	return a.inTTY && a.errTTY && !a.flags.json
}

// confirm asks whether to go on. Anything but yes is no.
func (s *syncSession) confirm(ctx context.Context, p *syncline.Plan) (bool, error) {
	s.meter.clear()
	if !s.shown {
		s.print(s.err, s.errPaint, p)
	}
	fmt.Fprintf(s.err, "%s [y/N] ", s.errPaint.as(bold, "proceed?"))
	answer := make(chan string, 1)
	go func() { // ends with the program when nobody answers
		line, _ := bufio.NewReader(s.in).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case text := <-answer:
		return text == "y" || text == "yes", nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (s *syncSession) progress(p syncline.Progress) {
	if p.Phase != syncline.PhaseWatch {
		s.meter.update(p)
		return
	}
	s.meter.clear()
	if s.watching {
		return
	}
	s.watching = true
	if s.first != nil {
		s.brief(s.first)
	}
	arrow := "->"
	if s.flags.twoWay {
		arrow = "<->"
	}
	if s.app.flags.json {
		s.event(watchEvent{Type: "watch", A: s.args[0], B: s.args[1]})
		return
	}
	s.note("%s  watching %s %s %s; Ctrl-C stops", time.Now().Format(time.TimeOnly), safe(s.args[0]), arrow, safe(s.args[1]))
}

// round prints what a round of watching did.
func (s *syncSession) round(r *syncline.Report) {
	s.meter.clear()
	if s.app.flags.json {
		s.event(roundEvent{Type: "round", Summary: summaryOf(r)})
		return
	}
	s.say("%s  %s", time.Now().Format(time.TimeOnly), roundText(s.outPaint, r, s.args[0], s.args[1]))
}

// finish prints what a run did and decides about the exit code.
func (s *syncSession) finish(r *syncline.Report) outcome {
	o := outcome{summary: summaryOf(r)}
	if s.flags.dryRun {
		return o
	}
	if !r.Settled {
		o.exit = exitNo
	}
	if s.first != nil {
		s.brief(s.first)
	}
	mode := runMode{twoWay: s.flags.twoWay, chosen: len(s.flags.tables)+len(s.flags.exclude) > 0}
	for _, line := range summaryText(r, s.args[0], s.args[1], mode, s.flags.command("conflicts", s.args)) {
		s.say("%s", line)
	}
	return o
}

// command is a command about the conflicts of the pair. The state remembers the rules.
func (f *syncFlags) command(name string, args []string) string {
	return conflictsCommand(name, args, &f.pairFlags, &ruleFlags{})
}

// brief says what of a plan nobody should miss, where the plan itself was not shown.
func (s *syncSession) brief(p *syncline.Plan) {
	if s.shown {
		return
	}
	s.shown = true
	if text := historyText(p); text != "" {
		s.note("%s", text)
	}
	for _, line := range skippedLines(tablesOf(p.Skipped)) {
		s.note("not synced: %s", line)
	}
}

// tablesOf returns the tables among things that are not synced.
func tablesOf(skipped []syncline.SkippedObject) []syncline.SkippedObject {
	return slices.DeleteFunc(slices.Clone(skipped), func(o syncline.SkippedObject) bool { return o.Kind != "table" })
}

// explain shows the plan that a guard refused, unless it has been shown.
func (s *syncSession) explain(err error) error {
	var guard *syncline.GuardError
	if errors.As(err, &guard) && guard.Plan != nil && !s.shown && !s.app.flags.json && !s.app.flags.quiet {
		s.print(s.err, s.errPaint, guard.Plan)
	}
	return err
}
