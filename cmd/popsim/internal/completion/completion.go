// Package completion offers a shell the words that may follow on a command line. An offer is a word or, followed by a
// tab, a word and its meaning.
package completion

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"popsim/cmd/popsim/internal/flagset"
	"popsim/equations"
	"popsim/experiment"
	"popsim/fault"
	"popsim/model"
)

// Models offers the models with their presets as the first argument, and after a model those of its parameters, states
// and the current that have not been set yet.
func Models(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	var found []string
	if len(args) == 0 {
		for _, m := range model.All {
			found = append(found, m.Name+"\t"+m.Title)
			for _, s := range m.Presets() {
				found = append(found, m.Name+":"+s.Name+"\t"+s.Source)
			}
		}
		found = append(found, library(begun)...)
		found = append(found, networks(cmd.Name())...)
		return orFiles(beginning(found, begun))
	}
	if names := networkNames(args); names != nil && cmd.Name() != "models" {
		return beginning(names, begun), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
	m := modelOf(args)
	if m == nil || cmd.Name() == "models" || cmd.Name() == "bench" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if strings.Contains(begun, "=@") {
		return nil, cobra.ShellCompDirectiveDefault
	}
	for _, name := range experiment.Names(m) {
		if !slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, name+"=") }) {
			found = append(found, name+"=\t"+meaning(m, name))
		}
	}
	return beginning(found, begun), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// Equations offers the models of the library of files, and files, as the only argument.
func Equations(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return orFiles(beginning(library(begun), begun))
}

// library offers the models of the library of files; after the name of one, its presets.
func library(begun string) (found []string) {
	name, _, named := strings.Cut(begun, ":")
	if !named || !slices.Contains(equations.Names(), name) {
		return equations.Names()
	}
	m, err := equations.Lookup(name)
	if err != nil {
		panic("bug: " + err.Error())
	}
	for _, s := range m.Presets() {
		found = append(found, name+":"+s.Name+"\t"+s.Note)
	}
	return found
}

// orFiles offers files where nothing else is: the name of a model may be that of a file.
func orFiles(found []string) ([]string, cobra.ShellCompDirective) {
	if len(found) == 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// modelOf returns the first model among the arguments, nil if there is none.
func modelOf(args []string) *model.Model {
	for _, arg := range args {
		name, _, _ := strings.Cut(arg, ":")
		if m, err := equations.Lookup(name); err == nil {
			return m
		}
	}
	return nil
}

// meaning describes the quantity of a name in a model.
func meaning(m *model.Model, name string) string {
	if j := m.Index(name); j >= 0 {
		return fmt.Sprintf("%s, %s (%v)", m.Params[j].Doc, m.Params[j].Unit, m.Params[j].Default)
	}
	if j := m.StateIndex(strings.TrimSuffix(name, "0")); j >= 0 {
		return fmt.Sprintf("%s at the start, %s", m.States[j].Doc, m.States[j].Unit)
	}
	return "input current, " + m.CurrentUnit
}

// beginning keeps the offers that begin with the word that has been typed so far.
func beginning(offers []string, begun string) []string {
	return slices.DeleteFunc(offers, func(s string) bool { return !strings.HasPrefix(s, begun) })
}

// Flags registers the completion of every flag of a command: the values of its record, or files if it names one.
func Flags(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		record, _ := flagset.Record(f)
		if record.Offers == nil && f.Value.Type() == "FILE" || f.Value.Type() == "bool" {
			return // by default cobra offers files
		}
		if err := cmd.RegisterFlagCompletionFunc(f.Name, valuesOf(f, record)); err != nil {
			panic("bug: " + err.Error())
		}
	})
}

// valuesOf returns the function that offers the values of a flag.
func valuesOf(f *pflag.Flag, record experiment.Flag) cobra.CompletionFunc {
	_, listed := record.Value.(*experiment.Words)
	_, repeated := record.Value.(*experiment.Texts)
	return func(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if f.Value.Type() == "DIR" {
			return nil, cobra.ShellCompDirectiveFilterDirs
		}
		if record.Offers == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		directive, before := cobra.ShellCompDirectiveNoFileComp, ""
		if repeated || listed {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
		if listed {
			before = begun[:strings.LastIndex(begun, ",")+1]
		}
		found := slices.Clone(record.Offers(modelOf(args))) // the list may belong to the record
		for i := range found {
			found[i] = before + found[i]
		}
		return beginning(found, begun), directive
	}
}

// Verbs offers the verbs and topics of root.
func Verbs(root *cobra.Command) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, begun string) (found []string, _ cobra.ShellCompDirective) {
		for _, c := range root.Commands() {
			if len(args) == 0 && !c.Hidden {
				found = append(found, c.Name()+"\t"+c.Short)
			}
		}
		return beginning(found, begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// AddVerb adds the verb of cobra that prints the scripts for shells, to the output that root has now. Unlike cobra's it
// refuses unknown shells and further arguments; refuse marks the error.
func AddVerb(root *cobra.Command, args []string, refuse func(error) error) {
	root.InitDefaultCompletionCmd(args...)
	at := slices.IndexFunc(root.Commands(), func(c *cobra.Command) bool { return c.Name() == "completion" })
	if at < 0 {
		return
	}
	verb := root.Commands()[at]
	var shells []string
	for _, c := range verb.Commands() {
		shells = append(shells, c.Name())
		c.Args = func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return refuse(fmt.Errorf("%s takes no %q", cmd.CommandPath(), args[0]))
			}
			return nil
		}
	}
	verb.Args = cobra.ArbitraryArgs
	verb.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return refuse(fault.Hint(fmt.Errorf("there is no completion for %q", args[0]), "%s are there",
			strings.Join(shells, ", ")))
	}
}
