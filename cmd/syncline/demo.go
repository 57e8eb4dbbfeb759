package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/syncline-io/syncline/endpoint"
	"zombiezen.com/go/sqlite"
)

type demoJSON struct {
	Dir       string `json:"dir"`
	A         string `json:"a"`
	B         string `json:"b"`
	Customers int    `json:"customers"`
	Orders    int    `json:"orders"`
	Lines     int    `json:"lines"`
}

func (a *app) demoCommand() *cobra.Command {
	demo := &cobra.Command{
		Use:   "demo",
		Short: "Make databases to play with",
		Args:  a.knownSubcommand("demo init DIR"),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	demo.AddCommand(&cobra.Command{
		Use:   "init DIR",
		Short: "Make a.db with 10,000 orders, and an empty b.db",
		Long: `Init makes two databases in a directory: a.db with 10,000 orders, their lines and
customers, always the same ones, and b.db with nothing in it. It overwrites nothing.`,
		Example: `  syncline demo init play && cd play`,
		Args:    exactArgs("DIR"),
		RunE: a.runner(func(ctx context.Context, args []string) (outcome, error) {
			return a.demo(ctx, args[0])
		}),
	})
	return demo
}

// knownSubcommand refuses words that are no subcommand.
func (a *app) knownSubcommand(usage string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return &usageError{msg: "unknown command " + quoteArg(args[0]), hint: "usage: syncline " + usage}
		}
		return nil
	}
}

func (a *app) demo(ctx context.Context, dir string) (outcome, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return outcome{}, fileFault(dir, "create", err)
	}
	x, y := filepath.Join(dir, "a.db"), filepath.Join(dir, "b.db")
	for _, path := range []string{x, y} {
		if _, err := os.Lstat(path); err == nil {
			return outcome{}, &refusedError{msg: path + " exists, nothing was written", hint: "name another directory, or remove it"}
		}
	}
	if err := claim(x); err != nil {
		return outcome{}, err
	}
	if err := fillDemo(ctx, x); err != nil {
		return outcome{}, errors.Join(err, os.Remove(x))
	}
	if err := claim(y); err != nil {
		return outcome{}, errors.Join(err, os.Remove(x))
	}
	a.say("%s   %s customers, %s orders, %s lines", safe(x), count(demoCustomers), count(demoOrders), count(demoLines))
	a.say("%s   empty", safe(y))
	next := "syncline sync a.db b.db"
	if filepath.Clean(dir) != "." {
		next = "cd " + quoteArg(dir) + " && " + next
	}
	a.say("next: %s", next)
	return outcome{summary: demoJSON{Dir: dir, A: x, B: y, Customers: demoCustomers, Orders: demoOrders, Lines: demoLines}}, nil
}

// claim creates an empty file, which is an empty database, where there is none.
func claim(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return &refusedError{msg: path + " exists", hint: "name another directory, or remove it"}
	}
	if err != nil {
		return fileFault(path, "create", err)
	}
	return f.Close()
}

// fileFault gives an error of the file system its family.
func fileFault(path, op string, err error) error {
	e := &endpoint.Error{Family: endpoint.Unreachable, Op: op, Name: path, Hint: "check the disk", Err: err}
	switch {
	case errors.Is(err, fs.ErrPermission):
		e.Family, e.Hint = endpoint.Permission, "check who may write there"
	case errors.Is(err, fs.ErrNotExist):
		e.Family, e.Hint = endpoint.NotExist, "check the path"
	}
	return e
}

// fillDemo fills an empty database in one transaction.
func fillDemo(ctx context.Context, path string) (err error) {
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return sqlFault(path, err)
	}
	defer func() {
		if e := conn.Close(); err == nil && e != nil {
			err = sqlFault(path, e)
		}
	}()
	conn.SetInterrupt(ctx.Done())
	for _, step := range append([]string{"BEGIN"}, demoSchema...) {
		if err := execSQL(conn, step); err != nil {
			return sqlFault(path, err)
		}
	}
	if err := insertDemo(conn); err != nil {
		return sqlFault(path, fmt.Errorf("fill: %w", err))
	}
	if err := execSQL(conn, "COMMIT"); err != nil {
		return sqlFault(path, err)
	}
	return nil
}
