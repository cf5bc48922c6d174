package network

import (
	"errors"
	"math"
	"strings"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// TestBlowUpsAreReported makes V of one neuron overflow by its input, in every kind of segment.
func TestBlowUpsAreReported(t *testing.T) {
	for _, c := range []struct {
		model   *model.Model
		kind    Kind
		weights [2]float64
	}{
		{model.LIFModel, ExpCurrent, [2]float64{-1e308, -1e308}},
		{model.LIFModel, Delta, [2]float64{-1e308, -1e308}},
		{model.AdExModel, ExpCurrent, [2]float64{-1e308, -1e308}},
		{model.HHModel, ExpCurrent, [2]float64{-1e308, -1e308}},
		{model.AdExModel, Delta, [2]float64{-1e308, -1e308}},
		{model.HHModel, Delta, [2]float64{-1e300, -1e300}},
		{model.LIFModel, ExpConductance, [2]float64{1e308, 1e308}},
		{model.EIFModel, ExpConductance, [2]float64{1e308, 1e308}},
		{model.HHTMModel, ExpConductance, [2]float64{1e308, 1e308}},
		{model.RHHModel, ExpConductance, [2]float64{1e308, 1e308}},
	} {
		for _, onGrid := range []bool{false, true} {
			p := Population{Name: "A", N: 70, Model: c.model}
			for _, x := range c.model.Defaults() {
				p.P = append(p.P, kernels.Values{x})
			}
			s := &Spec{
				Populations: []Population{p}, Synapses: []Synapse{{Name: "syn", Kind: c.kind, Tau: 2, E: -80}}, Dt: 0.05,
				OnGrid: onGrid,
			}
			for i, w := range c.weights {
				s.Inputs = append(s.Inputs, Input{
					Name: string(rune('a' + i)), To: []Part{{0, 66, 1}}, Weight: Constant(w), Spikes: [][]float64{{3.03, 3.04, 3.06}},
				})
			}
			n, err := Build(t.Context(), s, Config{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			err = n.Run(t.Context(), 400, Recorder{})
			var blown *BlownUp
			switch {
			case errors.As(err, &blown):
				if blown.Neuron != 66 || !(blown.Time > 3 && blown.Time < 7) {
					t.Errorf("%s, %s, on grid %t: %v; want neuron 66 soon after 3 ms", c.model.Name, c.kind, onGrid, err)
				}
			case err != nil && strings.Contains(err.Error(), "neuron 66"):
			default:
				y := make([]float64, 4)
				n.State(66, y)
				if math.IsNaN(y[0]) || math.Abs(y[0]) > 1e6 || err != nil {
					t.Errorf("%s, %s, on grid %t: V %g, error %v; want an error that names neuron 66", c.model.Name, c.kind, onGrid,
						y[0], err)
				}
			}
		}
	}
}

// TestBlownUpInTheLastSteps: CheckV finds a V that blew up after Run last looked at it.
func TestBlownUpInTheLastSteps(t *testing.T) {
	s := pairOf(1, Projection{Rule: OneToOne{}})
	s.Inputs = []Input{{
		Name: "in", To: []Part{{1, 0, 1}}, Weight: Constant(-math.MaxFloat64), Spikes: [][]float64{{1, 1}},
	}}
	n, err := Build(t.Context(), s, Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Run(t.Context(), lookEvery/2, Recorder{}); err != nil {
		t.Fatal(err)
	}
	var blown *BlownUp
	if err := n.CheckV(); !errors.As(err, &blown) || blown.Neuron != 1 {
		t.Errorf("%v; want an error that names neuron 1", err)
	}
}
