package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

func (a *app) sqlCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sql DB STATEMENT",
		Short: "Run SQL in a database",
		Long: `Sql runs one or more SQL statements in a database that exists, with foreign keys
enforced, each statement a transaction of its own unless the text says BEGIN. Rows are
printed as a table, or with --json one line each.`,
		Example: `  syncline sql a.db "select * from orders where id = 7"
  syncline sql a.db "update orders set total = 1 where id = 7"`,
		Args: exactArgs("DB", "STATEMENT"),
		RunE: a.runner(func(ctx context.Context, args []string) (outcome, error) {
			return a.sql(ctx, args[0], args[1])
		}),
	}
}

// sqlSummary is what the statements did.
type sqlSummary struct {
	Statements int64 `json:"statements"`
	Rows       int64 `json:"rows"`
	Changed    int64 `json:"changed"`
}

func (a *app) sql(ctx context.Context, name, text string) (outcome, error) {
	if err := localPath(name); err != nil {
		return outcome{}, err
	}
	conn, err := openSQL(name, a.flags.timeout)
	if err != nil {
		return outcome{}, err
	}
	defer conn.Close()
	conn.SetInterrupt(ctx.Done())

	var s sqlSummary
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		stmt, trailing, err := conn.PrepareTransient(text)
		if err != nil {
			return outcome{}, sqlFault(name, err)
		}
		statement := text[:len(text)-trailing]
		text = text[len(text)-trailing:]
		if stmt == nil { // a comment, or nothing but a semicolon
			continue
		}
		s.Statements++
		err = a.runStatement(conn, stmt, statement, &s)
		if e := stmt.Finalize(); err == nil {
			err = e
		}
		if err != nil {
			return outcome{summary: s}, sqlFault(name, err)
		}
	}
	if s.Statements == 0 {
		return outcome{}, &usageError{msg: "there is no statement", hint: "usage: syncline sql DB STATEMENT"}
	}
	return outcome{summary: s}, nil
}

// openSQL opens a database that exists.
func openSQL(name string, timeout time.Duration) (*sqlite.Conn, error) {
	path := strings.TrimPrefix(strings.TrimPrefix(name, "sqlite:"), "file:")
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &endpoint.Error{Family: endpoint.NotExist, Op: "open", Name: name, Hint: "check the path", Err: fs.ErrNotExist}
	case err != nil:
		return nil, &endpoint.Error{Family: endpoint.Permission, Op: "open", Name: name, Hint: "check who may read it", Err: err}
	case info.IsDir():
		return nil, &endpoint.Error{Family: endpoint.Incompatible, Op: "open", Name: name, Hint: "name the database file inside it", Err: errors.New("is a directory")}
	}
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, sqlFault(name, err)
	}
	conn.SetBusyTimeout(timeout)
	if err := execSQL(conn, "PRAGMA foreign_keys=ON"); err != nil {
		return nil, errors.Join(sqlFault(name, err), conn.Close())
	}
	return conn, nil
}

func execSQL(conn *sqlite.Conn, text string) error {
	stmt, _, err := conn.PrepareTransient(text)
	if err != nil {
		return err
	}
	for {
		row, err := stmt.Step()
		if err != nil {
			return errors.Join(err, stmt.Finalize())
		}
		if !row {
			return stmt.Finalize()
		}
	}
}

// runStatement runs one statement and prints what it returns and changes.
func (a *app) runStatement(conn *sqlite.Conn, stmt *sqlite.Stmt, text string, s *sqlSummary) error {
	before, err := totalChanges(conn)
	if err != nil {
		return err
	}
	names := columnNames(stmt)
	table := newTable(a.out, names, a.outTTY)
	for {
		row, err := stmt.Step()
		if err != nil {
			return err
		}
		if !row {
			break
		}
		s.Rows++
		values := make([]record.Value, len(names))
		for i := range names {
			values[i] = columnValue(stmt, i)
		}
		switch {
		case a.flags.json:
			a.event(rowEvent{Type: "row", Row: object{names, values}})
		case !a.flags.quiet:
			table.add(values)
		}
		if err := *a.broken; err != nil {
			return err
		}
	}
	if len(names) > 0 && !a.flags.json && !a.flags.quiet {
		table.flush()
	}
	after, err := totalChanges(conn)
	if err != nil {
		return err
	}
	var changed int64
	if after != before {
		changed = int64(conn.Changes())
		s.Changed += changed
	}
	if changed > 0 || writes(text) {
		a.say("%s changed", plural(changed, "row", "rows"))
	}
	return nil
}

