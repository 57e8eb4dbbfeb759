package syncline

import (
	"context"
	"errors"

	"github.com/syncline-io/syncline/internal/flow"
)

// watch keeps the databases in step until the context ends.
func (r *syncRun) watch(ctx context.Context, total *Report) (_ *Report, err error) {
	if err := r.listConflicts(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.unlistConflicts()) }()
	listed := total.Open+total.Parked+total.Resolved > 0
	if r.o.Progress != nil {
		r.o.Progress(Progress{Phase: PhaseWatch, Elapsed: r.o.Now().Sub(r.start)})
	}
	m := r.mode
	m.Guard = func(table string, site int, deletes, rows int64) error {
		i := r.dir.side(site)
		return guardRound(r.o, table, r.ends[i].Name(), r.ends[1-i].Name(), deletes, rows)
	}
	var failed error // of a round
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err = r.flow.Watch(ctx, m, r.flowTables(r.layout.tables), func(out *flow.Outcome) {
		ctx := context.WithoutCancel(ctx)
		one, err := r.done(ctx, total.Plan, out)
		if now := err == nil && one.Open+one.Parked+one.Resolved > 0; now || listed {
			listed = now
			if err == nil {
				err = r.listConflicts(ctx)
			}
		}
		if err != nil {
			failed = err
			cancel()
			return
		}
		total.ToA.add(one.ToA)
		total.ToB.add(one.ToB)
		total.BytesRead += one.BytesRead
		total.Open, total.Parked, total.Pending = one.Open, one.Parked, one.Pending
		total.Resolved += one.Resolved
		total.Deviations, total.Settled = one.Deviations, one.Settled
		if r.o.Round != nil {
			r.o.Round(one)
		}
	}, r.progress(r.o.Progress))
	if err = errors.Join(failed, err); err != nil {
		return nil, err
	}
	total.Elapsed, total.StateBytes = r.o.Now().Sub(r.start), r.store.Size()
	return total, nil
}
