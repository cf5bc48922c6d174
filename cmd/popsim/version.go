package main

import (
	"runtime/debug"
)

// The version, and the commit it was built from; scripts/release sets the commit at linking, elsewhere the build may
// know it.
var (
	release = "0.1.0"
	commit  = ""
)

// version is the release and the commit it was built from, as far as is known.
func version() string {
	if commit != "" {
		return release + "+" + commit
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	commit, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = "+" + s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = ".modified"
		}
	}
	return release + commit + modified
}
