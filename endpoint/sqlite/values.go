package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

// errUTF16 reports a text that no UTF-8 stands for, as a UTF-16 database can hold it.
var errUTF16 = errors.New("text is not valid UTF-16")

// smallCell is the size up to which cells are copied into memory that is used again.
const smallCell = 4 << 10

// reader makes images and keys of the rows of one table. The memory of both is used
// again for the next row.
type reader struct {
	c    *conn
	p    *plan
	w    record.ImageWriter
	key  record.Key
	keys []record.Value // by position in the key
	bufs [][]byte       // their memory
	buf  []byte
	raw  []byte // text as a UTF-16 database stores it
}

func newReader(c *conn, p *plan, chunks endpoint.ChunkSink) *reader {
	r := &reader{c: c, p: p, keys: make([]record.Value, len(p.key)), bufs: make([][]byte, len(p.key))}
	r.w.Chunks = chunks
	return r
}

// selects is the list of expressions that [reader.read] expects, each with a prefix such
// as "new.". In a UTF-16 database every column is followed by its text as the bytes that
// are stored: SQLite's own conversion would silently replace what it cannot convert.
func (c *conn) selects(p *plan, prefix string) string {
	if c.utf16 == nil {
		return p.list(prefix)
	}
	var list []string
	for _, col := range p.columns {
		list = append(list, prefix+col, storedText(prefix+col))
	}
	return strings.Join(list, ", ")
}

// keySelects is the list of expressions that [reader.readKey] expects.
func (c *conn) keySelects(p *plan) string {
	var list []string
	for _, k := range p.key {
		list = append(list, k.column)
		if c.utf16 != nil {
			list = append(list, storedText(k.column))
		}
	}
	return strings.Join(list, ", ")
}

// storedText is the text of a column as the bytes that are stored.
func storedText(column string) string {
	return fmt.Sprintf("CASE WHEN typeof(%[1]s) = 'text' THEN CAST(%[1]s AS BLOB) END", column)
}

// read makes the image and key of the row that st stands on, whose columns from first on
// are those of selects.
func (r *reader) read(st *sqlite.Stmt, first int) (record.Key, record.Image, error) {
	r.w.Reset(len(r.p.columns))
	step := 1
	if r.c.utf16 != nil {
		step = 2
	}
	for i, at := range r.p.keyAt {
		buf := &r.buf
		if at >= 0 {
			buf = &r.bufs[at]
		}
		v, err := r.cell(st, first+i*step, buf)
		if err != nil {
			return nil, nil, r.c.d.failure("read "+r.p.table.Name, endpoint.Incompatible, "correct the text in the row",
				fmt.Errorf("table %s, column %s: %w", r.p.table.Name, r.p.table.Shape.Fields[i], err))
		}
		r.w.Value(v)
		if at >= 0 {
			r.keys[at] = v
		}
	}
	key, err := r.keyOf(r.keys)
	if err != nil {
		return nil, nil, err
	}
	return key, r.w.Image(), r.w.Err()
}

// readKey makes the key of a row whose key columns alone, in the order of the key, are
// the columns of st from first on; in a UTF-16 database each with its bytes as in selects.
func (r *reader) readKey(st *sqlite.Stmt, first int) (record.Key, error) {
	step := 1
	if r.c.utf16 != nil {
		step = 2
	}
	for i := range r.keys {
		v, err := r.cell(st, first+i*step, &r.bufs[i])
		if err != nil {
			return nil, r.c.refusedKey(r.p.table, r.p.table.Shape.Fields[r.p.key[i].field], v, err)
		}
		r.keys[i] = v
	}
	return r.keyOf(r.keys)
}

// keyOf makes the key of its values.
func (r *reader) keyOf(vs []record.Value) (record.Key, error) {
	r.key = r.key[:0]
	for i, v := range vs {
		var err error
		if r.key, err = record.AppendKeyValue(r.key, v, r.p.key[i].collation); err != nil {
			return nil, r.c.refusedKey(r.p.table, r.p.table.Shape.Fields[r.p.key[i].field], v, err)
		}
	}
	return r.key, nil
}

