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

// TestSpikesAfterTRef compares the spikes of models that cross, under t_ref, with its rule applied to V at every step:
// spiking does not change V. Action potentials stay above V_th for longer than t_ref.
func TestSpikesAfterTRef(t *testing.T) {
	const duration = 60.0 // ms
	for _, name := range []string{"hh", "rhh", "hhtm"} {
		for tRef, onGrid := range map[float64]bool{1.013: false, 1.01: true} { // ms; on the grid whole steps
			m, err := model.Lookup(name)
			if err != nil {
				t.Fatal(err)
			}
			s := conductive(onGrid, 0.01)
			s.Populations = s.Populations[slices.Index(model.All, m):][:1]
			p := &s.Populations[0]
			p.N, p.I, p.TRef, s.Projections, s.Inputs = 1, nil, kernels.Values{tRef}, nil, nil
			level := -50.0
			p.P[m.Index("V_th")] = kernels.Values{level}
			for y, times := range map[int][]float64{0: {40.123}, 2: {1.03, 9.217, 15.87, 16.1, 20.003}, 4: {30}} {
				s.Inputs = append(s.Inputs, Input{
					Name: fmt.Sprint(y), To: []Part{{0, 0, 1}}, Synapse: y, Spikes: [][]float64{times},
					Weight: Constant(map[int]float64{0: 20, 2: 2, 4: 0.3}[y]),
				})
			}
			slices.SortFunc(s.Inputs, func(a, b Input) int { return strings.Compare(a.Name, b.Name) })
			n, err := Build(t.Context(), s, Config{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			var got, want []float64
			free := 0.0
			for k := range int(duration / s.Dt) {
				err := n.Run(t.Context(), 1, Recorder{Spikes: func(x []Spike) error {
					for _, x := range x {
						got = append(got, (float64(x.Step)+x.Theta)*s.Dt)
					}
					return nil
				}})
				if err != nil {
					t.Fatal(err)
				}
				y, now := make([]float64, 4), float64(k+1)*s.Dt
				if n.State(0, y); y[0] >= level && now >= free-1e-9 {
					want = append(want, now)
					if len(got) == len(want) {
						free = got[len(got)-1] + tRef
					}
				}
			}
			if len(got) != len(want) || len(want) < 5 {
				t.Errorf("%s, on grid %t: spikes at %.4f ms; want %.4f", name, onGrid, got, want)
				continue
			}
			adjacent := 0 // of which the second comes when t_ref is over
			for i := range got {
				if math.Abs(got[i]-want[i]) > s.Dt { // the rule is applied at ends of steps
					t.Errorf("%s, on grid %t: spikes at %.4f ms; want %.4f", name, onGrid, got, want)
					break
				}
				if i > 0 && got[i]-got[i-1] < tRef-1e-9 {
					t.Errorf("%s, on grid %t: spikes at %.9f and %.9f ms", name, onGrid, got[i-1], got[i])
				}
				if i > 0 && got[i]-got[i-1] < tRef+1e-9 {
					adjacent++
				}
			}
			if adjacent == 0 {
				t.Errorf("%s, on grid %t: no spike comes when t_ref is over: %.4f ms", name, onGrid, got)
			}
		}
	}
}

// TestTRefIsRefused: t_ref of models that reset is one of their parameters.
func TestTRefIsRefused(t *testing.T) {
	s := conductive(false, 0.05)
	s.Populations[0].TRef = kernels.Values{1}
	_, err := Build(t.Context(), s, Config{})
	if want := "t_ref of lif is a parameter"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v; want %q", err, want)
	}
}
