package merge_test

import (
	"slices"
	"testing"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

func TestFold(t *testing.T) {
	live := func() (vs []record.Version) {
		for _, n := range []byte{1, 2, 4} {
			vs = append(vs, record.Version{Dot: dot(n, 1), Stamp: 1, Birth: dot(n, 1), Shape: shape, Image: row(1, 1, 1)})
		}
		return vs
	}
	for _, tt := range []struct {
		name    string
		op      record.Op
		context []causal.Dot
		want    []causal.Dot
	}{
		{"put beside", record.OpPut, nil, []causal.Dot{dot(1, 1), dot(2, 1), dot(3, 7), dot(4, 1)}},
		{"put over", record.OpPut, []causal.Dot{dot(2, 1)}, []causal.Dot{dot(1, 1), dot(3, 7), dot(4, 1)}},
		{"put over what is gone", record.OpPut, []causal.Dot{dot(9, 1)}, []causal.Dot{dot(1, 1), dot(2, 1), dot(3, 7), dot(4, 1)}},
		{"delete", record.OpDelete, []causal.Dot{dot(1, 1), dot(4, 1)}, []causal.Dot{dot(2, 1)}},
		{"bury", record.OpBury, []causal.Dot{dot(1, 1), dot(2, 1), dot(4, 1)}, []causal.Dot{dot(3, 7)}},
	} {
		c := record.Change{Op: tt.op, Context: tt.context, Version: record.Version{Birth: dot(1, 1), Shape: shape, Image: row(2, 2, 2), Flags: record.Loose}}
		got := merge.Fold(live(), &c, dot(3, 7), 9)
		if !slices.Equal(dots(got), tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, dots(got), tt.want)
		}
		i := slices.Index(dots(got), dot(3, 7))
		if tt.op == record.OpDelete || i < 0 {
			continue
		}
		v, bury := got[i], tt.op == record.OpBury
		if v.Stamp != 9 || v.Flags&record.Loose == 0 || (v.Flags&record.Bury != 0) != bury || (v.Shape == nil) != bury || (v.Image == nil) != bury {
			t.Errorf("%s: the version is %+v", tt.name, v)
		}
	}
}
