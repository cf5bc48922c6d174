package equations

import (
	"context"
	"fmt"
	"math"
	"testing"

	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
)

// spiking is a model with everything that event steps have: a kink, an adaptation that a spike moves, and
// a hold that is no whole number of steps.
const spiking = `
[neuron]
name = "held"
dt   = "0.1 ms"
[parameters]
tau   = { value = "10 ms", domain = "positive" }
theta = "-50 mV"
delta = "2 mV"
b     = "3 mV"
tau_w = "40 ms"
t_ref = "1.37 ms"
I     = "20 mV"
[states]
V = "-70 mV"
w = "0 mV"
[let]
rise = "max(V - theta, 0 mV)^2/delta"
[equations]
V = "(-70 mV - V + rise - w + I)/tau"
w = "(0.1*(V + 70 mV) - w)/tau_w"
[spike]
when  = "V >= 0 mV"
reset = { V = "-58 mV", w = "w + b" }
hold  = "t_ref"
`

// Same bits on every instruction set, for any workers, shards and epochs, with currents that differ and with an input.
func TestSameBits(t *testing.T) {
	models := map[string]*model.Model{}
	for _, path := range libraryPaths(t) {
		models[path] = load(t, path)
	}
	held, err := Parse("held.toml", []byte(spiking))
	if err != nil {
		t.Fatal(err)
	}
	models["held"] = held
	for name, m := range models {
		for _, method := range m.Methods {
			want := ""
			for _, c := range []pop.Config{
				{ISA: kernels.Go, Workers: 1},
				{ISA: kernels.AVX2, Workers: 2, Shard: 64, Epoch: 7},
				{ISA: kernels.AVX512, Workers: 1, Shard: 128},
			} {
				if _, err := kernels.ParseISA(c.ISA.String()); err != nil {
					continue
				}
				if got := digest(t, m, method.Name, c); want == "" {
					want = got
				} else if got != want {
					t.Errorf("%s, %s on %v: %s, in plain Go %s", name, method.Name, c.ISA, got, want)
				}
			}
		}
	}
}

// digest runs 100 neurons with different currents and a waveform, and sums up the bits of all spikes and of the last
// states.
func digest(t *testing.T, m *model.Model, method string, c pop.Config) string {
	t.Helper()
	const n = 70
	spec := pop.Spec{Model: m, Method: method, N: n}
	current := m.Given[0].I
	if current == 0 { // it fires without an input, or only with one
		current = 10
	}
	for i := range n {
		spec.I = append(spec.I, current*(0.5+1.5*float64(i)/n))
	}
	var sums [2]uint64 // of spikes and of states: which of them comes first depends on the epochs
	spikes := 0
	mix := func(i int, x float64) { sums[i] = sums[i]*0x9e3779b97f4a7c15 + math.Float64bits(x) }
	c.Spike = func(block []pop.Spike) error {
		for _, s := range block {
			mix(0, s.Time)
			mix(0, float64(s.Neuron))
			spikes++
		}
		return nil
	}
	c.Waveform = func(k int64) float64 { return current * 0.1 * float64(k%17-8) / 8 }
	dt := m.Methods[0].Dt
	c.Trace = &pop.Trace{Of: []int64{0, 63, 64, 69}, Every: 20 * dt, Row: func(_ float64, _ int64, y []float64) error {
		for _, x := range y {
			mix(1, x)
		}
		return nil
	}}
	if _, err := pop.Run(context.Background(), spec, c, 1000*dt); err != nil {
		t.Fatalf("%s, %s: %v", m.Name, method, err)
	}
	if method != "euler" && spikes == 0 {
		t.Errorf("%s, %s: no spikes", m.Name, method)
	}
	return fmt.Sprintf("%d spikes, %x", spikes, sums)
}

// A spike is held for exactly as long as the file says: the interval of a neuron that fires at once again is what the
// equations give without the hold, and the hold.
func TestHold(t *testing.T) {
	const text = `
[neuron]
name = "linear"
dt   = "0.1 ms"
[parameters]
hold = "1.37 ms"
I    = "2 mV/ms"
[states]
V = "0 mV"
[equations]
V = "I"
[spike]
when  = "V >= 10 mV"
reset = { V = "1 mV" }
hold  = "hold"
`
	m, err := Parse("linear.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	const rounding = 1e-12 // ms: a few sums of times below 100
	for i, s := range spikes(t, m, "rk4", 2, 0.1, 100) {
		if want := 5 + float64(i)*(1.37+4.5); math.Abs(s-want) > rounding {
			t.Errorf("spike %d at %.15g ms, want %.15g", i, s, want)
		}
	}
}
