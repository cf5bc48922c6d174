package network

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"popsim/kernels"
	"popsim/model"
	"popsim/noise"
	"popsim/rng"
)

// MaxDelay is the longest delay, ms.
const MaxDelay = 1000

// wholeDelay is the largest difference, in steps, between a delay and a whole number of steps at which it is rounded to
// that number.
const wholeDelay = 1e-9

// Check returns all faults of the description joined in one error; nil if there are none.
func (s *Spec) Check() error {
	c := &checker{spec: s}
	if !(s.Dt > 0) || math.IsInf(s.Dt, 1) {
		c.fault("dt %g ms; it must be above 0", s.Dt)
		return errors.Join(c.faults...)
	}
	if len(s.Populations) == 0 {
		c.fault("a network needs a population")
	}
	if len(s.Populations) > math.MaxUint16 {
		c.fault("%d populations; at most %d are possible", len(s.Populations), math.MaxUint16)
	}
	c.names("populations", len(s.Populations), func(i int) string { return s.Populations[i].Name })
	c.names("synapses", len(s.Synapses), func(i int) string { return s.Synapses[i].Name })
	c.names("projections", len(s.Projections), func(i int) string { return s.Projections[i].Name })
	c.names("inputs", len(s.Inputs), func(i int) string { return s.Inputs[i].Name })
	total := 0
	for i := range s.Populations {
		c.population(&s.Populations[i])
		total += min(max(0, s.Populations[i].N), math.MaxInt32+1)
	}
	if total > math.MaxInt32 {
		c.fault("%d neurons; at most %d are possible", total, math.MaxInt32)
	}
	for i := range s.Synapses {
		c.synapse(&s.Synapses[i])
	}
	for i := range s.Projections {
		c.projection(&s.Projections[i])
	}
	for i := range s.Inputs {
		c.input(&s.Inputs[i])
	}
	for i := range s.Populations {
		if len(c.faults) == 0 && s.coupled(i) {
			if err := s.Populations[i].coupledMethod(); err != nil {
				c.fault("population %s: %w", s.Populations[i].Name, err)
			}
		}
	}
	for i := range s.Populations {
		if p := &s.Populations[i]; len(c.faults) == 0 && p.Model != nil && p.Model.Outside() {
			c.ownSynapses(p, s.conducts(i), s.jumps(i))
		}
	}
	return errors.Join(c.faults...)
}

// ownSynapses checks a population of equations of the user's own that receives conductances or jumps.
func (c *checker) ownSynapses(p *Population, conductances, jumps bool) {
	what := "conductances"
	if !conductances {
		what = "jumps"
	}
	switch {
	case (conductances || jumps) && p.Model.States[0].Unit != "mV":
		c.fault("population %s: %s onto %s need a potential in mV as its first state, not %s in %s", p.Name, what,
			p.Model.Name, p.Model.States[0].Name, p.Model.States[0].Unit)
	case conductances && p.method().Name != "rk4" && p.method().Name != "euler":
		c.fault("population %s: method %s of %s takes no conductances; use rk4", p.Name, p.method().Name, p.Model.Name)
	}
}

type checker struct {
	spec   *Spec
	faults []error
}

func (c *checker) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf(format, args...))
}

// names reports things of the same name as a fault: the key of their random numbers is made of it.
func (c *checker) names(what string, n int, name func(i int) string) {
	seen := map[string]bool{}
	for i := range n {
		if seen[name(i)] {
			c.fault("two %s are named %q", what, name(i))
		}
		seen[name(i)] = true
	}
}

func (c *checker) values(what string, v kernels.Values, n int, least float64) {
	if v != nil && len(v) != 1 && len(v) != n {
		c.fault("%s: %d values for %d neurons", what, len(v), n)
		return
	}
	for i, x := range v {
		if !(x >= least) || math.IsInf(x, 0) {
			c.fault("%s: value %g of neuron %d", what, x, i)
			return
		}
	}
}

func (c *checker) times(what string, times [][]float64, n int) {
	if len(times) != n {
		c.fault("%s: spike times for %d of %d neurons", what, len(times), n)
	}
	for i, list := range times {
		before := 0.0
		for _, t := range list {
			if !(t >= before) || math.IsInf(t, 1) {
				c.fault("%s: spike times of neuron %d must be 0 or later and ascend; %g ms comes after %g ms", what, i, t, before)
				return
			}
			before = t
		}
	}
}

