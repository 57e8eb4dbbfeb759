package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/syncline-io/syncline"
)

// reading is what a meter shows: the last progress, and since when that table is on.
type reading struct {
	syncline.Progress
	since time.Time // when this phase of this table began
	first int64     // rows done by then
	spent time.Duration
}

// take moves the reading on.
func (r *reading) take(p syncline.Progress, now time.Time) {
	if p.Phase != r.Phase || p.Table != r.Table || p.Side != r.Side || p.Done < r.Done || r.since.IsZero() {
		r.since, r.first = now, p.Done
	}
	r.Progress = p
	r.spent = now.Sub(r.since)
}

// rate is in rows per second; 0 when it is too early to say.
func (r *reading) rate() float64 {
	if r.spent < 100*time.Millisecond {
		return 0
	}
	return float64(r.Done-r.first) / r.spent.Seconds()
}

// remaining is how long the table will take from here.
func (r *reading) remaining() (time.Duration, bool) {
	perSecond := r.rate()
	if perSecond <= 0 || r.Total <= 0 || r.Done > r.Total {
		return 0, false
	}
	return time.Duration(float64(r.Total-r.Done) / perSecond * float64(time.Second)), true
}

// words name what each phase does.
var words = map[syncline.Phase]string{
	syncline.PhaseCompare: "comparing",
	syncline.PhaseCopy:    "copying",
	syncline.PhaseCapture: "recording",
	syncline.PhaseApply:   "applying",
}

// head is what stands before the bar: "copying orders ".
func (r reading) head(width int) string {
	word := words[r.Phase]
	if word == "" {
		word = string(r.Phase)
	}
	name := []rune(safe(r.Table))
	if most := max(8, width/4); len(name) > most {
		name = append(name[:most-1], '…')
	}
	if len(name) > 0 {
		word += " " + string(name)
	}
	return word + " "
}

// tail is what stands behind it; a narrow terminal gets less of it.
func (r reading) tail(width int) string {
	parts := r.parts()
	if width < 50 && len(parts) > 2 {
		parts = append(parts[:1], parts[len(parts)-1])
	}
	return " " + strings.Join(parts, "  ")
}

// line is the reading on a line of its own.
func (r reading) line() string {
	return r.head(160) + " " + strings.Join(r.parts(), "  ")
}

func (r reading) parts() []string {
	var parts []string
	if r.Total > 0 && r.Done <= r.Total {
		parts = append(parts,
			fmt.Sprintf("%3.0f%%", 100*float64(r.Done)/float64(r.Total)),
			fmt.Sprintf("%s/%s rows", count(r.Done), count(r.Total)))
	} else {
		parts = append(parts, plural(r.Done, "row", "rows"))
	}
	if perSecond := r.rate(); perSecond > 0 {
		parts = append(parts, rate(perSecond)+" rows/s")
	}
	if r.Bytes > 0 {
		parts = append(parts, size(r.Bytes))
	}
	if eta, ok := r.remaining(); ok {
		parts = append(parts, "ETA "+seconds(eta))
	}
	return parts
}

// event is the reading as a JSON line.
func (r reading) event() statusEvent {
	e := statusEvent{
		Type: "status", Phase: string(r.Phase), Table: r.Table, Side: r.Side,
		Done: r.Done, Total: r.Total, Bytes: r.Bytes, Rate: float64(int64(r.rate()*10)) / 10,
		Seconds: roundSeconds(r.Elapsed),
	}
	if eta, ok := r.remaining(); ok {
		left := roundSeconds(eta)
		e.SecondsRemaining = &left
	}
	return e
}
