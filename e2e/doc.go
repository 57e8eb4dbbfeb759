// Package e2e tries the promises of Syncline on the program as it is shipped.
//
// The tests build cmd/syncline once, without cgo, and drive the binary as a person or a
// script would: by its arguments, its signals, its exit codes and its output. They import
// nothing of Syncline. What a database holds is read, edited and compared with SQLite
// alone, so that a mistake in how Syncline reads a value cannot hide itself.
//
// Faults are real ones: processes killed at random moments, files locked by another
// process, damaged, replaced by a copy, a disk that is full. A test whose ground is
// missing (root for a small file system, the Chinook database) says so and is skipped.
//
// SYNCLINE_E2E_ROUNDS sets how many rounds of random edits TestRandomRounds makes (make
// e2e-long: 200), SYNCLINE_E2E_SEED repeats the edits of a run that failed, and
// SYNCLINE_E2E_KEEP names a directory that gets a copy of everything a failed test leaves.
package e2e
