package main

import (
	"encoding/json"
	"testing"

	"github.com/syncline-io/syncline"
)

func samplePlans() map[string]*syncline.Plan {
	a := syncline.Database{Name: "a.db", Exists: true, Size: 1_200_000, Mode: "wal"}
	b := syncline.Database{Name: "b.db", Exists: true, Size: 900_000, Written: true, Mode: "delete"}
	written := a
	written.Written = true
	return map[string]*syncline.Plan{
		"first": {
			A: a, B: syncline.Database{Name: "copies/b.db", Written: true, Empty: true},
			Unknown: "this pair was never synced", StateBytes: 3_100_000,
			Tables: []syncline.TablePlan{
				{Name: "customers", RowsA: 345, FirstCopy: true, ToB: syncline.Effect{Inserts: 345, Bytes: 20_000}},
				{Name: "lines", RowsA: 11_000, FirstCopy: true, ToB: syncline.Effect{Inserts: 11_000, Bytes: 400_000}},
				{Name: "orders", RowsA: 10_000, FirstCopy: true, ToB: syncline.Effect{Inserts: 10_000, Bytes: 500_000}},
			},
			Creates: []syncline.Creation{
				{Database: "copies/b.db", Table: "customers", SQL: "CREATE TABLE customers (\n  id INTEGER PRIMARY KEY\n)"},
				{Database: "copies/b.db", Table: "orders", SQL: "CREATE TABLE orders (id INTEGER PRIMARY KEY)"},
				{Database: "copies/b.db", Table: "orders", SQL: "create unique index orders_by_code on orders (code)"},
				{Database: "copies/b.db", Table: "lines", SQL: "CREATE TABLE lines (order_id, no, PRIMARY KEY (order_id, no))"},
			},
			Skipped: []syncline.SkippedObject{
				{Database: "a.db", Kind: "view", Name: "big_orders", Reason: "views are not copied"},
				{Database: "a.db", Kind: "view", Name: "late_orders", Reason: "views are not copied"},
				{Database: "a.db", Kind: "virtual table", Name: "search", Reason: "fts5"},
			},
		},
		"losses": {
			A: a, B: b, Known: true, StateBytes: 500_000,
			Tables: []syncline.TablePlan{
				{Name: "customers", RowsA: 345, RowsB: 345},
				{
					Name: "orders", RowsA: 1_203_793, RowsB: 1_204_000,
					ToB: syncline.Effect{Inserts: 12_411, Updates: 3, Deletes: 207, Overwrites: 2, Bytes: 38_000_000},
				},
				{Name: "products", RowsA: 12, RowsB: 12, Pending: 1},
			},
		},
		"twoway": {
			A: written, B: b, TwoWay: true, Known: true,
			Tables: []syncline.TablePlan{
				{Name: "customers", ToA: syncline.Effect{Inserts: 1, Bytes: 80}, ToB: syncline.Effect{Updates: 2, Bytes: 200}},
				{Name: "orders", ToA: syncline.Effect{Updates: 4, Bytes: 300}, Conflicts: 3, Open: 1, Parked: 2},
				{Name: "stock", Open: 2, Conflicts: 2},
			},
			Installs: []syncline.Installation{
				{Database: "a.db", Name: "_syncline_log"},
				{Database: "a.db", Name: "_syncline_orders_insert"},
				{Database: "b.db", Name: "_syncline_log"},
			},
		},
		"unknown": {
			A: written, B: b, TwoWay: true, Unknown: "b.db is an older copy than the last sync left",
			Tables: []syncline.TablePlan{{Name: "orders", Conflicts: 7, Open: 7, RowsA: 100, RowsB: 100}},
		},
		"overwrite": {
			A: a, B: b, Unknown: "this pair was never synced",
			Tables: []syncline.TablePlan{
				{Name: "or\x1b[2Jders", ToB: syncline.Effect{Updates: 1, Overwrites: 1, Bytes: 10}, RowsA: 5, RowsB: 5},
				{Name: "stock", ToB: syncline.Effect{Deletes: 80, Bytes: 1}, RowsB: 80, EmptiedA: true},
			},
		},
		"nothing": {
			A: a, B: b, Known: true, Nothing: true,
			Tables: []syncline.TablePlan{{Name: "orders", RowsA: 10, RowsB: 10}},
		},
	}
}

func TestPlanText(t *testing.T) {
	style := planStyle{stateDir: "/home/ada/.local/state/syncline", maxDelete: "10%"}
	for name, p := range samplePlans() {
		t.Run(name, func(t *testing.T) {
			golden(t, "plan/"+name, planText(p, style))
		})
	}
	t.Run("ddl", func(t *testing.T) {
		s := style
		s.ddl = true
		golden(t, "plan/ddl", planText(samplePlans()["first"], s))
	})
	t.Run("color", func(t *testing.T) {
		s := style
		s.paint = true
		golden(t, "plan/color", planText(samplePlans()["losses"], s))
	})
}

func TestPlanEvents(t *testing.T) {
	for name, p := range samplePlans() {
		b, err := json.Marshal(planEvent(p))
		if err != nil {
			t.Fatal(err)
		}
		checkLine(t, name, b)
	}
}
