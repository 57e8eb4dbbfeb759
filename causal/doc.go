// Package causal holds the time and the order of Syncline: hybrid stamps, origins,
// dots and version vectors. Everything in it is a value; nothing here reads a clock,
// draws randomness or starts a goroutine.
//
// Stamps never decide causality. They only pick a winner among versions that are
// already known to be concurrent; who has seen whom is said by dots, contexts and
// vectors alone.
package causal
