package main

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNumbersForPeople(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{count(0), "0"},
		{count(999), "999"},
		{count(1000), "1,000"},
		{count(21345), "21,345"},
		{count(12399871), "12,399,871"},
		{count(-1234567), "-1,234,567"},
		{count(-123), "-123"},
		{plural(1, "row", "rows"), "1 row"},
		{plural(0, "row", "rows"), "0 rows"},
		{plural(1200, "row", "rows"), "1,200 rows"},
		{size(0), "0 B"},
		{size(999), "999 B"},
		{size(1000), "1.0 kB"},
		{size(9949), "9.9 kB"},
		{size(9951), "10 kB"},
		{size(38_400_000), "38 MB"},
		{size(999_400), "999 kB"},
		{size(999_600), "1.0 MB"},
		{size(3_900_000_000), "3.9 GB"},
		{size(5_000_000_000_000_000), "5000 TB"},
		{rate(840), "840"},
		{rate(4102), "4.1k"},
		{rate(1_200_000), "1.2M"},
		{seconds(-time.Second), "0s"},
		{seconds(420 * time.Millisecond), "0.4s"},
		{seconds(9940 * time.Millisecond), "9.9s"},
		{seconds(9960 * time.Millisecond), "10s"},
		{seconds(59600 * time.Millisecond), "1m00s"},
		{seconds(3*time.Minute + 5*time.Second), "3m05s"},
		{seconds(2*time.Hour + 10*time.Minute), "2h10m"},
		{percent(0, 100), "0 %"},
		{percent(1, 0), "0 %"},
		{percent(207, 1_204_000), "0.02 %"},
		{percent(1, 200), "0.5 %"},
		{percent(61, 100), "61 %"},
		{percent(1000, 10_000), "10 %"},
		{percent(1101, 11_000), "10.1 %"}, // more than the limit never looks like it
		{percent(7, 7), "100 %"},
		{changes(false, 0, 0, 0), ""},
		{changes(false, 12411, 3, 207), "+12,411 *3 -207"},
		{changes(true, 1, 0, 0), "\x1b[32m+1\x1b[0m"},
		{list([]string{"a", "b", "c"}, 3), "a, b, c"},
		{list([]string{"a", "b", "c", "d"}, 3), "a, b, and 2 more"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestSafeOnATerminal(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"orders", "orders"},
		{"naïve 表", "naïve 表"},
		{"a\nb", `a\nb`},
		{"\x1b[2J", `\x1b[2J`},
		{"\xff", `\xff`},
		{"a\u202eb", `a\u202eb`}, // turns the rest of the line around
		{"a\u00a0b", `a\u00a0b`},
	} {
		if got := safe(c.in); got != c.want {
			t.Errorf("safe(%q) = %q, want %q", c.in, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := safe(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
		for _, r := range s {
			if unprintable(r) {
				t.Fatalf("%q holds %q", s, r)
			}
		}
	})
}

func TestQuoteArg(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a.db", "a.db"},
		{"", "''"},
		{"my file.db", "'my file.db'"},
		{"it's", `'it'\''s'`},
		{"$HOME", "'$HOME'"},
		{"lines/[7,2]", "'lines/[7,2]'"},
		{"10%", "10%"},
	} {
		if got := quoteArg(c.in); got != c.want {
			t.Errorf("quoteArg(%q) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestDistanceSuggests(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"json", "json", 0},
		{"jsn", "json", 1},
		{"two-wya", "two-way", 2},
		{"kitten", "sitting", 3},
		{"", "abc", 3},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
