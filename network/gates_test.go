package network

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// wang is the NMDA of Wang (2002).
var wang = Synapse{Name: "nmda", Kind: NMDA, Rise: 2, Decay: 100, Alpha: 0.5, Mg: 1}

// TestGateOfOneSpike compares s after one spike at a closed gate with a solution by Runge and Kutta of order 4 at 1e-3
// ms.
func TestGateOfOneSpike(t *testing.T) {
	for _, dt := range []float64{0.1, 0.25, 1} {
		tolerance := 1e-9 + 4e-8*math.Pow(dt, 6) // of that solution's digits, and of Gauss's formula
		l := &layout{spec: &Spec{Dt: dt, Synapses: []Synapse{wang}}}
		g := newGates(l, 0, 1, 0)
		g.arrivals = append(g.arrivals, gateArrival{0, 0})
		at := map[float64]float64{1: .323637976, 5: .582228232, 10: .583779403, 50: .393284633, 100: .238539188}
		for k := range int(math.Round(100 / dt)) {
			before, kept := g.s[0], g.decay
			g.advance(false)
			if g.added[0][0] != 0 {
				if got := math.FMA(kept.decay, before, g.added[0][0]); math.Abs(got-g.s[0]) > 1e-15 {
					t.Errorf("s %g is not what was added to it, %g", g.s[0], got)
				}
			}
			time := math.Round(float64(k+1)*dt*1e6) / 1e6
			if want, ok := at[time]; ok && math.Abs(g.s[0]-want) > tolerance {
				t.Errorf("dt %g: s(%g) = %.10f; want %.9f", dt, time, g.s[0], want)
			}
		}
	}
}

// TestApproximateGate compares k0 and k1 with published values, and the mean s of regular trains.
func TestApproximateGate(t *testing.T) {
	k0, k1 := approximateGate(&wang)
	if math.Abs(k0-0.6484167391) > 1e-10 || math.Abs(k1+0.6321205588) > 1e-10 {
		t.Errorf("k0 %.10f, k1 %.10f; want 0.6484167391, -0.6321205588", k0, k1)
	}
	y := wang
	y.Approximate = true
	for rate, want := range map[float64]float64{3: .1901, 10: .4740, 20: .6568, 40: .8041, 80: .9025} {
		const dt = 0.1
		l := &layout{spec: &Spec{Dt: dt, Synapses: []Synapse{y}}}
		g := newGates(l, 0, 1, 0)
		sum, n := 0.0, 0
		every := 1000 / rate
		for k, next := 0, 0.0; float64(k)*dt < 2000+20*every; k++ {
			for next < float64(k+1)*dt {
				g.arrivals = append(g.arrivals, gateArrival{0, next/dt - float64(k)})
				next += every
			}
			s := g.s[0]
			g.advance(false)
			if float64(k)*dt >= 2000 {
				sum, n = sum+math.FMA(g.decay.mean, s, g.added[1][0]), n+1
			}
		}
		if got := sum / float64(n); math.Abs(got-want) > 1e-4 {
			t.Errorf("%g spikes/s: mean s %.4f; want %.4f", rate, got, want)
		}
	}
}

// gated is excitatory and inhibitory neurons coupled by NMDA, by one weight or by given edges.
func gated(edges, onGrid, approximate bool) *Spec {
	y := wang
	y.Approximate = approximate
	s := &Spec{Dt: 0.1, Seed: 2, OnGrid: onGrid, Synapses: []Synapse{y, {Name: "exc", Kind: ExpConductance, Tau: 2}}}
	for k, m := range []*model.Model{model.LIFModel, model.HHModel} {
		p := Population{Name: m.Name, N: 30, Model: m, Synaptic: map[string]kernels.Values{"nmda": {0.1}}}
		for _, x := range m.Defaults() {
			p.P = append(p.P, kernels.Values{x})
		}
		s.Populations = append(s.Populations, p)
		scale := []float64{0.02, 0.005}[k]
		s.Inputs = append(
			s.Inputs,
			Input{
				Name:    "fast" + m.Name,
				To:      []Part{{k, 0, 30}},
				Synapse: 1,
				Weight:  Constant(3 * scale),
				Poisson: &Poisson{Rate: 1500},
			},
			Input{
				Name:    "slow" + m.Name,
				To:      []Part{{k, 0, 30}},
				Synapse: 0,
				Weight:  Constant(4 * scale),
				Poisson: &Poisson{Rate: 50},
			},
		)
		p0 := Projection{
			Name: "to" + m.Name, From: []Part{{0, 0, 30}, {1, 5, 10}}, To: []Part{{k, 0, 30}}, Rule: AllToAll{},
			Weight: Constant(scale / 2), Delay: Constant(0.53), NoAutapses: true,
		}
		if edges {
			p0.Weight = PerEdge(func(int, int) float64 { return scale / 2 })
		}
		s.Projections = append(s.Projections, p0)
	}
	return s
}

