package merge

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/syncline-io/syncline/causal"
)

// Kind is the kind of a [Rule].
type Kind uint8

// The kinds of rules, as what they do with the concurrent writes of a contested field, and
// with siblings that are contested as a whole (different births).
const (
	// Fields takes the newest write of each field; of different births that of the newest
	// version.
	Fields Kind = iota
	// Newest takes the newest version whole; as the rule of a field, its newest write.
	Newest
	// Priority takes the write, or the birth of the version, whose site comes first in
	// Nodes; sites that are not listed come last, and equals are decided as by Fields.
	Priority
	// Counter adds up what every site has added. Nothing is contested.
	Counter
	// Set keeps every member that a site added and nobody who had seen it removed. Nothing
	// is contested.
	Set
	// Max and Min take the greatest and the least of the values.
	Max
	Min
	// Keep leaves the record open until somebody decides.
	Keep
	// Latest takes the version with the greatest value of Column whole; as the rule of a
	// field, that version's value. A version without the column, or with null in it,
	// comes last, and equals are decided by their stamps.
	Latest
	// Expr takes what Expression makes of the siblings.
	Expr
)

// ErrRule reports text that is no rule.
var ErrRule = errors.New("not a merge rule")

// Rule says how siblings become one value. The zero Rule is [Fields].
type Rule struct {
	Kind   Kind
	Nodes  []causal.Node // of Priority: the first wins
	Column string        // of Latest
	Expr   Expression    // of Expr
}

var plainRules = map[string]Kind{
	"fields": Fields, "newest": Newest, "counter": Counter, "set": Set,
	"max": Max, "min": Min, "keep": Keep,
}

// ParseRule reads the form in which rules are written:
//
//	fields  newest  counter  set  max  min  keep  newest:<column>  priority:<site>,<site>...
//
// site finds the node of a site's name; its error is returned wrapped. Everything else is
// [ErrRule], expressions too: expr.ParseRule of the package beside this one reads them.
func ParseRule(text string, site func(name string) (causal.Node, error)) (Rule, error) {
	word, arg, hasArg := strings.Cut(text, ":")
	kind, plain := plainRules[word]
	switch {
	case plain && !hasArg:
		return Rule{Kind: kind}, nil
	case word == "newest":
		if arg == "" || !utf8.ValidString(arg) {
			return Rule{}, fmt.Errorf("newest: no column %q: %w", arg, ErrRule)
		}
		return Rule{Kind: Latest, Column: arg}, nil
	case word == "priority":
		return parsePriority(arg, site)
	case word == "expr" && hasArg:
		return Rule{}, fmt.Errorf("expressions cannot be used here: %w", ErrRule)
	case plain:
		return Rule{}, fmt.Errorf("%s takes no argument: %w", word, ErrRule)
	default:
		return Rule{}, fmt.Errorf("%q: %w", text, ErrRule)
	}
}

func parsePriority(arg string, site func(string) (causal.Node, error)) (Rule, error) {
	rule := Rule{Kind: Priority}
	for name := range strings.SplitSeq(arg, ",") {
		if name = strings.TrimSpace(name); name == "" {
			return Rule{}, fmt.Errorf("priority %q names no site: %w", arg, ErrRule)
		}
		node, err := site(name)
		if err != nil {
			return Rule{}, fmt.Errorf("priority %q: %w", name, err)
		}
		if slices.Contains(rule.Nodes, node) {
			return Rule{}, fmt.Errorf("priority names %q twice: %w", name, ErrRule)
		}
		rule.Nodes = append(rule.Nodes, node)
	}
	return rule, nil
}

// String writes the rule in the form that [ParseRule] reads, with nodes in place of the
// names of sites.
func (r Rule) String() string {
	switch r.Kind {
	case Priority:
		names := make([]string, len(r.Nodes))
		for i, n := range r.Nodes {
			names[i] = n.String()
		}
		return "priority:" + strings.Join(names, ",")
	case Latest:
		return "newest:" + r.Column
	case Expr:
		return "expr:" + r.Expr.String()
	}
	for word, kind := range plainRules {
		if kind == r.Kind {
			return word
		}
	}
	return fmt.Sprintf("Kind(%d)", r.Kind)
}

// whole reports whether the rule, as that of a table, takes one version with all its fields.
func (r Rule) whole() bool { return r.Kind == Newest || r.Kind == Latest }

// rank says where in the order of priority a node comes.
func (r Rule) rank(n causal.Node) int {
	if i := slices.Index(r.Nodes, n); i >= 0 {
		return i
	}
	return len(r.Nodes)
}
