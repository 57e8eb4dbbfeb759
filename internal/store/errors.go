package store

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/syncline-io/syncline/record"
)

var (
	// ErrNotExist reports that there is no store to open read-only.
	ErrNotExist = errors.New("no store")
	// ErrLocked reports a store that is open already, here or in another process.
	ErrLocked = errors.New("store is in use")
	// ErrNewer reports a store written in a format newer than this program knows.
	ErrNewer = errors.New("store has a newer format")
	// ErrOlder reports a store of an older format that cannot be converted because it is
	// opened read-only.
	ErrOlder = errors.New("store has an older format")
	// ErrCorrupt reports bytes or facts on disk that are not what was written.
	ErrCorrupt = errors.New("store is corrupt")
	// ErrReadOnly reports a write to a store that was opened read-only.
	ErrReadOnly = errors.New("store is read-only")
	// ErrClosed reports the use of a store, view or batch after its end.
	ErrClosed = errors.New("closed")
	// ErrPosition reports an offset that the log does not have, or no longer.
	ErrPosition = errors.New("not a position in the log")
	// ErrStage reports segments that are not those of the commit to be appended.
	ErrStage = errors.New("segments do not belong to the commit")
	// ErrNoChunk reports a chunk that is not there.
	ErrNoChunk = errors.New("no such chunk")

	// ErrBroken reports a store that failed to write. What was acknowledged before is
	// safe; nothing more is until the store is opened anew. It is final.
	ErrBroken = errors.New("store cannot write any more")
	// ErrNoSpace is the ErrBroken of a full disk or quota.
	ErrNoSpace = fmt.Errorf("%w: no space left on the disk", ErrBroken)
	// ErrStalled is the ErrBroken of a write that did not end in time.
	ErrStalled = fmt.Errorf("%w: a write does not end", ErrBroken)
)

// corrupt says what is not as it was written.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrCorrupt, fmt.Sprintf(format, args...))
}

// readError gives a failed read its family: damaged bytes are ErrCorrupt, and so are
// bytes that no encoder of ours wrote.
func readError(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrCorrupt):
		return fmt.Errorf("%s: %w", what, err)
	case pebble.IsCorruptionError(err), errors.Is(err, record.ErrCorrupt), errors.Is(err, record.ErrHash):
		return fmt.Errorf("%s: %w: %w", what, ErrCorrupt, err)
	default:
		return fmt.Errorf("%s: %w", what, err)
	}
}
