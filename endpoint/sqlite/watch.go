package sqlite

import (
	"context"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/syncline-io/syncline/endpoint"
)

const (
	// settle is how long a burst of file events is collected into one signal.
	settle = 5 * time.Millisecond
	// poll is how often the files are looked at for what the events have missed.
	poll = time.Second
)

// Watch signals changes. See [endpoint.Endpoint].
func (d *Database) Watch(ctx context.Context) (<-chan struct{}, error) {
	if _, err := d.exists(); err != nil {
		return nil, err
	}
	w, err := fsnotify.NewWatcher()
	if err == nil {
		// The files beside the database come and go, so it is their directory that counts.
		if err = w.Add(filepath.Dir(d.path)); err != nil {
			_ = w.Close()
		}
	}
	if err != nil {
		return nil, d.failure("watch", endpoint.Unreachable, "raise the system's limit of watched files", err)
	}
	signals := make(chan struct{}, 1)
	go func() {
		defer close(signals)
		defer w.Close()
		d.watch(ctx, w, signals)
	}()
	return signals, nil
}

func (d *Database) watch(ctx context.Context, w *fsnotify.Watcher, signals chan<- struct{}) {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	burst := time.NewTimer(0)
	<-burst.C
	defer burst.Stop()
	waiting := false
	seen, _, _ := d.look()
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-w.Events:
			if !ok {
				return
			}
			if !waiting && d.concerns(e) {
				waiting = true
				burst.Reset(settle)
			}
		case <-w.Errors:
			// Events were lost, perhaps some of ours.
			if !waiting {
				waiting = true
				burst.Reset(settle)
			}
		case <-burst.C:
			waiting = false
			seen, _, _ = d.look() // the poll need not tell the same again
			signal(signals)
		case <-ticker.C:
			// A database that cannot be looked at now is looked at again later.
			if now, _, err := d.look(); err == nil && now != seen {
				seen = now
				signal(signals)
			}
		}
	}
}

// concerns reports whether an event may be a commit. Readers make and remove a -wal too,
// which changes nothing: were that a signal, reading because of it would be the next.
func (d *Database) concerns(e fsnotify.Event) bool {
	switch filepath.Base(e.Name) {
	case filepath.Base(d.path):
		return e.Op != fsnotify.Chmod
	case filepath.Base(d.path) + "-wal":
		return e.Has(fsnotify.Write)
	case filepath.Base(d.path) + "-journal":
		return e.Op != fsnotify.Chmod
	}
	return false
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // the one that waits there says the same
	}
}
