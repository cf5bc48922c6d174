package completion

import (
	"fmt"
	"slices"
	"strings"

	"popsim/network/cann"
	"popsim/network/description"
)

// takesNetworks are the verbs of which a network may be the subject.
var takesNetworks = []string{"run", "map", "models"}

// networks offers the networks of the library with their presets to a verb that takes them.
func networks(verb string) (found []string) {
	if !slices.Contains(takesNetworks, verb) {
		return nil
	}
	for _, name := range description.Names() {
		d, err := description.Lookup(name)
		if err != nil {
			continue
		}
		found = append(found, name+"\t"+d.Title)
		for _, preset := range d.Presets() {
			found = append(found, name+":"+preset+"\t"+d.Title)
		}
	}
	found = append(found, "cann\t"+cann.Title)
	for _, preset := range cann.Presets {
		found = append(found, "cann:"+preset.Name+"\t"+preset.Doc)
	}
	return found
}

// networkNames offers what can be set of the network that the first argument names and has not been; it is nil where
// that names none of the library.
func networkNames(args []string) (found []string) {
	name, preset, _ := strings.Cut(args[0], ":")
	if name == "cann" {
		for _, p := range cann.Parameters {
			if !slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, p.Name+"=") }) {
				found = append(found, fmt.Sprintf("%s=\t%s", p.Name, p.Doc))
			}
		}
		return found
	}
	if !slices.Contains(description.Names(), name) {
		return nil
	}
	d, err := description.Lookup(args[0])
	if err != nil {
		return nil
	}
	res, err := d.Resolve(description.Options{Preset: preset})
	if err != nil {
		return nil
	}
	for _, p := range res.Parameters {
		if !slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, p.Name+"=") }) {
			found = append(found, fmt.Sprintf("%s=\t%s", p.Name, p.Text))
		}
	}
	return found
}
