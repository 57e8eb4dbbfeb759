package sqlite

import (
	"context"
	"os"
	"time"
)

// stat is what the file system says of a file. Two equal ones mean equal content if the
// first was settled when it was taken.
type stat struct {
	id       string // device and inode, "" where there is none
	size     int64
	modified int64 // ns
	changed  int64 // ns, of the inode; 0 where there is none
}

func statFile(path string) (stat, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stat{}, err
	}
	s := stat{size: info.Size(), modified: info.ModTime().UnixNano()}
	s.id, s.changed = inode(info)
	return s, nil
}

// File systems stamp a write with a clock that ticks: a second write in one tick leaves no
// trace. A stat is settled when the tick of the last write is over.

// coarseTick is that of file systems whose times are whole seconds, such as FAT.
const coarseTick = 2 * time.Second

func (s stat) settlesIn(now time.Time) time.Duration {
	t := clockTick()
	if s.modified%int64(time.Second) == 0 {
		t = coarseTick
	}
	return t - time.Duration(now.UnixNano()-max(s.modified, s.changed))
}

// settled returns the stat of a file once it is settled. It waits for a few ticks of a
// fine clock; ok is false where that was not enough.
func settled(ctx context.Context, path string) (s stat, ok bool, err error) {
	for range 3 {
		if s, err = statFile(path); err != nil {
			return stat{}, false, err
		}
		wait := s.settlesIn(time.Now())
		if wait <= 0 {
			return s, true, nil
		}
		if wait > maxTick {
			return s, false, nil
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return stat{}, false, ctx.Err()
		}
	}
	return s, false, nil
}

// maxTick bounds what fine clocks tick at.
const maxTick = 20 * time.Millisecond