func (c *checker) population(p *Population) {
	what := "population " + p.Name
	if p.N < 1 {
		c.fault("%s: %d neurons; at least 1 is needed", what, p.N)
		return
	}
	if p.N > math.MaxInt32 {
		return // reported of the sum
	}
	if (p.Model == nil) == (p.Source == nil) {
		c.fault("%s: it needs a model or a source of spikes, not both", what)
		return
	}
	if p.Source != nil {
		c.source(what, p)
		return
	}
	if len(p.P) != len(p.Model.Params) {
		c.fault("%s: %d parameters; %s has %d", what, len(p.P), p.Model.Name, len(p.Model.Params))
		return
	}
	if before := len(c.faults); c.columns(what, p) == before {
		c.neurons(what, p)
	}
}

// source checks the rates or times of a population of sources.
func (c *checker) source(what string, p *Population) {
	switch q := p.Source; {
	case q.Times != nil:
		c.times(what, q.Times, p.N)
	case q.Rate == nil:
		c.fault("%s: it needs a rate or spike times", what)
	default:
		c.values(what+": rate", q.Rate, p.N, 0)
		for _, x := range q.Rate {
			if !c.rate(what, x, true) {
				break
			}
		}
	}
}

// columns checks the lengths and values of what is given for each neuron, and returns the number of faults so far.
func (c *checker) columns(what string, p *Population) int {
	for j, v := range p.P {
		if len(v) == 0 {
			c.fault("%s: %s has no value", what, p.Model.Params[j].Name)
			continue
		}
		c.values(what+": "+p.Model.Params[j].Name, v, p.N, math.Inf(-1))
	}
	c.values(what+": I", p.I, p.N, math.Inf(-1))
	if c.values(what+": t_ref", p.TRef, p.N, 0); p.TRef != nil && p.Model.Fires == model.Reset {
		c.fault("%s: t_ref of %s is a parameter", what, p.Model.Name)
	}
	for j, v := range p.Start {
		if j >= len(p.Model.States) {
			c.fault("%s: %d initial states; %s has %d", what, len(p.Start), p.Model.Name, len(p.Model.States))
			break
		}
		c.values(what+": initial "+p.Model.States[j].Name, v, p.N, math.Inf(-1))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Synaptic)) {
		if c.spec.synapseNamed(name) < 0 {
			c.fault("%s: initial value of %s, which is no synapse", what, name)
		}
		c.values(what+": initial value of "+name, p.Synaptic[name], p.N, math.Inf(-1))
	}
	return len(c.faults)
}

// neurons checks the parameters of each neuron by the model's Check, up to the first fault.
func (c *checker) neurons(what string, p *Population) {
	q := make([]float64, len(p.P))
	for i := range p.N {
		for j, v := range p.P {
			q[j] = v.At(i)
		}
		if err := p.Model.Check(q); err != nil {
			c.fault("%s, neuron %d: %w", what, i, err)
			return
		}
		if usable, _ := p.Model.StepLimits(p.method(), q); c.spec.Dt > usable {
			c.fault("%s: dt %g ms is too long for %s; at most %.3g ms is possible", what, c.spec.Dt, p.Model.Name, usable)
			return
		}
		if p.oneSetting() {
			return
		}
	}
}

// oneSetting reports whether all neurons have the same parameters.
func (p *Population) oneSetting() bool {
	for _, v := range p.P {
		if len(v) > 1 {
			return false
		}
	}
	return true
}

// method is the population's method: the model's first where none is named.
func (p *Population) method() model.Method {
	if p.Method.Name == "" {
		return p.Model.Methods[0]
	}
	return p.Method
}

func (s *Spec) synapseNamed(name string) int {
	for i := range s.Synapses {
		if s.Synapses[i].Name == name {
			return i
		}
	}
	return -1
}

func (c *checker) synapse(y *Synapse) {
	switch y.Kind {
	case Delta:
	case ExpCurrent, AlphaCurrent:
		c.time(y, "tau", y.Tau)
	case ExpConductance, AlphaConductance:
		c.time(y, "tau", y.Tau)
		c.reversal(y)
	case BiexpConductance:
		c.time(y, "tau_rise", y.Rise)
		c.time(y, "tau_decay", y.Decay)
		if !(y.Rise < y.Decay) {
			c.fault("synapse %s: tau_rise %g ms; it must be below tau_decay, %g ms", y.Name, y.Rise, y.Decay)
		}
		c.reversal(y)
	case NMDA:
		c.time(y, "tau_rise", y.Rise)
		c.time(y, "tau_decay", y.Decay)
		c.reversal(y)
		if !(y.Alpha > 0) || math.IsInf(y.Alpha, 1) {
			c.fault("synapse %s: alpha %g per ms; it must be above 0", y.Name, y.Alpha)
		}
		if !(y.Mg >= 0) || math.IsInf(y.Mg, 1) {
			c.fault("synapse %s: Mg %g mM; it must be 0 or more", y.Name, y.Mg)
		}
		if y.Approximate && !(y.Rise < y.Decay) {
			c.fault("synapse %s: tau_rise %g ms; the approximation needs it below tau_decay, %g ms", y.Name, y.Rise, y.Decay)
		}
	default:
		c.fault("synapse %s: unknown kind", y.Name)
	}
}

