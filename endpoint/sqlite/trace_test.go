package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/syncline-io/syncline/endpoint"
	"zombiezen.com/go/sqlite/sqlitex"
)

const traced = `CREATE TABLE t(k TEXT PRIMARY KEY, v); INSERT INTO t VALUES('a', 1), ('b', 2);`

// A database in every state that reading can find it in.
var traceStates = []struct {
	name string
	make func(t *testing.T) (path string)
	// readable says whether a database that may not be recovered can be read.
	readable bool
}{
	{"rollback", func(t *testing.T) string { return makeRaw(t, traced) }, true},
	{"utf16", func(t *testing.T) string { return makeRaw(t, "PRAGMA encoding='UTF-16le';"+traced) }, true},
	{"closed wal", func(t *testing.T) string { return makeRaw(t, "PRAGMA journal_mode=WAL;"+traced) }, true},
	{"odd name", func(t *testing.T) string {
		path := makeRaw(t, "PRAGMA journal_mode=WAL;"+traced)
		odd := filepath.Join(filepath.Dir(path), "we?ird #%41 ü&x=1.db")
		if err := os.Rename(path, odd); err != nil {
			t.Fatal(err)
		}
		return odd
	}, true},
	{"open wal", func(t *testing.T) string {
		path := makeRaw(t, "PRAGMA journal_mode=WAL;"+traced)
		holdElsewhere(t, path)
		return path
	}, true},
	{"crashed wal", func(t *testing.T) string {
		return crashed(t, "PRAGMA journal_mode=WAL;"+traced, "UPDATE t SET v = 3", "", "-wal", "-shm")
	}, true},
	{"wal without shm", func(t *testing.T) string {
		return crashed(t, "PRAGMA journal_mode=WAL;"+traced, "UPDATE t SET v = 3", "", "-wal")
	}, false},
	{"hot journal", func(t *testing.T) string {
		return crashed(t, traced, `PRAGMA cache_size=1; BEGIN; UPDATE t SET v = 4;
			INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 2000) SELECT i, hex(randomblob(200)) FROM n`, "", "-journal")
	}, false},
}

// holdElsewhere writes to a database from another process, which keeps it open.
func holdElsewhere(t *testing.T, path string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHoldDatabase$")
	cmd.Env = append(os.Environ(), holdVariable+"="+path)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if line != "open\n" {
		t.Fatalf("%q, %v", line, err)
	}
}

const holdVariable = "SYNCLINE_TEST_HOLD"

// TestHoldDatabase is what holdElsewhere runs.
func TestHoldDatabase(t *testing.T) {
	path := os.Getenv(holdVariable)
	if path == "" {
		t.Skip("only for other tests")
	}
	c := openRaw(t, path)
	defer c.Close()
	runRaw(t, c, "UPDATE t SET v = 3")
	fmt.Println("open")
	io.Copy(io.Discard, os.Stdin)
}

