package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// count writes a number with commas: 21,345.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// plural writes "1 row" and "2 rows".
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// size writes bytes with two or three digits: 912 B, 1.2 MB, 38 MB.
func size(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f := float64(n)
	for _, unit := range []string{"kB", "MB", "GB", "TB"} {
		f /= 1000
		switch {
		case f < 9.95:
			return fmt.Sprintf("%.1f %s", f, unit)
		case f < 999.5 || unit == "TB":
			return fmt.Sprintf("%.0f %s", f, unit)
		}
	}
	return "" // the last unit takes everything
}

// rate writes a number per second in few letters: 840, 4.1k, 1.2M.
func rate(perSecond float64) string {
	switch {
	case perSecond < 999.5:
		return fmt.Sprintf("%.0f", perSecond)
	case perSecond < 999_500:
		return fmt.Sprintf("%.1fk", perSecond/1e3)
	}
	return fmt.Sprintf("%.1fM", perSecond/1e6)
}

// seconds writes a duration for people: 0.4s, 12s, 3m05s, 2h10m.
func seconds(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	d = d.Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}

// percent writes a share, rounded up: 0.02 %, 10.1 %, 61 %.
func percent(part, whole int64) string {
	if whole <= 0 || part <= 0 {
		return "0 %"
	}
	p := 100 * float64(part) / float64(whole)
	step := 10.0
	if p < 0.095 {
		step = 100
	}
	return strconv.FormatFloat(math.Ceil(p*step-1e-9)/step, 'f', -1, 64) + " %"
}

// safe makes text from a database or a path harmless on a terminal: what would move the
// cursor, hide or reorder text is written as an escape.
func safe(s string) string {
	if strings.IndexFunc(s, unprintable) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unprintable(r):
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}

func unprintable(r rune) bool {
	return r != ' ' && !unicode.IsPrint(r)
}

// quoteArg writes an argument so that a shell takes it as one word.
func quoteArg(s string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:=,%@+", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// changes writes counts as people read them: +1 *2 -3, without those that are 0.
func changes(p paint, inserts, updates, deletes int64) string {
	var parts []string
	for _, c := range []struct {
		sign, color string
		n           int64
	}{{"+", green, inserts}, {"*", yellow, updates}, {"-", red, deletes}} {
		if c.n != 0 {
			parts = append(parts, p.as(c.color, c.sign+count(c.n)))
		}
	}
	return strings.Join(parts, " ")
}

// list joins names, and says how many there are instead of more than a few.
func list(names []string, most int) string {
	quoted := make([]string, 0, len(names))
	for i, n := range names {
		if i == most-1 && len(names) > most {
			quoted = append(quoted, fmt.Sprintf("and %d more", len(names)-i))
			break
		}
		quoted = append(quoted, safe(n))
	}
	return strings.Join(quoted, ", ")
}
