package main

import (
	"bufio"
	"context"

	"github.com/spf13/cobra"
	"github.com/syncline-io/syncline"
)

type diffFlags struct {
	pairFlags
	cells bool
}

func (a *app) diffCommand() *cobra.Command {
	var f diffFlags
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two databases row by row, read-only",
		Long: `Diff compares two databases row by row and writes nothing, anywhere. Each line is a row:

  + only in A, sync A B would insert it
  - only in B
  * in both and not the same; --cells shows the value in B, an arrow, the value in A
  ! could not be read

The last line counts them. The exit code is 0 when everything is equal, 1 when something
differs, 3 when something could not be read.`,
		Example: `  syncline diff a.db b.db
  syncline diff a.db b.db --cells -t orders`,
		Args: exactArgs("A", "B"),
		RunE: a.runner(func(ctx context.Context, args []string) (outcome, error) {
			return a.diff(ctx, &f, args)
		}),
	}
	cmd.Flags().BoolVar(&f.cells, "cells", false, "show the values that differ")
	f.addTables(cmd)
	return cmd
}

func (a *app) diff(ctx context.Context, f *diffFlags, args []string) (outcome, error) {
	x, y, err := a.open(&f.pairFlags, args, true)
	if err != nil {
		return outcome{}, err
	}
	m := a.newMeter()
	defer m.stop()
	w := bufio.NewWriter(a.out)
	o := syncline.DiffOptions{
		Tables: f.tables, Exclude: f.exclude, Progress: m.update,
		Row: func(d syncline.RowDifference) error {
			switch {
			case a.flags.json:
				a.event(differenceEvent(d, f.cells))
			case a.flags.quiet:
			default:
				// A bar would be drawn into the lines where both go to one terminal.
				if a.outTTY {
					m.clear()
				}
				if _, err := w.WriteString(differenceText(a.outPaint, d, args[0], args[1], f.cells) + "\n"); err != nil {
					return err
				}
				if a.outTTY {
					return w.Flush()
				}
			}
			return *a.broken
		},
	}
	c, err := syncline.Diff(ctx, x, y, o)
	m.stop()
	if flushErr := w.Flush(); err == nil {
		err = flushErr
	}
	if err != nil {
		return outcome{}, err
	}
	for _, line := range skippedLines(c.Skipped) {
		a.note("not compared: %s", line)
	}
	a.say("%s", comparisonText(a.outPaint, c))
	out := outcome{summary: comparisonSummary(c)}
	switch {
	case c.Unreadable > 0:
		out.exit = exitPartial
	case !c.Same():
		out.exit = exitNo
	}
	return out, nil
}
