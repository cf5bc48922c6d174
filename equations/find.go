package equations

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"popsim/model"
	"popsim/tomltree"
)

// Ending is that of files of equations.
const Ending = ".toml"

// IsPath reports whether the name of a model is that of a file.
func IsPath(name string) bool {
	return strings.HasSuffix(name, Ending) || strings.ContainsAny(name, `/\`)
}

// HoldsPresets reports whether the text of a TOML file consists of presets for models defined elsewhere.
func HoldsPresets(data []byte) bool {
	root, _ := tomltree.Read("", data) // faults of its syntax are reported when it is read
	return holdsPresets(root)
}

//go:embed library/*.toml
var library embed.FS

// Names lists the models of the library of files in the program, in alphabetical order.
func Names() []string {
	entries, err := library.ReadDir("library")
	if err != nil {
		panic("bug: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), Ending))
	}
	return names
}

// Lookup finds a model by its name on the command line: a built-in one, a file, or one of the library.
func Lookup(name string) (*model.Model, error) {
	if IsPath(name) {
		return Load(name)
	}
	m, err := model.Lookup(name)
	if err == nil {
		return m, nil
	}
	if slices.Contains(Names(), name) {
		data, err := library.ReadFile(path.Join("library", name+Ending))
		if err != nil {
			return nil, err
		}
		m, err := Parse(name+Ending, data)
		if err == nil {
			m.File = name
		}
		return m, err
	}
	if near := model.Nearest(name, Names()); near != "" && model.Nearest(name, model.Names()) == "" {
		return nil, fmt.Errorf("there is no model %q; did you mean %q?", name, near)
	}
	return nil, err
}
