package pop

import (
	"fmt"
	"math"

	"popsim/kernels"
	"popsim/model"
	"popsim/noise"
	"popsim/rng"
)

// Noise is the noise of every neuron, independent of that of the others. It depends only on Seed, the neuron's number
// and the step. The zero Noise is none.
//
// White noise of models that reset is sigma in tau dV = ... + sigma sqrt(tau) dW, mV: V without a threshold has the
// variance sigma²/2. Of models that cross it is sigma in C dV = ... + sigma dW. V is held during refractoriness,
// without noise.
//
// The Ornstein-Uhlenbeck process is a current of mean 0, standard deviation OU and correlation time Tau; it starts in
// its stationary state.
type Noise struct {
	White float64 // mV, or unit of I times sqrt(ms)
	OU    float64 // unit of I
	Tau   float64 // ms
	Seed  uint64
}

// none reports whether there is no noise.
func (n Noise) none() bool { return n.White == 0 && n.OU == 0 }

// check returns the faults of a noise for m.
func (n Noise) check(m *model.Model) error {
	switch {
	case !(n.White >= 0) || math.IsInf(n.White, 0) || !(n.OU >= 0) || math.IsInf(n.OU, 0):
		return fmt.Errorf("pop: noise of %v and %v; finite numbers that are not negative are needed", n.White, n.OU)
	case n.OU > 0 && (!(n.Tau > 0) || math.IsInf(n.Tau, 0)):
		return fmt.Errorf("pop: the correlation time of the noise is %v ms; it must be positive", n.Tau)
	case n.White > 0:
		if err := noise.Defined(m); err != nil {
			return fmt.Errorf("pop: %w", err)
		}
	}
	return nil
}

// noisy is the part of a population that draws its noise.
type noisy struct {
	Noise
	white rng.Stream
	parts [mostParts]rng.Stream // of what happens inside steps: one for each part of a step, which a spike begins
	law   noise.OU
}

// mostParts is the number of parts of a step that have a stream of their own; a step with more spikes takes the last
// again, at other counters.
const mostParts = 16

func newNoisy(n Noise, dt float64) *noisy {
	if n.none() {
		return nil
	}
	q := &noisy{Noise: n, white: rng.NewStream(n.Seed, "noise white")}
	for part := range q.parts {
		q.parts[part] = rng.NewStream(n.Seed, fmt.Sprintf("noise inside steps %d", part))
	}
	if n.OU > 0 {
		q.law = noise.NewOU(n.Tau, dt)
	}
	return q
}

// shardNoise is the part of a shard for noise.
type shardNoise struct {
	white  *noise.Rows
	ou     *noise.OUs
	lif    []lifNeuron   // with white noise on LIF
	shaker *noise.Shaker // with white noise on other models
	fired  []int32
}

func (p *Population) newShardNoise(s *shard) *shardNoise {
	q := &shardNoise{}
	if p.noisy.OU > 0 {
		q.ou = noise.NewOUs(p.noisy.law, p.noisy.Seed, "noise ou", s.first, s.columns.N)
	}
	if p.noisy.White > 0 {
		q.white = noise.NewRows(p.noisy.white, s.first, s.columns.N)
		if p.spec.Model == model.LIFModel {
			q.lif = p.lifNeurons(s)
		} else {
			q.shaker = noise.NewShaker(s.columns, p.spec.Model, p.spec.P, s.first)
		}
	}
	return q
}

// advanceNoisy advances a shard through steps of the epoch from done on, with noise.
func (p *Population) advanceNoisy(s *shard, w *worker, done, steps int, drive kernels.Drive) {
	if s.noise == nil {
		s.noise = p.newShardNoise(s)
	}
	n, q := s.columns.N, s.noise
	padded := (n + kernels.Group - 1) / kernels.Group * kernels.Group
	if len(w.row) < padded {
		w.row = make([]float64, padded)
	}
	isa := p.kernel.ISA
	for j := range steps {
		k := p.first + int64(done+j)
		one := from(drive, j)
		if one.Wave != nil {
			one.Wave = one.Wave[:1]
		}
		if q.ou != nil {
			clear(w.row[:padded])
			if one.Row != nil {
				copy(w.row[:n], one.Row[:n])
			}
			q.ou.Step(isa, w.row[:n], p.noisy.OU, k)
			one.Row, one.Stride = w.row, padded
		}
		if q.lif != nil {
			p.lifStep(s, done+j, k, one)
			continue
		}
		before := len(s.events)
		s.events = s.columns.Advance(w.scratch, k, 1, one, false, s.events)
		for i := range s.events[before:] {
			s.events[before+i].Step += int32(done + j)
		}
		if q.shaker != nil {
			q.fired = q.shaker.Step(k, p.noisy.White, q.white.Row(isa, k), q.fired[:0])
			for _, l := range q.fired {
				s.events = append(s.events, kernels.Event{Step: int32(done + j), Lane: l, Theta: 1})
			}
		}
	}
}

