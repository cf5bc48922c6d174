package network

import (
	"math"
	"slices"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// conducting is LIF neurons, all different, with a number of exponential conductances. Some of these are so large at
// times that V relaxes within a step, and in the first step so far below 0 that V grows.
func conducting(receptors int, onGrid bool) *Spec {
	s := &Spec{Dt: 0.1, Seed: 4, OnGrid: onGrid, Synapses: []Synapse{
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
					v[l] = 1 + 0.23*float64(l%5)
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
	background := Input{Name: "background", To: all, Weight: Constant(2)}
	for l := range 200 {
		var times []float64
		for i := range 100 {
			times = append(times, 0.4*float64(i)+0.013*float64(l%31))
		}
		background.Spikes = append(background.Spikes, times)
	}
	s.Inputs = []Input{background}
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

// conductTolerance (mV) is what rounding of two ways to sum up a step on the grid grows to in 40 ms. insideTolerance
// (mV; of spikes steps) is what inside the step comes from other bounds: a step in which V might reach V_th is solved,
// any other has the error of order 3, here with conductances up to a thousand times that of the leak.
const (
	conductTolerance = 1e-7
	insideTolerance  = 1e-4
)

// conducted is what conducting does in 40 ms.
type conducted struct {
	spikes []Spike
	v      []float64
	slow   int // bytes of marks of slow lanes
}

// alikeSpikes reports whether spikes are of the same neurons in the same steps, and at most so much apart.
func alikeSpikes(a, b []Spike, apart float64) bool {
	return slices.EqualFunc(a, b, func(a, b Spike) bool {
		return a.Neuron == b.Neuron && a.Step == b.Step && math.Abs(a.Theta-b.Theta) <= apart
	})
}

// runConducting runs a network of conducting, with its own kernel or, apart, with those of any segment.
func runConducting(t *testing.T, s *Spec, c Config, apart bool) (got conducted) {
	t.Helper()
	n, err := Build(t.Context(), s, c)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	each := func(f func(o *coupledSegment)) {
		for _, r := range n.ranges {
			for _, o := range r.coupled {
				f(o)
			}
		}
	}
	each(func(o *coupledSegment) {
		if (o.grid != nil) != s.OnGrid || (o.inside != nil) == s.OnGrid {
			t.Fatal("a segment does not take the kernel for conductances and V")
		}
		if apart {
			o.grid, o.inside = nil, nil
		}
	})
	rec := Recorder{Spikes: func(list []Spike) error {
		got.spikes = append(got.spikes, list...)
		return nil
	}}
	for range 400 {
		if err := n.Run(t.Context(), 1, rec); err != nil {
			t.Fatal(err)
		}
		each(func(o *coupledSegment) {
			var marks []uint8
			if o.grid != nil {
				marks = o.grid.fired
			} else if o.inside != nil {
				marks = o.inside.marks
			}
			for i := 1; i < len(marks); i += 2 {
				if marks[i] != 0 {
					got.slow++
				}
			}
		})
	}
	for i := range 200 {
		var y [4]float64
		n.State(i, y[:])
		got.v = append(got.v, y[0])
	}
	return got
}

// TestConductancesInOneKernel compares the kernels for conductances and V with the steps of other segments: the same
// spikes, and V, on the grid but for rounding; some lanes are slow in some steps. The bits depend neither on workers
// nor on the instruction set.
func TestConductancesInOneKernel(t *testing.T) {
	for _, onGrid := range []bool{true, false} {
		for receptors := 1; receptors <= 2; receptors++ {
			s := conducting(receptors, onGrid)
			want := runConducting(t, s, Config{Workers: 1}, true)
			got := runConducting(t, s, Config{Workers: 1, ISA: kernels.Go}, false)
			tolerance := insideTolerance
			if onGrid {
				tolerance = conductTolerance
			}
			worst := 0.0
			for i, v := range got.v {
				worst = max(worst, math.Abs(v-want.v[i]))
			}
			if len(want.spikes) < 1000 || !alikeSpikes(got.spikes, want.spikes, tolerance) || !(worst <= tolerance) {
				t.Errorf("on grid %t, %d receptors: %d spikes; want %d, and the same; V differs by %.3g mV",
					onGrid, receptors, len(got.spikes), len(want.spikes), worst)
			}
			if got.slow == 0 {
				t.Errorf("on grid %t, %d receptors: no lane was slow", onGrid, receptors)
			}
			t.Logf("on grid %t, %d receptors: %d spikes, V within %.2g mV", onGrid, receptors, len(got.spikes), worst)
			for i, isa := range kernels.Available() {
				other := runConducting(t, s, Config{Workers: 2, Ranges: 2 + i, ISA: isa}, false)
				if !slices.Equal(other.spikes, got.spikes) || !slices.Equal(other.v, got.v) {
					t.Errorf("on grid %t, %d receptors: %v and %d ranges give other bits than plain Go and one",
						onGrid, receptors, isa, 2+i)
				}
			}
		}
	}
}

// quietTolerance (mV; of spikes steps) is what terms of 1e-11 mV left out of series grow to in 40 ms.
const quietTolerance = 1e-8

// TestQuietEvents compares events solved by the kernel for lanes without arrivals with those solved one by one.
func TestQuietEvents(t *testing.T) {
	for receptors := 1; receptors <= 2; receptors++ {
		run := func(off bool) (spikes []Spike, v []float64, solved int) {
			n, err := Build(t.Context(), conducting(receptors, false), Config{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			rec := Recorder{Spikes: func(list []Spike) error {
				spikes = append(spikes, list...)
				return nil
			}}
			for range 400 {
				for _, o := range n.ranges[0].coupled {
					o.inside.events.off = off
				}
				if err := n.Run(t.Context(), 1, rec); err != nil {
					t.Fatal(err)
				}
				for _, o := range n.ranges[0].coupled {
					solved += o.inside.events.block.Lanes
					o.inside.events.block.Lanes = 0
				}
			}
			for i := range 200 {
				var y [4]float64
				n.State(i, y[:])
				v = append(v, y[0])
			}
			return spikes, v, solved
		}
		spikes, v, solved := run(false)
		want, wantV, none := run(true)
		worst := 0.0
		for i := range v {
			worst = max(worst, math.Abs(v[i]-wantV[i]))
		}
		t.Logf("%d receptors: %d lanes of the kernel, %d spikes, V within %.2g mV", receptors, solved, len(spikes), worst)
		if none != 0 || solved < 1000 || !alikeSpikes(spikes, want, quietTolerance) || !(worst <= quietTolerance) {
			t.Errorf("%d receptors: %d lanes of the kernel, %d spikes, want %d, and the same; V differs by %.3g mV",
				receptors, solved, len(spikes), len(want), worst)
		}
	}
}

// TestHHTMOnGridInOneKernel compares the kernel for conductances and states of hhtm with the steps of other segments,
// and instruction sets and ranges with each other: the same spikes and V.
func TestHHTMOnGridInOneKernel(t *testing.T) {
	for receptors := 1; receptors <= 2; receptors++ {
		s := conducting(receptors, true)
		hhtm := model.All[slices.IndexFunc(model.All, func(m *model.Model) bool { return m.Name == "hhtm" })]
		at := slices.IndexFunc(hhtm.Methods, func(m model.Method) bool { return m.Name == "strang-cn" })
		for i := range s.Populations {
			p := &s.Populations[i]
			*p = Population{Name: p.Name, N: p.N, Model: hhtm, Method: hhtm.Methods[at], TRef: kernels.Values{3}}
			for j, x := range hhtm.Defaults() {
				v := kernels.Values{x}
				if hhtm.Params[j].Name == "V_T" {
					v = make(kernels.Values, p.N)
					for l := range v {
						v[l] = x - 0.1*float64(l%9)
					}
				}
				p.P = append(p.P, v)
			}
		}
		for i := range s.Projections {
			s.Projections[i].Weight = Constant(0.005)
		}
		s.Inputs = s.Inputs[:1]
		s.Inputs[0].Weight = Constant(0.02)
		want := runConducting(t, s, Config{Workers: 1}, true)
		if len(want.spikes) < 100 {
			t.Errorf("%d receptors: only %d spikes", receptors, len(want.spikes))
		}
		for i, isa := range append([]kernels.ISA{kernels.Go}, kernels.Available()...) {
			got := runConducting(t, s, Config{Workers: 1 + i%2, Ranges: 1 + i, ISA: isa}, false)
			if !slices.Equal(got.spikes, want.spikes) || !slices.Equal(got.v, want.v) {
				t.Errorf("%d receptors: %d spikes with %v and %d ranges; want %d, and the same", receptors,
					len(got.spikes), isa, 1+i, len(want.spikes))
			}
		}
	}
}

// TestConductancesOfPartsInOneKernel: inside the step a Poisson input onto some neurons does not change how the events
// of others are solved, so that the number of ranges, of which it may reach some, changes no bit.
func TestConductancesOfPartsInOneKernel(t *testing.T) {
	s := conducting(2, false)
	s.Inputs = []Input{{
		Name: "part", To: []Part{{0, 0, 60}}, Synapse: 0, Weight: Constant(1.5), Poisson: &Poisson{Rate: 3000},
	}}
	want := collect(t, s, Config{Workers: 1, Ranges: 1}, 200)
	if len(want) < 500 {
		t.Errorf("%d spikes", len(want))
	}
	for ranges := 2; ranges <= 4; ranges++ {
		if got := collect(t, s, Config{Workers: 1, Ranges: ranges}, 200); !slices.Equal(got, want) {
			t.Errorf("%d ranges: other spikes", ranges)
		}
	}
}
