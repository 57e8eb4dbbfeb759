package store

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
)

// LogID names a log in one of its lives. A log that is made anew has another, so that an
// offset of the old one is never taken for one of the new (I10).
type LogID [16]byte

// Offset counts the entries of a log from 0, through all truncations.
type Offset uint64

// Store is one dataset of one node. Its methods are safe for concurrent use.
type Store struct {
	dir      string
	log      *slog.Logger
	readOnly bool
	stall    time.Duration
	tuning   tuning
	disk     *disk
	db       *pebble.DB
	tables   sstable.WriterOptions // of tables to be ingested
	table    atomic.Uint64         // names the next one
	dict     *dict
	trees    *numbers[treeName, treeName]

	// The two slots are taken in this order. They are channels, not mutexes, so that
	// whoever waits notices a broken store.
	writer  slot // from Batch to its Commit or Close
	publish slot // while something becomes visible and durable, or a view is pinned

	// Guarded by publish, and changed only with writer.
	head   head
	vector causal.Vector
	large  map[uint64]bool // trees that have or had rows with large values

	held   heldChunks
	stages openStages

	users     sync.WaitGroup // views, and calls that write outside a batch
	closing   sync.Mutex     // guards the closing of closed and the start of users
	closed    chan struct{}
	closeOnce sync.Once
	closeErr  error
	witnessed uint64 // the batches that the witness on disk has seen
}

// slot is a mutex that can be waited for beside something else.
type slot chan struct{}

// take waits for a slot. With an error it is not taken, or nothing matters any more.
func (s *Store) take(sl slot) error {
	select {
	case sl <- struct{}{}:
		return s.disk.failure()
	case <-s.disk.broken:
		return s.disk.failure()
	}
}

func (sl slot) leave() { <-sl }

// enter begins a use of the store that Close waits for; users.Done ends it.
func (s *Store) enter() error {
	if err := s.disk.failure(); err != nil {
		return err
	}
	s.closing.Lock()
	defer s.closing.Unlock()
	select {
	case <-s.closed:
		return fmt.Errorf("store: %w", ErrClosed)
	default:
		s.users.Add(1)
		return nil
	}
}

// enterToWrite is enter for calls that write.
func (s *Store) enterToWrite() error {
	if s.readOnly {
		return ErrReadOnly
	}
	return s.enter()
}

// Exists reports whether dir holds a store.
func Exists(dir string, fsys vfs.FS) bool {
	if fsys == nil {
		fsys = vfs.Default
	}
	desc, err := pebble.Peek(dir, fsys)
	return err == nil && desc.Exists
}

// Open opens the store in dir and, unless it is to be read-only, creates the directory
// and the store when they are not there. A store of an older format is converted.
//
// It fails with [ErrNotExist], [ErrLocked], [ErrNewer], [ErrOlder] or [ErrCorrupt]. Open
// finds what a damaged store has lost where the log, the vector and the witness of the
// last Close tell of it; damage inside a table shows when it is read.
func Open(dir string, o Options) (*Store, error) { return open(dir, o, tuned()) }

func open(dir string, o Options, t tuning) (*Store, error) {
	o = o.withDefaults()
	exists := Exists(dir, o.FS)
	seen, err := readWitness(o.FS, dir)
	switch {
	case err != nil:
		o.Logger.Warn("store: witness is damaged", slog.Any("error", err))
	case !exists && seen != nil:
		return nil, fmt.Errorf("open store %s: %w", dir, corrupt("the database is gone"))
	case !exists && o.ReadOnly:
		return nil, fmt.Errorf("open store %s: %w", dir, ErrNotExist)
	}
	if !exists {
		if err := makeDir(o.FS, dir); err != nil {
			return nil, fmt.Errorf("create store: %w", err)
		}
		// Pebble chooses a log file's format when it creates it, and the first one of a
		// database is older than the database: damage in it is silent. So nothing is
		// ever written to the first.
		db, err := openPebble(dir, o, newDisk(o.FS), t)
		if err == nil {
			err = db.Close()
		}
		if err != nil {
			return nil, fmt.Errorf("create store %s: %w", dir, err)
		}
	}
	s := &Store{
		dir: dir, log: o.Logger, readOnly: o.ReadOnly, stall: o.Stall, tuning: t,
		disk: newDisk(o.FS), dict: newDict(), trees: newNumbers[treeName, treeName](),
		writer: make(slot, 1), publish: make(slot, 1), large: make(map[uint64]bool),
		closed: make(chan struct{}),
	}
	if s.db, err = openPebble(dir, o, s.disk, t); err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, readError("open", err))
	}
	p := o.pebble(s.disk, t)
	p.EnsureDefaults()
	s.tables = p.MakeWriterOptions(0, s.db.TableFormat())
	if err := s.load(t.formats, seen); err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, errors.Join(err, s.db.Close()))
	}
	return s, nil
}

