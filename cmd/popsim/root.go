package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"popsim/cmd/popsim/internal/analyse"
	"popsim/cmd/popsim/internal/assess"
	"popsim/cmd/popsim/internal/completion"
	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/help"
	"popsim/cmd/popsim/internal/manual"
	"popsim/cmd/popsim/internal/plot"
	"popsim/cmd/popsim/internal/topics"
	"popsim/cmd/popsim/internal/verb"
	"popsim/fault"
	"popsim/model"
)

// root returns the command that has all verbs and topics as its subcommands.
func (v *call) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "popsim VERB MODEL[:PRESET] [NAME=VALUE ...]",
		Short:         "populations of single neurons",
		Long:          topics.Text("root"),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE:          unknownVerb,

		DisableFlagsInUseLine: true,
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		v.Cmd = cmd
		return verb.Misused(flagset.CheckEmpty(cmd.Flags()))
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if cmd == root && len(v.Args) > 0 && !strings.HasPrefix(v.Args[0], "-") {
			return unknownVerb(root, v.Args) // of no verb, so that its flags are unknown too
		}
		return verb.Misused(flagset.Explain(cmd, err))
	})
	help.Fit(root)
	root.SetHelpCommand(helpVerb(root))
	for _, g := range []struct {
		title string
		verbs []*cobra.Command
	}{
		{"Simulate and analyse:", []*cobra.Command{
			v.runVerb(), v.fiVerb(), v.mapVerb(), v.rheobaseVerb(),
			analyse.Phase(&v.Call), analyse.Bifurcation(&v.Call), plot.Verb(&v.Call),
		}},
		{"Reference and validation:", []*cobra.Command{
			modelsVerb(), assess.Convergence(&v.Call), assess.Verify(&v.Call),
			assess.Bench(&v.Call, version()), assess.Version(&v.Call),
		}},
		{"Sweeps in parts:", []*cobra.Command{v.submitVerb(), v.statusVerb(), v.mergeVerb()}},
	} {
		root.AddGroup(&cobra.Group{ID: g.title, Title: g.title})
		for _, verb := range g.verbs {
			verb.GroupID = g.title
			root.AddCommand(verb)
		}
	}
	root.AddCommand(manual.Verb(version()), topics.Values(), topics.Networks(), topics.Measures(), topics.Pictures(),
		topics.Experiments())
	// only then, because cobra never releases what is registered for completion
	if len(v.Args) > 0 && strings.HasPrefix(v.Args[0], cobra.ShellCompRequestCmd) {
		root.ValidArgsFunction = cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault) // an experiment file
		for _, c := range root.Commands() {
			completion.Flags(c)
		}
	}
	return root
}

// helpVerb returns the verb help.
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

// unknownVerb returns the error about a first argument that is not a verb, or about no arguments.
func unknownVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s\n\n%s\n", help.Wrap(cmd.Long), cmd.UsageString())
		return verb.Misused(fault.Hint(errors.New("no verb given"), "try: popsim run lif I=21; popsim VERB --help says more"))
	}
	var verbs []string
	for _, c := range cmd.Commands() {
		verbs = append(verbs, c.Name())
	}
	err := fmt.Errorf("there is no verb %q", args[0])
	name, _, _ := strings.Cut(args[0], ":")
	if slices.Contains(model.Names(), name) {
		return verb.Misused(fault.Hint(err, "a verb comes before the model: popsim run %s", strings.Join(args, " ")))
	}
	if near := model.Nearest(args[0], verbs); near != "" {
		return verb.Misused(fault.Hint(err, "did you mean popsim %s?", near))
	}
	return verb.Misused(fault.Hint(err, "popsim --help lists them"))
}
