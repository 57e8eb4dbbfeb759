package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// globalFlags mean the same for every command.
type globalFlags struct {
	json      bool
	quiet     bool
	verbose   bool
	color     choice
	progress  choice
	logFormat choice
	timeout   time.Duration
}

const rootLong = `Syncline keeps two databases in step and shows every conflict.

  syncline demo init play && cd play    two databases to play with
  syncline sync a.db b.db               make b.db hold what a.db holds
  syncline diff a.db b.db               compare row by row, read-only
  syncline sync a.db b.db --two-way     let the edits of both cross

Every flag is also read from the environment: --max-delete from SYNCLINE_MAX_DELETE.
Exit codes: 0 yes, 1 the answer is no (differences, conflicts), 2 usage,
3 diff could not read some rows, 4 missing or unreachable, 5 not permitted,
6 refused by a guard, 7 incompatible, 8 damaged, 9 in use by another run,
130 interrupted. docs/cli.md has all of it.`

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "syncline",
		Short:         "Keep two databases in step",
		Long:          rootLong,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          a.knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.readEnv(cmd.Flags()); err != nil {
				return err
			}
			return a.settle()
		},
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SuggestionsMinimumDistance = 2
	root.SetHelpCommandGroupID("")
	root.SetFlagErrorFunc(flagError)

	g := &a.flags
	g.color = choice{"auto", []string{"auto", "always", "never"}}
	g.progress = choice{"auto", []string{"auto", "bar", "line", "json", "none"}}
	g.logFormat = choice{"text", []string{"text", "json"}}
	f := root.PersistentFlags()
	f.BoolVar(&g.json, "json", false, "print JSON lines, the last one the result")
	f.BoolVarP(&g.quiet, "quiet", "q", false, "print nothing but errors and questions")
	f.BoolVarP(&g.verbose, "verbose", "v", false, "log what is done to stderr")
	f.Var(&g.color, "color", "colors: auto, always or never")
	f.Var(&g.progress, "progress", "progress: auto, bar, line, json or none")
	f.Var(&g.logFormat, "log-format", "log lines: text or json")
	f.DurationVar(&g.timeout, "timeout", 10*time.Second, "how long to wait for locks of other programs")

	root.AddCommand(
		a.syncCommand(), a.diffCommand(), a.conflictsCommand(), a.sqlCommand(),
		a.demoCommand(), a.versionCommand(), a.completionCommand(root),
	)
	return root
}

// settle checks the global flags and what follows from them.
func (a *app) settle() error {
	if a.flags.timeout <= 0 {
		return &usageError{msg: "--timeout must be more than 0", hint: "for example --timeout 30s"}
	}
	if a.flags.quiet && a.flags.verbose {
		return &usageError{msg: "--quiet and --verbose exclude each other"}
	}
	a.paint()
	return nil
}

// knownCommand is what the program says to words that are no command.
func (a *app) knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := &usageError{msg: "unknown command " + quoteArg(args[0]), hint: "syncline help lists the commands"}
	switch near := cmd.SuggestionsFor(args[0]); {
	case len(near) > 0:
		err.hint = "did you mean " + strings.Join(near, " or ") + "?"
	case len(args) == 2 && exists(args[0]):
		err.hint = fmt.Sprintf("did you mean syncline sync %s %s?", quoteArg(args[0]), quoteArg(args[1]))
	}
	return err
}

// flagError turns what the flag parser says into a usage error with a suggestion.
func flagError(cmd *cobra.Command, err error) error {
	u := &usageError{msg: err.Error(), hint: cmd.CommandPath() + " --help lists the flags"}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return u
	}
	name := unknown.GetSpecifiedName()
	if unknown.GetSpecifiedShortnames() != "" {
		u.msg = "unknown flag -" + name
		return u
	}
	u.msg = "unknown flag --" + name
	if near := nearestFlag(cmd, name); near != "" {
		u.hint = "did you mean --" + near + "?"
	}
	return u
}

// nearestFlag returns the flag of cmd that a mistyped name most likely means, or "".
func nearestFlag(cmd *cobra.Command, name string) string {
	best, bestDistance := "", 3
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		d := distance(name, f.Name)
		if strings.HasPrefix(f.Name, name) && len(name) > 2 {
			d = min(d, 1)
		}
		if d < bestDistance {
			best, bestDistance = f.Name, d
		}
	})
	return best
}

// distance is the number of letters to insert, remove or exchange to get from a to b
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// choice is a flag that takes one of a few words.
type choice struct {
	value string
	words []string
}

func (c *choice) String() string { return c.value }

func (c *choice) Type() string { return "WORD" }

func (c *choice) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.words, ", "))
	}
	c.value = s
	return nil
}
