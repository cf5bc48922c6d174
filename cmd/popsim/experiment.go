package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"popsim/experiment"
	"popsim/fault"
	"popsim/model"
)

const experimentHelp = `popsim FILE.toml runs the experiment that stands in FILE.toml, and --save FILE.toml writes that of a command line, with
everything resolved: all parameters with their units, method, step, times.

  verb = "fi"                 # run, fi, map, phase, bifurcation, convergence, bench, ...
  model = "adex:nd-tonic"     # MODEL[:PRESET]
  time = "2s"                 # the flags of the verb, by their long names; a bare number is in the flag's own unit
  measures = ["rate", "latency"]
  full = true

  [values]                    # NAME=VALUE, in the order in which they would be named
  b = [0, 20, "60pA"]
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

// experimentEnding tells files from verbs.
const experimentEnding = ".toml"

// The keys of an experiment that are not flags.
const (
	verbKey   = "verb"
	modelKey  = "model"
	fileKey   = "file" // of merge and status
	valuesKey = "values"
)

// entry is one key of an experiment and what stands behind it.
type entry struct {
	name  string
	place string // FILE:LINE:COLUMN
	kind  unstable.Kind
	texts []string // the value as on the command line; several of a list
	list  bool
}

// text is the value as one word of the command line.
func (e entry) text() string { return strings.Join(e.texts, ",") }

// experiment is an experiment file, taken apart.
type experimentFile struct {
	path   string
	keys   []entry // above [values]
	values []entry
	faults fault.List
	broken bool // it is no TOML, and was read no further than its first fault
}

// expand is the command line for args, of which the first names an experiment file: what stands in the file, then what
// follows it in args. The places of everything in the file are kept, so that whatever is said of it later can name them,
// and what is wrong with the file itself is kept in v.inFile. The error is that nothing can be begun with it.
func (v *call) expand(args []string) ([]string, error) {
	data, err := os.ReadFile(args[0])
	var at *fs.PathError
	if errors.As(err, &at) {
		return nil, misused(fmt.Errorf("%s cannot be read: %w", args[0], at.Err))
	}
	x := parseExperiment(args[0], data)
	if x.broken {
		return nil, misused(x.faults.Err())
	}
	verb, cmd := x.verb()
	if cmd == nil {
		return nil, misused(x.faults.Err())
	}
	if v.places == nil {
		v.places = map[string]string{}
	}
	line := x.commandLine(verb, cmd, args[1:], v.places)
	if v.inFile = x.faults; len(x.faults) > 0 && cmd.Flags().Lookup("save") == nil {
		return nil, misused(x.faults.Err()) // other verbs begin without being asked for more
	}
	return line, nil
}

// parseExperiment takes a file apart. What TOML does not allow is a fault of the file, told once.
func parseExperiment(path string, data []byte) *experimentFile {
	x := &experimentFile{path: path}
	var whole map[string]any
	var wrong *toml.DecodeError
	if err := toml.Unmarshal(data, &whole); errors.As(err, &wrong) {
		line, column := wrong.Position()
		x.fault(fmt.Sprintf("%s:%d:%d", path, line, column), errors.New(strings.TrimPrefix(wrong.Error(), "toml: ")))
	} else if err != nil {
		x.fault(path, err)
	}
	p := new(unstable.Parser)
	p.Reset(data)
	table := []string(nil)
	for p.NextExpression() {
		switch e := p.Expression(); e.Kind {
		case unstable.Table, unstable.ArrayTable:
			var place string
			table, place = x.key(p, e)
			if len(table) != 1 || table[0] != valuesKey || e.Kind == unstable.ArrayTable {
				x.fault(place, fault.Hint(fmt.Errorf("there is no table %s", strings.Join(table, ".")), "the only table is [%s]; flags stand above it", valuesKey))
			}
		case unstable.KeyValue:
			x.keyValue(p, e, table)
		}
	}
	x.broken = p.Error() != nil
	return x
}

// key is the dotted key of a node, and its place.
func (x *experimentFile) key(p *unstable.Parser, e *unstable.Node) (parts []string, place string) {
	for k := e.Key(); k.Next(); {
		n := k.Node()
		if place == "" {
			start := p.Shape(n.Raw).Start
			place = fmt.Sprintf("%s:%d:%d", x.path, start.Line, start.Column)
		}
		parts = append(parts, string(n.Data))
	}
	return parts, place
}

// keyValue takes one line, or one pair of an inline table.
func (x *experimentFile) keyValue(p *unstable.Parser, n *unstable.Node, table []string) {
	key, place := x.key(p, n)
	path := append(slices.Clone(table), key...)
	value := n.Value()
	if value.Kind == unstable.InlineTable && len(path) == 1 && path[0] == valuesKey {
		for pairs := value.Children(); pairs.Next(); {
			x.keyValue(p, pairs.Node(), path)
		}
		return
	}
	e := entry{name: path[len(path)-1], place: place, kind: value.Kind}
	var err error
	if value.Kind == unstable.Array {
		e.list = true
		for items := value.Children(); items.Next() && err == nil; {
			var text string
			text, err = scalar(items.Node())
			e.texts = append(e.texts, text)
		}
		if err == nil && len(e.texts) == 0 {
			err = errors.New("the list is empty")
		}
	} else {
		var text string
		text, err = scalar(value)
		e.texts = []string{text}
	}
	to := &x.keys
	switch {
	case len(path) == 2 && path[0] == valuesKey:
		to = &x.values
	case len(path) > 1 && len(table) == 0:
		err = fmt.Errorf("there is no %s", strings.Join(path, "."))
	case len(path) > 1:
		return // the table is no table of ours, which is told already
	}
	if err != nil {
		x.fault(place, fmt.Errorf("%s: %w", strings.Join(key, "."), err))
		e.texts = nil
	}
	if !slices.ContainsFunc(*to, func(o entry) bool { return o.name == e.name }) { // TOML has refused a second
		*to = append(*to, e)
	}
}

// scalar is a single value as it would stand on the command line.
func scalar(n *unstable.Node) (string, error) {
	switch n.Kind {
	case unstable.String, unstable.Bool:
		return string(n.Data), nil
	case unstable.Integer:
		text := strings.ReplaceAll(strings.TrimPrefix(string(n.Data), "+"), "_", "")
		if i, err := strconv.ParseInt(text, 0, 64); err == nil {
			text = strconv.FormatInt(i, 10)
		}
		return text, nil
	case unstable.Float:
		text := strings.ReplaceAll(string(n.Data), "_", "")
		if strings.ContainsAny(text, "in") {
			return "", fmt.Errorf("%s is no finite number", text)
		}
		return text, nil
	}
	return "", fmt.Errorf("a %s cannot be understood here; a number, a text such as \"10ms\", true or false, or a list would do", strings.ToLower(n.Kind.String()))
}

func (x *experimentFile) fault(place string, err error) { x.faults.Add(fault.At(place, err)) }

// take removes a key that is no flag, and gives its entry.
func (x *experimentFile) take(name string) (e entry, ok bool) {
	i := slices.IndexFunc(x.keys, func(e entry) bool { return e.name == name })
	if i < 0 {
		return entry{}, false
	}
	e = x.keys[i]
	x.keys = slices.Delete(x.keys, i, i+1)
	if e.texts != nil && e.kind != unstable.String {
		x.fault(e.place, fmt.Errorf("%s is not a text", name))
		e.texts = nil
	}
	return e, e.texts != nil
}

// fileVerbs are the verbs that an experiment may name.
func fileVerbs(root *cobra.Command) (verbs []string) {
	for _, c := range root.Commands() {
		if c.Runnable() && !c.DisableFlagParsing && c.Name() != "help" {
			verbs = append(verbs, c.Name())
		}
	}
	return verbs
}

// verb is the verb of the experiment and a command of that name, which is never run but knows the flags.
func (x *experimentFile) verb() (string, *cobra.Command) {
	root := new(call).root()
	verbs := fileVerbs(root)
	e, ok := x.take(verbKey)
	switch {
	case !ok && e.place == "":
		x.fault(x.path, fault.Hint(fmt.Errorf("no %s is given", verbKey), `%s = "run" above all else would give one; there are %s`, verbKey, strings.Join(verbs, ", ")))
		return "", nil
	case !ok:
		return "", nil
	case !slices.Contains(verbs, e.text()):
		err := fmt.Errorf("there is no %s %q", verbKey, e.text())
		if near := model.Nearest(e.text(), verbs); near != "" {
			err = fault.Hint(err, "did you mean %q?", near)
		}
		x.fault(e.place, err)
		return "", nil
	}
	cmd, _, _ := root.Find([]string{e.text()})
	return e.text(), cmd
}

// commandLine puts the words of the file in their order: the verb, the model or file, NAME=VALUE, flags; then what is
// given beside the file, which replaces what the file says of the same things. places is told where everything stands,
// by the names under which errors speak of it.
func (x *experimentFile) commandLine(verb string, cmd *cobra.Command, beside []string, places map[string]string) []string {
	line := []string{verb}
	for _, key := range []string{modelKey, fileKey} {
		e, ok := x.take(key)
		switch takes := strings.Contains(cmd.Use, strings.ToUpper(key)); {
		case e.place != "" && !takes:
			x.fault(e.place, fmt.Errorf("%s takes no %s", verb, key))
		case ok:
			line = append(line, e.text())
			places[experiment.AboutModel] = e.place
		}
	}
	words, flags := besides(verb, beside)
	for _, e := range x.values {
		if e.texts == nil {
			continue
		}
		if i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, e.name+"=") }); i >= 0 {
			line = append(line, words[i])
			words = slices.Delete(words, i, i+1)
			continue
		}
		places[e.name] = e.place
		line = append(line, e.name+"="+e.text())
	}
	line = append(line, words...)
	for _, e := range x.keys {
		f := cmd.Flags().Lookup(e.name)
		if f == nil || e.name == "save" {
			x.fault(e.place, x.unknown(verb, cmd, e.name))
			continue
		}
		if e.texts == nil || slices.ContainsFunc(flags, func(w string) bool { return strings.HasPrefix(w, "--"+e.name+"=") }) {
			continue
		}
		texts, err := flagTexts(f, e)
		for _, text := range texts {
			if err == nil {
				err = cmd.Flags().Set(e.name, text)
			}
		}
		if err != nil {
			x.fault(e.place, fmt.Errorf("%s: %w", e.name, err))
			continue
		}
		places["--"+e.name] = e.place
		for _, text := range texts {
			line = append(line, "--"+e.name+"="+text)
		}
	}
	return append(line, flags...)
}

// besides tells words from flags, each of which becomes one word, --NAME=VALUE. What cannot be understood stays as it is,
// for the verb to refuse.
func besides(verb string, args []string) (words, flags []string) {
	cmd, _, err := new(call).root().Find([]string{verb})
	if err != nil {
		return nil, args
	}
	err = cmd.Flags().ParseAll(args, func(f *pflag.Flag, value string) error {
		flags = append(flags, "--"+f.Name+"="+value)
		return nil
	})
	if err != nil {
		return nil, args
	}
	return cmd.Flags().Args(), flags
}

// flagTexts are the values of a flag, which may be of the wrong kind. A flag that may be repeated, and one whose values are
// divided by commas, takes a list.
func flagTexts(f *pflag.Flag, e entry) ([]string, error) {
	kind := f.Value.Type()
	number := e.kind == unstable.Integer || e.kind == unstable.Float
	switch {
	case kind == "bool" && e.kind != unstable.Bool:
		return nil, errors.New("true or false is needed")
	case kind == "bool":
	case e.kind == unstable.Bool:
		return nil, fmt.Errorf("%s is neither a number nor a text", e.text())
	case number && !slices.Contains([]string{"TIME", "N", "TOL", "VALUES", "NEURONS"}, kind):
		return nil, fmt.Errorf("%s is a number where a text is needed", e.text())
	case kind == "stringArray":
		return e.texts, nil
	case e.list && !slices.Contains([]string{"stringSlice", "VALUES", "NEURONS"}, kind):
		return nil, errors.New("one value is needed, not a list")
	}
	return []string{e.text()}, nil
}

// unknown is the error for a key that the verb does not know.
func (x *experimentFile) unknown(verb string, cmd *cobra.Command, name string) error {
	err := fmt.Errorf("%s has no key %s", verb, name)
	if namesQuantity(name) {
		return fault.Hint(err, "values of the model stand below [%s]", valuesKey)
	}
	known := []string{verbKey, modelKey, valuesKey}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	if near := model.Nearest(name, known); near != "" {
		return fault.Hint(err, "did you mean %s?", near)
	}
	return fault.Hint(err, "a key is %s, %s, [%s], or a flag: popsim %s --help lists them", verbKey, modelKey, valuesKey, verb)
}
