package network

import (
	"math"
	"slices"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// conducting is LIF neurons, all different, with a number of exponential conductances, on the grid. Some of these are
// so large at times that V relaxes within a step, and in the first step so far below 0 that V grows.
func conducting(receptors int) *Spec {
	s := &Spec{Dt: 0.1, Seed: 4, OnGrid: true, Synapses: []Synapse{
		{Name: "exc", Kind: ExpConductance, Tau: 5, E: 0}, {Name: "inh", Kind: ExpConductance, Tau: 10, E: -80},
	}[:receptors]}
	defaults := model.LIFModel.Defaults()
	for i, n := range []int{130, 70} {
		p := Population{Name: string(rune('A' + i)), N: n, Model: model.LIFModel}
		for j, x := range model.LIFModel.Params {
			v := make(kernels.Values, n)
			for l := range v {
				v[l] = defaults[j]
				switch x.Name {
				case "V_rest", "V_reset":
					v[l] = -60
				case "V_th":
					v[l] = -50 + 0.01*float64(l)
				case "tau":
					v[l] = 15 + float64(l%7)
				case "R":
					v[l] = 0.1
				case "t_ref":
					v[l] = 0.2 * float64(l%5)
				}
			}
			p.P = append(p.P, v)
		}
		start := make(kernels.Values, n)
		for l := range start {
			start[l] = -1000
		}
		p.Synaptic = map[string]kernels.Values{s.Synapses[receptors-1].Name: start}
		s.Populations = append(s.Populations, p)
	}
	all := []Part{{0, 0, 130}, {1, 0, 70}}
	for j := range s.Synapses {
		s.Projections = append(s.Projections, Projection{
			Name: s.Synapses[j].Name, From: all[j : j+1], To: all, Rule: Probability{P: 0.1}, Synapse: j,
			Weight: Draw{Kind: Normal, A: 1, B: 0.1}, Delay: Constant(0.1 * float64(1+2*j)),
		})
	}
	s.Inputs = []Input{{Name: "background", To: all, Weight: Constant(6), Poisson: &Poisson{Rate: 300}}}
	for j, weight := range []float64{3000, 30000, 1e6} {
		in := Input{Name: "burst" + string(rune('0'+j)), To: []Part{{0, 10 * j, 5}}, Weight: Constant(weight)}
		for l := range 5 {
			in.Spikes = append(in.Spikes, []float64{5 + float64(l), 20})
		}
		in.Synapse = j % receptors
		s.Inputs = append(s.Inputs, in)
	}
	back := Input{Name: "back", To: all, Synapse: receptors - 1, Weight: Constant(1000)}
	for range 200 {
		back.Spikes = append(back.Spikes, []float64{0.1})
	}
	s.Inputs = append(s.Inputs, back)
	return s
}

// conductTolerance (mV) is what rounding of two ways to sum up a step grows to in 40 ms.
const conductTolerance = 1e-7

// TestConductancesOnGridInOneKernel compares the kernel for conductances and V with the steps of all other segments:
// the same spikes, V but for rounding; some lanes are slow in some steps. The bits depend neither on workers nor on
// the instruction set.
func TestConductancesOnGridInOneKernel(t *testing.T) {
	const steps = 400
	for receptors := 1; receptors <= 2; receptors++ {
		s := conducting(receptors)
		type result struct {
			spikes []Spike
			v      []float64
			slow   int
		}
		run := func(c Config, apart bool) (got result) {
			n, err := Build(t.Context(), s, c)
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			for _, r := range n.ranges {
				for _, o := range r.coupled {
					if o.grid == nil {
						t.Fatal("the segment does not take the kernel for conductances and V")
					}
					if apart {
						o.grid = nil
					}
				}
			}
			for range steps {
				err := n.Run(t.Context(), 1, Recorder{Spikes: func(list []Spike) error {
					got.spikes = append(got.spikes, list...)
					return nil
				}})
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range n.ranges {
					for _, o := range r.coupled {
						for i := 1; o.grid != nil && i < len(o.grid.fired); i += 2 {
							got.slow += int(o.grid.fired[i])
						}
					}
				}
			}
			for i := range 200 {
				var y [1]float64
				n.State(i, y[:])
				got.v = append(got.v, y[0])
			}
			return got
		}
		want, got := run(Config{Workers: 1}, true), run(Config{Workers: 1, ISA: kernels.Go}, false)
		if len(want.spikes) < 100 || !slices.Equal(got.spikes, want.spikes) {
			t.Errorf("%d receptors: %d spikes; %d, or others, in two steps", receptors, len(got.spikes), len(want.spikes))
		}
		worst := 0.0
		for i, v := range got.v {
			worst = max(worst, math.Abs(v-want.v[i]))
		}
		if !(worst <= conductTolerance) {
			t.Errorf("%d receptors: V differs by %.3g mV", receptors, worst)
		}
		if got.slow == 0 {
			t.Errorf("%d receptors: no lane was slow", receptors)
		}
		t.Logf("%d receptors: %d spikes, V within %.2g mV", receptors, len(got.spikes), worst)
		for i, isa := range kernels.Available() {
			other := run(Config{Workers: 2, Ranges: 2 + i, ISA: isa}, false)
			if !slices.Equal(other.spikes, got.spikes) || !slices.Equal(other.v, got.v) {
				t.Errorf("%d receptors: %v and %d ranges give other bits than plain Go and one", receptors, isa, 2+i)
			}
		}
	}
}
