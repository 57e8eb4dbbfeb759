package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/record"
)

// signColors are the colors of the signs of rows.
var signColors = map[byte]string{
	syncline.OnlyInA: green, syncline.OnlyInB: red, syncline.Differs: yellow, syncline.Unreadable: magenta,
}

// differenceText is one row of a diff: "* orders 7  total 19.90 -> 1.00".
func differenceText(p paint, d syncline.RowDifference, a, b string, cells bool) string {
	line := p.as(signColors[d.Kind], string(d.Kind)) + " " + rowName(d.Table, d.Record)
	switch d.Kind {
	case syncline.OnlyInA:
		return line + "  only in " + safe(a)
	case syncline.OnlyInB:
		return line + "  only in " + safe(b)
	case syncline.Unreadable:
		return line + "  unreadable: " + safe(d.Reason)
	}
	if !cells || d.A == nil || d.B == nil {
		return line
	}
	for i, field := range d.Fields {
		separator := "   "
		if i == 0 {
			separator = "  "
		}
		// The arrow goes where a sync of A to B takes the value.
		after, before := showTwo(d.A.Values[field], fieldValue(d.B, d.A.Fields[field], field), scaleOf(d.Scale, field))
		line += separator + fmt.Sprintf("%s %s -> %s", safe(d.A.Fields[field]), before, after)
	}
	return line
}

// fieldValue returns the value of a field, which is most likely the i-th.
func fieldValue(r *syncline.Row, name string, i int) record.Value {
	if i < len(r.Fields) && r.Fields[i] == name {
		return r.Values[i]
	}
	for j, f := range r.Fields {
		if lowerASCII(f) == lowerASCII(name) {
			return r.Values[j]
		}
	}
	if i < len(r.Values) {
		return r.Values[i]
	}
	return record.NullValue()
}

// rowName writes a record's name as two words, the table and the key: "orders 7".
func rowName(table, name string) string {
	if name == "" {
		return safe(table)
	}
	table, key := splitRecord(name)
	return safe(table) + " " + safe(key)
}

// splitRecord takes a record's name apart into the table as it is written there, and the
// key.
func splitRecord(name string) (table, key string) {
	if strings.HasPrefix(name, `"`) {
		dec := json.NewDecoder(strings.NewReader(name))
		var s string
		if err := dec.Decode(&s); err == nil {
			end := dec.InputOffset()
			return name[:end], strings.TrimPrefix(name[end:], "/")
		}
	}
	table, key, _ = strings.Cut(name, "/")
	return table, key
}

// comparisonText is the last line of a diff: "= 21,344 equal   *1".
func comparisonText(p paint, c *syncline.Comparison) string {
	line := fmt.Sprintf("= %s equal", count(c.Equal))
	var parts []string
	for _, k := range []struct {
		sign byte
		n    int64
	}{{syncline.OnlyInA, c.OnlyA}, {syncline.OnlyInB, c.OnlyB}, {syncline.Differs, c.Differing}, {syncline.Unreadable, c.Unreadable}} {
		if k.n > 0 {
			parts = append(parts, p.as(signColors[k.sign], string(k.sign)+count(k.n)))
		}
	}
	if len(parts) > 0 {
		line += "   " + strings.Join(parts, " ")
	}
	return line
}

type differenceJSON struct {
	Type   string     `json:"type"` // "difference"
	Kind   string     `json:"kind"`
	Table  string     `json:"table"`
	Record string     `json:"record"`
	Reason string     `json:"reason,omitempty"`
	Cells  []cellJSON `json:"cells,omitempty"`
}

type cellJSON struct {
	Field string       `json:"field"`
	A     record.Value `json:"a"`
	B     record.Value `json:"b"`
}

func differenceEvent(d syncline.RowDifference, cells bool) differenceJSON {
	e := differenceJSON{Type: "difference", Kind: string(d.Kind), Table: d.Table, Record: d.Record, Reason: d.Reason}
	if !cells || d.Kind != syncline.Differs || d.A == nil || d.B == nil {
		return e
	}
	for _, field := range d.Fields {
		e.Cells = append(e.Cells, cellJSON{
			Field: d.A.Fields[field], A: d.A.Values[field], B: fieldValue(d.B, d.A.Fields[field], field),
		})
	}
	return e
}

type comparisonJSON struct {
	Equal      int64                 `json:"equal"`
	OnlyA      int64                 `json:"only_a"`
	OnlyB      int64                 `json:"only_b"`
	Differing  int64                 `json:"differing"`
	Unreadable int64                 `json:"unreadable"`
	Tables     []tableComparisonJSON `json:"tables"`
	Skipped    []skippedJSON         `json:"skipped"`
	Bytes      int64                 `json:"bytes"`
	Seconds    float64               `json:"seconds"`
}

type tableComparisonJSON struct {
	Name       string `json:"name"`
	MissingA   bool   `json:"missing_a"`
	MissingB   bool   `json:"missing_b"`
	Equal      int64  `json:"equal"`
	OnlyA      int64  `json:"only_a"`
	OnlyB      int64  `json:"only_b"`
	Differing  int64  `json:"differing"`
	Unreadable int64  `json:"unreadable"`
}

func comparisonSummary(c *syncline.Comparison) *comparisonJSON {
	s := &comparisonJSON{
		Equal: c.Equal, OnlyA: c.OnlyA, OnlyB: c.OnlyB, Differing: c.Differing, Unreadable: c.Unreadable,
		Tables: []tableComparisonJSON{}, Skipped: skippedEvents(c.Skipped), Bytes: c.Bytes, Seconds: roundSeconds(c.Elapsed),
	}
	for _, t := range c.Tables {
		s.Tables = append(s.Tables, tableComparisonJSON(t))
	}
	return s
}
