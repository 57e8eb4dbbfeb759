package syncline

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/syncline-io/syncline/endpoint"
)

// file is a database in a directory, as its Inspection tells of it.
func file(dir, name, id string, marker byte, pairs ...endpoint.Pair) *endpoint.Inspection {
	in := &endpoint.Inspection{Exists: true, Path: filepath.Join(dir, name), FileID: id}
	if marker != 0 {
		in.Marker[0] = marker
	}
	for _, p := range pairs {
		in.Bound = append(in.Bound, endpoint.Binding{Pair: p})
	}
	return in
}

func touch(t *testing.T, paths ...string) {
	t.Helper()
	for _, p := range paths {
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// openTestPair opens a pair and keeps its directory.
func openTestPair(t *testing.T, state string, a, b *endpoint.Inspection) *pairDir {
	t.Helper()
	d, err := openPairDir(state, [2]*endpoint.Inspection{a, b}, false)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPairDirFindsThePair(t *testing.T) {
	p := endpoint.Pair{1}
	dir := t.TempDir()
	here := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct {
		name    string
		files   []string // that are there when the pair is looked for
		a, b    *endpoint.Inspection
		found   bool
		swapped bool
		note    string
	}{
		{"as it was", []string{"a", "b"}, file(dir, "a", "1:1", 1, p), file(dir, "b", "1:2", 2, p), true, false, ""},
		{"other order", []string{"a", "b"}, file(dir, "b", "1:2", 2, p), file(dir, "a", "1:1", 1, p), true, true, ""},
		{"renamed", []string{"x", "b"}, file(dir, "x", "1:1", 1, p), file(dir, "b", "1:2", 2, p), true, false, ""},
		{"renamed, and a new file in its place", []string{"a", "x", "b"}, file(dir, "x", "1:1", 1, p), file(dir, "b", "1:2", 2, p), true, false, ""},
		{"both renamed, other order", []string{"x", "y"}, file(dir, "y", "1:2", 2, p), file(dir, "x", "1:1", 1, p), true, true, ""},
		{"moved to another disk", []string{"x", "b"}, file(dir, "x", "9:9", 1, p), file(dir, "b", "1:2", 2, p), true, false, ""},
		{"written anew at its path", []string{"a", "b"}, file(dir, "a", "1:7", 1, p), file(dir, "b", "1:2", 2, p), true, false, ""},
		{"copy", []string{"a", "b", "x"}, file(dir, "x", "1:3", 1, p), file(dir, "b", "1:2", 2, p), false, false, here("x") + " is a copy of " + here("a")},
		{"copy, other order", []string{"a", "b", "x"}, file(dir, "b", "1:2", 2, p), file(dir, "x", "1:3", 1, p), false, false, here("x") + " is a copy of " + here("a")},
		{"copies of both", []string{"a", "b", "x", "y"}, file(dir, "x", "1:3", 1, p), file(dir, "y", "1:4", 2, p), false, false, here("x") + " is a copy of " + here("a")},
		{"another database", []string{"a", "b", "c"}, file(dir, "a", "1:1", 1, p), file(dir, "c", "1:3", 3), false, false, ""},
		{"exchanged by renaming", []string{"a", "b"}, file(dir, "a", "1:2", 2, p), file(dir, "b", "1:1", 1, p), true, true, ""},
		{"one replaced", []string{"a", "b"}, file(dir, "a", "1:1", 1, p), file(dir, "b", "1:9", 0), true, false, ""},
		{"one gone", []string{"a"}, file(dir, "a", "1:1", 1, p), &endpoint.Inspection{Path: here("b")}, true, false, ""},
		{"without file ids", []string{"a", "b"}, file(dir, "a", "", 1, p), file(dir, "b", "", 2, p), true, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{"a", "b", "c", "x", "y"} {
				os.Remove(here(name))
			}
			for _, name := range c.files {
				touch(t, here(name))
			}
			state := t.TempDir()
			d := openTestPair(t, state, file(dir, "a", "1:1", 0), file(dir, "b", "1:2", 0))
			if err := d.record(p, [2]*endpoint.Inspection{file(dir, "a", "1:1", 1, p), file(dir, "b", "1:2", 2, p)}); err != nil {
				t.Fatal(err)
			}
			want := d.path
			d.Close()

			got, err := openPairDir(state, [2]*endpoint.Inspection{c.a, c.b}, true)
			if err != nil {
				t.Fatal(err)
			}
			defer got.Close()
			if (got.path == want) != c.found {
				t.Fatalf("found %q, want found %v", got.path, c.found)
			}
			if got.swapped != c.swapped || got.note != c.note {
				t.Errorf("swapped %v, note %q; want %v, %q", got.swapped, got.note, c.swapped, c.note)
			}
		})
	}
}

// A source that nothing was written to is known by its path and file.
func TestPairDirSourceWithoutMarker(t *testing.T) {
	p := endpoint.Pair{1}
	dir, state := t.TempDir(), t.TempDir()
	src, dst := file(dir, "a", "1:1", 0), file(dir, "b", "1:2", 2, p)
	d := openTestPair(t, state, src, file(dir, "b", "", 0))
	if err := d.record(p, [2]*endpoint.Inspection{src, dst}); err != nil {
		t.Fatal(err)
	}
	d.Close()
	for _, c := range []struct {
		name  string
		src   *endpoint.Inspection
		found bool
		other bool // it is not the file it was
	}{
		{"same", src, true, false},
		{"another file in its place", file(dir, "a", "1:5", 0), true, true},
		{"same file elsewhere", file(dir, "x", "1:1", 0), false, false},
	} {
		m, err := findPair(state, [2]*endpoint.Inspection{c.src, dst})
		if err != nil {
			t.Fatal(err)
		}
		if (m.dir != "") != c.found {
			t.Errorf("%s: found %q, want found %v", c.name, m.dir, c.found)
		}
		if m.replaced[0] != c.other {
			t.Errorf("%s: replaced %v, want %v", c.name, m.replaced[0], c.other)
		}
	}
}

// Another pair's marker in a source that this pair wrote nothing to comes and goes: the
// history is still the source's.
func TestPairDirSourceOfAnotherPair(t *testing.T) {
	p, another := endpoint.Pair{1}, endpoint.Pair{2}
	dir, state := t.TempDir(), t.TempDir()
	dst := file(dir, "b", "1:2", 2, p)
	for _, src := range []*endpoint.Inspection{
		file(dir, "a", "1:1", 0), file(dir, "a", "1:1", 1, another), file(dir, "a", "1:1", 1, another),
		file(dir, "a", "1:1", 3, another), file(dir, "a", "1:1", 0), file(dir, "a", "1:1", 0),
	} {
		d := openTestPair(t, state, src, dst)
		if d.replaced != [2]bool{} {
			t.Errorf("marker %x: replaced %v", src.Marker[0], d.replaced)
		}
		if err := d.record(p, [2]*endpoint.Inspection{src, dst}); err != nil {
			t.Fatal(err)
		}
		d.Close()
	}
	bound := file(dir, "a", "1:1", 1, another, p)
	d := openTestPair(t, state, bound, dst)
	if err := d.record(p, [2]*endpoint.Inspection{bound, dst}); err != nil {
		t.Fatal(err)
	}
	d.Close()
	m, err := findPair(state, [2]*endpoint.Inspection{file(dir, "a", "1:1", 1, another), dst})
	if err != nil || m.replaced != [2]bool{true, false} {
		t.Errorf("without the trace of this pair it had: replaced %v, %v", m.replaced, err)
	}
}

func TestPairDirNeverWrittenGoesAgain(t *testing.T) {
	dir := t.TempDir()
	state := filepath.Join(t.TempDir(), "deep", "state")
	d := openTestPair(t, state, file(dir, "a", "1:1", 0), file(dir, "b", "1:2", 0))
	if info, err := os.Stat(d.path); err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("directory %v, %v; want mode 0700", info, err)
	}
	touch(t, filepath.Join(d.path, "something"))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(state)); !os.IsNotExist(err) {
		t.Errorf("the state directory is still there: %v", err)
	}
}

