package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"popsim/bench"
	"popsim/cmd/popsim/internal/profile"
	"popsim/experiment"
	"popsim/kernels"
	"popsim/model"
	"popsim/stimulus"
	"popsim/sweep"
)

// What a shell offers: a value, and behind a tab what it means.

// completeModels offers the models with their presets, and behind a model what can be set of it and has not been.
func completeModels(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	var found []string
	if len(args) == 0 {
		for _, m := range model.All {
			found = append(found, m.Name+"\t"+m.Title)
			for _, s := range m.Presets() {
				found = append(found, m.Name+":"+s.Name+"\t"+s.Source)
			}
		}
		return beginning(found, begun), cobra.ShellCompDirectiveNoFileComp
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

// modelOf is the model that a command line has named, or nil.
func modelOf(args []string) *model.Model {
	for _, arg := range args {
		name, _, _ := strings.Cut(arg, ":")
		if m, err := model.Lookup(name); err == nil {
			return m
		}
	}
	return nil
}

// meaning says what a name means in a model.
func meaning(m *model.Model, name string) string {
	if j := m.Index(name); j >= 0 {
		return fmt.Sprintf("%s, %s (%v)", m.Params[j].Doc, m.Params[j].Unit, m.Params[j].Default)
	}
	if j := m.StateIndex(strings.TrimSuffix(name, "0")); j >= 0 {
		return fmt.Sprintf("%s at the start, %s", m.States[j].Doc, m.States[j].Unit)
	}
	return "input current, " + m.CurrentUnit
}

func beginning(offers []string, begun string) []string {
	return slices.DeleteFunc(offers, func(s string) bool { return !strings.HasPrefix(s, begun) })
}

// What flags offer, by a function of the model that the line has named, nil if none.

func offerMethods(m *model.Model) (found []string) {
	for _, one := range model.All {
		for _, q := range one.Methods {
			if m == nil || m == one {
				found = append(found, q.Name+"\t"+q.Doc)
			}
		}
	}
	return found
}

func offerISAs(*model.Model) []string {
	found := []string{"auto"}
	for _, a := range kernels.Available() {
		found = append(found, a.String())
	}
	return found
}

func offerMeasures(*model.Model) (found []string) {
	for _, name := range sweep.MeasureNames() {
		found = append(found, name+"\t"+sweep.MeasureDoc(name))
	}
	return append(found, "isi\ta row for each distinct late interval", "w_reset\ta row for each distinct w after reset")
}

func offerShapes(*model.Model) (found []string) {
	for _, kind := range stimulus.Kinds {
		found = append(found, kind+":")
	}
	return append(found, "@")
}

func offerProfiles(*model.Model) []string { return profile.Modes() }
func offerFrom(*model.Model) []string     { return []string{"rest", "up", "down", "all"} }
func offerKinds(*model.Model) []string    { return bench.Kinds }
func offerParts(*model.Model) []string    { return []string{"auto"} }

// completeFlags lets every flag of a verb offer its values, or files where it names one.
func completeFlags(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		v, _ := f.Value.(flagValue)
		offer := v.record.Offers
		if offer == nil && f.Value.Type() == "FILE" || f.Value.Type() == "bool" {
			return
		}
		_, listed := v.FlagValue.(*experiment.Words)
		err := cmd.RegisterFlagCompletionFunc(f.Name, func(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
			if f.Value.Type() == "DIR" {
				return nil, cobra.ShellCompDirectiveFilterDirs
			}
			if offer == nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			directive, before := cobra.ShellCompDirectiveNoFileComp, ""
			if f.Name == "waveform" || listed {
				directive |= cobra.ShellCompDirectiveNoSpace
			}
			if listed {
				before = begun[:strings.LastIndex(begun, ",")+1]
			}
			found := slices.Clone(offer(modelOf(args))) // it may belong to others
			for i := range found {
				found[i] = before + found[i]
			}
			return beginning(found, begun), directive
		})
		if err != nil {
			panic("bug: " + err.Error())
		}
	})
}

// completeVerbs offers verbs and topics.
func completeVerbs(root *cobra.Command) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(_ *cobra.Command, args []string, begun string) (found []string, _ cobra.ShellCompDirective) {
		for _, c := range root.Commands() {
			if len(args) == 0 && !c.Hidden {
				found = append(found, c.Name()+"\t"+c.Short)
			}
		}
		return beginning(found, begun), cobra.ShellCompDirectiveNoFileComp
	}
}
