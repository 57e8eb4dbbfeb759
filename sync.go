package syncline

import (
	"context"
	"errors"
	"time"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/internal/flow"
)

// Sync makes two databases hold the same rows: the second those of the first, or, two
// ways, both the edits of either since they were last synced. It makes a [Plan], asks for
// consent where one is needed, and then does what the plan says; with [Options.Watch] it
// goes on until the context ends.
//
// The first database must exist. The second is created if it does not, with the tables of
// the first. What is known of the pair is kept in one directory below [Options.StateDir];
// without it, the history is unknown and nothing is guessed.
//
// It may be interrupted at any moment, and the next run goes on. Errors are a *[GuardError],
// *[SchemaError] or *[BusyError], an *[endpoint.Error], or wrap [ErrUsage], [ErrNewerState]
// or [ErrState]. After any of the first three nothing was written to a database. When the
// context ends before the run does, the error is the context's.
func Sync(ctx context.Context, a, b endpoint.Endpoint, o Options) (*Report, error) {
	f, err := o.check()
	if err != nil {
		return nil, err
	}
	start := o.Now()
	ends := [2]endpoint.Endpoint{a, b}
	ins, err := inspect(ctx, ends)
	if err != nil {
		return nil, err
	}
	if !ins[0].Exists {
		return nil, notExist(a)
	}
	if !o.DryRun {
		if err := writable(ends, ins, &o); err != nil {
			return nil, err
		}
	}
	s, err := openSession(ends, ins, sessionOptions{o.StateDir, o.DryRun, o.Now, o.Logger})
	if err != nil {
		return nil, err
	}
	r := &syncRun{session: s, o: &o, filter: f, start: start}
	report, err := r.run(ctx)
	err = errors.Join(err, s.close())
	return report, stateError(err, s.dir.path)
}

// check refuses options that make no sense, and fills in defaults.
func (o *Options) check() (*filter, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	switch {
	case o.StateDir == "":
		return nil, usage("no state directory")
	case o.MaxDelete < 0 || o.MaxDelete > 1 || o.MaxDelete != o.MaxDelete:
		return nil, usage("the greatest share of rows to delete is %v, not between 0 and 1", o.MaxDelete)
	}
	return newFilter(o.Tables, o.Exclude)
}

// writable refuses databases that the run has to write to and cannot.
func writable(ends [2]endpoint.Endpoint, ins [2]*endpoint.Inspection, o *Options) error {
	for i, in := range ins {
		// A source that is watched gets triggers.
		if in.ReadOnly == "" || (i == 0 && !o.TwoWay && !o.Watch) {
			continue
		}
		return readOnlyError(ends[i], in)
	}
	return nil
}

func readOnlyError(end endpoint.Endpoint, in *endpoint.Inspection) error {
	return &endpoint.Error{
		Family: endpoint.Permission, Op: "write", Name: end.Name(),
		Hint: "make the file and its directory writable", Err: errors.New(in.ReadOnly),
	}
}

// syncRun is a Sync at work.
type syncRun struct {
	*session
	o      *Options
	filter *filter
	start  time.Time
	layout *layout
	mode   flow.Mode
	book   *ruleBook
	// resolved is how many conflicts a rule had decided when that was last counted.
	resolved int64
	// shown is the plan that somebody has agreed to, or that needed nobody to; nil before.
	shown *Plan
}

// surveys is how often the databases are compared when they are written to meanwhile; from
// firmFrom on, writers have to wait.
const (
	surveys  = 6
	firmFrom = 2
)

func (r *syncRun) run(ctx context.Context) (*Report, error) {
	r.book = r.rules(r.o.OnConflict, r.o.Rules)
	r.mode = flow.Mode{Lead: r.dir.side(0), Delete: r.o.Delete, Overwrite: r.o.Yes, Rules: r.book.table}
	if r.o.TwoWay {
		r.mode.Lead = flow.Both
	}
	if err := r.readLayout(ctx); err != nil {
		return nil, err
	}
	if err := checkRules(r.o.OnConflict, r.o.Rules, r.layout.tables); err != nil {
		return nil, err
	}
	if !r.dir.fresh {
		var err error
		if r.resolved, err = r.countResolved(ctx); err != nil {
			return nil, err
		}
	}
	for try := 0; try < surveys; try++ {
		report, err := r.attempt(ctx, try >= firmFrom)
		switch {
		case errors.Is(err, endpoint.ErrCapture) && r.o.Watch:
			// The schema changed under a watch: what the tables are now, and everything in them,
			// has to be looked at again.
			if err := r.readLayout(ctx); err != nil {
				return nil, err
			}
			try = 0
		case !errors.Is(err, flow.ErrMoved) && !errors.Is(err, endpoint.ErrChanged):
			return report, err
		}
	}
	return nil, &endpoint.Error{
		Family: endpoint.Unreachable, Op: "compare", Name: r.ends[0].Name(),
		Hint: "try again when they are written to less", Err: flow.ErrMoved,
	}
}

// readLayout reads what tables there are.
func (r *syncRun) readLayout(ctx context.Context) error {
	schemas, err := r.schemas(ctx)
	if err != nil {
		return err
	}
	names := [2]string{r.ends[0].Name(), r.ends[1].Name()}
	empty := [2]bool{len(schemas[0].Tables) == 0, len(schemas[1].Tables) == 0}
	r.layout, err = layOut(schemas, names, empty, r.o.TwoWay, r.filter)
	return err
}

