package network_test

import (
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"popsim/kernels"
	"popsim/model"
	"popsim/network"
	"popsim/network/description"
)

// Bounds of memory: bytes of a synapse with its index, where the runs of edges are long; of one with its own weight the
// edge takes 6, of one without 2, of a row of bits an eighth for each pair. The peak while a graph is built is that
// over what stays, columns of neurons and scratch memory among it.
const (
	ownBytes    = 6.5
	sharedBytes = 2.1
	bitBytes    = 1.3
	peakFactor  = 1.1
)

// TestMemoryOfGraphs builds graphs of 1.6e7 synapses of each kind.
func TestMemoryOfGraphs(t *testing.T) {
	brunel := func(onGrid bool) *network.Spec {
		s := library(t, "brunel", "", description.Options{OnGrid: onGrid})
		for i := range s.Projections { // second edges of pairs are not in rows of bits, but take 2 bytes
			s.Projections[i].NoMultapses = true
		}
		return s
	}
	byTarget := ownWeights(false)
	byTarget.Projections[0].Rule = network.InDegree{K: 400}
	for _, c := range []struct {
		name   string
		spec   *network.Spec
		ranges int
		bound  float64
	}{
		{"own weights", ownWeights(true), 2, ownBytes},
		{"own weights, 64 ranges", ownWeights(true), 64, ownBytes},
		{"own weights, 64 ranges, inside", ownWeights(false), 64, ownBytes},
		{"own weights by target, 64 ranges, inside", byTarget, 64, ownBytes},
		{"shared", brunel(false), 2, sharedBytes},
		{"bits", brunel(true), 2, bitBytes},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, known := resident(true)
			n, err := network.Build(t.Context(), c.spec, network.Config{Workers: 2, Ranges: c.ranges})
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			most, _ := resident(false)
			left, _ := resident(true)
			y := n.Summary()
			each, peak := float64(y.Bytes)/float64(y.Edges), float64(most-before)/float64(left-before)
			t.Logf("%d synapses, %.3f bytes each, peak %.3f of the %d bytes that stay", y.Edges, each, peak, left-before)
			if each > c.bound {
				t.Errorf("%.3f bytes a synapse; at most %v", each, c.bound)
			}
			if !known {
				t.Log("the peak is not known on this system")
			} else if peak > peakFactor {
				t.Errorf("at its most %d bytes, %.3f of what stays; at most %v", most-before, peak, peakFactor)
			}
		})
	}
}

// ownWeights is a network of 4000 sources and 40,000 targets with weights and delays of their own.
func ownWeights(onGrid bool) *network.Spec {
	a := network.Population{Name: "A", N: 4000, Model: model.LIFModel}
	for _, x := range model.LIFModel.Defaults() {
		a.P = append(a.P, kernels.Values{x})
	}
	b := a
	b.Name, b.N = "B", 40_000
	return &network.Spec{
		Populations: []network.Population{a, b}, Dt: 0.1, OnGrid: onGrid,
		Synapses: []network.Synapse{{Name: "s", Kind: network.ExpCurrent, Tau: 0.5}},
		Projections: []network.Projection{{
			Name: "P", From: []network.Part{{Population: 0, N: a.N}}, To: []network.Part{{Population: 1, N: b.N}},
			Rule:   network.OutDegree{K: 4000},
			Weight: network.Draw{Kind: network.Normal, A: 1, B: 0.1, Redraw: &[2]float64{0, 2}},
			Delay:  network.Draw{Kind: network.Normal, A: 1.5, B: 0.75, Redraw: &[2]float64{0.1, 4}, Round: 0.1},
		}},
	}
}

// resident is the largest resident memory of this process since it was last reset; reset makes that the current one
// first, without garbage. Only Linux reports it.
func resident(reset bool) (bytes int64, known bool) {
	if reset {
		const cleanup = 100 * time.Millisecond // in which networks that earlier tests have dropped return their memory
		debug.FreeOSMemory()
		time.Sleep(cleanup)
		debug.FreeOSMemory()
		const peak = "5"
		if os.WriteFile("/proc/self/clear_refs", []byte(peak), 0) != nil {
			return 1, false
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 1, false
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		return 1, false
	}
	kB, err := strconv.ParseInt(string(m[1]), 10, 64)
	return 1024 * kB, err == nil
}
