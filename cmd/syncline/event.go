package main

import (
	"time"

	"github.com/syncline-io/syncline"
)

// The JSON lines. docs/json.schema.json describes each of them; fields are only ever
// added.

type statusEvent struct {
	Type             string   `json:"type"` // "status"
	Phase            string   `json:"phase"`
	Table            string   `json:"table,omitempty"`
	Side             string   `json:"side,omitempty"`
	Done             int64    `json:"done"`
	Total            int64    `json:"total"`
	Bytes            int64    `json:"bytes"`
	Rate             float64  `json:"rate"`
	Seconds          float64  `json:"seconds"`
	SecondsRemaining *float64 `json:"seconds_remaining"`
}

type watchEvent struct {
	Type string `json:"type"` // "watch"
	A    string `json:"a"`
	B    string `json:"b"`
}

type roundEvent struct {
	Type    string       `json:"type"` // "round"
	Summary *syncSummary `json:"summary"`
}

type effectJSON struct {
	Inserted    int64 `json:"inserted"`
	Updated     int64 `json:"updated"`
	Deleted     int64 `json:"deleted"`
	Overwritten int64 `json:"overwritten"`
	Bytes       int64 `json:"bytes"`
}

func effectOf(e syncline.Effect) effectJSON {
	return effectJSON{e.Inserts, e.Updates, e.Deletes, e.Overwrites, e.Bytes}
}

type syncSummary struct {
	ToA        effectJSON `json:"to_a"`
	ToB        effectJSON `json:"to_b"`
	Settled    bool       `json:"settled"`
	Open       int64      `json:"open"`
	Parked     int64      `json:"parked"`
	Pending    int64      `json:"pending"`
	Resolved   int64      `json:"resolved"`
	Deviations int64      `json:"deviations"`
	BytesRead  int64      `json:"bytes_read"`
	StateBytes int64      `json:"state_bytes"`
	Seconds    float64    `json:"seconds"`
}

func summaryOf(r *syncline.Report) *syncSummary {
	return &syncSummary{
		ToA: effectOf(r.ToA), ToB: effectOf(r.ToB), Settled: r.Settled,
		Open: r.Open, Parked: r.Parked, Pending: r.Pending, Resolved: r.Resolved, Deviations: r.Deviations,
		BytesRead: r.BytesRead, StateBytes: r.StateBytes, Seconds: roundSeconds(r.Elapsed),
	}
}

func roundSeconds(d time.Duration) float64 {
	return d.Round(time.Millisecond).Seconds()
}

type planJSON struct {
	Type         string          `json:"type"` // "plan"
	A            databaseJSON    `json:"a"`
	B            databaseJSON    `json:"b"`
	TwoWay       bool            `json:"two_way"`
	Nothing      bool            `json:"nothing"`
	Known        bool            `json:"known"`
	Unknown      string          `json:"unknown,omitempty"`
	NeedsConsent bool            `json:"needs_consent"`
	Tables       []tablePlanJSON `json:"tables"`
	Creates      []creationJSON  `json:"creates"`
	Installs     []installJSON   `json:"installs"`
	Skipped      []skippedJSON   `json:"skipped"`
	StateBytes   int64           `json:"state_bytes"`
}

type databaseJSON struct {
	Name    string `json:"name"`
	Exists  bool   `json:"exists"`
	Empty   bool   `json:"empty"`
	Written bool   `json:"written"`
	Size    int64  `json:"size"`
	Mode    string `json:"mode,omitempty"`
}

type tablePlanJSON struct {
	Name      string     `json:"name"`
	ToA       effectJSON `json:"to_a"`
	ToB       effectJSON `json:"to_b"`
	RowsA     int64      `json:"rows_a"`
	RowsB     int64      `json:"rows_b"`
	FirstCopy bool       `json:"first_copy"`
	Conflicts int64      `json:"conflicts"`
	Open      int64      `json:"open"`
	Pending   int64      `json:"pending"`
	Parked    int64      `json:"parked"`
	EmptiedA  bool       `json:"emptied_a"`
	EmptiedB  bool       `json:"emptied_b"`
}

type creationJSON struct {
	Database string `json:"database"`
	Table    string `json:"table"`
	SQL      string `json:"sql"`
}

type installJSON struct {
	Database string `json:"database"`
	Name     string `json:"name"`
}

type skippedJSON struct {
	Database string `json:"database"`
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Reason   string `json:"reason"`
}

func planEvent(p *syncline.Plan) planJSON {
	e := planJSON{
		Type: "plan", A: databaseJSON(p.A), B: databaseJSON(p.B), TwoWay: p.TwoWay, Nothing: p.Nothing,
		Known: p.Known, Unknown: p.Unknown, NeedsConsent: p.NeedsConsent(), StateBytes: p.StateBytes,
		Tables: []tablePlanJSON{}, Creates: []creationJSON{}, Installs: []installJSON{}, Skipped: skippedEvents(p.Skipped),
	}
	for _, t := range p.Tables {
		e.Tables = append(e.Tables, tablePlanJSON{
			Name: t.Name, ToA: effectOf(t.ToA), ToB: effectOf(t.ToB), RowsA: t.RowsA, RowsB: t.RowsB,
			FirstCopy: t.FirstCopy, Conflicts: t.Conflicts, Open: t.Open, Pending: t.Pending, Parked: t.Parked,
			EmptiedA: t.EmptiedA, EmptiedB: t.EmptiedB,
		})
	}
	for _, c := range p.Creates {
		e.Creates = append(e.Creates, creationJSON(c))
	}
	for _, i := range p.Installs {
		e.Installs = append(e.Installs, installJSON(i))
	}
	return e
}

func skippedEvents(skipped []syncline.SkippedObject) []skippedJSON {
	out := []skippedJSON{}
	for _, s := range skipped {
		out = append(out, skippedJSON(s))
	}
	return out
}

type removalJSON struct {
	Databases []string `json:"databases"`
	StateDir  string   `json:"state_dir"`
}

func removalSummary(r *syncline.Removal) removalJSON {
	return removalJSON{Databases: append([]string{}, r.Databases...), StateDir: r.StateDir}
}
