package network

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"popsim/kernels"
	"popsim/model"
)

// mixed has every kind of state that a checkpoint must hold: LIF, AdEx, sources of given and of random spikes, inputs
// of redrawn rates and of given spikes.
func mixed(kind Kind, onGrid bool) *Spec {
	s := balanced(60, kind, onGrid)
	adex := Population{Name: "A", N: 30, Model: model.AdExModel, I: kernels.Values{500}}
	for _, q := range adex.Model.Params {
		adex.P = append(adex.P, kernels.Values{q.Default})
	}
	var times [][]float64
	for i := range 5 {
		times = append(times, []float64{float64(i), 11 + float64(i)*3.3, 30.1})
	}
	s.Populations = append(s.Populations, adex,
		Population{Name: "given", N: 5, Source: &Source{Times: times}},
		Population{Name: "random", N: 5, Source: &Source{Rate: kernels.Values{300}}})
	s.Synapses = append(s.Synapses, Synapse{Name: "current", Kind: ExpCurrent, Tau: 3})
	all := []Part{{0, 0, 240}, {1, 0, 60}}
	s.Projections = append(
		s.Projections,
		Projection{
			Name:   "sources",
			From:   []Part{{3, 0, 5}, {4, 0, 5}},
			To:     all,
			Rule:   OutDegree{K: 50},
			Weight: Constant(0.5),
			Delay:  Constant(2),
		},
		Projection{
			Name:    "to A",
			From:    all,
			To:      []Part{{2, 0, 30}},
			Synapse: 1,
			Rule:    InDegree{K: 20},
			Weight:  Constant(30),
			Delay:   Constant(0.7),
		},
	)
	if kind != Delta {
		s.Projections[2].Synapse = 1
	}
	s.Inputs = append(
		s.Inputs,
		Input{
			Name:    "redrawn",
			To:      all,
			Weight:  Constant(0.1),
			Poisson: &Poisson{Law: &Draw{Kind: Uniform, A: 0, B: 2000}, Redraw: 7},
		},
		Input{
			Name:   "listed",
			To:     []Part{{0, 10, 3}},
			Weight: Constant(9),
			Spikes: [][]float64{{3, 14.05, 31}, {20}, {19.95, 20, 44}},
		},
	)
	return s
}

func TestCheckpointGoesOn(t *testing.T) {
	for _, make := range []func(onGrid bool) *Spec{
		func(onGrid bool) *Spec { return mixed(Delta, onGrid) },
		func(onGrid bool) *Spec { return mixed(AlphaCurrent, onGrid) },
		func(onGrid bool) *Spec { return conductive(onGrid, 0.1) },
		func(onGrid bool) *Spec { return gated(true, onGrid, false) },
		func(onGrid bool) *Spec { return gated(false, onGrid, true) },
	} {
		for _, onGrid := range []bool{false, true} {
			s := make(onGrid)
			want := collect(t, s, Config{Workers: 1}, 50)
			var spikes []Spike
			rec := Recorder{Spikes: func(x []Spike) error { spikes = append(spikes, x...); return nil }}
			build := func(c Config) *Network {
				n, err := Build(t.Context(), s, c)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			// 203 steps end inside an epoch, inside a cycle of the rate and between multiples of four.
			first, next := build(Config{Workers: 2, Ranges: 3}), build(Config{Workers: 1, Ranges: 2})
			var file bytes.Buffer
			for _, err := range []error{
				first.Run(t.Context(), 203, rec), first.Save(&file), next.Restore(bytes.NewReader(file.Bytes())),
				next.Run(t.Context(), 297, rec),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(spikes, want) || len(want) < 30 {
				t.Errorf("%s, on grid %t: %d spikes through a checkpoint, %d in one run, or others", s.Populations[0].Name, onGrid,
					len(spikes), len(want))
			}
		}
	}
}

func TestCheckpointIsRefused(t *testing.T) {
	build := func(seed uint64) *Network {
		s := mixed(Delta, false)
		s.Seed = seed
		n, err := Build(t.Context(), s, Config{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := build(1)
	if err := n.Run(t.Context(), 100, Recorder{}); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := n.Save(&file); err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(file.Bytes())
	damaged[len(damaged)-20] ^= 1
	for want, c := range map[string]struct {
		seed uint64
		data []byte
	}{
		"another network": {2, file.Bytes()},
		"ends early":      {1, file.Bytes()[:file.Len()-9]},
		"damaged":         {1, damaged},
		"no checkpoint":   {1, []byte("V,w\n")},
	} {
		if err := build(c.seed).Restore(bytes.NewReader(c.data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v; want one with %q", err, want)
		}
	}
}
