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
	// Poisson lists trains of spikes that arrive at each neuron, at instants inside the steps. Only Run makes them, by
	// package network.
	Poisson []Poisson
	Seed    uint64
	// AtEnds tests the threshold of lif at the ends of steps alone, as other simulators do: for comparison.
	AtEnds bool
	IDs    []uint32 // ids of the random numbers of each neuron; nil means its number
}

// Poisson is a train of spikes for each neuron, which raise V or a current that decays exponentially.
type Poisson struct {
	Rate   float64 // spikes/s
	Weight float64 // mV; with Tau unit of I
	Tau    float64 // ms, of the current; 0 means jumps of V
}

// none reports whether there is no noise.
func (n Noise) none() bool { return n.White == 0 && n.OU == 0 && len(n.Poisson) == 0 }

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
	for _, q := range n.Poisson {
		if err := q.check(); err != nil {
			return err
		}
	}
	return nil
}

// noisy is the part of a population that draws its noise.
type noisy struct {
	Noise
	white rng.Stream
	parts [mostParts]rng.Stream // of random numbers inside steps: one for each part of a step; a spike begins a part
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

// ids lists the ids of the random numbers of the n neurons from number first on.
func (q *noisy) ids(first, n int) []uint32 {
	if q.IDs != nil {
		return q.IDs[first : first+n]
	}
	return noise.Consecutive(first, n)
}

// shardNoise is the part of a shard for noise.
type shardNoise struct {
	tiles []*lifTile // with white noise on LIF; else, by models:

	white *noise.Rows
	ou    *noise.OUs
	adder *noise.Adder // with white noise
	fired []int32
}

func (p *Population) newShardNoise(s *shard) *shardNoise {
	q := &shardNoise{}
	if p.noisy.White > 0 && p.spec.Model == model.LIFModel {
		for first := 0; first < s.columns.N; first += tileLanes {
			q.tiles = append(q.tiles, p.newTile(s, first, min(tileLanes, s.columns.N-first)))
		}
		return q
	}
	ids := p.noisy.ids(s.first, s.columns.N)
	if p.noisy.OU > 0 {
		q.ou = noise.NewOUs(p.noisy.law, p.noisy.Seed, "noise ou", ids)
	}
	if p.noisy.White > 0 {
		q.white = noise.NewRows(p.noisy.white, ids)
		q.adder = noise.NewAdder(s.columns, p.spec.Model, p.spec.P, s.first)
	}
	return q
}

// advanceNoisy advances a shard through steps of the epoch from done on, with noise.
func (p *Population) advanceNoisy(s *shard, w *worker, done, steps int, drive kernels.Drive) {
	if s.noise == nil {
		s.noise = p.newShardNoise(s)
	}
	n, q := s.columns.N, s.noise
	for _, tile := range q.tiles {
		tile.advance(p, s, done, steps, drive)
	}
	if q.tiles != nil {
		return
	}
	padded := (n + kernels.Group - 1) / kernels.Group * kernels.Group
	if len(w.row) < padded {
		w.row = make([]float64, padded)
	}
	isa := p.kernel.ISA
	for j := range steps {
		k := p.first + int64(done+j)
		one := from(drive, j)
		if one.Waveform != nil {
			one.Waveform = one.Waveform[:1]
		}
		if q.ou != nil {
			clear(w.row[:padded])
			if one.Row != nil {
				copy(w.row[:n], one.Row[:n])
			}
			q.ou.Step(isa, w.row[:n], p.noisy.OU, k)
			one.Row, one.Stride = w.row, padded
		}
		before := len(s.events)
		s.events = s.columns.Advance(w.scratch, k, 1, one, false, s.events)
		for i := range s.events[before:] {
			s.events[before+i].Step += int32(done + j)
		}
		if q.adder != nil {
			q.fired = q.adder.Step(k, p.noisy.White, q.white.Row(isa, k), q.fired[:0])
			for _, l := range q.fired {
				s.events = append(s.events, kernels.Event{Step: int32(done + j), Lane: l, Theta: 1})
			}
		}
	}
}

// inside is the words for a part of step k.
func (q *noisy) inside(part int, id uint32, k int64) rng.Block {
	return q.parts[min(part, mostParts-1)].At(id, uint32(k)+uint32(max(0, part-mostParts+1))<<24)
}
