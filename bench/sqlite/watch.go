package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// watch measures how long ten edits of one transaction take to be visible in the other
// database, over and over, while the program watches.
func (b *bench) watch(r *result) (err error) {
	cmd := b.command("--watch", "--json")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended by itself
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // 130 is how it ends when it is interrupted
		r.Watch.Peak = peakMemory(cmd.ProcessState)
	}()
	if err := awaitWatch(out); err != nil {
		return err
	}
	go io.Copy(io.Discard, out) //nolint:errcheck // nobody reads the rounds
	from, err := sqlite.OpenConn(b.a, sqlite.OpenReadWrite)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := sqlite.OpenConn(b.b, sqlite.OpenReadOnly)
	if err != nil {
		return err
	}
	defer to.Close()
	from.SetBusyTimeout(10 * time.Second)
	to.SetBusyTimeout(10 * time.Second)
	var took []time.Duration
	for n := range b.edits {
		d, err := b.edit10(from, to, n)
		if err != nil {
			return err
		}
		took = append(took, d)
		time.Sleep(20 * time.Millisecond) // each edit finds the program waiting
	}
	slices.Sort(took)
	r.P50 = float64(took[len(took)/2].Microseconds()) / 1000
	r.P99 = float64(took[len(took)*99/100].Microseconds()) / 1000
	r.Watch.Seconds = seconds(took[len(took)/2])
	return nil
}

// awaitWatch reads output until the program says that it watches.
func awaitWatch(out io.Reader) error {
	in := bufio.NewScanner(out)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		if strings.Contains(in.Text(), `"type":"watch"`) {
			return nil
		}
	}
	return errors.Join(errors.New("the program ended before it watched"), in.Err())
}

// edit10 changes ten rows spread over the table and waits until all of them are visible.
// The clock starts when the transaction is committed.
func (b *bench) edit10(from, to *sqlite.Conn, n int) (time.Duration, error) {
	step := b.rows / 10
	first := 1 + n*7919%step
	sql := fmt.Sprintf("UPDATE t SET qty = %d WHERE id IN (", 1000+n)
	ids := make([]string, 10)
	for i := range ids {
		ids[i] = fmt.Sprint(first + i*step)
	}
	list := strings.Join(ids, ", ") + ")"
	if err := sqlitex.ExecuteTransient(from, sql+list, nil); err != nil {
		return 0, err
	}
	begin := time.Now()
	query := fmt.Sprintf("SELECT count(*) FROM t WHERE qty = %d AND id IN (%s", 1000+n, list)
	for {
		seen := 0
		err := sqlitex.Execute(to, query, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
			seen = s.ColumnInt(0)
			return nil
		}})
		if err != nil {
			return 0, err
		}
		took := time.Since(begin)
		if seen == len(ids) {
			return took, nil
		}
		if took > time.Minute {
			return 0, fmt.Errorf("edit %d is not visible after a minute", n)
		}
		time.Sleep(time.Millisecond)
	}
}
