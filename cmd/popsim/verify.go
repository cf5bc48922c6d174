package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/topics"
	"popsim/verify"
)

func (v *call) verifyVerb() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove truth and bit-identity on this machine",
		Long:  topics.Text("verify"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return misused(fmt.Errorf("verify takes no arguments, but got %q", args[0]))
			}
			if err := f.checkProfile(); err != nil {
				return misused(err)
			}
			return v.compute(cmd.Context(), &f, "verify", "all",
				func(ctx context.Context) error { return verify.Report(ctx, verify.Checks(), v.stdout) })
		},
	}
	f.profiling(cmd.Flags())
	return cmd
}