func TestPairDirReadOnlyMakesNothing(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	d, err := openPairDir(state, [2]*endpoint.Inspection{file(dir, "a", "1:1", 0), file(dir, "b", "1:2", 0)}, true)
	if err != nil || d.path != "" || !d.fresh {
		t.Fatalf("got %+v, %v; want no directory", d, err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(state); len(entries) > 0 {
		t.Errorf("it made %v", entries)
	}
}

func TestPairDirBusy(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	a, b := file(dir, "a", "1:1", 0), file(dir, "b", "1:2", 0)
	d := openTestPair(t, state, a, b)
	defer d.Close()
	for _, in := range [][2]*endpoint.Inspection{{a, b}, {b, a}} {
		if _, err := openPairDir(state, in, false); !errors.Is(err, ErrBusy) {
			t.Errorf("second run: got %v, want ErrBusy", err)
		}
	}
	other, err := openPairDir(state, [2]*endpoint.Inspection{a, file(dir, "c", "1:3", 0)}, false)
	if err != nil {
		t.Fatalf("another pair: %v", err)
	}
	other.Close()
	if _, err := os.Stat(d.path); err != nil {
		t.Errorf("the first run's directory is gone: %v", err)
	}
}

// A pair that moved keeps its directory, whose name is that of its first paths; another
// pair at those paths gets its own.
func TestPairDirNameTaken(t *testing.T) {
	p := endpoint.Pair{1}
	dir, state := t.TempDir(), t.TempDir()
	d := openTestPair(t, state, file(dir, "a", "1:1", 0), file(dir, "b", "1:2", 0))
	if err := d.record(p, [2]*endpoint.Inspection{file(dir, "x", "1:1", 1), file(dir, "b", "1:2", 2)}); err != nil {
		t.Fatal(err)
	}
	d.Close()
	e := openTestPair(t, state, file(dir, "a", "1:8", 0), file(dir, "b", "1:2", 2, p))
	defer e.Close()
	if e.path == d.path || !e.fresh {
		t.Errorf("got %s, fresh %v; want a directory beside %s", e.path, e.fresh, d.path)
	}
}

func TestPairDirDamagedOrNewer(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	in := [2]*endpoint.Inspection{file(dir, "a", "1:1", 0), file(dir, "b", "1:2", 0)}
	own := filepath.Join(state, dirName(in))
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want error
	}{
		{`{"format":`, ErrState},
		{`{"format":77,"what":1}`, ErrNewerState},
	} {
		if err := os.WriteFile(filepath.Join(own, pairFileName), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openPairDir(state, in, false); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.text, err, c.want)
		}
		// What is the matter with another pair's is no concern of this one.
		in2 := [2]*endpoint.Inspection{in[0], file(dir, "c", "1:3", 0)}
		d, err := openPairDir(state, in2, false)
		if err != nil {
			t.Errorf("%s: another pair: %v", c.text, err)
			continue
		}
		d.Close()
	}
}

