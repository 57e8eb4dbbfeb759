package merge_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
)

var errNoSite = errors.New("no such site")

// site knows a and b, and nodes in hexadecimal.
func site(name string) (causal.Node, error) {
	switch raw, err := hex.DecodeString(name); {
	case name == "a":
		return origin(1).Node, nil
	case name == "b":
		return origin(2).Node, nil
	case err == nil && len(raw) == len(causal.Node{}):
		return causal.Node(raw), nil
	}
	return causal.Node{}, fmt.Errorf("%q: %w", name, errNoSite)
}

func sameRule(r, q merge.Rule) bool {
	return r.Kind == q.Kind && slices.Equal(r.Nodes, q.Nodes) && r.Column == q.Column
}

func TestParseRule(t *testing.T) {
	a, b := origin(1).Node, origin(2).Node
	for _, tt := range []struct {
		text string
		want merge.Rule
		err  error
	}{
		{"fields", merge.Rule{}, nil},
		{"newest", merge.Rule{Kind: merge.Newest}, nil},
		{"counter", merge.Rule{Kind: merge.Counter}, nil},
		{"set", merge.Rule{Kind: merge.Set}, nil},
		{"max", merge.Rule{Kind: merge.Max}, nil},
		{"min", merge.Rule{Kind: merge.Min}, nil},
		{"keep", merge.Rule{Kind: merge.Keep}, nil},
		{"newest:updated_at", merge.Rule{Kind: merge.Latest, Column: "updated_at"}, nil},
		{"newest:we ird:col,umn", merge.Rule{Kind: merge.Latest, Column: "we ird:col,umn"}, nil},
		{"priority:b, a", merge.Rule{Kind: merge.Priority, Nodes: []causal.Node{b, a}}, nil},
		{"priority:a", merge.Rule{Kind: merge.Priority, Nodes: []causal.Node{a}}, nil},
		{"priority:c", merge.Rule{}, errNoSite},
		{"priority:a,a", merge.Rule{}, merge.ErrRule},
		{"priority:a,", merge.Rule{}, merge.ErrRule},
		{"priority:", merge.Rule{}, merge.ErrRule},
		{"priority", merge.Rule{}, merge.ErrRule},
		{"newest:", merge.Rule{}, merge.ErrRule},
		{"newest:\xff", merge.Rule{}, merge.ErrRule},
		{"max:x", merge.Rule{}, merge.ErrRule},
		{"keep:", merge.Rule{}, merge.ErrRule},
		{"Fields", merge.Rule{}, merge.ErrRule},
		{"", merge.Rule{}, merge.ErrRule},
		{"expr:1", merge.Rule{}, merge.ErrRule},
		{"expr", merge.Rule{}, merge.ErrRule},
	} {
		got, err := merge.ParseRule(tt.text, site)
		if !errors.Is(err, tt.err) || (err != nil) != (tt.err != nil) || !sameRule(got, tt.want) {
			t.Errorf("ParseRule(%q) = %v, %v; want %v, %v", tt.text, got, err, tt.want, tt.err)
		}
	}
}

func FuzzParseRule(f *testing.F) {
	for _, seed := range []string{"fields", "newest:x", "priority:a,b", "priority:" + strings.Repeat("0f", 16), "expr:1", "max:", ":"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := merge.ParseRule(text, site)
		if err != nil {
			if !errors.Is(err, merge.ErrRule) && !errors.Is(err, errNoSite) {
				t.Errorf("ParseRule(%q): %v, which is neither ErrRule nor the site's", text, err)
			}
			return
		}
		again, err := merge.ParseRule(r.String(), site)
		if err != nil || !sameRule(r, again) {
			t.Errorf("%q is %v, which reads as %v, %v", text, r, again, err)
		}
	})
}
