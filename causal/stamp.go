package causal

import (
	"errors"
	"fmt"
	"time"
)

// Stamp is hybrid logical clock time (Kulkarni et al., "Logical Physical Clocks", 2014):
// the upper 48 bits count milliseconds since the Unix epoch, the lower 16 bits order
// what falls into one millisecond. The zero Stamp precedes every real one.
type Stamp uint64

// MaxMillis is the largest millisecond count a Stamp can hold (year 10889).
const MaxMillis = 1<<48 - 1

// ErrStampRange reports a time that a Stamp cannot hold.
var ErrStampRange = errors.New("time outside the range of a stamp")

// StampAt returns the first stamp of the given millisecond.
func StampAt(millis int64) (Stamp, error) {
	if millis < 0 || millis > MaxMillis {
		return 0, fmt.Errorf("stamp at %d ms: %w", millis, ErrStampRange)
	}
	return Stamp(millis) << 16, nil
}

// Millis returns the milliseconds since the Unix epoch.
func (s Stamp) Millis() int64 { return int64(s >> 16) }

// Counter returns the position within the millisecond.
func (s Stamp) Counter() uint16 { return uint16(s) }

// Time returns the stamp's wall time in UTC, with millisecond precision.
func (s Stamp) Time() time.Time { return time.UnixMilli(s.Millis()).UTC() }

// String writes the stamp as RFC 3339 time, with "+n" when the counter is not zero.
func (s Stamp) String() string {
	t := s.Time().Format("2006-01-02T15:04:05.000Z")
	if s.Counter() == 0 {
		return t
	}
	return fmt.Sprintf("%s+%d", t, s.Counter())
}

// Clock hands out stamps that only grow. It is a pure value: the caller says what time
// it is. The zero Clock is ready to use. A Clock is not safe for concurrent use.
type Clock struct{ last Stamp }

// Last returns the highest stamp handed out or seen.
func (c *Clock) Last() Stamp { return c.last }

// See raises the clock so that later stamps are greater than s.
func (c *Clock) See(s Stamp) { c.last = max(c.last, s) }

// Next returns a stamp that is greater than every stamp handed out or seen before, and
// not before nowMillis. When a millisecond is used up the stamp moves into the next one.
func (c *Clock) Next(nowMillis int64) Stamp {
	now, err := StampAt(nowMillis)
	if err != nil {
		now = 0 // a clock outside the range says nothing; order is kept by the counter
	}
	c.last = max(c.last+1, now)
	return c.last
}
