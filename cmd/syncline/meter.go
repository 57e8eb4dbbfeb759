package main

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/syncline-io/syncline"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// How often progress is told, and how long a terminal stays quiet before it is: what ends
// sooner needs no bar.
const (
	linePeriod   = 30 * time.Second
	statusPeriod = time.Second
	barDelay     = 400 * time.Millisecond
)

// meter tells people or programs how far a command has come. As a writer it takes log
// lines, which it keeps apart from the bar. Its methods may be called from several
// goroutines.
type meter struct {
	mode string // bar, line, json or none
	w    io.Writer
	emit func(any) // of mode json
	now  func() time.Time

	mu   sync.Mutex // guards what follows
	at   reading
	last time.Time // when progress was last told, or began
	idle bool      // nothing has been under way since clear
	bars *mpb.Progress
	bar  *mpb.Bar

	// drawn is the reading that the bar shows. The bar's goroutine reads it without mu,
	// which draw holds while it waits for that goroutine.
	drawn atomic.Pointer[reading]
}

// newMeter returns the meter that the flags ask for.
func (a *app) newMeter() *meter {
	mode := a.flags.progress.value
	if mode == "auto" {
		switch {
		case a.flags.quiet:
			mode = "none"
		case a.flags.json:
			mode = "json"
		case a.errTTY:
			mode = "bar"
		default:
			mode = "line"
		}
	}
	if mode == "bar" && !a.errTTY {
		mode = "line"
	}
	m := &meter{mode: mode, w: a.err, now: time.Now, idle: true}
	m.last = m.now()
	m.emit = a.event
	if !a.flags.json {
		m.emit = func(v any) { writeEvent(a.lines, a.err, v) }
	}
	return m
}

// update takes where the command stands now.
func (m *meter) update(p syncline.Progress) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if m.idle && m.mode == "bar" {
		m.last = now
	}
	m.idle = false
	m.at.take(p, now)
	switch m.mode {
	case "bar":
		m.draw(now)
	case "line":
		if now.Sub(m.last) >= linePeriod {
			m.last = now
			_, _ = io.WriteString(m.w, m.at.line()+"\n")
		}
	case "json":
		if now.Sub(m.last) >= statusPeriod {
			m.last = now
			m.emit(m.at.event())
		}
	}
}

// draw brings the bar up to date. There is one, which follows the work from table to
// table, so that nothing scrolls.
func (m *meter) draw(now time.Time) {
	at := m.at
	m.drawn.Store(&at)
	if m.bars == nil {
		if now.Sub(m.last) < barDelay {
			return
		}
		m.bars = mpb.New(mpb.WithOutput(m.w), mpb.WithAutoRefresh(), mpb.WithRefreshRate(100*time.Millisecond))
		style := mpb.BarStyle().Lbound("").Rbound("").Filler("━").Tip("╸").Padding(" ")
		m.bar = m.bars.New(0, style,
			mpb.BarWidth(20),
			mpb.PrependDecorators(decor.Any(m.decorate(reading.head))),
			mpb.AppendDecorators(decor.Any(m.decorate(reading.tail))),
		)
	}
	done, total := m.at.Done, m.at.Total
	if done > total { // which is not known, and the bar stays empty
		done, total = 0, 0
	}
	m.bar.SetTotal(total+1, false) // a bar that is full would be over
	m.bar.SetCurrent(done)
}

// decorate makes a part of the bar of a part of the reading.
func (m *meter) decorate(text func(r reading, width int) string) decor.DecorFunc {
	return func(s decor.Statistics) string {
		return text(*m.drawn.Load(), s.AvailableWidth)
	}
}

// Write writes log lines, above the bar if there is one.
func (m *meter) Write(p []byte) (int, error) {
	m.mu.Lock()
	bars := m.bars
	m.mu.Unlock()
	if bars != nil {
		if n, err := bars.Write(p); err == nil {
			return n, nil
		}
	}
	return m.w.Write(p)
}

// clear takes the bar away, so that something else can be printed. The next update
// brings it back.
func (m *meter) clear() {
	m.mu.Lock()
	bars, bar := m.bars, m.bar
	m.bars, m.bar, m.idle = nil, nil, true
	m.mu.Unlock()
	if bars != nil {
		bar.Abort(true)
		bars.Wait()
	}
}

// stop ends the meter.
func (m *meter) stop() { m.clear() }
