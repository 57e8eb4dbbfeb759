package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

// effects is what a Tx has written so far. Without triggers of the user's that is what the
// caller wrote, and is noted as keys. With them, temporary triggers on every table note
// it in a temporary table: no trace of either is ever in the file.
type effects struct {
	t        *Tx
	triggers bool
	written  map[string][]byte // by table name: keys, each after its length
}

var errEffects = errors.New("effects were not asked for")

const effectsTable = "_syncline_effects"

// watchEffects begins to note what is written, in new tables too when it is called again.
func (t *Tx) watchEffects() error {
	if t.effects == nil {
		t.effects = &effects{t: t, written: map[string][]byte{}}
	}
	s, err := t.schema()
	if err != nil {
		return err
	}
	for _, table := range s.Tables {
		t.effects.triggers = t.effects.triggers || len(table.Triggers) > 0
	}
	if !t.effects.triggers {
		return nil
	}
	keys := 1
	triggers := map[string]string{}
	for _, table := range s.Tables {
		if table.Refused != "" {
			continue
		}
		p := s.plans[fold(table.Name)]
		c, err := t.c.captured(p)
		if err != nil {
			return err
		}
		c.temp = true
		maps.Copy(triggers, c.triggers())
		keys = max(keys, len(p.key))
	}
	if err := t.c.exec("CREATE TEMP TABLE IF NOT EXISTS " + effectsTable + "(tbl TEXT, k1)"); err != nil {
		return err
	}
	if err := t.c.widen(effectsTable, keys); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(triggers)) {
		if err := t.c.exec("DROP TRIGGER IF EXISTS temp." + quote(name)); err != nil {
			return err
		}
		if err := t.c.exec(triggers[name]); err != nil {
			return err
		}
	}
	return nil
}

// note notes a row that the caller wrote: the row k, or the one of w.to.
func (w *writer) note(k record.Key) error {
	e := w.t.effects
	if e == nil || e.triggers {
		return nil
	}
	if k == nil {
		var err error
		if k, err = w.keyOf(w.to); err != nil {
			return err
		}
	}
	name := w.p.table.Name
	b := binary.AppendUvarint(e.written[name], uint64(len(k)))
	e.written[name] = append(b, k...)
	return nil
}

// Effects calls f once for each row that was written so far.
func (t *Tx) Effects(f func(*endpoint.Table, record.Key) error) error {
	return t.do("list what was written", func() error {
		if t.effects == nil {
			return errEffects
		}
		s, err := t.schema()
		if err != nil {
			return err
		}
		for _, table := range s.Tables {
			if table.Refused != "" {
				continue
			}
			if t.effects.triggers {
				err = t.effects.stored(s.plans[fold(table.Name)], f)
			} else {
				err = t.effects.noted(table, f)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (e *effects) noted(table *endpoint.Table, f func(*endpoint.Table, record.Key) error) error {
	var keys []record.Key
	for b := e.written[table.Name]; len(b) > 0; {
		n, size := binary.Uvarint(b)
		keys = append(keys, record.Key(b[size:size+int(n)]))
		b = b[size+int(n):]
	}
	slices.SortFunc(keys, func(a, b record.Key) int { return bytes.Compare(a, b) })
	keys = slices.CompactFunc(keys, func(a, b record.Key) bool { return bytes.Equal(a, b) })
	for _, k := range keys {
		if err := f(table, k); err != nil {
			return err
		}
	}
	return nil
}

// stored reads what the temporary triggers noted. Keys that the database calls equal come
// one after the other.
func (e *effects) stored(p *plan, f func(*endpoint.Table, record.Key) error) error {
	r := newReader(e.t.c, p, nil)
	sql := fmt.Sprintf("SELECT %s FROM temp.%s WHERE tbl = ?1 ORDER BY %s",
		e.t.c.keyColumns(len(p.key), nil), effectsTable, e.t.c.keyColumns(len(p.key), p.key))
	var last record.Key
	return e.t.c.query(sql, func(st *sqlite.Stmt) error {
		k, err := r.readKey(st, 0)
		if err != nil || bytes.Equal(k, last) {
			return err
		}
		last = append(last[:0], k...)
		return f(p.table, k)
	}, p.table.Name)
}
