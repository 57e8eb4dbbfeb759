package merge_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

// evenSum is an expression for tests: the sum of what stands, and an error when it is odd.
type evenSum struct{}

func (evenSum) String() string { return "evenSum" }

func (evenSum) Eval(_ string, siblings []merge.Sibling) (record.Value, error) {
	sum := int64(0)
	for _, s := range siblings {
		if s.Standing {
			sum += s.Value.Int()
		}
	}
	if sum%2 != 0 {
		return record.Value{}, fmt.Errorf("%d is odd", sum)
	}
	return integer(sum), nil
}

func genRule() *rapid.Generator[merge.Rule] {
	return rapid.Custom(func(t *rapid.T) merge.Rule {
		r := merge.Rule{Kind: merge.Kind(rapid.IntRange(int(merge.Fields), int(merge.Expr)).Draw(t, "kind"))}
		switch r.Kind {
		case merge.Priority:
			for _, n := range rapid.Permutation([]byte{1, 2, 3}).Draw(t, "sites")[:2] {
				r.Nodes = append(r.Nodes, origin(n).Node)
			}
		case merge.Latest:
			r.Column = rapid.SampledFrom([]string{"g", "QTY", "none"}).Draw(t, "column")
		case merge.Expr:
			r.Expr = evenSum{}
		}
		return r
	})
}

func genTable() *rapid.Generator[merge.Table] {
	return rapid.Custom(func(t *rapid.T) merge.Table {
		table := merge.Table{
			Rule:   genRule().Draw(t, "rule"),
			Delete: merge.Delete(rapid.IntRange(0, 2).Draw(t, "delete")),
			Fields: map[string]merge.Rule{},
		}
		for _, name := range []string{"f", "qty"} {
			if rapid.Bool().Draw(t, name) {
				table.Fields[name] = genRule().Draw(t, "rule of "+name)
			}
		}
		return table
	})
}

// token is what somebody was shown some time ago, somewhere.
type token struct {
	key   string
	shown []record.Version
}

// options say what may happen in a random history.
type options struct {
	steps, keys int
	noDelete    bool
	noDecide    bool
}

// live lets a world live through a random history.
func (w *world) live(t *rapid.T, o options) {
	var tokens []token
	for range rapid.IntRange(1, o.steps).Draw(t, "steps") {
		r := w.replicas[rapid.IntRange(0, len(w.replicas)-1).Draw(t, "replica")]
		switch action := rapid.IntRange(0, 9).Draw(t, "action"); {
		case action < 3:
			s := w.replicas[rapid.IntRange(0, len(w.replicas)-1).Draw(t, "from")]
			w.pull(r, s, rapid.IntRange(-1, 3).Draw(t, "commits"))
		case action == 3:
			key := genKey(o).Draw(t, "key")
			shown, _ := w.shown(r, key)
			tokens = append(tokens, token{key, shown})
		default:
			writes := make(map[string]write)
			for range rapid.IntRange(1, o.keys).Draw(t, "records") {
				key := genKey(o).Draw(t, "key")
				shown, _ := w.shown(r, key)
				writes[key] = write{shown: shown, change: genChange(o).Draw(t, "change")}
			}
			if action == 4 && !o.noDecide {
				for key, x := range writes {
					x.decide = true
					writes[key] = x
				}
			}
			if action > 6 && len(tokens) > 0 {
				// A stale token; one from the future is not committed (I3).
				k := rapid.SampledFrom(tokens).Draw(t, "token")
				if x, ok := writes[k.key]; ok && r.knows(dots(k.shown)) {
					x.shown = k.shown
					writes[k.key] = x
				}
			}
			w.commit(r, causal.Stamp(rapid.IntRange(0, 12).Draw(t, "wall")), writes)
		}
	}
}

func genKey(o options) *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"7", "8", "9"}[:o.keys])
}

func genChange(o options) *rapid.Generator[func(record.Image) record.Image] {
	return rapid.Custom(func(t *rapid.T) func(record.Image) record.Image {
		small := func(name string) int64 { return int64(rapid.IntRange(0, 3).Draw(t, name)) }
		kind := rapid.IntRange(0, 9).Draw(t, "what")
		f, g, qty := small("f"), small("g"), small("qty")
		return func(before record.Image) record.Image {
			switch {
			case before == nil:
				return row(f, g, qty)
			case kind == 0 && !o.noDelete:
				return nil
			case kind < 4:
				return with(before, fieldF, integer(f))
			case kind < 7:
				return with(before, fieldG, integer(g))
			case kind == 7:
				return with(with(before, fieldF, integer(f)), fieldG, integer(g))
			default:
				v, _ := before.Value(fieldQty)
				return with(before, fieldQty, integer(v.Int()+qty))
			}
		}
	})
}