// openPebble opens the database below, or says why Pebble gave up on it half-way.
func openPebble(dir string, o Options, d *disk, t tuning) (*pebble.DB, error) {
	type result struct {
		db  *pebble.DB
		err error
	}
	done := make(chan result, 1)
	go func() {
		db, err := pebble.Open(dir, o.pebble(d, t))
		done <- result{db, err}
	}()
	select {
	case r := <-done:
		return r.db, r.err
	case <-d.broken:
		return nil, errors.Join(d.failure(), d.release())
	}
}

// makeDir creates a directory that only its owner may enter, durably.
func makeDir(fsys vfs.FS, dir string) error {
	if _, err := fsys.Stat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := fsys.PathDir(dir)
	if parent != dir {
		if err := makeDir(fsys, parent); err != nil {
			return err
		}
	}
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncDir(fsys, parent)
}

func syncDir(fsys vfs.FS, dir string) error {
	d, err := fsys.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// load reads what is kept in memory, checks what can be checked at once, and clears what
// a crash has left.
func (s *Store) load(f formatTable, seen *witness) error {
	fresh, err := f.check(s.db, s.readOnly)
	if err != nil {
		return err
	}
	if fresh {
		if s.readOnly {
			return ErrNotExist
		}
		if err := f.create(s.db); err != nil {
			return err
		}
	}
	if err := s.loadHead(seen); err != nil {
		return err
	}
	if err := s.loadNumbers(); err != nil {
		return err
	}
	if err := s.checkLog(); err != nil {
		return err
	}
	s.disk.live.Store(!s.readOnly)
	if s.readOnly {
		return nil
	}
	if err := clearBulk(s.disk, s.dir); err != nil {
		return fmt.Errorf("clear tables: %w", err)
	}
	return s.Sweep()
}

func (s *Store) loadHead(seen *witness) error {
	b, err := get(s.db, []byte{spaceHead})
	if err != nil {
		return readError("read head", err)
	}
	if b == nil {
		return corrupt("no head")
	}
	if s.head, err = decodeHead(b); err != nil {
		return err
	}
	if seen != nil {
		if seen.log != s.head.log || seen.batches > s.head.batches {
			return corrupt("batch %d was written, but the last one here is %d", seen.batches, s.head.batches)
		}
		s.witnessed = seen.batches
	}
	return nil
}

// loadNumbers reads the dictionaries, which are small.
func (s *Store) loadNumbers() error {
	err := eachNumber(s.db, spaceOrigin, func(v []byte) error {
		o, err := causal.OriginFromBytes(v)
		if err != nil {
			return corrupt("origin")
		}
		s.dict.origins.number(o, o)
		s.dict.origins.durable++
		return nil
	})
	if err == nil {
		err = eachNumber(s.db, spaceShape, func(v []byte) error {
			shape, err := decodeShape(v)
			if err == nil {
				s.dict.shapes.number(string(v), shape)
				s.dict.shapes.durable++
			}
			return err
		})
	}
	if err == nil {
		err = eachNumber(s.db, spaceTree, func(v []byte) error {
			name, err := decodeTreeName(v)
			if err == nil {
				s.trees.number(name, name)
				s.trees.durable++
			}
			return err
		})
	}
	if err == nil {
		err = scan(s.db, []byte{spaceLarge}, func(k, _ []byte) error {
			if len(k) != treeKeySize {
				return corrupt("key of a tree")
			}
			s.large[uint64(binary.BigEndian.Uint32(k[1:]))] = true
			return nil
		})
	}
	return err
}

// eachNumber reads one dictionary, whose numbers are dense.
func eachNumber(r pebble.Reader, space byte, f func(v []byte) error) error {
	next := uint64(0)
	return scan(r, []byte{space}, func(k, v []byte) error {
		if !bytes.Equal(k, numberKey(nil, space, next)) {
			return corrupt("number %d of space %#02x is missing", next, space)
		}
		next++
		return f(v)
	})
}

// scan calls f with every key that begins with prefix, and its value; both are valid
// until f returns.
func scan(r pebble.Reader, prefix []byte, f func(k, v []byte) error) error {
	return scanRange(r, prefix, prefixEnd(prefix), f)
}

func scanRange(r pebble.Reader, from, to []byte, f func(k, v []byte) error) error {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return readError("scan", err)
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		var v []byte
		if v, err = it.ValueAndErr(); err == nil {
			err = f(it.Key(), v)
		}
	}
	if closeErr := it.Close(); err == nil {
		err = closeErr
	}
	return readError("scan", err)
}

