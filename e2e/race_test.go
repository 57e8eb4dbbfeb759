//go:build race

package e2e

// raced says that this test binary carries the race detector.
const raced = true
