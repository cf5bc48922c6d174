package network_test

import (
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"popsim/network"
	"popsim/network/description"
	"popsim/network/statistics"
)

// long reports whether the long forms of tests are to run.
func long() bool { return os.Getenv("POPSIM_LONG") != "" }

// measure runs a network and measures its populations from a time (ms) up to the end.
func measure(t *testing.T, s *network.Spec, from, end float64) (measures []statistics.Population) {
	t.Helper()
	n, err := network.Build(t.Context(), s, network.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	var recorders []*statistics.Recorder
	var home []int // population of each neuron
	first := []int{0}
	for i, p := range s.Populations {
		recorders = append(recorders, statistics.NewRecorder(p.N, from, end, 1))
		home = append(home, slices.Repeat([]int{i}, p.N)...)
		first = append(first, len(home))
	}
	err = n.Run(t.Context(), int64(math.Round(end/s.Dt)), network.Recorder{Spikes: func(spikes []network.Spike) error {
		for _, x := range spikes {
			p := home[x.Neuron]
			recorders[p].Add(int(x.Neuron)-first[p], (float64(x.Step)+x.Theta)*s.Dt)
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recorders {
		measures = append(measures, r.Measure(end))
	}
	return measures
}

// TestLibraryAgainstIndependentSimulations compares rates with those of an independent program that shares no code. The
// tolerances are the largest differences between the means over the seeds of both (Student, 99.9 %), unless stated
// otherwise.
func TestLibraryAgainstIndependentSimulations(t *testing.T) {
	// spikes/s; a tolerance of 0: not compared
	type want struct{ rateE, toleranceE, rateI, toleranceI, cv, toleranceCV float64 }
	const brunel = "N_E=4000 J=0.25mV"
	for _, c := range []struct {
		network, preset, settings string
		onGrid, slow              bool
		from, end                 float64 // ms
		seeds                     int
		want                      want
	}{
		{"brunel", "ai", brunel, false, false, 200, 1200, 1, want{42.186, 3.3663, 42.490, 2.5872, 0.85538, 0.047757}},
		// Two seeds on the grid gave these means; the scatter between seeds is that of continuous time.
		{"brunel", "ai", brunel, true, false, 200, 1200, 1, want{41.332, 3.3663, 0, 0, 0.81265, 0.047757}},
		{"brunel", "ai", brunel, false, true, 200, 1200, 5, want{42.186, 1.7216, 42.490, 1.3231, 0.85538, 0.024423}},
		{"brunel", "sr", brunel, false, true, 200, 500, 3, want{333.12, 0.5438, 333.10, 0.68733, 0.006075, 0.0049272}},
		// Two seeds, 0.16 spikes/s apart: four times that.
		{"brunel", "ai", "", false, true, 200, 700, 1, want{37.953, 0.64, 38.178, 0.64, 0.4412, 0.01}},
		// E is 0.7 % above these 17 networks in the mean of 40, as it is in another program's 160: see docs/numerics.md.
		{"cuba", "", "", false, true, 1000, 5000, 5, want{5.1111, 0.08785, 5.1441, 0.02572, 0.81036, 0.013476}},
	} {
		if c.slow && !long() {
			continue // its fast form is above, or in TestCUBARates
		}
		t.Run(fmt.Sprintf("%s:%s %s on grid %t", c.network, c.preset, c.settings, c.onGrid), func(t *testing.T) {
			var rateE, rateI, cv float64
			for seed := range c.seeds {
				s := library(t, c.network, c.settings,
					description.Options{Preset: c.preset, OnGrid: c.onGrid, Seed: uint64(seed + 1)})
				m := measure(t, s, c.from, c.end)
				n := float64(c.seeds)
				rateE, rateI, cv = rateE+m[0].Rate/n, rateI+m[1].Rate/n, cv+m[0].CV/n
			}
			t.Logf("E %.4f, I %.4f spikes/s, CV %.4f", rateE, rateI, cv)
			near := func(name string, x, want, tolerance float64) {
				if tolerance > 0 && math.Abs(x-want) > tolerance {
					t.Errorf("%s %.4f; want %.4f ± %.3g", name, x, want, tolerance)
				}
			}
			near("rate of E", rateE, c.want.rateE, c.want.toleranceE)
			near("rate of I", rateI, c.want.rateI, c.want.toleranceI)
			near("CV of E", cv, c.want.cv, c.want.toleranceCV)
		})
	}
}

// TestNetworksOfConductances holds rates to those of runs of Brian's version of coba (three seeds: 18 to 21 spikes/s,
// CV 1.6 to 1.75). Activity varies by 10 to 15 % from seed to seed: the bands are that much wider. The versions of NEST
// start with other synapses: their bands are of four seeds here.
func TestNetworksOfConductances(t *testing.T) {
	for _, c := range []struct {
		network, preset string
		end             float64 // ms
		low, high       float64 // spikes/s
		slow            bool
	}{
		{"coba", "brian2", 700, 15.5, 24, false},
		{"coba", "nest", 700, 11, 18, false},
		{"cobahh", "nest", 500, 27, 40, true},
	} {
		if c.slow && !long() {
			continue
		}
		s := library(t, c.network+":"+c.preset, "", description.Options{Preset: c.preset})
		for i, m := range measure(t, s, 100, c.end) {
			t.Logf("%s:%s %s: %.3f spikes/s, CV %.3f", c.network, c.preset, s.Populations[i].Name, m.Rate, m.CV)
			if !(m.Rate > c.low && m.Rate < c.high) || !(m.CV > 1.2) {
				t.Errorf("%s:%s %s: %.3f spikes/s, CV %.3f; want %g to %g, above 1.2", c.network, c.preset, s.Populations[i].Name,
					m.Rate, m.CV, c.low, c.high)
			}
		}
	}
}

// TestRatesOfCobahh holds the network as in Brian to a program in C of the same equations and the same rule of spikes,
// rk4 with steps of 0.02 ms: 39.4 spikes/s with a standard error of 0.5 over eight seeds. Exponential Euler with steps
// of 0.1 ms, as Brian has it, gives 36.3 in C, 34.4 in Brian: see docs/numerics.md. Rates of 2 s scatter by 1.7 from
// seed to seed: the mean of four may differ by 3.29 standard errors of both. CV is that of eight seeds here, 2.42 to
// 2.54; over 1 s it is 2.24, and 2.15 to 2.25 in Brian, C and GeNN.
func TestRatesOfCobahh(t *testing.T) {
	if !long() {
		t.Skip("four networks of 2 s; POPSIM_LONG=1")
	}
	const seeds, rate, tolerance, cv, toleranceCV = 4, 39.4, 3.3, 2.46, 0.1
	var mean, meanCV float64
	for seed := range seeds {
		s := library(t, "cobahh", "", description.Options{Seed: uint64(seed + 1)})
		m := measure(t, s, 200, 2000)
		mean, meanCV = mean+m[0].Rate/seeds, meanCV+m[0].CV/seeds
	}
	t.Logf("E %.3f spikes/s, CV %.3f", mean, meanCV)
	if math.Abs(mean-rate) > tolerance || math.Abs(meanCV-cv) > toleranceCV {
		t.Errorf("E %.3f spikes/s, CV %.3f; want %g ± %g, %g ± %g", mean, meanCV, rate, tolerance, cv, toleranceCV)
	}
}

// TestBenchmarkOfMorrison runs hpc at scale 1 for the times of its script, whose check is a rate below 10 spikes/s, and
// compares it with a plain C program (9.45 and 9.54 spikes/s). So small, it is nearly all-to-all and its synchrony
// high: seeds 1 to 4 gave 8.9 to 9.7 spikes/s, so one of them may differ by 1 spike/s.
func TestBenchmarkOfMorrison(t *testing.T) {
	const most, rate, tolerance = 10, 9.45, 1
	s := library(t, "hpc", "scale=1", description.Options{OnGrid: true, Seed: 1})
	for i, m := range measure(t, s, 50, 300) {
		t.Logf("%s %.3f spikes/s", s.Populations[i].Name, m.Rate)
		if m.Rate >= most || math.Abs(m.Rate-rate) > tolerance {
			t.Errorf("%s: %.3f spikes/s; want %g ± %d, below %d", s.Populations[i].Name, m.Rate, rate, tolerance, most)
		}
	}
}

// TestMicrocircuit holds the rates of the microcircuit at full scale, with constant input, to those of four engines
// that agree within 2 %. Over seeds 2 to 6 (1.5 s each) rates scattered by 2.5 % in L23E and L6E, by less elsewhere,
// about these numbers: 5 % is two standard deviations of the former. It takes 2 GB.
func TestMicrocircuit(t *testing.T) {
	if !long() {
		return // TestTenthOfMicrocircuit is the fast one
	}
	const tolerance = 0.05
	want := []float64{0.9388, 2.9835, 4.1674, 5.6991, 8.0135, 8.4619, 1.0997, 7.652} // spikes/s
	s := library(t, "microcircuit", "", description.Options{Preset: "dc", OnGrid: true})
	for i, m := range measure(t, s, 500, 1500) {
		t.Logf("%s %.3f spikes/s", s.Populations[i].Name, m.Rate)
		if math.Abs(m.Rate/want[i]-1) > tolerance {
			t.Errorf("%s: %.4f spikes/s; want %.4f ± %g %%", s.Populations[i].Name, m.Rate, want[i], 100*tolerance)
		}
	}
}

// TestTenthOfMicrocircuit compares a tenth of the microcircuit with the plain recursion over its listed edges, spike by
// spike. Rates would prove less: at this scale they are no longer those of the full circuit.
func TestTenthOfMicrocircuit(t *testing.T) {
	s := library(t, "microcircuit", "scale=0.1", description.Options{Preset: "dc", OnGrid: true})
	n, err := network.Build(t.Context(), s, network.Config{Ranges: 3})
	if err != nil {
		t.Fatal(err)
	}
	edges := int64(0)
	for _, p := range s.Projections {
		edges += p.Rule.(network.Total).N
	}
	if y := n.Summary(); y.Edges != edges || y.Neurons != 7718 {
		t.Errorf("%d neurons with %d synapses; want 7718 with %d", y.Neurons, y.Edges, edges)
	}
	const steps = 1500
	want := currentsOnGrid(s, n, steps)
	var got []network.Spike
	if err := n.Run(t.Context(), steps, network.Recorder{Spikes: func(x []network.Spike) error {
		got = append(got, x...)
		return nil
	}}); err != nil {
		t.Fatal(err)
	}
	if len(want) < 500 {
		t.Errorf("only %d spikes", len(want))
	}
	if i := firstDifference(got, want); i >= 0 {
		t.Errorf("%d spikes, %d by the plain recursion; number %d differs", len(got), len(want), i)
	}
}

func firstDifference(a, b []network.Spike) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return -1
}

// currentsOnGrid is the plain recursion for LIF neurons with one exponential current and one set of membrane constants:
// arrivals and spikes at ends of steps.
func currentsOnGrid(s *network.Spec, n *network.Network, steps int) (spikes []network.Spike) {
	type synapse struct {
		post, delay int32
		weight      float64
	}
	p := s.Populations[0].P
	rest, reset, threshold, r, tau, refractory := p[0][0], p[1][0], p[2][0], p[3][0], p[4][0], p[5][0]
	tauS, dt := s.Synapses[0].Tau, s.Dt
	var v, constant []float64
	for _, q := range s.Populations {
		for i := range q.N {
			v, constant = append(v, q.Start[0].At(i)), append(constant, q.I.At(i))
		}
	}
	out := make([][]synapse, len(v))
	longest := 0
	n.Edges(func(_, pre, post int, weight, delay float64) bool {
		d := int(math.Round(delay / dt))
		out[pre] = append(out[pre], synapse{int32(post), int32(d), weight})
		longest = max(longest, d)
		return true
	})
	current, wake := make([]float64, len(v)), make([]int, len(v))
	rings := make([][]float64, longest+1)
	for i := range rings {
		rings[i] = make([]float64, len(v))
	}
	p22, p11 := math.Exp(-dt/tau), math.Exp(-dt/tauS)
	p21 := r / (tau * (1/tauS - 1/tau)) * (p22 - p11)
	for k := range steps {
		row := rings[k%len(rings)]
		first := len(spikes)
		for i := range v {
			end := rest + r*constant[i]
			next := end + (v[i]-end)*p22 + p21*current[i]
			current[i] = current[i]*p11 + row[i]
			row[i] = 0
			if wake[i] <= k {
				v[i] = next
			}
			if wake[i] <= k+1 && v[i] >= threshold {
				v[i], wake[i] = reset, k+1+int(math.Round(refractory/dt))
				spikes = append(spikes, network.Spike{Neuron: int32(i), Step: int64(k), Theta: 1})
			}
		}
		for _, x := range spikes[first:] {
			for _, y := range out[x.Neuron] {
				rings[(k+int(y.delay))%len(rings)][y.post] += y.weight
			}
		}
	}
	return spikes
}
