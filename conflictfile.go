package syncline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/internal/flow"
	"github.com/syncline-io/syncline/record"
)

// A watch has the state for itself. For those who ask meanwhile it keeps the list of
// conflicts in a file beside it (docs/format/pair.md).

const (
	conflictsName   = "conflicts.json"
	conflictsFormat = 1
)

// conflictFile is the content of the file.
type conflictFile struct {
	Format    int            `json:"format"`
	A         pathText       `json:"a"` // canonical paths
	B         pathText       `json:"b"`
	Conflicts []keptConflict `json:"conflicts"`
}

// keptConflict is a [Conflict]. Rows are images of the fields in their order.
type keptConflict struct {
	Record string       `json:"record"`
	Table  string       `json:"table"`
	Key    []byte       `json:"key"`
	Kind   ConflictKind `json:"kind"`
	Since  time.Time    `json:"since"`
	Rule   string       `json:"rule"`
	Reason string       `json:"reason,omitempty"`
	At     string       `json:"at,omitempty"`
	Fields []string     `json:"fields,omitempty"`
	A      *keptRow     `json:"rowA,omitempty"`
	B      *keptRow     `json:"rowB,omitempty"`
	Result *keptRow     `json:"result,omitempty"`
}

type keptRow struct {
	Fields []string `json:"fields"`
	Image  []byte   `json:"image"`
}

// listConflicts makes the file say what the conflicts are now.
func (r *syncRun) listConflicts(ctx context.Context) error {
	f := conflictFile{Format: conflictsFormat, A: pathText(r.ins[0].Path), B: pathText(r.ins[1].Path), Conflicts: []keptConflict{}}
	err := r.flow.Conflicts(ctx, r.mode, r.flowTables(r.layout.tables), func(fc flow.Conflict) error {
		c, err := r.conflict(&fc, r.layout, r.book)
		if err != nil {
			return err
		}
		f.Conflicts = append(f.Conflicts, keepConflict(c))
		return nil
	})
	if err != nil {
		return err
	}
	raw, err := json.Marshal(&f)
	if err != nil {
		return fmt.Errorf("list conflicts: %w", err)
	}
	return replaceFile(filepath.Join(r.dir.path, conflictsName), raw)
}

// unlistConflicts removes the file: whoever asks from now on can ask the state.
func (r *syncRun) unlistConflicts() error {
	err := os.Remove(filepath.Join(r.dir.path, conflictsName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// listedConflicts calls f with the conflicts that a watch at work in dir has listed, seen
// from the databases with these paths. ok is false when there is no such list.
func listedConflicts(dir string, in [2]*endpoint.Inspection, f func(Conflict) error) (ok bool, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, conflictsName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var file conflictFile
	if err := json.Unmarshal(raw, &file); err != nil {
		return false, fmt.Errorf("%w: %s: %w", ErrState, filepath.Join(dir, conflictsName), err)
	}
	if file.Format > conflictsFormat {
		return false, fmt.Errorf("%w: %s", ErrNewerState, filepath.Join(dir, conflictsName))
	}
	swapped := string(file.A) == in[1].Path && string(file.B) == in[0].Path
	for i := range file.Conflicts {
		c, err := file.Conflicts[i].conflict()
		if err != nil {
			return false, fmt.Errorf("%w: %s: %w", ErrState, filepath.Join(dir, conflictsName), err)
		}
		if swapped {
			c.A, c.B = c.B, c.A
			c.Rule = swapSites(c.Rule)
		}
		if err := f(c); err != nil {
			return true, err
		}
	}
	return true, nil
}

// swapSites exchanges the names of the sites in the text of a rule.
func swapSites(rule string) string {
	sites, ok := strings.CutPrefix(rule, "priority:")
	if !ok {
		return rule
	}
	return "priority:" + strings.NewReplacer(siteNames[0], siteNames[1], siteNames[1], siteNames[0]).Replace(sites)
}

func keepConflict(c *Conflict) keptConflict {
	return keptConflict{
		Record: c.Record, Table: c.Table, Key: c.Key, Kind: c.Kind, Since: c.Since, Rule: c.Rule,
		Reason: c.Reason, At: c.At, Fields: c.Fields, A: keepRow(c.A), B: keepRow(c.B), Result: keepRow(c.Result),
	}
}

func (k *keptConflict) conflict() (c Conflict, err error) {
	c = Conflict{
		Record: k.Record, Table: k.Table, Key: k.Key, Kind: k.Kind, Since: k.Since, Rule: k.Rule,
		Reason: k.Reason, At: k.At, Fields: k.Fields,
	}
	for _, r := range []struct {
		from *keptRow
		to   **Row
	}{{k.A, &c.A}, {k.B, &c.B}, {k.Result, &c.Result}} {
		if r.from == nil {
			continue
		}
		values, err := record.Image(r.from.Image).Values(nil)
		if err != nil || len(values) != len(r.from.Fields) {
			return c, fmt.Errorf("row of %s: %w", k.Record, record.ErrCorrupt)
		}
		*r.to = &Row{Fields: r.from.Fields, Values: values}
	}
	return c, nil
}

func keepRow(r *Row) *keptRow {
	if r == nil {
		return nil
	}
	var w record.ImageWriter
	w.Reset(len(r.Values))
	for _, v := range r.Values {
		w.Value(v)
	}
	return &keptRow{Fields: r.Fields, Image: w.Image()}
}
