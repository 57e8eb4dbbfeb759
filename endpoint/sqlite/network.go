package sqlite

import (
	"errors"
	"path/filepath"

	"github.com/syncline-io/syncline/endpoint"
)

// refuseNetwork refuses a database on a network file system: the locks of SQLite do not
// hold there, and a database in use by two machines breaks.
func (d *Database) refuseNetwork() error {
	name := networkFileSystem(filepath.Dir(d.path))
	if name == "" {
		return nil
	}
	return d.failure("open", endpoint.Refused, "run Syncline on the machine that has the disk",
		errors.New("is on a network file system ("+name+"), where locks cannot be relied on"))
}
