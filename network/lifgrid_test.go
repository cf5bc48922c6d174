package network

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// gridLIF is one LIF neuron and its synaptic currents, on the grid of steps.
type gridLIF struct {
	vRest, vReset, vTh, r, tau, i float64
	hold                          int // t_ref in steps

	v    float64
	s, y []float64 // by synapse: its current; of alpha the rise
	wake int       // first step in which V moves
}

// gridLIFs are the neurons of the only population at the start.
func gridLIFs(s *Spec) (neurons []gridLIF) {
	p := &s.Populations[0]
	at := func(name string, i int) float64 { return p.P[p.Model.Index(name)].At(i) }
	for i := range p.N {
		neurons = append(neurons, gridLIF{
			vRest: at("V_rest", i), vReset: at("V_reset", i), vTh: at("V_th", i), r: at("R", i), tau: at("tau", i),
			i: p.I.At(i), hold: int(math.Round(at("t_ref", i) / s.Dt)), v: p.Start[0].At(i),
			s: make([]float64, len(s.Synapses)), y: make([]float64, len(s.Synapses)),
		})
	}
	return neurons
}

// step advances the neuron by step k, at whose end in arrives, by synapse, and reports whether it fires. Currents that
// decay are integrated in closed form: tau and those of synapses must differ.
func (n *gridLIF) step(s *Spec, k int, in []float64) bool {
	h := s.Dt
	kept := math.Exp(-h / n.tau)
	next := n.vRest + n.r*n.i + (n.v-n.vRest-n.r*n.i)*kept
	jump := 0.0
	for j, syn := range s.Synapses {
		decay, d := math.Exp(-h/syn.Tau), 1/syn.Tau-1/n.tau
		switch syn.Kind {
		case Delta:
			jump += in[j]
		case ExpCurrent:
			next += n.r * n.s[j] / n.tau * (kept - decay) / d
			n.s[j] = n.s[j]*decay + in[j]
		case AlphaCurrent: // of the rise: the integral of x exp(-x/tau_s) exp(-(h-x)/tau)
			next += n.r / n.tau * (n.s[j]*(kept-decay)/d + n.y[j]*((kept-decay)/d-h*decay)/d)
			n.s[j] = (n.s[j] + h*n.y[j]) * decay
			n.y[j] = n.y[j]*decay + in[j]*math.E/syn.Tau
		}
	}
	if n.wake <= k {
		n.v = next
	}
	if n.wake > k+1 {
		return false
	}
	if n.v += jump; n.v < n.vTh {
		return false
	}
	n.v, n.wake = n.vReset, k+1+n.hold
	return true
}

// loopOnGrid is the spikes of a network of one population of LIF neurons, by a loop over steps and neurons.
func loopOnGrid(s *Spec, n *Network, steps int) (spikes []Spike) {
	type edge struct {
		post, synapse, delay int
		weight               float64
	}
	neurons := gridLIFs(s)
	out := make([][]edge, len(neurons))
	n.Edges(func(projection, pre, post int, weight, delay float64) bool {
		e := edge{post, s.Projections[projection].Synapse, int(math.Round(delay / s.Dt)), weight}
		out[pre] = append(out[pre], e)
		return true
	})
	due := make([][][]float64, steps) // by step, neuron and synapse
	for k := range due {
		for range neurons {
			due[k] = append(due[k], make([]float64, len(s.Synapses)))
		}
	}
	for _, in := range s.Inputs {
		for i, times := range in.Spikes {
			for _, x := range times {
				if k := max(0, int(math.Ceil(x/s.Dt-1e-9))-1); k < steps {
					due[k][i][in.Synapse] += float64(in.Weight.(Constant))
				}
			}
		}
	}
	for k := range steps {
		for i := range neurons {
			if !neurons[i].step(s, k, due[k][i]) {
				continue
			}
			spikes = append(spikes, Spike{int32(i), int64(k), 1})
			for _, e := range out[i] {
				if k+e.delay < steps {
					due[k+e.delay][e.post][e.synapse] += e.weight
				}
			}
		}
	}
	return spikes
}

