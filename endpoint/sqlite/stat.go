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
const (
	tick       = 20 * time.Millisecond // Linux: at most 10 ms
	coarseTick = 2 * time.Second       // where times are whole seconds, as on FAT
)

func (s stat) settlesIn(now time.Time) time.Duration {
	last := max(s.modified, s.changed)
	t := tick
	if s.modified%int64(time.Second) == 0 {
		t = coarseTick
	}
	return t - time.Duration(now.UnixNano()-last)
}

// settled returns the stat of a file once it is settled, waiting for at most a few ticks;
// a file that somebody keeps writing to is returned as it is.
func settled(ctx context.Context, path string) (stat, error) {
	for range 5 {
		s, err := statFile(path)
		if err != nil {
			return stat{}, err
		}
		wait := s.settlesIn(time.Now())
		if wait <= 0 || wait > coarseTick {
			return s, nil
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return stat{}, ctx.Err()
		}
	}
	return statFile(path)
}
