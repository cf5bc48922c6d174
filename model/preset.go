package model

import (
	_ "embed" // presets.json
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
)

// Preset is a published parameter set.
type Preset struct {
	Name   string    // without the model
	Params []float64 // a whole parameter vector
	I      float64   // input current that goes with it; NaN where the source fixes none
	Source string
	Note   string
	File   string // the file of presets that holds it; empty if it is built in
}

//go:embed presets.json
var presetsJSON []byte

var presets = sync.OnceValue(func() map[string][]Preset {
	var raw map[string]map[string]any
	if err := json.Unmarshal(presetsJSON, &raw); err != nil {
		panic("bug: presets.json: " + err.Error())
	}
	found := map[string][]Preset{}
	for key, values := range raw {
		name, preset, _ := strings.Cut(key, ":")
		m, err := Lookup(name)
		if err != nil {
			panic("bug: presets.json: " + err.Error())
		}
		s := Preset{Name: preset, Params: m.Defaults(), I: math.NaN()}
		for k, v := range values {
			switch j := m.Index(k); {
			case j >= 0:
				s.Params[j] = v.(float64)
			case k == "I":
				s.I = v.(float64)
			case k == "source":
				s.Source = v.(string)
			case k == "note":
				s.Note = v.(string)
			default:
				panic(fmt.Sprintf("bug: presets.json: %s has no parameter %s", key, k))
			}
		}
		found[name] = append(found[name], s)
	}
	for _, list := range found {
		slices.SortFunc(list, func(a, b Preset) int { return strings.Compare(a.Name, b.Name) })
	}
	return found
})

// Presets lists the published parameter sets of m by name.
func (m *Model) Presets() []Preset {
	if m.Given == nil {
		return presets()[m.Name]
	}
	return slices.DeleteFunc(slices.Clone(m.Given), func(s Preset) bool { return s.Name == "" })
}

// Preset finds a published parameter set; the empty name means the defaults.
func (m *Model) Preset(name string) (Preset, error) {
	if name == "" {
		for _, s := range m.Given {
			if s.Name == "" {
				s.Params = slices.Clone(s.Params)
				return s, nil
			}
		}
		return Preset{Params: m.Defaults(), I: math.NaN()}, nil
	}
	for _, s := range m.Presets() {
		if s.Name == name {
			s.Params = slices.Clone(s.Params)
			return s, nil
		}
	}
	return Preset{}, m.UnknownPreset(name, m.Presets())
}

// UnknownPreset is the error about a preset that is not among those known.
func (m *Model) UnknownPreset(name string, known []Preset) error {
	names := make([]string, len(known))
	for i, s := range known {
		names[i] = s.Name
	}
	return unknown("preset of "+m.Name, name, names)
}
