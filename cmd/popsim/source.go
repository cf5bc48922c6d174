package main

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"popsim/fault"
	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
	"popsim/sweep"
)

// source is where the values of one setting come from in a run: one number, a draw, or a file.
type source struct {
	setting
	one   float64
	draw  *draw
	file  []float64
	shape string // as it stands in records
}

// source reads a value as run takes it.
func (s setting) source() (source, error) {
	r := source{setting: s, shape: s.text}
	d, ok, err := parseDraw(s.text, s.unit)
	if ok {
		r.draw = &d
		if err != nil {
			err = fmt.Errorf("%s=%s: %w", s.name, s.text, err)
		}
		return r, fault.About(s.name, err)
	}
	a, err := s.axis()
	switch {
	case errors.Is(err, sweep.ErrInterval):
		return r, fault.About(s.name, fault.Hint(fmt.Errorf("%s=%s is an interval; run takes one value", s.name, s.text), "popsim bifurcation takes intervals"))
	case err != nil:
		return r, err
	case strings.HasPrefix(s.text, "@"):
		r.file = a.All()
	case a.Len() == 1:
		r.one = a.At(0)
	default:
		return r, fault.About(s.name, fault.Hint(fmt.Errorf("%s=%s has %d values; run takes one, a draw, or a file of one per neuron", s.name, s.text, a.Len()),
			"popsim fi and popsim map go through several values"))
	}
	return r, nil
}

// values are the numbers for n neurons: one for all, or one for each.
func (r source) values(n int, seed uint64) kernels.Values {
	switch {
	case r.file != nil:
		return r.file
	case r.draw == nil:
		return kernels.Values{r.one}
	}
	v, key := make(kernels.Values, n), nameKey(r.name)
	for i := range v {
		v[i] = r.draw.at(seed, key, i)
	}
	return v
}

// sources reads all settings of a run. All faults are told together.
func (q question) sources() ([]source, error) {
	var all []source
	var bad fault.List
	for _, s := range q.settings {
		r, err := s.source()
		bad.Add(err)
		all = append(all, r)
	}
	return all, errors.Join(bad...)
}

// neurons is how many there are: as asked for, or as the files have values, or one.
func neurons(n count, all []source) (int, error) {
	size, of := 1, ""
	var bad fault.List
	bad.Add(n.err)
	if n.given {
		size = n.value
	}
	for _, r := range all {
		switch {
		case r.file == nil || n.err != nil:
		case n.given && len(r.file) != n.value:
			bad.Addf("%s=%s holds %s for %s", r.name, r.text, counted(len(r.file), "value"), counted(n.value, "neuron"))
		case of != "" && len(r.file) != size:
			bad.Addf("%s=%s holds %s, but %s holds %d", r.name, r.text, counted(len(r.file), "value"), of, size)
		default:
			size, of = len(r.file), r.name+"="+r.text
		}
	}
	return size, errors.Join(bad...)
}

// spec is the population that a run is about; values gives those of one source.
func (q question) spec(method string, n int, all []source, values func(source) kernels.Values) pop.Spec {
	base := q.base()
	s := pop.Spec{Model: q.model, Method: method, N: n, I: kernels.Values{base.current}}
	for _, x := range base.params {
		s.P = append(s.P, kernels.Values{x})
	}
	s.Init = make([]kernels.Values, len(q.model.States))
	for _, r := range all {
		switch v := values(r); r.kind {
		case setsParam:
			s.P[r.index] = v
		case setsCurrent:
			s.I = v
		case setsState:
			s.Init[r.index] = v
		case setsGain:
			s.Gain = v
		}
	}
	return s
}

// each calls visit with the parameters of every neuron, or once where they are the same for all, until it has had
// enough.
func each(s pop.Spec, visit func(neuron int, p []float64) (more bool)) {
	n := 1
	for _, v := range s.P {
		n = max(n, len(v))
	}
	p := make([]float64, len(s.P))
	for i := range n {
		for j, v := range s.P {
			p[j] = v.At(i)
		}
		if !visit(i, p) {
			return
		}
	}
}

// sound reports the first neuron whose parameters make no sense, and how many more there are.
func sound(s pop.Spec) error {
	bad := 0
	var first error
	each(s, func(i int, p []float64) bool {
		if err := s.Model.Check(p); err != nil {
			if bad++; bad == 1 {
				first = err
				if s.N > 1 {
					first = fmt.Errorf("neuron %d: %w", i, err)
				}
			}
		}
		return true
	})
	if bad > 1 {
		return fmt.Errorf("%w (and %s)", first, counted(bad-1, "more neuron"))
	}
	for j, v := range s.Init {
		if state := s.Model.States[j]; state.Unit == "1" {
			for i, x := range v {
				if x < 0 || x > 1 {
					return fmt.Errorf("%s0 of neuron %d is %v; a gate stays between 0 and 1", state.Name, i, x)
				}
			}
		}
	}
	return first
}

// stepLimits are the least step limits of all neurons, in ms.
func stepLimits(s pop.Spec) (usable, accurate float64) {
	method, _ := s.Model.Method(s.Method)
	usable, accurate = math.Inf(1), math.Inf(1)
	each(s, func(_ int, p []float64) bool {
		a, b := s.Model.StepLimits(method, p)
		usable, accurate = min(usable, a), min(accurate, b)
		return true
	})
	return usable, accurate
}

// haste collects the trains whose spikes come too fast for the step, which nobody knows before a run.
type haste struct {
	method model.Method
	dt     float64
	n      int     // how many
	least  float64 // time free of refractoriness between two spikes of the fastest, ms
	who    int     // the fastest
}

// add looks at train i, whose spikes are interval ms apart, of which refract ms are refractory.
func (c *haste) add(i int, interval, refract float64) {
	free := interval - refract
	if !(interval > 0) || !c.method.Crowded(free, c.dt) {
		return
	}
	if c.n++; c.n == 1 || free < c.least {
		c.least, c.who = free, i
	}
}

// shortest is the part of a step below which the time between spikes is rounding, or the end of all numbers.
const shortest = 1e-9

// warn tells of them, if there are any; noun is what they are.
func (c *haste) warn(v *voice, noun string) {
	if c.n == 0 {
		return
	}
	if c.least < shortest*c.dt {
		v.warn("steps of %v ms are too long for %s: at %s %d spikes come as soon as refractoriness ends, for which no step is short enough",
			c.dt, counted(c.n, noun), noun, c.who)
		return
	}
	v.warn("steps of %v ms are too long for %s: at %s %d a spike comes %.3g steps after the end of refractoriness; method %s needs %v, so --dt %.1gms",
		c.dt, counted(c.n, noun), noun, c.who, c.least/c.dt, c.method.Name, c.method.Steps, floor1(c.least/c.method.Steps))
}

// floor1 is the largest number of one digit up to x.
func floor1(x float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x)))
	return math.Floor(x/unit*(1+1e-9)) * unit
}
