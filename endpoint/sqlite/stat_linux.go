package sqlite

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func changeTime(st *syscall.Stat_t) int64 { return st.Ctim.Nano() }

// clockTick is how long writes may carry the same time.
func clockTick() time.Duration {
	var res unix.Timespec
	if err := unix.ClockGetres(unix.CLOCK_REALTIME_COARSE, &res); err != nil {
		return maxTick
	}
	return min(maxTick, time.Duration(res.Nano())+time.Millisecond)
}
