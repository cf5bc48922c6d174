package network

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// balanced is a sparse random network of N_E = 4n and N_I = n neurons, driven by Poisson trains.
func balanced(n int, kind Kind, onGrid bool) *Spec {
	lif := func(name string, n int) Population {
		p := Population{Name: name, N: n, Model: model.LIFModel}
		values := map[string]float64{"V_rest": 0, "V_reset": 10, "V_th": 20, "R": 0.1, "tau": 20, "t_ref": 2}
		for _, q := range p.Model.Params {
			p.P = append(p.P, kernels.Values{values[q.Name]})
		}
		return p
	}
	e, i := []Part{{0, 0, 4 * n}}, []Part{{1, 0, n}}
	all := []Part{e[0], i[0]}
	j := 0.4
	if kind != Delta {
		j = 40
	}
	return &Spec{
		Populations: []Population{lif("E", 4*n), lif("I", n)},
		Synapses:    []Synapse{{Name: "jump", Kind: kind, Tau: 2}},
		Projections: []Projection{
			{
				Name: "EX", From: e, To: all, Rule: InDegree{K: 40}, Weight: Draw{Kind: Normal, A: j, B: j / 10},
				Delay: Draw{Kind: Uniform, A: 0.5, B: 3, Round: 0.1},
			},
			{Name: "IX", From: i, To: all, Rule: Probability{P: 0.1}, Weight: Constant(-5 * j), Delay: Constant(1.53)},
		},
		Inputs: []Input{{Name: "background", To: all, Weight: Constant(j), Poisson: &Poisson{Rate: 6000}}},
		Dt:     0.1, Seed: 3, OnGrid: onGrid,
	}
}

func TestWorkersAndRangesDoNotChangeBits(t *testing.T) {
	isas := kernels.Available()
	for _, kind := range []Kind{Delta, ExpCurrent, AlphaCurrent} {
		for _, onGrid := range []bool{false, true} {
			s := balanced(100, kind, onGrid)
			s.Inputs = append(s.Inputs, Input{
				Name: "current", To: []Part{{0, 3, 250}}, Current: func(step int64) float64 { return float64(step%7) / 4 },
			})
			want := collect(t, s, Config{Workers: 1, Ranges: 1, ISA: kernels.Go}, 100)
			if len(want) < 200 {
				t.Errorf("%s: only %d spikes", kind, len(want))
			}
			for workers := 2; workers <= 7; workers++ {
				isa := isas[workers%len(isas)]
				got := collect(t, s, Config{Workers: workers, Ranges: workers + workers%3, ISA: isa}, 100)
				if !slices.Equal(got, want) {
					t.Errorf("%s, on grid %t: other spikes with %d workers, %v", kind, onGrid, workers, isa)
				}
			}
		}
	}
}

func TestChecksumDoesNotDependOnRanges(t *testing.T) {
	s := balanced(100, Delta, false)
	var sums []string
	for _, ranges := range []int{1, 3} {
		n, err := Build(t.Context(), s, Config{Workers: 2, Ranges: ranges})
		if err != nil {
			t.Fatal(err)
		}
		edges, sum := int64(0), uint64(0)
		n.Edges(func(projection, pre, post int, weight, delay float64) bool {
			edges++
			sum += edgeHash(hashed(hashStart, uint64(projection)), pre, post, weight, delay)
			return true
		})
		if y := n.Summary(); edges != y.Edges || sum != y.Checksum {
			t.Errorf("%d edges with checksum %x listed; %d with %x built", edges, sum, y.Edges, y.Checksum)
		}
		sums = append(sums, fmt.Sprint(edges, sum))
	}
	if sums[0] != sums[1] {
		t.Errorf("edges and checksum %s with one range, %s with three", sums[0], sums[1])
	}
}

