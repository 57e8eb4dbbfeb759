package syncline

import "time"

// meter tells of progress about ten times a second. A nil report is told nothing.
type meter struct {
	report func(Progress)
	now    func() time.Time
	start  time.Time
	last   time.Time
	at     Progress
	calls  int
	bytes  int64 // in all
}

// meterPause is the time between two reports, and meterEvery after how many rows the
// clock is looked at.
const (
	meterPause = 100 * time.Millisecond
	meterEvery = 256
)

func newMeter(report func(Progress), now func() time.Time, phase Phase) *meter {
	t := now()
	return &meter{report: report, now: now, start: t, last: t, at: Progress{Phase: phase}}
}

// table begins another table; total is 0 when it is not known.
func (m *meter) table(name string, total int64) {
	m.at.Table, m.at.Done, m.at.Total, m.at.Bytes = name, 0, total, 0
}

// add counts rows that have been dealt with.
func (m *meter) add(rows, bytes int64) {
	m.at.Done += rows
	m.at.Bytes += bytes
	m.bytes += bytes
	if m.report == nil {
		return
	}
	if m.calls++; m.calls%meterEvery != 0 {
		return
	}
	if t := m.now(); t.Sub(m.last) >= meterPause {
		m.last = t
		m.tell(t)
	}
}

// end reports the last state.
func (m *meter) end() {
	if m.report != nil && m.at.Table != "" {
		m.tell(m.now())
	}
}

func (m *meter) tell(t time.Time) {
	m.at.Elapsed = t.Sub(m.start)
	m.report(m.at)
}
