package syncline

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// The state remembers the rules of its last run, because what is a conflict is up to them:
// who asks for the conflicts without naming rules means those.

const rulesMeta = "rules"

// keptRules is the form in which rules are kept, as JSON. Sites are nodes in hexadecimal.
type keptRules struct {
	Other  string
	Tables map[string]keptTable `json:",omitempty"`
}

type keptTable struct {
	Rule   string
	Fields map[string]string `json:",omitempty"`
	Delete merge.Delete      `json:",omitempty"`
}

// keepRules remembers the rules of a run.
func (s *session) keepRules(b *ruleBook) error {
	k := keptRules{Other: b.other.Rule.String(), Tables: make(map[string]keptTable)}
	for name, t := range b.byTable {
		kt := keptTable{Rule: t.Rule.String(), Fields: make(map[string]string), Delete: t.Delete}
		for field, r := range t.Fields {
			kt.Fields[field] = r.String()
		}
		k.Tables[name] = kt
	}
	raw, err := json.Marshal(&k)
	if err != nil {
		return fmt.Errorf("keep rules: %w", err)
	}
	v := s.store.View()
	was, _, err := v.Meta(rulesMeta)
	if err = errors.Join(err, v.Close()); err != nil || bytes.Equal(was, raw) {
		return err
	}
	batch := s.store.Batch()
	return errors.Join(batch.SetMeta(rulesMeta, raw), batch.Commit(false), batch.Close())
}

// keptRules returns the rules of the last run, nil if there was none.
func (s *session) keptRules() (*ruleBook, error) {
	v := s.store.View()
	raw, ok, err := v.Meta(rulesMeta)
	if err = errors.Join(err, v.Close()); err != nil || !ok {
		return nil, err
	}
	var k keptRules
	if err := json.Unmarshal(raw, &k); err != nil {
		return nil, fmt.Errorf("rules of the last run: %w", record.ErrCorrupt)
	}
	b := newRuleBook(nil, nil, s.nodes())
	other, err := parseKept(k.Other)
	if err != nil {
		return nil, err
	}
	b.other = wholeTable(other)
	for name, kt := range k.Tables {
		t := &merge.Table{Fields: make(map[string]merge.Rule), Delete: kt.Delete}
		if t.Rule, err = parseKept(kt.Rule); err != nil {
			return nil, err
		}
		for field, text := range kt.Fields {
			if t.Fields[field], err = parseKept(text); err != nil {
				return nil, err
			}
		}
		b.byTable[name] = t
	}
	return b, nil
}

// parseKept reads a rule as it is kept. An expression is not read again here: the package
// that evaluates them is handed in with a rule.
func parseKept(text string) (merge.Rule, error) {
	r, err := merge.ParseRule(text, func(name string) (n causal.Node, err error) {
		raw, err := hex.DecodeString(name)
		if err != nil || len(raw) != len(n) {
			return n, fmt.Errorf("rules of the last run: %w", record.ErrCorrupt)
		}
		return causal.Node(raw), nil
	})
	if errors.Is(err, merge.ErrRule) {
		return r, usage("the last run had the rule %s; name the rules again", text)
	}
	return r, err
}