// Looking at a database must not drop the locks that this process holds on it: POSIX drops
// them all when any descriptor of the file is closed.
func TestLookingKeepsLocks(t *testing.T) {
	for _, mode := range []string{"DELETE", "WAL"} {
		path := makeRaw(t, "PRAGMA journal_mode="+mode+";"+traced)
		writer := openRaw(t, path)
		defer writer.Close()
		execScript(t, writer, "BEGIN IMMEDIATE; UPDATE t SET v = 5")
		for _, o := range []Options{{}, {ReadOnly: true}} {
			d := openDatabase(t, path, o)
			if _, err := d.Inspect(context.Background()); err != nil {
				t.Fatal(err)
			}
			openSnapshot(t, d, true).Close()
			if _, _, err := d.look(); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestTryToWrite$")
		cmd.Env = append(os.Environ(), holdVariable+"="+path)
		out, err := cmd.Output()
		if err != nil || !strings.HasPrefix(string(out), "busy\n") {
			t.Errorf("%s: another process could write: %s, %v", mode, out, err)
		}
	}
}

// TestTryToWrite is what TestLookingKeepsLocks runs in another process.
func TestTryToWrite(t *testing.T) {
	path := os.Getenv(holdVariable)
	if path == "" {
		t.Skip("only for other tests")
	}
	c := openRaw(t, path)
	defer c.Close()
	c.SetBusyTimeout(0)
	err := sqlitex.ExecuteTransient(c, "BEGIN IMMEDIATE", nil)
	if isBusy(err) {
		fmt.Println("busy")
	}
}

// crashed copies the files of a database while a program works on it.
func crashed(t *testing.T, before, during string, suffixes ...string) string {
	path := makeRaw(t, before)
	other := openRaw(t, path)
	defer other.Close()
	execScript(t, other, during)
	copied := filepath.Join(t.TempDir(), "a.db")
	for _, suffix := range suffixes {
		b, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

// Opened for reading only, not one byte changes, and no file comes or goes.
func TestReadOnlyLeavesNoTrace(t *testing.T) {
	for _, state := range traceStates {
		t.Run(state.name, func(t *testing.T) {
			path := state.make(t)
			dir := filepath.Dir(path)
			before := contentOf(t, dir)
			d := openDatabase(t, path, Options{ReadOnly: true})
			in, err := d.Inspect(context.Background())
			if state.readable {
				if err != nil || !in.Exists || in.Empty {
					t.Errorf("inspect: %+v, %v", in, err)
				}
				if _, err := d.Schema(context.Background()); err != nil {
					t.Error(err)
				}
				for _, sliced := range []bool{false, true} {
					s := openSnapshot(t, d, sliced)
					if got := checkScan(t, s, "t"); len(got) != 2 {
						t.Errorf("%d rows", len(got))
					}
					if during := contentOf(t, dir); !maps.Equal(before, during) {
						t.Error("a file changed while the view was open")
					}
					s.Close()
				}
			} else {
				var e *endpoint.Error
				if !errors.As(err, &e) || e.Family != endpoint.Unreachable || e.Hint == "" {
					t.Errorf("inspect: %v", err)
				}
			}
			if after := contentOf(t, dir); !maps.Equal(before, after) {
				t.Error("a file changed")
			}
		})
	}
}

// Otherwise what a crash left is recovered, as by every SQLite program, and the rows are
// those of the last commit.
func TestReadingRecovers(t *testing.T) {
	for _, state := range traceStates {
		t.Run(state.name, func(t *testing.T) {
			d := openDatabase(t, state.make(t), Options{})
			if in, err := d.Inspect(context.Background()); err != nil || in.Empty {
				t.Fatalf("%+v, %v", in, err)
			}
			s := openSnapshot(t, d, true)
			got := checkScan(t, s, "t")
			if len(got) != 2 || got[0].values[1].String() == "4" {
				t.Errorf("%v", got)
			}
		})
	}
}

// Inspecting creates nothing, even for a moment, where nothing needs to be recovered.
func TestInspectLeavesNoTrace(t *testing.T) {
	for _, state := range traceStates {
		if !state.readable || state.name == "crashed wal" {
			continue
		}
		path := state.make(t)
		before := contentOf(t, filepath.Dir(path))
		d := openDatabase(t, path, Options{})
		for range 2 {
			if _, err := d.Inspect(context.Background()); err != nil {
				t.Errorf("%s: %v", state.name, err)
			}
		}
		after := contentOf(t, filepath.Dir(path))
		if state.name == "open wal" { // where readers say what they read
			delete(before, filepath.Base(path)+"-shm")
			delete(after, filepath.Base(path)+"-shm")
		}
		if !maps.Equal(before, after) {
			t.Errorf("%s: a file changed", state.name)
		}
	}
}

// A view without locks must notice that its file was written to.
func TestUnlockedViewNoticesChange(t *testing.T) {
	path := makeRaw(t, "PRAGMA journal_mode=WAL;"+traced)
	s := openSnapshot(t, openDatabase(t, path, Options{ReadOnly: true}), false)
	if s.c.frozen == nil {
		t.Fatal("the view holds locks")
	}
	other := openRaw(t, path)
	runRaw(t, other, "UPDATE t SET v = 9")
	if got := scanAll(t, s, "t", nil); len(got) != 2 || got[0].values[1].String() != "1" {
		t.Errorf("while the change is in the log the view shows %v", got)
	}
	if err := other.Close(); err != nil { // moves the log into the file
		t.Fatal(err)
	}
	rows, err := s.Scan(s.Schema().Table("t"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if rows.Next() || !errors.Is(rows.Err(), endpoint.ErrChanged) {
		t.Errorf("%v", rows.Err())
	}
}

func TestFingerprintFollowsContent(t *testing.T) {
	for _, mode := range []string{"DELETE", "TRUNCATE", "PERSIST", "WAL"} {
		for _, open := range []bool{false, true} {
			path := makeRaw(t, "PRAGMA journal_mode="+mode+";"+traced)
			d := openDatabase(t, path, Options{})
			if open {
				other := openRaw(t, path)
				defer other.Close()
				runRaw(t, other, "UPDATE t SET v = v")
			}
			seen := map[string]int{}
			for round := range 20 {
				in, err := d.Inspect(context.Background())
				if err != nil || in.Fingerprint == nil {
					t.Fatalf("%s %v: %v, %v", mode, open, in, err)
				}
				if was, ok := seen[string(in.Fingerprint)]; ok {
					t.Errorf("%s %v: the fingerprint of round %d is that of %d", mode, open, round, was)
				}
				seen[string(in.Fingerprint)] = round
				for range 2 {
					s := openSnapshot(t, d, true)
					if string(s.Fingerprint()) != string(in.Fingerprint) {
						t.Errorf("%s %v: another fingerprint of the same content", mode, open)
					}
					s.Close()
				}
				writer := openRaw(t, path)
				runRaw(t, writer, "UPDATE t SET v = v + 1 WHERE k = 'a'")
				writer.Close()
			}
		}
	}
}

// A write that comes between the begin of a view and the question for its fingerprint
// belongs to another view.
func TestFingerprintIsOfTheView(t *testing.T) {
	path := makeRaw(t, "PRAGMA journal_mode=WAL;"+traced)
	d := openDatabase(t, path, Options{})
	other := openRaw(t, path)
	defer other.Close()
	runRaw(t, other, "UPDATE t SET v = 5")
	s := openSnapshot(t, d, false)
	runRaw(t, other, "UPDATE t SET v = 6")
	if s.Fingerprint() != nil {
		t.Error("a view has the fingerprint of a later state")
	}
}

func TestWatchSignalsCommits(t *testing.T) {
	for _, mode := range []string{"DELETE", "WAL"} {
		path := makeRaw(t, "PRAGMA journal_mode="+mode+";"+traced)
		d := openDatabase(t, path, Options{})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		signals, err := d.Watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		other := openRaw(t, path)
		defer other.Close()
		for range 5 {
			quiet(t, signals)
			runRaw(t, other, "UPDATE t SET v = v + 1")
			start := time.Now()
			select {
			case <-signals:
				t.Logf("%s: signal after %v", mode, time.Since(start))
			case <-time.After(5 * time.Second):
				t.Fatalf("%s: no signal", mode)
			}
		}
		cancel()
		for range signals { // until it is closed
		}
	}
}

// Reading because of a signal must not be the next signal.
func TestReadingIsNoChange(t *testing.T) {
	for _, mode := range []string{"DELETE", "WAL"} {
		path := makeRaw(t, "PRAGMA journal_mode="+mode+";"+traced)
		d := openDatabase(t, path, Options{})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		signals, err := d.Watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		quiet(t, signals)
		if _, err := d.Inspect(ctx); err != nil {
			t.Fatal(err)
		}
		s := openSnapshot(t, d, true)
		checkScan(t, s, "t")
		s.Close()
		select {
		case <-signals:
			t.Errorf("%s: reading is signalled as a change", mode)
		case <-time.After(20 * settle):
		}
	}
}

// quiet waits until the signals of what happened before are over.
func quiet(t *testing.T, signals <-chan struct{}) {
	t.Helper()
	for {
		select {
		case <-signals:
		case <-time.After(4 * settle):
			return
		}
	}
}
