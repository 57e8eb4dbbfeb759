// Command sqlite measures Syncline on a table of a million rows, as ratios within one run
// on one machine:
//
//   - the first copy into an empty file, against `sqlite3 a.db .dump | sqlite3 b.db`,
//   - a second run with nothing changed, against the first,
//   - a run with one changed row,
//   - ten changed rows among the million while watching: edit to visible,
//   - and the most memory each of them held.
//
// It drives the built binary from outside, as a person would: `make bench-sqlite`.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	var o options
	flag.StringVar(&o.binary, "binary", "", "the syncline to measure")
	flag.IntVar(&o.rows, "rows", 1_000_000, "rows of 10 columns")
	flag.IntVar(&o.runs, "runs", 3, "runs of each kind; medians are shown")
	flag.IntVar(&o.edits, "edits", 100, "edits of 10 rows while watching")
	flag.StringVar(&o.dir, "dir", "", "a directory for the databases (default a temporary one)")
	flag.BoolVar(&o.json, "json", false, "print JSON")
	flag.Parse()
	if o.binary == "" || o.rows < 100 || o.runs < 1 || o.edits < 1 || flag.NArg() > 0 {
		return fmt.Errorf("usage: sqlite -binary FILE [-rows N] [-runs N] [-edits N] [-dir DIR] [-json]")
	}
	var err error
	if o.binary, err = filepath.Abs(o.binary); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "syncline-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	o.dir = dir
	r, err := measure(&o)
	if err != nil {
		return err
	}
	if o.json {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(r)
	}
	r.print(os.Stdout)
	return nil
}

type options struct {
	binary, dir       string
	rows, runs, edits int
	json              bool
}

// result is everything that was measured. Times are medians.
type result struct {
	Rows      int    `json:"rows"`
	Runs      int    `json:"runs"`
	Edits     int    `json:"edits"`
	OS        string `json:"os"`
	Arch      string `json:"arch"`
	CPUs      int    `json:"cpus"`
	FileBytes int64  `json:"file_bytes"`
	Dump      run1   `json:"dump"`
	First     run1   `json:"first_copy"`
	Nothing   run1   `json:"nothing_changed"`
	OneRow    run1   `json:"one_row_changed"`
	Watch     run1   `json:"watch"`
	// The ratios are medians of those within each run.
	FirstOfDump    float64 `json:"first_copy_of_dump"`
	NothingOfFirst float64 `json:"nothing_changed_of_first_copy"`
	OneRowOfFirst  float64 `json:"one_row_changed_of_first_copy"`
	P50            float64 `json:"edit_to_visible_p50_ms"`
	P99            float64 `json:"edit_to_visible_p99_ms"`
}

// run1 is one kind of run.
type run1 struct {
	Seconds float64   `json:"seconds"`
	All     []float64 `json:"all_seconds,omitempty"`
	Peak    int64     `json:"peak_bytes"` // of memory, the most of any run
}

func (r *result) print(w *os.File) {
	line := func(what string, k run1, than string, ratio float64) {
		fmt.Fprintf(w, "%-34s %9.2f s", what, k.Seconds)
		if than != "" {
			fmt.Fprintf(w, "   %6.3f of %s", ratio, than)
		} else {
			fmt.Fprintf(w, "   %-16s", "")
		}
		if k.Peak > 0 {
			fmt.Fprintf(w, "   %4d MB", k.Peak>>20)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%d rows of 10 columns, %d MB; %s/%s, %d CPUs; medians of %d\n\n", r.Rows, r.FileBytes>>20, r.OS, r.Arch, r.CPUs, r.Runs)
	line("sqlite3 .dump | sqlite3", r.Dump, "", 0)
	line("first copy", r.First, "the dump ", r.FirstOfDump)
	line("again, nothing changed", r.Nothing, "the first", r.NothingOfFirst)
	line("again, one row changed", r.OneRow, "the first", r.OneRowOfFirst)
	fmt.Fprintf(w, "%-34s p50 %.0f ms, p99 %.0f ms   %4d MB\n", "watch, 10 rows: edit to visible", r.P50, r.P99, r.Watch.Peak>>20)
}

func newResult(o *options) *result {
	return &result{Rows: o.rows, Runs: o.runs, Edits: o.edits, OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}
}

func seconds(d time.Duration) float64 { return float64(d.Milliseconds()) / 1000 }
