// Package syncline keeps datasets in sync between databases, files and sites.
//
// [Sync] makes two databases hold the same rows, one way or both, once or for as long as
// its context lasts; [Diff] says how two databases differ. Both take their databases as
// endpoints, of package endpoint/sqlite for instance, and this package imports none of
// those: whoever embeds it decides what is linked.
//
//	a, err := sqlite.Open("a.db", sqlite.Options{})
//	...
//	report, err := syncline.Sync(ctx, a, b, syncline.Options{StateDir: dir, TwoWay: true})
//
// What is known of a pair of databases, so that an edit can be told from a deletion and
// from an old row, is its state: a store in a directory of its own below
// [Options.StateDir] (docs/format/pair.md). Without it nothing is guessed. A run makes a
// [Plan] first, and asks before it deletes, overwrites or creates; its guards hold whatever
// the answer.
//
// Records that both databases have edited are kept apart until a rule or a person decides:
// see [Options.OnConflict], [Conflicts] and [Resolve]. [Uninstall] removes every trace.
//
// The packages below are the vocabulary: causal (stamps, dots, vectors), record (values,
// keys, versions, commits and their canonical bytes) and merge (how concurrent versions
// become one value). ARCHITECTURE.md says which package may know which; docs/format
// specifies every byte.
package syncline
