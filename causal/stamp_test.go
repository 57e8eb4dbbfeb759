package causal_test

import (
	"errors"
	"testing"
	"time"

	"github.com/syncline-io/syncline/causal"
	"pgregory.net/rapid"
)

func TestStampAt(t *testing.T) {
	for _, tt := range []struct {
		millis int64
		want   causal.Stamp
		err    error
	}{
		{0, 0, nil},
		{1, 1 << 16, nil},
		{causal.MaxMillis, causal.MaxMillis << 16, nil},
		{causal.MaxMillis + 1, 0, causal.ErrStampRange},
		{-1, 0, causal.ErrStampRange},
	} {
		got, err := causal.StampAt(tt.millis)
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("StampAt(%d) = %d, %v, want %d, %v", tt.millis, got, err, tt.want, tt.err)
		}
	}
}

func TestStampParts(t *testing.T) {
	s := causal.Stamp(1_700_000_000_123<<16 | 7)
	if s.Millis() != 1_700_000_000_123 || s.Counter() != 7 {
		t.Errorf("parts are %d and %d", s.Millis(), s.Counter())
	}
	if want := time.UnixMilli(1_700_000_000_123).UTC(); !s.Time().Equal(want) || s.Time().Location() != time.UTC {
		t.Errorf("time is %v, want %v", s.Time(), want)
	}
	for s, want := range map[causal.Stamp]string{
		0:                             "1970-01-01T00:00:00.000Z",
		s:                             "2023-11-14T22:13:20.123Z+7",
		1_700_000_000_123<<16 | 65535: "2023-11-14T22:13:20.123Z+65535",
		causal.MaxMillis << 16:        "10889-08-02T05:31:50.655Z",
	} {
		if s.String() != want {
			t.Errorf("got %s, want %s", s, want)
		}
	}
}

// A clock only moves forward, past all it has seen, and never behind a usable now.
func TestClockOnlyGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c causal.Clock
		var highest causal.Stamp
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "see") {
				s := causal.Stamp(rapid.Uint64Range(0, 1<<60).Draw(t, "seen"))
				c.See(s)
				highest = max(highest, s)
			} else {
				now := rapid.OneOf(rapid.Int64Range(0, 3), rapid.Int64Range(-5, causal.MaxMillis/2)).Draw(t, "now")
				s := c.Next(now)
				if s <= highest || s.Millis() < now {
					t.Fatalf("at %d ms after %v: got %v", now, highest, s)
				}
				highest = s
			}
			if c.Last() != highest {
				t.Fatalf("Last is %v, want %v", c.Last(), highest)
			}
		}
	})
}

func TestClockWithinAMillisecond(t *testing.T) {
	var c causal.Clock
	for i, want := range []causal.Stamp{5 << 16, 5<<16 + 1, 5<<16 + 2} {
		if got := c.Next(5); got != want {
			t.Errorf("stamp %d: got %v, want %v", i, got, want)
		}
	}
	if got, want := c.Next(4), causal.Stamp(5<<16+3); got != want {
		t.Errorf("wall clock set back: got %v, want %v", got, want)
	}
	if got, want := c.Next(-1), causal.Stamp(5<<16+4); got != want {
		t.Errorf("wall clock before 1970: got %v, want %v", got, want)
	}
	if got, want := c.Next(causal.MaxMillis+1), causal.Stamp(5<<16+5); got != want {
		t.Errorf("wall clock after the last year: got %v, want %v", got, want)
	}
	c.See(5<<16 | 0xffff)
	if got, want := c.Next(5), causal.Stamp(6<<16); got != want {
		t.Errorf("millisecond used up: got %v, want %v", got, want)
	}
	c.See(3)
	if got, want := c.Last(), causal.Stamp(6<<16); got != want {
		t.Errorf("seeing an old stamp: got %v, want %v", got, want)
	}
}
