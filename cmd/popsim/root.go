package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/help"
	"popsim/fault"
	"popsim/model"
)

const rootHelp = `popsim simulates populations of single neurons, fast and exactly repeatable: f-I curves, bifurcation maps, phase
planes and bifurcation diagrams of five classical models, with spikes placed inside the time step.

  popsim run lif:slide I=21 --time 200ms --spikes /dev/stdout
  popsim fi hh I=0:20:0.5 --plot fi.svg
  popsim models adex
  popsim experiment.toml`

// root is the tree of verbs.
func (v *call) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "popsim VERB MODEL[:PRESET] [NAME=VALUE ...]",
		Short:         "populations of single neurons",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          unknownVerb,

		DisableFlagsInUseLine: true,
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		v.cmd = cmd
		return misused(flagset.CheckEmpty(cmd.Flags()))
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return misused(flagset.Explain(cmd, err)) })
	help.Fit(root)
	root.SetHelpCommand(helpVerb(root))
	for _, g := range []struct {
		title string
		verbs []*cobra.Command
	}{
		{"Simulate and analyse:", []*cobra.Command{v.runVerb(), v.fiVerb(), v.mapVerb(), v.phaseVerb(), v.bifurcationVerb()}},
		{"Reference and validation:", []*cobra.Command{modelsVerb(), v.convergenceVerb(), v.verifyVerb(), v.benchVerb(), v.versionVerb()}},
		{"Sweeps in parts:", []*cobra.Command{v.submitVerb(), v.statusVerb(), v.mergeVerb()}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, verb := range g.verbs {
			verb.GroupID = g.title
			root.AddCommand(verb)
		}
	}
	root.AddCommand(v.manualVerb(), valuesTopic(), measuresTopic(), picturesTopic(), experimentTopic())
	if len(v.args) > 0 && strings.HasPrefix(v.args[0], cobra.ShellCompRequestCmd) { // cobra keeps what is registered for ever
		root.ValidArgsFunction = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault) // an experiment file
		for _, c := range root.Commands() {
			completion.Flags(c)
		}
	}
	return root
}

// helpVerb is help on a verb or topic.
func helpVerb(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [VERB]",
		Short: "Help on a verb or a topic",

		ValidArgsFunction: completion.Verbs(root),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return root.Help()
			}
			cmd, _, err := root.Find(args)
			if err != nil || cmd == root {
				return unknownVerb(root, args)
			}
			return cmd.Help()
		},
	}
}

// unknownVerb answers what is no verb, or nothing at all.
func unknownVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s\n\n%s\n", help.Wrap(cmd.Long), cmd.UsageString())
		return misused(fault.Hint(errors.New("no verb given"), "try: popsim run lif I=21; popsim VERB --help says more"))
	}
	var verbs []string
	for _, c := range cmd.Commands() {
		verbs = append(verbs, c.Name())
	}
	err := fmt.Errorf("there is no verb %q", args[0])
	name, _, _ := strings.Cut(args[0], ":")
	if slices.Contains(model.Names(), name) {
		return misused(fault.Hint(err, "a verb comes before the model: popsim run %s", strings.Join(args, " ")))
	}
	if near := model.Nearest(args[0], verbs); near != "" {
		return misused(fault.Hint(err, "did you mean popsim %s?", near))
	}
	return misused(fault.Hint(err, "popsim --help lists them"))
}

const valuesHelp = `NAME=VALUE sets a parameter of the model, the input current I, or an initial state (V0, w0, m0, h0, n0).
popsim models MODEL lists the names. A number may carry a unit that fits: tau=10ms, I=0.8nA; a bare number is in the
model's own unit.

  I=21               one value
  I=5,6,7            a list
  I=0:20:0.5         from 0 to 20 in steps of 0.5; 20 is included where the steps reach it
  I=0:20/201         201 values from 0 to 20, both included
  I=log:1:100/50     50 values, evenly spaced in the logarithm
  I=@file.npy        one value per point, or per neuron in run, from a file:
                     .npy, or .csv, .npz, .parquet of one column
  I=@file.csv:COL    one column of a table, by its header; "I (nA)" and "I_nA"
                     give their unit
  I=-5:20            an interval, for bifurcation only
  I=normal:21:2      run only: a draw for each neuron, of mean 21 and standard deviation 2
  I=uniform:15:30    run only: a draw for each neuron between 15 and 30

A list has units for all of its numbers or for none. lif, eif and adex also take C, g_L and E_L instead of R, tau and V_rest;
names of NEST, PyNN and Brian2 are answered with what they are called here.

Several lists or ranges make a grid, in which the last one named varies fastest; --zip pairs them instead. Draws depend
on --seed, the name and the number of the neuron alone. MODEL:PRESET starts from a published set of parameters, which
may fix I too; what is named afterwards is set on top of it. run also knows gain, with which a neuron takes --waveform.`

// valuesTopic is help on the grammar of values.
func valuesTopic() *cobra.Command {
	return &cobra.Command{Use: "values", Short: "How NAME=VALUE is written", Long: valuesHelp}
}
