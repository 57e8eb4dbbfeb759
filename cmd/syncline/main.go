// Command syncline keeps two databases in step. Run syncline help, or read docs/cli.md.
//
// One file per command, which only reads flags, calls the library and hands what comes
// back to a renderer. Renderers (plan.go, summary.go, difference.go, conflict.go) are
// pure functions from the library's types to text. Results go to stdout; plans,
// questions, progress, logs and errors go to stderr.
package main

import (
	"os"
	"runtime/debug"
)

// heapLimit is how far the garbage of large values may pile up; what is in use at one time is
// far below. GOMEMLIMIT overrides it.
const heapLimit = 256 << 20

func main() {
	if _, set := os.LookupEnv("GOMEMLIMIT"); !set {
		debug.SetMemoryLimit(heapLimit)
	}
	os.Exit(run(os.Args[1:], console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		lookupEnv: os.LookupEnv, exit: os.Exit,
	}))
}