// totalChanges counts what the connection has changed so far. It alters no count itself.
func totalChanges(conn *sqlite.Conn) (int64, error) {
	stmt, err := conn.Prepare("SELECT total_changes()")
	if err != nil {
		return 0, err
	}
	if _, err := stmt.Step(); err != nil {
		return 0, err
	}
	n := stmt.ColumnInt64(0)
	return n, stmt.Reset()
}

// writes reports whether a statement is one that changes rows, even if it found none.
func writes(statement string) bool {
	word := statement
	if i := strings.IndexFunc(statement, func(r rune) bool { return r < 'A' || r > 'z' }); i >= 0 {
		word = statement[:i]
	}
	switch strings.ToUpper(word) {
	case "INSERT", "UPDATE", "DELETE", "REPLACE":
		return true
	}
	return false
}

// columnNames returns the names of a result's columns, made different where they are not.
// Of columns of one name SQLite's binding knows only the last; the others, and those
// without a name, are named by their place.
func columnNames(stmt *sqlite.Stmt) []string {
	names := make([]string, stmt.ColumnCount())
	used := make(map[string]bool)
	for i := range names {
		name := stmt.ColumnName(i)
		for n := i + 1; name == "" || used[name]; n++ {
			name = fmt.Sprintf("column_%d", n)
		}
		used[name] = true
		names[i] = name
	}
	return names
}

// columnValue reads a value of the current row, in memory of its own.
func columnValue(stmt *sqlite.Stmt, i int) record.Value {
	switch stmt.ColumnType(i) {
	case sqlite.TypeInteger:
		return record.IntValue(stmt.ColumnInt64(i))
	case sqlite.TypeFloat:
		return record.FloatValue(stmt.ColumnFloat(i))
	case sqlite.TypeText:
		return record.TextValue([]byte(stmt.ColumnText(i)))
	case sqlite.TypeBlob:
		b := make([]byte, stmt.ColumnLen(i))
		stmt.ColumnBytes(i, b)
		return record.BytesValue(b)
	case sqlite.TypeNull:
	}
	return record.NullValue()
}

type rowEvent struct {
	Type string `json:"type"` // "row"
	Row  object `json:"row"`
}

// sqlFault gives an error of a statement its family.
func sqlFault(name string, err error) error {
	e := &endpoint.Error{Op: "sql", Name: name, Err: err}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultInterrupt:
		return context.Canceled
	case sqlite.ResultError, sqlite.ResultRange, sqlite.ResultMisuse:
		return &usageError{msg: name + ": " + err.Error()}
	case sqlite.ResultBusy, sqlite.ResultLocked:
		e.Family, e.Hint = endpoint.Unreachable, "another program has locked it; close that program, or wait longer with --timeout"
	case sqlite.ResultFull:
		e.Family, e.Hint = endpoint.Unreachable, "free some space on its disk"
	case sqlite.ResultIOErr:
		e.Family, e.Hint = endpoint.Unreachable, "check the disk"
	case sqlite.ResultReadOnly, sqlite.ResultPerm, sqlite.ResultAuth, sqlite.ResultCantOpen:
		e.Family, e.Hint = endpoint.Permission, "check who may read and write the file and its directory"
	case sqlite.ResultNotADB:
		e.Family, e.Hint = endpoint.Incompatible, "it is not an SQLite database, or it is encrypted"
	case sqlite.ResultCorrupt:
		e.Family, e.Hint = endpoint.Corrupt, "restore it from a backup, or rescue what can be read: sqlite3 "+quoteArg(name)+" .recover"
	}
	return e
}
