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

// A preset that differs from its network in more than parameters is a file of its own, NAME.PRESET.toml.

// Names lists the networks of the library, in alphabetical order.
func Names() []string {
	var names []string
	for _, name := range files() {
		if !strings.Contains(name, ".") {
			names = append(names, name)
		}
	}
	return names
}

// files lists the files of the library without their endings, in alphabetical order.
func files() []string {
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

// Lookup returns a network of the library by name, NAME or NAME:PRESET. A preset that is a file of its own is that
// file, in which the preset changes nothing.
func Lookup(name string) (*Description, error) {
	name, preset, _ := strings.Cut(name, ":")
	all := files()
	if !slices.Contains(Names(), name) {
		return nil, fmt.Errorf("no network %q%s", name, expression.Nearest(name, Names()))
	}
	base := name
	if slices.Contains(all, name+"."+preset) {
		name += "." + preset
	}
	data, err := library.ReadFile(path.Join("library", name+".toml"))
	if err != nil {
		return nil, err
	}
	d, err := Parse(name+".toml", data)
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		if other, ok := strings.CutPrefix(f, base+"."); ok {
			d.others = append(d.others, other)
		}
	}
	return d, nil
}
