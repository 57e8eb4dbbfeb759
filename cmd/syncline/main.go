// Command syncline keeps two databases in step. Run syncline help, or read docs/cli.md.
//
// One file per command, which only reads flags, calls the library and hands what comes
// back to a renderer. Renderers (plan.go, summary.go, difference.go, conflict.go) are
// pure functions from the library's types to text. Results go to stdout; plans,
// questions, progress, logs and errors go to stderr.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		lookupEnv: os.LookupEnv, exit: os.Exit,
	}))
}
