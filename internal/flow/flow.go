package flow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// Both is the Lead of a mode in which both sites' edits count.
const Both = -1

// Mode says in which direction a dataset flows, and what may be done.
type Mode struct {
	// Lead is the site whose rows count over the other's, or [Both].
	Lead int
	// Delete sends deletions: one way, of all that only the other site has; two ways, also
	// of those that one-way runs withheld.
	Delete bool
	// Overwrite lets an apply undo edits at the target that came after the survey.
	Overwrite bool
	// Rules returns the merge rules of a table.
	Rules func(table string) *merge.Table
	// Guard, when not nil, is asked before Watch deletes rows at a site, of how many that it
	// has; its error ends the watch before anything of the round is applied there.
	Guard func(table string, site int, deletes, rows int64) error
}

// counts reports whether site i's edits count.
func (m *Mode) counts(i int) bool { return m.Lead == Both || m.Lead == i }

// writes reports whether site i is written to.
func (m *Mode) writes(i int) bool { return m.Lead == Both || m.Lead != i }

var (
	// ErrMoved reports that the databases changed since the survey in a way that calls for
	// another one. Nothing was written.
	ErrMoved = errors.New("the databases changed since they were compared")
	// ErrNoRecord reports a record without anything to decide.
	ErrNoRecord = errors.New("no such conflict")
)

// identity names the dataset, kept as JSON under "dataset".
type identity struct {
	Dataset record.Dataset
	Pair    endpoint.Pair
	Decider causal.Origin // of decisions
}

// Flow is one dataset with its two sites. It is not safe for concurrent use.
type Flow struct {
	store    Store
	now      func() time.Time
	log      *slog.Logger
	identity identity
	stored   bool // identity and sites are in the store
	sites    [2]*site
	clock    causal.Clock
	heads    causal.Vector
	report   func(Progress)
	reported time.Time
	again    bool // a round of Watch was not finished
	// carried is what a run did that has to be followed by another.
	carried *Outcome
}

// Progress is where the work stands.
type Progress struct {
	Phase       string
	Table       string
	Site        int // -1: none in particular
	Done, Total int64
	Bytes       int64
}

// Open reads what the store knows, or draws the identity of a new dataset. Nothing is
// written before the first Run.
func Open(st Store, sites [2]Site, now func() time.Time, log *slog.Logger) (*Flow, error) {
	f := &Flow{store: st, now: now, log: log}
	v := st.View()
	defer v.Close()
	stored, err := readJSON(v, "dataset", &f.identity)
	if err != nil {
		return nil, err
	}
	f.stored = stored
	if !stored {
		f.identity = identity{
			Dataset: record.Dataset(newOrigin().Node), Pair: endpoint.Pair(newOrigin().Node), Decider: newOrigin(),
		}
	}
	for i := range f.sites {
		f.sites[i] = &site{Site: sites[i]}
		ok, err := readJSON(v, siteName(i), &f.sites[i].memory)
		if err != nil {
			return nil, err
		}
		if !ok {
			f.sites[i].Origin = newOrigin()
		}
		if f.sites[i].Known == nil {
			f.sites[i].Known = make(map[string]extent)
		}
	}
	var last causal.Stamp
	if _, err := readJSON(v, "clock", &last); err != nil {
		return nil, err
	}
	f.clock.See(last)
	f.heads = v.Vector()
	return f, nil
}

// Pair is the id under which the dataset is known in both databases.
func (f *Flow) Pair() endpoint.Pair { return f.identity.Pair }

// Node is the writer of the edits captured at site i.
func (f *Flow) Node(i int) causal.Node { return f.sites[i].Origin.Node }

// Standing says how a database compares with what is remembered of it.
type Standing struct {
	Known     bool
	Why       string // when it is not: for people
	Unchanged bool   // everything in it is known
}

