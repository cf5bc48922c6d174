package network_test

import (
	"math"
	"runtime"
	"testing"

	"popsim/kernels"
	"popsim/model"
	"popsim/network"
	"popsim/network/description"
	"popsim/sched"
)

// Tolerances of forecasts. Memory: laws are known, numbers of edges scatter by less than 1 %, columns are known; what
// is dropped on the way depends on when garbage is collected. Time: a sample of a few ms is timed, and other work may
// interrupt it.
const (
	memoryTolerance = 0.10
	timeFactor      = 4
)

// listed is a network of one list of edges.
func listed(neurons, edges int) *network.Spec {
	p := network.Population{Name: "A", N: neurons, Model: model.LIFModel}
	for _, x := range model.LIFModel.Defaults() {
		p.P = append(p.P, kernels.Values{x})
	}
	var e network.Edges
	for i := range edges {
		e.Pre, e.Post = append(e.Pre, int32(i%neurons)), append(e.Post, int32(i*7919%neurons))
		e.Weight, e.Delay = append(e.Weight, float64(i%13)), append(e.Delay, 1+float64(i%5))
	}
	all := []network.Part{{Population: 0, N: neurons}}
	return &network.Spec{
		Populations: []network.Population{p}, Synapses: []network.Synapse{{Name: "s"}}, Dt: 0.1,
		Projections: []network.Projection{{Name: "P", From: all, To: all, Rule: e}},
	}
}

func TestForecastsAreTrue(t *testing.T) {
	for _, c := range []struct {
		name string
		spec *network.Spec
	}{
		{"microcircuit", library(t, "microcircuit", "scale=0.1", description.Options{})},
		{"microcircuit on grid", library(t, "microcircuit", "scale=0.1", description.Options{OnGrid: true})},
		{"brunel", library(t, "brunel", "N_E=4000", description.Options{})},
		{"hpc", library(t, "hpc", "scale=0.04", description.Options{})},
		{"list", listed(1000, 500_000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := c.spec.Forecast()
			if err != nil {
				t.Fatal(err)
			}
			runtime.GC()
			rise := heapPeak()
			begin := processorTime()
			n, err := network.Build(t.Context(), c.spec, network.Config{})
			if err != nil {
				t.Fatal(err)
			}
			seconds := (processorTime() - begin).Seconds() / float64(sched.Allowed())
			taken := rise() + float64(network.MappedBytes(n))
			y := n.Summary()
			t.Logf("forecast %d edges, %.4g MB, %.3g s; %d edges, %.4g MB (graph %.4g MB), %.3g s",
				f.Edges, float64(f.Bytes)/1e6, f.Seconds, y.Edges, taken/1e6, float64(y.Bytes)/1e6, seconds)
			if math.Abs(float64(f.Edges)/float64(y.Edges)-1) > 0.01 {
				t.Errorf("%d edges forecast; %d built", f.Edges, y.Edges)
			}
			if math.Abs(float64(f.Bytes)/taken-1) > memoryTolerance {
				t.Errorf("%.4g MB forecast; %.4g MB taken", float64(f.Bytes)/1e6, taken/1e6)
			}
			const ticks = 2_000_000 // edges: shorter runs have too few ticks of processor time
			if y.Edges > ticks && (f.Seconds > timeFactor*seconds || f.Seconds < seconds/timeFactor) {
				t.Errorf("%.3g s forecast; %.3g s taken", f.Seconds, seconds)
			}
		})
	}
}
