package pop

import (
	"fmt"
	"math"

	"popsim/kernels"
	"popsim/model"
	"popsim/rng"
)

// Noise moves every neuron by chance, independently of the others. What it does to a neuron depends on Seed, the
// neuron's number and the step alone. The zero Noise does nothing.
//
// White noise of models that reset is sigma in tau dV = ... + sigma sqrt(tau) dW, mV: V without a threshold has the
// variance sigma²/2. Of models that cross it is sigma in C dV = ... + sigma dW. V is held, and noise does nothing,
// during refractoriness.
//
// The Ornstein-Uhlenbeck process is a current of mean 0, standard deviation OU and correlation time Tau; it begins in
// its stationary state.
type Noise struct {
	White float64 // mV, or unit of I times sqrt(ms)
	OU    float64 // unit of I
	Tau   float64 // ms
	Seed  uint64
}

// none tells whether there is no noise.
func (n Noise) none() bool { return n.White == 0 && n.OU == 0 }

// check says what is wrong with a noise for m.
func (n Noise) check(m *model.Model) error {
	switch {
	case !(n.White >= 0) || math.IsInf(n.White, 0) || !(n.OU >= 0) || math.IsInf(n.OU, 0):
		return fmt.Errorf("pop: noise of %v and %v; finite numbers that are not negative are needed", n.White, n.OU)
	case n.OU > 0 && (!(n.Tau > 0) || math.IsInf(n.Tau, 0)):
		return fmt.Errorf("pop: the correlation time of the noise is %v ms; it must be positive", n.Tau)
	case n.White > 0 && (m.Fires == model.Reset && m.Index("tau") < 0 || m.Fires != model.Reset && m.Index("C") < 0):
		return fmt.Errorf("pop: %s has no time constant and no capacitance by which white noise is defined", m.Name)
	}
	return nil
}

// noisy is what a population keeps of its noise.
type noisy struct {
	Noise
	white  []rng.Stream // of the parts of a step, one after each spike within it
	ou     rng.Stream
	decay  float64 // of the Ornstein-Uhlenbeck process over a step
	kick   float64 // standard deviation of what is new in it at the end of a step
	shared float64 // the mean over a step is shared (z0 + z1) + spread n
	spread float64
}

// mostParts is the number of parts of a step that have a stream of their own; a step with more spikes takes the last
// again, at other counters.
const mostParts = 16

func newNoisy(n Noise, dt float64) *noisy {
	if n.none() {
		return nil
	}
	q := &noisy{Noise: n, ou: rng.NewStream(n.Seed, "noise ou")}
	for part := range mostParts {
		q.white = append(q.white, rng.NewStream(n.Seed, fmt.Sprintf("noise white %d", part)))
	}
	if n.OU > 0 {
		// z is of unit variance. Of its mean over a step, given both ends, the expectation is their sum times
		// (tau/dt) tanh(dt/2tau), and the variance 2 (tau/dt) (1 - (2 tau/dt) tanh(dt/2tau)) (a bridge of z).
		x := dt / n.Tau
		q.decay = kernels.Exp(-x)
		q.kick = math.Sqrt(-kernels.Expm1(-2 * x))
		e := kernels.Expm1(x)
		th := e / (e + 2) // tanh(x/2)
		q.shared = th / x
		q.spread = math.Sqrt(max(0, 2/x*(1-float64(2/x*th))))
		if x < 1e-2 { // the difference cancels: its series
			q.spread = math.Sqrt(x / 6 * (1 - x*x/10))
		}
	}
	return q
}

// currents writes the mean over step k of the Ornstein-Uhlenbeck current of neurons first, first+1 ... to row, added to
// what it holds, and moves z on.
func (q *noisy) currents(row, z []float64, first int, k int64) {
	for l := range z {
		b := q.ou.At(uint32(first+l), uint32(k+1)) // counter 0 is the start
		old := z[l]
		z[l] = math.FMA(q.decay, old, q.kick*rng.Normal32(b[0]))
		mean := math.FMA(q.spread, rng.Normal32(b[1]), q.shared*(old+z[l]))
		row[l] = math.FMA(q.OU, mean, row[l])
	}
}

// start is the process of n neurons at step 0.
func (q *noisy) start(first, n int) []float64 {
	z := make([]float64, n)
	for l := range z {
		z[l] = rng.Normal32(q.ou.At(uint32(first+l), 0)[0])
	}
	return z
}

