package experiment

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"popsim/equations"
	"popsim/fault"
	"popsim/model"
)

// PresetsFile is read without being named, where it stands in the working directory.
const PresetsFile = "popsim.toml"

// ExpandPreset replaces the word in place at of args, FILE.toml:NAME, or MODEL:NAME with a preset of PresetsFile, by the
// model and the values of that preset, less those that args sets themselves. from is the file; it is "" where the word is
// no preset of a file, and args are then as they were.
func ExpandPreset(args []string, at int) (expanded []string, from string, err error) {
	if at >= len(args) {
		return args, "", nil
	}
	word, name, ok := strings.Cut(args[at], ":")
	if !ok || name == "" {
		return args, "", nil
	}
	file := word
	if !strings.HasSuffix(word, Ending) {
		file = PresetsFile
	}
	presets, err := readPresets(file)
	if err != nil || presets == nil {
		return args, "", nil // what the file is instead, or that it is not there, is told by its reader
	}
	values, ok := presets[name]
	if !ok && file == PresetsFile {
		return args, "", nil
	}
	if !ok {
		return args, "", fmt.Errorf("%s has no preset %q; it has %s", file, name, strings.Join(sortedKeys(presets), ", "))
	}
	m, ok := values["model"].(string)
	if !ok {
		return args, "", fault.Hint(fmt.Errorf("%s: [preset.%s] does not name its model", file, name), `model = "adex" does`)
	}
	if file == PresetsFile && m != word {
		return args, "", nil
	}
	if file == PresetsFile {
		if built, err := equations.Lookup(word); err == nil && hasPreset(built, name) {
			return args, "", fmt.Errorf("%s defines %s:%s, which is built in; give it another name", file, word, name)
		}
	}
	expanded = append(slices.Clone(args[:at]), m)
	given := map[string]bool{}
	for _, a := range args[at+1:] {
		if key, _, ok := strings.Cut(a, "="); ok {
			given[key] = true
		}
	}
	for _, key := range sortedKeys(values) {
		if key != "model" && key != "title" && key != "source" && !given[key] {
			expanded = append(expanded, fmt.Sprintf("%s=%v", key, values[key]))
		}
	}
	return append(expanded, args[at+1:]...), file, nil
}

// readPresets reads the tables [preset.NAME] of a file that holds nothing else; nil where it holds something else.
func readPresets(path string) (map[string]map[string]any, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	kind, err := KindOf(path, data)
	if err != nil || kind != UnmarkedFile {
		return nil, err
	}
	var whole struct {
		Preset map[string]map[string]any `toml:"preset"`
	}
	if err := toml.Unmarshal(data, &whole); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return whole.Preset, nil
}

func hasPreset(m *model.Model, name string) bool {
	_, err := m.Preset(name)
	return err == nil
}

func sortedKeys[T any](m map[string]T) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
