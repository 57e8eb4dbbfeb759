package syncline

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/syncline-io/syncline/endpoint"
)

// Removal is what [Uninstall] has removed.
type Removal struct {
	Databases []string // that held something of the pair
	StateDir  string   // the pair's own directory; "" when there was none
}

// Uninstall removes every trace of the pair of two databases from both, and its state,
// which may be damaged. What other pairs have in them stays, and rows are not touched. A
// pair whose state is gone already is known by what both databases still say of it.
func Uninstall(ctx context.Context, a, b endpoint.Endpoint, o StateOptions) (*Removal, error) {
	ends := [2]endpoint.Endpoint{a, b}
	ins, err := inspect(ctx, ends)
	if err != nil {
		return nil, err
	}
	d, err := openPairDir(o.StateDir, ins, false)
	if err != nil {
		return nil, err
	}
	r, err := uninstall(ctx, d, ends, ins)
	return r, errors.Join(err, d.Close())
}

func uninstall(ctx context.Context, d *pairDir, ends [2]endpoint.Endpoint, ins [2]*endpoint.Inspection) (*Removal, error) {
	r := &Removal{}
	var pairs []endpoint.Pair
	if d.fresh {
		orphans, err := orphans(filepath.Dir(d.path), ins)
		if err != nil {
			return nil, err
		}
		pairs = orphans
	} else {
		pairs = []endpoint.Pair{endpoint.Pair(d.file.Pair)}
	}
	for i, end := range ends {
		did, err := forget(ctx, end, ins[i], pairs)
		if err != nil {
			return nil, err
		}
		if did {
			r.Databases = append(r.Databases, end.Name())
		}
	}
	if d.fresh {
		return r, nil // the directory that was made for the lock goes with it
	}
	// The state goes last: with it an uninstall that was cut short finds the pair again.
	r.StateDir = d.path
	return r, d.remove()
}

// forget removes pairs from a database. It reports whether the database knew any of them.
func forget(ctx context.Context, end endpoint.Endpoint, in *endpoint.Inspection, pairs []endpoint.Pair) (did bool, err error) {
	for _, pair := range pairs {
		bound, ok := in.Binding(pair)
		if !ok {
			continue
		}
		if in.ReadOnly != "" {
			return did, readOnlyError(end, in)
		}
		tx, err := end.Begin(ctx, endpoint.Begin{Pair: pair, From: bound.Progress, To: bound.Progress, Marker: in.Marker})
		if err != nil {
			return did, err
		}
		if err = tx.Forget(); err == nil {
			err = tx.Commit()
		}
		if err != nil {
			return did, errors.Join(err, tx.Rollback())
		}
		did = true
	}
	return did, nil
}

// orphans returns the pairs that both databases know and that have no state: what is left
// of this pair when its directory was deleted. A copy of a database also knows the pairs of
// its original; those have their state.
func orphans(stateDir string, ins [2]*endpoint.Inspection) ([]endpoint.Pair, error) {
	entries, err := os.ReadDir(stateDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	alive := map[endpoint.Pair]bool{}
	for _, e := range entries {
		if f, err := readPairFile(filepath.Join(stateDir, e.Name())); err == nil || errors.Is(err, ErrNewerState) {
			alive[endpoint.Pair(f.Pair)] = true
		}
	}
	var left []endpoint.Pair
	for _, b := range ins[0].Bound {
		if _, both := ins[1].Binding(b.Pair); both && !alive[b.Pair] {
			left = append(left, b.Pair)
		}
	}
	return left, nil
}
