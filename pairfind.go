package syncline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/syncline-io/syncline/endpoint"
)

// pairMatch is the directory that holds the state of two databases.
type pairMatch struct {
	dir     string // "" when there is none
	file    pairFile
	swapped bool
	// replaced says, in the order of the arguments, that another database lies where the
	// pair's was.
	replaced [2]bool
	note     string // see [pairDir]
}

// findPair looks through the pairs below stateDir for the one of two databases. That a
// directory is theirs does not say that its history is: an older backup at the same path
// has the same directory, and is told apart by what the store remembers.
func findPair(stateDir string, in [2]*endpoint.Inspection) (pairMatch, error) {
	entries, err := os.ReadDir(stateDir)
	if errors.Is(err, fs.ErrNotExist) {
		return pairMatch{}, nil
	}
	if err != nil {
		return pairMatch{}, fmt.Errorf("state directory: %w", err)
	}
	var best pairMatch
	var bestScore likeness
	var failed error // of the best match
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		dir := filepath.Join(stateDir, e.Name())
		f, err := readPairFile(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil && e.Name() == dirName(in):
			return pairMatch{}, err
		case err != nil && !errors.Is(err, ErrNewerState):
			continue // some other pair's trouble, as far as anyone can tell
		}
		for _, swapped := range []bool{false, true} {
			like, note := f.match(in, swapped)
			if note != "" && best.note == "" {
				best.note = note
			}
			if score := like[0] + like[1]; score > bestScore {
				bestScore, failed = score, err
				best = pairMatch{dir, f, swapped, [2]bool{like[0] == replaced, like[1] == replaced}, best.note}
			}
		}
	}
	if bestScore > 0 {
		best.note = ""
	}
	return best, failed
}

// likeness says how much a database is like one that a pair file names.
type likeness int

const (
	other    likeness = iota
	replaced          // at the path, and something else: the history is not its own
	moved             // gone from the path, and this is it by pair and marker
	renamed           // the same file by its identity, under another path
	inPlace
)

// match says how much the two databases are like the pair's; other both when they are not
// the pair.
func (f *pairFile) match(in [2]*endpoint.Inspection, swapped bool) (like [2]likeness, note string) {
	var copied [2]bool
	for i := range in {
		s := &f.Sides[i]
		if swapped {
			s = &f.Sides[1-i]
		}
		like[i], copied[i] = s.like(in[i], f.Pair)
	}
	if like[0] > other && like[1] > other {
		return like, ""
	}
	for i := range in {
		if copied[i] && (like[1-i] > other || copied[1-i]) {
			original := f.Sides[i].Path
			if swapped {
				original = f.Sides[1-i].Path
			}
			note = fmt.Sprintf("%s is a copy of %s", in[i].Path, original)
			break
		}
	}
	return [2]likeness{}, note
}

// like says how much a database is like this side. copied says that it has the side's past
// inside, but the side itself is still where it was.
func (s *pairSide) like(in *endpoint.Inspection, pair hexID) (l likeness, copied bool) {
	here := in.Path == string(s.Path)
	sameFile := in.FileID != "" && in.FileID == s.File
	_, bound := in.Binding(endpoint.Pair(pair))
	switch {
	case bound && (s.Marker == (hexID{}) || s.Marker == in.Marker):
		switch {
		case here:
			return inPlace, false
		case sameFile:
			return renamed, false
		case stillThere(string(s.Path)):
			return other, true
		}
		return moved, false
	case !here:
		return other, false
	case !bound && s.Marker == (hexID{}) && sameFile:
		// The pair never wrote to it: path and file are all there is to know it by.
		return inPlace, false
	}
	return replaced, false
}

// stillThere reports whether something lies at the path where a database was last seen.
// What it is would need opening it; taking a database for a copy when in doubt costs a
// comparison, taking a copy for the database would cost rows.
func stillThere(path string) bool {
	if !filepath.IsAbs(path) {
		return false // not a file's
	}
	_, err := os.Lstat(path)
	return err == nil
}
