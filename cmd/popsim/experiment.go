package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"popsim/cmd/popsim/internal/flagset"
	"popsim/cmd/popsim/internal/output"
	"popsim/experiment"
	"popsim/table/file"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const experimentHelp = `popsim FILE.toml runs the experiment that stands in FILE.toml, and --save FILE.toml writes that of a command line, with
everything resolved: all parameters with their units, method, step, times.

  verb = "fi"                 # run, fi, map, phase, bifurcation, ...
  model = "adex:nd-tonic"     # MODEL[:PRESET]
  time = "2s"                 # the flags of the verb, by their long names;
                              # a bare number is in the flag's own unit
  measures = ["rate", "latency"]
  full = true

  [values]                    # NAME=VALUE, in the order of naming
  b = ["0pA", "20pA", "0.06nA"]
  I = "0:40:0.2"

A file is understood by the very words of the command line, so popsim help values and popsim VERB --help say what may
stand in it. It is read strictly: a key that the verb does not know, a unit that does not fit, a text where a number should be
are told with line and column, all of them at once. NAME=VALUE and flags behind FILE.toml go before what stands in it:

  popsim fi.toml b=0 -o tonic.csv

Names of files in it are relative to where popsim runs. What --save writes leaves out what belongs to one run alone:
--force, --resume, --part, --dry-run, profiles.`

// experimentTopic is help on experiment files.
func experimentTopic() *cobra.Command {
	return &cobra.Command{Use: "experiments", Short: "Experiment files, FILE.toml", Long: experimentHelp}
}

// expand is the command line for args, of which the first names an experiment file: what stands in the file, then what
// follows it in args. The places of everything in the file are kept, so that faults found later can name them, and what is
// wrong with the file itself is kept in v.inFile. The error is that nothing can be run.
func (v *call) expand(args []string) ([]string, error) {
	name, _, _ := strings.Cut(args[0]+":", experiment.Ending+":")
	name += experiment.Ending
	data, err := os.ReadFile(name)
	var at *fs.PathError
	if errors.As(err, &at) {
		return nil, misused(fmt.Errorf("%s cannot be read: %w", args[0], at.Err))
	}
	if kind, err := experiment.KindOf(name, data); err != nil {
		return nil, misused(err)
	} else if kind == experiment.NetworkFile {
		return append([]string{"run"}, args...), nil
	}
	root := new(call).root()
	x, bad := experiment.Read(args[0], data, fileVerbs(root))
	if x == nil {
		return nil, misused(bad.Err())
	}
	cmd, _, err := root.Find([]string{x.Verb})
	if err != nil {
		return nil, err
	}
	if len(bad) > 0 && cmd.Flags().Lookup("save") == nil {
		return nil, misused(bad.Err()) // verbs without --save do not ask whether they may begin
	}
	v.inFile = bad
	words, flags, err := besides(cmd, args[1:])
	if err != nil { // for the verb to refuse, which reports it together with the faults of the file
		v.places = x.Places()
		return append(x.Args(), args[1:]...), nil
	}
	x.Override(words, flags)
	v.places = x.Places()
	return x.Args(), nil
}

// besides parts what is given beside a file into NAME=VALUE and flags.
func besides(cmd *cobra.Command, args []string) (words []string, flags []experiment.Entry, err error) {
	err = cmd.Flags().ParseAll(args, func(f *pflag.Flag, value string) error {
		if i := slices.IndexFunc(flags, func(e experiment.Entry) bool { return e.Name == f.Name }); i >= 0 {
			flags[i].Texts = append(flags[i].Texts, value)
			return nil
		}
		flags = append(flags, experiment.Entry{Name: f.Name, Texts: []string{value}})
		return nil
	})
	return cmd.Flags().Args(), flags, err
}

// understood is called when a verb has understood what is asked, has opened its files and would begin: the experiment is
// written where --save asks for it. resolved has the values of flags that were not given, or not in full; an empty text
// stands for what the flag itself holds. The error says that the work must not begin.
func (v *call) understood(f *flags, n experiment.Neuron, resolved map[string]string) error {
	if len(v.inFile) > 0 {
		return misused(errNotBegun)
	}
	if f.save.Value == "" {
		return nil
	}
	set := v.cmd.Flags()
	return v.keep(f, experiment.Save(savedComment(), v.cmd.Name(), n, flagset.Records(set), set.Changed, resolved))
}

// savedComment is the first line of an experiment file.
func savedComment() string { return "popsim " + version() + "; popsim FILE.toml runs this again" }

// saveExperiment is understood for a network.
func (v *call) saveExperiment(f *flags, x experiment.Saved) error {
	if len(v.inFile) > 0 {
		return misused(errNotBegun)
	}
	if f.save.Value == "" {
		return nil
	}
	return v.keep(f, x.Text())
}

// keep writes an experiment file where --save names it.
func (v *call) keep(f *flags, text []byte) error {
	path := f.save.Value
	if output.ToStdout(path) {
		_, err := v.stdout.Write(text)
		return err
	}
	if err := file.Check(path, bool(f.force)); err != nil {
		return misused(err)
	}
	return file.Write(path, text, bool(f.force))
}

// errNotBegun is the error of a verb that has understood its command line, but whose experiment file is at fault.
var errNotBegun = errors.New("not begun")

// milliseconds is a time with its unit.
func milliseconds(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) + "ms" }
