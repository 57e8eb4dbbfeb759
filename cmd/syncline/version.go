package main

import (
	"context"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by releases: -ldflags "-X main.version=1.2.3".
var version string

type versionJSON struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  exactArgs(),
		RunE: a.runner(func(context.Context, []string) (outcome, error) {
			v := buildVersion(version, debug.ReadBuildInfo)
			commit := ""
			if v.Commit != "" {
				commit = ", commit " + v.Commit
			}
			a.say("syncline %s (%s, %s/%s%s)", v.Version, v.Go, v.OS, v.Arch, commit)
			return outcome{summary: v}, nil
		}),
	}
}

// buildVersion is the version that was set, or else what the build recorded.
func buildVersion(set string, read func() (*debug.BuildInfo, bool)) versionJSON {
	v := versionJSON{Version: set, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := read()
	if !ok {
		info = &debug.BuildInfo{}
	}
	if v.Version == "" {
		v.Version = info.Main.Version
	}
	if v.Version == "" || v.Version == "(devel)" {
		v.Version = "devel"
	}
	changed := false
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.Commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = true
		}
	}
	if v.Commit != "" && changed {
		v.Commit += "+changed"
	}
	return v
}
