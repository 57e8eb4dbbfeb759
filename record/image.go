package record

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/syncline-io/syncline/causal"
)

// Image is a row: the CBOR array of its values in the order of a [Shape]. Two rows of one
// shape are equal exactly when their images are equal bytes.
type Image []byte

// ErrImage reports an image written with another number of values than announced.
var ErrImage = errors.New("image does not have as many values as its shape")

// ImageWriter makes images, one value after the other, in memory that it uses again. The
// zero ImageWriter writes images of no fields; Reset comes first. It is not safe for
// concurrent use.
type ImageWriter struct {
	// Chunks is handed each chunk of a large value, in order; data aliases the value.
	// When nil, large values are hashed and their chunks go nowhere: enough to compare.
	Chunks func(hash causal.Hash, data []byte) error

	buf  []byte
	want int
	have int
	err  error
}

// Reset begins an image of the given number of fields. The image made before is no
// longer valid.
func (w *ImageWriter) Reset(fields int) {
	w.buf = appendHead(w.buf[:0], majorArray, uint64(fields))
	w.want, w.have, w.err = fields, 0, nil
}

// Null writes null.
func (w *ImageWriter) Null() {
	w.have++
	w.buf = append(w.buf, cborNull)
}

// Int writes an integer.
func (w *ImageWriter) Int(i int64) {
	w.have++
	w.buf = appendInt(w.buf, i)
}

// Float writes a float.
func (w *ImageWriter) Float(f float64) {
	w.have++
	w.buf = appendFloat(w.buf, f)
}

// Text writes text; what is not UTF-8 becomes RawText. b is copied.
func (w *ImageWriter) Text(b []byte) {
	kind := Text
	if !utf8.Valid(b) {
		kind = RawText
	}
	w.string(kind, b)
}

// Bytes writes bytes. b is copied.
func (w *ImageWriter) Bytes(b []byte) { w.string(Bytes, b) }

// Value writes any value. What it aliases is copied.
func (w *ImageWriter) Value(v Value) {
	switch v.kind {
	case Text, RawText, Bytes:
		w.string(v.kind, v.raw)
	default:
		w.have++
		w.buf = AppendValue(w.buf, v)
	}
}

// Image returns the image written since Reset; it aliases the writer until the next
// Reset. It is nil when [ImageWriter.Err] is not.
func (w *ImageWriter) Image() Image {
	if w.Err() != nil {
		return nil
	}
	return Image(w.buf)
}

// Err returns the first error of Chunks, or [ErrImage] when more or fewer values were
// written than announced.
func (w *ImageWriter) Err() error {
	if w.err == nil && w.have != w.want {
		return fmt.Errorf("%d values of %d: %w", w.have, w.want, ErrImage)
	}
	return w.err
}

func (w *ImageWriter) string(kind Kind, b []byte) {
	w.have++
	if len(b) <= ChunkSize {
		w.buf = appendString(w.buf, kind, b)
		return
	}
	var err error
	if w.buf, err = appendLarge(w.buf, kind, b, w.Chunks); err != nil && w.err == nil {
		w.err = fmt.Errorf("keep chunk: %w", err)
	}
}

// Len returns the number of values, looking at no more than the image's head.
func (im Image) Len() (int, error) {
	n, _, ok := readArray(im)
	if !ok {
		return 0, corrupt("image")
	}
	return n, nil
}

// Values decodes all values, appending to dst[:0]. They alias the image. It allocates
// only when dst is too small.
func (im Image) Values(dst []Value) ([]Value, error) {
	n, b, ok := readArray(im)
	if !ok {
		return dst[:0], corrupt("image")
	}
	dst = slices.Grow(dst[:0], n)[:n]
	for i := range dst {
		size := readValue(b, &dst[i])
		if size == 0 {
			return dst[:0], corrupt("image value")
		}
		b = b[size:]
	}
	if len(b) > 0 {
		return dst[:0], corrupt("image tail")
	}
	return dst, nil
}

// Value decodes the i-th value alone. It aliases the image.
func (im Image) Value(i int) (Value, error) {
	n, b, ok := readArray(im)
	if !ok || i < 0 || i >= n {
		return Value{}, corrupt("image")
	}
	for range i {
		if b, ok = skipValue(b); !ok {
			return Value{}, corrupt("image value")
		}
	}
	v, _, err := DecodeValue(b)
	return v, err
}

// Check reports whether the whole image is canonical, without decoding it into memory.
func (im Image) Check() error {
	n, b, ok := readArray(im)
	if !ok {
		return corrupt("image")
	}
	var v Value
	for range n {
		size := readValue(b, &v)
		if size == 0 {
			return corrupt("image value")
		}
		b = b[size:]
	}
	if len(b) > 0 {
		return corrupt("image tail")
	}
	return nil
}

// EachChunk calls f with the hash of every chunk of the image's large values, in order.
func (im Image) EachChunk(f func(causal.Hash)) error {
	n, b, ok := readArray(im)
	if !ok {
		return corrupt("image")
	}
	for range n {
		if isTag(b, tagLarge) {
			head, rest, err := readLarge(b[tagHeadSize:])
			if err != nil {
				return err
			}
			for ; len(head.hashes) > 0; head.hashes = head.hashes[hashSize:] {
				f(causal.Hash(head.hashes[:hashSize]))
			}
			b = rest
			continue
		}
		if b, ok = skipValue(b); !ok {
			return corrupt("image value")
		}
	}
	return nil
}
