package experiment

import (
	"errors"
	"fmt"
	"math"

	"popsim/fault"
	"popsim/kernels"
	"popsim/pop"
)

// Count is the number of neurons of a population: asked, or if that is 0 the number of values of its files, or one.
func (n Neuron) Count(asked int) (int, error) {
	size, of := max(1, asked), ""
	var bad fault.List
	for _, s := range n.Settings {
		if s.Value.Kind != File {
			continue
		}
		text, values := s.Name+"="+s.Value.Bare(), s.Value.Len()
		switch {
		case asked > 0 && values != asked:
			bad.Addf("%s holds %s for %s", text, plural(values, "value"), plural(asked, "neuron"))
		case of != "" && values != size:
			bad.Addf("%s holds %s, but %s holds %d", text, plural(values, "value"), of, size)
		default:
			size, of = values, text
		}
	}
	return size, bad.Err()
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Population is the population of count neurons; values gives those of a setting, one for all or one for each.
func (n Neuron) Population(method string, count int, values func(Setting) kernels.Values) pop.Spec {
	base := n.Base()
	spec := pop.Spec{
		Model: n.Model, Method: method, N: count, P: kernels.Uniform(base.Params), I: kernels.Values{base.Current},
	}
	spec.Init = make([]kernels.Values, len(n.Model.States))
	for _, s := range n.Settings {
		switch v := values(s); s.Target {
		case Parameter:
			spec.P[s.Index] = v
		case Current:
			spec.I = v
		case State:
			spec.Init[s.Index] = v
		case Gain:
			spec.Gain = v
		}
	}
	return spec
}

// Of returns a population's values of the quantity that s sets.
func (s Setting) Of(spec pop.Spec) kernels.Values {
	switch s.Target {
	case Current:
		return spec.I
	case State:
		return spec.Init[s.Index]
	case Gain:
		return spec.Gain
	}
	return spec.P[s.Index]
}

// eachNeuron calls visit with the parameters of every neuron, or once where they are the same for all. p is reused.
func eachNeuron(s pop.Spec, visit func(neuron int, p []float64)) {
	n := 1
	for _, v := range s.P {
		n = max(n, len(v))
	}
	p := make([]float64, len(s.P))
	for i := range n {
		for j, v := range s.P {
			p[j] = v.At(i)
		}
		visit(i, p)
	}
}

// CheckPopulation returns an error about the first neuron with invalid parameters or initial state, and the number of
// further ones.
func CheckPopulation(s pop.Spec) error {
	bad := 0
	var first error
	eachNeuron(s, func(i int, p []float64) {
		if err := s.Model.Check(p); err != nil {
			if bad++; bad == 1 {
				first = err
				if s.N > 1 {
					first = fmt.Errorf("neuron %d: %w", i, err)
				}
			}
		}
	})
	if bad > 1 {
		return fmt.Errorf("%w (and %s)", first, plural(bad-1, "more neuron"))
	}
	for j, v := range s.Init {
		if state := s.Model.States[j]; state.Unit == "1" {
			for i, x := range v {
				if x < 0 || x > 1 {
					return errors.Join(first, fmt.Errorf("%s0 of neuron %d is %v; a gate must lie in [0, 1]", state.Name, i, x))
				}
			}
		}
	}
	return first
}

// StepLimits are the smallest step limits of all neurons, in ms: beyond usable results mean nothing, beyond accurate
// they are inaccurate.
func StepLimits(s pop.Spec) (usable, accurate float64) {
	method, _ := s.Model.Method(s.Method)
	usable, accurate = math.Inf(1), math.Inf(1)
	eachNeuron(s, func(_ int, p []float64) {
		a, b := s.Model.StepLimits(method, p)
		usable, accurate = min(usable, a), min(accurate, b)
	})
	return usable, accurate
}
