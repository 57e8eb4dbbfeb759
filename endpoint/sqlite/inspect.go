package sqlite

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/syncline-io/syncline/endpoint"
	"zombiezen.com/go/sqlite"
)

// Inspect says what is there. See [endpoint.Endpoint].
func (d *Database) Inspect(ctx context.Context) (endpoint.Inspection, error) {
	in := endpoint.Inspection{Path: d.path}
	there, err := d.exists()
	if err != nil {
		return in, err
	}
	in.ReadOnly = d.readOnly(there)
	if !there {
		in.Empty = true
		return in, d.refuseNetwork()
	}
	s, err := d.snapshot(ctx, false, true)
	if err != nil {
		return in, err
	}
	defer s.Close()
	in.Exists = true
	if err := s.inspect(&in); err != nil {
		return in, s.c.fail("inspect", err)
	}
	return in, nil
}

// Schema describes the tables. See [endpoint.Endpoint].
func (d *Database) Schema(ctx context.Context) (*endpoint.Schema, error) {
	there, err := d.exists()
	if err != nil {
		return nil, err
	}
	if !there {
		return &endpoint.Schema{}, nil
	}
	s, err := d.snapshot(ctx, false, true)
	if err != nil {
		return nil, err
	}
	return s.Schema(), s.Close()
}

// inspect fills in what the view and the files of its database say.
func (s *Snapshot) inspect(in *endpoint.Inspection) error {
	info, err := os.Stat(s.c.d.path)
	if err != nil {
		return err
	}
	now, err := statFile(s.c.d.path)
	if err != nil {
		return err
	}
	in.FileID, in.Size, in.Modified = now.id, info.Size(), info.ModTime()
	if log, err := os.Stat(s.c.d.path + "-wal"); err == nil && log.Size() > 0 {
		in.Size += log.Size()
		if log.ModTime().After(in.Modified) {
			in.Modified = log.ModTime()
		}
	}
	in.Empty = len(s.s.Tables) == 0 && len(s.s.Skipped) == 0
	in.Mode = "wal"
	if !s.wal {
		if in.Mode, err = s.c.text("PRAGMA journal_mode"); err != nil {
			return err
		}
	}
	if in.Encoding, err = s.c.text("PRAGMA encoding"); err != nil {
		return err
	}
	if err := s.bindings(in); err != nil {
		return err
	}
	in.Fingerprint = s.Fingerprint()
	return s.c.unchanged()
}

// bindings reads the marker and the pairs that are bound to the database.
func (s *Snapshot) bindings(in *endpoint.Inspection) error {
	if there, err := s.c.hasObject("_syncline_marker"); err != nil || !there {
		return err
	}
	err := s.c.query("SELECT id, counter FROM _syncline_marker", func(st *sqlite.Stmt) error {
		st.ColumnBytes(0, in.Marker[:])
		in.Counter = uint64(st.ColumnInt64(1))
		return nil
	})
	if err != nil {
		return err
	}
	if there, err := s.c.hasObject("_syncline_pair"); err != nil || !there {
		return err
	}
	err = s.c.query("SELECT pair, apply, nonce, cursor, capturing FROM _syncline_pair", func(st *sqlite.Stmt) error {
		b := endpoint.Binding{
			Progress:  endpoint.Progress{Apply: uint64(st.ColumnInt64(1)), Nonce: uint64(st.ColumnInt64(2))},
			Cursor:    endpoint.Cursor(st.ColumnInt64(3)),
			Capturing: st.ColumnInt64(4) != 0,
		}
		st.ColumnBytes(0, b.Pair[:])
		in.Bound = append(in.Bound, b)
		return nil
	})
	slices.SortFunc(in.Bound, func(a, b endpoint.Binding) int { return bytes.Compare(a.Pair[:], b.Pair[:]) })
	return err
}

// readOnly says why the database cannot be written to, or "".
func (d *Database) readOnly(there bool) string {
	dir := filepath.Dir(d.path)
	switch {
	case d.o.ReadOnly:
		return "it was opened for reading only"
	case there && writable(d.path) != nil:
		return "the file may not be written to"
	case writable(dir) != nil:
		// Without a journal beside the file, SQLite writes nothing.
		return "nothing may be created in its directory " + dir
	}
	return ""
}
