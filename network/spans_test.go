package network

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"popsim/kernels"
)

// burstSpec is a network that starts close to its threshold, so that hundreds of spikes of either sign arrive in a
// step.
func burstSpec(kind Kind, tau float64, drawn bool) *Spec {
	s := balanced(200, kind, false)
	s.Synapses[0].Tau = tau
	for i := range s.Populations {
		p := &s.Populations[i]
		start := make(kernels.Values, p.N)
		for j := range start {
			start[j] = 19.5 + float64(j%97)/200
		}
		p.I = kernels.Values{800}
		p.Start = []kernels.Values{start}
	}
	strength := 0.8 / tau
	ex, ix := &s.Projections[0], &s.Projections[1]
	ex.Rule, ex.Delay, ex.Weight = InDegree{K: 500}, Constant(1.5), Constant(40*strength)
	ix.Rule, ix.Delay, ix.Weight = InDegree{K: 125}, Constant(1.5), Constant(-180*strength)
	if drawn {
		ex.Weight = Draw{Kind: Normal, A: 40 * strength, B: 4 * strength}
		ix.Weight = Draw{Kind: Normal, A: -180 * strength, B: 18 * strength}
	}
	s.Inputs[0].Weight = Constant(20 * strength)
	return s
}

// TestSpansHaveTheSpikesOfSingleArrivals: networks with bursts have the spikes that arrivals taken one by one give,
// but for rounding, and the same bits with any instruction set, workers and ranges.
func TestSpansHaveTheSpikesOfSingleArrivals(t *testing.T) {
	const (
		length  = 20   // ms: before rounding errors have grown
		largest = 1e-9 // steps: of the times of spikes
	)
	for _, x := range []struct {
		kind  Kind
		tau   float64
		drawn bool
	}{
		{AlphaCurrent, 0.326, false}, {AlphaCurrent, 2, true}, {ExpCurrent, 0.5, false}, {ExpCurrent, 2, true},
	} {
		t.Run(fmt.Sprint(x), func(t *testing.T) {
			s := burstSpec(x.kind, x.tau, x.drawn)
			spikes, passed := spikesWithSpans(t, s, length, true)
			single, none := spikesWithSpans(t, s, length, false)
			if passed < 3000 || none > 0 {
				t.Errorf("%d arrivals in spans, %d without spans", passed, none)
			}
			if len(spikes) != len(single) || len(spikes) < 500 {
				t.Fatalf("%d spikes, %d of arrivals one by one", len(spikes), len(single))
			}
			for i, a := range spikes {
				b := single[i]
				if d := float64(a.Step-b.Step) + a.Theta - b.Theta; a.Neuron != b.Neuron || math.Abs(d) > largest {
					t.Fatalf("spike %d: %v, %v of arrivals one by one", i, a, b)
				}
			}
			for _, isa := range kernels.Available() {
				if !slices.Equal(collect(t, s, Config{Workers: 2, Ranges: 3, ISA: isa}, length), spikes) {
					t.Errorf("%v, 2 workers: other bits", isa)
				}
			}
		})
	}
}

// spikesWithSpans are the spikes of a network, and how many arrivals were taken in spans.
func spikesWithSpans(t *testing.T, s *Spec, ms float64, on bool) (spikes []Spike, passed int) {
	n, err := Build(t.Context(), s, Config{Workers: 1, Ranges: 1, ISA: kernels.Go})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for _, r := range n.ranges {
		r.w.spans.off = !on
	}
	err = n.Run(context.Background(), int64(math.Ceil(ms/s.Dt)), Recorder{Spikes: func(x []Spike) error {
		spikes = append(spikes, x...)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range n.ranges {
		passed += r.w.spans.passed
	}
	return spikes, passed
}

// TestArrivalsInOrder: arrivals are ordered as a stable sort orders them, spread over the step or not.
func TestArrivalsInOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var o timeOrder
	for _, n := range []int{0, 1, 20, 33, 500, 5000} {
		for name, theta := range map[string]func() float64{
			"uniform": random.Float64,
			"ties":    func() float64 { return float64(random.IntN(50)) / 49 },
			"close":   func() float64 { return 0.5 + 1e-9*random.Float64() },
		} {
			got := make([]arrival, n)
			for i := range got {
				got[i] = arrival{lane: uint16(i), theta: theta(), weight: float64(i)}
			}
			want := slices.Clone(got)
			slices.SortStableFunc(want, func(a, b arrival) int { return cmp.Compare(a.theta, b.theta) })
			if o.sort(got); !slices.Equal(got, want) {
				t.Errorf("%d arrivals, %s: another order", n, name)
			}
		}
	}
}
