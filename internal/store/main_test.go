package store_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails when goroutines of closed stores are left. Those that a broken store
// parks on purpose are not counted.
func TestMain(m *testing.M) {
	code := m.Run()
	deadline := time.Now().Add(5 * time.Second)
	left := leaked()
	for len(left) > 0 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
		left = leaked()
	}
	if len(left) > 0 && code == 0 {
		fmt.Fprintf(os.Stderr, "%d goroutines are left:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
		code = 1
	}
	os.Exit(code)
}

// leaked returns the goroutines that stores started; after a test that broke one nothing
// can be said, because Pebble's wait for those that are parked.
func leaked() (left []string) {
	buf := make([]byte, 8<<20)
	all := string(buf[:runtime.Stack(buf, true)])
	if strings.Contains(all, "store.park(") {
		return nil
	}
	for _, g := range strings.Split(all, "\n\n") {
		if strings.Contains(g, "pebble") || strings.Contains(g, "internal/store.") && !strings.Contains(g, "TestMain") {
			left = append(left, g)
		}
	}
	return left
}