// All causal orders of all histories under all rules lead to the same state and the same
// projections, and the state is what contexts say.
func TestEveryOrderConverges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(genTable().Draw(t, "table"), 3)
		w.live(t, options{steps: 30, keys: 2})
		w.settle()
		pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "next") }
		all := append(slices.Clone(w.replicas), w.fresh(pick), w.fresh(pick), w.fresh(pick))
		want := w.oracle()
		for _, r := range all {
			for _, key := range []string{"7", "8"} {
				if got := dots(r.live[key]); !slices.Equal(got, want[key]) {
					t.Fatalf("%v: %s is %v, contexts leave %v", r.origin, key, got, want[key])
				}
				if !sameVersions(r.live[key], all[0].live[key]) {
					t.Fatalf("%v: versions of %s differ", r.origin, key)
				}
				p, q := must(w.table.Project(r.live[key])), must(w.table.Project(permuted(all[0].live[key], pick)))
				if summary(p) != summary(q) {
					t.Fatalf("%v: %s is shown as\n%v\nand as\n%v", r.origin, key, summary(p), summary(q))
				}
			}
		}
	})
}

// Every causal order of small histories, not a sample of them.
func TestAllOrdersOfSmallHistories(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(genTable().Draw(t, "table"), 3)
		for len(w.commits) < 5 {
			w.live(t, options{steps: 6, keys: 1})
		}
		w.commits = w.commits[:5]
		var want []record.Version
		first := true
		eachOrder(w.commits, newReplica(origin(99)), func(r *replica) {
			if first {
				want, first = r.live["7"], false
			}
			if !sameVersions(r.live["7"], want) {
				t.Fatalf("%v in one order, %v in another", dots(r.live["7"]), dots(want))
			}
		})
	})
}

// eachOrder calls f with what every causal order of the commits makes of r.
func eachOrder(left []*commit, r *replica, f func(*replica)) {
	if len(left) == 0 {
		f(r)
		return
	}
	for i, c := range left {
		if r.ready(c) {
			next := &replica{vector: maps.Clone(r.vector), live: maps.Clone(r.live)}
			next.apply(c)
			eachOrder(slices.Delete(slices.Clone(left), i, i+1), next, f)
		}
	}
}

// join merges the states of two replicas: a version that the other side's
// vector covers and lacks is gone there (I5).
func join(r, s *replica) *replica {
	out := newReplica(r.origin)
	keep := func(from, other *replica) {
		for key, vs := range from.live {
			for _, v := range vs {
				known := v.Dot.Seq <= other.vector[v.Dot.Origin]
				has := slices.Contains(dots(other.live[key]), v.Dot)
				if (!known || has) && !slices.Contains(dots(out.live[key]), v.Dot) {
					out.live[key] = append(out.live[key], v)
				}
			}
		}
	}
	keep(r, s)
	keep(s, r)
	for _, from := range []*replica{r, s} {
		for o, seq := range from.vector {
			out.vector[o] = max(out.vector[o], seq)
		}
	}
	for _, vs := range out.live {
		slices.SortFunc(vs, func(v, w record.Version) int { return v.Dot.Compare(w.Dot) })
	}
	return out
}

// Merging states is commutative, associative and idempotent, and the same as applying the
// commits (I6).
func TestStatesMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(genTable().Draw(t, "table"), 3)
		w.live(t, options{steps: 30, keys: 2})
		a, b, c := w.replicas[0], w.replicas[1], w.replicas[2]
		same := func(law string, r, s *replica) {
			if !maps.Equal(r.vector, s.vector) || !maps.EqualFunc(r.live, s.live, sameVersions) {
				t.Fatalf("%s: %v and %v", law, r, s)
			}
		}
		same("commutative", join(a, b), join(b, a))
		same("associative", join(join(a, b), c), join(a, join(b, c)))
		same("idempotent", join(a, a), a)
		same("absorbing", join(join(a, b), b), join(a, b))
		merged := join(join(a, b), c)
		w.settle()
		same("as the commits say", merged, a)
	})
}

// A change that a replica covers has no effect, and one that it takes twice in a row none
// the second time.
func TestFoldIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(genTable().Draw(t, "table"), 2)
		w.live(t, options{steps: 20, keys: 1})
		for _, r := range w.replicas {
			for _, c := range r.log {
				r.apply(c)
			}
		}
		w.settle()
		if want := w.oracle()["7"]; !slices.Equal(dots(w.replicas[0].live["7"]), want) {
			t.Fatalf("live %v, want %v", dots(w.replicas[0].live["7"]), want)
		}
		for _, c := range w.commits {
			change, ok := c.changes["7"]
			if !ok {
				continue
			}
			r := newReplica(origin(99))
			for _, d := range w.commits {
				if d == c {
					break
				}
				r.apply(d)
			}
			once := merge.Fold(slices.Clone(r.live["7"]), &change, c.dot, c.stamp)
			twice := merge.Fold(slices.Clone(once), &change, c.dot, c.stamp)
			if !sameVersions(once, twice) {
				t.Fatalf("once %v, twice %v", dots(once), dots(twice))
			}
		}
	})
}
