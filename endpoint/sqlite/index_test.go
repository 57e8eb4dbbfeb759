package sqlite

import (
	"slices"
	"testing"
)

func TestIndexText(t *testing.T) {
	for _, c := range []struct {
		sql   string
		terms []string
		where string
	}{
		{"CREATE INDEX i ON t(a)", []string{"a"}, ""},
		{"CREATE UNIQUE INDEX \"i(x,y)\" ON [t(] (a DESC, \"b,c\" asc)", []string{"a", `"b,c"`}, ""},
		{"CREATE UNIQUE INDEX i ON t(lower(a, 'x,)y')desc, b COLLATE NOCASE) -- end", []string{"lower(a, 'x,)y')", "b COLLATE NOCASE"}, ""},
		{"CREATE UNIQUE INDEX i ON t(a /* ) */ + 1, -- ,\n b)\nWHERE(a > 0) AND b <> ';'", []string{"a   + 1", "b"}, "(a > 0) AND b <> ';'"},
		{"CREATE UNIQUE INDEX i ON t(a)where\n\"where\" IS NOT NULL", []string{"a"}, `"where" IS NOT NULL`},
		{"CREATE UNIQUE INDEX i ON t(description)", []string{"description"}, ""},
		{"CREATE UNIQUE INDEX i ON t(a", nil, ""},
		{"", nil, ""},
	} {
		terms, where := indexText(c.sql)
		if !slices.Equal(terms, c.terms) || where != c.where {
			t.Errorf("%s: %q where %q, want %q where %q", c.sql, terms, where, c.terms, c.where)
		}
	}
}

func TestSays(t *testing.T) {
	for _, c := range []struct {
		sql   string
		words []string
		want  bool
	}{
		{"CREATE TABLE t(a UNIQUE ON /* x */ Conflict REPLACE)", []string{"on", "conflict"}, true},
		{"CREATE TABLE t(a DEFAULT 'on conflict', \"on\" conflict)", []string{"on", "conflict"}, false},
		{"x on on conflict", []string{"on", "conflict"}, true},
		{"checked", []string{"check"}, false},
	} {
		if got := says(c.sql, c.words...); got != c.want {
			t.Errorf("%s says %v: %v, want %v", c.sql, c.words, got, c.want)
		}
	}
}

// FuzzIndexText: text that only looks like SQL is taken apart without harm.
func FuzzIndexText(f *testing.F) {
	f.Add("CREATE UNIQUE INDEX i ON t(lower(a) DESC, b) WHERE a > 'x'")
	f.Add("(\"")
	f.Add("([)--/*")
	f.Fuzz(func(t *testing.T, sql string) {
		terms, where := indexText(sql)
		for _, s := range append(terms, where) {
			if len(s) > len(sql) {
				t.Errorf("%q is longer than what it was taken from", s)
			}
		}
		if rest := skipBlank(sql); len(rest) > len(sql) {
			t.Errorf("%q became longer", sql)
		}
		says(sql, "on", "conflict")
	})
}
