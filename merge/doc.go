// Package merge turns the live versions of a record into the one value a reader sees, and
// what a reader made of it back into a change: siblings in, projection out, the same
// everywhere.
//
// Storage is a multi-value register: [Fold] drops the versions that a change names and
// adds its own, and that is all the merging that state undergoes. Which of several siblings
// is shown is decided here, by a pure function of the whole set and the rules of the table
// ([Table.Project]). So no rule can make replicas diverge, a rule can be changed at any
// time, and no version goes that its replacer had not been shown.
//
// A field is contested when two siblings carry different values of it and neither has seen
// the other's write; docs/decisions/0003-standing.md says exactly when. Everything that is
// contested is reported in the [Projection], however it was resolved.
//
// Nothing here reads a clock, draws randomness, locks or starts a goroutine.
package merge
