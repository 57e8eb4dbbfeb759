package record

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrName reports text that does not name a record.
var ErrName = errors.New("not a record name")

// FormatKey returns the name of a record as people read and write it: the table, a
// slash, and the key as JSON: orders/7, lines/[7,2], "we ird"/["k"]. A table of letters,
// digits and underscores stands bare, another as a JSON string; a key of one number
// stands bare, another as a JSON array. The values are those of [Key.Values], so text is
// in its folded form; bytes are {"bytes":"<hex>"}, text that is not UTF-8 is
// {"text":"<hex>"}, the infinities are 9e999 and -9e999.
//
// A key that is not one is [ErrCorrupt], a table that is not UTF-8 [ErrName].
func FormatKey(table string, k Key) (string, error) {
	vs, err := k.Values()
	if err != nil {
		return "", err
	}
	return FormatRecord(table, vs)
}

// FormatRecord is [FormatKey] for values that are at hand. They are shown as they are:
// a float keeps its point. [ErrName] also reports null, NaN, large values and merge states.
func FormatRecord(table string, vs []Value) (string, error) {
	if table == "" || !utf8.ValidString(table) {
		return "", fmt.Errorf("table %q: %w", table, ErrName)
	}
	var b []byte
	if isBare(table) {
		b = append(b, table...)
	} else {
		b = appendQuoted(b, []byte(table))
	}
	b = append(b, '/')
	bare := len(vs) == 1 && (vs[0].kind == Int || vs[0].kind == Float)
	if !bare {
		b = append(b, '[')
	}
	for i, v := range vs {
		if v.kind == Null || v.kind >= Large || (v.kind == Float && math.IsNaN(v.Float())) {
			return "", fmt.Errorf("key value %v: %w", v, ErrName)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = v.AppendJSON(b)
	}
	if !bare {
		b = append(b, ']')
	}
	return string(b), nil
}

// ParseRecord reads the form written by [FormatKey]; the key may also be a single JSON
// scalar of any kind (customers/"k"), and there may be spaces between the values. The
// numbers are Int where they are written as integers, else Float. What equals what is up
// to the collations of the table, so a key comes from [AppendKeyValue], value by value.
func ParseRecord(s string) (table string, vs []Value, err error) {
	p := nameParser{rest: s}
	if table, err = p.table(); err == nil {
		vs, err = p.key()
	}
	if err != nil {
		return "", nil, fmt.Errorf("record %q: %w", s, err)
	}
	return table, vs, nil
}

// ParseKey is [ParseRecord] with the key of the values under the Binary collation.
func ParseKey(s string) (table string, k Key, err error) {
	table, vs, err := ParseRecord(s)
	for _, v := range vs {
		if k, err = AppendKeyValue(k, v, Binary); err != nil {
			return "", nil, fmt.Errorf("record %q: %w", s, err)
		}
	}
	return table, k, err
}

func isBare(table string) bool {
	for _, r := range table {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
	}
	return true
}

// nameParser reads a record's name from left to right.
type nameParser struct{ rest string }

func unexpected(what string) error { return fmt.Errorf("%s: %w", what, ErrName) }

func (p *nameParser) take(prefix string) bool {
	rest, ok := strings.CutPrefix(p.rest, prefix)
	p.rest = rest
	return ok
}

func (p *nameParser) spaces() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *nameParser) table() (string, error) {
	var table string
	if strings.HasPrefix(p.rest, `"`) {
		var err error
		if table, err = p.quoted(); err != nil {
			return "", err
		}
	} else {
		end := strings.IndexByte(p.rest, '/')
		if end < 0 {
			return "", unexpected("no slash after the table")
		}
		table, p.rest = p.rest[:end], p.rest[end:]
		if !isBare(table) || !utf8.ValidString(table) {
			return "", unexpected("table needs quotes")
		}
	}
	if table == "" || !p.take("/") {
		return "", unexpected("no slash after the table")
	}
	return table, nil
}

func (p *nameParser) key() ([]Value, error) {
	p.spaces()
	var vs []Value
	if !p.take("[") {
		v, err := p.scalar()
		if err != nil {
			return nil, err
		}
		vs = []Value{v}
	} else {
		p.spaces()
		for closed := p.take("]"); !closed; closed = p.take("]") {
			if len(vs) > 0 && !p.take(",") {
				return nil, unexpected("no comma between key values")
			}
			p.spaces()
			v, err := p.scalar()
			if err != nil {
				return nil, err
			}
			vs = append(vs, v)
			p.spaces()
		}
	}
	p.spaces()
	if p.rest != "" {
		return nil, unexpected("text after the key")
	}
	return vs, nil
}

