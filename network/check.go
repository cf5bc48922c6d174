package network

import (
	"errors"
	"fmt"
	"math"

	"popsim/kernels"
	"popsim/model"
	"popsim/rng"
)

// MaxDelay is the longest delay, ms.
const MaxDelay = 1000

// wholeDelay is the part of a step within which a delay counts as whole steps.
const wholeDelay = 1e-9

// Check reports all faults of the description together; nil if there are none.
func (s *Spec) Check() error {
	c := &checker{spec: s}
	if !(s.Dt > 0) || math.IsInf(s.Dt, 1) {
		c.fault("dt %g ms; it must be above 0", s.Dt)
		return errors.Join(c.faults...)
	}
	if len(s.Populations) == 0 {
		c.fault("a network needs a population")
	}
	total := 0
	for i := range s.Populations {
		c.population(&s.Populations[i])
		total += max(0, s.Populations[i].N)
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
	return errors.Join(c.faults...)
}

type checker struct {
	spec   *Spec
	faults []error
}

func (c *checker) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf(format, args...))
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
	if (p.Model == nil) == (p.Source == nil) {
		c.fault("%s: it needs a model or a source of spikes, not both", what)
		return
	}
	if p.Source != nil {
		if p.Source.Times != nil {
			c.times(what, p.Source.Times, p.N)
		} else {
			c.values(what+": rate", p.Source.Rate, p.N, 0)
			for _, x := range p.Source.Rate {
				if !c.rate(what, x) {
					break
				}
			}
			if p.Source.Rate == nil {
				c.fault("%s: it needs a rate or spike times", what)
			}
		}
		return
	}
	if len(p.P) != len(p.Model.Params) {
		c.fault("%s: %d parameters; %s has %d", what, len(p.P), p.Model.Name, len(p.Model.Params))
		return
	}
	before := len(c.faults)
	for j, v := range p.P {
		if len(v) == 0 {
			c.fault("%s: %s has no value", what, p.Model.Params[j].Name)
			continue
		}
		c.values(what+": "+p.Model.Params[j].Name, v, p.N, math.Inf(-1))
	}
	c.values(what+": I", p.I, p.N, math.Inf(-1))
	for j, v := range p.Start {
		if j >= len(p.Model.States) {
			c.fault("%s: %d initial states; %s has %d", what, len(p.Start), p.Model.Name, len(p.Model.States))
			break
		}
		c.values(what+": initial "+p.Model.States[j].Name, v, p.N, math.Inf(-1))
	}
	for name, v := range p.Synaptic {
		if c.spec.synapseNamed(name) < 0 {
			c.fault("%s: initial value of %s, which is no synapse", what, name)
		}
		c.values(what+": initial value of "+name, v, p.N, math.Inf(-1))
	}
	if len(c.faults) > before {
		return
	}
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
	default:
		c.fault("synapse %s: %s is not available", y.Name, y.Kind)
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

// size is the number of neurons of a pool.
func size(pool []Part) int {
	n := 0
	for _, p := range pool {
		n += p.N
	}
	return n
}

// pool checks the parts of a pool and returns its size; targets must be neurons.
func (c *checker) pool(what string, pool []Part, targets bool) int {
	for _, p := range pool {
		if p.Population < 0 || p.Population >= len(c.spec.Populations) {
			c.fault("%s: no population %d", what, p.Population)
			return 0
		}
		q := &c.spec.Populations[p.Population]
		if p.First < 0 || p.N < 1 || p.First+p.N > q.N {
			c.fault("%s: neurons %d to %d of %s, which has %d", what, p.First, p.First+p.N-1, q.Name, q.N)
			return 0
		}
		if targets && q.Model == nil {
			c.fault("%s: %s has sources of spikes, which take no input", what, q.Name)
			return 0
		}
	}
	n := size(pool)
	if n == 0 {
		c.fault("%s: no neurons", what)
	}
	return n
}

// rate refuses a rate, spikes/s, of more spikes in a step than can be drawn.
func (c *checker) rate(what string, rate float64) bool {
	most := rng.MaxPoissonMean / c.spec.Dt * 1000
	if rate > most {
		c.fault("%s: rate %g spikes/s; at most %g is possible with dt %g ms", what, rate, most, c.spec.Dt)
	}
	return rate <= most
}

// least is the lowest weight of a synapse: conductances are not negative.
func (c *checker) least(synapse int) float64 {
	if c.spec.Synapses[synapse].Kind.conductance() {
		return 0
	}
	return math.Inf(-1)
}

func (c *checker) law(what string, law Law, least float64) {
	switch l := law.(type) {
	case nil:
		c.fault("%s is missing", what)
	case Constant:
		if !(float64(l) >= least) || math.IsInf(float64(l), 0) {
			if math.IsInf(least, -1) {
				c.fault("%s: %g", what, float64(l))
			} else {
				c.fault("%s: %g; at least %g is needed", what, float64(l), least)
			}
		}
	case PerEdge:
	case Draw:
		c.draw(what, &l)
	}
}

