package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/manual"
	"popsim/cmd/popsim/internal/verb"
	"popsim/fault"
	"popsim/kernels"
	"popsim/sched"
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

func (v *call) versionVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "The version, and what it can use on this machine",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return verb.Misused(fmt.Errorf("version takes no arguments, but got %q", args[0]))
			}
			var sets []string
			for _, isa := range kernels.Available() {
				sets = append(sets, isa.String())
			}
			_, err := fmt.Fprintf(v.Stdout, "popsim %s, %s %s/%s, instruction sets %s, %s\n",
				version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, strings.Join(sets, " "),
				cli.Count(sched.Allowed(), "worker"))
			return err
		},
	}
}

// manualVerb writes the manual pages, for those who package popsim. It is hidden, since a user reads the same by
// --help.
func (v *call) manualVerb() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Manual pages",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return verb.Misused(fmt.Errorf("man takes one directory, but got %d", len(args)))
			}
			if info, err := os.Stat(args[0]); err != nil {
				return verb.Misused(fault.Hint(fmt.Errorf("man: there is no directory %s", args[0]),
					"mkdir -p %s makes it", args[0]))
			} else if !info.IsDir() {
				return verb.Misused(fmt.Errorf("man: %s is not a directory", args[0]))
			}
			return manual.Write(args[0], cmd.Root(), version())
		},
	}
}
