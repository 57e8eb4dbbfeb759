package syncline

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/syncline-io/syncline/endpoint"
)

// pairFileName is the file that says whose state a directory holds:
//
//	{"format":1,"pair":"<32 hex digits>","sides":[
//	  {"path":"/data/a.db","file":"2049:131","marker":"<32 hex digits>"},
//	  {"path":"/data/b.db","file":"2049:132","marker":""}]}
//
// pair is the id that both databases know the pair by. The sides are in the order of the
// state, which is that of the arguments of the first run, and as they were last seen: the
// canonical path ("hex:" and hexadecimal digits where it is not UTF-8), the identity of
// the file behind it, and the marker, empty for a database that the pair wrote nothing to:
// a marker that only other pairs put there comes and goes with them.
// Fields that a reader does not know are ignored.
const pairFileName = "pair.json"

// pairFormat is the format that this version writes. A change of meaning raises it and
// adds a conversion from the format before to pairConversions.
const pairFormat = 1

// pairConversions convert a file of the format that is their index plus one to the next.
var pairConversions = []func(*pairFile) error{}

type pairFile struct {
	Format int         `json:"format"`
	Pair   hexID       `json:"pair"`
	Sides  [2]pairSide `json:"sides"`
}

// pairSide is one database of the pair as it was last seen.
type pairSide struct {
	Path   pathText `json:"path"`
	File   string   `json:"file"`
	Marker hexID    `json:"marker"`
}

// sideOf is a database of the pair as it is seen now.
func sideOf(in *endpoint.Inspection, pair endpoint.Pair) pairSide {
	s := pairSide{Path: pathText(in.Path), File: in.FileID}
	if _, bound := in.Binding(pair); bound {
		s.Marker = in.Marker
	}
	return s
}

// hexID is an id of 16 bytes, written as 32 hexadecimal digits; zero is the empty string.
type hexID [16]byte

// MarshalText implements encoding.TextMarshaler.
func (id hexID) MarshalText() ([]byte, error) {
	if id == (hexID{}) {
		return []byte{}, nil
	}
	return hex.AppendEncode(nil, id[:]), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *hexID) UnmarshalText(b []byte) error {
	*id = hexID{}
	if len(b) == 0 {
		return nil
	}
	if len(b) != 2*len(id) {
		return errors.New("id of another length")
	}
	_, err := hex.Decode(id[:], b)
	return err
}

// pathText is a path in a JSON string. Where paths are bytes, they need not be UTF-8.
type pathText string

const hexPath = "hex:"

// MarshalText implements encoding.TextMarshaler.
func (p pathText) MarshalText() ([]byte, error) {
	if utf8.ValidString(string(p)) && !strings.HasPrefix(string(p), hexPath) {
		return []byte(p), nil
	}
	return hex.AppendEncode([]byte(hexPath), []byte(p)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *pathText) UnmarshalText(b []byte) error {
	digits, isHex := strings.CutPrefix(string(b), hexPath)
	if !isHex {
		*p = pathText(b)
		return nil
	}
	raw, err := hex.DecodeString(digits)
	*p = pathText(raw)
	return err
}

// decodePairFile reads a pair file of any format up to this version's, converting older
// ones. One of a newer format is [ErrNewerState], with what could be read of it; anything
// else is [ErrState].
func decodePairFile(b []byte, conversions []func(*pairFile) error) (pairFile, error) {
	var f pairFile
	err := json.Unmarshal(b, &f)
	switch {
	case f.Format > len(conversions)+1:
		return f, ErrNewerState
	case err != nil:
		return pairFile{}, fmt.Errorf("%w: %w", ErrState, err)
	case f.Format < 1:
		return pairFile{}, fmt.Errorf("%w: format %d", ErrState, f.Format)
	}
	for ; f.Format <= len(conversions); f.Format++ {
		if err := conversions[f.Format-1](&f); err != nil {
			return pairFile{}, fmt.Errorf("%w: format %d: %w", ErrState, f.Format, err)
		}
	}
	if f.Pair == (hexID{}) || f.Sides[0].Path == "" || f.Sides[1].Path == "" {
		return pairFile{}, fmt.Errorf("%w: it names no pair", ErrState)
	}
	return f, nil
}

// readPairFile reads the pair file of a directory. One that has none is fs.ErrNotExist.
func readPairFile(dir string) (pairFile, error) {
	path := filepath.Join(dir, pairFileName)
	b, err := os.ReadFile(path)
	if err != nil {
		return pairFile{}, err
	}
	f, err := decodePairFile(b, pairConversions)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return f, err
}

// writePairFile replaces the pair file of a directory: a crash leaves the old one or the
// new one.
func writePairFile(dir string, f pairFile) error {
	f.Format = pairFormat
	b, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("%s: %w", pairFileName, err)
	}
	return replaceFile(filepath.Join(dir, pairFileName), append(b, '\n'))
}

func replaceFile(path string, b []byte) error {
	temp := path + "." + strings.ToLower(rand.Text()[:8]) + ".tmp"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
		return err
	}
	return syncDir(filepath.Dir(path))
}