func (c *checker) draw(what string, l *Draw) {
	if l.Kind == Uniform && !(l.A <= l.B) {
		c.fault("%s: uniform from %g to %g; the lower end comes first", what, l.A, l.B)
	}
	if l.Kind != Uniform && !(l.B >= 0) {
		c.fault("%s: standard deviation %g; it must be 0 or more", what, l.B)
	}
	if l.Kind == Lognormal && !(l.A > 0) {
		c.fault("%s: mean %g of a lognormal; it must be above 0", what, l.A)
	}
	for _, b := range []*[2]float64{l.Redraw, l.Clip} {
		if b != nil && !(b[0] <= b[1]) {
			c.fault("%s: bounds %g..%g; the lower one comes first", what, b[0], b[1])
		}
	}
}

func (c *checker) projection(p *Projection) {
	what := "projection " + p.Name
	before := len(c.faults)
	from, to := c.pool(what+": from", p.From, false), c.pool(what+": to", p.To, true)
	if p.Synapse < 0 || p.Synapse >= len(c.spec.Synapses) {
		c.fault("%s: no synapse %d", what, p.Synapse)
	}
	if len(c.faults) > before {
		return
	}
	least := c.spec.Dt * (1 - wholeDelay)
	edges, isEdges := p.Rule.(Edges)
	if !isEdges || edges.Weight == nil {
		c.law(what+": weight", p.Weight, c.least(p.Synapse))
	}
	if !isEdges || edges.Delay == nil {
		c.law(what+": delay (ms)", p.Delay, least)
		if d, ok := p.Delay.(Constant); ok && float64(d) > MaxDelay {
			c.fault("%s: delay %g ms; at most %d ms is possible", what, float64(d), MaxDelay)
		}
	}
	switch r := p.Rule.(type) {
	case nil:
		c.fault("%s: rule is missing", what)
	case InDegree:
		c.degree(what, "in-degree", r.K, from, p.NoMultapses)
	case OutDegree:
		c.degree(what, "out-degree", r.K, to, p.NoMultapses)
	case Probability:
		if !(r.P >= 0 && r.P <= 1) {
			c.fault("%s: probability %g; it lies between 0 and 1", what, r.P)
		}
	case Total:
		if r.N < 0 {
			c.fault("%s: %d edges", what, r.N)
		}
		if p.NoMultapses {
			c.fault("%s: total with multapses = false is not available; probability or in-degree are", what)
		}
	case OneToOne:
		if from != to {
			c.fault("%s: one-to-one between %d sources and %d targets", what, from, to)
		}
	case Ring:
		if !(r.Sigma > 0) {
			c.fault("%s: ring of width %g degrees; it must be above 0", what, r.Sigma)
		}
	case Edges:
		c.edges(what, r, from, to, least)
	}
}

func (c *checker) degree(what, name string, k, n int, noMultapses bool) {
	if k < 0 {
		c.fault("%s: %s %d; it must be 0 or more", what, name, k)
	}
	if noMultapses && k > n-1 {
		c.fault("%s: %s %d without multapses from a pool of %d", what, name, k, n)
	}
}

func (c *checker) edges(what string, r Edges, from, to int, least float64) {
	n := len(r.Pre)
	if len(r.Post) != n || r.Weight != nil && len(r.Weight) != n || r.Delay != nil && len(r.Delay) != n {
		c.fault("%s: columns of unequal length", what)
		return
	}
	for i := range n {
		switch {
		case r.Pre[i] < 0 || int(r.Pre[i]) >= from:
			c.fault("%s: edge %d: source %d of %d", what, i, r.Pre[i], from)
		case r.Post[i] < 0 || int(r.Post[i]) >= to:
			c.fault("%s: edge %d: target %d of %d", what, i, r.Post[i], to)
		case r.Weight != nil && (math.IsNaN(r.Weight[i]) || math.IsInf(r.Weight[i], 0)):
			c.fault("%s: edge %d: weight %g", what, i, r.Weight[i])
		case r.Delay != nil && !(r.Delay[i] >= least && r.Delay[i] <= MaxDelay):
			c.fault("%s: edge %d: delay %g ms; it lies between %g and %d ms", what, i, r.Delay[i], c.spec.Dt, MaxDelay)
		default:
			continue
		}
		return
	}
}

func (c *checker) input(in *Input) {
	what := "input " + in.Name
	n := c.pool(what+": to", in.To, true)
	if n == 0 {
		return
	}
	kinds := 0
	for _, given := range []bool{in.Poisson != nil, in.Spikes != nil, in.Current != nil} {
		if given {
			kinds++
		}
	}
	if kinds != 1 {
		c.fault("%s: it needs exactly one of a Poisson rate, spike times and a current", what)
		return
	}
	c.values(what+": gain", in.Gain, n, math.Inf(-1))
	if in.Current != nil {
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
	}
	if p := in.Poisson; p != nil {
		if p.Law != nil {
			c.draw(what+": rate", p.Law)
			if !(p.Redraw > 0) {
				c.fault("%s: a drawn rate needs the time after which it is drawn again", what)
			}
		} else if p.Shape == nil && !(p.Rate >= 0 && !math.IsInf(p.Rate, 1)) {
			c.fault("%s: rate %g spikes/s; it must be 0 or more", what, p.Rate)
		} else {
			most := 1.0
			for _, g := range in.Gain {
				most = max(most, g)
			}
			c.rate(what, p.Rate*most)
		}
	}
}