// advanceNoisy advances a shard through steps of the epoch from done on, with noise.
func (p *Population) advanceNoisy(s *shard, w *worker, done, steps int, drive kernels.Drive) {
	n := s.columns.N
	padded := (n + kernels.Group - 1) / kernels.Group * kernels.Group
	if len(w.row) < padded {
		w.row = make([]float64, padded)
	}
	if p.noisy.OU > 0 && s.ou == nil {
		s.ou = p.noisy.start(s.first, n)
	}
	exact := p.noisy.White > 0 && p.spec.Model == model.LIFModel
	if exact && s.lif == nil {
		s.lif = p.lifNeurons(s)
	}
	for j := range steps {
		k := p.first + int64(done+j)
		one := from(drive, j)
		if one.Wave != nil {
			one.Wave = one.Wave[:1]
		}
		if p.noisy.OU > 0 {
			clear(w.row[:padded])
			if one.Row != nil {
				copy(w.row[:n], one.Row[:n])
			}
			p.noisy.currents(w.row, s.ou, s.first, k)
			one.Row, one.Stride = w.row, padded
		}
		if exact {
			p.lifStep(s, done+j, k, one)
			continue
		}
		before := len(s.events)
		s.events = s.columns.Advance(w.scratch, k, 1, one, false, s.events)
		for i := range s.events[before:] {
			s.events[before+i].Step += int32(done + j)
		}
		if p.noisy.White > 0 {
			p.shake(s, done+j, k)
		}
	}
}

// shake adds the white noise of step k to V. A neuron that resets and comes to its threshold by it spikes at the end of
// the step: for eif and adex, whose threshold is a cut-off far above V_T, the upstroke is known before.
func (p *Population) shake(s *shard, step int, k int64) {
	m := p.spec.Model
	v, wake := s.columns.Y[0], s.columns.Wake
	tau, threshold := m.Index("tau"), m.Index("V_th")
	capacity := m.Index("C")
	y := make([]float64, len(m.States))
	for l := range s.columns.N {
		if wake != nil && wake[l] >= float64(k+1) {
			continue // held to the end of the step
		}
		i := s.first + l
		size := p.noisy.White
		if m.Fires == model.Reset {
			size *= math.Sqrt(p.dt / p.spec.P[tau].At(i))
		} else {
			size *= math.Sqrt(p.dt) / p.spec.P[capacity].At(i)
		}
		v[l] = math.FMA(size, rng.Normal32(p.noisy.white[0].At(uint32(i), uint32(k))[0]), v[l])
		if m.Fires == model.Reset && v[l] >= p.spec.P[threshold].At(i) {
			s.columns.State(l, k+1, y)
			p.resetAt(s, l, step, k, y)
		}
	}
}

// resetAt makes lane l spike at the end of step k, in state y.
func (p *Population) resetAt(s *shard, l, step int, k int64, y []float64) {
	m, i := p.spec.Model, s.first+l
	y[0] = p.spec.P[m.Index("V_reset")].At(i)
	if j := m.Index("b"); j >= 0 && len(y) > 1 {
		y[1] += p.spec.P[j].At(i)
	}
	s.events = append(s.events, kernels.Event{Step: int32(step), Lane: int32(l), Theta: 1})
	s.columns.Enter(l, k+1, y)
	if j := m.Index("t_ref"); j >= 0 {
		hold := p.spec.P[j].At(i) / p.dt
		whole := math.Floor(hold)
		s.columns.Wake[l], s.columns.Rem[l] = float64(k+1)+whole, 1-(hold-whole)
	}
}

// lifNeuron is a LIF neuron in a step of full length; the state is in the columns of its shard.
type lifNeuron struct {
	rest, reset, threshold, r, tau, hold float64 // hold in steps
	current, gain                        float64
	decay, sd                            float64 // of V over a whole step
	diffusion                            float64 // of V, mV²/ms
}

// lifNeurons are the neurons of a shard; one where they are all the same.
func (p *Population) lifNeurons(s *shard) []lifNeuron {
	all := make([]lifNeuron, s.columns.N)
	params := make([]float64, len(p.spec.P))
	for l := range all {
		for j, v := range p.spec.P {
			params[j] = v.At(s.first + l)
		}
		q := model.LIFOf(params)
		d := kernels.Exp(-p.dt / q.Tau)
		all[l] = lifNeuron{
			q.VRest, q.VReset, q.VTh, q.R, q.Tau, q.TRef / p.dt, p.spec.I.At(s.first + l), p.spec.Gain.At(s.first + l),
			d, p.noisy.White * math.Sqrt(-kernels.Expm1(-2*p.dt/q.Tau)/2), p.noisy.White * p.noisy.White / q.Tau,
		}
	}
	return all
}

