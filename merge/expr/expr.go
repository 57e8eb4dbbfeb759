// Package expr lets a merge rule be an expression over the siblings, written in CEL
// (https://cel.dev). It is apart from package merge so that only those who offer such rules
// link the language.
//
// An expression is evaluated for each contested field. It sees:
//
//	field      the name of the field
//	values     what the siblings whose writes stand have in it, the newest version first
//	siblings   all siblings, the newest version first, each with
//	           .value     what it has in the field
//	           .standing  whether no other sibling has replaced its write
//	           .at        when the field was written, in milliseconds since 1970
//	           .site      who wrote it; site("name") is the site of that name
//	           .row       all its fields by their names, in the version's own spelling
//
// Its result is the value of the field; true and false are 1 and 0. Numbers, text, bytes
// and null are themselves; text that is not UTF-8, and values too large to be inline, can
// only be handed on. Of CEL's standard functions those about time are missing, because
// they would ask the machine for its time zones; those of the math, strings and lists
// extensions are there.
//
//	math.greatest(values)
//	values.exists(v, v == "shipped") ? "shipped" : values[0]
//	siblings.filter(s, s.site == site("warehouse"))[0].value
package expr

import (
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/merge"
	"github.com/syncline-io/syncline/record"
)

// The bounds of an expression: the length of its text, its nodes, and what evaluating it
// once may cost (CEL's units, about one per operation or ten bytes of text).
const (
	maxText  = 4096
	maxNodes = 4096
	maxCost  = 1_000_000
)

// versions of the extensions are pinned: another could give the same text another meaning.
const (
	mathVersion    = 2
	stringsVersion = 4
	listsVersion   = 2
)

// prefix is how a rule that is an expression begins.
const prefix = "expr:"

// ParseRule is [merge.ParseRule] with the rule expr:<expression> beside the others.
func ParseRule(text string, site func(name string) (causal.Node, error)) (merge.Rule, error) {
	source, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return merge.ParseRule(text, site)
	}
	e, err := Compile(source, site)
	if err != nil {
		return merge.Rule{}, err
	}
	return merge.Rule{Kind: merge.Expr, Expr: e}, nil
}

// Compile returns the expression of a text, or [merge.ErrRule] and what is wrong with it.
// site finds the node of a site's name, always the same. The result may be used by several
// goroutines if site may.
func Compile(text string, site func(name string) (causal.Node, error)) (merge.Expression, error) {
	environment, err := newEnv(site)
	if err != nil {
		return nil, fmt.Errorf("set up expressions: %w", err)
	}
	ast, issues := environment.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", merge.ErrRule, err)
	}
	program, err := environment.Program(ast, cel.CostLimit(maxCost))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", merge.ErrRule, err)
	}
	return &expression{text: text, program: program}, nil
}

func newEnv(site func(string) (causal.Node, error)) (*cel.Env, error) {
	var excluded []*env.Function
	for _, name := range []string{
		overloads.TypeConvertTimestamp, overloads.TypeConvertDuration,
		overloads.TimeGetFullYear, overloads.TimeGetMonth, overloads.TimeGetDayOfYear,
		overloads.TimeGetDate, overloads.TimeGetDayOfMonth, overloads.TimeGetDayOfWeek,
		overloads.TimeGetHours, overloads.TimeGetMinutes, overloads.TimeGetSeconds, overloads.TimeGetMilliseconds,
	} {
		excluded = append(excluded, env.NewFunction(name))
	}
	return cel.NewCustomEnv(
		cel.StdLib(cel.StdLibSubset(env.NewLibrarySubset().AddExcludedFunctions(excluded...))),
		ext.Math(ext.MathVersion(mathVersion)),
		ext.Strings(ext.StringsVersion(stringsVersion)),
		ext.Lists(ext.ListsVersion(listsVersion)),
		cel.ParserExpressionSizeLimit(maxText),
		cel.ExpressionNodeLimit(maxNodes),
		cel.Variable("field", cel.StringType),
		cel.Variable("values", cel.ListType(cel.DynType)),
		cel.Variable("siblings", cel.ListType(cel.MapType(cel.StringType, cel.DynType))),
		cel.Function("site", cel.Overload("site_string", []*cel.Type{cel.StringType}, cel.StringType,
			cel.UnaryBinding(func(name ref.Val) ref.Val {
				node, err := site(string(name.(types.String)))
				if err != nil {
					return types.WrapErr(err)
				}
				return types.String(node.String())
			}))),
	)
}

// expression is a compiled text.
type expression struct {
	text    string
	program cel.Program
}

func (e *expression) String() string { return e.text }

// Eval evaluates the expression for one contested field.
func (e *expression) Eval(field string, siblings []merge.Sibling) (record.Value, error) {
	var values, all []ref.Val
	for i := range siblings {
		s := &siblings[i]
		row, err := rowOf(s.Version)
		if err != nil {
			return record.Value{}, err
		}
		value := toCEL(s.Value)
		all = append(all, newObject(map[string]any{
			"value": value, "standing": s.Standing, "at": s.Write.Stamp.Millis(),
			"site": s.Write.Origin.Node.String(), "row": row,
		}))
		if s.Standing {
			values = append(values, value)
		}
	}
	out, _, err := e.program.Eval(map[string]any{
		"field":    field,
		"values":   types.NewRefValList(types.DefaultTypeAdapter, values),
		"siblings": types.NewRefValList(types.DefaultTypeAdapter, all),
	})
	if err != nil {
		return record.Value{}, fmt.Errorf("evaluate %s for %q: %w", e.text, field, err)
	}
	// What a sibling has is that sibling's value, with all that the language cannot say.
	for i := range siblings {
		if same(toCEL(siblings[i].Value), out) {
			return siblings[i].Value, nil
		}
	}
	v, err := fromCEL(out)
	if err != nil {
		return record.Value{}, fmt.Errorf("evaluate %s for %q: %w", e.text, field, err)
	}
	return v, nil
}
