package store

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options say how to open a store. The zero Options open one on disk for writing.
type Options struct {
	// FS holds the files. Default: the operating system's.
	FS vfs.FS
	// ReadOnly opens a store that is there and changes no byte of it.
	ReadOnly bool
	// Cache is the memory for blocks read from disk, in bytes. More makes reads of what
	// was read before faster. Default: 8 MiB.
	Cache int64
	// Logger is told what the store does beside its work. Default: nobody.
	Logger *slog.Logger
	// Fatal is called when Pebble finds that it cannot go on, which is not a failed
	// write (those are ErrBroken) but a fault within. It need not return; if it does,
	// the store is ErrBroken. Default: the reason goes to standard error, and the
	// process exits with 70, so that nothing is acknowledged that may be lost.
	Fatal func(reason string)
	// Stall bounds how long a write may take before the store is ErrStalled. It has to
	// be longer than any pause of a disk that still comes back. Default: two minutes.
	Stall time.Duration
}

const (
	cacheSize = 8 << 20
	exitFatal = 70 // EX_SOFTWARE
)

// tuning is what is not for users to choose. Tests make it small, to meet its bounds.
type tuning struct {
	formats  formatTable
	memTable uint64 // bytes; two of them are the bound
	bulk     int    // bytes of a batch from which it is ingested: there, the syncs cost less than they save
	table    int    // bytes after which a run goes on in another table
	stage    int    // bytes of segments that a stage holds in memory
}

func tuned() tuning {
	return tuning{formats: formats(), memTable: 16 << 20, bulk: 4 << 20, table: 32 << 20, stage: 2 << 20}
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Cache <= 0 {
		o.Cache = cacheSize
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Fatal == nil {
		o.Fatal = func(reason string) {
			io.WriteString(os.Stderr, "store: "+reason+"\n") //nolint:errcheck // nobody is left to tell
			os.Exit(exitFatal)
		}
	}
	if o.Stall <= 0 {
		o.Stall = 2 * time.Minute
	}
	return o
}

// pebble returns the options of the database below. Each line that is not Pebble's
// default is there for a measured reason.
func (o Options) pebble(d *disk, t tuning) *pebble.Options {
	p := &pebble.Options{
		FS:                 d,
		ReadOnly:           o.ReadOnly,
		Logger:             logger{o.Logger, o.Fatal, d},
		FormatMajorVersion: pebble.FormatNewest, // older ones do not notice damage within a log file
		CacheSize:          o.Cache,
		MemTableSize:       t.memTable,
		LBaseMaxBytes:      64 << 20,
		EventListener: &pebble.EventListener{
			// Called with the database's lock held: it may only take note.
			BackgroundError: func(err error) { o.Logger.Warn("store: background work failed", slog.Any("error", err)) },
			// The default is fatal; but who reads what is damaged gets the error.
			DataCorruption: func(info pebble.DataCorruptionInfo) {
				o.Logger.Warn("store: damaged file", slog.String("path", info.Path), slog.Any("error", info.Details))
			},
		},
		DisableTableStats: true,
	}
	p.Levels[0].FilterPolicy = bloom.FilterPolicy(10)
	p.Levels[0].BlockSize = 16 << 10
	p.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionNone })
	// Reads must not start compactions: a reader would need the database's lock, which a
	// parked writer may hold.
	p.Experimental.ReadSamplingMultiplier = -1
	return p
}

// logger is what Pebble logs to.
type logger struct {
	log   *slog.Logger
	fatal func(string)
	disk  *disk
}

func (l logger) Infof(format string, args ...any) {
	l.log.Debug("store: " + fmt.Sprintf(format, args...))
}

func (l logger) Errorf(format string, args ...any) {
	l.log.Warn("store: " + fmt.Sprintf(format, args...))
}

// Fatalf never returns: after it, Pebble would acknowledge what is lost.
func (l logger) Fatalf(format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	l.fatal(reason)
	l.disk.fail(fmt.Errorf("%w: %s", ErrBroken, reason))
	park()
}
