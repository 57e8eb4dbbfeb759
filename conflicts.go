package syncline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/internal/flow"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// StateOptions say where the state of a pair is, and by which rules it is read.
type StateOptions struct {
	// StateDir is that of [Options].
	StateDir string
	// OnConflict and Rules are those of [Options]: which records are in conflict is up to
	// the rules. When both are nil, they are those of the last run.
	OnConflict *merge.Rule
	Rules      map[string]merge.Table
	// Logger and Now are those of [Options].
	Logger *slog.Logger
	Now    func() time.Time
}

// ErrNoConflict reports a record that is not in conflict.
var ErrNoConflict = errors.New("no such conflict")

// Conflicts calls f with each record of a pair that waits for a decision, that a rule has
// decided, or that a database would not take, table by table. It reads the state as the
// last run left it and writes nothing; a pair that was never synced has no conflicts. Of a
// pair that is being watched it gives the list that the watch keeps, by the watch's rules. What
// f is given is f's to keep. An error of f ends it and is returned.
func Conflicts(ctx context.Context, a, b endpoint.Endpoint, o StateOptions, f func(Conflict) error) error {
	ends := [2]endpoint.Endpoint{a, b}
	s, l, err := openState(ctx, ends, o, true)
	if busy := (*BusyError)(nil); errors.As(err, &busy) && o.OnConflict == nil && o.Rules == nil {
		ins, err := inspect(ctx, ends)
		if err != nil {
			return err
		}
		if ok, err := listedConflicts(busy.Path, ins, f); ok || err != nil {
			return err
		}
		return busy
	}
	if err != nil {
		return err
	}
	book, err := s.rulesOf(o)
	if err != nil {
		return errors.Join(err, s.close())
	}
	mode := flow.Mode{Lead: flow.Both, Rules: book.table}
	err = s.flow.Conflicts(ctx, mode, s.flowTables(l.tables), func(c flow.Conflict) error {
		out, err := s.conflict(&c, l, book)
		if err != nil {
			return err
		}
		return f(*out)
	})
	return stateError(errors.Join(err, s.close()), s.dir.path)
}

// Resolve decides the conflict of one record, named as people write it (orders/7): both
// databases get the row that one of them has, or that one of them wrote where a rule had
// decided. The decision is recorded and written to both at once; it returns the conflict
// as it was. A record that is in no conflict is [ErrNoConflict].
func Resolve(ctx context.Context, a, b endpoint.Endpoint, o StateOptions, name string, take Take) (*Conflict, error) {
	from := slices.Index([]Take{TakeA, TakeB}, take)
	if from < 0 {
		return nil, usage("a conflict is decided by taking %q or %q, not %q", TakeA, TakeB, take)
	}
	table, values, err := record.ParseRecord(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	s, l, err := openState(ctx, [2]endpoint.Endpoint{a, b}, o, false)
	if err != nil {
		return nil, err
	}
	c, err := s.resolve(ctx, l, o, name, table, values, from)
	return c, stateError(errors.Join(err, s.close()), s.dir.path)
}

func (s *session) resolve(ctx context.Context, l *layout, o StateOptions, name, table string, values []record.Value, from int) (*Conflict, error) {
	if err := writable(s.ends, s.ins, &Options{TwoWay: true}); err != nil {
		return nil, err
	}
	n := slices.IndexFunc(l.tables, func(t *pairedTable) bool { return lowerASCII(t.name) == lowerASCII(table) })
	if n < 0 {
		return nil, fmt.Errorf("%w: there is no table %s", ErrNoConflict, table)
	}
	t := l.tables[n]
	keys, err := keyCandidates(t.any(), values)
	if err != nil {
		return nil, fmt.Errorf("%w: record %s: %w", ErrUsage, name, err)
	}
	book, err := s.rulesOf(o)
	if err != nil {
		return nil, err
	}
	mode := flow.Mode{Lead: flow.Both, Rules: book.table}
	tables := s.flowTables(l.tables)
	found, key, err := s.find(ctx, mode, l, book, t, keys)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoConflict, name)
	}
	if _, err := s.flow.Decide(ctx, mode, tables, t.stateName(), key, s.dir.side(from)); err != nil {
		if errors.Is(err, flow.ErrNoRecord) {
			err = fmt.Errorf("%w: %s", ErrNoConflict, name)
		}
		return nil, err
	}
	return found, s.remember(ctx)
}