// onGridReference advances a network of LIF neurons with delta or exponential synapses by the plain recursion on the
// grid of steps: arrivals and spikes at ends of steps. Its sums are made in the order of the edges.
func onGridReference(t *testing.T, s *Spec, n *Network, steps int) (spikes []Spike) {
	total := s.firsts()[len(s.Populations)]
	type synapse struct {
		post, delay int
		weight      float64
	}
	out := make([][]synapse, total)
	longest := 0
	n.Edges(func(_, pre, post int, weight, delay float64) bool {
		d := int(math.Round(delay / s.Dt))
		out[pre] = append(out[pre], synapse{post, d, weight})
		longest = max(longest, d)
		return true
	})
	q := model.LIFOf([]float64{
		s.Populations[0].P[0][0], s.Populations[0].P[1][0], s.Populations[0].P[2][0],
		s.Populations[0].P[3][0], s.Populations[0].P[4][0], s.Populations[0].P[5][0],
	})
	kind, tauS := s.Synapses[0].Kind, s.Synapses[0].Tau
	v, current, wake := make([]float64, total), make([]float64, total), make([]int, total)
	rings := make([][]float64, longest+1)
	for i := range rings {
		rings[i] = make([]float64, total)
	}
	for i := range v {
		v[i] = q.VRest
	}
	times := s.Inputs[0].Spikes
	for k := range steps {
		row := rings[k%len(rings)]
		for i := range v {
			in := row[i]
			row[i] = 0
			for _, x := range times[i] {
				if max(0, int(math.Ceil(x/s.Dt-1e-9))-1) == k {
					in += float64(s.Inputs[0].Weight.(Constant))
				}
			}
			next := q.VRest + (v[i]-q.VRest)*math.Exp(-s.Dt/q.Tau)
			if kind == ExpCurrent {
				next += q.R * current[i] / (q.Tau * (1/tauS - 1/q.Tau)) * (math.Exp(-s.Dt/q.Tau) - math.Exp(-s.Dt/tauS))
				current[i] = current[i]*math.Exp(-s.Dt/tauS) + in
			}
			if wake[i] <= k {
				v[i] = next
			}
			if wake[i] <= k+1 {
				if kind == Delta {
					v[i] += in
				}
				if v[i] >= q.VTh {
					v[i], wake[i] = q.VReset, k+1+int(math.Round(q.TRef/s.Dt))
					spikes = append(spikes, Spike{int32(i), int64(k), 1})
				}
			}
		}
		for _, sp := range spikes {
			if sp.Step == int64(k) {
				for _, y := range out[sp.Neuron] {
					rings[(k+y.delay)%len(rings)][y.post] += y.weight
				}
			}
		}
	}
	return spikes
}

func TestOnGridAgainstReference(t *testing.T) {
	for _, kind := range []Kind{Delta, ExpCurrent} {
		s := balanced(40, kind, true)
		w := s.Inputs[0].Weight.(Constant) * 9
		s.Inputs[0] = Input{Name: "given", To: s.Inputs[0].To, Weight: w}
		for i := range 200 {
			var times []float64
			for k := range 300 {
				times = append(times, float64(k)/3+float64(i%17)*0.01+float64(i*k%7)*0.03)
			}
			slices.Sort(times)
			s.Inputs[0].Spikes = append(s.Inputs[0].Spikes, times)
		}
		n, err := Build(t.Context(), s, Config{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		want := onGridReference(t, s, n, 1000)
		got := collect(t, s, Config{Workers: 2, Ranges: 2}, 100)
		if len(want) < 100 || len(got) != len(want) {
			t.Errorf("%s: %d spikes; want %d, at least 100", kind, len(got), len(want))
		}
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Errorf("%s: spike %d of %d is %v; want %v of %d", kind, i, len(got), got[i], want[i], len(want))
				break
			}
		}
	}
}

func TestBuildRefusesWhatDoesNotFit(t *testing.T) {
	s := balanced(100, Delta, false)
	f, err := s.Forecast()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Build(t.Context(), s, Config{Memory: f.Bytes * 9 / 10})
	if err == nil || !strings.Contains(err.Error(), "synapses; ") {
		t.Errorf("error %v for a network larger than the memory", err)
	}
	if _, err := Build(t.Context(), s, Config{Memory: f.Bytes * 11 / 10}); err != nil {
		t.Errorf("a network that fits is refused: %v", err)
	}
}
