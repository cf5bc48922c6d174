package manual

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/verb"
	"popsim/fault"
)

// Verb returns the command that writes the manual pages of a version, for those who package popsim. It is hidden, since
// a user reads the same by --help.
func Verb(version string) *cobra.Command {
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
			return Write(args[0], cmd.Root(), version)
		},
	}
}
