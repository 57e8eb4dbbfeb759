package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

type completionJSON struct {
	Shell  string `json:"shell"`
	Script string `json:"script"`
}

func (a *app) completionCommand(root *cobra.Command) *cobra.Command {
	shells := map[string]func(*bytes.Buffer) error{
		"bash":       func(w *bytes.Buffer) error { return root.GenBashCompletionV2(w, true) },
		"zsh":        func(w *bytes.Buffer) error { return root.GenZshCompletion(w) },
		"fish":       func(w *bytes.Buffer) error { return root.GenFishCompletion(w, true) },
		"powershell": func(w *bytes.Buffer) error { return root.GenPowerShellCompletionWithDesc(w) },
	}
	names := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion " + strings.Join(names, "|"),
		Short: "Print a script that completes commands and flags in a shell",
		Example: `  source <(syncline completion bash)
  syncline completion zsh > "${fpath[1]}/_syncline"
  syncline completion fish > ~/.config/fish/completions/syncline.fish`,
		Args:      exactArgs("SHELL"),
		ValidArgs: names,
		RunE: a.runner(func(_ context.Context, args []string) (outcome, error) {
			generate, ok := shells[args[0]]
			if !ok {
				return outcome{}, &usageError{msg: "no completion for " + quoteArg(args[0]), hint: "there is one for " + strings.Join(names, ", ")}
			}
			var script bytes.Buffer
			if err := generate(&script); err != nil {
				return outcome{}, fmt.Errorf("completion: %w", err)
			}
			if !a.flags.json {
				_, _ = a.out.Write(script.Bytes()) // kept by stickyWriter
			}
			return outcome{summary: completionJSON{args[0], script.String()}}, nil
		}),
	}
}
