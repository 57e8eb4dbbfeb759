package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/syncline-io/syncline"
)

// steps runs a meter through a copy of 100 rows, one row every 100 ms.
func steps(m *meter, n int) {
	now := time.Unix(1000, 0)
	m.now = func() time.Time { return now }
	m.last = now
	for i := range n {
		m.update(syncline.Progress{Phase: syncline.PhaseCopy, Table: "orders", Side: "b.db", Done: int64(i), Total: int64(n), Bytes: int64(i) * 100, Elapsed: time.Duration(i) * 100 * time.Millisecond})
		now = now.Add(100 * time.Millisecond)
	}
	m.stop()
}

func TestMeterLinesEveryThirtySeconds(t *testing.T) {
	var w bytes.Buffer
	m := &meter{mode: "line", w: &w, idle: true}
	steps(m, 1000) // 100 s
	want := "copying orders   30%  300/1,000 rows  10 rows/s  30 kB  ETA 1m10s\n" +
		"copying orders   60%  600/1,000 rows  10 rows/s  60 kB  ETA 40s\n" +
		"copying orders   90%  900/1,000 rows  10 rows/s  90 kB  ETA 10s\n"
	if w.String() != want {
		t.Errorf("got\n%swant\n%s", w.String(), want)
	}
}

func TestMeterStatusEverySecond(t *testing.T) {
	var w bytes.Buffer
	mu := new(sync.Mutex)
	m := &meter{mode: "json", emit: func(v any) { writeEvent(mu, &w, v) }, idle: true}
	steps(m, 35)
	lines := strings.Split(strings.TrimSpace(w.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines in 3.5 s: %q", len(lines), lines)
	}
	for _, line := range lines {
		checkLine(t, "status", []byte(line))
	}
	var e statusEvent
	if err := json.Unmarshal([]byte(lines[0]), &e); err != nil {
		t.Fatal(err)
	}
	if e.Done != 10 || e.Total != 35 || e.Rate != 10 || e.SecondsRemaining == nil || *e.SecondsRemaining != 2.5 {
		t.Errorf("%+v", e)
	}
}

func TestMeterNone(t *testing.T) {
	var w bytes.Buffer
	m := &meter{mode: "none", w: &w, idle: true}
	steps(m, 1000)
	if w.Len() > 0 {
		t.Errorf("got %q", w.String())
	}
	if _, err := m.Write([]byte("a log line\n")); err != nil || w.String() != "a log line\n" {
		t.Errorf("log lines pass: %q, %v", w.String(), err)
	}
}

func TestReadingFitsNarrowTerminals(t *testing.T) {
	now := time.Unix(1000, 0)
	var r reading
	r.take(syncline.Progress{Phase: syncline.PhaseCopy, Table: "orders_of_the_last_century", Total: 1000}, now)
	r.take(syncline.Progress{Phase: syncline.PhaseCopy, Table: "orders_of_the_last_century", Done: 500, Total: 1000, Bytes: 5000}, now.Add(time.Second))
	if got, want := r.tail(30), "  50%  ETA 1.0s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := r.head(30); len([]rune(got)) > 20 {
		t.Errorf("%q is too long", got)
	}
	// Another table begins anew: its rate is not that of the last one.
	r.take(syncline.Progress{Phase: syncline.PhaseCopy, Table: "lines", Total: 10}, now.Add(2*time.Second))
	if got := r.rate(); got != 0 {
		t.Errorf("rate %v", got)
	}
	if got := r.line(); got != "copying lines    0%  0/10 rows" {
		t.Errorf("got %q", got)
	}
	// A total that turns out too small is no total.
	r.take(syncline.Progress{Phase: syncline.PhaseCopy, Table: "lines", Done: 11, Total: 10}, now.Add(2*time.Second))
	if got := r.line(); got != "copying lines  11 rows" {
		t.Errorf("got %q", got)
	}
}

// A bar is drawn by a goroutine of its own while it is moved, written around and cleared.
func TestMeterBarUnderFire(t *testing.T) {
	var w bytes.Buffer
	m := &meter{mode: "bar", w: &w, now: time.Now, idle: true}
	done := make(chan struct{})
	go func() {
		defer close(done)
		start := time.Now()
		for i := int64(0); time.Since(start) < 2*time.Second; i++ {
			m.update(syncline.Progress{Phase: syncline.PhaseCopy, Table: "orders", Done: i, Total: 1 << 40})
			if i%1000 == 0 {
				if _, err := m.Write([]byte("a log line\n")); err != nil {
					t.Error(err)
				}
			}
		}
		m.stop()
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("the meter and its bar wait for each other")
	}
	if !strings.Contains(w.String(), "copying orders") {
		t.Errorf("no bar in %q", w.String())
	}
}
