package record

// writeTable numbers the distinct field writes of one version: its own is 0, the others
// count from 1 in the order they are first met. The zero table is not ready: see reset.
type writeTable struct {
	writes []FieldStamp
	places map[FieldStamp]int // of writes, kept once there are many
}

// fewWrites is up to where looking through the list beats hashing.
const fewWrites = 32

func (t *writeTable) reset(own FieldStamp) {
	t.writes = append(t.writes[:0], own)
	t.places = nil
}

// place returns the number of w and whether it was met before.
func (t *writeTable) place(w FieldStamp) (n int, known bool) {
	if t.places != nil {
		n, known = t.places[w]
	} else {
		for i := range t.writes {
			if t.writes[i] == w {
				return i, true
			}
		}
	}
	if known {
		return n, true
	}
	n = len(t.writes)
	t.writes = append(t.writes, w)
	switch {
	case t.places != nil:
		t.places[w] = n
	case n == fewWrites:
		t.places = make(map[FieldStamp]int, 2*fewWrites)
		for i, w := range t.writes {
			t.places[w] = i
		}
	}
	return n, false
}
