package recording

import "popsim/network"

// mostSpikes is the number of spikes that are kept for a picture.
const mostSpikes = 4_000_000

// sample keeps the spikes of some neurons of each population, evenly spread over it.
type sample struct {
	every  []int // of each population: neurons 0, every, 2 every, ...; 0 is none
	times  [][]float64
	rows   [][]int64
	spikes int
	full   bool
}

// newSample divides n neurons among populations: in proportion to their sizes, but at least a quarter of an equal share
// for a small one.
func newSample(spec *network.Spec, n int) sample {
	count := len(spec.Populations)
	s := sample{every: make([]int, count), times: make([][]float64, count), rows: make([][]int64, count)}
	total := 0
	for _, p := range spec.Populations {
		total += p.N
	}
	for j, p := range spec.Populations {
		share := p.N
		if n < total {
			share = max(int(float64(n)*float64(p.N)/float64(total)), n/(4*count))
		}
		if share > 0 {
			s.every[j] = (p.N + share - 1) / share
		}
	}
	if n == 0 {
		clear(s.every)
	}
	return s
}

// add records a spike of neuron i of population j.
func (s *sample) add(j, i int, t float64) {
	if every := s.every[j]; every == 0 || i%every != 0 {
		return
	}
	if s.full = s.spikes == mostSpikes; s.full {
		return
	}
	s.spikes++
	s.times[j], s.rows[j] = append(s.times[j], t), append(s.rows[j], int64(i))
}

// Sample holds the data of a population for pictures.
type Sample struct {
	Name    string
	Size    int       // neurons of the population
	Every   int       // spikes of neurons 0, Every, 2 Every, ... are here; 0: of none
	Times   []float64 // ms
	Neurons []int64   // from 0 on, of the population
	RateT   []float64 // ms, starts of bins
	Rate    []float64 // spikes/s
	Cut     bool      // later spikes were left out, because there are too many
}

// Shown is the number of neurons whose spikes are here.
func (s Sample) Shown() int {
	if s.Every == 0 {
		return 0
	}
	return (s.Size + s.Every - 1) / s.Every
}

// Samples are those of the populations, if Config.Sample is not 0.
func (r *Recording) Samples() []Sample {
	var all []Sample
	for j, p := range r.spec.Populations {
		all = append(all, Sample{
			Name: p.Name, Size: p.N, Every: r.sample.every[j], Times: r.sample.times[j], Neurons: r.sample.rows[j],
			RateT: r.rates.keptTimes, Rate: r.rates.kept[j], Cut: r.sample.full,
		})
	}
	return all
}
