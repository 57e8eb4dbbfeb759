//go:build !windows

package main

import "io"

// knowsColors reports whether a terminal understands escape sequences.
func knowsColors(io.Writer) bool { return true }
