package equations

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"popsim/expression"
	"popsim/fault"
	"popsim/model"
	"popsim/tomltree"
)

// PresetsFile is the file of presets in the working directory that is read without being named.
const PresetsFile = "popsim.toml"

// Find finds a model and one of its presets by their names on the command line. The name of the model may be that of a
// file of presets, and a preset may be one of PresetsFile.
func Find(name, preset string) (*model.Model, model.Preset, error) {
	if IsPath(name) {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, model.Preset{}, err
		}
		if root, _ := tomltree.Read(name, data); holdsPresets(root) {
			return presetOf(name, data, preset)
		}
	}
	m, err := Lookup(name)
	if err != nil {
		return nil, model.Preset{}, err
	}
	s, err := m.Preset(preset)
	if err == nil {
		return m, s, nil
	}
	data, none := os.ReadFile(PresetsFile)
	switch {
	case errors.Is(none, fs.ErrNotExist):
		return m, s, err
	case none != nil:
		return m, s, none
	}
	own, found, faults := presetOf(PresetsFile, data, preset)
	switch {
	case faults == nil && own.Name != m.Name:
		return m, s, fmt.Errorf("preset %s of %s is one of %s", preset, PresetsFile, own.Name)
	case faults == nil:
		return m, found, nil
	}
	root, _ := tomltree.Read(PresetsFile, data)
	if root.Get("preset").Get(preset) != nil {
		return m, s, faults
	}
	return m, s, unknownPreset(m, preset, root)
}

// unknownPreset is the error about a preset that m does not have, neither of its own nor in PresetsFile, whose content
// is root.
func unknownPreset(m *model.Model, preset string, root *tomltree.Entry) error {
	known := slices.Clone(m.Presets())
	for _, e := range root.Tables("preset") {
		name := ""
		if of := e.Get("model"); of != nil {
			name, _, _ = strings.Cut(of.Text, ":")
		}
		if name == m.Name {
			known = append(known, model.Preset{Name: e.Key})
		}
	}
	return m.UnknownPreset(preset, known)
}

// holdsPresets reports whether a file consists of presets for models defined elsewhere.
func holdsPresets(root *tomltree.Entry) bool {
	return root.Get("preset") != nil &&
		!slices.ContainsFunc([]string{"neuron", "population", "verb"}, func(key string) bool { return root.Get(key) != nil })
}

// presetOf reads a file of presets and finds one. All faults of the file are reported together.
func presetOf(path string, data []byte, name string) (m *model.Model, s model.Preset, err error) {
	root, err := tomltree.Read(path, data)
	if err != nil {
		return nil, s, err
	}
	var faults fault.List
	var names []string
	for _, c := range root.Items {
		switch {
		case c.Key == "preset" && c.Kind != tomltree.Table:
			faults.Add(fault.At(c.Place, errors.New("presets are tables [preset.NAME]")))
		case c.Key != "preset":
			faults.Add(fault.At(c.Place, fmt.Errorf("a file of presets has no key %q; presets are tables [preset.NAME]", c.Key)))
		}
	}
	for _, c := range root.Tables("preset") {
		names = append(names, c.Key)
		of, preset := readPreset(path, c, &faults)
		if c.Key == name {
			m, s = of, preset
		}
	}
	if err := faults.Err(); err != nil {
		return nil, s, err
	}
	if m == nil {
		if name == "" {
			return nil, s, fmt.Errorf("%s holds presets; name one, as %s:%s", path, path, strings.Join(names, ", "))
		}
		return nil, s, fmt.Errorf("%s has no preset %q%s", path, name, expression.Nearest(name, names))
	}
	return m, s, nil
}

// readPreset reads one table: model = "MODEL[:PRESET]", values of parameters and I, source, note.
func readPreset(path string, e *tomltree.Entry, faults *fault.List) (*model.Model, model.Preset) {
	s := model.Preset{Name: e.Key, File: path, Source: path}
	add := func(at *tomltree.Entry, format string, args ...any) {
		faults.Add(fault.At(at.Place, fmt.Errorf(format, args...)))
	}
	base := e.Get("model")
	if e.Kind != tomltree.Table || base == nil || base.Kind != tomltree.Text {
		add(e, `preset %s has no model; write model = "adex"`, e.Key)
		return nil, s
	}
	name, from, _ := strings.Cut(base.Text, ":")
	m, err := Lookup(name)
	if err != nil {
		add(base, "%w", err)
		return nil, s
	}
	start, err := m.Preset(from)
	if err != nil {
		add(base, "%w", err)
		return nil, s
	}
	s.Params, s.I = start.Params, start.I
	if _, err := m.Preset(e.Key); err == nil {
		add(e, "%s:%s is built in and cannot be given another meaning", m.Name, e.Key)
	}
	known := []string{"model", "source", "note", "I"}
	for _, p := range m.Params {
		known = append(known, p.Name)
	}
	for _, c := range e.Items {
		j := m.Index(c.Key)
		switch {
		case c.Key == "model":
		case c.Key == "source":
			s.Source = c.Text
		case c.Key == "note":
			s.Note = c.Text
		case j < 0 && c.Key != "I":
			add(c, "%s has no %q%s", m.Name, c.Key, expression.Nearest(c.Key, known))
		case c.Kind != tomltree.Text && c.Kind != tomltree.Number:
			add(c, `%s is a number or a text such as "10 mV"`, c.Key)
		default:
			if err := setValue(&s, m, j, c.Text); err != nil {
				add(c, "%s: %w", c.Key, err)
			}
		}
	}
	if err := m.Check(s.Params); err != nil {
		add(e, "preset %s: %w", e.Key, err)
	}
	return m, s
}

// setValue sets parameter j of a preset of m, or the current if j is -1, to a number with or without a unit.
func setValue(s *model.Preset, m *model.Model, j int, text string) error {
	to, unit := &s.I, m.CurrentUnit
	if j >= 0 {
		to, unit = &s.Params[j], m.Params[j].Unit
	}
	x, err := model.ParseQuantity(text, unit)
	if err == nil {
		*to = x
	}
	return err
}
