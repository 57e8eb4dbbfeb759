package flow

import (
	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// parked is what a site will not take, found out so far.
type parked struct {
	records map[string]parking
	where   map[string]named
	commits map[causal.Dot]parking
}

func newParked() *parked {
	return &parked{make(map[string]parking), make(map[string]named), make(map[causal.Dot]parking)}
}

// leaveOut reports whether the record is parked, by itself or with its commit.
func (a *transaction) leaveOut(t *table, k record.Key, l *loaded) bool {
	name := nameOf(t.Name, k)
	if _, ok := a.park.records[name]; ok {
		return true
	}
	for i := range l.live {
		if p, ok := a.park.commits[l.live[i].Dot]; ok {
			a.park.add(t, k, p)
			return true
		}
	}
	return false
}

// refuse parks a record, with all of its commit where that is one transaction.
func (a *transaction) refuse(t *table, k record.Key, l *loaded, broken *endpoint.ConstraintError) error {
	why := parking{Since: a.now().UnixMilli(), Kind: broken.Kind, Detail: broken.Detail}
	if was := l.shadow[a.i].parked; was != nil {
		why.Since = was.Since
	}
	a.park.add(t, k, why)
	whole := false
	for i := range l.live {
		if v := &l.live[i]; v.Flags&record.Loose == 0 {
			a.park.commits[v.Dot] = why
			whole = true
		}
	}
	if whole {
		return errAgain // others of the commit may be written already
	}
	return nil
}

func (p *parked) add(t *table, k record.Key, why parking) {
	name := nameOf(t.Name, k)
	p.records[name] = why
	p.where[name] = named{t.Name, append([]byte(nil), k...)}
}
