package merge_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// The world of the tests: replicas that write, remember what they were shown, and pull
// each other's logs. It keeps a ghost beside every version: the set of all versions of the
// record in its author's past, which the product only knows by stamps.

var shape = must(record.NewShape("stock", []string{"id", "f", "g", "qty"}))

// Places of the fields in shape.
const (
	fieldF = iota
	fieldG
	fieldID
	fieldQty
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func origin(n byte) causal.Origin { return causal.Origin{Node: causal.Node{n}, Incarnation: 1} }

func dot(n byte, seq uint64) causal.Dot { return causal.Dot{Origin: origin(n), Seq: seq} }

func image(values ...record.Value) record.Image {
	var w record.ImageWriter
	w.Reset(len(values))
	for _, v := range values {
		w.Value(v)
	}
	return slices.Clone(w.Image())
}

func integer(i int64) record.Value { return record.IntValue(i) }

func text(s string) record.Value { return record.TextValue([]byte(s)) }

// row is a row of shape.
func row(f, g, qty int64) record.Image {
	return image(integer(f), integer(g), integer(7), integer(qty))
}

// with returns the row with one value changed.
func with(im record.Image, i int, v record.Value) record.Image {
	values := must(im.Values(nil))
	values[i] = v
	return image(values...)
}

// tester is what a helper needs of a testing.T or a rapid.T.
type tester interface {
	Helper()
	Fatal(args ...any)
}

// at returns one value of a row.
func at(t tester, im record.Image, i int) record.Value {
	t.Helper()
	v, err := im.Value(i)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// commit is a commit of one or more records, by name.
type commit struct {
	dot     causal.Dot
	stamp   causal.Stamp
	changes map[string]record.Change
	deps    []causal.Dot
}

// ghosts knows, per record and dot, what was in its author's past.
type ghosts map[string]map[causal.Dot]map[causal.Dot]bool

func (g ghosts) add(key string, d causal.Dot, context []causal.Dot) {
	if g[key] == nil {
		g[key] = make(map[causal.Dot]map[causal.Dot]bool)
	}
	past := make(map[causal.Dot]bool)
	for _, c := range context {
		past[c] = true
		maps.Copy(past, g[key][c])
	}
	g[key][d] = past
}

type replica struct {
	origin causal.Origin
	vector map[causal.Origin]uint64
	live   map[string][]record.Version
	log    []*commit
	last   causal.Stamp // of its own commits
}

func newReplica(o causal.Origin) *replica {
	return &replica{origin: o, vector: make(map[causal.Origin]uint64), live: make(map[string][]record.Version)}
}

// ready reports whether c may be applied (I3).
func (r *replica) ready(c *commit) bool {
	if c.dot.Seq != r.vector[c.dot.Origin]+1 {
		return false
	}
	return r.knows(c.deps)
}

func (r *replica) knows(dots []causal.Dot) bool {
	return !slices.ContainsFunc(dots, func(d causal.Dot) bool { return d.Seq > r.vector[d.Origin] })
}

// apply takes a commit that is ready, and does nothing with one that is known.
func (r *replica) apply(c *commit) {
	if c.dot.Seq <= r.vector[c.dot.Origin] {
		return
	}
	if !r.ready(c) {
		panic(fmt.Sprintf("commit %v applied before its dependencies", c.dot))
	}
	for key, change := range c.changes {
		r.live[key] = merge.Fold(slices.Clone(r.live[key]), &change, c.dot, c.stamp)
		if len(r.live[key]) == 0 {
			delete(r.live, key)
		}
	}
	r.vector[c.dot.Origin] = c.dot.Seq
	r.log = append(r.log, c)
}

// world is all replicas and all that was ever committed.
type world struct {
	table    merge.Table
	replicas []*replica
	commits  []*commit
	stamps   map[causal.Dot]causal.Stamp
	ghosts   ghosts
	// forked is set once an origin wrote a record without having seen its own latest
	// write of it.
	forked bool
}

func newWorld(table merge.Table, replicas int) *world {
	w := &world{table: table, stamps: make(map[causal.Dot]causal.Stamp), ghosts: make(ghosts)}
	for n := range replicas {
		w.replicas = append(w.replicas, newReplica(origin(byte(n+1))))
	}
	return w
}

// shown returns the versions that a reader of the record at r is shown now.
func (w *world) shown(r *replica, key string) ([]record.Version, merge.Projection) {
	live := r.live[key]
	p := must(w.table.Project(live))
	var shown []record.Version
	for _, v := range live {
		if slices.Contains(p.Shown, v.Dot) {
			shown = append(shown, v.Clone())
		}
	}
	return shown, p
}

// write is a record's part of a commit: the writer was shown these versions and makes of
// the row it saw another. nil deletes.
type write struct {
	shown  []record.Version
	change func(before record.Image) record.Image
	decide bool
}

// commit makes r's next commit at the wall time, raised above its dependencies (I2). It
// returns nil when nothing differs.
func (w *world) commit(r *replica, wall causal.Stamp, writes map[string]write) *commit {
	c := &commit{dot: causal.Dot{Origin: r.origin, Seq: r.vector[r.origin] + 1}, changes: make(map[string]record.Change)}
	c.stamp = max(wall, r.last+1)
	for key, x := range writes {
		if x.decide {
			x.shown = r.live[key]
		}
		for _, v := range x.shown {
			c.stamp = max(c.stamp, v.Stamp+1)
		}
	}
	for key, x := range writes {
		p := must(w.table.Project(x.shown))
		var before record.Image
		if !p.Absent {
			before = p.Image
		}
		e := merge.Edit{
			Dot: c.dot, Stamp: c.stamp, Shown: x.shown, Live: r.live[key], Shape: shape, Row: x.change(before),
		}
		change, ok := record.Change{}, true
		if x.decide {
			change = must(w.table.Decide(e))
		} else {
			var err error
			if change, ok, err = w.table.Edit(e); err != nil {
				panic(err)
			}
		}
		if !ok {
			continue
		}
		change.Key = record.Key(key)
		c.changes[key] = change
		c.deps = append(c.deps, change.Context...)
	}
	if len(c.changes) == 0 {
		return nil
	}
	w.record(r, c)
	return c
}

// record keeps the commit and its ghosts, and applies it at home.
func (w *world) record(r *replica, c *commit) {
	for key, change := range c.changes {
		w.ghosts.add(key, c.dot, change.Context)
		for d := range w.ghosts[key] {
			if d.Origin == c.dot.Origin && d.Seq < c.dot.Seq && !w.ghosts[key][c.dot][d] {
				w.forked = true
			}
		}
	}
	w.stamps[c.dot], r.last = c.stamp, c.stamp
	w.commits = append(w.commits, c)
	r.apply(c)
}

// pull takes up to n commits that r lacks from s's log, in its order.
func (w *world) pull(r, s *replica, n int) {
	for _, c := range s.log {
		if n == 0 {
			return
		}
		if c.dot.Seq > r.vector[c.dot.Origin] {
			r.apply(c)
			n--
		}
	}
}

// settle lets everybody pull everything.
func (w *world) settle() {
	for range w.replicas {
		for _, r := range w.replicas {
			for _, s := range w.replicas {
				w.pull(r, s, -1)
			}
		}
	}
}

// fresh applies all commits to a new replica in an order that pick chooses among those
// that are ready.
func (w *world) fresh(pick func(n int) int) *replica {
	r := newReplica(origin(99))
	left := slices.Clone(w.commits)
	for len(left) > 0 {
		var ready []int
		for i, c := range left {
			if r.ready(c) {
				ready = append(ready, i)
			}
		}
		i := ready[pick(len(ready))]
		r.apply(left[i])
		left = slices.Delete(left, i, i+1)
	}
	return r
}

// oracle is the live versions as contexts alone say: added, and never named.
func (w *world) oracle() map[string][]causal.Dot {
	live := make(map[string][]causal.Dot)
	for _, c := range w.commits {
		for key, change := range c.changes {
			named := slices.ContainsFunc(w.commits, func(d *commit) bool { return slices.Contains(d.changes[key].Context, c.dot) })
			if change.Op != record.OpDelete && !named {
				live[key] = append(live[key], c.dot)
			}
		}
	}
	for _, dots := range live {
		slices.SortFunc(dots, causal.Dot.Compare)
	}
	return live
}

func dots(vs []record.Version) []causal.Dot {
	all := make([]causal.Dot, len(vs))
	for i := range vs {
		all[i] = vs[i].Dot
	}
	return all
}

// summary is everything about a projection that replicas must agree on.
func summary(p merge.Projection) string {
	writes := ""
	if !p.Absent {
		for i := range p.Shape.Fields {
			writes += fmt.Sprint(p.Write(i), " ")
		}
	}
	return fmt.Sprintf("absent %v image %x state %x shown %v open %v contested %v whole %v winner %v by %v writes %v",
		p.Absent, p.Image, p.State, p.Shown, p.Open, p.Contested, p.Whole, p.Winner, p.By, writes)
}

func sameVersions(vs, ws []record.Version) bool {
	return slices.EqualFunc(vs, ws, func(v, w record.Version) bool {
		return v.Dot == w.Dot && v.Stamp == w.Stamp && v.Flags == w.Flags && v.Birth == w.Birth && v.Shape == w.Shape &&
			bytes.Equal(v.Image, w.Image) && slices.Equal(v.Fields, w.Fields) && slices.Equal(v.Seen, w.Seen)
	})
}

// permuted returns the versions in another order.
func permuted(vs []record.Version, pick func(n int) int) []record.Version {
	left, out := slices.Clone(vs), []record.Version(nil)
	for len(left) > 0 {
		i := pick(len(left))
		out = append(out, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return out
}
