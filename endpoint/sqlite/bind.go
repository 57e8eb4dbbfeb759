package sqlite

import (
	"errors"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"unsafe"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

// returnMemory is the size from which on the memory of a value goes back to the system
// at once: waiting for the collector would hold the value three times.
const returnMemory = 8 << 20

var (
	errImage    = errors.New("the image does not have the columns of the table")
	errKind     = errors.New("a merge state is not a value of a database")
	errNoChunks = errors.New("a large value came without its chunks")
	errSize     = errors.New("the chunks of a large value are not its size")
)

// keyIs compares the key with the parameters from first on, as the key's index does. args
// are what they will be.
func (p *plan) keyIs(first int, args []any) string {
	where := ""
	for i, k := range p.key {
		if i > 0 {
			where += " AND "
		}
		where += k.column + " = " + parameter(first+i, args[i])
		if !p.rowid {
			where += " COLLATE " + collationName(k.collation)
		}
	}
	return where
}

// bindKey binds the values of a key, whose arguments are args, from parameter first on. It
// returns false when no row can have the key.
func (w *writer) bindKey(st *sqlite.Stmt, first int, k record.Key, args []any) (bool, error) {
	vs, err := k.Values()
	if err != nil {
		return false, err
	}
	doubt := false
	for i, v := range vs {
		if v.Kind() == record.RawText && w.t.c.utf16 != nil {
			return false, nil
		}
		doubt = doubt || w.affinity[w.p.key[i].field].alters(v)
	}
	if doubt {
		// Converted by its column, the key might find a row of another key.
		im, err := w.row(w.check, k, nil)
		if err != nil || im == nil {
			return false, err
		}
	}
	for i, a := range args {
		bind(st, first+i, a)
	}
	return true, nil
}

// operand is what stands for a value in a statement: its parameter, or a literal where
// SQLite would alter a bound text.
func (c *conn) operand(n int, v record.Value) string {
	if v.Kind() == record.Text && c.altered(v.Raw()) {
		return parameter(n, storedBytes(encodeUTF16(nil, v.Raw(), c.utf16)))
	}
	return parameter(n, nil)
}

// values decodes an image of the table into dst's memory.
func (w *writer) values(im record.Image, dst []record.Value) ([]record.Value, error) {
	vs, err := im.Values(dst)
	if err == nil && len(vs) != len(w.p.columns) {
		err = fmt.Errorf("table %s: %w", w.p.table.Name, errImage)
	}
	return vs, err
}

// bind binds the value of the i-th column to the n-th parameter. It says whether the
// column might store something else, and whether the content has yet to be streamed.
func (w *writer) bind(st *sqlite.Stmt, n, i int, v record.Value, chunks endpoint.ChunkSource) (doubt, stream bool, err error) {
	switch v.Kind() {
	case record.Null:
		st.BindNull(n)
	case record.Int:
		st.BindInt64(n, v.Int())
	case record.Float:
		if math.IsNaN(v.Float()) {
			return false, false, refuse(w.p, "column %s cannot hold NaN", w.p.table.Shape.Fields[i])
		}
		st.BindFloat(n, v.Float())
	case record.Text:
		if !w.t.c.altered(v.Raw()) { // else it is a literal of the statement
			st.BindText(n, str(v.Raw()))
		}
	case record.RawText:
		if w.t.c.utf16 != nil {
			return false, false, refuse(w.p, "column %s: a UTF-16 database cannot hold text that is not UTF-8", w.p.table.Shape.Fields[i])
		}
		st.BindText(n, str(v.Raw()))
	case record.Bytes:
		bindBlob(st, n, v.Raw())
	case record.Large:
		stream, err = w.bindLarge(st, n, i, v, chunks)
	default:
		err = errKind
	}
	return w.affinity[i].alters(v), stream, err
}

// bindLarge binds a value that is in chunks: zeros to be written over in place where the
// table allows it, else all of it.
func (w *writer) bindLarge(st *sqlite.Stmt, n, i int, v record.Value, chunks endpoint.ChunkSource) (stream bool, err error) {
	info, err := v.Large()
	if err != nil {
		return false, err
	}
	if info.Kind == record.RawText && w.t.c.utf16 != nil {
		return false, refuse(w.p, "column %s: a UTF-16 database cannot hold text that is not UTF-8", w.p.table.Shape.Fields[i])
	}
	if info.Kind == record.Bytes && w.streams(i) {
		st.BindZeroBlob(n, info.Size)
		return true, nil
	}
	whole := make([]byte, 0, info.Size)
	err = eachChunk(info, chunks, func(b []byte) error {
		if len(whole)+len(b) > cap(whole) {
			return errSize
		}
		whole = append(whole, b...)
		return nil
	})
	if err != nil {
		return false, err
	}
	switch {
	case info.Kind == record.Bytes:
		bindBlob(st, n, whole)
	case w.t.c.altered(whole):
		return false, refuse(w.p, "column %s: SQLite would replace characters of this text in a UTF-16 database", w.p.table.Shape.Fields[i])
	default:
		st.BindText(n, str(whole))
	}
	w.bulky = true
	if info.Size >= returnMemory {
		debug.FreeOSMemory()
	}
	return false, nil
}

// streams reports whether a blob of the column can be written in place after its row:
// nothing may look at the zeros before, and SQLite opens no column of an index.
func (w *writer) streams(i int) bool {
	p := w.p
	if p.withoutRowid || p.rowidName == "" || w.guarded || p.keyAt[i] >= 0 {
		return false
	}
	for _, col := range p.table.Columns {
		if col.Generated {
			return false
		}
	}
	for _, ddl := range p.table.DDL[:1] {
		if says(ddl, "check") {
			return false
		}
	}
	for _, x := range p.indexes {
		if x.partial {
			return false
		}
		for _, col := range x.columns {
			if col.name == "" || fold(col.name) == fold(p.table.Shape.Fields[i]) {
				return false
			}
		}
	}
	return true
}

// streamLarge writes the content of the blobs that were bound as zeros: those of the row
// just inserted, or of the row k just updated.
func (w *writer) streamLarge(k record.Key, chunks endpoint.ChunkSource) error {
	row := w.t.c.LastInsertRowID()
	if k != nil {
		args, _, err := w.t.c.keyArgs(w.p, k)
		if err != nil {
			return err
		}
		st, _, err := w.t.c.PrepareTransient("SELECT " + w.p.rowidName + " FROM " + w.p.name + " WHERE " + w.p.keyIs(1, args))
		if err != nil {
			return err
		}
		if _, err = w.bindKey(st, 1, k, args); err == nil {
			err = each(st, func(st *sqlite.Stmt) error { row = st.ColumnInt64(0); return nil })
		}
		if err := errors.Join(err, st.Finalize()); err != nil {
			return err
		}
	}
	for i, v := range w.to {
		if v.Kind() != record.Large || k != nil && w.changed[i] == 0 {
			continue
		}
		info, err := v.Large()
		if err != nil {
			return err
		}
		if info.Kind != record.Bytes || !w.streams(i) {
			continue
		}
		blob, err := w.t.c.OpenBlob("main", w.p.table.Name, w.p.table.Shape.Fields[i], row, true)
		if err != nil {
			return err
		}
		left := info.Size
		err = eachChunk(info, chunks, func(b []byte) error {
			left -= int64(len(b))
			n, err := blob.Write(b)
			if err == nil && n < len(b) {
				err = io.ErrShortWrite
			}
			return err
		})
		if err == nil && left != 0 {
			err = errSize
		}
		if err := errors.Join(err, blob.Close()); err != nil {
			return err
		}
	}
	return nil
}

// eachChunk calls f with each chunk of a large value, in order.
func eachChunk(info record.LargeInfo, chunks endpoint.ChunkSource, f func([]byte) error) error {
	if chunks == nil {
		return errNoChunks
	}
	for _, h := range info.Hashes {
		b, err := chunks(h)
		if err != nil {
			return err
		}
		if err := f(b); err != nil {
			return err
		}
	}
	return nil
}

// keyOf makes the key of a row; it is valid until the next.
func (w *writer) keyOf(row []record.Value) (record.Key, error) {
	w.keys = w.keys[:0]
	for _, part := range w.p.key {
		w.keys = append(w.keys, row[part.field])
	}
	return w.check.r.keyOf(w.keys)
}

// verify reads back the row that was inserted, or the row k, and refuses it if a column
// has made another value of what it was given.
func (w *writer) verify(k record.Key) error {
	if k == nil {
		var err error
		if k, err = w.keyOf(w.to); err != nil {
			return err
		}
		k = append(record.Key(nil), k...)
	}
	im, err := w.row(w.check, k, nil)
	if err != nil {
		return err
	}
	for i, v := range w.to {
		if !w.affinity[i].alters(v) {
			continue
		}
		if im != nil {
			got, err := im.Value(i)
			if err != nil {
				return err
			}
			if got.Equal(v) {
				continue
			}
		}
		return refuse(w.p, "column %s of type %s cannot hold %v as it is", w.p.table.Shape.Fields[i], w.typeOf(i), v)
	}
	return nil
}

func (w *writer) typeOf(i int) string {
	for _, col := range w.p.table.Columns {
		if w.p.table.Shape.Index(col.Name) == i {
			return col.Type
		}
	}
	return ""
}

// str is the string of b, without a copy: SQLite takes its own at once.
func str(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}
