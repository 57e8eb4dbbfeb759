package syncline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// DefaultStateDir is where the state of all pairs is kept unless it is said otherwise:
// $XDG_STATE_HOME/syncline or ~/.local/state/syncline, on macOS
// ~/Library/Application Support/syncline, on Windows %LocalAppData%\syncline. It need
// not exist.
func DefaultStateDir() (string, error) {
	base, err := stateBase(runtime.GOOS, os.Getenv, os.UserHomeDir)
	if err != nil {
		return "", fmt.Errorf("state directory: %w", err)
	}
	return filepath.Join(base, "syncline"), nil
}

func stateBase(system string, env func(string) string, home func() (string, error)) (string, error) {
	// The base directory specification has a relative path ignored.
	if dir := env("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	if system == "windows" {
		if dir := env("LocalAppData"); dir != "" {
			return dir, nil
		}
		return "", errors.New("%LocalAppData% is not set")
	}
	dir, err := home()
	if err != nil {
		return "", err
	}
	if system == "darwin" {
		return filepath.Join(dir, "Library", "Application Support"), nil
	}
	return filepath.Join(dir, ".local", "state"), nil
}
