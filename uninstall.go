package syncline

import (
	"context"
	"errors"
	"slices"

	"github.com/syncline-io/syncline/endpoint"
)

// Removal is what [Uninstall] has removed.
type Removal struct {
	Databases []string // that held something of the pair
	StateDir  string   // the pair's own directory; "" when there was none
}

// Uninstall removes every trace of the pair of two databases from both, and its state.
// What other pairs have in them stays. A database that does not exist has no traces; rows
// are not touched.
func Uninstall(ctx context.Context, a, b endpoint.Endpoint, o StateOptions) (*Removal, error) {
	ends := [2]endpoint.Endpoint{a, b}
	ins, err := inspect(ctx, ends)
	if err != nil {
		return nil, err
	}
	s, err := openSession(ends, ins, sessionOptions{o.StateDir, false, o.Now, o.Logger})
	if err != nil {
		return nil, err
	}
	r, err := s.uninstall(ctx)
	return r, stateError(errors.Join(err, s.close()), s.dir.path)
}

func (s *session) uninstall(ctx context.Context) (*Removal, error) {
	r := &Removal{}
	if s.dir.fresh {
		return r, nil // which close removes again
	}
	pair := s.flow.Pair()
	bound := func(i int) bool {
		_, ok := s.ins[i].Binding(pair)
		return ok
	}
	for i, in := range s.ins {
		if bound(i) && in.ReadOnly != "" {
			return nil, &endpoint.Error{
				Family: endpoint.Permission, Op: "write", Name: s.ends[i].Name(),
				Hint: "make the file and its directory writable", Err: errors.New(in.ReadOnly),
			}
		}
	}
	for i := range s.ends {
		if !bound(i) {
			continue
		}
		if err := s.flow.Uninstall(ctx, s.dir.side(i)); err != nil {
			return nil, err
		}
		r.Databases = append(r.Databases, s.ends[i].Name())
	}
	// The state goes last: with it a run that was cut short finds the pair again.
	if err := s.store.Close(); err != nil {
		return nil, err
	}
	r.StateDir = s.dir.path
	if err := s.dir.remove(); err != nil {
		return nil, err
	}
	slices.Sort(r.Databases)
	return r, nil
}
