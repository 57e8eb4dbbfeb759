package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/record"
)

// show writes a value for people. A number of a column declared with decimal places gets
// them (19.90) where that is exactly the number.
func show(v record.Value, scale int) string {
	if scale > 0 && scale <= 15 {
		switch v.Kind() {
		case record.Int:
			if i := v.Int(); -1<<53 < i && i < 1<<53 {
				return strconv.FormatFloat(float64(i), 'f', scale, 64)
			}
		case record.Float:
			s := strconv.FormatFloat(v.Float(), 'f', scale, 64)
			if f, err := strconv.ParseFloat(s, 64); err == nil && !math.IsInf(f, 0) && math.Float64bits(f) == math.Float64bits(v.Float()) {
				return s
			}
		}
	}
	return v.String()
}

// showTwo writes two values that differ so that they look different.
func showTwo(v, w record.Value, scale int) (string, string) {
	a, b := show(v, scale), show(w, scale)
	if a != b {
		return a, b
	}
	a, b = v.String(), w.String()
	switch {
	case a != b:
		return a, b
	case v.Kind() != w.Kind():
		return a + " (" + class(v) + ")", b + " (" + class(w) + ")"
	case v.Kind() == record.Large:
		return showLarge(v), showLarge(w)
	}
	at := firstDifference(v.Raw(), w.Raw())
	return showFrom(v, at), showFrom(w, at)
}

// showLarge tells large values of about one size apart.
func showLarge(v record.Value) string {
	info, err := v.Large()
	if err != nil {
		return v.String()
	}
	var sum []byte
	for _, h := range info.Hashes {
		sum = append(sum, h[:]...)
	}
	digest := sha256.Sum256(sum)
	return fmt.Sprintf("<%s bytes, %x>", count(info.Size), digest[:4])
}

// firstDifference returns where two byte strings part.
func firstDifference(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// showFrom shows what of a long value stands where it differs from another.
func showFrom(v record.Value, at int) string {
	const window = 20
	raw := v.Raw()
	part := raw[min(at, len(raw)):min(at+window, len(raw))]
	shown := record.TextValue(part)
	if v.Kind() == record.Bytes {
		shown = record.BytesValue(part)
	}
	return fmt.Sprintf("%s at byte %s", shown, count(int64(at)))
}

// class names the storage class of a value as SQLite does.
func class(v record.Value) string {
	switch v.Kind() {
	case record.Null:
		return "null"
	case record.Int:
		return "integer"
	case record.Float:
		return "real"
	case record.Text, record.RawText:
		return "text"
	case record.Bytes:
		return "blob"
	case record.Large:
		return "large"
	}
	return "merged"
}

// object is a JSON object whose fields keep their order.
type object struct {
	names  []string
	values []record.Value
}

func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, name := range o.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, name)
		b = append(b, ':')
		b = o.values[i].AppendJSON(b)
	}
	return append(b, '}'), nil
}

// appendString appends s as a JSON string that is not escaped for HTML.
func appendString(b []byte, s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return append(b, bytes.TrimRight(buf.Bytes(), "\n")...)
}

// rowObject is a row as JSON; no row is null.
func rowObject(r *syncline.Row) any {
	if r == nil {
		return nil
	}
	return object{names: r.Fields, values: r.Values}
}

// scaleOf returns the decimal places of a field, -1 when nothing is known.
func scaleOf(scale []int, field int) int {
	if field < len(scale) {
		return scale[field]
	}
	return -1
}
