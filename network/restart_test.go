package network_test

import (
	"slices"
	"testing"

	"popsim/network"
	"popsim/network/description"
)

// nmda is a network with saturating synapses, draws of inputs over time, and drawn initial states.
const nmda = `
[population.E]
model = "lif"
n = 40
V_rest = "-70mV"
V_th = "-50mV"
V_reset = "-55mV"
R = "0.04GOhm"
V0 = "uniform:-60mV:-50mV"
[population.I]
like = "E"
n = 10
[synapse.nmda]
kind = "nmda"
tau_rise = "2ms"
tau_decay = "100ms"
alpha = "0.5/ms"
Mg = 1
E = "0mV"
[synapse.exc]
kind = "exp-conductance"
tau = "2ms"
E = "0mV"
[projection.EE]
from = "E"
to = ["E", "I"]
synapse = "nmda"
rule = "all-to-all"
weight = "0.165nS"
delay = "0.5ms"
[input.a]
to = ["E", "I"]
poisson = "normal:2400Hz:400Hz:clip=0Hz.."
redraw = "20ms"
synapse = "exc"
weight = "uniform:2nS:3nS"
`

// TestRestart: a network that is restarted with another trial gives the spikes of one that is built for it.
func TestRestart(t *testing.T) {
	descriptions := map[string]*description.Description{}
	for _, name := range []string{"brunel", "cuba", "coba"} {
		d, err := description.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		descriptions[name] = d
	}
	d, err := description.Parse("nmda.toml", []byte(nmda))
	if err != nil {
		t.Fatal(err)
	}
	descriptions["nmda"] = d
	settings := map[string][]description.Setting{
		"brunel": {{Name: "N_E", Text: "200"}, {Name: "J", Text: "1mV"}},
		"cuba":   {{Name: "N_E", Text: "400"}, {Name: "C_E", Text: "16"}, {Name: "C_I", Text: "4"}},
		"coba":   {{Name: "N_E", Text: "160"}, {Name: "P", Text: "0.1"}},
	}
	for name, d := range descriptions {
		for _, onGrid := range []bool{false, true} {
			spec := func(trial uint64) *network.Spec {
				res, err := d.Resolve(description.Options{Seed: 5, Trial: trial, OnGrid: onGrid, Settings: settings[name]})
				if err != nil {
					t.Fatal(name, err)
				}
				return res.Spec
			}
			run := func(n *network.Network) (spikes []network.Spike) {
				err := n.Run(t.Context(), 600, network.Recorder{Spikes: func(block []network.Spike) error {
					spikes = append(spikes, block...)
					return nil
				}})
				if err != nil {
					t.Fatal(name, err)
				}
				return spikes
			}
			n, err := network.Build(t.Context(), spec(0), network.Config{Workers: 2, Ranges: 2})
			if err != nil {
				t.Fatal(name, err)
			}
			first := run(n)
			for _, trial := range []uint64{3, 0} {
				if err := n.Restart(spec(trial)); err != nil {
					t.Fatal(name, err)
				}
				got := run(n)
				fresh, err := network.Build(t.Context(), spec(trial), network.Config{Workers: 1})
				if err != nil {
					t.Fatal(name, err)
				}
				if want := run(fresh); !slices.Equal(got, want) || len(want) < 20 {
					t.Errorf("%s, on the grid %v, trial %d: %d spikes, want %d; or others", name, onGrid, trial, len(got), len(want))
				}
				if (trial == 0) != slices.Equal(got, first) {
					t.Errorf("%s, on the grid %v: trial %d and trial 0", name, onGrid, trial)
				}
			}
			other := spec(1)
			other.Seed++
			if n.Restart(other) == nil {
				t.Errorf("%s is restarted with another graph", name)
			}
		}
	}
}