// kindsOnGrid is a network of n LIF neurons with synapses of these kinds, trains through each, and edges of both signs.
// The shortest delay has least steps, which are advanced together.
// Some neurons start above the threshold; with own, each has its own time constant.
func kindsOnGrid(n, least int, kinds []Kind, tRef float64, own bool) *Spec {
	p := Population{Name: "A", N: n, Model: model.LIFModel, Start: []kernels.Values{nil}}
	values := map[string]float64{"V_rest": -70, "V_reset": -60, "V_th": -50, "R": 0.1, "tau": 20, "t_ref": tRef}
	for _, q := range p.Model.Params {
		p.P = append(p.P, kernels.Values{values[q.Name]})
	}
	if own {
		p.P[p.Model.Index("tau")] = nil
	}
	for i := range n {
		if own {
			tau := &p.P[p.Model.Index("tau")]
			*tau = append(*tau, 15+float64(i*7%11))
		}
		p.I = append(p.I, 150+float64(i*37%80))
		p.Start[0] = append(p.Start[0], -72+float64(i*13%29)) // up to -44
	}
	s := &Spec{Populations: []Population{p}, Dt: 0.1, Seed: 7, OnGrid: true}
	all := []Part{{0, 0, n}}
	for j, kind := range kinds {
		s.Synapses = append(s.Synapses, Synapse{Name: fmt.Sprint("s", j), Kind: kind, Tau: []float64{2, 5.3, 8}[j]})
		size := 100.0
		if kind == Delta {
			size = 1.3
		}
		in := Input{Name: fmt.Sprint("i", j), To: all, Synapse: j, Weight: Constant(size)}
		for i := range n {
			var times []float64
			for k := range 25 {
				times = append(times, 1.7*float64(k)+0.03*float64((i*5+k*3+j)%40))
			}
			slices.Sort(times)
			in.Spikes = append(in.Spikes, times)
		}
		s.Inputs = append(s.Inputs, in)
		s.Projections = append(s.Projections, Projection{
			Name: fmt.Sprint("p", j), From: all, To: all, Synapse: j, Rule: Probability{0.1},
			Weight: Draw{Kind: Normal, A: -size / 9, B: size / 3},
			Delay:  Draw{Kind: Uniform, A: 0.1 * float64(least), B: 3, Round: 0.1},
		})
	}
	return s
}

// TestLIFOnGridAgainstLoop: LIF with every set of kinds that has a kernel of its own spikes in the steps in which a
// plain loop does, for all instruction sets.
func TestLIFOnGridAgainstLoop(t *testing.T) {
	const steps = 400
	for _, kinds := range [][]Kind{
		{Delta},
		{ExpCurrent},
		{ExpCurrent, ExpCurrent},
		{ExpCurrent, Delta},
		{AlphaCurrent},
		{AlphaCurrent, ExpCurrent},
		{ExpCurrent, ExpCurrent, ExpCurrent},
		{Delta, AlphaCurrent, ExpCurrent},
	} {
		for j, n := range []int{1, 63, 64, 65, 129} {
			for own, tRef := range []float64{0, 2.26} {
				s := kindsOnGrid(n, []int{5, 1, 16, 3, 7}[j], kinds, tRef, (own+j)%2 == 0)
				built, err := Build(t.Context(), s, Config{Workers: 1})
				if err != nil {
					t.Fatal(err)
				}
				want := loopOnGrid(s, built, steps)
				for _, isa := range kernels.Available() {
					got := collect(t, s, Config{Workers: 1 + j%2, Ranges: 1 + j%2, ISA: isa}, steps*s.Dt)
					if len(want) < n || !slices.Equal(got, want) {
						t.Errorf("%v, %d neurons, t_ref %g, %v: other spikes%s", kinds, n, tRef, isa, firstOther(got, want))
					}
				}
			}
		}
	}
}
