package syncline

import (
	"context"

	"github.com/syncline-io/syncline/internal/flow"
)

// nothing reports a run that ends with its plan.
func (r *syncRun) nothing(p *Plan, sv *flow.Survey) (*Report, error) {
	if r.o.Plan != nil {
		r.o.Plan(p)
	}
	if r.o.DryRun {
		if err := checkGuards(p, r.o); err != nil {
			return nil, err
		}
	} else if !r.dir.fresh {
		// The databases may have moved since.
		if err := r.dir.record(r.flow.Pair(), r.ins); err != nil {
			return nil, err
		}
	}
	out := &flow.Outcome{Tables: make([]flow.TableSurvey, len(sv.Tables))}
	settled := true
	for i, t := range sv.Tables {
		settled = settled && t.To[0].Writes()+t.To[1].Writes() == 0
		t.To = [2]flow.Effect{}
		out.Tables[i] = t
	}
	report := r.report(p, out)
	report.Settled = report.Settled && settled
	return report, nil
}

// done reports what a run or a round of Watch did.
func (r *syncRun) done(ctx context.Context, p *Plan, out *flow.Outcome) (*Report, error) {
	rep := r.report(p, out)
	now, err := r.countResolved(ctx)
	if err != nil {
		return nil, err
	}
	rep.Resolved = max(0, now-r.resolved)
	r.resolved = now
	return rep, nil
}

// countResolved counts the conflicts that a rule has decided and nobody else yet.
func (r *syncRun) countResolved(ctx context.Context) (n int64, err error) {
	err = r.flow.Conflicts(ctx, r.mode, r.flowTables(r.layout.tables), func(c flow.Conflict) error {
		if c.Kind == flow.ConflictResolved {
			n++
		}
		return nil
	})
	return n, err
}

// report says what was done and what is left.
func (r *syncRun) report(p *Plan, out *flow.Outcome) *Report {
	rep := &Report{
		Plan: p, BytesRead: out.Read, Elapsed: r.o.Now().Sub(r.start), StateBytes: r.store.Size(),
		Settled: out.Raced == 0,
	}
	for i := range out.Tables {
		t := &out.Tables[i]
		rep.ToA.add(effect(t.To[r.dir.side(0)]))
		rep.ToB.add(effect(t.To[r.dir.side(1)]))
		rep.Open += t.Open
		rep.Parked += t.Parked
		rep.Pending += t.Pending
		rep.Deviations += t.Deviating
	}
	rep.Settled = rep.Settled && rep.Open == 0 && rep.Parked == 0
	return rep
}