// lifStep advances the LIF neurons of a shard by step k with white noise. The law of V at the end of a step is exact.
// That it crosses the threshold in between, although it is below at the end, has the probability exp(-2 (V_th -
// V0)(V_th - V1)/(D h)) of a Brownian bridge (D = sigma²/tau); the instant is drawn from the law of first passage of
// that bridge. The curvature of the path's mean over a step is left out, an error of order h in the rate.
func (p *Population) lifStep(s *shard, step int, k int64, drive kernels.Drive) {
	v, wake, rem := s.columns.Y[0], s.columns.Wake, s.columns.Rem
	for l := range s.lif {
		start := 0.0 // of the step, from where V moves
		switch at := wake[l]; {
		case at > float64(k):
			continue
		case at == float64(k):
			start = 1 - rem[l]
		}
		q := &s.lif[l]
		input := q.current
		if drive.Wave != nil {
			input = math.FMA(q.gain, drive.Wave[0], input)
		}
		if drive.Row != nil {
			input += drive.Row[l]
		}
		vInf := math.FMA(q.r, input, q.rest)
		v[l] = p.lifLane(s, q, l, step, k, start, v[l], vInf)
	}
}

// lifLane advances one neuron through what is left of step k from start on, and gives V at its end; V_reset if it is
// held.
func (p *Population) lifLane(s *shard, q *lifNeuron, l, step int, k int64, start, v, vInf float64) float64 {
	neuron := uint32(s.first + l)
	for part := 0; ; part++ {
		b := p.noisy.white[min(part, mostParts-1)].At(neuron, uint32(k)+uint32(max(0, part-mostParts+1))<<24)
		h, decay, sd := p.dt, q.decay, q.sd
		if start > 0 {
			h = (1 - start) * p.dt
			decay = kernels.Exp(-h / q.tau)
			sd = p.noisy.White * math.Sqrt(-kernels.Expm1(-2*h/q.tau)/2)
		}
		end := math.FMA(sd, rng.Normal32(b[0]), math.FMA(decay, v-vInf, vInf))
		at, crossed := crossing(q.threshold-v, end-v, q.diffusion, h, b)
		if !crossed {
			return end
		}
		at = start + at/p.dt
		s.events = append(s.events, kernels.Event{Step: int32(step), Lane: int32(l), Theta: min(at, 1)})
		v = q.reset
		if at += q.hold; at >= 1 {
			whole := math.Floor(at)
			s.columns.Wake[l], s.columns.Rem[l] = float64(k)+whole, 1-(at-whole)
			return v
		}
		start = at
	}
}

// crossing tells whether a path from 0 to end in h ms, a Brownian bridge of the given diffusion, reaches level, and
// when: its words are the second to the fourth of b.
//
// In the clock s = h t/(h-t) the bridge is a free Brownian motion and the level a line, reached after an inverse
// Gaussian time of mean level h/|end - level| and shape level²/D.
func crossing(level, end, diffusion, h float64, b rng.Block) (at float64, crossed bool) {
	if level <= 0 {
		return 0, true
	}
	if end < level {
		x := 2 * level * (level - end) / (diffusion * h)
		if x > 36 || rng.Uniform32(b[1]) >= kernels.Exp(-x) { // exp(-36) is less than the least uniform number
			return 0, false
		}
	}
	s := inverseGaussian(level*h/math.Abs(end-level), level*level/diffusion, b)
	return h * s / (h + s), true
}

// inverseGaussian draws a first-passage time of the given mean and shape (Michael, Schucany & Haas, Am. Stat. 30:88,
// 1976).
func inverseGaussian(mean, shape float64, b rng.Block) float64 {
	y := rng.Normal32(b[2])
	y *= y
	if math.IsInf(mean, 1) { // the end lies on the level: Levy's law
		return shape / y
	}
	r := mean * y / (2 * shape)
	x := mean / (1 + r + math.Sqrt(r*(2+r))) // the smaller root, without cancellation
	if rng.Uniform32(b[3]) <= mean/(mean+x) {
		return x
	}
	return mean * mean / x
}
