package syncline

import (
	"slices"
	"strings"

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
	b.other = wholeTable(b.resolve(rule))
	for name, t := range rules {
		own := t
		own.Rule = b.resolve(t.Rule)
		if own.Delete == merge.UpdateWins {
			own.Delete = wholeTable(own.Rule).Delete
		}
		own.Fields = make(map[string]merge.Rule, len(t.Fields))
		for field, r := range t.Fields {
			own.Fields[lowerASCII(field)] = b.resolve(r)
		}
		b.byTable[lowerASCII(name)] = &own
	}
	return b
}

// wholeTable is the rules of a table that has one. A rule that picks a side or a version
// decides between an edit and a deletion, too; of the others an edit wins, and the
// deletion is listed.
func wholeTable(r merge.Rule) *merge.Table {
	t := &merge.Table{Rule: r, Delete: merge.UpdateOver}
	switch r.Kind {
	case merge.Priority, merge.Newest, merge.Latest, merge.Keep:
		t.Delete = merge.RuleDecides
	}
	return t
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

// named puts the names of sites in place of nodes in the text of a rule.
func (b *ruleBook) named(rule string) string {
	for i, n := range b.nodes {
		rule = strings.ReplaceAll(rule, n.String(), siteNames[i])
	}
	return rule
}

// checkRules refuses rules of tables and columns that neither database has: a typing error
// would otherwise decide conflicts.
func checkRules(onConflict *merge.Rule, rules map[string]merge.Table, tables []*pairedTable) error {
	if onConflict != nil && onConflict.Kind == merge.Latest {
		own := make(map[string]bool, len(rules))
		for name := range rules {
			own[lowerASCII(name)] = true
		}
		for _, t := range tables {
			if !own[lowerASCII(t.name)] && t.any().Shape.Index(onConflict.Column) < 0 {
				return usage("the rule %s names a column that table %s does not have: give the table a rule of its own", onConflict, t.name)
			}
		}
	}
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
