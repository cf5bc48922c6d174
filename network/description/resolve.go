package description

import (
	"fmt"
	"slices"

	"popsim/expression"
	"popsim/fault"
)

// resolver converts a description to a Spec, and collects faults.
type resolver struct {
	d           *Description
	o           Options
	out         *Result
	faults      fault.List
	dims        map[string]expression.Dimension
	values      map[string]float64 // in base units
	units       map[string]string  // of parameters: that in which bare numbers are understood
	populations map[string]int
	neuronCount int          // of the populations read so far
	used        map[int]bool // settings
	files       map[string]*columns
	models      map[string]string // SHA-256 of files of models, by path
	broken      map[string]bool   // parameters with faults: expressions that use them are not checked
	below       map[string]bool   // the current parameter and those after it
}

func (r *resolver) fault(e *entry, format string, args ...any) {
	r.faults.Add(at(e.place, fmt.Errorf(e.key+": "+format, args...)))
}

// at puts an error at its place, if it has one.
func at(place string, err error) error {
	if place == "" {
		return err
	}
	return fault.At(place, err)
}

// setting returns the last NAME=VALUE of a name as an entry.
func (r *resolver) setting(name string) *entry {
	var found *entry
	for i, s := range r.o.Settings {
		if s.Name == name {
			r.used[i] = true
			found = &entry{key: name, place: s.Place, kind: scalarText, text: s.Text}
		}
	}
	return found
}

// parameters evaluates [parameters] in order, with the preset's values and NAME=VALUE instead of those of the file.
func (r *resolver) parameters() {
	var preset *entry
	if r.o.Preset != "" {
		if preset = r.d.root.get("preset").get(r.o.Preset); preset == nil {
			r.faults.Add(fmt.Errorf("no preset %q%s", r.o.Preset, expression.Nearest(r.o.Preset, r.d.Presets())))
		}
	}
	section := r.d.root.get("parameters")
	if section == nil {
		section = &entry{}
	}
	known := []string{"title", "source", "note"}
	for _, e := range section.items {
		known = append(known, e.key)
	}
	if all := r.d.root.get("preset"); all != nil {
		for _, p := range all.items {
			unknown(&r.faults, p, "preset "+p.key, known)
		}
	}
	for k, e := range section.items {
		r.below = map[string]bool{}
		for _, later := range section.items[k:] {
			r.below[later.key] = true
		}
		if !r.parameter(e, preset) {
			r.broken[e.key] = true
		}
	}
	r.below = nil
}

// parameter evaluates an entry of [parameters]; it is false after a fault.
func (r *resolver) parameter(e, preset *entry) bool {
	switch {
	case expression.Reserved(e.key) || slices.Contains([]string{"i", "n", "n_pre", "n_post"}, e.key):
		r.fault(e, "the name is reserved")
		return false
	case !goodName(e.key, false):
		r.fault(e, "names of parameters consist of letters, digits and _")
		return false
	}
	unit := "1"
	if x, err := expression.Parse(e.text); err == nil {
		if d, err := x.Check(r.dims); err == nil {
			unit = written(x, d)
		}
	}
	given := e
	if p := preset.get(e.key); p != nil {
		given = p
	}
	if s := r.setting(e.key); s != nil {
		given = s
	}
	x := r.parse(given, given.text)
	if x == nil {
		return false
	}
	if at := slices.IndexFunc(x.Names(), func(name string) bool { return r.below[name] }); at >= 0 {
		r.fault(given, "%q: %s is given below; an entry uses those above it", given.text, x.Names()[at])
		return false
	}
	u, err := expression.UnitOf(unit)
	if err != nil {
		r.fault(given, "%w", err)
		return false
	}
	v, err := x.In(u, r.dims, r.value)
	if err != nil {
		r.fault(given, "%q: %w", given.text, err)
		return false
	}
	r.dims[e.key], r.values[e.key] = u.Dim, u.Base(v)
	r.out.Parameters = append(r.out.Parameters, Parameter{e.key, given.text, v, unit})
	return true
}
