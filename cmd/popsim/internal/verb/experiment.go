package verb

import (
	"context"
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

// KindOfFile returns what the file of the word FILE.toml or FILE.toml:PRESET describes.
func KindOfFile(word string) (experiment.FileKind, error) {
	name, _, _ := strings.Cut(word+":", experiment.Ending+":")
	name += experiment.Ending
	data, err := readTOML(name)
	if err != nil {
		return 0, err
	}
	return experiment.KindOf(name, data)
}

func readTOML(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	var at *fs.PathError
	if errors.As(err, &at) {
		err = fmt.Errorf("%s cannot be read: %w", path, at.Err)
	}
	return data, err
}

// RunFile runs the experiment in a file that args[0] names; the words after it override the file. The flags of the verb
// are set from the entries of the file by their records, as the command line sets them; no command line is made in
// between.
func (v *Call) RunFile(ctx context.Context, root *cobra.Command, args []string) error {
	x, cmd, err := v.ReadFile(root, args)
	if errors.Is(err, pflag.ErrHelp) {
		return cmd.Help()
	}
	if err != nil {
		return err
	}
	v.Args, v.Cmd = x.Args(), cmd
	set := cmd.Flags()
	if err := flagset.Set(set, x.Flags); err != nil {
		return Misused(flagset.Explain(cmd, err))
	}
	if err := flagset.CheckEmpty(set); err != nil {
		return Misused(err)
	}
	cmd.SetContext(ctx)
	return cmd.RunE(cmd, x.Words())
}

// ReadFile reads the experiment file that args[0] names, overrides entries by the words after it, and returns the
// experiment and the command of its verb. Errors in the file are kept in v.inFile, and places in v.places, for errors
// that are found later. The error says that nothing can be run.
func (v *Call) ReadFile(root *cobra.Command, args []string) (*experiment.Experiment, *cobra.Command, error) {
	data, err := readTOML(args[0])
	if err != nil {
		return nil, nil, Misused(err)
	}
	x, bad := experiment.Read(args[0], data, fileVerbs(root))
	if x == nil {
		return nil, nil, Misused(bad.Err())
	}
	cmd, _, err := root.Find([]string{x.Verb})
	if err != nil {
		return nil, nil, err
	}
	if len(bad) > 0 && cmd.Flags().Lookup("save") == nil {
		return nil, nil, Misused(bad.Err()) // verbs without --save do not call understood
	}
	v.InFile = bad
	words, flags, err := besides(cmd, args[1:])
	x.Override(words, flags)
	v.Places = x.Places()
	if err != nil {
		return nil, cmd, Misused(flagset.Explain(cmd, err))
	}
	return x, cmd, nil
}

// besides splits the words after a file on the command line into NAME=VALUE and flags, and sets none of them.
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

// Understood must be called by a verb after it has checked its command line and opened its files, and before its work.
// It writes the experiment to the file of --save. resolved holds values of flags that replace those given; an empty
// text means the value of the flag itself. After an error the work must not begin.
func (v *Call) Understood(f *Flags, n experiment.Neuron, resolved map[string]string) error {
	if len(v.InFile) > 0 {
		return Misused(ErrNotBegun)
	}
	if f.Save.Value == "" {
		return nil
	}
	set := v.Cmd.Flags()
	return v.keep(f, experiment.Save(v.SavedComment(), v.Cmd.Name(), n, flagset.Records(set), set.Changed, resolved))
}

// SavedComment is the first line of an experiment file.
func (v *Call) SavedComment() string {
	return "popsim " + v.Version + "; popsim FILE.toml runs this again"
}

// SaveExperiment is Understood for a network.
func (v *Call) SaveExperiment(f *Flags, x experiment.Saved) error {
	if len(v.InFile) > 0 {
		return Misused(ErrNotBegun)
	}
	if f.Save.Value == "" {
		return nil
	}
	return v.keep(f, x.Text())
}

// keep writes an experiment to the file of --save.
func (v *Call) keep(f *Flags, text []byte) error {
	path := f.Save.Value
	if output.ToStdout(path) {
		_, err := v.Stdout.Write(text)
		return err
	}
	if err := file.Check(path, bool(f.Force)); err != nil {
		return Misused(err)
	}
	return file.Write(path, text, bool(f.Force))
}

// ErrNotBegun is the error of a verb that does not begin because of errors in its experiment file.
var ErrNotBegun = errors.New("not begun")

// Milliseconds formats a time with its unit.
func Milliseconds(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) + "ms" }
