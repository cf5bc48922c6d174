package network

import (
	"context"
	"math"
	"slices"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// allToAll is two populations of a model that excite and inhibit each other from all to all through synapses of a kind,
// by one weight or by given edges; the delays to B are no whole steps off the grid.
func allToAll(m *model.Model, kind Kind, edges, onGrid bool) *Spec {
	s := &Spec{Dt: 0.1, Seed: 5, OnGrid: onGrid}
	scale := map[string]float64{"lif": 1, "adex": 20, "hh": 0.2}[m.Name]
	size := map[Kind]float64{Delta: 0.01, ExpCurrent: 0.1, AlphaCurrent: 0.1}[kind] * scale
	if kind.conductance() {
		size = 0.002 * scale
	}
	e := map[bool]float64{true: 0, false: -80}
	for i, up := range []bool{true, false} {
		y := Synapse{Name: []string{"up", "down"}[i], Kind: kind, Tau: 3, Rise: 1, Decay: 4, E: e[up]}
		s.Synapses = append(s.Synapses, y)
	}
	s.Synapses = append(s.Synapses, Synapse{Name: "drive", Kind: ExpCurrent, Tau: 2})
	for k, name := range []string{"A", "B"} {
		p := Population{Name: name, N: 40, Model: m}
		for _, x := range m.Defaults() {
			p.P = append(p.P, kernels.Values{x})
		}
		s.Populations = append(s.Populations, p)
		s.Inputs = append(s.Inputs, Input{
			Name: "drive" + name, To: []Part{{k, 0, 40}}, Synapse: 2, Weight: Constant(8 * scale),
			Poisson: &Poisson{Rate: 1500},
		})
		sign := 1.0
		if k == 1 && !kind.conductance() {
			sign = -1
		}
		for i, q := range []Projection{
			{From: []Part{{k, 0, 40}}, To: []Part{{0, 0, 40}}, Delay: Constant(1)},
			{From: []Part{{k, 3, 30}}, To: []Part{{0, 5, 20}, {1, 0, 40}}, Delay: Constant(0.73)},
		} {
			q.Name, q.Synapse, q.Rule = name+string(rune('0'+i)), k, AllToAll{}
			if q.Weight = Constant(sign * size); edges {
				q.Weight = PerEdge(func(int, int) float64 { return sign * size })
			}
			s.Projections = append(s.Projections, q)
		}
	}
	return s
}

// TestSumsAreThoseOfEdges compares sums over populations with edges one by one, for all kinds but NMDA: spikes differ
// by rounding alone. They are the same bits for all instruction sets, workers and ranges.
func TestSumsAreThoseOfEdges(t *testing.T) {
	const (
		time      = 15   // ms
		tolerance = 1e-7 // steps: rounding errors of 1e-16, which spikes and 15 ms amplify
	)
	for _, m := range []*model.Model{model.LIFModel, model.AdExModel, model.HHModel} {
		for kind := Delta; kind < NMDA; kind++ {
			if m == model.HHModel && kind != AlphaConductance || m == model.AdExModel && kind < ExpConductance { // slow
				continue
			}
			for _, onGrid := range []bool{false, true} {
				one := allToAll(m, kind, false, onGrid)
				n, err := Build(context.Background(), one, Config{Workers: 1})
				if err != nil {
					t.Fatal(err)
				}
				if y := n.Summary(); y.Edges != 2*(40*40+30*60) || y.Bytes != 0 {
					t.Errorf("%d edges in %d bytes", y.Edges, y.Bytes)
				}
				got := collect(t, one, Config{Workers: 1}, time)
				want := collect(t, allToAll(m, kind, true, onGrid), Config{Workers: 1}, time)
				far := len(got) != len(want) || len(got) < 10
				for i := 0; !far && i < len(got); i++ {
					a, b := got[i], want[i]
					far = a.Neuron != b.Neuron || math.Abs(float64(a.Step-b.Step)+a.Theta-b.Theta) > tolerance
				}
				if far {
					t.Errorf("%s, %s, on grid %t: %d spikes by sums, %d by edges, or other ones", m.Name, kind, onGrid,
						len(got), len(want))
				}
				for _, c := range []Config{{Workers: 3, Ranges: 5}, {Workers: 2, Ranges: 2, ISA: kernels.Go}} {
					if other := collect(t, one, c, time); !slices.Equal(other, got) {
						t.Errorf("%s, %s, on grid %t: other spikes with %+v", m.Name, kind, onGrid, c)
					}
				}
			}
		}
	}
}
