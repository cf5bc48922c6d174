package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"popsim/kernels"
	"popsim/sched"
)

// The version, and the commit it was built from; scripts/release sets the commit at linking, elsewhere the build may know it.
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

func (v *call) versionVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "The version, and what it can use on this machine",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return misused(fmt.Errorf("version takes no arguments, but got %q", args[0]))
			}
			var sets []string
			for _, isa := range kernels.Available() {
				sets = append(sets, isa.String())
			}
			_, err := fmt.Fprintf(v.stdout, "popsim %s, %s %s/%s, instruction sets %s, %s\n",
				version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, strings.Join(sets, " "), counted(sched.Allowed(), "worker"))
			return err
		},
	}
}
