package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/reference"
	"popsim/experiment"
)

func modelsVerb() *cobra.Command {
	var asTOML bool
	cmd := &cobra.Command{
		Use:         "models [MODEL|NETWORK[:PRESET]]",
		Short:       "The models and networks; of one, equations, parameters, presets",
		Example:     "  popsim models\n  popsim models adex\n  popsim models adex:tb08",
		Annotations: ofModel, ValidArgsFunction: completion.Models,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				reference.List(cmd.OutOrStdout())
				return nil
			case 1:
				n, err := experiment.ParseNetwork(args, "", nil)
				switch {
				case err != nil:
					return misused(err)
				case n != nil && asTOML:
					_, err = fmt.Fprint(cmd.OutOrStdout(), n.Description.Text)
					return err
				case n != nil:
					return misused(reference.DescribeNetwork(cmd.OutOrStdout(), n))
				case asTOML:
					return misused(fmt.Errorf("--toml prints the description of a network; %s is none", args[0]))
				}
				q, err := experiment.ParseNeuron(args)
				if err != nil {
					return misused(err)
				}
				return reference.Describe(cmd.OutOrStdout(), q)
			}
			return misused(fmt.Errorf("models takes one name, but got %s", strings.Join(args, " ")))
		},
	}
	cmd.Flags().BoolVar(&asTOML, "toml", false, "print the description of a network, to be edited")
	return cmd
}
