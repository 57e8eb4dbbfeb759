package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const cliDoc = "../../docs/cli.md"

// flagTable is the table of flags of docs/cli.md.
func flagTable() string {
	a := &app{}
	root := a.rootCommand()
	var b strings.Builder
	b.WriteString("| command | flag | default | variable | meaning |\n|---|---|---|---|---|\n")
	row := func(command string, f *pflag.Flag) {
		name, usage := pflag.UnquoteUsage(f)
		flag := "--" + f.Name
		if name != "" {
			flag += " " + name
		}
		if f.Shorthand != "" {
			flag = "-" + f.Shorthand + ", " + flag
		}
		value := ""
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "[]" {
			value = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | `%s` | %s |\n", command, flag, value, envName(f.Name), strings.ReplaceAll(usage, "|", `\|`))
	}
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { row("all", f) })
	eachCommand(root, func(c *cobra.Command) {
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" {
				row(strings.TrimPrefix(c.CommandPath(), "syncline "), f)
			}
		})
	})
	return b.String()
}

func eachCommand(c *cobra.Command, f func(*cobra.Command)) {
	for _, sub := range c.Commands() {
		f(sub)
		eachCommand(sub, f)
	}
}

func TestDocsNameEveryFlag(t *testing.T) {
	doc, err := os.ReadFile(cliDoc)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = " -update -->\n", "<!-- end of flags -->"
	head, rest, ok := strings.Cut(string(doc), begin)
	table, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("docs/cli.md has no place for the flags")
	}
	if want := flagTable(); table != want {
		if !*update {
			t.Fatalf("docs/cli.md does not name the flags as they are; go test -update writes it. Want\n%s", want)
		}
		if err := os.WriteFile(cliDoc, []byte(head+begin+want+end+tail), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDocsNameEveryCommandAndCode(t *testing.T) {
	b, err := os.ReadFile(cliDoc)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	eachCommand((&app{}).rootCommand(), func(c *cobra.Command) {
		if name := strings.TrimPrefix(c.CommandPath(), "syncline "); name != "help" && !strings.Contains(doc, name) {
			t.Errorf("docs/cli.md does not name %s", name)
		}
		if c.Short == "" || c.Runnable() && c.Name() != "demo" && c.Name() != "version" && c.Example == "" {
			t.Errorf("%s has no short description or example", c.CommandPath())
		}
	})
	for _, code := range []int{
		exitOK, exitNo, exitUsage, exitPartial, exitUnreachable, exitPermission, exitGuard,
		exitIncompatible, exitCorrupt, exitBusy, exitInterrupted,
	} {
		if !strings.Contains(doc, fmt.Sprintf("\n| %d |", code)) {
			t.Errorf("docs/cli.md does not say what exit %d means", code)
		}
	}
}
