package experiment

import (
	"maps"

	"popsim/table/file"
)

// Parameters lists the parameters of the neuron for a record, in the order of the model, then the current and the other
// settings. What is not one number is a text. Values in other, by name, replace those that were set.
func (n Neuron) Parameters(other map[string]any) []file.Parameter {
	values := map[string]any{}
	for _, s := range n.Settings {
		values[s.Name] = s.Value.Bare()
		if x, ok := s.Value.Single(); ok {
			values[s.Name] = x
		}
	}
	maps.Copy(values, other)
	base := n.Base()
	var all []file.Parameter
	add := func(name, unit string, value any) {
		if x, ok := values[name]; ok {
			value = x
		}
		if value != nil {
			all = append(all, file.Parameter{Name: name, Value: value, Unit: unit})
		}
	}
	for j, p := range n.Model.Params {
		add(p.Name, p.Unit, base.Params[j])
	}
	add("I", n.Model.CurrentUnit, base.Current)
	for _, s := range n.Model.States {
		add(s.Name+"0", s.Unit, nil)
	}
	add(GainName, "1", nil)
	return all
}
