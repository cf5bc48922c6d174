package assess

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
	"popsim/verify"
)

// Verify returns the verb verify of a call.
func Verify(v *verb.Call) *cobra.Command {
	var f verb.Flags
	cmd := &cobra.Command{
		Use:               "verify [FILE.toml[:PRESET]]",
		Short:             "Check accuracy and bit-identity on this machine",
		Long:              topics.Text("verify"),
		Example:           "  popsim verify\n  popsim verify ./cell.toml\n  popsim verify morris-lecar:snic",
		ValidArgsFunction: completion.Equations,
		RunE: func(cmd *cobra.Command, args []string) error {
			list, label := verify.Checks(), "all"
			if len(args) > 0 {
				n, err := experiment.ParseNeuron(args)
				if err == nil && !n.Model.Outside() {
					err = fmt.Errorf("%s is built in; verify without a name checks all built-in models", n.Model.Name)
				}
				if err == nil && len(args) > 1 {
					err = fmt.Errorf("verify takes one model, but got %s; a preset holds values", strings.Join(args, " "))
				}
				if err := verb.Misused(err); err != nil {
					return err
				}
				list, label = verify.Equations(n.Model, n.Preset), n.Model.Name
			}
			if err := f.CheckProfile(); err != nil {
				return verb.Misused(err)
			}
			return v.Compute(cmd.Context(), &f, "verify", label,
				func(ctx context.Context) error { return verify.Report(ctx, list, v.Stdout) })
		},
	}
	f.Profiling(cmd.Flags())
	return cmd
}
