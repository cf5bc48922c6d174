package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/reference"
	"popsim/cmd/popsim/internal/verb"
	"popsim/experiment"
)

func modelsVerb() *cobra.Command {
	var asTOML bool
	cmd := &cobra.Command{
		Use:         "models [MODEL|NETWORK[:PRESET]]",
		Short:       "The models and networks; of one, equations, parameters, presets",
		Example:     "  popsim models\n  popsim models adex\n  popsim models adex:tb08",
		Annotations: verb.OfModel, ValidArgsFunction: completion.Models,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				reference.List(cmd.OutOrStdout())
				return nil
			case 1:
				switch rates := experiment.IsCANN(args[0]); {
				case rates && asTOML:
					return verb.Misused(errors.New("--toml prints the file of a network of neurons; cann is of rate units, " +
						"and built in"))
				case rates:
					reference.DescribeCANN(cmd.OutOrStdout())
					return nil
				}
				n, err := experiment.ParseNetwork(args, "", nil)
				switch {
				case err != nil:
					return verb.Misused(err)
				case n != nil && asTOML:
					_, err = fmt.Fprint(cmd.OutOrStdout(), n.Description.Text)
					return err
				case n != nil:
					return verb.Misused(reference.DescribeNetwork(cmd.OutOrStdout(), n))
				}
				q, err := experiment.ParseNeuron(args)
				switch {
				case err != nil:
					return verb.Misused(err)
				case asTOML && q.Model.Text != "":
					_, err = fmt.Fprint(cmd.OutOrStdout(), q.Model.Text)
					return err
				case asTOML:
					return verb.Misused(fmt.Errorf("--toml prints the file of a network or of a model that is one; %s is "+
						"built in", args[0]))
				}
				return reference.Describe(cmd.OutOrStdout(), q)
			}
			return verb.Misused(fmt.Errorf("models takes one name, but got %s", strings.Join(args, " ")))
		},
	}
	cmd.Flags().BoolVar(&asTOML, "toml", false, "print the file of a network or a model, to be edited")
	return cmd
}
