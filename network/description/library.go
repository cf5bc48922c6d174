package description

import (
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"

	"popsim/expression"
)

//go:embed library/*.toml
var library embed.FS

// Names lists the networks of the library, in alphabetical order.
func Names() []string {
	entries, err := library.ReadDir("library")
	if err != nil {
		panic("bug: " + err.Error())
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".toml"))
	}
	slices.Sort(names)
	return names
}

// Lookup returns a network of the library by name.
func Lookup(name string) (*Description, error) {
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("no network %q%s", name, expression.Nearest(name, Names()))
	}
	data, err := library.ReadFile(path.Join("library", name+".toml"))
	if err != nil {
		return nil, err
	}
	return Parse(name+".toml", data)
}
