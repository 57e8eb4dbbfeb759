package syncline

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestPairFileGolden(t *testing.T) {
	dir := t.TempDir()
	f := pairFile{Pair: hexID{0: 0xab, 15: 1}, Sides: [2]pairSide{
		{Path: "/data/ä.db", File: "2049:131", Marker: hexID{0: 7}},
		{Path: "/data/\xff.db"},
	}}
	if err := writePairFile(dir, f); err != nil {
		t.Fatal(err)
	}
	want := `{"format":1,"pair":"ab000000000000000000000000000001","sides":[` +
		`{"path":"/data/ä.db","file":"2049:131","marker":"07000000000000000000000000000000"},` +
		`{"path":"hex:2f646174612fff2e6462","file":"","marker":""}]}` + "\n"
	got, err := os.ReadFile(filepath.Join(dir, pairFileName))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	back, err := readPairFile(dir)
	f.Format = pairFormat
	if err != nil || back != f {
		t.Errorf("read back %+v, %v; want %+v", back, err, f)
	}
	info, err := os.Stat(filepath.Join(dir, pairFileName))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 1 {
		t.Errorf("it left %v", names)
	}
}

func TestPairFileFormats(t *testing.T) {
	const sides = `"pair":"ab000000000000000000000000000001","sides":[{"path":"/a"},{"path":"/b"}]}`
	rename := func(f *pairFile) error { f.Sides[0].Path = "/converted"; return nil }
	fails := func(*pairFile) error { return errors.New("cannot") }
	for _, c := range []struct {
		name        string
		in          string
		conversions []func(*pairFile) error
		want        error
		path        pathText
	}{
		{"current", `{"format":1,` + sides, nil, nil, "/a"},
		{"unknown fields", `{"format":1,"later":[1],` + sides, nil, nil, "/a"},
		{"older", `{"format":1,` + sides, []func(*pairFile) error{rename}, nil, "/converted"},
		{"older, broken", `{"format":1,` + sides, []func(*pairFile) error{fails}, ErrState, ""},
		{"newer", `{"format":2,` + sides, nil, ErrNewerState, "/a"},
		{"newer, other types", `{"format":9,"pair":{"x":1},"sides":[]}`, nil, ErrNewerState, ""},
		{"no format", `{` + sides, nil, ErrState, ""},
		{"no pair", `{"format":1,"sides":[{"path":"/a"},{"path":"/b"}]}`, nil, ErrState, ""},
		{"no path", `{"format":1,"pair":"ab000000000000000000000000000001"}`, nil, ErrState, ""},
		{"torn", `{"format":1,"pai`, nil, ErrState, ""},
		{"empty", ``, nil, ErrState, ""},
		{"short id", `{"format":1,"pair":"ab","sides":[{"path":"/a"},{"path":"/b"}]}`, nil, ErrState, ""},
		{"bad hex path", `{"format":1,"pair":"ab000000000000000000000000000001","sides":[{"path":"hex:zz"},{"path":"/b"}]}`, nil, ErrState, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := decodePairFile([]byte(c.in), c.conversions)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if c.path != "" && f.Sides[0].Path != c.path {
				t.Errorf("path %q, want %q", f.Sides[0].Path, c.path)
			}
		})
	}
}

func FuzzDecodePairFile(f *testing.F) {
	f.Add([]byte(`{"format":1,"pair":"ab000000000000000000000000000001","sides":[{"path":"/a","file":"1:2","marker":""},{"path":"hex:ff"}]}`))
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decodePairFile(b, nil)
		if err != nil {
			if !errors.Is(err, ErrState) && !errors.Is(err, ErrNewerState) {
				t.Fatalf("error of no family: %v", err)
			}
			return
		}
		dir := t.TempDir()
		if err := writePairFile(dir, p); err != nil {
			t.Fatal(err)
		}
		if back, err := readPairFile(dir); err != nil || back != p {
			t.Fatalf("read back %+v, %v; want %+v", back, err, p)
		}
	})
}
