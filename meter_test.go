package syncline

import (
	"testing"
	"time"
)

// The meter tells what stands ten times a second at most, and at the end.
func TestMeter(t *testing.T) {
	now := time.Unix(0, 0)
	var told []Progress
	m := newMeter(func(p Progress) { told = append(told, p) }, func() time.Time { return now }, PhaseCompare)
	m.table("orders", 10_000)
	for range 10_000 {
		now = now.Add(100 * time.Microsecond)
		m.add(1, 7)
	}
	m.end()
	if n := len(told); n < 8 || n > 11 {
		t.Errorf("told %d times in a second", n)
	}
	last := told[len(told)-1]
	want := Progress{Phase: PhaseCompare, Table: "orders", Done: 10_000, Total: 10_000, Bytes: 70_000, Elapsed: time.Second}
	if last != want || m.bytes != 70_000 {
		t.Errorf("at the end: %+v, want %+v", last, want)
	}
}
