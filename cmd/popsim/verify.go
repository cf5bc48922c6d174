package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/verify"
)

func (v *call) verifyVerb() *cobra.Command {
	var f verb.Flags
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove truth and bit-identity on this machine",
		Long:  topics.Text("verify"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return verb.Misused(fmt.Errorf("verify takes no arguments, but got %q", args[0]))
			}
			if err := f.CheckProfile(); err != nil {
				return verb.Misused(err)
			}
			return v.Compute(cmd.Context(), &f, "verify", "all",
				func(ctx context.Context) error { return verify.Report(ctx, verify.Checks(), v.Stdout) })
		},
	}
	f.Profiling(cmd.Flags())
	return cmd
}
