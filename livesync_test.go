package syncline_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/syncline-io/syncline"
)

// A run goes on although both databases are written to all the time, and what it leaves is
// found by the next one.
func TestSyncOfLiveDatabases(t *testing.T) {
	for _, mode := range []string{"delete", "wal"} {
		t.Run(mode, func(t *testing.T) { syncLive(t, mode) })
	}
}

func syncLive(t *testing.T, mode string) {
	p := newPlace(t)
	if mode == "wal" {
		p.wal("a.db")
		p.wal("b.db")
	}
	p.exec("a.db", orders+many(3000))
	two := syncline.Options{TwoWay: true, Yes: true, OnConflict: rule(t, "newest")}
	p.sync("a.db", "b.db", two)
	var writers []*writer
	for i, db := range []string{"a.db", "b.db"} {
		writers = append(writers, p.write(db, 2*time.Millisecond, func(n int) string {
			return fmt.Sprintf("UPDATE orders SET total = %d WHERE id = %d", n*2+i, n*7%500+1)
		}))
	}
	for range 6 {
		if _, err := p.trySync("a.db", "b.db", two); err != nil {
			t.Errorf("sync: %v", err)
		}
	}
	for _, w := range writers {
		if err := w.end(); err != nil {
			t.Errorf("a writer: %v", err)
		}
	}
	p.sync("a.db", "b.db", two)
	p.same("a.db", "b.db", all)
}
