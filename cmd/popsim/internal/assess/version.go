package assess

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/cli"
	"popsim/cmd/popsim/internal/verb"
	"popsim/kernels"
	"popsim/sched"
)

// Version returns the verb version of a call.
func Version(v *verb.Call) *cobra.Command {
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
				v.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH, strings.Join(sets, " "),
				cli.Count(sched.Allowed(), "worker"))
			return err
		},
	}
}
