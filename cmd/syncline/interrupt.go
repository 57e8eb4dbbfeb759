package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// interruptible returns a context that ends with the first Ctrl-C or SIGTERM, so that
// what is under way comes to a clean end; the second one ends the program where it is,
// which the state survives as it survives a crash. stop gives the signals back.
func (a *app) interruptible(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case _, ok := <-signals:
			if !ok {
				return
			}
		case <-ctx.Done():
			return
		}
		cancel()
		if !a.flags.quiet {
			fmt.Fprintln(a.err, "\nstopping, once what is under way is safe; Ctrl-C again stops at once")
		}
		if _, ok := <-signals; ok {
			a.exit(exitInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel()
		close(signals)
		<-done
	}
}
