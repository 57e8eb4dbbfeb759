package endpoint

import "github.com/syncline-io/syncline/record"

// Schema describes the tables of a database.
type Schema struct {
	Tables  []*Table // sorted by name, those that cannot be synced included
	Skipped []Skipped
}

// Table returns a table by name, ASCII case aside, or nil.
func (s *Schema) Table(name string) *Table {
	for _, t := range s.Tables {
		if equalFold(t.Name, name) {
			return t
		}
	}
	return nil
}

// Table describes one table.
type Table struct {
	Name    string
	Columns []Column // as declared, generated ones included
	Key     []int    // indexes into Columns, in the order of the key
	// Shape has the columns that are stored; images of the table are of this shape.
	Shape       *record.Shape
	ForeignKeys []ForeignKey
	// DDL creates the table and then its indexes.
	DDL []string
	// Triggers names the user's own triggers on the table.
	Triggers []string
	// Refused says why the table cannot be synced, and Fix what would change that. Empty
	// when it can.
	Refused, Fix string
}

// Column describes one column.
type Column struct {
	Name      string
	Type      string // as declared
	Collation record.Collation
	NotNull   bool
	Generated bool
	// Scale is the number of decimal places of a type like DECIMAL(10,2), for showing
	// values to people; -1 when the type says nothing about it.
	Scale int
}

// ForeignKey is a reference of one table to another, or to itself.
type ForeignKey struct {
	Columns []string
	Parent  string
	Refers  []string // columns of the parent, as many as Columns
}

// Skipped is something in the database that is not synced.
type Skipped struct {
	Kind, Name, Reason string
}

func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
