package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/endpoint"
)

type conflictFlags struct {
	pairFlags
	ruleFlags
	take string
}

func (f *conflictFlags) options(a *app) (syncline.StateOptions, error) {
	o := syncline.StateOptions{Logger: a.logger(a.err)}
	var err error
	if f.ruleFlags.given() {
		if o.OnConflict, o.Rules, err = f.parse(); err != nil {
			return o, err
		}
	}
	o.StateDir, err = f.stateDir()
	return o, err
}

func (f *conflictFlags) add(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.onConflict, "on-conflict", "", "the `RULE` to judge by (default those of the last sync)")
	fl.StringArrayVar(&f.rules, "rule", nil, "a rule to judge by, `TABLE[.FIELD]=RULE` (repeatable)")
	f.addKeys(cmd)
	f.addState(cmd)
}

func (a *app) conflictsCommand() *cobra.Command {
	var f conflictFlags
	cmd := &cobra.Command{
		Use:   "conflicts A B",
		Short: "List the conflicts of a pair, or resolve one",
		Long: `Conflicts lists the records that both databases have edited, with both values, since
when and by which rule, and the rows that a constraint of a database refuses. Nothing is
written. The exit code is 1 when something is open or parked.`,
		Example: `  syncline conflicts a.db b.db
  syncline conflicts resolve a.db b.db orders/7 --take a`,
		Args: exactArgs("A", "B"),
		RunE: a.runner(func(ctx context.Context, args []string) (outcome, error) {
			return a.conflicts(ctx, &f, args)
		}),
	}
	f.add(cmd)
	cmd.AddCommand(a.resolveCommand())
	return cmd
}

func (a *app) conflicts(ctx context.Context, f *conflictFlags, args []string) (outcome, error) {
	o, err := f.options(a)
	if err != nil {
		return outcome{}, err
	}
	x, y, err := a.open(&f.pairFlags, args, true)
	if err != nil {
		return outcome{}, err
	}
	schema, err := x.Schema(ctx)
	if err != nil {
		return outcome{}, err
	}
	var n conflictCounts
	err = syncline.Conflicts(ctx, x, y, o, func(c syncline.Conflict) error {
		n.add(c.Kind)
		if a.flags.json {
			a.event(conflictEvent(c))
			return *a.broken
		}
		a.say("%s", conflictText(a.outPaint, c, args[0], args[1], time.Local, columnScale(schema.Table(c.Table))))
		return *a.broken
	})
	if err != nil {
		return outcome{}, err
	}
	a.say("%s", n.text(conflictsCommand("conflicts resolve", args, &f.pairFlags, &f.ruleFlags)))
	out := outcome{summary: n}
	if n.Open+n.Parked > 0 {
		out.exit = exitNo
	}
	return out, nil
}

// conflictsCommand writes a command about the conflicts of a pair for people to run, with
// the flags that decide what is a conflict and where the state is.
func conflictsCommand(name string, args []string, p *pairFlags, r *ruleFlags) string {
	words := append(strings.Fields(name), args[:2]...)
	if strings.HasSuffix(name, "resolve") {
		words = append(words, "RECORD")
	}
	if r.onConflict != "" {
		words = append(words, "--on-conflict", r.onConflict)
	}
	for _, rule := range r.rules {
		words = append(words, "--rule", rule)
	}
	for _, key := range p.keys {
		words = append(words, "--key", key)
	}
	if p.state != "" {
		words = append(words, "--state", p.state)
	}
	return commandLine(words)
}

// columnScale returns the decimal places that a table declares for a column, -1 for none.
func columnScale(t *endpoint.Table) func(string) int {
	return func(column string) int {
		if t != nil {
			for _, c := range t.Columns {
				if lowerASCII(c.Name) == lowerASCII(column) {
					return c.Scale
				}
			}
		}
		return -1
	}
}

func (a *app) resolveCommand() *cobra.Command {
	var f conflictFlags
	cmd := &cobra.Command{
		Use:   "resolve A B RECORD --take a|b",
		Short: "Decide a conflict: both databases get the row of one",
		Long: `Resolve decides a conflict: both databases get the row that one of them has, or lose it
where that one has deleted it. RECORD is written as conflicts lists it: orders/7,
lines/[7,2], customers/"k".`,
		Example: `  syncline conflicts resolve a.db b.db orders/7 --take a`,
		Args:    exactArgs("A", "B", "RECORD"),
		RunE: a.runner(func(ctx context.Context, args []string) (outcome, error) {
			return a.resolve(ctx, &f, args)
		}),
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.take, "take", "", "whose row to take: a (the first database) or b (`SIDE`)")
	return cmd
}

func (a *app) resolve(ctx context.Context, f *conflictFlags, args []string) (outcome, error) {
	from := ""
	switch f.take {
	case "a":
		from = args[0]
	case "b":
		from = args[1]
	case "":
		return outcome{}, &usageError{msg: "whose row is to be taken?", hint: "--take a for that of " + args[0] + ", --take b for that of " + args[1]}
	default:
		return outcome{}, &usageError{msg: "--take " + quoteArg(f.take) + " is neither a nor b", hint: "a is the first database, b the second"}
	}
	o, err := f.options(a)
	if err != nil {
		return outcome{}, err
	}
	x, y, err := a.open(&f.pairFlags, args, false)
	if err != nil {
		return outcome{}, err
	}
	c, err := syncline.Resolve(ctx, x, y, o, args[2], syncline.Take(f.take))
	if err != nil {
		return outcome{}, err
	}
	row := c.A
	if f.take == "b" {
		row = c.B
	}
	what := "both databases hold its row"
	if row == nil {
		what = "both databases have deleted it"
	}
	a.say("%s: took %s, %s", safe(c.Record), safe(from), what)
	return outcome{summary: resolvedJSON{Record: c.Record, Table: c.Table, Take: f.take, Result: rowObject(row)}}, nil
}