// cell returns the value of a column as it is stored. It aliases *buf, or SQLite's memory
// until the next step.
func (r *reader) cell(st *sqlite.Stmt, col int, buf *[]byte) (record.Value, error) {
	switch st.ColumnType(col) {
	case sqlite.TypeInteger:
		return record.IntValue(st.ColumnInt64(col)), nil
	case sqlite.TypeFloat:
		return record.FloatValue(st.ColumnFloat(col)), nil
	case sqlite.TypeBlob:
		return record.BytesValue(blob(st, col, buf)), nil
	case sqlite.TypeText:
		if r.c.utf16 == nil {
			return record.TextValue(blob(st, col, buf)), nil
		}
		raw := blob(st, col+1, &r.raw)
		n := lenUTF8(raw, r.c.utf16)
		if n > smallCell {
			text, err := decodeUTF16(make([]byte, 0, n), raw, r.c.utf16)
			return record.TextValue(text), err
		}
		if len(*buf) == 0 {
			*buf = make([]byte, smallCell)
		}
		text, err := decodeUTF16((*buf)[:0], raw, r.c.utf16)
		return record.TextValue(text), err
	default:
		return record.NullValue(), nil
	}
}

// blob returns the bytes of a column: a copy in *buf when they are few, else SQLite's own.
func blob(st *sqlite.Stmt, col int, buf *[]byte) []byte {
	if len(*buf) == 0 {
		*buf = make([]byte, smallCell)
	}
	if n := st.ColumnBytes(col, *buf); n < len(*buf) {
		return (*buf)[:n]
	}
	var own view
	// bytes.Reader hands its memory to the writer without a copy.
	st.ColumnReader(col).WriteTo(&own)
	return own
}

// view takes the bytes it is written without copying them.
type view []byte

func (v *view) Write(b []byte) (int, error) {
	*v = b
	return len(b), nil
}

// altered reports whether SQLite would store another text in a UTF-16 database than the
// UTF-8 it is given: it takes two code points, and what is not UTF-8, for errors and
// replaces them.
func (c *conn) altered(text []byte) bool {
	return c.utf16 != nil && (bytes.Contains(text, []byte("\ufffe")) || bytes.Contains(text, []byte("\uffff")) || !utf8.Valid(text))
}

// storedBytes is text in the form that a UTF-16 database stores.
type storedBytes []byte

// parameter is the operand of a statement that [bind] makes a. Text that cannot be bound
// is a literal: SQLite takes a literal's bytes, unlike those of a bound blob, for text in
// the database's encoding. The plus takes the affinity of the cast away, which would
// convert what the operand is compared with.
func parameter(n int, a any) string {
	if b, ok := a.(storedBytes); ok {
		return fmt.Sprintf("+CAST(x'%x' AS TEXT)", []byte(b))
	}
	return fmt.Sprintf("?%d", n)
}

// encodeUTF16 appends the UTF-16 of valid UTF-8.
func encodeUTF16(dst, text []byte, order binary.AppendByteOrder) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		text = text[n:]
		if r >= 0x10000 {
			r1, r2 := utf16.EncodeRune(r)
			dst = order.AppendUint16(order.AppendUint16(dst, uint16(r1)), uint16(r2))
			continue
		}
		dst = order.AppendUint16(dst, uint16(r))
	}
	return dst
}

// lenUTF8 returns the length of a UTF-16 text as UTF-8, if it is valid.
func lenUTF8(b []byte, order binary.ByteOrder) int {
	n := 0
	for ; len(b) >= 2; b = b[2:] {
		switch r := rune(order.Uint16(b)); {
		case r < 0x80:
			n++
		case r < 0x800 || utf16.IsSurrogate(r): // two surrogates make four bytes
			n += 2
		default:
			n += 3
		}
	}
	return n
}

// decodeUTF16 appends the UTF-8 of a UTF-16 text, or fails if there is none.
func decodeUTF16(dst, b []byte, order binary.ByteOrder) ([]byte, error) {
	if len(b)%2 != 0 {
		return dst, errUTF16
	}
	for len(b) > 0 {
		r := rune(order.Uint16(b))
		b = b[2:]
		if utf16.IsSurrogate(r) {
			if len(b) < 2 {
				return dst, errUTF16
			}
			if r = utf16.DecodeRune(r, rune(order.Uint16(b))); r == utf8.RuneError {
				return dst, errUTF16
			}
			b = b[2:]
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, nil
}
