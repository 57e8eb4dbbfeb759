package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

const schema = `CREATE TABLE t(id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, name TEXT NOT NULL, email TEXT, total REAL,
	qty INTEGER, at TEXT, note TEXT, code BLOB, flag INTEGER)`

const fillRows = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
	INSERT INTO t SELECT i, i * 7919 % 50000, 'name ' || (i * 31 % 99991), 'user' || i || '@example.com', i % 10007 * 0.01,
	i % 100, '2026-11-' || printf('%02d', i % 28 + 1), 'a note that says something about order ' || i, randomblob(8), i % 2 FROM n`

func measure(o *options) (*result, error) {
	r := newResult(o)
	if _, err := exec.LookPath("sqlite3"); err != nil {
		return nil, fmt.Errorf("the sqlite3 command is what the first copy is measured against: %w", err)
	}
	b := &bench{options: o, a: filepath.Join(o.dir, "a.db"), b: filepath.Join(o.dir, "b.db"), state: filepath.Join(o.dir, "state")}
	if err := b.makeSource(); err != nil {
		return nil, err
	}
	info, err := os.Stat(b.a)
	if err != nil {
		return nil, err
	}
	r.FileBytes = info.Size()
	var dump, first, nothing, one []time.Duration
	// The kinds take turns, so that a machine that slows down slows all of them.
	for n := range o.runs {
		b.say("run %d of %d", n+1, o.runs)
		if err := b.dump(&dump); err != nil {
			return nil, err
		}
		if err := b.fresh(); err != nil {
			return nil, err
		}
		if err := b.sync(&first, &r.First); err != nil {
			return nil, err
		}
		if err := b.sync(&nothing, &r.Nothing); err != nil {
			return nil, err
		}
		if err := b.edit(fmt.Sprintf("UPDATE t SET total = total + 1 WHERE id = %d", o.rows/2)); err != nil {
			return nil, err
		}
		if err := b.sync(&one, &r.OneRow); err != nil {
			return nil, err
		}
		if err := b.check(); err != nil {
			return nil, err
		}
	}
	r.Dump.set(dump)
	r.First.set(first)
	r.Nothing.set(nothing)
	r.OneRow.set(one)
	r.FirstOfDump = medianRatio(first, dump)
	r.NothingOfFirst = medianRatio(nothing, first)
	r.OneRowOfFirst = medianRatio(one, first)
	b.say("watching")
	return r, b.watch(r)
}

// set takes over the times, in the order of the runs, and their median.
func (k *run1) set(all []time.Duration) {
	for _, d := range all {
		k.All = append(k.All, seconds(d))
	}
	sorted := slices.Sorted(slices.Values(all))
	k.Seconds = seconds(sorted[len(sorted)/2])
}

// medianRatio is the median of the ratios of what was measured one after the other.
func medianRatio(x, y []time.Duration) float64 {
	var all []float64
	for i := range x {
		all = append(all, x[i].Seconds()/y[i].Seconds())
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// bench is a pair of databases and their state.
type bench struct {
	*options
	a, b, state string
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

func (b *bench) makeSource() error {
	b.say("making %d rows", b.rows)
	conn, err := sqlite.OpenConn(b.a, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, sql := range []string{"PRAGMA synchronous = OFF", schema} {
		if err := sqlitex.ExecuteTransient(conn, sql, nil); err != nil {
			return err
		}
	}
	return sqlitex.ExecuteTransient(conn, fillRows, &sqlitex.ExecOptions{Args: []any{b.rows}})
}

// fresh removes the target and the state.
func (b *bench) fresh() error {
	for _, path := range []string{b.b, b.b + "-wal", b.b + "-shm", b.b + "-journal", b.state} {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// dump copies with the sqlite3 command.
func (b *bench) dump(all *[]time.Duration) error {
	if err := b.fresh(); err != nil {
		return err
	}
	from, to := exec.Command("sqlite3", b.a, ".dump"), exec.Command("sqlite3", b.b)
	pipe, err := from.StdoutPipe()
	if err != nil {
		return err
	}
	to.Stdin, from.Stderr, to.Stderr = pipe, os.Stderr, os.Stderr
	begin := time.Now()
	if err := from.Start(); err != nil {
		return err
	}
	if err := to.Run(); err != nil {
		return fmt.Errorf("sqlite3: %w", err)
	}
	if err := from.Wait(); err != nil {
		return fmt.Errorf("sqlite3 .dump: %w", err)
	}
	*all = append(*all, time.Since(begin))
	return b.check()
}

func (b *bench) command(args ...string) *exec.Cmd {
	cmd := exec.Command(b.binary, append([]string{"sync", "--yes", "--two-way", "--state", b.state, b.a, b.b}, args...)...)
	cmd.Stderr = os.Stderr
	return cmd
}

// sync runs the program once.
func (b *bench) sync(all *[]time.Duration, k *run1) error {
	cmd := b.command("--quiet")
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("syncline sync: %w", err)
	}
	*all = append(*all, time.Since(begin))
	k.Peak = max(k.Peak, peakMemory(cmd.ProcessState))
	return nil
}

func (b *bench) edit(sql string) error {
	conn, err := sqlite.OpenConn(b.a, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	defer conn.Close()
	return sqlitex.ExecuteTransient(conn, sql, nil)
}

// check makes sure that the target holds the same rows.
func (b *bench) check() error {
	conn, err := sqlite.OpenConn(b.b, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := sqlitex.ExecuteTransient(conn, "ATTACH ? AS a", &sqlitex.ExecOptions{Args: []any{b.a}}); err != nil {
		return err
	}
	var different int64
	err = sqlitex.ExecuteTransient(conn, "SELECT (SELECT count(*) FROM (SELECT * FROM a.t EXCEPT SELECT * FROM main.t)) + abs((SELECT count(*) FROM a.t) - (SELECT count(*) FROM main.t))",
		&sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error { different = s.ColumnInt64(0); return nil }})
	if err == nil && different != 0 {
		err = fmt.Errorf("%d rows differ after a copy: nothing that was measured means anything", different)
	}
	return err
}
