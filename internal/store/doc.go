// Package store keeps one dataset of one node in one directory: its log, the records the
// log folds to, the side tables of those who follow it, and large values as
// content-addressed chunks. All of it is one Pebble, known to nobody else;
// docs/format/store.md specifies every key and value.
//
// A [Batch] is the only way to change something: all of it becomes visible and durable
// together, or nothing of it. A [View] is a pinned, consistent state to read from, and
// never shows what a synced batch has not made durable yet (I1).
//
// What the store acknowledged as synced is on disk. It trusts no write after a failed
// one: the first error of a write or sync, or a write that does not return, makes the
// store unusable ([ErrBroken], [ErrNoSpace]) until it is opened anew, which finds the
// last consistent state. What the disk changed behind its back is [ErrCorrupt] when it is
// read; [Store.Scrub] reads everything.
//
// Memory is bounded at any size of the dataset: two memtables of 16 MiB, the block cache
// (8 MiB unless asked otherwise), and what the open batch holds. Commits and values of
// any size pass in pieces, see [Stage] and [Store.PutChunk].
package store
