package syncline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/internal/flow"
	"github.com/syncline-io/syncline/internal/store"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// session is a pair of databases with its state open. What is indexed by a database is in
// the order of the arguments unless it says otherwise; the state has an order of its own.
type session struct {
	ends  [2]endpoint.Endpoint
	ins   [2]*endpoint.Inspection
	dir   *pairDir
	store *store.Store
	flow  *flow.Flow
	now   func() time.Time
	log   *slog.Logger
	// why says why the history of the pair is unknown; "" when it is known.
	why string
	// names is how people are shown the tables that the state knows by other names.
	names map[string]string
	// unchanged says that a database is as the last run left it.
	unchanged [2]bool
}

// sessionOptions say how a session is opened.
type sessionOptions struct {
	stateDir string
	readOnly bool // nothing is written: neither to the databases nor to the state
	now      func() time.Time
	log      *slog.Logger
}

// openSession finds and opens the state of a pair whose databases were inspected.
func openSession(ends [2]endpoint.Endpoint, ins [2]*endpoint.Inspection, o sessionOptions) (s *session, err error) {
	s = &session{ends: ends, ins: ins, now: o.now, log: o.log, names: make(map[string]string)}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.dir, err = openPairDir(o.stateDir, ins, o.readOnly); err != nil {
		return nil, err
	}
	if err := s.open(o.readOnly); err != nil {
		return nil, errors.Join(stateError(err, s.dir.path), s.close())
	}
	return s, nil
}

// open opens the store, and whatever stands on it.
func (s *session) open(readOnly bool) (err error) {
	so := store.Options{Logger: s.log, ReadOnly: readOnly}
	dir := s.dir.store()
	if readOnly && (s.dir.path == "" || !store.Exists(dir, vfs.Default)) {
		// There is no state, and none may be made: what is found out is kept in memory.
		dir, so.FS, so.ReadOnly = storeDir, vfs.NewMem(), false
	}
	if s.store, err = store.Open(dir, so); err != nil {
		return err
	}
	var sites [2]flow.Site
	for i, e := range s.ends {
		sites[s.dir.side(i)] = flow.Site{Name: e.Name(), Endpoint: e}
	}
	if s.flow, err = flow.Open(dataset{s.store}, sites, s.now, s.log); err != nil {
		return err
	}
	return s.attach()
}

// attach compares the databases with what the state remembers of them.
func (s *session) attach() error {
	s.why = ""
	for i, in := range s.ins {
		site := s.dir.side(i)
		st, err := s.flow.Attach(site, in)
		if err != nil {
			return err
		}
		if st.Known && s.dir.replaced[i] {
			st = s.flow.Distrust(site, fmt.Sprintf("%s is not the file that was there at the last sync", s.ends[i].Name()))
		}
		s.unchanged[i] = st.Known && st.Unchanged
		if !st.Known && s.why == "" {
			s.why = st.Why
		}
	}
	if s.why != "" && s.dir.note != "" {
		s.why = s.dir.note
	}
	return nil
}

// inspectAgain looks at the databases anew, after somebody has written to them.
func (s *session) inspectAgain(ctx context.Context) error {
	ins, err := inspect(ctx, s.ends)
	if err != nil {
		return err
	}
	s.ins = ins
	return nil
}

// close lets go of the state. A state that nothing was recorded in is removed.
func (s *session) close() error {
	var err error
	if s.store != nil {
		err = s.store.Close()
	}
	return errors.Join(err, s.dir.Close())
}

// rules returns the rule book of the session.
func (s *session) rules(onConflict *merge.Rule, rules map[string]merge.Table) *ruleBook {
	return newRuleBook(onConflict, rules, s.nodes())
}

// nodes returns the nodes of the databases.
func (s *session) nodes() [2]causal.Node {
	return [2]causal.Node{s.flow.Node(s.dir.side(0)), s.flow.Node(s.dir.side(1))}
}

// schemas reads what tables the databases have.
func (s *session) schemas(ctx context.Context) ([2]*endpoint.Schema, error) {
	var both [2]*endpoint.Schema
	for i, e := range s.ends {
		err := unchanged(ctx, func() (err error) {
			both[i], err = e.Schema(ctx)
			return err
		})
		if err != nil {
			return both, err
		}
	}
	return both, nil
}

// stateName is the name that the state knows a table by: neither the order of the databases
// nor how one of them spells it may make another table of it.
func (t *pairedTable) stateName() string { return lowerASCII(t.name) }

// flowTables returns tables as flow wants them, in the order of the state.
func (s *session) flowTables(tables []*pairedTable) []flow.Table {
	out := make([]flow.Table, len(tables))
	for n, t := range tables {
		out[n].Name = t.stateName()
		s.names[out[n].Name] = t.name
		for i, at := range t.at {
			out[n].At[s.dir.side(i)] = at
		}
	}
	return out
}

// progress hands on flow's progress.
func (s *session) progress(report func(Progress)) func(flow.Progress) {
	if report == nil {
		return nil
	}
	start := s.now()
	return func(p flow.Progress) {
		side := ""
		if p.Site >= 0 {
			side = s.ends[s.dir.side(p.Site)].Name()
		}
		report(Progress{
			Phase: Phase(p.Phase), Table: s.names[p.Table], Side: side,
			Done: p.Done, Total: p.Total, Bytes: p.Bytes, Elapsed: s.now().Sub(start),
		})
	}
}

// stateError puts an error of the state into the family that says what to do about it.
func stateError(err error, dir string) error {
	var end *endpoint.Error
	switch {
	case err == nil, errors.As(err, &end), errors.Is(err, ErrState), errors.Is(err, ErrNewerState):
		return err
	case errors.Is(err, store.ErrNewer):
		return fmt.Errorf("%w: %s: %w", ErrNewerState, dir, err)
	case errors.Is(err, store.ErrOlder):
		return fmt.Errorf("%s: %w; a run that may write converts it", dir, err)
	case errors.Is(err, store.ErrLocked):
		return &BusyError{PID: lockOwner(dir + "/" + lockName), Path: dir}
	case errors.Is(err, store.ErrNoSpace):
		return &endpoint.Error{
			Family: endpoint.Unreachable, Op: "write the state", Name: dir,
			Hint: "free some space and run again; nothing is lost", Err: err,
		}
	case errors.Is(err, store.ErrCorrupt), errors.Is(err, store.ErrNoChunk), errors.Is(err, record.ErrCorrupt):
		return fmt.Errorf("%w: %s: %w", ErrState, dir, err)
	}
	return err
}
