package syncline

import (
	"fmt"
	"math"
)

// checkGuards refuses a plan that would lose more than anybody is likely to have meant.
// The person's consent lifts none of them; each has an option of its own.
func checkGuards(p *Plan, o *Options) error {
	for i := range p.Tables {
		t := &p.Tables[i]
		for _, side := range t.sides(p) {
			if side.effect.Deletes > 0 && side.emptied && !o.AllowEmptySource {
				return emptied(t.Name, side.name, side.other, side.effect.Deletes, p)
			}
		}
	}
	for i := range p.Tables {
		t := &p.Tables[i]
		for _, side := range t.sides(p) {
			if o.tooMany(side.effect.Deletes, side.rows) {
				return massDelete(t.Name, side.name, side.effect.Deletes, side.rows, o, p)
			}
		}
	}
	return nil
}

// guardRound is checkGuards for a round of a watch, which has no plan: rows of table are
// about to be deleted from the database name because other does not have them any more.
func guardRound(o *Options, table, name, other string, deletes, rows int64) error {
	switch {
	case deletes >= rows && !o.AllowEmptySource:
		return emptied(table, name, other, deletes, nil)
	case o.tooMany(deletes, rows):
		return massDelete(table, name, deletes, rows, o, nil)
	}
	return nil
}

// maxDelete is the share of a table's rows that may be deleted.
func (o *Options) maxDelete() float64 {
	if o.MaxDelete == 0 {
		return DefaultMaxDelete
	}
	return o.MaxDelete
}

func (o *Options) tooMany(deletes, rows int64) bool {
	return rows >= MaxDeleteFrom && float64(deletes) > o.maxDelete()*float64(rows)
}

func emptied(table, name, other string, deletes int64, p *Plan) error {
	return &GuardError{
		Guard: GuardEmptySource,
		Detail: fmt.Sprintf("table %s of %s has lost all of its rows; %s would be deleted from %s",
			table, other, count(deletes, "row"), name),
		Hint: "if that is meant, allow an empty source; otherwise see what became of the table",
		Plan: p,
	}
}

func massDelete(table, name string, deletes, rows int64, o *Options, p *Plan) error {
	share := float64(deletes) / float64(rows)
	return &GuardError{
		Guard: GuardMaxDelete,
		Detail: fmt.Sprintf("%s of %s in table %s of %s would be deleted (%s, at most %s)",
			count(deletes, "row"), count(rows, "row"), table, name, percent(share), percent(o.maxDelete())),
		Hint: fmt.Sprintf("raise the limit to %s if that is meant, or check the order of the two databases", percent(share)),
		Plan: p,
	}
}

// planSide is what a plan does to one database's table, and why.
type planSide struct {
	name, other string // of the databases written to and followed
	effect      Effect
	rows        int64 // there are now
	emptied     bool  // the other database's table has no row left
}

func (t *TablePlan) sides(p *Plan) [2]planSide {
	return [2]planSide{
		{p.A.Name, p.B.Name, t.ToA, t.RowsA, t.EmptiedB},
		{p.B.Name, p.A.Name, t.ToB, t.RowsB, t.EmptiedA},
	}
}

// unconfirmed is the error of a plan that nobody has agreed to.
func unconfirmed(p *Plan, asked bool) error {
	var deletes, overwrites int64
	for i := range p.Tables {
		for _, e := range []Effect{p.Tables[i].ToA, p.Tables[i].ToB} {
			deletes += e.Deletes
			overwrites += e.Overwrites
		}
	}
	detail := fmt.Sprintf("not confirmed: %s would be deleted and %s overwritten",
		count(deletes, "row"), count(overwrites, "row"))
	if deletes == 0 && overwrites == 0 {
		detail = fmt.Sprintf("not confirmed: %s would be created", count(int64(len(p.Creates)), "table or index"))
	}
	hint := "say yes beforehand to go on without being asked"
	if asked {
		hint = "nothing was written"
	}
	return &GuardError{Guard: GuardUnconfirmed, Detail: detail, Hint: hint, Plan: p}
}

// count writes a number of things.
func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if what == "table or index" {
		return fmt.Sprintf("%d tables or indexes", n)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// percent writes a share in tenths of a percent, rounded up: what it says would have been
// enough as a limit.
func percent(share float64) string {
	const slack = 1e-9 // what a share like 0.11 is off by
	tenths := int64(math.Ceil(share*1000 - slack))
	if tenths%10 == 0 {
		return fmt.Sprintf("%d%%", tenths/10)
	}
	return fmt.Sprintf("%d.%d%%", tenths/10, tenths%10)
}
