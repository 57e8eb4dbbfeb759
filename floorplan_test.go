package syncline_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/syncline-io/syncline"

// floorPlan says which packages of this module each package may import. A path ending
// in "/" stands for a package and all below it. What is not listed may import nothing of
// ours. The reasons are in ARCHITECTURE.md.
var floorPlan = []struct {
	pkg   string
	allow []string
}{
	{"causal", nil},
	{"record", []string{"causal"}},
	{"merge/", []string{"merge", "record", "causal"}},
	{"endpoint/", []string{"endpoint", "endpoint/endpointtest", "record", "causal"}},
	{"transport/", []string{"transport"}},
	{"internal/sketch", nil},
	{"internal/store", []string{"record", "causal", "merge"}},
	{"internal/session", []string{"record", "causal", "internal/sketch", "transport"}},
	{"internal/flow", []string{"endpoint", "record", "causal", "merge"}},
	{"", []string{
		"causal", "record", "merge", "endpoint", "transport",
		"internal/store", "internal/session", "internal/flow", "internal/sketch",
	}},
	{"cmd/", []string{"*"}},
	{"e2e", nil},    // drives the built program from outside
	{"bench/", nil}, // measures it from outside
}

// wall lists the standard packages that the pure core must not use: no clock, no
// randomness, no I/O. The time package is allowed for its types.
var wall = []string{"os", "net", "math/rand", "math/rand/v2", "crypto/rand", "sync", "log/slog"}

var pure = []string{"causal", "record", "merge", "internal/sketch"}

func TestFloorPlan(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	seen := 0
	for dec.More() {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		seen++
		name := local(p.ImportPath)
		allow, known := allowed(name)
		if !known {
			t.Errorf("%s is not on the floor plan: give it a place in ARCHITECTURE.md and here", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if slices.Contains(pure, name) && slices.Contains(wall, imp) {
				t.Errorf("%s imports %s: the core has no clock, randomness, lock or I/O of its own", name, imp)
			}
			if imp != module && !strings.HasPrefix(imp, module+"/") {
				continue
			}
			if to := local(imp); !slices.Contains(allow, "*") && !slices.Contains(allow, to) {
				t.Errorf("%s imports %s: arrows go down only, it may import %v", name, to, allow)
			}
		}
	}
	if seen < 2 {
		t.Fatalf("go list named %d packages", seen)
	}
}

func local(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
}

func allowed(name string) ([]string, bool) {
	for _, f := range floorPlan {
		if f.pkg == name || strings.HasSuffix(f.pkg, "/") && strings.HasPrefix(name+"/", f.pkg) {
			return f.allow, true
		}
	}
	return nil, false
}
