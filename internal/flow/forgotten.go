package flow

import "github.com/syncline-io/syncline/record"

// forgotten reports whether neither site is one that the state knows: then its records are
// those of databases that are gone, and nobody's.
func (f *Flow) forgotten() bool { return f.sites[0].unknown && f.sites[1].unknown }

// view pins the store as far as it counts.
func (f *Flow) view() View {
	v := f.store.View()
	if f.forgotten() {
		return forgottenView{v}
	}
	return v
}

// forgottenView is a view without records and side values.
type forgottenView struct{ View }

func (forgottenView) Get(string, record.Key) ([]record.Version, error) { return nil, nil }

func (forgottenView) Records(string, record.Key) Records { return nothing{} }

func (forgottenView) Siblings(func(string, record.Key) error) error { return nil }

func (forgottenView) Side(string, string, record.Key) ([]byte, bool, error) { return nil, false, nil }

func (forgottenView) Sides(string, string, record.Key) Sides { return nothing{} }

// nothing is a scan over nothing.
type nothing struct{}

func (nothing) Next() bool                                  { return false }
func (nothing) Key() record.Key                             { return nil }
func (nothing) Single() (*record.Shape, record.Image, bool) { return nil, nil, false }
func (nothing) Versions() (vs []record.Version, err error)  { return nil, nil }
func (nothing) Value() ([]byte, error)                      { return nil, nil }
func (nothing) Err() error                                  { return nil }
func (nothing) Close() error                                { return nil }

// clearBatch is how many records are removed in one batch.
const clearBatch = 20_000

// clear removes the records that are nobody's. It may be interrupted and done again.
func (f *Flow) clear() error {
	v := f.store.View()
	defer v.Close()
	for _, table := range v.Tables() {
		if err := f.clearTable(v, table); err != nil {
			return err
		}
	}
	return nil
}

func (f *Flow) clearTable(v View, table string) error {
	records := v.Records(table, nil)
	defer records.Close()
	w := f.writer()
	defer w.close()
	n := 0
	for records.Next() {
		vs, err := records.Versions()
		if err != nil {
			return err
		}
		if err := w.batch().Record(table, records.Key(), len(vs), nil); err != nil {
			return err
		}
		if n++; n%clearBatch == 0 {
			if err := w.flush(false); err != nil {
				return err
			}
		}
	}
	if err := records.Err(); err != nil {
		return err
	}
	return w.flush(true)
}
