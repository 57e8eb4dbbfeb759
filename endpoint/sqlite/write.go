package sqlite

import (
	"errors"
	"fmt"
	"strings"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

// maxUpdates bounds the statements kept per table: one for each set of columns.
const maxUpdates = 64

// writer has what a Tx prepared for one table.
type writer struct {
	t *Tx
	p *plan
	// get is what Get returns memory of. Lookups of the writer's own use check, since the
	// caller may hand back what Get gave it.
	get, check *getter
	// abort says that the table's own ON CONFLICT clauses must be overruled: a REPLACE
	// among them would silently delete other rows. It is not said of other tables, since
	// it would overrule the clauses inside their triggers too.
	abort    string
	affinity []affinity
	// guarded is set where the statement alone is not all or nothing: a trigger may RAISE(FAIL)
	// or RAISE(IGNORE).
	guarded bool
	insert  *sqlite.Stmt
	remove  *sqlite.Stmt
	updates map[string]*sqlite.Stmt // by one byte per column, 1 where it is written

	from, to []record.Value
	keys     []record.Value
	changed  []byte
	bulky    bool // a statement holds a large value
}

func (t *Tx) writer(table *endpoint.Table) (*writer, error) {
	if w := t.tables[table]; w != nil {
		return w, nil
	}
	p, err := t.plan(table)
	if err != nil {
		return nil, err
	}
	w := &writer{
		t: t, p: p, get: newGetter(t.c, p), check: newGetter(t.c, p),
		guarded: len(p.table.Triggers) > 0, affinity: affinities(p),
		updates: map[string]*sqlite.Stmt{}, changed: make([]byte, len(p.columns)),
	}
	for _, ddl := range p.table.DDL {
		if says(ddl, "on", "conflict") {
			w.abort = " OR ABORT"
		}
	}
	t.tables[table] = w
	return w, nil
}

func (w *writer) finalize() {
	for _, st := range w.updates {
		st.Finalize()
	}
	clear(w.updates)
	for _, st := range []*sqlite.Stmt{w.insert, w.remove} {
		if st != nil {
			st.Finalize()
		}
	}
	w.insert, w.remove = nil, nil
}

// prepared prepares a statement that is kept in *st.
func (w *writer) prepared(st **sqlite.Stmt, sql func() string) (*sqlite.Stmt, error) {
	if *st != nil {
		return *st, nil
	}
	s, rest, err := w.t.c.PrepareTransient(sql())
	if err != nil {
		return nil, err
	}
	if rest != 0 {
		return nil, errors.Join(fmt.Errorf("more than one statement in %q", sql()), s.Finalize())
	}
	*st = s
	return s, nil
}

// Get returns one row.
func (t *Tx) Get(table *endpoint.Table, k record.Key, chunks endpoint.ChunkSink) (record.Image, bool, error) {
	var im record.Image
	err := t.do("read "+table.Name, func() error {
		w, err := t.writer(table)
		if err == nil {
			im, err = w.row(w.get, k, chunks)
		}
		return err
	})
	return im, im != nil, err
}

// row returns the row of a key, nil if there is none.
func (w *writer) row(g *getter, k record.Key, chunks endpoint.ChunkSink) (record.Image, error) {
	im, found, err := g.get(k, chunks)
	if !found {
		return nil, err
	}
	return im, err
}

// Insert writes a new row.
func (t *Tx) Insert(table *endpoint.Table, im record.Image, chunks endpoint.ChunkSource) error {
	return t.do("write "+table.Name, func() error {
		w, err := t.writer(table)
		if err != nil {
			return err
		}
		if w.to, err = w.values(im, w.to); err != nil {
			return err
		}
		kept, literal := &w.insert, w.altered(nil)
		if literal {
			kept = new(*sqlite.Stmt)
		}
		st, err := w.prepared(kept, func() string {
			marks := make([]string, len(w.to))
			for i, v := range w.to {
				marks[i] = w.t.c.operand(i+1, v)
			}
			return "INSERT" + w.abort + " INTO " + w.p.name + "(" + w.p.list("") + ") VALUES(" + strings.Join(marks, ", ") + ")"
		})
		if err != nil {
			return err
		}
		if literal {
			defer st.Finalize()
		}
		var doubt, stream bool
		for i, v := range w.to {
			d, s, err := w.bind(st, i+1, i, v, chunks)
			if err != nil {
				return err
			}
			doubt, stream = doubt || d, stream || s
		}
		return w.write(st, doubt, stream, nil, chunks)
	})
}

// Update makes one row into another under the same key.
func (t *Tx) Update(table *endpoint.Table, k record.Key, from, to record.Image, chunks endpoint.ChunkSource) error {
	return t.do("write "+table.Name, func() error {
		w, err := t.writer(table)
		if err != nil {
			return err
		}
		if w.from, err = w.values(from, w.from); err != nil {
			return err
		}
		if w.to, err = w.values(to, w.to); err != nil {
			return err
		}
		any := false
		for i, v := range w.to {
			w.changed[i] = 0
			if !v.Equal(w.from[i]) {
				w.changed[i], any = 1, true
			}
		}
		if !any {
			return nil
		}
		args, literal, err := w.t.c.keyArgs(w.p, k)
		if err != nil {
			return err
		}
		literal = literal || w.altered(w.changed)
		st, err := w.updateOf(args, literal)
		if err != nil {
			return err
		}
		if literal {
			defer st.Finalize()
		}
		var doubt, stream bool
		n := 1
		for i, v := range w.to {
			if w.changed[i] == 0 {
				continue
			}
			d, s, err := w.bind(st, n, i, v, chunks)
			if err != nil {
				return err
			}
			doubt, stream = doubt || d, stream || s
			n++
		}
		switch ok, err := w.bindKey(st, n, k, args); {
		case err != nil:
			return err
		case !ok:
			return refuse(w.p, "the row to update is not there")
		}
		return w.write(st, doubt, stream, k, chunks)
	})
}

// updateOf returns the statement that writes the changed columns of the row of a key: one
// that is kept, or one with literals for this time only.
func (w *writer) updateOf(args []any, literal bool) (*sqlite.Stmt, error) {
	if st := w.updates[string(w.changed)]; st != nil && !literal {
		return st, nil
	}
	if len(w.updates) >= maxUpdates {
		for _, st := range w.updates {
			st.Finalize()
		}
		clear(w.updates)
	}
	var st *sqlite.Stmt
	_, err := w.prepared(&st, func() string {
		var set []string
		for i, col := range w.p.columns {
			if w.changed[i] != 0 {
				set = append(set, col+" = "+w.t.c.operand(len(set)+1, w.to[i]))
			}
		}
		return "UPDATE" + w.abort + " " + w.p.name + " SET " + strings.Join(set, ", ") + " WHERE " + w.p.keyIs(len(set)+1, args)
	})
	if err == nil && !literal {
		w.updates[string(w.changed)] = st
	}
	return st, err
}

// altered reports whether one of the values to write, or of those that changed, is a text
// that SQLite would alter if it were bound.
func (w *writer) altered(changed []byte) bool {
	if w.t.c.utf16 == nil {
		return false
	}
	for i, v := range w.to {
		if (changed == nil || changed[i] != 0) && v.Kind() == record.Text && w.t.c.altered(v.Raw()) {
			return true
		}
	}
	return false
}

// Delete deletes a row; that it is not there is no error.
func (t *Tx) Delete(table *endpoint.Table, k record.Key) error {
	return t.do("write "+table.Name, func() error {
		w, err := t.writer(table)
		if err != nil {
			return err
		}
		args, literal, err := w.t.c.keyArgs(w.p, k)
		if err != nil {
			return err
		}
		kept := &w.remove
		if literal {
			kept = new(*sqlite.Stmt)
		}
		st, err := w.prepared(kept, func() string {
			return "DELETE FROM " + w.p.name + " WHERE " + w.p.keyIs(1, args)
		})
		if err != nil {
			return err
		}
		if literal {
			defer st.Finalize()
		}
		if ok, err := w.bindKey(st, 1, k, args); err != nil || !ok {
			return err
		}
		return w.guard(func() error {
			if err := w.step(st); err != nil {
				return err
			}
			if w.t.c.Changes() > 0 {
				return w.note(k)
			}
			if !w.guarded {
				return nil
			}
			im, err := w.row(w.check, k, nil)
			if err == nil && im != nil {
				return refuse(w.p, "a trigger ignores the deletion of the row")
			}
			return err
		}, w.guarded)
	})
}

// write runs an insert, or the update of the row k, whose parameters are bound. What the
// statement alone does not do whole is taken back if it fails.
func (w *writer) write(st *sqlite.Stmt, doubt, stream bool, k record.Key, chunks endpoint.ChunkSource) error {
	return w.guard(func() error {
		if err := w.step(st); err != nil {
			return err
		}
		if w.t.c.Changes() == 0 {
			if k != nil {
				return refuse(w.p, "the row to update is not there, or a trigger ignores the update")
			}
			return refuse(w.p, "a trigger ignores the insertion of the row")
		}
		if stream {
			if err := w.streamLarge(k, chunks); err != nil {
				return err
			}
		}
		if doubt {
			if err := w.verify(k); err != nil {
				return err
			}
		}
		return w.note(k)
	}, w.guarded || doubt || stream)
}

// step runs a statement without a result.
func (w *writer) step(st *sqlite.Stmt) error {
	_, err := st.Step()
	if err == nil {
		err = st.Reset()
	}
	if w.bulky {
		w.bulky = false
		err = errors.Join(err, st.ClearBindings())
	}
	return err
}
