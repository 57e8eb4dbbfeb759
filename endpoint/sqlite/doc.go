// Package sqlite keeps SQLite databases in step: it implements the contract of package
// endpoint for a database in a file, in pure Go.
//
// Values travel with their storage class, byte for byte; keys compare as the database
// compares them. Text encoding, journal mode, page size and user_version are never
// changed. What Syncline puts into a user's file begins with _syncline_ and is described
// in docs/format/sqlite.md.
//
// Two rules hold throughout the package. The database file and its -shm are never opened
// but through SQLite: POSIX drops every lock a process has on a file when it closes any
// descriptor of it, and with them the locks of our own and the embedding program's
// connections. And no call waits inside SQLite for a lock: busy is polled from here, so
// that a cancelled context ends the wait.
package sqlite
