package experiment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"popsim/expression"
	"popsim/fault"
	"popsim/network"
	"popsim/network/description"
)

// Network is a network as a command line or a file specifies it.
type Network struct {
	Name        string // NETWORK[:PRESET]
	Preset      string
	Description *description.Description
	Settings    []description.Setting
	Texts       []string // words that are no NAME=VALUE
}

// ParseNetwork reads NETWORK[:PRESET] NAME=VALUE ...; NETWORK is a name or a path ending in .toml, whose text is text
// where that is not empty. places has those of an experiment file. It is nil if the first word does not name a network.
func ParseNetwork(words []string, text string, places map[string]string) (*Network, error) {
	if len(words) == 0 {
		return nil, nil
	}
	d, err := networkNamed(words[0], text)
	if d == nil || err != nil {
		return nil, err
	}
	n := &Network{Name: words[0], Description: d}
	_, n.Preset, _ = strings.Cut(words[0], ":")
	for _, w := range words[1:] {
		name, value, ok := strings.Cut(w, "=")
		if !ok {
			n.Texts = append(n.Texts, w)
			continue
		}
		n.Settings = append(n.Settings, description.Setting{Name: name, Text: value, Place: places[name]})
	}
	return n, nil
}

func networkNamed(word, text string) (*description.Description, error) {
	name, _, _ := strings.Cut(word, ":")
	switch {
	case text != "":
		return description.Parse(name, []byte(text))
	case slices.Contains(description.Names(), name):
		return description.Lookup(word)
	case !strings.HasSuffix(name, Ending):
		return nil, nil
	}
	data, err := os.ReadFile(name)
	var at *fs.PathError
	if errors.As(err, &at) {
		err = fmt.Errorf("%s cannot be read: %w", name, at.Err)
	}
	if err != nil {
		return nil, err
	}
	switch kind, err := KindOf(name, data); {
	case err != nil:
		return nil, err
	case kind == NeuronFile:
		return nil, nil
	case kind == ExperimentFile:
		return nil, fault.Hint(fmt.Errorf("%s is an experiment, not a network", name), "popsim %s runs it", name)
	case kind == UnmarkedFile:
		return nil, fault.Hint(fmt.Errorf("%s holds neither [population.NAME] (a network), nor [neuron] (a model), nor "+
			"[preset.NAME] (values for a model), nor a key verb (an experiment)", name), "popsim help values explains presets")
	}
	return description.Parse(name, data)
}

// Check reports words that are no NAME=VALUE.
func (n *Network) Check() error {
	var bad fault.List
	for _, w := range n.Texts {
		bad.Addf("%q is no NAME=VALUE", w)
	}
	return bad.Err()
}

// SettingTexts are the settings by name.
func (n *Network) SettingTexts() map[string]string {
	texts := map[string]string{}
	for _, s := range n.Settings {
		texts[s.Name] = s.Text
	}
	return texts
}

// orNetwork extends the error about an unknown model: if the name is that of a network, it says that single neurons are
// needed; if it is similar to one, it lists the networks, too.
func orNetwork(name string, err error) error {
	names := description.Names()
	switch {
	case slices.Contains(names, name):
		return fault.Hint(fmt.Errorf("%s is a network; a model of single neurons is needed here", name),
			"popsim run, map and models take networks")
	case expression.Nearest(name, names) != "":
		return fault.Hint(err, "the networks are %s, cann", strings.Join(names, ", "))
	}
	return err
}

// sumMark separates path and checksum in FileSums.
const sumMark = " sha256:"

// FileSums are the @files of a network with their checksums, as experiment files have them.
func FileSums(files []description.File) (texts []string) {
	for _, f := range files {
		texts = append(texts, f.Path+sumMark+f.SHA256)
	}
	return texts
}

// CheckFileSums returns an error if @files have changed since their FileSums were written.
func CheckFileSums(sums []string, files []description.File) error {
	var bad fault.List
	for _, text := range sums {
		path, sum, _ := strings.Cut(text, sumMark)
		i := slices.IndexFunc(files, func(f description.File) bool { return f.Path == path })
		if i >= 0 && files[i].SHA256 != sum {
			bad.About("--files", fault.Hint(fmt.Errorf("%s has changed since the experiment was saved", path),
				"without its line in files the experiment runs with what it holds now"))
		}
	}
	return bad.Err()
}

// Identity describes all that the results of a run depend on: the network, and rest.
func (n *Network) Identity(res *description.Result, rest ...any) string {
	text := fmt.Sprintf("preset %q seed %d dt %v grid %v", n.Preset, res.Spec.Seed, res.Spec.Dt, res.Spec.OnGrid)
	text += fmt.Sprintln(append([]any{" rest"}, rest...)...)
	for _, s := range n.Settings {
		text += s.Name + "=" + s.Text + "\n"
	}
	return text + fmt.Sprintln(FileSums(res.Files)) + n.Description.Text
}

// Saved is the experiment of a network: its description itself, flags, those given and those in resolved, and settings.
// files is whether the flag of FileSums has a value.
func (n *Network) Saved(verb, comment string, flags []Flag, given func(name string) bool, resolved map[string]string,
	files bool,
) Saved {
	x := Saved{Comment: comment, Verb: verb, Model: n.Name, Flags: flags, Given: given, Resolved: resolved}
	x.Resolved["description"] = n.Description.Text
	if files {
		x.Resolved["files"] = ""
	}
	for _, s := range n.Settings {
		x.Values = append(x.Values, [2]string{s.Name, s.Text})
	}
	return x
}

// Locate adds the number in its population to the error about a neuron that blew up.
func (n *Network) Locate(err error, spec *network.Spec) error {
	var blown *network.BlownUp
	if !errors.As(err, &blown) {
		return err
	}
	first := 0
	for _, p := range spec.Populations {
		if blown.Neuron < first+p.N {
			return fault.Hint(err, "this is neuron %d of population %s; dt was %v ms", blown.Neuron-first, p.Name, spec.Dt)
		}
		first += p.N
	}
	return err
}
