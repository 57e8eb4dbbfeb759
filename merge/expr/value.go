package expr

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// ErrResult reports a result that is no value of a field.
var ErrResult = errors.New("the result is not a value that a field can have")

// toCEL returns what an expression sees of a value.
func toCEL(v record.Value) ref.Val {
	switch v.Kind() {
	case record.Null:
		return types.NullValue
	case record.Int:
		return types.Int(v.Int())
	case record.Float:
		return types.Double(v.Float())
	case record.Text:
		return types.String(v.Raw())
	case record.Bytes:
		return types.Bytes(v.Raw())
	case record.RawText:
		return newObject(map[string]any{"text": types.Bytes(v.Raw())})
	default:
		return newObject(map[string]any{"large": types.Bytes(v.Raw())})
	}
}

// fromCEL returns the value of a result that no sibling has.
func fromCEL(out ref.Val) (record.Value, error) {
	var v record.Value
	switch out := out.(type) {
	case types.Null:
		return record.NullValue(), nil
	case types.Bool:
		if out {
			return record.IntValue(1), nil
		}
		return record.IntValue(0), nil
	case types.Int:
		return record.IntValue(int64(out)), nil
	case types.Uint:
		if out > math.MaxInt64 {
			return v, fmt.Errorf("%d: %w", uint64(out), ErrResult)
		}
		return record.IntValue(int64(out)), nil
	case types.Double:
		return record.FloatValue(float64(out)), nil
	case types.String:
		v = record.TextValue([]byte(out))
	case types.Bytes:
		v = record.BytesValue([]byte(out))
	default:
		return v, fmt.Errorf("%s: %w", out.Type().TypeName(), ErrResult)
	}
	if len(v.Raw()) > record.ChunkSize {
		return record.Value{}, fmt.Errorf("%d bytes: %w", len(v.Raw()), ErrResult)
	}
	return v, nil
}

// same reports whether two values of an expression are one, in kind too: 1 is not 1.0.
func same(v, w ref.Val) bool {
	return v.Type().TypeName() == w.Type().TypeName() && v.Equal(w) == types.True
}

// rowOf returns the fields of a version.
func rowOf(v *record.Version) (ref.Val, error) {
	values, err := v.Image.Values(nil)
	if err != nil {
		return nil, err
	}
	fields := make(map[string]any, len(values))
	for i, name := range v.Shape.Fields {
		fields[name] = toCEL(values[i].Plain())
	}
	return newObject(fields), nil
}

// object is a map that is gone through in the order of its keys. Those of CEL follow Go's
// random order, and an expression would not be a function of the siblings.
type object struct {
	traits.Mapper
	keys []string
}

func newObject(fields map[string]any) ref.Val {
	return &object{
		types.NewStringInterfaceMap(types.DefaultTypeAdapter, fields),
		slices.Sorted(maps.Keys(fields)),
	}
}

// Iterator goes through the keys.
func (o *object) Iterator() traits.Iterator {
	keys := make([]ref.Val, len(o.keys))
	for i, k := range o.keys {
		keys[i] = types.String(k)
	}
	return types.NewRefValList(types.DefaultTypeAdapter, keys).Iterator()
}

var _ merge.Expression = (*expression)(nil)
