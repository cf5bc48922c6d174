package network_test

import (
	"os"
	"runtime"
	"runtime/debug"
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

// BenchmarkBuild times the building of graphs, per synapse and worker. With POPSIM_LONG the microcircuit is built at
// full size, in 2 GB that have been written before: a virtual machine may have to be given its pages first.
func BenchmarkBuild(b *testing.B) {
	all := []struct{ name, network, settings string }{
		{"microcircuit/scale=0.2", "microcircuit", "scale=0.2"},
		{"brunel", "brunel", ""},
		{"hpc/scale=0.2", "hpc", "scale=0.2"},
	}
	if os.Getenv("POPSIM_LONG") != "" {
		all = append(all, struct{ name, network, settings string }{"microcircuit/full", "microcircuit", ""})
		writePages(2_200_000_000)
	}
	for _, c := range all {
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

// writePages writes to each page of new memory, and returns the memory to the system.
func writePages(bytes int) {
	const page = 4096
	memory := make([]byte, bytes)
	for i := 0; i < len(memory); i += page {
		memory[i] = 1
	}
	runtime.KeepAlive(memory)
	memory = nil
	debug.FreeOSMemory()
}