// Attach compares a database with what the state remembers of it. It comes before
// everything else, for both sites.
func (f *Flow) Attach(i int, in *endpoint.Inspection) (Standing, error) {
	s := f.sites[i]
	s.marker = in.Marker
	if s.marker == ([16]byte{}) {
		s.marker = newOrigin().Node
	}
	v := f.store.View()
	defer v.Close()
	var pending intent
	interrupted, err := readJSON(v, intentName(i), &pending)
	if err != nil {
		return Standing{}, err
	}
	bound, has := in.Binding(f.identity.Pair)
	s.now, s.passed = bound.Progress, bound.Cursor
	s.Capturing = s.Capturing && bound.Capturing
	switch {
	case interrupted && has && bound.Progress == pending.To:
		s.done = newApplied(&pending)
	case has && s.copiedTo(bound.Progress):
		s.Copying = nil // the ones after it never happened
	case bound.Progress == s.Progress:
	case !in.Exists:
		return f.distrust(i, fmt.Sprintf("%s does not exist any more", s.Name)), nil
	case !has:
		return f.distrust(i, fmt.Sprintf("%s has no trace of this pair: it is another database, or one from before the first sync", s.Name)), nil
	case bound.Apply < s.Progress.Apply:
		return f.distrust(i, fmt.Sprintf("%s is an older copy: it was written to %d times by this pair, the state remembers %d", s.Name, bound.Apply, s.Progress.Apply)), nil
	default:
		return f.distrust(i, fmt.Sprintf("%s was synced with another state of this pair since", s.Name)), nil
	}
	if !s.Bound {
		if len(s.Known) > 0 {
			return Standing{Known: true}, nil // a first copy was interrupted and goes on
		}
		return Standing{Why: "this pair was not synced before"}, nil
	}
	s.same = s.done == nil && len(s.Fingerprint) > 0 && string(s.Fingerprint) == string(in.Fingerprint)
	return Standing{Known: true, Unchanged: s.same}, nil
}

// Distrust says that nothing of what is remembered of site i's rows counts, for a reason
// that the caller knows.
func (f *Flow) Distrust(i int, why string) Standing { return f.distrust(i, why) }

func (f *Flow) distrust(i int, why string) Standing {
	s := f.sites[i]
	s.unknown, s.same, s.Capturing, s.done = true, false, false, nil
	return Standing{Why: why}
}

// Finish writes down what an apply that a crash interrupted after its COMMIT has done. It
// comes before the survey of a run that may write: what the database's triggers made of that apply
// is taken in before anybody looks at what its users made of it since.
func (f *Flow) Finish(m Mode, tables []Table) error {
	for i, s := range f.sites {
		if s.done == nil {
			continue
		}
		if err := f.settle(i, tables, &m); err != nil {
			return err
		}
	}
	return nil
}

// begin makes the store remember who is who, and forget what cannot be trusted. It is the
// first write of a run.
func (f *Flow) begin(tables []Table, m *Mode) error {
	if err := f.Finish(*m, tables); err != nil {
		return err
	}
	if f.forgotten() {
		if err := f.clear(); err != nil {
			return err
		}
	}
	b := f.store.Batch()
	defer b.Close()
	write := !f.stored
	if !f.stored {
		if err := writeJSON(b, "dataset", &f.identity); err != nil {
			return err
		}
	}
	for i, s := range f.sites {
		if s.unknown {
			// A new incarnation before its first commit (I11).
			s.memory = memory{Origin: causal.Origin{Node: s.Origin.Node, Incarnation: s.Origin.Incarnation + 1}, Progress: s.now, Known: make(map[string]extent)}
			if err := b.ClearSide(spaceName(i)); err != nil {
				return err
			}
		}
		if s.unknown || !f.stored {
			write = true
			if err := writeJSON(b, siteName(i), &s.memory); err != nil {
				return err
			}
		}
		if err := b.DeleteMeta(intentName(i)); err != nil {
			return err
		}
	}
	if !write {
		return nil
	}
	if err := b.Commit(true); err != nil {
		return err
	}
	f.stored = true
	for _, s := range f.sites {
		s.unknown = false
	}
	return nil
}

// tell reports progress, ten times a second at most.
func (f *Flow) tell(p Progress) {
	if f.report == nil {
		return
	}
	if now := f.now(); now.Sub(f.reported) >= 100*time.Millisecond || (p.Total > 0 && p.Done == p.Total) {
		f.reported = now
		f.report(p)
	}
}

// names of the phases.
const (
	phaseCompare = "compare"
	phaseCopy    = "copy"
	phaseCapture = "capture"
	phaseApply   = "apply"
	phaseWatch   = "watch"
)

// interrupted turns the end of a context into its cause.
func interrupted(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
