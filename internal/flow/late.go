package flow

import (
	"errors"
	"slices"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// late is a row that has to wait for others.
type late struct {
	t          *table
	k          record.Key
	have, want row
	l          *loaded
}

// writeLate writes the rows that others kept out: again and again as long as that helps,
// and what then stands in a circle, or in a long row without order, by taking all of it out
// first. Values that move on by one wait for each other in the order of their keys or
// against it, so it is tried in both.
func (a *transaction) writeLate() error {
	for pass := 0; len(a.late) > 0; pass++ {
		slices.Reverse(a.late)
		var left []late
		for _, w := range a.late {
			err := a.put1(w.t, w.k, w.have, w.want)
			var broken *endpoint.ConstraintError
			switch {
			case err == nil:
				a.wrote(w.t, w.k, w.l, w.have, w.want)
			case errors.As(err, &broken):
				left, err = append(left, w), nil
			}
			if err != nil {
				return err
			}
		}
		if len(left) == len(a.late) || pass == latePasses {
			return a.writeCircle(left)
		}
		a.late = left
	}
	return nil
}

func (a *transaction) writeCircle(stuck []late) error {
	for _, w := range stuck {
		if w.have != nil {
			if err := a.tx.Delete(w.t.At[a.i], w.k); err != nil {
				return err
			}
		}
	}
	refused := false
	for _, w := range stuck {
		if w.want == nil {
			continue
		}
		err := a.tx.Insert(w.t.At[a.i], w.want, a.view.Chunk)
		var broken *endpoint.ConstraintError
		if errors.As(err, &broken) {
			refused = true
			if err := a.refuse(w.t, w.k, w.l, broken); err != nil && !errors.Is(err, errAgain) {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		a.wrote(w.t, w.k, w.l, w.have, w.want)
	}
	if refused {
		return errAgain // rows were taken out that have to stay
	}
	return nil
}