// find returns the conflict of the first of the keys that has one, nil when none has.
func (s *session) find(ctx context.Context, m flow.Mode, l *layout, book *ruleBook, t *pairedTable, keys []record.Key) (found *Conflict, key record.Key, err error) {
	best := len(keys)
	err = s.flow.Conflicts(ctx, m, s.flowTables(l.tables), func(c flow.Conflict) error {
		if c.Table != t.stateName() {
			return nil
		}
		n := slices.IndexFunc(keys, func(k record.Key) bool { return string(k) == string(c.Key) })
		// A record may also be parked: what waits for a decision comes first.
		if n < 0 || n > best || (n == best && c.Kind == flow.ConflictParked) {
			return nil
		}
		best, key = n, c.Key
		found, err = s.conflict(&c, l, book)
		return err
	})
	return found, key, err
}

// rulesOf returns the rules that are asked about.
func (s *session) rulesOf(o StateOptions) (*ruleBook, error) {
	if o.OnConflict == nil && o.Rules == nil {
		if kept, err := s.keptRules(); kept != nil || err != nil {
			return kept, err
		}
	}
	return s.rules(o.OnConflict, o.Rules), nil
}

// remember writes down where the databases are now.
func (s *session) remember(ctx context.Context) error {
	if err := s.inspectAgain(ctx); err != nil {
		return err
	}
	return s.dir.record(s.flow.Pair(), s.ins)
}

// openState opens the state of two databases that must both exist, and reads which tables
// they have in common.
func openState(ctx context.Context, ends [2]endpoint.Endpoint, o StateOptions, readOnly bool) (*session, *layout, error) {
	ins, err := inspect(ctx, ends)
	if err != nil {
		return nil, nil, err
	}
	for i, in := range ins {
		if !in.Exists {
			return nil, nil, notExist(ends[i])
		}
	}
	s, err := openSession(ends, ins, sessionOptions{o.StateDir, readOnly, o.Now, o.Logger})
	if err != nil {
		return nil, nil, err
	}
	l, err := s.common(ctx)
	if err != nil {
		return nil, nil, stateError(errors.Join(err, s.close()), s.dir.path)
	}
	return s, l, nil
}

// common returns the tables that both databases have and that fit.
func (s *session) common(ctx context.Context) (*layout, error) {
	schemas, err := s.schemas(ctx)
	if err != nil {
		return nil, err
	}
	all, err := pairTables(schemas[0], schemas[1], &filter{})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(t *pairedTable) bool {
		return t.at[0] == nil || t.at[1] == nil || len(t.differences()) > 0
	})
	return &layout{tables: parentsFirst(all)}, nil
}

// conflict writes a conflict in the order of the arguments.
func (s *session) conflict(c *flow.Conflict, l *layout, book *ruleBook) (*Conflict, error) {
	a, b := s.dir.side(0), s.dir.side(1)
	out := &Conflict{
		Table: c.Table, Key: c.Key, Since: c.Since.Time(), Rule: book.named(c.Rule),
		Record: keyName(c.Table, c.Key), Reason: c.Reason,
	}
	switch c.Kind {
	case flow.ConflictOpen:
		out.Kind = ConflictOpen
	case flow.ConflictResolved:
		out.Kind = ConflictResolved
	case flow.ConflictParked:
		out.Kind = ConflictParked
		out.At = s.ends[s.dir.side(c.At)].Name()
	}
	for _, t := range l.tables {
		if t.stateName() == c.Table {
			out.Table, out.Record = t.name, recordName(t.any(), c.Key, c.Rows[a], c.Rows[b], c.Result)
		}
	}
	for _, i := range c.Contested {
		out.Fields = append(out.Fields, c.Shape.Fields[i])
	}
	for _, side := range []struct {
		im record.Image
		to **Row
	}{{c.Rows[a], &out.A}, {c.Rows[b], &out.B}, {c.Result, &out.Result}} {
		if side.im == nil {
			continue
		}
		row, err := rowOf(c.Shape, side.im)
		if err != nil {
			return nil, err
		}
		*side.to = row
	}
	return out, nil
}
