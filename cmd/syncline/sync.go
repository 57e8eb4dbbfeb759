package main

import (
	"context"
	"fmt"
	"math"

	"github.com/spf13/cobra"
	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/endpoint/sqlite"
)

// pairFlags are the flags of everything that looks at a pair of databases.
type pairFlags struct {
	tables, exclude, keys []string
	state                 string
}

func (f *pairFlags) addTables(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&f.tables, "table", "t", nil, "only tables that match `PATTERN` (repeatable)")
	cmd.Flags().StringArrayVarP(&f.exclude, "exclude", "x", nil, "no tables that match `PATTERN` (repeatable)")
	f.addKeys(cmd)
}

func (f *pairFlags) addKeys(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.keys, "key", nil, "key columns of a table without a primary key, `TABLE:COLUMN,...` (repeatable)")
}

func (f *pairFlags) addState(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.state, "state", "", "`DIR` that holds the state of all pairs (default the user's state directory)")
}

// stateDir is where the state of all pairs lives.
func (f *pairFlags) stateDir() (string, error) {
	if f.state != "" {
		return f.state, nil
	}
	return syncline.DefaultStateDir()
}

// open names the two databases. Nothing is touched yet.
func (a *app) open(f *pairFlags, args []string, readOnly bool) (x, y endpoint.Endpoint, err error) {
	keys, err := parseKeys(f.keys)
	if err != nil {
		return nil, nil, err
	}
	o := sqlite.Options{Timeout: a.flags.timeout, Keys: keys, ReadOnly: readOnly}
	var both [2]endpoint.Endpoint
	for i, path := range args[:2] {
		if err := localPath(path); err != nil {
			return nil, nil, err
		}
		if both[i], err = sqlite.Open(path, o); err != nil {
			return nil, nil, err
		}
	}
	return both[0], both[1], nil
}

type syncFlags struct {
	pairFlags
	ruleFlags
	twoWay, watch, delete, dryRun, yes bool
	allowEmptySource, uninstall        bool
	maxDelete                          string
}

func (a *app) syncCommand() *cobra.Command {
	var f syncFlags
	cmd := &cobra.Command{
		Use:   "sync A B",
		Short: "Make B hold what A holds, or with --two-way let the edits of both cross",
		Long: `Sync makes the second database hold what the first one holds. It inserts and updates;
rows that only B has are deleted only with --delete. With --two-way the edits of both
databases cross, and records that both have edited stay as they are, listed as conflicts
(syncline conflicts), until somebody or the rule of --on-conflict decides.

A plan is shown first on a terminal, and asked about when it deletes, overwrites or
changes a schema; --yes agrees beforehand. --yes lifts no guard: a table may not lose
more than --max-delete of its rows, and not all of them without --allow-empty-source.

Interrupting it at any moment is safe: the next run continues.`,
		Example: `  syncline sync a.db b.db
  syncline sync a.db b.db --delete --dry-run
  syncline sync a.db b.db --two-way --watch
  syncline sync a.db b.db --two-way --on-conflict newest:updated_at --rule stock.qty=counter`,
		Args: exactArgs("A", "B"),
		RunE: a.runner(func(ctx context.Context, args []string) (outcome, error) {
			if f.uninstall {
				return a.uninstall(ctx, &f, args)
			}
			return a.sync(ctx, &f, args)
		}),
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.twoWay, "two-way", false, "let the edits of both databases cross")
	fl.BoolVar(&f.watch, "watch", false, "stay and carry every edit over at once")
	fl.BoolVar(&f.delete, "delete", false, "delete too: rows that only B has; two ways, deletions that one-way runs left unsent")
	fl.StringVar(&f.maxDelete, "max-delete", "10%", "greatest `SHARE` of a table, from 100 rows on, that a run may delete")
	fl.BoolVar(&f.allowEmptySource, "allow-empty-source", false, "go on although a table has lost all of its rows")
	fl.StringVar(&f.onConflict, "on-conflict", "keep", "what becomes of a record that both edited: `RULE`, one of "+rulesHelp)
	fl.StringArrayVar(&f.rules, "rule", nil, "the rule of one table or field, `TABLE[.FIELD]=RULE` (repeatable)")
	f.addTables(cmd)
	fl.BoolVarP(&f.dryRun, "dry-run", "n", false, "show the plan and write nothing")
	fl.BoolVarP(&f.yes, "yes", "y", false, "agree to the plan beforehand")
	f.addState(cmd)
	fl.BoolVar(&f.uninstall, "uninstall", false, "remove every trace of this pair from both databases, and its state")
	return cmd
}

// options makes the library's options of the flags.
func (f *syncFlags) options() (syncline.Options, error) {
	o := syncline.Options{
		TwoWay: f.twoWay, Delete: f.delete, Watch: f.watch, DryRun: f.dryRun, Yes: f.yes,
		AllowEmptySource: f.allowEmptySource, Tables: f.tables, Exclude: f.exclude,
	}
	var err error
	if o.MaxDelete, err = parseShare(f.maxDelete); err != nil {
		return o, &usageError{msg: fmt.Sprintf("--max-delete %s: %v", quoteArg(f.maxDelete), err)}
	}
	if o.MaxDelete == 0 { // which is the default's sign; nobody has that many rows
		o.MaxDelete = math.SmallestNonzeroFloat64
	}
	if o.OnConflict, o.Rules, err = f.parse(); err != nil {
		return o, err
	}
	o.StateDir, err = f.stateDir()
	return o, err
}

func (a *app) sync(ctx context.Context, f *syncFlags, args []string) (outcome, error) {
	o, err := f.options()
	if err != nil {
		return outcome{}, err
	}
	x, y, err := a.open(&f.pairFlags, args, f.dryRun)
	if err != nil {
		return outcome{}, err
	}
	m := a.newMeter()
	defer m.stop()
	s := &syncSession{app: a, flags: f, args: args, meter: m}
	o.Plan = s.plan
	if a.canAsk() {
		o.Confirm = s.confirm
	}
	o.Progress = s.progress
	o.Round = s.round
	o.Logger = a.logger(m)

	report, err := syncline.Sync(ctx, x, y, o)
	m.stop()
	if err != nil {
		return outcome{}, s.explain(err)
	}
	return s.finish(report), nil
}

// uninstall removes the pair.
func (a *app) uninstall(ctx context.Context, f *syncFlags, args []string) (outcome, error) {
	if f.dryRun || f.watch {
		return outcome{}, &usageError{msg: "--uninstall goes with neither --dry-run nor --watch"}
	}
	dir, err := f.stateDir()
	if err != nil {
		return outcome{}, err
	}
	x, y, err := a.open(&f.pairFlags, args, false)
	if err != nil {
		return outcome{}, err
	}
	removed, err := syncline.Uninstall(ctx, x, y, syncline.StateOptions{StateDir: dir, Logger: a.logger(a.err)})
	if err != nil {
		return outcome{}, err
	}
	for _, line := range removalText(removed, args[0], args[1]) {
		a.say("%s", line)
	}
	return outcome{summary: removalSummary(removed)}, nil
}
