package syncline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// DiffOptions says what [Diff] compares and whom it tells.
type DiffOptions struct {
	// Tables and Exclude are those of [Options].
	Tables, Exclude []string
	// Row is called for each row that is not equal, table by table and in order of their
	// keys; nil only counts. An error ends the comparison and is returned by it. The
	// argument and what it holds are valid until Row returns.
	Row func(RowDifference) error
	// Progress, when not nil, is called about ten times a second.
	Progress func(Progress)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// The kinds of a [RowDifference].
const (
	OnlyInA    = '+'
	OnlyInB    = '-'
	Differs    = '*'
	Unreadable = '!'
)

// RowDifference is a row that is not the same in both databases.
type RowDifference struct {
	Kind   byte // OnlyInA, OnlyInB, Differs, Unreadable
	Table  string
	Record string // as people write it: orders/7; "" for an unreadable table
	A, B   *Row   // nil where there is none
	Fields []int  // of a row that differs: the fields that do, indexes into A.Fields
	Reason string // of what is unreadable
	// Scale has, per field, how many decimal places the table's declaration gives the
	// values, for showing them; -1 where it does not say.
	Scale []int
}

// Comparison is what [Diff] has found.
type Comparison struct {
	Equal, OnlyA, OnlyB, Differing, Unreadable int64 // rows; Unreadable also counts tables

	Tables  []TableComparison // sorted by name
	Skipped []SkippedObject
	Bytes   int64 // of row content read
	Elapsed time.Duration
}

// TableComparison is the part that concerns one table.
type TableComparison struct {
	Name string
	// MissingA and MissingB say that the database has no such table: its rows count as
	// missing there.
	MissingA, MissingB bool

	Equal, OnlyA, OnlyB, Differing, Unreadable int64
}

// Same reports that every row was read and is the same in both databases. Tables that one
// of them does not have must be without rows.
func (c *Comparison) Same() bool {
	return c.OnlyA == 0 && c.OnlyB == 0 && c.Differing == 0 && c.Unreadable == 0
}

func (c *Comparison) add(t TableComparison) {
	c.Tables = append(c.Tables, t)
	c.Equal += t.Equal
	c.OnlyA += t.OnlyA
	c.OnlyB += t.OnlyB
	c.Differing += t.Differing
	c.Unreadable += t.Unreadable
}

// Diff compares two databases row by row. It writes nothing, anywhere, and takes the same
// small memory at any size. Rows are the same when every value is, storage class
// included.
//
// The databases may be in use meanwhile. A row that differs is read again on both sides
// until it holds still, so what is reported was different at one moment; a row that is
// changed all the time is reported as it was last seen. Rows that were equal when they
// were read count as equal.
//
// Both databases must exist. Tables whose columns or keys do not fit are a *[SchemaError].
// An error that wraps [ErrUsage] says that the call made no sense.
func Diff(ctx context.Context, a, b endpoint.Endpoint, o DiffOptions) (*Comparison, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	start := o.Now()
	f, err := newFilter(o.Tables, o.Exclude)
	if err != nil {
		return nil, err
	}
	ends := [2]endpoint.Endpoint{a, b}
	ins, err := inspect(ctx, ends)
	if err != nil {
		return nil, err
	}
	var schemas [2]*endpoint.Schema
	for i, in := range ins {
		if !in.Exists {
			return nil, notExist(ends[i])
		}
		if schemas[i], err = ends[i].Schema(ctx); err != nil {
			return nil, err
		}
	}
	tables, err := pairTables(schemas[0], schemas[1], f)
	if err != nil {
		return nil, err
	}
	var bad []SchemaDifference
	for _, t := range tables {
		bad = append(bad, t.differences()...)
	}
	if len(bad) > 0 {
		return nil, &SchemaError{bad}
	}
	c := &Comparison{Skipped: skippedObjects(schemas, [2]string{a.Name(), b.Name()})}
	progress := newMeter(o.Progress, o.Now, PhaseCompare)
	for _, t := range tables {
		tc, err := diffTable(ctx, ends, t, &o, progress)
		if err != nil {
			return nil, err
		}
		c.add(tc)
	}
	progress.end()
	c.Bytes, c.Elapsed = progress.bytes, o.Now().Sub(start)
	return c, nil
}

// inspect asks both databases what they are, and refuses one that is there twice.
func inspect(ctx context.Context, ends [2]endpoint.Endpoint) ([2]*endpoint.Inspection, error) {
	var ins [2]*endpoint.Inspection
	for i, e := range ends {
		err := unchanged(ctx, func() error {
			in, err := e.Inspect(ctx)
			ins[i] = &in
			return err
		})
		if err != nil {
			return ins, err
		}
	}
	a, b := ins[0], ins[1]
	if a.Path == b.Path || (a.FileID != "" && a.FileID == b.FileID) {
		return ins, usage("%s and %s are the same database", ends[0].Name(), ends[1].Name())
	}
	return ins, nil
}

// unchanged reads something of a database until nobody changes it meanwhile: of one that
// is read without locks, because nobody else seemed to have it open.
func unchanged(ctx context.Context, read func() error) error {
	for {
		err := read()
		if ctx.Err() != nil || !errors.Is(err, endpoint.ErrChanged) {
			return err
		}
	}
}

func notExist(e endpoint.Endpoint) error {
	return &endpoint.Error{
		Family: endpoint.NotExist, Op: "open", Name: e.Name(),
		Hint: "check the path", Err: fs.ErrNotExist,
	}
}

// diffTable compares one table.
func diffTable(ctx context.Context, ends [2]endpoint.Endpoint, t *pairedTable, o *DiffOptions, progress *meter) (TableComparison, error) {
	d := &tableDiff{
		TableComparison: TableComparison{Name: t.name, MissingA: t.at[0] == nil, MissingB: t.at[1] == nil},
		ends:            ends, table: t, row: o.Row, scale: scales(t.any()),
	}
	var total int64
	if o.Progress != nil {
		for i := range ends {
			n, err := countRows(ctx, ends[i], t.at[i])
			if err != nil {
				return d.TableComparison, err
			}
			total = max(total, n)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var sides [2]*sideScan
	for i := range ends {
		sides[i] = startScan(ctx, ends[i], t.at[i])
	}
	defer func() {
		cancel()
		for _, s := range sides {
			s.wait()
		}
	}()
	progress.table(t.name, total)
	err := d.merge(ctx, sides, progress)
	if reason := unreadable(err); reason != "" {
		// The rows from here on cannot be compared. What was found so far stands.
		if err := d.flush(ctx); err != nil {
			return d.TableComparison, err
		}
		d.Unreadable++
		return d.TableComparison, d.tell(RowDifference{Kind: Unreadable, Reason: reason})
	}
	if err != nil {
		return d.TableComparison, err
	}
	return d.TableComparison, nil
}

// unreadable returns why a table's rows cannot be compared, when it is the rows that are
// to blame, like a key that is null. Everything else ends the comparison.
func unreadable(err error) string {
	var e *endpoint.Error
	switch {
	case errors.As(err, &e) && (e.Family == endpoint.Incompatible || errors.Is(err, record.ErrKey)):
		return fmt.Sprintf("%s: %v", e.Name, e.Err)
	case errors.Is(err, record.ErrKey):
		return err.Error()
	}
	return ""
}

// scales returns the decimal places of each field of a table's shape.
func scales(t *endpoint.Table) []int {
	out := slices.Repeat([]int{-1}, len(t.Shape.Fields))
	for _, c := range t.Columns {
		if i := t.Shape.Index(c.Name); i >= 0 && !c.Generated {
			out[i] = c.Scale
		}
	}
	return out
}
