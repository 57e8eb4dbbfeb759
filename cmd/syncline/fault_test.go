package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/endpoint"
)

func TestDescribe(t *testing.T) {
	ep := func(f endpoint.Family) error {
		return fmt.Errorf("sync: %w", &endpoint.Error{Family: f, Op: "open", Name: "b.db", Hint: "do this", Err: errors.New("so")})
	}
	guard := func(name string) error { return &syncline.GuardError{Guard: name, Detail: "refused", Hint: "h"} }
	for _, c := range []struct {
		err  error
		exit int
		code string
	}{
		{errors.New("anything"), 1, "failed"},
		{fmt.Errorf("orders/7: %w", syncline.ErrNoConflict), 1, "no_conflict"},
		{&usageError{msg: "no"}, 2, "usage"},
		{fmt.Errorf("%w: same database", syncline.ErrUsage), 2, "usage"},
		{ep(endpoint.NotExist), 4, "not_exist"},
		{ep(endpoint.Unreachable), 4, "unreachable"},
		{ep(endpoint.Permission), 5, "permission"},
		{ep(endpoint.Refused), 6, "refused"},
		{&refusedError{msg: "exists"}, 6, "refused"},
		{guard(syncline.GuardMaxDelete), 6, "guard.max_delete"},
		{guard(syncline.GuardEmptySource), 6, "guard.empty_source"},
		{guard(syncline.GuardUnconfirmed), 6, "guard.unconfirmed"},
		{ep(endpoint.Incompatible), 7, "incompatible"},
		{&syncline.SchemaError{Differences: []syncline.SchemaDifference{{Table: "t", Detail: "d", Fix: "f"}}}, 7, "schema.incompatible"},
		{fmt.Errorf("open: %w", syncline.ErrNewerState), 7, "state.newer"},
		{ep(endpoint.Corrupt), 8, "corrupt"},
		{fmt.Errorf("open: %w", syncline.ErrState), 8, "state.damaged"},
		{fmt.Errorf("open: %w", &syncline.BusyError{PID: 7}), 9, "busy"},
		{ep(endpoint.Failed), 1, "failed"},
		{fmt.Errorf("state: %w", &fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}), 5, "permission"},
		{fmt.Errorf("state: %w", &fs.PathError{Op: "open", Path: "x", Err: syscall.ENOSPC}), 4, "unreachable"},
		{fmt.Errorf("scan: %w", context.Canceled), 130, "interrupted"},
		{&endpoint.Error{Family: endpoint.Failed, Op: "scan", Name: "b.db", Err: context.Canceled}, 130, "interrupted"},
	} {
		f := describe(c.err)
		if f.exit != c.exit || f.code != c.code {
			t.Errorf("%v: exit %d %s, want %d %s", c.err, f.exit, f.code, c.exit, c.code)
		}
		if f.message == "" {
			t.Errorf("%v: no message", c.err)
		}
	}
}

func TestSchemaDetails(t *testing.T) {
	one := &syncline.SchemaError{Differences: []syncline.SchemaDifference{{Table: "t", Detail: "column x is missing", Fix: "ALTER TABLE t ADD x;"}}}
	if got := describe(one).details; len(got) != 1 || got[0] != "    ALTER TABLE t ADD x;" {
		t.Errorf("one difference: %q", got)
	}
	two := &syncline.SchemaError{Differences: append(one.Differences, syncline.SchemaDifference{Table: "u", Detail: "missing", Fix: "CREATE TABLE u (\n  id\n);\n"})}
	want := []string{"table t: column x is missing", "    ALTER TABLE t ADD x;", "table u: missing", "    CREATE TABLE u (", "      id", "    );"}
	got := describe(two).details
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
