package syncline

import (
	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/internal/flow"
	"github.com/syncline-io/syncline/internal/store"
	"github.com/syncline-io/syncline/record"
)

// dataset is a store as flow wants one. The two packages do not know each other; this is
// where they meet, and nothing but names changes here.
type dataset struct{ *store.Store }

var _ flow.Store = dataset{}

func (d dataset) View() flow.View { return datasetView{d.Store.View()} }

func (d dataset) Batch() flow.Batch { return datasetBatch{d.Store.Batch(), d.Store} }

func (d dataset) Stage(dot causal.Dot) flow.Stage { return d.Store.Stage(dot) }

// datasetView is a view of the store.
type datasetView struct{ *store.View }

func (v datasetView) Records(table string, after record.Key) flow.Records {
	return datasetRecords{v.View.Records(table, after)}
}

func (v datasetView) Get(table string, k record.Key) ([]record.Version, error) {
	return v.View.Get(table, k, nil)
}

func (v datasetView) Side(space, table string, k record.Key) ([]byte, bool, error) {
	return v.SideGet(space, table, k)
}

func (v datasetView) Sides(space, table string, after record.Key) flow.Sides {
	return v.SideScan(space, table, after)
}

// datasetRecords is a walk over records.
type datasetRecords struct{ *store.Records }

func (r datasetRecords) Single() (*record.Shape, record.Image, bool) {
	shape, im, flags, ok := r.Records.Single()
	return shape, im, ok && flags&record.Bury == 0
}

// datasetBatch is a batch of the store.
type datasetBatch struct {
	*store.Batch
	store *store.Store
}

func (b datasetBatch) Append(e *record.Entry, segments flow.Stage) error {
	st, _ := segments.(*store.Stage)
	_, err := b.Batch.Append(e, st)
	return err
}

func (b datasetBatch) Side(space, table string, k record.Key, value []byte, held []record.Version) error {
	return b.SideSet(space, table, k, value, held)
}

func (b datasetBatch) DeleteSide(space, table string, k record.Key) error {
	return b.SideDelete(space, table, k)
}

func (b datasetBatch) ClearSide(space string) error { return b.SideClear(space, "") }

func (b datasetBatch) TruncateLog() error {
	v := b.store.View()
	_, end := v.Position()
	if err := v.Close(); err != nil {
		return err
	}
	return b.Truncate(end)
}

func (b datasetBatch) Len() int { return b.Size() }
