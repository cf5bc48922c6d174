package recording

import "popsim/network"

// mostSpikes is the number of spikes that are kept for a picture.
const mostSpikes = 4_000_000

// sample keeps the spikes of the first neurons of each population.
type sample struct {
	shown  []int // neurons of each population
	times  [][]float64
	rows   [][]int64
	spikes int
	full   bool
}

// newSample shares n neurons out among populations: in proportion to their sizes, but to a small one no less than a
// quarter of an equal share.
func newSample(spec *network.Spec, n int) sample {
	count := len(spec.Populations)
	s := sample{shown: make([]int, count), times: make([][]float64, count), rows: make([][]int64, count)}
	total := 0
	for _, p := range spec.Populations {
		total += p.N
	}
	for j, p := range spec.Populations {
		share := p.N
		if n < total {
			share = max(int(float64(n)*float64(p.N)/float64(total)), n/(4*count))
		}
		s.shown[j] = min(p.N, share)
	}
	if n == 0 {
		clear(s.shown)
	}
	return s
}

// add notes a spike of neuron i of population j.
func (s *sample) add(j, i int, t float64) {
	if i >= s.shown[j] {
		return
	}
	if s.full = s.spikes == mostSpikes; s.full {
		return
	}
	s.spikes++
	s.times[j], s.rows[j] = append(s.times[j], t), append(s.rows[j], int64(i))
}

// Sample is what was kept of a population for pictures.
type Sample struct {
	Name    string
	Size    int       // neurons of the population
	Shown   int       // the first of them, whose spikes are here
	Times   []float64 // ms
	Neurons []int64   // from 0 on, of the population
	RateT   []float64 // ms, starts of bins
	Rate    []float64 // spikes/s
	Cut     bool      // later spikes were left out, because there are too many
}

// Samples are those of the populations, as far as Config.Sample asked for them.
func (r *Recording) Samples() []Sample {
	var all []Sample
	for j, p := range r.spec.Populations {
		all = append(all, Sample{
			Name: p.Name, Size: p.N, Shown: r.sample.shown[j], Times: r.sample.times[j], Neurons: r.sample.rows[j],
			RateT: r.rates.keptTimes, Rate: r.rates.kept[j], Cut: r.sample.full,
		})
	}
	return all
}