// get returns a copy of the value of a key, nil if there is none.
func get(r pebble.Reader, key []byte) ([]byte, error) {
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, readError("read", err)
	}
	return append(make([]byte, 0, len(v)), v...), closer.Close()
}

// has reports whether there is a value for a key.
func has(r pebble.Reader, key []byte) (bool, error) {
	_, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, readError("read", err)
	}
	return true, closer.Close()
}

// hasPrefix reports whether any key begins with prefix.
func hasPrefix(r pebble.Reader, prefix []byte) (bool, error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefixEnd(prefix)})
	if err != nil {
		return false, readError("scan", err)
	}
	found := it.First()
	return found, readError("scan", it.Close())
}

// newLogID draws the name of a log.
func newLogID() (id LogID) {
	rand.Read(id[:]) //nolint:errcheck // crypto/rand.Read never fails
	return id
}

// Dict returns the numbers of origins and shapes by which versions are kept in records
// and, if the caller likes, in side values. It is safe for concurrent use. A number is on
// disk no later than what the next batch to commit writes, so it may be used in values of
// any batch.
func (s *Store) Dict() record.Dict { return s.dict }

// Size returns how many bytes the store takes on disk.
func (s *Store) Size() int64 {
	if s.disk.failure() != nil {
		return 0
	}
	return int64(s.db.Metrics().DiskSpaceUsage())
}

// run does something that may wait for the disk, and gives up on it when the store breaks
// or the disk does not answer.
func (s *Store) run(op func() error) error {
	if err := s.disk.failure(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- op() }()
	timer := time.NewTimer(s.stall)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-s.disk.broken:
	case <-timer.C:
		s.disk.fail(ErrStalled)
	}
	return s.disk.failure()
}

// apply writes a batch of Pebble's. An error means that the store is broken.
func (s *Store) apply(p *pebble.Batch, sync bool) error {
	how := pebble.NoSync
	if sync {
		how = pebble.Sync
	}
	return s.broken(s.run(func() error { return s.db.Apply(p, how) }))
}

// broken makes a failed write the end of the store: what of it is there is not known.
func (s *Store) broken(err error) error {
	if err == nil {
		return nil
	}
	s.disk.fail(fmt.Errorf("%w: %w", ErrBroken, err))
	return s.disk.failure()
}

// Close waits for the open batch, if there is one, and for all views to be closed, and
// writes what is not on disk yet. It may be called again, and does nothing then. Of a
// broken store it returns the reason.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.close() })
	return s.closeErr
}

func (s *Store) close() error {
	s.closing.Lock()
	close(s.closed) // no view or batch begins after this
	s.closing.Unlock()
	if err := s.take(s.writer); err != nil { // for ever
		return s.abandon(err)
	}
	idle := make(chan struct{})
	go func() {
		s.users.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-s.disk.broken:
		return s.abandon(s.disk.failure())
	}
	err := s.run(s.shut)
	if broken := s.disk.failure(); broken != nil {
		return s.abandon(broken)
	}
	return err
}

// shut ends the work on a store that nobody uses any more.
func (s *Store) shut() error {
	if s.readOnly {
		return s.db.Close()
	}
	if s.head.batches > s.witnessed {
		// Damage at the end of a log file looks like a write that was torn, so a store
		// at rest has none, and the witness tells where it ended.
		if err := s.db.Flush(); err != nil {
			return errors.Join(fmt.Errorf("flush store: %w", err), s.db.Close())
		}
		w := witness{log: s.head.log, batches: s.head.batches}
		if err := w.write(s.disk, s.dir); err != nil {
			return errors.Join(fmt.Errorf("write witness: %w", err), s.db.Close())
		}
	}
	return s.db.Close()
}

// abandon leaves a broken store as it is, for the next Open to recover. A write that
// never ended may still end, so after a stall the lock stays.
func (s *Store) abandon(reason error) error {
	if errors.Is(reason, ErrStalled) {
		return reason
	}
	return errors.Join(reason, s.disk.release())
}
