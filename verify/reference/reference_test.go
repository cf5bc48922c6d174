package reference

import (
	"math"
	"testing"

	"popsim/model"
)

// leaky is dV/dt = I - V/tau with a reset, whose spikes have a closed form.
func leaky(tau, threshold, reset, hold float64) *model.Model {
	return &model.Model{
		Name: "leaky", States: []model.State{{Name: "V"}}, Fires: model.Reset,
		Deriv: func(_ []float64, i float64, y, dy []float64) { dy[0] = i - y[0]/tau },
		Hold:  func([]float64) float64 { return hold },
		Spikes: &model.SpikeRules{
			Excess: func(_, y []float64) float64 { return y[0] - threshold },
			Jump:   func(_, _, out []float64) { out[0] = reset },
		},
	}
}

func TestLeaky(t *testing.T) {
	const tau, threshold, reset, hold, current = 10.0, 15.0, -3.0, 1.37, 2.0
	n := Neuron{Model: leaky(tau, threshold, reset, hold), Input: Constant(current)}
	s, _, err := n.Spikes([]float64{0}, 500, 20)
	if err != nil || len(s) != 20 {
		t.Fatalf("%d spikes, %v", len(s), err)
	}
	rise := func(from float64) float64 { return tau * math.Log((current*tau-from)/(current*tau-threshold)) }
	const rounding = 1e-11 // ms, of sums of times of some hundred ms
	for k, x := range s {
		want := rise(0) + float64(k)*(hold+rise(reset))
		if math.Abs(x.Time-want) > rounding {
			t.Errorf("spike %d at %.15g ms, want %.15g", k, x.Time, want)
		}
	}
}

// A current that ramps up between two times, and then stays.
func TestRamp(t *testing.T) {
	n := Neuron{
		Model: leaky(1e300, 1e9, 0, 0), Breaks: []float64{10.3, 20.7},
		Input: func(t float64) float64 { return min(max(t-10.3, 0), 20.7-10.3) },
	}
	_, y, err := n.Spikes([]float64{0}, 30, 0)
	const width = 20.7 - 10.3
	if want := width*width/2 + width*(30-20.7); err != nil || math.Abs(y[0]-want) > 1e-12*want {
		t.Errorf("%v, want %v; %v", y[0], want, err)
	}
}

// A current that is there for a while.
func TestPulse(t *testing.T) {
	n := Neuron{
		Model: leaky(10, 1e9, 0, 0), Breaks: []float64{10.3, 20.7},
		Input: func(t float64) float64 {
			if t >= 10.3 && t < 20.7 {
				return 2
			}
			return 0
		},
	}
	_, y, err := n.Spikes([]float64{0}, 30, 0)
	want := 20 * (1 - math.Exp(-1.04)) * math.Exp(-0.93)
	if err != nil || math.Abs(y[0]-want) > 1e-12*want {
		t.Errorf("%v, want %v; %v", y[0], want, err)
	}
}
