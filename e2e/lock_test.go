package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// holdEnv makes this test binary a process that locks the database it names.
const holdEnv = "SYNCLINE_E2E_HOLD"

// hold keeps a database locked until standard input ends.
func hold() int {
	conn, err := sqlite.OpenConn(os.Getenv(holdEnv), sqlite.OpenReadWrite)
	if err == nil {
		err = sqlitex.ExecuteTransient(conn, "BEGIN EXCLUSIVE", nil)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("locked")
	io.Copy(io.Discard, os.Stdin) //nolint:errcheck // any end will do
	conn.Close()                  //nolint:errcheck // the process ends
	return 0
}

// lock makes another process hold the exclusive lock of a database until the returned
// function is called.
func (w *world) lock(name string) (release func()) {
	w.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holdEnv+"="+w.path(name))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		w.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	release = func() {
		stdin.Close() //nolint:errcheck // it is a pipe
		cmd.Wait()    //nolint:errcheck // it only held a lock
	}
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "locked\n" {
		release()
		w.Fatalf("no lock: %q, %v", line, err)
	}
	return release
}