// lifNeuron is a LIF neuron in a step of full length; the state is in the columns of its shard.
type lifNeuron struct {
	rest, reset, threshold, r, tau, hold float64 // hold in steps
	current, gain                        float64
	decay, sd                            float64 // of V over a whole step
	diffusion                            float64 // of V, mV²/ms
	// (V_th - V0) (V_th - V1) over h from which on V does not cross, mV²/ms
	far float64
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
		diffusion := p.noisy.White * p.noisy.White / q.Tau
		all[l] = lifNeuron{
			q.VRest, q.VReset, q.VTh, q.R, q.Tau, q.TRef / p.dt, p.spec.I.At(s.first + l), p.spec.Gain.At(s.first + l),
			d, p.noisy.White * math.Sqrt(-kernels.Expm1(-2*p.dt/q.Tau)/2), diffusion,
			noise.Never / 2 * diffusion,
		}
	}
	return all
}

// lifStep advances the LIF neurons of a shard by step k with white noise. The law of V at the end of a step is exact.
// The probability that V crosses the threshold in between, although it is below at the end, is that of a Brownian
// bridge, exp(-2 (V_th - V0)(V_th - V1)/(D h)) with D = sigma²/tau; the instant is drawn from the first-passage law of
// that bridge. The curvature of the path's mean over a step is neglected, an error of order h in the rate.
func (p *Population) lifStep(s *shard, step int, k int64, drive kernels.Drive) {
	v, wake, rem := s.columns.Y[0], s.columns.Wake, s.columns.Rem
	z := s.noise.white.Row(p.kernel.ISA, k)
	for l := range s.noise.lif {
		start := 0.0 // of the step, from where V moves
		switch at := wake[l]; {
		case at > float64(k):
			continue
		case at == float64(k):
			start = 1 - rem[l]
		}
		q := &s.noise.lif[l]
		input := q.current
		if drive.Wave != nil {
			input = math.FMA(q.gain, drive.Wave[0], input)
		}
		if drive.Row != nil {
			input += drive.Row[l]
		}
		vInf := math.FMA(q.r, input, q.rest)
		v[l] = p.lifLane(s, q, l, step, k, start, v[l], vInf, z[l])
	}
}

// lifLane advances one neuron by the rest of step k from start on, with the standard normal number z, and returns V at
// its end; V_reset if it is held.
func (p *Population) lifLane(s *shard, q *lifNeuron, l, step int, k int64, start, v, vInf, z float64) float64 {
	for part := 0; ; part++ {
		h, decay, sd := p.dt, q.decay, q.sd
		if start > 0 {
			h = (1 - start) * p.dt
			decay = kernels.Exp(-h / q.tau)
			sd = p.noisy.White * math.Sqrt(-kernels.Expm1(-2*h/q.tau)/2)
		}
		end := math.FMA(sd, z, math.FMA(decay, v-vInf, vInf))
		level := q.threshold - v
		if float64(level*(level+v-end)) > float64(q.far*h) && level > 0 {
			return end
		}
		block := p.noisy.inside(part, uint32(s.first+l), k)
		at, crossed := noise.Passage(level, end-v, q.diffusion, h, block)
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
		start, z = at, rng.Normal32(block[0])
	}
}

// inside returns the words for a part of step k.
func (q *noisy) inside(part int, neuron uint32, k int64) rng.Block {
	return q.parts[min(part, mostParts-1)].At(neuron, uint32(k)+uint32(max(0, part-mostParts+1))<<24)
}
