package record_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/record"
	"pgregory.net/rapid"
)

func TestImageRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(genValue(), 0, 30).Draw(t, "vs")
		im := image(vs...)
		if err := im.Check(); err != nil {
			t.Fatal(err)
		}
		back, err := im.Values(make([]record.Value, 3))
		if n, lenErr := im.Len(); err != nil || lenErr != nil || n != len(vs) {
			t.Fatalf("%d values: %v, %d, %v", len(vs), err, n, lenErr)
		}
		if !slices.EqualFunc(vs, back, record.Value.Equal) {
			t.Fatalf("got %v, want %v", back, vs)
		}
		for i, v := range vs {
			if w, err := im.Value(i); err != nil || !w.Equal(v) {
				t.Fatalf("value %d: got %v, %v, want %v", i, w, err, v)
			}
		}
	})
}

func TestImageIsTheOraclesArray(t *testing.T) {
	enc, _ := oracle(t)
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(genScalar(), 0, 30).Draw(t, "vs")
		natives := make([]any, len(vs))
		for i, v := range vs {
			natives[i] = native(v)
		}
		if want, err := enc.Marshal(natives); err != nil || !bytes.Equal(image(vs...), want) {
			t.Fatalf("got %x, oracle %x, %v", image(vs...), want, err)
		}
	})
	var w record.ImageWriter
	w.Reset(5)
	w.Null()
	w.Int(-5)
	w.Float(19.9)
	w.Text([]byte("a\xff"))
	w.Bytes([]byte{1})
	want, err := enc.Marshal([]any{nil, -5, 19.9, cbor.Tag{Number: 0x53594c01, Content: []byte("a\xff")}, []byte{1}})
	if err != nil || !bytes.Equal(w.Image(), want) {
		t.Fatalf("got %x, oracle %x, %v", w.Image(), want, err)
	}
}

func TestImageWriterCountsValues(t *testing.T) {
	var w record.ImageWriter
	w.Reset(2)
	w.Int(1)
	if im := w.Image(); im != nil || !errors.Is(w.Err(), record.ErrImage) {
		t.Errorf("one of two: %x, %v", im, w.Err())
	}
	w.Int(2)
	if im := w.Image(); im == nil || w.Err() != nil {
		t.Errorf("two of two: %x, %v", im, w.Err())
	}
	w.Int(3)
	if im := w.Image(); im != nil || !errors.Is(w.Err(), record.ErrImage) {
		t.Errorf("three of two: %x, %v", im, w.Err())
	}
}

func TestChunks(t *testing.T) {
	raw := make([]byte, 2*record.ChunkSize+5)
	for i := range raw {
		raw[i] = byte('a' + i/record.ChunkSize)
	}
	for _, kind := range []record.Kind{record.Text, record.RawText, record.Bytes} {
		if kind == record.RawText {
			raw[7] = 0xff
		}
		var got []byte
		var hashes []causal.Hash
		w := record.ImageWriter{Chunks: func(h causal.Hash, data []byte) error {
			if h != sha256.Sum256(data) {
				t.Errorf("chunk %d has another hash", len(hashes))
			}
			got, hashes = append(got, data...), append(hashes, h)
			return nil
		}}
		w.Reset(2)
		w.Int(1)
		if kind == record.Bytes {
			w.Bytes(raw)
		} else {
			w.Text(raw)
		}
		im := w.Image()
		v, err := im.Value(1)
		if err != nil {
			t.Fatal(err)
		}
		info, err := v.Large()
		if err != nil || info.Kind != kind || info.Size != int64(len(raw)) || !slices.Equal(info.Hashes, hashes) {
			t.Errorf("large is %+v, %v", info, err)
		}
		if !bytes.Equal(got, raw) || len(hashes) != 3 {
			t.Errorf("%d chunks of %d bytes", len(hashes), len(got))
		}
		var each []causal.Hash
		if err := im.EachChunk(func(h causal.Hash) { each = append(each, h) }); err != nil || !slices.Equal(each, hashes) {
			t.Errorf("EachChunk: %x, %v", each, err)
		}
		w.Chunks = nil
		w.Reset(2)
		w.Int(1)
		w.Value(v)
		if !bytes.Equal(w.Image(), im) {
			t.Error("a large value written again is other bytes")
		}
	}
}

func TestChunkSizeIsInline(t *testing.T) {
	v, err := image(record.BytesValue(bigZeros[:record.ChunkSize])).Value(0)
	if err != nil || v.Kind() != record.Bytes {
		t.Errorf("%d bytes: kind %d, %v", record.ChunkSize, v.Kind(), err)
	}
	if _, err := v.Large(); !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("Large of bytes: %v", err)
	}
}

func TestChunkErrorSticks(t *testing.T) {
	full := errors.New("disk full")
	w := record.ImageWriter{Chunks: func(causal.Hash, []byte) error { return full }}
	w.Reset(2)
	w.Bytes(bigZeros)
	w.Int(1)
	if w.Image() != nil || !errors.Is(w.Err(), full) {
		t.Errorf("got %v", w.Err())
	}
	w.Reset(1)
	w.Int(1)
	if w.Image() == nil || w.Err() != nil {
		t.Errorf("after Reset: %v", w.Err())
	}
}

func TestImageRefuses(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":        {},
		"no array":       {0x01},
		"too few":        {0x82, 0x01},
		"too many":       {0x81, 0x01, 0x02},
		"absurd count":   {0x9b, 0, 0, 0, 1, 0, 0, 0, 0},
		"bad value":      {0x81, 0xf7},
		"head too long":  {0x98, 0x01, 0x01},
		"an open array":  {0x9f, 0x01, 0xff},
		"nested":         {0x81, 0x80},
		"cut large head": {0x81, 0xda, 0x53, 0x59, 0x4c, 0x02},
	} {
		if vs, err := record.Image(b).Values(nil); !errors.Is(err, record.ErrCorrupt) || len(vs) > 0 {
			t.Errorf("%s: got %v, %v, want ErrCorrupt", name, vs, err)
		}
		if err := record.Image(b).Check(); !errors.Is(err, record.ErrCorrupt) {
			t.Errorf("%s: Check: %v, want ErrCorrupt", name, err)
		}
	}
	if _, err := image().Value(0); !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("value that is not there: %v", err)
	}
}
