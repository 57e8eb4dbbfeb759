package main

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/merge/expr"
)

// ruleFlags are the flags that say how conflicts are decided.
type ruleFlags struct {
	onConflict string
	rules      []string
}

const rulesHelp = "keep (open until decided), a, b, newest, newest:COLUMN, fields, counter, set, max, min, expr:CEL"

// given reports whether any flag was.
func (f *ruleFlags) given() bool { return f.onConflict != "" || len(f.rules) > 0 }

// parse returns the rule of everything and the rules of tables.
func (f *ruleFlags) parse() (*merge.Rule, map[string]merge.Table, error) {
	text := f.onConflict
	if text == "" {
		text = "keep"
	}
	all, err := parseRule(text)
	if err != nil {
		return nil, nil, &usageError{msg: fmt.Sprintf("--on-conflict %s: %v", quoteArg(f.onConflict), err), hint: "it takes " + rulesHelp}
	}
	tables := make(map[string]merge.Table)
	for _, text := range f.rules {
		table, field, rule, err := splitRule(text)
		if err == nil {
			err = addRule(tables, all, table, field, rule)
		}
		if err != nil {
			return nil, nil, &usageError{msg: fmt.Sprintf("--rule %s: %v", quoteArg(text), err), hint: "for example --rule stock.qty=counter or --rule orders=a; rules are " + rulesHelp}
		}
	}
	return &all, tables, nil
}

// addRule adds one rule of a table, or of one of its fields. What no rule names follows
// the rule of everything.
func addRule(tables map[string]merge.Table, all merge.Rule, table, field, text string) error {
	t, known := tables[table]
	if !known {
		t.Rule = all
	}
	switch {
	case text == "delete-wins" && field == "":
		t.Delete = merge.DeleteWins
	case field == "":
		r, err := parseRule(text)
		if err != nil {
			return err
		}
		t.Rule = r
	default:
		r, err := parseRule(text)
		if err != nil {
			return err
		}
		if t.Fields == nil {
			t.Fields = make(map[string]merge.Rule)
		}
		t.Fields[lowerASCII(field)] = r
	}
	tables[table] = t
	return nil
}

// What the rules a and b are short for.
const (
	preferA = "priority:a,b"
	preferB = "priority:b,a"
)

// parseRule reads a rule; a and b prefer the first or the second database of the command
// line.
func parseRule(text string) (merge.Rule, error) {
	switch text {
	case "a":
		text = preferA
	case "b":
		text = preferB
	}
	return expr.ParseRule(text, syncline.SiteNode)
}

// splitRule takes TABLE[.FIELD]=RULE apart. A name with a dot or an equals sign in it is
// written as a JSON string.
func splitRule(s string) (table, field, rule string, err error) {
	table, rest, err := splitName(s)
	if err != nil {
		return "", "", "", err
	}
	if after, ok := strings.CutPrefix(rest, "."); ok {
		if field, rest, err = splitName(after); err != nil {
			return "", "", "", err
		}
	}
	rule, ok := strings.CutPrefix(rest, "=")
	if !ok || rule == "" {
		return "", "", "", fmt.Errorf("want TABLE=RULE or TABLE.FIELD=RULE")
	}
	return table, field, rule, nil
}

// splitName reads a bare name up to one of ".=:", or a JSON string.
func splitName(s string) (name, rest string, err error) {
	if strings.HasPrefix(s, `"`) {
		dec := json.NewDecoder(strings.NewReader(s))
		if err := dec.Decode(&name); err != nil {
			return "", "", fmt.Errorf("a quoted name does not end")
		}
		rest = s[dec.InputOffset():]
	} else if i := strings.IndexAny(s, ".=:"); i >= 0 {
		name, rest = s[:i], s[i:]
	} else {
		name = s
	}
	if name == "" {
		return "", "", fmt.Errorf("a name is missing")
	}
	return name, rest, nil
}

// parseKeys reads TABLE:col,col.
func parseKeys(flags []string) (map[string][]string, error) {
	keys := make(map[string][]string)
	for _, text := range flags {
		table, rest, err := splitName(text)
		columns, ok := strings.CutPrefix(rest, ":")
		if err == nil && (!ok || columns == "") {
			err = fmt.Errorf("want TABLE:COLUMN,COLUMN")
		}
		for err == nil && columns != "" {
			var column string
			if column, columns, err = splitColumn(columns); err == nil {
				keys[table] = append(keys[table], column)
			}
		}
		if err != nil {
			return nil, &usageError{msg: fmt.Sprintf("--key %s: %v", quoteArg(text), err), hint: "for example --key events:day,no"}
		}
	}
	return keys, nil
}

// splitColumn reads one column, quoted or not, and the comma after it.
func splitColumn(s string) (column, rest string, err error) {
	if strings.HasPrefix(s, `"`) {
		column, rest, err = splitName(s)
	} else if i := strings.IndexByte(s, ','); i >= 0 {
		column, rest = s[:i], s[i:]
	} else {
		column = s
	}
	if err != nil {
		return "", "", err
	}
	after, comma := strings.CutPrefix(rest, ",")
	switch {
	case column == "", comma && after == "":
		return "", "", fmt.Errorf("a column is missing")
	case rest != "" && !comma:
		return "", "", fmt.Errorf("want a comma after %s", strconv.Quote(column))
	}
	return column, after, nil
}

// parseShare reads a share of 0 to 1 from 10%, 0.5% or 0.1.
func parseShare(s string) (float64, error) {
	text, isPercent := strings.CutSuffix(strings.TrimSpace(s), "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if isPercent {
		f /= 100
	}
	if err != nil || math.IsNaN(f) || f < 0 || f > 1 {
		return 0, fmt.Errorf("want a share such as 10%%, at most 100%%")
	}
	return f, nil
}

func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
