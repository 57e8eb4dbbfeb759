package record

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Lengths at which String cuts, in runes and bytes.
const (
	shownRunes = 80
	shownBytes = 16
)

// String returns the short form for people, safe to print on a terminal: NULL, 19.9,
// text, x'0a'. Text that could be taken for something else is quoted ('19.9', 'NULL',
// the empty string); what is long is cut, and a large value only described.
func (v Value) String() string {
	switch v.kind {
	case Null:
		return "NULL"
	case Int:
		return strconv.FormatInt(v.Int(), 10)
	case Float:
		return string(appendFloatText(nil, v.Float()))
	case Text, RawText:
		return shownText(v.raw)
	case Bytes:
		if len(v.raw) > shownBytes {
			return fmt.Sprintf("x'%x...' (%s)", v.raw[:shownBytes], shownSize(int64(len(v.raw))))
		}
		return fmt.Sprintf("x'%x'", v.raw)
	case Large:
		head, _, err := readLarge(v.raw)
		if err != nil {
			return "<corrupt>"
		}
		name := "text"
		if head.kind == Bytes {
			name = "blob"
		}
		return "<" + name + " " + shownSize(head.size) + ">"
	case Counter:
		return v.sum().String()
	default:
		return string(v.appendMembers(nil))
	}
}

// AppendJSON appends v as JSON: null, numbers, strings; an infinity as 9e999, NaN as
// {"float":"nan"}, bytes and text that is not UTF-8 as {"bytes":"<hex>"} and
// {"text":"<hex>"}, a large value as {"large":"bytes","size":n,"chunks":["<hex>",...]},
// a counter as its sum and a set as the array of its members.
func (v Value) AppendJSON(b []byte) []byte {
	switch v.kind {
	case Null:
		return append(b, "null"...)
	case Int:
		return strconv.AppendInt(b, v.Int(), 10)
	case Float:
		if math.IsNaN(v.Float()) {
			return append(b, `{"float":"nan"}`...)
		}
		return appendFloatText(b, v.Float())
	case Text:
		return appendQuoted(b, v.raw)
	case RawText:
		return appendHexObject(b, "text", v.raw)
	case Bytes:
		return appendHexObject(b, "bytes", v.raw)
	case Large:
		return v.appendLargeJSON(b)
	case Counter:
		return v.sum().AppendJSON(b)
	default:
		return v.appendMembers(b)
	}
}

// MarshalJSON returns the form of [Value.AppendJSON].
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

func (v Value) appendLargeJSON(b []byte) []byte {
	info, err := v.Large()
	if err != nil {
		return append(b, "null"...)
	}
	names := map[Kind]string{Text: "text", RawText: "raw text", Bytes: "bytes"}
	b = fmt.Appendf(b, `{"large":%q,"size":%d,"chunks":[`, names[info.Kind], info.Size)
	for i, h := range info.Hashes {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `"%x"`, h[:])
	}
	return append(b, "]}"...)
}

// appendFloatText appends the shortest decimal that is exactly f, with a point or an
// exponent in it so that it cannot be taken for an integer.
func appendFloatText(b []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(b, "9e999"...)
	case math.IsInf(f, -1):
		return append(b, "-9e999"...)
	case math.IsNaN(f):
		return append(b, "nan"...)
	}
	was := len(b)
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, f, format, -1, 64)
	if !strings.ContainsAny(string(b[was:]), ".e") {
		b = append(b, ".0"...)
	}
	return b
}

func appendHexObject(b []byte, name string, raw []byte) []byte {
	b = append(append(append(b, `{"`...), name...), `":"`...)
	return append(hex.AppendEncode(b, raw), `"}`...)
}

// appendQuoted appends valid UTF-8 as a JSON string. What does not print is escaped, so
// that a name or value cannot move a terminal's cursor or turn its text around.
func appendQuoted(b, s []byte) []byte {
	b = append(b, '"')
	for len(s) > 0 {
		r, size := utf8.DecodeRune(s)
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\t':
			b = append(b, `\t`...)
		case unicode.IsPrint(r):
			b = append(b, s[:size]...)
		case r > 0xffff:
			r -= 0x10000
			b = fmt.Appendf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
		s = s[size:]
	}
	return append(b, '"')
}

// shownText is text as String shows it.
func shownText(raw []byte) string {
	var out strings.Builder
	s, cut := raw, ""
	for n := 0; len(s) > 0; n++ {
		if n == shownRunes {
			cut = "... (" + shownSize(int64(len(raw))) + ")"
			break
		}
		r, size := utf8.DecodeRune(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&out, `\x%02x`, s[0])
		case unicode.IsPrint(r):
			out.Write(s[:size])
		default:
			out.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
		s = s[size:]
	}
	text := out.String()
	if looksLikeOther(text) {
		text = "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return text + cut
}

// looksLikeOther reports whether text would be read as something else if it stood bare.
func looksLikeOther(text string) bool {
	if text == "" || strings.TrimSpace(text) != text || strings.EqualFold(text, "null") {
		return true
	}
	switch text[0] {
	case '\'', '<', '[':
		return true
	}
	_, err := strconv.ParseFloat(text, 64)
	return err == nil || strings.HasPrefix(text, "x'") || text == "9e999" || text == "-9e999"
}

// shownSize is a size in decimal units with three digits.
func shownSize(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	size, unit := float64(n)/1000, 0
	for size >= 999.5 && unit < 4 {
		size /= 1000
		unit++
	}
	return strconv.FormatFloat(size, 'g', 3, 64) + " " + []string{"kB", "MB", "GB", "TB", "PB"}[unit]
}
