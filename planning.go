package syncline

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/internal/flow"
)

// recordBytes is about what a record takes in the state beside its content.
const recordBytes = 64

// plan says what a run will do, of what a survey has found.
func (s *session) plan(ctx context.Context, l *layout, sv *flow.Survey, o *Options) (*Plan, error) {
	p := &Plan{
		TwoWay: o.TwoWay, Known: s.why == "", Unknown: s.why, Skipped: l.skipped,
		Nothing:    sv.Nothing && s.why == "" && len(l.creates[0])+len(l.creates[1]) == 0,
		StateBytes: s.store.Size(),
	}
	for i, to := range []*Database{&p.A, &p.B} {
		in := s.ins[i]
		*to = Database{
			Name: s.ends[i].Name(), Exists: in.Exists, Empty: in.Empty,
			Written: i == 1 || o.TwoWay, Size: in.Size, Mode: in.Mode,
		}
		for _, t := range l.creates[i] {
			for _, sql := range statements(t.any().DDL) {
				p.Creates = append(p.Creates, Creation{to.Name, t.name, sql})
			}
		}
		if o.Watch && s.captures(i, o) {
			p.Installs = append(p.Installs, s.installs(i, l)...)
		}
	}
	for n := range sv.Tables {
		t, err := s.tablePlan(ctx, l.tables[n], &sv.Tables[n])
		if err != nil {
			return nil, err
		}
		if t.FirstCopy {
			p.StateBytes += t.ToA.Bytes + t.ToB.Bytes + recordBytes*(t.ToA.Inserts+t.ToB.Inserts)
		}
		p.Tables = append(p.Tables, t)
	}
	slices.SortFunc(p.Tables, func(a, b TablePlan) int {
		return strings.Compare(lowerASCII(a.Name), lowerASCII(b.Name))
	})
	return p, nil
}

// captures reports whether a database's edits count, so that Watch has to see them.
func (s *session) captures(i int, o *Options) bool { return i == 0 || o.TwoWay }

// installs names what capture creates in a database that this pair does not capture yet.
func (s *session) installs(i int, l *layout) []Installation {
	var all []Installation
	seen := map[string]bool{}
	for n, t := range l.tables {
		if !s.flow.Installs(s.dir.side(i), &flow.Mode{Lead: flow.Both}, s.flowTables(l.tables[n:n+1])) {
			continue
		}
		for _, name := range s.ends[i].Objects(t.any()) {
			if !seen[name] {
				seen[name] = true
				all = append(all, Installation{s.ends[i].Name(), name})
			}
		}
	}
	return all
}

// tablePlan is the plan of one table.
func (s *session) tablePlan(ctx context.Context, t *pairedTable, sv *flow.TableSurvey) (TablePlan, error) {
	a, b := s.dir.side(0), s.dir.side(1)
	rows := [2]int64{sv.Rows[a], sv.Rows[b]}
	if sv.To[0].Deletes+sv.To[1].Deletes > 0 {
		// The guards have to know, even of a side that nobody had to look at.
		for i := range rows {
			if rows[i] < 0 {
				var err error
				if rows[i], err = countRows(ctx, s.ends[i], t.at[i]); err != nil {
					return TablePlan{}, err
				}
			}
		}
	}
	return TablePlan{
		Name: t.name, ToA: effect(sv.To[a]), ToB: effect(sv.To[b]), RowsA: rows[0], RowsB: rows[1],
		FirstCopy: sv.FirstCopy >= 0, Conflicts: sv.Conflicts, Open: sv.Open, Pending: sv.Pending, Parked: sv.Parked,
		EmptiedA: sv.Emptied[a] || (rows[0] == 0 && sv.To[b].Deletes > 0),
		EmptiedB: sv.Emptied[b] || (rows[1] == 0 && sv.To[a].Deletes > 0),
	}, nil
}

// countRows counts the rows of a table; one that is not there has none.
func countRows(ctx context.Context, e endpoint.Endpoint, t *endpoint.Table) (n int64, err error) {
	if t == nil {
		return 0, nil
	}
	snap, err := e.Snapshot(ctx, false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, snap.Close()) }()
	if t, err = tableIn(e, snap, t); err != nil {
		return 0, err
	}
	return snap.Count(t)
}

func effect(e flow.Effect) Effect {
	return Effect{
		Inserts: e.Inserts, Updates: e.Updates, Deletes: e.Deletes,
		Overwrites: e.Overwrites, Bytes: e.Bytes,
	}
}

func (e *Effect) add(f Effect) {
	e.Inserts += f.Inserts
	e.Updates += f.Updates
	e.Deletes += f.Deletes
	e.Overwrites += f.Overwrites
	e.Bytes += f.Bytes
}
