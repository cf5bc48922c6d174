package network_test

import (
	"runtime"
	"strings"
	"testing"

	"popsim/network"
	"popsim/network/description"
)

// library resolves a network of the library, with settings "NAME=VALUE ...".
func library(t testing.TB, name, settings string, o description.Options) *network.Spec {
	t.Helper()
	d, err := description.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range strings.Fields(settings) {
		key, value, _ := strings.Cut(s, "=")
		o.Settings = append(o.Settings, description.Setting{Name: key, Text: value})
	}
	o.Seed = max(o.Seed, 1)
	r, err := d.Resolve(o)
	if err != nil {
		t.Fatal(err)
	}
	return r.Spec
}

// BenchmarkBuild times the building of graphs, per synapse and worker.
func BenchmarkBuild(b *testing.B) {
	for _, c := range []struct{ name, network, settings string }{
		{"microcircuit/scale=0.2", "microcircuit", "scale=0.2"},
		{"brunel", "brunel", ""},
		{"hpc/scale=0.2", "hpc", "scale=0.2"},
	} {
		for _, workers := range []int{1, 2} {
			b.Run(c.name+"/"+string(rune('0'+workers)), func(b *testing.B) {
				spec := library(b, c.network, c.settings, description.Options{})
				edges, bytes := int64(0), int64(0)
				begin := processorTime()
				for range b.N {
					n, err := network.Build(b.Context(), spec, network.Config{Workers: workers})
					if err != nil {
						b.Fatal(err)
					}
					edges, bytes = n.Summary().Edges, n.Summary().Bytes
					n.Close()
					runtime.GC()
				}
				b.ReportMetric(float64(processorTime()-begin)/float64(b.N)/float64(edges), "cpu-ns/synapse")
				b.ReportMetric(float64(bytes)/float64(edges), "B/synapse")
			})
		}
	}
}
