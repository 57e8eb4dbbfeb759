package syncline

import (
	"fmt"
	"slices"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
)

// ruleBook is the rules of all tables, with the nodes that the state knows the sites by.
type ruleBook struct {
	byTable map[string]*merge.Table // by lower-case name
	other   *merge.Table
	nodes   [2]causal.Node // of the arguments
}

// newRuleBook makes the rules of a run. nodes are those of the databases in the order of
// the arguments.
func newRuleBook(onConflict *merge.Rule, rules map[string]merge.Table, nodes [2]causal.Node) *ruleBook {
	b := &ruleBook{byTable: make(map[string]*merge.Table, len(rules)), nodes: nodes}
	rule := merge.Rule{Kind: merge.Keep}
	if onConflict != nil {
		rule = *onConflict
	}
	b.other = &merge.Table{Rule: b.resolve(rule)}
	for name, t := range rules {
		own := t
		own.Rule = b.resolve(t.Rule)
		own.Fields = make(map[string]merge.Rule, len(t.Fields))
		for field, r := range t.Fields {
			own.Fields[lowerASCII(field)] = b.resolve(r)
		}
		b.byTable[lowerASCII(name)] = &own
	}
	return b
}

// table returns the rules of a table.
func (b *ruleBook) table(name string) *merge.Table {
	if t, ok := b.byTable[lowerASCII(name)]; ok {
		return t
	}
	return b.other
}

// resolve puts the nodes of the state in place of those that stand for them.
func (b *ruleBook) resolve(r merge.Rule) merge.Rule {
	r.Nodes = slices.Clone(r.Nodes)
	for i, n := range r.Nodes {
		for site := range b.nodes {
			if n == standIn(site) {
				r.Nodes[i] = b.nodes[site]
			}
		}
	}
	return r
}

// text writes a rule for people, with the names of sites.
func (b *ruleBook) text(r merge.Rule) string {
	if r.Kind != merge.Priority {
		return r.String()
	}
	text := "priority:"
	for i, n := range r.Nodes {
		if i > 0 {
			text += ","
		}
		switch n {
		case b.nodes[0]:
			text += siteNames[0]
		case b.nodes[1]:
			text += siteNames[1]
		default:
			text += n.String()
		}
	}
	return text
}

// checkRules refuses rules of tables that neither database has: a typing error would
// otherwise decide conflicts.
func checkRules(rules map[string]merge.Table, tables []*pairedTable) error {
	for name, rule := range rules {
		n := slices.IndexFunc(tables, func(t *pairedTable) bool { return lowerASCII(t.name) == lowerASCII(name) })
		if n < 0 {
			return usage("a rule names the table %s, which is not synced", name)
		}
		for field := range rule.Fields {
			if tables[n].any().Shape.Index(field) < 0 {
				return usage("a rule names the column %s of table %s, which is not there", field, name)
			}
		}
		for _, r := range append([]merge.Rule{rule.Rule}, fieldRules(rule)...) {
			if r.Kind == merge.Latest && tables[n].any().Shape.Index(r.Column) < 0 {
				return usage("the rule %s of table %s names a column that is not there", r, name)
			}
		}
	}
	return nil
}

func fieldRules(t merge.Table) []merge.Rule {
	var all []merge.Rule
	for _, r := range t.Fields {
		all = append(all, r)
	}
	return all
}

// String names the rules for logs.
func (b *ruleBook) String() string {
	return fmt.Sprintf("%s, and of their own for %d tables", b.text(b.other.Rule), len(b.byTable))
}
