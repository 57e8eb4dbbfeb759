package main

import (
	"strings"
)

// localPath refuses the URL of a system that this version cannot open, which would
// otherwise be taken for the path of a file.
func localPath(path string) error {
	scheme, _, ok := strings.Cut(path, "://")
	if !ok || scheme == "sqlite" || scheme == "file" || strings.ContainsAny(scheme, "/\\.") {
		return nil
	}
	return &usageError{
		msg:  "cannot open " + quoteArg(scheme+"://..."),
		hint: "this version opens SQLite files: a path, or sqlite:PATH",
	}
}