func (p *nameParser) scalar() (Value, error) {
	switch {
	case strings.HasPrefix(p.rest, `"`):
		s, err := p.quoted()
		return Value{kind: Text, raw: []byte(s)}, err
	case p.take("{"):
		return p.object()
	default:
		return p.number()
	}
}

// object reads {"bytes":"<hex>"} and {"text":"<hex>"} after the brace.
func (p *nameParser) object() (Value, error) {
	p.spaces()
	name, err := p.quoted()
	if err != nil {
		return Value{}, err
	}
	p.spaces()
	if !p.take(":") {
		return Value{}, unexpected("no colon")
	}
	p.spaces()
	digits, err := p.quoted()
	if err != nil {
		return Value{}, err
	}
	p.spaces()
	raw, err := hex.DecodeString(digits)
	if err != nil || !p.take("}") {
		return Value{}, unexpected("bytes that are not hexadecimal")
	}
	switch name {
	case "bytes":
		return BytesValue(raw), nil
	case "text":
		return TextValue(raw), nil
	default:
		return Value{}, unexpected("object that is neither bytes nor text")
	}
}

func (p *nameParser) number() (Value, error) {
	end := strings.IndexFunc(p.rest, func(r rune) bool { return !strings.ContainsRune("+-.0123456789eE", r) })
	if end < 0 {
		end = len(p.rest)
	}
	s := p.rest[:end]
	p.rest = p.rest[end:]
	whole, tail := scanNumber(s)
	if whole == "" {
		return Value{}, unexpected("key value is no JSON scalar")
	}
	switch s {
	case "9e999":
		return FloatValue(math.Inf(1)), nil
	case "-9e999":
		return FloatValue(math.Inf(-1)), nil
	}
	if tail == "" {
		i, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return Value{}, unexpected("integer of more than 64 bits")
		}
		return IntValue(i), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return Value{}, unexpected("number out of range")
	}
	return FloatValue(f), nil
}

// scanNumber splits a JSON number into its integer and what follows that; both are empty
// when s is none.
func scanNumber(s string) (whole, tail string) {
	digits := func(i int) int {
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		return i
	}
	start := 0
	if strings.HasPrefix(s, "-") {
		start = 1
	}
	i := digits(start)
	if i == start || (s[start] == '0' && i > start+1) {
		return "", ""
	}
	at := i
	if i < len(s) && s[i] == '.' {
		end := digits(i + 1)
		if end == i+1 {
			return "", ""
		}
		i = end
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		end := digits(i)
		if end == i {
			return "", ""
		}
		i = end
	}
	if i != len(s) {
		return "", ""
	}
	return s[:at], s[at:]
}

// quoted reads a JSON string. It refuses bytes that are not UTF-8 and halves of surrogate
// pairs, which would otherwise become another name.
func (p *nameParser) quoted() (string, error) {
	if !p.take(`"`) {
		return "", unexpected("no string")
	}
	var out []byte
	s := p.rest
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '"':
			p.rest = s[1:]
			return string(out), nil
		case r == '\\':
			var ok bool
			if r, size, ok = readEscape(s); !ok {
				return "", unexpected("bad escape in a string")
			}
		case r < ' ' || (r == utf8.RuneError && size == 1):
			return "", unexpected("control character or bad UTF-8 in a string")
		}
		out = utf8.AppendRune(out, r)
		s = s[size:]
	}
	return "", unexpected("string without end")
}

// readEscape reads the JSON escape that s starts with.
func readEscape(s string) (r rune, size int, ok bool) {
	if len(s) < 2 {
		return 0, 0, false
	}
	if at := strings.IndexByte(`"\/bfnrt`, s[1]); at >= 0 {
		return rune("\"\\/\b\f\n\r\t"[at]), 2, true
	}
	r, ok = readUnicodeEscape(s)
	if !ok || r < 0xd800 || r > 0xdfff {
		return r, 6, ok
	}
	second, ok := readUnicodeEscape(s[6:])
	if !ok || r > 0xdbff || second < 0xdc00 || second > 0xdfff {
		return 0, 0, false
	}
	return 0x10000 + (r-0xd800)<<10 + (second - 0xdc00), 12, true
}

func readUnicodeEscape(s string) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	raw, err := hex.DecodeString(s[2:6])
	if err != nil {
		return 0, false
	}
	return rune(raw[0])<<8 | rune(raw[1]), true
}
