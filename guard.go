package syncline

import "fmt"

// checkGuards refuses a plan that would lose more than anybody is likely to have meant.
// The person's consent lifts none of them; each has an option of its own.
func checkGuards(p *Plan, o *Options) error {
	for i := range p.Tables {
		t := &p.Tables[i]
		for _, side := range t.sides(p) {
			if side.effect.Deletes > 0 && side.emptied && !o.AllowEmptySource {
				return &GuardError{
					Guard: GuardEmptySource,
					Detail: fmt.Sprintf("table %s of %s has lost all of its rows; %s would be deleted from %s",
						t.Name, side.other, count(side.effect.Deletes, "row"), side.name),
					Hint: "if that is meant, allow an empty source; otherwise see what became of the table",
					Plan: p,
				}
			}
		}
	}
	limit := o.MaxDelete
	if limit == 0 {
		limit = DefaultMaxDelete
	}
	for i := range p.Tables {
		t := &p.Tables[i]
		for _, side := range t.sides(p) {
			if side.rows < MaxDeleteFrom || float64(side.effect.Deletes) <= limit*float64(side.rows) {
				continue
			}
			share := float64(side.effect.Deletes) / float64(side.rows)
			return &GuardError{
				Guard: GuardMaxDelete,
				Detail: fmt.Sprintf("%s of %s in table %s of %s would be deleted (%s, at most %s)",
					count(side.effect.Deletes, "row"), count(side.rows, "row"), t.Name, side.name,
					percent(share), percent(limit)),
				Hint: fmt.Sprintf("raise the limit to %s if that is meant, or check the order of the two databases", percent(share)),
				Plan: p,
			}
		}
	}
	return nil
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

// percent writes a share, rounded up so that it is a limit that would have been enough.
func percent(share float64) string {
	tenths := int64(share * 1000)
	if float64(tenths) < share*1000 {
		tenths++
	}
	if tenths%10 == 0 {
		return fmt.Sprintf("%d%%", tenths/10)
	}
	return fmt.Sprintf("%d.%d%%", tenths/10, tenths%10)
}