func (c *checker) time(y *Synapse, name string, x float64) {
	if !(x > 0) || math.IsInf(x, 1) {
		c.fault("synapse %s: %s %g ms; it must be above 0", y.Name, name, x)
	}
}

func (c *checker) reversal(y *Synapse) {
	if math.IsNaN(y.E) || math.IsInf(y.E, 0) {
		c.fault("synapse %s: E %g mV", y.Name, y.E)
	}
}

// mostInstants is the largest mean number of spikes in a step of a train whose spikes are made one by one.
const mostInstants = 1e4

// rate reports a rate (spikes/s) with more spikes in a step than can be drawn as a fault; single is whether they are
// made one by one.
func (c *checker) rate(what string, rate float64, single bool) bool {
	most := rng.MaxPoissonMean / c.spec.Dt * 1000
	if single {
		most = mostInstants / c.spec.Dt * 1000
	}
	if rate > most {
		c.fault("%s: rate %g spikes/s; at most %g is possible with dt %g ms", what, rate, most, c.spec.Dt)
	}
	return rate <= most
}

// least is the lowest weight of a synapse: 0 for conductances, else -Inf.
func (c *checker) least(synapse int) float64 {
	if c.spec.Synapses[synapse].Kind.conductance() {
		return 0
	}
	return math.Inf(-1)
}

func (c *checker) input(in *Input) {
	what := "input " + in.Name
	n := c.pool(what+": to", in.To, true)
	if n == 0 {
		return
	}
	kinds := 0
	for _, given := range []bool{in.Poisson != nil, in.Spikes != nil, in.Current != nil, in.Noise != nil} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		c.fault("%s: it needs exactly one of a Poisson rate, spike times, a current and noise", what)
		return
	}
	c.values(what+": gain", in.Gain, n, math.Inf(-1))
	if in.IDs != nil && len(in.IDs) != n {
		c.fault("%s: %d numbers for %d neurons", what, len(in.IDs), n)
	}
	if math.IsNaN(in.Start) || math.IsNaN(in.Stop) || in.Stop != 0 && in.Stop <= in.Start {
		c.fault("%s: from %g to %g ms; it must stop after it starts, or never", what, in.Start, in.Stop)
	}
	if in.Noise != nil {
		c.noise(what, in)
	}
	if !in.arrives() {
		return
	}
	if in.Synapse < 0 || in.Synapse >= len(c.spec.Synapses) {
		c.fault("%s: no synapse %d", what, in.Synapse)
		return
	}
	c.law(what+": weight", in.Weight, c.least(in.Synapse))
	if !(in.Delay >= 0 && in.Delay <= MaxDelay) {
		c.fault("%s: delay %g ms; it lies between 0 and %d ms", what, in.Delay, MaxDelay)
	}
	if in.Spikes != nil {
		c.times(what, in.Spikes, n)
	} else {
		c.poisson(what, in)
	}
}

// noise checks an input of noise.
func (c *checker) noise(what string, in *Input) {
	if !(in.Noise.SD >= 0) || math.IsInf(in.Noise.SD, 1) {
		c.fault("%s: noise of the strength %g; it must be 0 or more", what, in.Noise.SD)
	}
	if !(in.Noise.Tau >= 0) || math.IsInf(in.Noise.Tau, 1) {
		c.fault("%s: a correlation time of %g ms; it must be above 0", what, in.Noise.Tau)
	}
	for _, p := range in.To {
		if m := c.spec.Populations[p.Population].Model; in.Noise.Tau == 0 && m != nil {
			if err := noise.Defined(m); err != nil {
				c.fault("%s: %w", what, err)
			}
		}
	}
}

// poisson checks the rate of an input of Poisson trains.
func (c *checker) poisson(what string, in *Input) {
	most := 1.0
	for i, g := range in.Gain {
		if g < 0 {
			c.fault("%s: gain %g of neuron %d; of trains it must be 0 or more", what, g, i)
			return
		}
		most = max(most, g)
	}
	switch p := in.Poisson; {
	case p.Law != nil:
		if !(p.Redraw > 0) {
			c.fault("%s: a drawn rate needs the time after which it is drawn again", what)
		}
		if before := len(c.faults); c.draw(what+": rate", p.Law) == before {
			_, hi := p.Law.bounds()
			c.rate(what, hi*most, !c.spec.OnGrid)
		}
	case p.Shape == nil && !(p.Rate >= 0 && !math.IsInf(p.Rate, 1)):
		c.fault("%s: rate %g spikes/s; it must be 0 or more", what, p.Rate)
	default:
		c.rate(what, p.Rate*most, !c.spec.OnGrid)
	}
}
