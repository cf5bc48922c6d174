package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"popsim/experiment"
	"popsim/table/file"
)

// errNotBegun is the error of a verb that has understood its command line, but whose experiment file is at fault.
var errNotBegun = errors.New("not begun")

// ofOneRun are the flags that belong to one run and not to an experiment.
var ofOneRun = []string{"save", "save-every", "help", "force", "resume", "part", "dry-run", "profile", "profile-dir"}

// understood is called when a verb has understood what is asked of it, has opened its files and would begin: the experiment
// is written where --save asks for it. resolved has the values of flags that were not given, or not in full; an empty text
// stands for what the flag itself holds. The error says that the work must not begin.
func (v *call) understood(f *flags, n experiment.Neuron, resolved map[string]string) error {
	if len(v.inFile) > 0 {
		return misused(errNotBegun)
	}
	switch path := f.save.value; {
	case path == "":
		return nil
	case toStdout(path):
		_, err := v.stdout.Write(v.experiment(n, resolved))
		return err
	default:
		if err := file.Check(path, f.force); err != nil {
			return misused(err)
		}
		return file.Write(path, v.experiment(n, resolved), f.force)
	}
}

// experiment is the command line as an experiment file, resolved.
func (v *call) experiment(n experiment.Neuron, resolved map[string]string) []byte {
	var b strings.Builder
	set := v.cmd.Flags()
	fmt.Fprintf(&b, "# popsim %s; popsim FILE.toml runs this again\n", version())
	fmt.Fprintf(&b, "%s = %s\n", verbKey, quoted(v.cmd.Name()))
	if n.Model != nil {
		fmt.Fprintf(&b, "%s = %s\n", modelKey, quoted(n.Name()))
	}
	set.VisitAll(func(f *pflag.Flag) {
		text, known := resolved[f.Name]
		if !f.Changed && !known || slices.Contains(ofOneRun, f.Name) {
			return
		}
		if text != "" {
			text = quoted(text)
		} else {
			text = flagTOML(f.Value)
		}
		fmt.Fprintf(&b, "%s = %s\n", f.Name, text)
	})
	if n.Model == nil {
		return []byte(b.String())
	}
	fmt.Fprintf(&b, "\n[%s]\n", valuesKey)
	for _, s := range n.Complete() {
		fmt.Fprintf(&b, "%s = %s\n", s.Name, quoted(s.Value.String()))
	}
	return []byte(b.String())
}

// flagTOML is the value of a flag in a file.
func flagTOML(value pflag.Value) string {
	switch x := value.(type) {
	case *quantity:
		return quoted(strconv.FormatFloat(x.value, 'g', -1, 64) + x.unit)
	case *count:
		return strconv.Itoa(x.value)
	case *seed:
		return quoted(x.String()) // TOML has no unsigned numbers of 64 bits
	case pflag.SliceValue:
		var items []string
		for _, s := range x.GetSlice() {
			items = append(items, quoted(s))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	if value.Type() == "bool" {
		return value.String()
	}
	return quoted(value.String())
}

// milliseconds is a time with its unit.
func milliseconds(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) + "ms" }

// quoted is a basic string of TOML.
func quoted(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
