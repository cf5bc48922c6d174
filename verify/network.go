package verify

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"

	"popsim/kernels"
	"popsim/model"
	"popsim/network"
	"popsim/network/description"
)

// networkChecks are the promises of networks.
func networkChecks() []Check {
	return []Check{
		{"network, LIF behind a current synapse against its closed form", synapseClosedForm},
		{"network, spikes on the grid reach their targets after exactly the delay", exactDelays},
		{"network, same spikes for 1, 2, 3 workers on " + setNames(), sameNetwork},
		{"network, saved and restored: same spikes as in one go", restoredNetwork},
	}
}

// resolved is a network of the library with some parameters, NAME and VALUE in turns.
func resolved(name string, onGrid bool, settings ...string) (*network.Spec, error) {
	d, err := description.Lookup(name)
	if err != nil {
		return nil, err
	}
	o := description.Options{Seed: 1, OnGrid: onGrid}
	for k := 0; k < len(settings); k += 2 {
		o.Settings = append(o.Settings, description.Setting{Name: settings[k], Text: settings[k+1]})
	}
	res, err := d.Resolve(o)
	if err != nil {
		return nil, err
	}
	return res.Spec, nil
}

// smallNetworks are networks that run in a fraction of a second.
func smallNetworks() (specs []*network.Spec, err error) {
	for _, onGrid := range []bool{false, true} {
		for _, n := range [][]string{
			{"brunel", "N_E", "400", "J", "1mV"},
			{"cuba", "N_E", "400", "C_E", "16", "C_I", "4"},
			{"coba", "N_E", "160", "P", "0.1"},
		} {
			spec, err := resolved(n[0], onGrid, n[1:]...)
			if err != nil {
				return nil, err
			}
			specs = append(specs, spec)
		}
	}
	return specs, nil
}

// networkSpikes builds a network and runs it for so many steps.
func networkSpikes(ctx context.Context, spec *network.Spec, cfg network.Config, steps int64) (spikes []network.Spike,
	err error,
) {
	n, err := network.Build(ctx, spec, cfg)
	if err != nil {
		return nil, err
	}
	defer n.Close()
	err = n.Run(ctx, steps, network.Recorder{Spikes: func(block []network.Spike) error {
		spikes = append(spikes, block...)
		return nil
	}})
	return spikes, err
}

const networkSteps = 1000 // of each small network

func sameNetwork(ctx context.Context) (string, bool, error) {
	specs, err := smallNetworks()
	if err != nil {
		return "", false, err
	}
	total := 0
	for _, spec := range specs {
		want, err := networkSpikes(ctx, spec, network.Config{Workers: 1}, networkSteps)
		if err != nil {
			return "", false, err
		}
		total += len(want)
		for workers := 1; workers <= 3; workers++ {
			for _, isa := range kernels.Available() {
				got, err := networkSpikes(ctx, spec, network.Config{Workers: workers, Ranges: workers, ISA: isa}, networkSteps)
				if err != nil || !slices.Equal(got, want) {
					return fmt.Sprintf("%d workers on %v give other spikes", workers, isa), false, err
				}
			}
		}
	}
	return fmt.Sprintf("%d networks, %d spikes, none differs", len(specs), total), total > 1000, nil
}

func restoredNetwork(ctx context.Context) (string, bool, error) {
	specs, err := smallNetworks()
	if err != nil {
		return "", false, err
	}
	total := 0
	for _, spec := range specs {
		want, err := networkSpikes(ctx, spec, network.Config{}, networkSteps)
		if err != nil {
			return "", false, err
		}
		total += len(want)
		var got []network.Spike
		take := network.Recorder{Spikes: func(block []network.Spike) error {
			got = append(got, block...)
			return nil
		}}
		var saved bytes.Buffer
		for part, steps := range []int64{137, 400, networkSteps - 537} {
			n, err := network.Build(ctx, spec, network.Config{Workers: 1 + part%2})
			if err != nil {
				return "", false, err
			}
			if part > 0 {
				if err := n.Restore(&saved); err != nil {
					return "", false, err
				}
			}
			if err := n.Run(ctx, steps, take); err != nil {
				return "", false, err
			}
			saved.Reset()
			if err := n.Save(&saved); err != nil {
				return "", false, err
			}
			n.Close()
		}
		if !slices.Equal(got, want) {
			return "a restored network gives other spikes", false, nil
		}
	}
	return fmt.Sprintf("%d networks, %d spikes, none differs", len(specs), total), total > 1000, nil
}

