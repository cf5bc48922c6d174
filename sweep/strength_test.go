package sweep

import (
	"math"
	"testing"

	"popsim/network/statistics"
	"popsim/pop"
)

// TestStrengthOfSums: the vector strength and its error from sums over spikes are those from the list of spikes.
func TestStrengthOfSums(t *testing.T) {
	const rounding = 1e-12
	s := &phaseSums{frequency: []float64{8}, from: 100}
	for j := range s.cos {
		s.cos[j], s.sin[j] = make([]float64, 1), make([]float64, 1)
	}
	var times []float64
	block := []pop.Spike{{Time: 50}} // discarded
	for k := range 40 {
		x := 130 + 125*float64(k) + 30*math.Sin(float64(k*k))
		times = append(times, x)
		block = append(block, pop.Spike{Time: x})
	}
	if err := s.add(block); err != nil {
		t.Fatal(err)
	}
	got, want := s.strength(0, float64(len(times))), statistics.VectorStrength(times, 125).Strength
	if math.Abs(got.Value-want.Value) > rounding || math.Abs(got.SE-want.SE) > rounding || want.SE < 0.01 {
		t.Errorf("%v; want %v", got, want)
	}
	if none, one := s.strength(0, 0), s.strength(0, 1); !math.IsNaN(none.Value) || !math.IsNaN(one.SE) {
		t.Errorf("%v without spikes, %v with one", none, one)
	}
}
