package experiment

import (
	"errors"
	"fmt"

	"popsim/fault"
	"popsim/model"
	"popsim/sweep"
)

// Sweep returns a sweep of the neuron for the verb fi or map: settings with several values become axes, in the order of
// naming, and so does I in fi; those with one value are set.
func (n Neuron) Sweep(verb string) (spec sweep.Spec, err error) {
	var bad fault.List
	bad.Add(n.Check(verb, Several))
	base := n.Base()
	hasCurrent := false
	for _, x := range n.Settings {
		isCurrent := x.Target == Current
		hasCurrent = hasCurrent || isCurrent
		if x.Target == Waveform {
			spec.Waveform = append(spec.Waveform, x.Name)
		} else if x.Value.Kind == Number && (verb != "fi" || !isCurrent) {
			base.Set(x, x.Value.At(0))
			continue
		}
		spec.Grid.Axes = append(spec.Grid.Axes, x.Value.Axis())
	}
	if verb == "fi" && !hasCurrent && len(bad) == 0 && !n.Faulty {
		bad.Add(fault.Hint(errors.New("fi needs a range of currents, but I is not given"), "for example I=0:20:0.5"))
	}
	spec.Model, spec.P, spec.I, spec.Init = n.Model, base.Params, base.Current, base.Initial
	return spec, errors.Join(bad...)
}

// ParseTolerance parses the tolerance to which the transitions of a curve are refined, in the unit of its only axis.
func ParseTolerance(text string, spec sweep.Spec) (float64, error) {
	if len(spec.Grid.Axes) != 1 || spec.From != sweep.FromRest {
		return 0, errors.New("--refine sharpens a curve over one quantity, started from rest")
	}
	x, err := model.ParseQuantity(text, spec.Grid.Axes[0].Unit)
	switch {
	case err != nil:
		return 0, fmt.Errorf("--refine: %w", err)
	case x <= 0:
		return 0, fmt.Errorf("--refine: a tolerance of %v cannot be reached; it must be greater than 0", x)
	}
	return x, nil
}