// chain is a source of one spike at t0 ms that reaches a LIF neuron through a synapse after a delay.
func chain(dt, t0, delay float64, onGrid bool, s network.Synapse, weight float64) *network.Spec {
	m := model.LIFModel
	cell := network.Population{Name: "cell", N: 1, Model: m, Start: []kernels.Values{{0}}}
	set := map[string]float64{"V_rest": 0, "V_reset": 0, "V_th": 10, "R": 1, "tau": 20, "t_ref": 2}
	for j, p := range m.Params {
		x, ok := set[p.Name]
		if !ok {
			x = m.Defaults()[j]
		}
		cell.P = append(cell.P, kernels.Values{x})
	}
	return &network.Spec{
		Populations: []network.Population{{Name: "source", N: 1, Source: &network.Source{Times: [][]float64{{t0}}}}, cell},
		Synapses:    []network.Synapse{s},
		Projections: []network.Projection{{
			Name: "P", From: []network.Part{{Population: 0, N: 1}}, To: []network.Part{{Population: 1, N: 1}},
			Rule:   network.OneToOne{},
			Weight: network.Constant(weight), Delay: network.Constant(delay),
		}},
		Dt: dt, OnGrid: onGrid,
	}
}

// closedForm is the error of spike times (ms) that is allowed where everything is known in closed form.
const closedForm = 1e-9

// synapseClosedForm: a time t after the arrival of weight w, tau V' = -V + R w exp(-t/tau_s) has V = R w tau_s/(tau_s -
// tau) (exp(-t/tau_s) - exp(-t/tau)), whose first crossing of V_th, before the peak, is found by bisection.
func synapseClosedForm(ctx context.Context) (string, bool, error) {
	const tau, tauS, w, t0, delay, threshold = 20.0, 5.0, 80.0, 3.217, 1.934, 10.0
	v := func(t float64) float64 { return w * tauS / (tauS - tau) * (math.Exp(-t/tauS) - math.Exp(-t/tau)) }
	lo, hi := 0.0, tau*tauS/(tau-tauS)*math.Log(tau/tauS) // the peak
	for range 200 {
		if mid := (lo + hi) / 2; v(mid) < threshold {
			lo = mid
		} else {
			hi = mid
		}
	}
	want, worst := t0+delay+lo, 0.0
	for _, dt := range []float64{0.01, 0.1, 0.37, 1} {
		spikes, err := networkSpikes(ctx, chain(dt, t0, delay, false, network.Synapse{
			Name: "s",
			Kind: network.ExpCurrent, Tau: tauS,
		}, w), network.Config{}, int64(20/dt))
		if err != nil {
			return "", false, err
		}
		if len(spikes) != 2 {
			return fmt.Sprintf("%d spikes at dt %v ms", len(spikes), dt), false, nil
		}
		worst = max(worst, math.Abs((float64(spikes[1].Step)+spikes[1].Theta)*dt-want))
	}
	return fmt.Sprintf("error %.1e ms at dt 0.01 to 1 ms (%.0e)", worst, closedForm), worst <= closedForm, nil
}

// exactDelays: a jump over the threshold fires in the step in which it arrives.
func exactDelays(ctx context.Context) (string, bool, error) {
	for delay := int64(1); delay <= 40; delay++ {
		spec := chain(0.1, 0.75, 0.1*float64(delay), true, network.Synapse{Name: "s", Kind: network.Delta}, 20)
		spikes, err := networkSpikes(ctx, spec, network.Config{}, 100)
		if err != nil {
			return "", false, err
		}
		if len(spikes) != 2 || spikes[1].Step-spikes[0].Step != delay {
			return fmt.Sprintf("delay of %d steps: %v", delay, spikes), false, nil
		}
	}
	return "1 to 40 steps, none is lost or gained", true, nil
}