// attempt compares, plans, asks and does. It fails with flow.ErrMoved when the databases
// were written to meanwhile and it has to be done again.
func (r *syncRun) attempt(ctx context.Context, firm bool) (*Report, error) {
	if !r.o.DryRun {
		if err := r.flow.Finish(r.mode, r.flowTables(r.layout.tables)); err != nil {
			return nil, err
		}
	}
	survey, plan, err := r.survey(ctx, firm)
	if err != nil {
		return nil, err
	}
	defer func() { _ = survey.Close() }() // its views were only read
	if r.o.DryRun || (plan.Nothing && !r.o.Watch) {
		return r.nothing(plan, survey)
	}
	asked, err := r.consent(ctx, plan)
	if err != nil {
		return nil, err
	}
	if asked && firm {
		// Writers had to wait for a person. What has been agreed to is known now, so the
		// next comparison goes on at once.
		return nil, flow.ErrMoved
	}
	// From here on something is written. The state has to be found again by then.
	if err := r.dir.record(r.flow.Pair(), r.ins); err != nil {
		return nil, err
	}
	if r.o.TwoWay {
		if err := r.keepRules(r.book); err != nil {
			return nil, err
		}
	}
	prepared, err := r.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if prepared {
		// The databases are not what was compared any more: their tables are there now, and
		// what was edited before the first trigger was, nobody has seen.
		if err := survey.Close(); err != nil {
			return nil, err
		}
		again, now, err := r.survey(ctx, firm)
		if err != nil {
			return nil, err
		}
		defer func() { _ = again.Close() }()
		if _, err := r.consent(ctx, now); err != nil {
			return nil, err
		}
		survey = again
	}
	out, err := r.flow.Run(ctx, survey, r.flowTables(r.layout.tables), r.progress(r.o.Progress))
	if err != nil {
		return nil, err
	}
	if err := r.inspectAgain(ctx); err != nil {
		return nil, err
	}
	if err := r.dir.record(r.flow.Pair(), r.ins); err != nil {
		return nil, err
	}
	report, err := r.done(ctx, r.shown, out)
	if err != nil {
		return nil, err
	}
	if !r.o.Watch {
		return report, nil
	}
	if out.Changed && r.o.Round != nil {
		r.o.Round(report)
	}
	return r.watch(ctx, report)
}

// survey compares the databases and makes the plan.
func (r *syncRun) survey(ctx context.Context, firm bool) (*flow.Survey, *Plan, error) {
	sv, err := r.flow.Survey(ctx, r.mode, r.flowTables(r.layout.tables), firm, r.progress(r.o.Progress))
	if err != nil {
		return nil, nil, err
	}
	plan, err := r.plan(ctx, r.layout, sv, r.o)
	if err != nil {
		return nil, nil, errors.Join(err, sv.Close())
	}
	return sv, plan, nil
}

// consent shows the plan, lets the guards look at it and asks for what a person has to
// agree to, unless that has been agreed to already. It reports whether it asked.
func (r *syncRun) consent(ctx context.Context, p *Plan) (asked bool, err error) {
	agreed := r.shown != nil && r.shown.covers(p)
	if r.o.Plan != nil && !agreed {
		r.o.Plan(p)
	}
	if err := checkGuards(p, r.o); err != nil {
		return false, err
	}
	if agreed {
		return false, nil
	}
	if !r.o.Yes && p.NeedsConsent() {
		if r.o.Confirm == nil {
			return false, unconfirmed(p, false)
		}
		yes, err := r.o.Confirm(ctx, p)
		if err != nil {
			return false, err
		}
		if !yes {
			return false, unconfirmed(p, true)
		}
		asked = true
	}
	r.shown = p
	return asked, nil
}

// prepare creates the tables that are missing, with them a database that does not exist,
// and what Watch needs inside the databases. It reports whether there was anything to do.
func (r *syncRun) prepare(ctx context.Context) (did bool, err error) {
	for i := range r.ends {
		if r.ins[i].Exists && len(r.layout.creates[i]) == 0 {
			continue
		}
		r.log.InfoContext(ctx, "create tables", "database", r.ends[i].Name(), "tables", len(r.layout.creates[i]))
		if err := r.flow.Create(ctx, r.dir.side(i), r.layout.ddl(i), r.ins[1-i].Encoding); err != nil {
			return false, err
		}
		did = true
	}
	if did {
		if err := r.readLayout(ctx); err != nil {
			return false, err
		}
		if err := r.inspectAgain(ctx); err != nil {
			return false, err
		}
	}
	if r.o.Watch && r.toInstall() {
		r.log.InfoContext(ctx, "install capture")
		if err := r.flow.Install(ctx, r.mode, r.flowTables(r.layout.tables)); err != nil {
			return false, err
		}
		did = true
	}
	return did, nil
}

// toInstall reports whether there is something to install before watching.
func (r *syncRun) toInstall() bool {
	tables := r.flowTables(r.layout.tables)
	for i := range r.ends {
		if r.flow.Installs(r.dir.side(i), &r.mode, tables) {
			return true
		}
	}
	return false
}
