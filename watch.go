package syncline

import (
	"context"
	"errors"

	"github.com/syncline-io/syncline/internal/flow"
)

// watch keeps the databases in step until the context ends.
func (r *syncRun) watch(ctx context.Context, total *Report) (*Report, error) {
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
	err := r.flow.Watch(ctx, m, r.flowTables(r.layout.tables), func(out *flow.Outcome) {
		one, err := r.done(context.WithoutCancel(ctx), total.Plan, out)
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
