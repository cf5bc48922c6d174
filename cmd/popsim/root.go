package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"popsim/cmd/popsim/internal/help"
	"popsim/experiment"
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
		return filled(cmd.Flags())
	}
	root.SetFlagErrorFunc(flagError)
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
	root.AddCommand(v.manualVerb(), valuesTopic(), measuresTopic(), experimentTopic())
	if len(v.args) > 0 && strings.HasPrefix(v.args[0], cobra.ShellCompRequestCmd) { // cobra keeps what is registered for ever
		root.ValidArgsFunction = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault) // an experiment file
		for _, c := range root.Commands() {
			completeFlags(c)
		}
	}
	return root
}

// addCompletion adds cobra's own verb, which writes to the output that root has now, and makes it refuse what is no shell.
func addCompletion(root *cobra.Command, args []string) {
	root.InitDefaultCompletionCmd(args...)
	at := slices.IndexFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == "completion" })
	if at < 0 {
		return
	}
	completion := root.Commands()[at]
	var shells []string
	for _, c := range completion.Commands() {
		shells = append(shells, c.Name())
		c.Args = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return misused(fmt.Errorf("%s takes no %q", cmd.CommandPath(), args[0]))
			}
			return nil
		}
	}
	completion.Args = cobra.ArbitraryArgs
	completion.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return misused(fault.Hint(fmt.Errorf("there is no completion for %q", args[0]), "%s are there", strings.Join(shells, ", ")))
	}
}

// helpVerb is help on a verb or topic.
func helpVerb(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [VERB]",
		Short: "Help on a verb or a topic",

		ValidArgsFunction: completeVerbs(root),
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

// flagError tells what is wrong with a flag, and suggests the nearest.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &bare):
		kind, usage := pflag.UnquoteUsage(bare.GetFlag())
		return misused(fmt.Errorf("--%s needs a value: %s, %s", bare.GetFlag().Name, kind, usage))
	case errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "bool":
		return misused(fmt.Errorf("--%s=%s: --%[1]s alone switches it on; else use true or false", invalid.GetFlag().Name, invalid.GetValue()))
	case !errors.As(err, &unknown):
		return misused(err)
	}
	name, letters := unknown.GetSpecifiedName(), unknown.GetSpecifiedShortnames()
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	switch {
	case slices.Contains(known, letters):
		return misused(fault.Hint(fmt.Errorf("%s has no flag -%s", cmd.CommandPath(), letters), "did you mean --%s?", letters))
	case letters != "":
		return misused(fault.Hint(fmt.Errorf("%s has no flag -%s", cmd.CommandPath(), name),
			"a parameter is set without a dash, as in I=-5; %s --help lists the flags", cmd.CommandPath()))
	case experiment.NamesQuantity(name):
		return misused(fault.Hint(fmt.Errorf("%s has no flag --%s", cmd.CommandPath(), name), "a parameter is set without dashes: %s=VALUE", name))
	}
	err = fmt.Errorf("%s has no flag --%s", cmd.CommandPath(), name)
	if near := model.Nearest(name, known); near != "" {
		return misused(fault.Hint(err, "did you mean --%s?", near))
	}
	return misused(fault.Hint(err, "%s --help lists the flags", cmd.CommandPath()))
}

// filled refuses flags that are given without anything, as scripts do whose variable is empty: they would be ignored.
func filled(set *pflag.FlagSet) error {
	var bad fault.List
	set.Visit(func(f *pflag.Flag) {
		v, _ := f.Value.(flagValue)
		word, isWord := v.FlagValue.(*experiment.Word)
		words, areWords := v.FlagValue.(*experiment.Words)
		if isWord && word.Value == "" || areWords && len(words.List) == 0 {
			kind, _ := pflag.UnquoteUsage(f)
			bad.About("--"+f.Name, fmt.Errorf("--%s is empty; it needs a value: %s", f.Name, kind))
		}
	})
	return misused(bad.Err())
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
