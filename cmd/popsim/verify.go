package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"popsim/verify"
)

const verifyHelp = `verify proves on this machine what popsim promises: closed forms, published thresholds and bifurcation points, the order
of every method against an independent integrator, and the same bits for any instruction set, number of workers, size of
shards and length of epochs, for a sweep in parts, and after an interruption. A line for each check says what was found
and what was allowed; the last line counts them. The exit code is 1 when a check fails.`

func (v *call) verifyVerb() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove truth and bit-identity on this machine",
		Long:  verifyHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return misused(fmt.Errorf("verify takes no arguments, but got %q", args[0]))
			}
			if err := f.checkProfile(); err != nil {
				return misused(err)
			}
			return v.compute(cmd.Context(), &f, "verify", "all", func(ctx context.Context) error { return verify.Report(ctx, verify.Checks(), v.stdout) })
		},
	}
	f.profiling(cmd.Flags())
	return cmd
}
