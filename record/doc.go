// Package record holds values, keys, images, changes and commits, and their one
// canonical encoding and hash. docs/format specifies every byte; this package is its
// reference implementation.
//
// Everything has exactly one encoding: equal things are equal bytes, and a decoder
// refuses every other spelling. Decoders alias: what they return points into the bytes
// they were given, and stays valid as long as those bytes are neither changed nor freed.
// Decoders never panic and never allocate more than a small multiple of their input,
// whatever the input is; bad bytes are [ErrCorrupt]. Nothing here reads a clock, draws
// randomness or starts a goroutine.
package record
