// Package syncline keeps datasets in sync between databases, files and sites.
//
// The packages below it are its vocabulary: causal (stamps, dots, vectors) and record
// (values, keys, versions, commits and their canonical bytes). docs/format specifies
// every byte; ARCHITECTURE.md says which package may know which.
package syncline
