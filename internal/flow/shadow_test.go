package flow

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// numbers is a dictionary in memory.
type numbers struct {
	origins []causal.Origin
	shapes  []*record.Shape
}

func (d *numbers) OriginID(o causal.Origin) uint64 {
	i := slices.Index(d.origins, o)
	if i < 0 {
		i = len(d.origins)
		d.origins = append(d.origins, o)
	}
	return uint64(i)
}

func (d *numbers) Origin(id uint64) (causal.Origin, bool) {
	if id >= uint64(len(d.origins)) {
		return causal.Origin{}, false
	}
	return d.origins[id], true
}

func (d *numbers) ShapeID(s *record.Shape) uint64 {
	for i := range d.shapes {
		if d.shapes[i].Equal(s) {
			return uint64(i)
		}
	}
	d.shapes = append(d.shapes, s)
	return uint64(len(d.shapes) - 1)
}

func (d *numbers) Shape(id uint64) (*record.Shape, bool) {
	if id >= uint64(len(d.shapes)) {
		return nil, false
	}
	return d.shapes[id], true
}

// shadows are one of each form that is stored.
func shadows() map[string]shadow {
	v := record.Version{
		Dot: causal.Dot{Origin: causal.Origin{Node: causal.Node{1}, Incarnation: 1}, Seq: 5}, Stamp: 1 << 20,
		Birth: causal.Dot{Origin: causal.Origin{Node: causal.Node{1}, Incarnation: 1}, Seq: 5},
		Shape: pairShape, Image: pairRow(1, 2),
	}
	return map[string]shadow{
		"absent":     {standing: behind},
		"older":      {standing: behind, reflects: []record.Version{v}},
		"withheld":   {standing: behind, reflects: []record.Version{v}, withheld: true},
		"uncaptured": {standing: behind, reflects: []record.Version{v}, held: true, row: pairRow(7, 8), shape: pairShape, uncaptured: true},
		"gone":       {standing: behind, reflects: []record.Version{v}, held: true, uncaptured: true},
		"parked": {standing: behind, reflects: []record.Version{v}, parked: &parking{
			Since: 1_700_000_000_000, Kind: endpoint.Unique, Detail: "UNIQUE constraint failed: t.f",
		}},
	}
}

// The bytes are those of docs/format/shadows.md; they change together with it.
func TestShadowGolden(t *testing.T) {
	raw, err := os.ReadFile("testdata/shadows.golden")
	if err != nil {
		t.Fatal(err)
	}
	golden := make(map[string]string)
	for line := range strings.Lines(string(raw)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			golden[name] = value
		}
	}
	d := new(numbers)
	d.OriginID(causal.Origin{Node: causal.Node{1}, Incarnation: 1})
	d.ShapeID(pairShape)
	all := shadows()
	if len(golden) != len(all) {
		t.Errorf("%d golden shadows, %d forms", len(golden), len(all))
	}
	for name, s := range all {
		b := appendShadow(nil, d, &s)
		if got := hex.EncodeToString(b); got != golden[name] {
			t.Errorf("%s\n got %s\nwant %s", name, got, golden[name])
		}
		back, err := readShadow(b, d)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if again := appendShadow(nil, d, &back); !bytes.Equal(again, b) {
			t.Errorf("%s: reads as %+v", name, back)
		}
	}
}

func FuzzReadShadow(f *testing.F) {
	d := new(numbers)
	for _, s := range shadows() {
		f.Add(appendShadow(nil, d, &s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := readShadow(b, d)
		if err != nil {
			if !errors.Is(err, record.ErrCorrupt) {
				t.Fatalf("got %v, want ErrCorrupt", err)
			}
			return
		}
		if again := appendShadow(nil, d, &s); !bytes.Equal(again, b) {
			t.Fatalf("reads %x, writes %x", b, again)
		}
	})
}