// TestOneWeightIsThatOfEdges compares sums per population with edges one by one: V of the two differs by rounding
// alone, which no neuron amplifies much in so short a time.
func TestOneWeightIsThatOfEdges(t *testing.T) {
	const tolerance = 1e-9 // mV
	for _, onGrid := range []bool{false, true} {
		var v [2][]float64
		for i := range v {
			n, err := Build(context.Background(), gated(i == 1, onGrid, false), Config{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			if edges := n.Summary().Edges; edges < 2300 || i == 0 && n.Summary().Bytes > 0 {
				t.Errorf("%d edges in %d bytes", edges, n.Summary().Bytes)
			}
			spikes := 0
			count := Recorder{Spikes: func(x []Spike) error { spikes += len(x); return nil }}
			if err := n.Run(context.Background(), 300, count); err != nil {
				t.Fatal(err)
			}
			if spikes < 20 {
				t.Errorf("on grid %t: only %d spikes", onGrid, spikes)
			}
			y := make([]float64, 4)
			for neuron := range 60 {
				n.State(neuron, y)
				v[i] = append(v[i], y[0])
			}
		}
		for i := range v[0] {
			if math.Abs(v[0][i]-v[1][i]) > tolerance {
				t.Errorf("on grid %t: neuron %d at %.12g and %.12g mV", onGrid, i, v[0][i], v[1][i])
				break
			}
		}
	}
}

// ringed is a ring of 60 neurons with NMDA, driven at one place, with its edges or as sums.
func ringed(edges bool) *Spec {
	s := gated(false, false, false)
	s.Populations, s.Inputs = s.Populations[:1], s.Inputs[:1]
	s.Populations[0].N = 60
	s.Inputs[0].To, s.Inputs[0].Weight = []Part{{0, 0, 20}}, Constant(0.2)
	s.Synapses[0].E, s.Synapses[1].E = 60, 60
	p := Projection{
		Name: "ring", From: []Part{{0, 0, 48}}, To: []Part{{0, 10, 48}}, Rule: Ring{1.8, 25},
		Weight: Constant(0.4), Delay: Constant(0.53),
	}
	if edges {
		p.Weight = PerEdge(func(int, int) float64 { return 0.4 })
	}
	s.Projections = []Projection{p}
	return s
}

// TestRingIsThatOfEdges compares products with the circulant matrix with edges one by one, as
// TestOneWeightIsThatOfEdges does, and requires the same bits for any number of ranges.
func TestRingIsThatOfEdges(t *testing.T) {
	const tolerance = 1e-9 // mV
	var v [2][]float64
	for i := range v {
		n, err := Build(context.Background(), ringed(i == 1), Config{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		if edges := n.Summary().Edges; edges != 48*48 || i == 0 && n.Summary().Bytes > 0 {
			t.Errorf("%d edges in %d bytes", edges, n.Summary().Bytes)
		}
		spikes := 0
		count := Recorder{Spikes: func(x []Spike) error { spikes += len(x); return nil }}
		if err := n.Run(context.Background(), 600, count); err != nil {
			t.Fatal(err)
		}
		if spikes < 20 {
			t.Errorf("only %d spikes", spikes)
		}
		y := make([]float64, 4)
		for neuron := range 60 {
			n.State(neuron, y)
			v[i] = append(v[i], y[0])
		}
	}
	for i := range v[0] {
		if math.Abs(v[0][i]-v[1][i]) > tolerance {
			t.Errorf("neuron %d at %.12g mV by sums, at %.12g by edges", i, v[0][i], v[1][i])
		}
	}
	want := collect(t, ringed(false), Config{Workers: 1, Ranges: 1}, 60)
	for ranges := 2; ranges <= 7; ranges += 5 {
		if got := collect(t, ringed(false), Config{Workers: 2, Ranges: ranges}, 60); !slices.Equal(got, want) {
			t.Errorf("other spikes with %d ranges", ranges)
		}
	}
}

func TestGatesDoNotChangeBitsWithWorkers(t *testing.T) {
	for _, c := range [][3]bool{
		{false, false, false}, {true, false, false}, {true, true, false}, {false, true, true}, {false, false, true},
	} {
		s := gated(c[0], c[1], c[2])
		want := collect(t, s, Config{Workers: 1, Ranges: 1}, 60)
		if len(want) < 35 {
			t.Errorf("only %d spikes", len(want))
		}
		for workers := 2; workers <= 7; workers += 5 {
			if got := collect(t, s, Config{Workers: workers, Ranges: workers}, 60); !slices.Equal(got, want) {
				t.Errorf("edges, on grid, approximate %v: other spikes with %d workers", c, workers)
			}
		}
	}
}

// TestKernelsOfNMDA compares V under currents of NMDA, by the kernel of each model, with that of lanes advanced one by
// one, which are those where channels see different concentrations of magnesium. Steps are those that files get; those
// of strang-cn, of order 2, are shorter.
func TestKernelsOfNMDA(t *testing.T) {
	for _, c := range []struct {
		model, method string
		dt, tolerance float64 // ms; mV
	}{
		{"lif", "", 0.1, 1e-5},
		{"eif", "", 0.1, 1e-5},
		{"adex", "", 0.1, 1e-5},
		{"hh", "", 0.025, 1e-5},
		{"rhh", "", 0.025, 1e-5},
		{"hhtm", "", 0.025, 1e-5},
		{"hh", "strang-cn", 0.005, 1e-4},
		{"hhtm", "strang-cn", 0.005, 1e-4},
	} {
		m, err := model.Lookup(c.model)
		if err != nil {
			t.Fatal(err)
		}
		run := func(other float64) (v []float64) {
			p := Population{Name: "A", N: 3, Model: m, I: kernels.Values{0}}
			for _, x := range m.Defaults() {
				p.P = append(p.P, kernels.Values{x})
			}
			if c.method != "" {
				if p.Method, err = m.Method(c.method); err != nil {
					t.Fatal(err)
				}
			}
			s := &Spec{
				Populations: []Population{p}, Dt: c.dt,
				Synapses: []Synapse{
					{Name: "a", Kind: NMDA, Rise: 2, Decay: 100, Alpha: 0.5, Mg: 1, E: 0},
					{Name: "b", Kind: NMDA, Rise: 3, Decay: 50, Alpha: 0.5, Mg: other, E: 20},
				},
			}
			weight := 0.1 // about the leak
			switch {
			case m.Fires == model.Reset:
				weight = 2 / p.P[m.Index("R")][0]
			case m.Name == "hhtm": // else it fires, and V is not to be compared
				weight = 0.015
			}
			for y := range s.Synapses {
				s.Inputs = append(s.Inputs, Input{
					Name: fmt.Sprint(y), To: []Part{{0, 0, 3}}, Synapse: y, Weight: Constant(weight),
					Spikes: [][]float64{{1.03, 4.217}, {2.1}, {0.55, 0.75}},
				})
			}
			n, err := Build(t.Context(), s, Config{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			for range 5 {
				if err := n.Run(t.Context(), int64(math.Round(4/c.dt)), Recorder{}); err != nil {
					t.Fatal(err)
				}
				for i := range 3 {
					y := make([]float64, 4)
					n.State(i, y)
					v = append(v, y[0])
				}
			}
			return v
		}
		want, got := run(math.Nextafter(1, 2)), run(1)
		worst := 0.0
		for i := range got {
			worst = max(worst, math.Abs(got[i]-want[i]))
		}
		t.Logf("%s %s: V differs by %.2g mV after rising to %.4g mV", c.model, c.method, worst, slices.Max(got))
		if !(worst <= c.tolerance) {
			t.Errorf("%s %s: V differs by %.3g mV from that of lanes solved event by event", c.model, c.method, worst)
		}
	}
}
