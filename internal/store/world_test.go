package store_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/internal/store"
	"github.com/syncline-io/syncline/record"
)

// model is what a store should hold, as plainly as it can be said.
type model struct {
	records map[string][]record.Version // by table and key
	side    map[string]string           // by space, table and key
	meta    map[string]string
	vector  map[causal.Origin]causal.Head
	entries []string // all there ever were
	floor   int
}

func newModel() *model {
	return &model{
		records: map[string][]record.Version{}, side: map[string]string{}, meta: map[string]string{},
		vector: map[causal.Origin]causal.Head{},
	}
}

func (m *model) clone() *model {
	return &model{
		maps.Clone(m.records), maps.Clone(m.side), maps.Clone(m.meta), maps.Clone(m.vector),
		slices.Clone(m.entries), m.floor,
	}
}

// dump writes the model as dump writes a view.
func (m *model) dump() string {
	var b strings.Builder
	for _, o := range slices.SortedFunc(maps.Keys(m.vector), causal.Origin.Compare) {
		h := m.vector[o]
		fmt.Fprintf(&b, "head %v %x\n", h.Dot(), h.Hash[:4])
	}
	fmt.Fprintf(&b, "log %d-%d\n", m.floor, len(m.entries))
	for i := m.floor; i < len(m.entries); i++ {
		fmt.Fprintf(&b, "entry %d %s\n", i, m.entries[i])
	}
	for _, k := range slices.Sorted(maps.Keys(m.records)) {
		fmt.Fprintf(&b, "record %s %s\n", k, describe(m.records[k]))
	}
	for _, k := range slices.Sorted(maps.Keys(m.records)) {
		if len(m.records[k]) > 1 {
			fmt.Fprintf(&b, "siblings %s\n", k)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(m.side)) {
		fmt.Fprintf(&b, "side %s %q\n", k, m.side[k])
	}
	for _, k := range slices.Sorted(maps.Keys(m.meta)) {
		fmt.Fprintf(&b, "meta %s %q\n", k, m.meta[k])
	}
	return b.String()
}

func describe(vs []record.Version) string {
	var b strings.Builder
	for _, v := range vs {
		image := v.Image
		if len(image) > 40 {
			image = image[:40]
		}
		fmt.Fprintf(&b, "[%v %v %d %d:%x]", v.Dot, v.Birth, v.Flags, len(v.Image), image)
	}
	return b.String()
}

func describeEntry(e *record.Entry, segments int) string {
	return fmt.Sprintf("%d %x %s %x %s %v %d+%d", e.Kind, e.Hash[:4], e.Table, e.Key, describe(e.Versions), e.Origin, len(e.To), segments)
}

var (
	worldTables = []string{"lines", "orders"}
	worldSpaces = []string{"a", "b"}
	worldMeta   = []string{"cursor", "pair"}
)

// dump reads everything in a view.
func dump(v *store.View) (string, error) {
	var b strings.Builder
	for _, h := range v.Vector() {
		fmt.Fprintf(&b, "head %v %x\n", h.Dot(), h.Hash[:4])
	}
	_, end := v.Position()
	fmt.Fprintf(&b, "log %d-%d\n", v.Floor(), end)
	entries := v.Log(v.Floor())
	defer entries.Close()
	for entries.Next() {
		n := 0
		for _, err := range entries.Segments() {
			if err != nil {
				return "", err
			}
			n++
		}
		fmt.Fprintf(&b, "entry %d %s\n", entries.Offset(), describeEntry(entries.Entry(), n))
	}
	if err := entries.Err(); err != nil {
		return "", err
	}
	for _, table := range worldTables {
		rows := v.Records(table, nil)
		for rows.Next() {
			vs, err := rows.Versions()
			if err != nil {
				return "", errors.Join(err, rows.Close())
			}
			fmt.Fprintf(&b, "record %s/%x %s\n", table, rows.Key(), describe(vs))
		}
		rows.Close()
		if rows.Err() != nil {
			return "", rows.Err()
		}
	}
	var siblings []string
	err := v.Siblings(func(table string, k record.Key) error {
		siblings = append(siblings, fmt.Sprintf("siblings %s/%x\n", table, k))
		return nil
	})
	if err != nil {
		return "", err
	}
	slices.Sort(siblings)
	b.WriteString(strings.Join(siblings, ""))
	for _, space := range worldSpaces {
		tables, err := v.SideTables(space)
		if err != nil {
			return "", err
		}
		slices.Sort(tables)
		for _, table := range tables {
			rows := v.SideScan(space, table, nil)
			for rows.Next() {
				value, err := rows.Value()
				if err != nil {
					return "", errors.Join(err, rows.Close())
				}
				fmt.Fprintf(&b, "side %s/%s/%x %q\n", space, table, rows.Key(), value)
			}
			rows.Close()
			if rows.Err() != nil {
				return "", rows.Err()
			}
		}
	}
	for _, name := range worldMeta {
		value, ok, err := v.Meta(name)
		if err != nil {
			return "", err
		}
		if ok {
			fmt.Fprintf(&b, "meta %s %q\n", name, value)
		}
	}
	return b.String(), nil
}

// dumpStore is dump of the state as it is now, after a scrub.
func dumpStore(s *store.Store) (string, error) {
	if err := s.Scrub(context.Background(), func(problem error) error { return problem }); err != nil {
		return "", err
	}
	v := s.View()
	defer v.Close()
	return dump(v)
}

// world writes random batches to a store and to its model.
type world struct {
	t      testing.TB
	s      *store.Store
	m      *model
	next   *model // with the open batch
	draw   func(max int) int
	count  int            // makes values different
	stages []*store.Stage // of the open batch
	small  bool           // no large values
	errors bool           // a batch may fail, since the store is made to break
}

// batch writes one batch; done is false if the store broke.
func (w *world) batch(sync bool) (done bool) {
	w.next = w.m.clone()
	b := w.s.Batch()
	defer b.Close()
	defer func() { // after a commit it does nothing
		for _, st := range w.stages {
			st.Abort()
		}
		w.stages = nil
	}()
	for range 1 + w.draw(4) {
		if !w.step(b) {
			return false
		}
	}
	if !w.ok(b.Commit(sync)) {
		return false
	}
	w.m = w.next
	return true
}

func (w *world) ok(err error) bool {
	if err == nil {
		return true
	}
	if w.errors && errors.Is(err, store.ErrBroken) {
		return false
	}
	w.t.Fatalf("%+v", err)
	return false
}

func (w *world) step(b *store.Batch) bool {
	w.count++
	switch w.draw(12) {
	case 0, 1, 2, 3:
		return w.commit(b)
	case 4:
		return w.erase(b)
	case 5, 6:
		space, table, k := worldSpaces[w.draw(2)], worldTables[w.draw(2)], w.key()
		value := fmt.Sprintf("side %d %s", w.count, strings.Repeat("x", w.draw(300)))
		w.next.side[fmt.Sprintf("%s/%s/%x", space, table, k)] = value
		return w.ok(b.SideSet(space, table, k, []byte(value), nil))
	case 7:
		space, table, k := worldSpaces[w.draw(2)], worldTables[w.draw(2)], w.key()
		delete(w.next.side, fmt.Sprintf("%s/%s/%x", space, table, k))
		return w.ok(b.SideDelete(space, table, k))
	case 8:
		space, table := worldSpaces[w.draw(2)], append(worldTables, "")[w.draw(3)]
		maps.DeleteFunc(w.next.side, func(k, _ string) bool {
			return strings.HasPrefix(k, space+"/"+table) && (table == "" || strings.HasPrefix(k, space+"/"+table+"/"))
		})
		return w.ok(b.SideClear(space, table))
	case 9:
		name := worldMeta[w.draw(2)]
		if w.draw(2) == 0 {
			delete(w.next.meta, name)
			return w.ok(b.DeleteMeta(name))
		}
		w.next.meta[name] = fmt.Sprint(w.count)
		return w.ok(b.SetMeta(name, []byte(w.next.meta[name])))
	case 10:
		to := w.m.floor + w.draw(len(w.m.entries)-w.m.floor+1)
		for to > w.m.floor && strings.HasPrefix(w.m.entries[to-1], "2 ") {
			to-- // an import: its group stays
		}
		w.next.floor = max(to, w.next.floor)
		return w.ok(b.Truncate(store.Offset(to)))
	default:
		return w.move(b)
	}
}

func (w *world) key() record.Key { return key(w.t, int64(w.draw(12))) }

// commit appends a commit and sets the records it changes: most get one version, some
// keep what they had beside it.
func (w *world) commit(b *store.Batch) bool {
	o := origin(byte(1 + w.draw(2)))
	head := w.next.vector[o]
	head.Origin = o
	d := causal.Dot{Origin: o, Seq: head.Seq + 1}
	table := worldTables[w.draw(2)]
	var vs []record.Version
	for range w.draw(5) {
		text := fmt.Sprintf("%d %s", w.count, strings.Repeat("y", w.draw(1500)))
		if !w.small && w.draw(40) == 0 {
			text = strings.Repeat("z", record.ChunkSize+1+w.draw(3))
		}
		v := version(w.t, d, table, 0, "")
		var iw record.ImageWriter
		iw.Chunks = w.s.PutChunk
		iw.Reset(2)
		iw.Int(int64(w.count))
		iw.Text([]byte(text))
		if !w.ok(iw.Err()) {
			return false
		}
		v.Image = iw.Image()
		vs = append(vs, v)
	}
	c := build(w.t, head, w.s.PutChunk, vs...)
	st := w.s.Stage(d)
	w.stages = append(w.stages, st)
	for i, seg := range c.segments {
		if !w.ok(st.Segment(i, seg)) {
			return false
		}
	}
	if _, err := b.Append(&c.entry, st); !w.ok(err) {
		return false
	}
	w.next.vector[o] = c.head()
	w.next.entries = append(w.next.entries, describeEntry(&c.entry, len(c.segments)))
	for i, v := range vs {
		k := key(w.t, int64(i))
		name := fmt.Sprintf("%s/%x", table, k)
		old := w.next.records[name]
		live := []record.Version{v}
		if len(old) < 3 && w.draw(4) == 0 {
			live = append(slices.Clone(old), v)
			slices.SortFunc(live, func(a, b record.Version) int { return a.Dot.Compare(b.Dot) })
		}
		if !w.ok(b.Record(table, k, len(old), live)) {
			return false
		}
		w.next.records[name] = live
	}
	return true
}

// erase removes a record.
func (w *world) erase(b *store.Batch) bool {
	table, k := worldTables[w.draw(2)], w.key()
	name := fmt.Sprintf("%s/%x", table, k)
	was := len(w.next.records[name])
	delete(w.next.records, name)
	return w.ok(b.Record(table, k, was, nil))
}

// move appends an entry that is not a commit.
func (w *world) move(b *store.Batch) bool {
	e := &record.Entry{Kind: record.EntryFence, Origin: origin(1), Epoch: uint64(w.count)}
	from, to := causal.Vector{}, causal.Vector{}
	for _, o := range slices.SortedFunc(maps.Keys(w.next.vector), causal.Origin.Compare) {
		to = append(to, w.next.vector[o])
	}
	third := origin(9)
	h := w.next.vector[third]
	moved := causal.Head{Origin: third, Seq: h.Seq + uint64(1+w.draw(5)), Hash: causal.Hash{byte(w.count)}}
	switch w.draw(4) {
	case 0:
		if h.Seq > 0 {
			from = causal.Vector{h}
		}
		e = &record.Entry{Kind: record.EntrySkip, From: from, To: causal.Vector{moved}}
		w.next.vector[third] = moved
	case 1:
		from = slices.Clone(to)
		to = slices.DeleteFunc(to, func(h causal.Head) bool { return h.Origin == third })
		to = append(to, moved)
		slices.SortFunc(to, func(a, b causal.Head) int { return a.Origin.Compare(b.Origin) })
		e = &record.Entry{Kind: record.EntryAdvance, From: from, To: to}
		w.next.vector[third] = moved
	case 2:
		table := worldTables[w.draw(2)]
		e = &record.Entry{Kind: record.EntryImport, Table: table, Key: w.key(), Versions: []record.Version{
			version(w.t, dot(3, uint64(1+w.draw(9))), table, 1, "imported"),
		}}
	}
	if _, err := b.Append(e, nil); !w.ok(err) {
		return false
	}
	w.next.entries = append(w.next.entries, describeEntry(e, 0))
	return true
}

// diff shows the first line in which two dumps differ.
func diff(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var x, y string
		if i < len(g) {
			x = g[i]
		}
		if i < len(w) {
			y = w[i]
		}
		if c := cmp.Compare(x, y); c != 0 {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i, x, y)
		}
	}
	return ""
}
