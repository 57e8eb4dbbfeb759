package syncline

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/syncline-io/syncline/endpoint"
)

// storeDir is where a pair's directory holds its store.
const storeDir = "store"

// pairDir is the directory of one pair, locked. See [openPairDir].
type pairDir struct {
	path string // "" when there is none, and none may be made
	file pairFile
	// fresh says that nothing is there yet but the directory.
	fresh bool
	// swapped says that the first database is the state's second.
	swapped bool
	// replaced says, in the order of the arguments, that another database lies where the
	// pair's was.
	replaced [2]bool
	// note says why a state that might have been meant is not this pair's, or "".
	note string

	lock *dirLock
	made []string // directories made for it, outermost first
}

// openPairDir finds the directory of the pair of two databases below stateDir, whatever
// their order and the spelling of their paths, and locks it. A pair that has none gets
// one; with readOnly it does not, and nothing is written. in is what the two databases
// say of themselves, in the order of the arguments.
func openPairDir(stateDir string, in [2]*endpoint.Inspection, readOnly bool) (*pairDir, error) {
	if stateDir == "" {
		return nil, usage("no state directory")
	}
	// Between finding a directory and locking it, another run may have moved the pair or
	// removed it. Each round that fails means that one has ended, so this ends.
	for range 10 {
		m, err := findPair(stateDir, in)
		if err != nil {
			return nil, err
		}
		d := &pairDir{
			path: m.dir, file: m.file, swapped: m.swapped,
			replaced: m.replaced, note: m.note, fresh: m.dir == "",
		}
		if d.fresh {
			if readOnly {
				return d, nil
			}
			if err := d.make(stateDir, in); err != nil {
				return nil, fmt.Errorf("state directory: %w", err)
			}
		}
		if d.lock, err = lockDir(d.path, readOnly); err != nil {
			d.unmake()
			return nil, err
		}
		again, err := findPair(stateDir, in)
		if err != nil {
			d.Close()
			return nil, err
		}
		if again.dir == m.dir && again.file == m.file && again.swapped == m.swapped {
			if d.fresh {
				// A crash before the pair file was written, or somebody removed that: what
				// is in the store is not known to be of these databases.
				if err := os.RemoveAll(d.store()); err != nil {
					d.Close()
					return nil, fmt.Errorf("state directory: %w", err)
				}
			}
			return d, nil
		}
		d.Close()
	}
	return nil, &BusyError{Path: stateDir}
}

// side returns the index in the state of the database that is the i-th argument, and the
// other way round.
func (d *pairDir) side(i int) int {
	if d.swapped {
		return 1 - i
	}
	return i
}

func (d *pairDir) store() string { return filepath.Join(d.path, storeDir) }

// record writes down which pair this is and where its databases were seen, in the order
// of the arguments.
func (d *pairDir) record(pair endpoint.Pair, in [2]*endpoint.Inspection) error {
	f := pairFile{Format: pairFormat, Pair: hexID(pair)}
	for i := range in {
		f.Sides[d.side(i)] = sideOf(in[i], pair)
	}
	if f == d.file {
		return nil
	}
	if err := writePairFile(d.path, f); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	d.file, d.fresh = f, false
	return nil
}

// Close lets go of the directory. One that is still fresh goes, with what was made for it.
func (d *pairDir) Close() error {
	if d.path == "" {
		return nil
	}
	if !d.fresh {
		d.lock.unlock()
		return nil
	}
	return d.remove()
}

// remove removes the directory and everything in it.
func (d *pairDir) remove() error {
	if d.path == "" || d.lock == nil {
		return nil
	}
	err := d.lock.removeDir()
	d.unmake()
	if err != nil {
		return fmt.Errorf("remove the state of the pair: %w", err)
	}
	return nil
}

// unmake removes the directories that were made and are empty.
func (d *pairDir) unmake() {
	for _, dir := range slices.Backward(d.made) {
		os.Remove(dir) // fails, as it should, when somebody has put something there
	}
}

// make makes a directory for a pair that has none.
func (d *pairDir) make(stateDir string, in [2]*endpoint.Inspection) error {
	name, err := freeName(stateDir, in)
	if err != nil {
		return err
	}
	d.path = filepath.Join(stateDir, name)
	d.made, err = makeDirs(d.path)
	if err != nil {
		d.unmake()
	}
	return err
}

// makeDirs makes a directory and what is missing above it, and returns what it made.
func makeDirs(path string) (made []string, err error) {
	var missing []string
	for dir := path; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		missing = append(missing, dir)
	}
	for _, dir := range slices.Backward(missing) {
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return made, err
		}
		made = append(made, dir)
		if err := syncDir(filepath.Dir(dir)); err != nil {
			return made, err
		}
	}
	return made, nil
}

// dirName is the name of the directory of a pair at two paths: the same for both orders,
// so that two first runs meet at one lock.
func dirName(in [2]*endpoint.Inspection) string {
	paths := []string{in[0].Path, in[1].Path}
	slices.Sort(paths)
	sum := sha256.Sum256([]byte(paths[0] + "\x00" + paths[1]))
	return hex.EncodeToString(sum[:8])
}

// freeName returns a name that no other pair's directory has. The name of the two paths is
// taken when another pair began there and has moved since.
func freeName(stateDir string, in [2]*endpoint.Inspection) (string, error) {
	base := dirName(in)
	for n := 1; ; n++ {
		name := base
		if n > 1 {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		_, err := os.Stat(filepath.Join(stateDir, name, pairFileName))
		if errors.Is(err, fs.ErrNotExist) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
	}
}
