package sqlite

import (
	"syscall"
	"time"
)

func changeTime(st *syscall.Stat_t) int64 { return st.Ctimespec.Nano() }

// clockTick is how long writes may carry the same time.
func clockTick() time.Duration { return maxTick }
