// Package flagset makes flags of the command line from their records, experiment.Flag, and explains the errors of its
// parser.
package flagset

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"popsim/experiment"
	"popsim/fault"
	"popsim/model"
)

// value is the value of a flag together with its record.
type value struct {
	experiment.FlagValue
	record experiment.Flag
}

// Add registers flags, in the order in which help lists them.
func Add(set *pflag.FlagSet, flags ...experiment.Flag) {
	set.SortFlags = false
	for _, f := range flags {
		p := set.VarPF(value{f.Value, f}, f.Name, f.Letter, f.Help)
		if f.Value.Type() == "bool" {
			p.NoOptDefVal = "true"
		}
	}
}

// Record returns the record of a flag; ok is false for one that Add has not registered.
func Record(f *pflag.Flag) (record experiment.Flag, ok bool) {
	v, ok := f.Value.(value)
	return v.record, ok
}

// Records returns the records of all flags.
func Records(set *pflag.FlagSet) (all []experiment.Flag) {
	set.VisitAll(func(f *pflag.Flag) {
		if r, ok := Record(f); ok {
			all = append(all, r)
		}
	})
	return all
}

// Set sets the flags of entries, as the command line would; a flag with several texts is set with each of them in turn.
func Set(set *pflag.FlagSet, entries []experiment.Entry) error {
	for _, e := range entries {
		for _, text := range e.Texts {
			if err := set.Set(e.Name, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// CheckEmpty returns an error if a flag that holds words is given with an empty text, as by a script whose variable is
// empty.
func CheckEmpty(set *pflag.FlagSet) error {
	var bad fault.List
	set.Visit(func(f *pflag.Flag) {
		r, _ := Record(f)
		word, isWord := r.Value.(*experiment.Word)
		words, areWords := r.Value.(*experiment.Words)
		if isWord && word.Value == "" || areWords && len(words.List) == 0 {
			kind, _ := pflag.UnquoteUsage(f)
			bad.About("--"+f.Name, fmt.Errorf("--%s is empty; it needs a value: %s", f.Name, kind))
		}
	})
	return bad.Err()
}

// Explain converts an error of the parser of cmd's flags to one that names the valid forms.
func Explain(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &bare):
		kind, usage := pflag.UnquoteUsage(bare.GetFlag())
		return fmt.Errorf("--%s needs a value: %s, %s", bare.GetFlag().Name, kind, usage)
	case errors.As(err, &invalid) && invalid.GetFlag().Value.Type() == "bool":
		return fmt.Errorf("--%s=%s: --%[1]s alone switches it on; else use true or false",
			invalid.GetFlag().Name, invalid.GetValue())
	case errors.As(err, &unknown):
		return explainUnknown(cmd, unknown.GetSpecifiedName(), unknown.GetSpecifiedShortnames())
	}
	return err
}

// explainUnknown is the error about an unknown flag: name is its long name, or the first of the letters after a single
// dash.
func explainUnknown(cmd *cobra.Command, name, letters string) error {
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	path := cmd.CommandPath()
	switch {
	case slices.Contains(known, letters):
		return fault.Hint(fmt.Errorf("%s has no flag -%s", path, letters), "did you mean --%s?", letters)
	case letters != "":
		return fault.Hint(fmt.Errorf("%s has no flag -%s", path, name),
			"a parameter is set without a dash, as in I=-5; %s --help lists the flags", path)
	}
	err := fmt.Errorf("%s has no flag --%s", path, name)
	if experiment.NamesQuantity(name) {
		return fault.Hint(err, "a parameter is set without dashes: %s=VALUE", name)
	}
	if near := model.Nearest(name, known); near != "" {
		return fault.Hint(err, "did you mean --%s?", near)
	}
	return fault.Hint(err, "%s --help lists the flags", path)
}

// Only returns an error about flags that are given and not among those taken, with the reason why.
func Only(set *pflag.FlagSet, taken []string, why string) error {
	var bad fault.List
	set.Visit(func(f *pflag.Flag) {
		if !slices.Contains(taken, f.Name) {
			bad.About("--"+f.Name, fmt.Errorf("--%s %s", f.Name, why))
		}
	})
	return bad.Err()
}
