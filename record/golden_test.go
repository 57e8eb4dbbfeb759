package record_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

var update = flag.Bool("update", false, "write testdata/*.golden; a format that changes needs a new number")

// vector is one golden encoding: what it is, and its bytes.
type vector struct {
	what  string
	bytes []byte
}

// golden compares the vectors with testdata/name.golden and returns the bytes as they
// stand there.
func golden(t *testing.T, name, about string, vectors []vector) [][]byte {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		out := "# " + strings.ReplaceAll(about, "\n", "\n# ") + "\n"
		for _, v := range vectors {
			out += "\n# " + strings.ReplaceAll(v.what, "\n", "\n# ") + "\n" + strings.TrimSpace(lines(v.bytes)) + "\n"
		}
		if err := os.WriteFile(path, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(strings.TrimSpace(string(text)), "\n\n")[1:]
	if len(blocks) != len(vectors) {
		t.Fatalf("%s has %d vectors, want %d", path, len(blocks), len(vectors))
	}
	stored := make([][]byte, len(blocks))
	for i, block := range blocks {
		var digits string
		for line := range strings.Lines(block) {
			if !strings.HasPrefix(line, "#") {
				digits += strings.TrimSpace(line)
			}
		}
		if stored[i], err = hex.DecodeString(digits); err != nil {
			t.Fatalf("%s, %s: %v", path, vectors[i].what, err)
		}
		if !bytes.Equal(stored[i], vectors[i].bytes) {
			t.Errorf("%s, %s:\n got %x\nwant %x", path, vectors[i].what, vectors[i].bytes, stored[i])
		}
	}
	return stored
}

// lines is hexadecimal of 32 bytes a line.
func lines(b []byte) (s string) {
	for len(b) > 0 {
		n := min(32, len(b))
		s += fmt.Sprintf("%x\n", b[:n])
		b = b[n:]
	}
	return s
}

func text(s string) record.Value { return record.TextValue([]byte(s)) }

func TestGoldenValues(t *testing.T) {
	counter := must[record.Value](t)(record.CounterValue([]record.Total{
		{Origin: origin(1), Stamp: 1 << 16, Total: record.IntValue(5)}, {Origin: origin(2), Stamp: 2 << 16, Total: record.FloatValue(-0.5)},
	}))
	set := must[record.Value](t)(record.SetValue([]record.Element{
		{Element: text("a"), Origin: origin(1), Stamp: 1 << 16}, {Element: text("a"), Origin: origin(2), Stamp: 2 << 16}, {Element: record.IntValue(3), Origin: origin(1), Stamp: 1 << 16},
	}))
	values := []struct {
		what string
		v    record.Value
	}{
		{"null", record.NullValue()},
		{"integer 0", record.IntValue(0)},
		{"integer 24", record.IntValue(24)},
		{"integer -1", record.IntValue(-1)},
		{"integer 2^63-1", record.IntValue(math.MaxInt64)},
		{"integer -2^63", record.IntValue(math.MinInt64)},
		{"float 1 (a half)", record.FloatValue(1)},
		{"float -0 (a half)", record.FloatValue(math.Copysign(0, -1))},
		{"float 100000.5 (a single)", record.FloatValue(100000.5)},
		{"float 19.9 (a double)", record.FloatValue(19.9)},
		{"infinity", record.FloatValue(math.Inf(1))},
		{"NaN", record.FloatValue(math.NaN())},
		{"text of no bytes", text("")},
		{"text \"Grüße\"", text("Grüße")},
		{"bytes 00 ff", record.BytesValue([]byte{0, 255})},
		{"text of the bytes 61 ff, which are not UTF-8", text("a\xff")},
		{"bytes: 1,048,577 zeros, in two chunks", record.BytesValue(bigZeros[:record.ChunkSize+1])},
		{"counter: origin 01.. has 5 in all at stamp 1 ms, origin 02.. has -0.5 at 2 ms", counter},
		{"set of 3, \"a\" and \"a\": \"a\" was added by two origins", set},
	}
	vectors := make([]vector, len(values))
	for i, v := range values {
		vectors[i] = vector{v.what, record.AppendValue(nil, v.v)}
	}
	stored := golden(t, "values", "Values (docs/format/records.md), one encoding each. An origin 01.. is the node 0101...01 in incarnation 1.", vectors)
	for i, b := range stored {
		v, rest, err := record.DecodeValue(b)
		if err != nil || len(rest) > 0 || !bytes.Equal(record.AppendValue(nil, v), b) {
			t.Errorf("%s: decoded %v, %v", values[i].what, v, err)
		}
	}
}

func TestGoldenKeys(t *testing.T) {
	tuples := []struct {
		what string
		vs   []record.Value
		c    record.Collation
	}{
		{"-infinity", []record.Value{record.FloatValue(math.Inf(-1))}, 0},
		{"-2^63, integer or float", []record.Value{record.IntValue(math.MinInt64)}, 0},
		{"-300", []record.Value{record.IntValue(-300)}, 0},
		{"-7.5", []record.Value{record.FloatValue(-7.5)}, 0},
		{"-1", []record.Value{record.IntValue(-1)}, 0},
		{"-0.1", []record.Value{record.FloatValue(-0.1)}, 0},
		{"0, -0.0", []record.Value{record.IntValue(0)}, 0},
		{"5e-324, the least float above 0", []record.Value{record.FloatValue(math.SmallestNonzeroFloat64)}, 0},
		{"1, 1.0", []record.Value{record.FloatValue(1)}, 0},
		{"7", []record.Value{record.IntValue(7)}, 0},
		{"(7, 2)", []record.Value{record.IntValue(7), record.IntValue(2)}, 0},
		{"7.5", []record.Value{record.FloatValue(7.5)}, 0},
		{"128", []record.Value{record.IntValue(128)}, 0},
		{"2^53 + 1, which no float is", []record.Value{record.IntValue(1<<53 + 1)}, 0},
		{"2^63 - 1", []record.Value{record.IntValue(math.MaxInt64)}, 0},
		{"2^63, a float", []record.Value{record.FloatValue(1 << 63)}, 0},
		{"infinity", []record.Value{record.FloatValue(math.Inf(1))}, 0},
		{"text of no bytes", []record.Value{text("")}, 0},
		{"text 00 01 02", []record.Value{text("\x00\x01\x02")}, 0},
		{"text \"Ab\" (rtrim of \"Ab \")", []record.Value{text("Ab ")}, record.RTrim},
		{"text \"Ab \" (binary)", []record.Value{text("Ab ")}, record.Binary},
		{"text \"ab \" (nocase of \"Ab \")", []record.Value{text("Ab ")}, record.NoCase},
		{"text ff, not UTF-8", []record.Value{text("\xff")}, 0},
		{"bytes of no length", []record.Value{record.BytesValue(nil)}, 0},
		{"bytes ff", []record.Value{record.BytesValue([]byte{255})}, 0},
	}
	vectors := make([]vector, len(tuples))
	for i, tuple := range tuples {
		var k record.Key
		for _, v := range tuple.vs {
			k = must[record.Key](t)(record.AppendKeyValue(k, v, tuple.c))
		}
		vectors[i] = vector{tuple.what, k}
	}
	stored := golden(t, "keys", "Keys (docs/format/keys.md), in their order.", vectors)
	for i, b := range stored {
		vs, err := record.Key(b).Values()
		if err != nil || len(vs) != len(tuples[i].vs) {
			t.Errorf("%s: decoded %v, %v", tuples[i].what, vs, err)
		}
		if i > 0 && bytes.Compare(stored[i-1], b) >= 0 {
			t.Errorf("%s does not come after what is before it", tuples[i].what)
		}
	}
}

func TestGoldenVersions(t *testing.T) {
	put := record.Version{Dot: dot(1, 300), Stamp: 0x0123456789ab0001, Birth: dot(1, 300), Shape: someShapes[0], Image: image(record.IntValue(7), record.NullValue(), text("x"))}
	update := put
	update.Birth = dot(2, 5)
	update.Fields = []record.FieldStamp{{Stamp: put.Stamp, Origin: origin(1)}, {Stamp: 4, Origin: origin(2)}, {Stamp: put.Stamp, Origin: origin(1)}}
	update.Seen = []record.Seen{{Origin: origin(2), Stamp: 4}}
	bury := record.Version{Dot: dot(3, 2), Stamp: 9, Birth: dot(2, 5), Flags: record.Bury}
	sets := []struct {
		what string
		vs   []record.Version
	}{
		{"one put, all of its own: the ordinary record", []record.Version{put}},
		{"an update that changed two of three fields of a record of origin 02..", []record.Version{update}},
		{"the same and, concurrently, a bury by origin 03..", []record.Version{update, bury}},
	}
	d := dict{origins: []causal.Origin{origin(1), origin(2), origin(3)}, shapes: someShapes}
	vectors := make([]vector, len(sets))
	for i, s := range sets {
		vectors[i] = vector{s.what, record.AppendVersions(nil, &d, s.vs)}
	}
	stored := golden(t, "versions", "Versions of a record in a store (docs/format/records.md). The dictionary has the origins\n01.., 02.., 03.. as 0, 1, 2 and the shape t(a, B, c) as 0.", vectors)
	for i, b := range stored {
		vs, err := record.DecodeVersions(b, &d, nil)
		if err != nil || len(vs) != len(sets[i].vs) || !bytes.Equal(record.AppendVersions(nil, &d, vs), b) {
			t.Errorf("%s: decoded %v, %v", sets[i].what, vs, err)
		}
	}
}

// goldenCommit has one change of each op, in two tables.
func goldenCommit(t *testing.T) built {
	update := record.Version{
		Shape: someShapes[0], Birth: dot(2, 5), Image: image(record.IntValue(7), record.NullValue(), text("x")),
		Fields: []record.FieldStamp{{Stamp: 2 << 16, Origin: origin(1)}, {Stamp: 4, Origin: origin(2)}, {Stamp: 2 << 16, Origin: origin(1)}},
		Seen:   []record.Seen{{Origin: origin(2), Stamp: 4}},
	}
	return build(t, record.Header{
		Dataset: record.Dataset{0xd5}, Epoch: 1, Dot: dot(1, 2), Prev: hash(1), Stamp: 2 << 16, Meta: []byte{0xa1, 0x61, 'k', 0x01},
	}, []record.Change{
		{Op: record.OpPut, Key: key(t, text("k")), Version: record.Version{Shape: someShapes[2], Birth: dot(1, 2), Image: image(record.IntValue(1), record.IntValue(2), record.IntValue(3), record.IntValue(4))}},
		{Op: record.OpPut, Key: key(t, record.IntValue(7)), Context: []causal.Dot{dot(2, 5), dot(3, 9)}, Version: update},
		{Op: record.OpDelete, Key: key(t, record.IntValue(8)), Context: []causal.Dot{dot(1, 1)}, Version: record.Version{Shape: someShapes[0], Flags: record.Derived}},
		{Op: record.OpBury, Key: key(t, record.IntValue(9)), Context: []causal.Dot{dot(3, 4)}, Version: record.Version{Shape: someShapes[0], Birth: dot(3, 4)}},
	})
}

func TestGoldenCommit(t *testing.T) {
	c := goldenCommit(t)
	trimmed := must[[]byte](t)(record.TrimSegment(c.segments[0], func(table string, _ record.Key) bool { return table == "t" }))
	none := must[[]byte](t)(record.TrimSegment(c.segments[0], func(string, record.Key) bool { return false }))
	stored := golden(t, "commits", "A commit (docs/format/commits.md): the second of origin 01.., with four changes.", []vector{
		{"its header", record.AppendHeader(nil, &c.header)},
		{"its hash: SHA-256 of the header", c.hash[:]},
		{"its only segment: an insert into \"we ird\", then into t an update, a delete and a bury", c.segments[0]},
		{"the segment without \"we ird\"", trimmed},
		{"the segment left out as a whole: its hash", none},
	})
	h, err := record.DecodeHeader(stored[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, seg := range stored[2:] {
		c := built{header: h, hash: causal.Hash(stored[1]), segments: [][]byte{seg}}
		if err := c.verify(); err != nil {
			t.Error(err)
		}
	}
}

func TestGoldenEntries(t *testing.T) {
	entries := someEntries(t)
	c := goldenCommit(t)
	entries[0].Header, entries[0].Hash = record.AppendHeader(nil, &c.header), c.hash
	vectors := make([]vector, len(entries))
	for i, what := range []string{
		"Commit: the one of commits.golden",
		"Import: of the record t/7 an update by origin 02.. and, concurrently, a bury by 03..",
		"Advance: from 01..:5 to 01..:7, 02..:1",
		"Skip: from 01..:5 to 01..:7",
		"Fence: origin 01.. stops writing under epoch 3",
		"Epoch: origin 02.. is primary of epoch 4",
	} {
		vectors[i] = vector{what, must[[]byte](t)(record.AppendEntry(nil, &entries[i]))}
	}
	for i, b := range golden(t, "entries", "Log entries (docs/format/log.md), one of each kind.", vectors) {
		e, err := record.DecodeEntry(b)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := record.AppendEntry(nil, &e); err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: writes %x, %v", vectors[i].what, again, err)
		}
	}
}
