package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// Tx is one write transaction. See [endpoint.Tx].
type Tx struct {
	c      *conn
	b      endpoint.Begin
	marker [16]byte
	loaded *schema // nil when a statement may have changed it
	tables map[*endpoint.Table]*writer
	// version is the schema version that the transaction began with. While trusted, the
	// log has every write up to the present version.
	version int64
	trusted bool
	marked  bool // the context row is there
	effects *effects
	// failed is the first error after which only Rollback is allowed.
	failed        error
	done          bool
	before, after []byte
}

var (
	errDone     = errors.New("the transaction is over")
	errAborted  = errors.New("a trigger of the database rolled the whole transaction back")
	errNewer    = errors.New("holds tables of another version of Syncline")
	errNoMarker = errors.New("holds bindings of pairs without the marker that belongs to them")
)

// Begin starts a write transaction.
func (d *Database) Begin(ctx context.Context, b endpoint.Begin) (endpoint.Tx, error) {
	there, err := d.exists()
	if err != nil {
		return nil, err
	}
	if !there && b.From != (endpoint.Progress{}) {
		return nil, fmt.Errorf("%s: %w", d.name, endpoint.ErrProgress)
	}
	c, err := d.openWrite(ctx)
	if err != nil {
		return nil, err
	}
	t := &Tx{c: c, b: b, marker: b.Marker, tables: map[*endpoint.Table]*writer{}}
	if err := t.begin(!there); err != nil {
		// The connection's end rolls back, and says nothing that err does not.
		_ = c.close()
		return nil, c.fail("begin to write", err)
	}
	return t, nil
}

func (t *Tx) begin(create bool) error {
	if create && t.b.Encoding != "" {
		if err := t.c.exec("PRAGMA encoding = " + literal(t.b.Encoding)); err != nil {
			return err
		}
	}
	if err := t.c.busy(func() error { return t.c.exec("BEGIN IMMEDIATE") }); err != nil {
		return err
	}
	if err := t.c.begun(); err != nil {
		return err
	}
	var err error
	if t.before, err = t.c.fingerprint(); err != nil {
		return err
	}
	if t.version, err = t.c.number("PRAGMA schema_version"); err != nil {
		return err
	}
	at, err := t.progress()
	if err != nil {
		return err
	}
	if at != t.b.From {
		return fmt.Errorf("%s: %w", t.c.d.name, endpoint.ErrProgress)
	}
	if t.b.From != t.b.To {
		if err := t.move(); err != nil {
			return err
		}
	}
	if err := t.writeContext(); err != nil {
		return err
	}
	if !t.b.Effects {
		return nil
	}
	return t.watchEffects()
}

// Marker is the identity of the database.
func (t *Tx) Marker() [16]byte { return t.marker }

// Before is the fingerprint of the content that the transaction began with.
func (t *Tx) Before() []byte { return t.before }

// After is the fingerprint of the content that the transaction left, or nil.
func (t *Tx) After() []byte { return t.after }

// Schema is that of the transaction.
func (t *Tx) Schema() (*endpoint.Schema, error) {
	var s *schema
	err := t.do("read the schema", func() (err error) {
		s, err = t.schema()
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Schema, nil
}

func (t *Tx) schema() (*schema, error) {
	if t.loaded != nil {
		return t.loaded, nil
	}
	s, err := t.c.readSchema()
	if err != nil {
		return nil, err
	}
	t.loaded = s
	return s, nil
}

func (t *Tx) plan(table *endpoint.Table) (*plan, error) {
	s, err := t.schema()
	if err != nil {
		return nil, err
	}
	return s.plan(table)
}

// Cursor is the end of the capture log.
func (t *Tx) Cursor() (endpoint.Cursor, error) {
	var end endpoint.Cursor
	err := t.do("read the capture log", func() (err error) {
		end, err = t.c.logEnd()
		return err
	})
	return end, err
}

// Changes calls f for each entry of the capture log after from.
func (t *Tx) Changes(from endpoint.Cursor, f func(table string, k record.Key, m endpoint.Mark) error) error {
	return t.do("read the capture log", func() error {
		s, err := t.schema()
		if err != nil {
			return err
		}
		return t.c.changes(s, t.trusted, from, f)
	})
}

// Violates reports the foreign key that is broken by a row having changed.
func (t *Tx) Violates(table *endpoint.Table, from, to record.Image) (string, error) {
	var broken string
	err := t.do("check references", func() error {
		s, err := t.schema()
		if err != nil {
			return err
		}
		broken, err = t.c.violates(s, table, from, to)
		return err
	})
	return broken, err
}

// Exec runs statements of another database's DDL.
func (t *Tx) Exec(ddl string) error {
	return t.do("run "+ddl, func() error {
		t.forgetSchema()
		t.trusted = false // until Capture has looked at what is there now
		for rest := skipBlank(ddl); rest != ""; rest = skipBlank(rest) {
			st, left, err := t.c.PrepareTransient(rest)
			if err != nil {
				return err
			}
			rest = rest[len(rest)-left:]
			if err := errors.Join(each(st, nil), st.Finalize()); err != nil {
				return err
			}
		}
		if t.effects != nil {
			return t.watchEffects()
		}
		return nil
	})
}

// forgetSchema drops what was prepared for tables that may be others from now on.
func (t *Tx) forgetSchema() {
	t.loaded = nil
	for _, w := range t.tables {
		w.finalize()
	}
	clear(t.tables)
}

// Commit ends the transaction. Its effects are on disk when it returns nil.
func (t *Tx) Commit() error {
	err := t.do("commit", func() error {
		if t.marked {
			if err := t.c.exec("DELETE FROM _syncline_context"); err != nil {
				return err
			}
		}
		if err := t.carryVersion(); err != nil {
			return err
		}
		return t.c.busy(func() error { return t.c.exec("COMMIT") })
	})
	if err != nil {
		return err
	}
	t.after = t.c.left()
	t.done = true
	// The commit is durable; what closing could fail to tidy up, the next one does.
	_ = t.close()
	return nil
}

// Rollback ends the transaction without effect.
func (t *Tx) Rollback() error {
	if t.done {
		return nil
	}
	t.done = true
	t.c.SetInterrupt(nil) // a cancelled context must not keep us from ending
	var err error
	if !t.c.AutocommitEnabled() {
		err = t.c.exec("ROLLBACK")
	}
	return t.c.d.fail("roll back", errors.Join(err, t.close()))
}

func (t *Tx) close() error {
	for _, w := range t.tables {
		w.finalize()
	}
	return t.c.close()
}

// do runs one call: not after the end, nor after a failure, and it notes its own.
func (t *Tx) do(op string, f func() error) error {
	switch {
	case t.done:
		return t.c.d.fail(op, errDone)
	case t.failed != nil:
		return t.failed
	}
	err := f()
	if err == nil {
		return nil
	}
	err = t.c.fail(op, err)
	var refused *endpoint.ConstraintError
	if !errors.As(err, &refused) {
		t.failed = err
	}
	return err
}
