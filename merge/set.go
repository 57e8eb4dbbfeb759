package merge

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// elementsOf returns the elements of a value of a set. A JSON array that was written before
// the field was a set is added by its writer. ok is false for what is neither.
func elementsOf(v record.Value, write record.FieldStamp) (elements []record.Element, ok bool) {
	if v.Kind() == record.Set {
		elements, err := v.Elements()
		return elements, err == nil
	}
	members, ok := parseMembers(v)
	for _, m := range members {
		elements = append(elements, record.Element{Element: m, Origin: write.Origin, Stamp: write.Stamp})
	}
	return elements, ok
}

// addition names one origin's addition of one member.
type addition struct {
	origin causal.Origin
	member string // encoded
}

func additionOf(e record.Element) addition {
	return addition{e.Origin, string(record.AppendValue(nil, e.Element))}
}

// unite merges the claims as sets: an addition stays unless a sibling that has seen it
// lacks it. It returns false when a claim is no set.
func (f *field) unite() bool {
	type kept struct {
		record.Element
		claim *claim // one that has it
	}
	latest := make(map[addition]kept)
	has := make([]map[addition]bool, len(f.claims))
	for i := range f.claims {
		c := &f.claims[i]
		elements, ok := elementsOf(c.value, c.write)
		if !ok {
			return false
		}
		has[i] = make(map[addition]bool, len(elements))
		for _, e := range elements {
			a := additionOf(e)
			has[i][a] = true
			if known, ok := latest[a]; !ok || e.Stamp > known.Stamp {
				latest[a] = kept{e, c}
			}
		}
	}
	var united []record.Element
	for a, k := range latest {
		added := claim{version: k.claim.version, write: record.FieldStamp{Stamp: k.Stamp, Origin: k.Origin}}
		removed := false
		for i := range f.claims {
			removed = removed || (!has[i][a] && added.seenBy(&f.claims[i]))
		}
		if !removed {
			united = append(united, k.Element)
		}
	}
	v, err := record.SetValue(united)
	if err != nil {
		return false
	}
	f.take(newest(f.claims))
	f.value = v
	return true
}

// regather returns the set that shows the members of want: those it had stay as they were
// added, new ones are added by the writer. changed is false when the members are the
// same; ok is false when want is no set.
func regather(shown record.Value, write record.FieldStamp, want record.Value, own record.FieldStamp) (v record.Value, changed, ok bool) {
	members, ok := parseMembers(want)
	if !ok {
		return record.Value{}, false, false
	}
	elements, known := elementsOf(shown, write)
	isMember := func(e record.Element) bool { return slices.ContainsFunc(members, e.Element.Equal) }
	left := slices.DeleteFunc(slices.Clone(elements), func(e record.Element) bool { return !isMember(e) })
	changed = !known || len(left) < len(elements)
	for _, m := range members {
		if !slices.ContainsFunc(elements, func(e record.Element) bool { return e.Element.Equal(m) }) {
			left = append(left, record.Element{Element: m, Origin: own.Origin, Stamp: own.Stamp})
			changed = true
		}
	}
	if !changed {
		return shown, false, true
	}
	v, err := record.SetValue(left)
	if err != nil || len(v.Plain().Raw()) > record.ChunkSize {
		return record.Value{}, false, false
	}
	return v, true, true
}

// parseMembers reads the text of a JSON array as a set is shown, each member once. ok is
// false for every other value, and for text that would not come back the same.
func parseMembers(v record.Value) (members []record.Value, ok bool) {
	if v.Kind() != record.Text || len(v.Raw()) > record.ChunkSize {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(v.Raw()))
	dec.UseNumber()
	var list []any
	if err := dec.Decode(&list); err != nil || list == nil {
		return nil, false
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, false
	}
	for _, item := range list {
		m, ok := parseMember(item)
		if !ok {
			return nil, false
		}
		// The decoder replaces an unpaired surrogate, which would change the member.
		if m.Kind() == record.Text && bytes.ContainsRune(m.Raw(), utf8.RuneError) && !bytes.ContainsRune(v.Raw(), utf8.RuneError) {
			return nil, false
		}
		if !slices.ContainsFunc(members, m.Equal) {
			members = append(members, m)
		}
	}
	return members, true
}

// parseMember reads one member in the form of [record.Value.AppendJSON].
func parseMember(item any) (record.Value, bool) {
	switch item := item.(type) {
	case nil:
		return record.NullValue(), true
	case string:
		return record.TextValue([]byte(item)), true
	case json.Number:
		return parseNumber(string(item))
	case map[string]any:
		if len(item) != 1 {
			return record.Value{}, false
		}
		for kind, content := range item {
			text, ok := content.(string)
			raw, err := hex.DecodeString(text)
			switch {
			case ok && kind == "float" && text == "nan":
				return parseNumber(text)
			case ok && kind == "bytes" && err == nil:
				return record.BytesValue(raw), true
			case ok && kind == "text" && err == nil:
				return record.TextValue(raw), true
			}
		}
	}
	return record.Value{}, false
}

func parseNumber(s string) (record.Value, bool) {
	if !strings.ContainsAny(s, ".eEn") {
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return record.IntValue(i), true
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return record.Value{}, false
	}
	return record.FloatValue(f), true
}
