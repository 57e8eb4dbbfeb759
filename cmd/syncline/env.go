package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// envName is the environment variable that stands for a flag.
func envName(flag string) string {
	return "SYNCLINE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// readEnv sets the flags that the command line left alone from the environment. A flag
// that may be repeated takes one value per line of its variable.
func (a *app) readEnv(flags *pflag.FlagSet) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || f.Name == "help" || failed != nil {
			return
		}
		name := envName(f.Name)
		text, ok := a.lookupEnv(name)
		if !ok || text == "" {
			return
		}
		values := []string{text}
		if f.Value.Type() == "stringArray" {
			values = strings.Split(strings.TrimRight(text, "\n"), "\n")
		}
		for _, v := range values {
			if err := flags.Set(f.Name, v); err != nil {
				failed = &usageError{
					msg:  fmt.Sprintf("%s=%s: %v", name, quoteArg(text), err),
					hint: "it stands for --" + f.Name,
				}
				return
			}
		}
	})
	return failed
}