func TestPairDirWithoutItsFileIsMadeAnew(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	in := [2]*endpoint.Inspection{file(dir, "a", "1:1", 0), file(dir, "b", "1:2", 0)}
	left := filepath.Join(state, dirName(in), storeDir)
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	d := openTestPair(t, state, in[0], in[1])
	defer d.Close()
	if !d.fresh {
		t.Error("not fresh")
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("a store of nobody knows what is still there: %v", err)
	}
}

func TestStateBase(t *testing.T) {
	home := func() (string, error) { return "/home/u", nil }
	for _, c := range []struct {
		system string
		env    []string
		want   string
	}{
		{"linux", nil, "/home/u/.local/state"},
		{"linux", []string{"XDG_STATE_HOME", "/var/s"}, "/var/s"},
		{"linux", []string{"XDG_STATE_HOME", "relative"}, "/home/u/.local/state"},
		{"darwin", nil, "/home/u/Library/Application Support"},
		{"windows", []string{"LocalAppData", `C:\u`}, `C:\u`},
	} {
		env := func(name string) string {
			if i := slices.Index(c.env, name); i >= 0 {
				return c.env[i+1]
			}
			return ""
		}
		got, err := stateBase(c.system, env, home)
		if err != nil || filepath.ToSlash(got) != filepath.ToSlash(c.want) {
			t.Errorf("%s %v: got %q, %v; want %q", c.system, c.env, got, err, c.want)
		}
	}
	if _, err := stateBase("windows", func(string) string { return "" }, home); err == nil {
		t.Error("windows without LocalAppData: no error")
	}
}
