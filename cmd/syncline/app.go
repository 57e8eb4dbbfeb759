package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// app is one invocation of the program.
type app struct {
	console
	flags   globalFlags
	command string // the words of the command that runs: "conflicts resolve"
	outcome outcome
	again   string // the command line, for people who want to continue
}

// outcome is what a command that ran without error has to say.
type outcome struct {
	summary any // of the JSON result
	exit    int // exitOK or one of the codes of an answer
}

// run runs the program and returns its exit code.
func run(args []string, c console) int {
	a := &app{console: c, again: commandLine(args)}
	a.detect()
	root := a.rootCommand()
	root.SetArgs(args)
	// Until the flags are parsed, a fault has to be reported by what they seem to be.
	a.flags.json = seemsJSON(args, c.lookupEnv)
	if a.flags.json { // help is no JSON line
		root.SetOut(a.err)
	}

	ctx, stop := a.interruptible(context.Background())
	defer stop()
	cmd, err := root.ExecuteContextC(ctx)
	a.command = strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), root.Name()), " ")
	if flushErr := a.flush(); err == nil {
		err = flushErr
	}
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil {
		a.result(a.outcome.exit, a.outcome.summary, nil)
		return a.outcome.exit
	}
	f := describe(err)
	if f.exit == exitInterrupted {
		f.hint = "continue with: " + a.again
	}
	a.result(f.exit, a.outcome.summary, &f)
	return f.exit
}

// seemsJSON reports whether --json is among arguments that could not be parsed.
func seemsJSON(args []string, lookupEnv func(string) (string, bool)) bool {
	for _, arg := range args {
		switch arg {
		case "--":
			return false
		case "--json", "--json=true":
			return true
		}
	}
	v, ok := lookupEnv(envName("json"))
	return ok && (v == "1" || v == "true")
}

// runner makes a command's function of one that returns an outcome.
func (a *app) runner(f func(ctx context.Context, args []string) (outcome, error)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		o, err := f(cmd.Context(), args)
		a.outcome = o
		return err
	}
}

// exactArgs refuses any other number of arguments than the names say.
func exactArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return &usageError{msg: "missing " + names[len(args)], hint: usageOf(cmd)}
		case len(args) > len(names):
			return &usageError{msg: "unexpected argument " + quoteArg(args[len(names)]), hint: usageOf(cmd)}
		}
		for i, arg := range args {
			if arg == "" {
				return &usageError{msg: names[i] + " is empty", hint: usageOf(cmd)}
			}
		}
		return nil
	}
}

// exists reports whether a path names something, for hints only.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil || !errors.Is(err, os.ErrNotExist)
}

// usageOf is how a command is called, for hints.
func usageOf(cmd *cobra.Command) string {
	parent := ""
	if cmd.HasParent() {
		parent = cmd.Parent().CommandPath() + " "
	}
	return "usage: " + parent + cmd.Use
}
