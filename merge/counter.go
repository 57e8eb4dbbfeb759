package merge

import (
	"maps"
	"math"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// totalsOf returns the totals of a value of a counter. A number that was written before
// the field was a counter is the total of its writer.
func totalsOf(v record.Value, write record.FieldStamp) ([]record.Total, bool) {
	switch v.Kind() {
	case record.Counter:
		totals, err := v.Totals()
		return totals, err == nil
	case record.Int, record.Float:
		return []record.Total{{Origin: write.Origin, Stamp: write.Stamp, Total: v}}, true
	default:
		return nil, false
	}
}

// totals is the latest total of each origin.
type totals map[causal.Origin]record.Total

// add keeps t if it is later than what is known of its origin.
func (ts totals) add(t record.Total) {
	known, ok := ts[t.Origin]
	if !ok || t.Stamp > known.Stamp || (t.Stamp == known.Stamp && t.Total.Compare(known.Total) > 0) {
		ts[t.Origin] = t
	}
}

func (ts totals) value() (record.Value, error) {
	all := make([]record.Total, 0, len(ts))
	for _, t := range ts {
		all = append(all, t)
	}
	return record.CounterValue(all)
}

// count merges the claims as counters. It returns false when they are not: a claim is no
// number, or a number that somebody assigned without it being in the totals of the
// others, so that nobody knows how much of it was added to what.
func (f *field) count() bool {
	ts := make(totals)
	for _, c := range f.claims {
		if c.value.Kind() == record.Counter {
			all, _ := totalsOf(c.value, c.write)
			for _, t := range all {
				ts.add(t)
			}
		}
	}
	for _, c := range f.claims {
		if c.value.Kind() == record.Counter {
			continue
		}
		known, ok := ts[c.write.Origin]
		if _, number := totalsOf(c.value, c.write); !number || !ok || known.Stamp < c.write.Stamp {
			return false
		}
	}
	v, err := ts.value()
	if err != nil {
		return false
	}
	f.take(newest(f.claims))
	f.value = v
	return true
}

// recount returns the counter that shows what was shown changed to want, by adding the
// difference to the writer's own total. That total continues from the writer's latest one
// in past, whatever was shown, or additions would be lost (I6). changed is false when
// there is no difference; ok is false when want cannot be had by adding: it is no number,
// or too far away to come back exactly.
func recount(shown record.Value, write record.FieldStamp, want record.Value, own record.FieldStamp, past []record.Total) (v record.Value, changed, ok bool) {
	if want.Kind() != record.Int && want.Kind() != record.Float {
		return record.Value{}, false, false
	}
	ts := make(totals)
	if known, number := totalsOf(shown, write); number {
		if shown.Plain().Compare(want) == 0 {
			return shown, false, true
		}
		for _, t := range known {
			ts.add(t)
		}
	}
	difference, ok := ts.missing(want, own)
	if !ok {
		return record.Value{}, false, false
	}
	for _, t := range past {
		if t.Origin == own.Origin {
			ts.add(t)
		}
	}
	ts.raise(own, difference)
	v, err := ts.value()
	return v, true, err == nil
}

// raise adds a difference to the total of own's origin.
func (ts totals) raise(own record.FieldStamp, difference record.Value) {
	total := difference
	if t, known := ts[own.Origin]; known {
		total = add(t.Total, difference)
	}
	ts[own.Origin] = record.Total{Origin: own.Origin, Stamp: own.Stamp, Total: total}
}

// missing returns what own's origin must add for the sum to be want. Sums of floats are
// rounded, so what is still missing is added a few times; ok is false if that does not
// lead to want, or if it would make a float of a sum of integers.
func (ts totals) missing(want record.Value, own record.FieldStamp) (difference record.Value, ok bool) {
	const tries = 4
	difference = record.IntValue(0)
	for range tries {
		with := maps.Clone(ts)
		with.raise(own, difference)
		v, err := with.value()
		if err != nil {
			return record.Value{}, false
		}
		sum := v.Plain()
		if sum.Compare(want) == 0 {
			return difference, sum.Kind() == want.Kind() || want.Kind() == record.Int && !ts.integers()
		}
		difference = add(difference, subtract(want, sum))
	}
	return record.Value{}, false
}

// integers reports whether all totals are integers.
func (ts totals) integers() bool {
	for _, t := range ts {
		if t.Total.Kind() != record.Int {
			return false
		}
	}
	return true
}

// add returns v + w: an Int if both are and it fits, else a Float.
func add(v, w record.Value) record.Value {
	if v.Kind() == record.Int && w.Kind() == record.Int {
		a, b := v.Int(), w.Int()
		if sum := a + b; (sum > a) == (b > 0) {
			return record.IntValue(sum)
		}
	}
	return record.FloatValue(float(v) + float(w))
}

// subtract returns v - w likewise.
func subtract(v, w record.Value) record.Value {
	if w.Kind() == record.Int && w.Int() != math.MinInt64 {
		return add(v, record.IntValue(-w.Int()))
	}
	return add(v, record.FloatValue(-float(w)))
}

func float(v record.Value) float64 {
	if v.Kind() == record.Int {
		return float64(v.Int())
	}
	return v.Float()
}
