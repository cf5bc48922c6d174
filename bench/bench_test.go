package bench

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"popsim/kernels"
	"popsim/model"
)

// Every kernel fires in its scenario, in every way of recording, and at a rate one would call firing.
func TestScenariosFire(t *testing.T) {
	list, err := Selection{}.Kernels()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if s.N != L1 {
			continue
		}
		s.N = 100
		t.Run(s.Name(), func(t *testing.T) {
			r, err := newRig(s)
			if err != nil {
				t.Fatal(err)
			}
			var took []time.Duration
			for range 1 + int(50/(s.Dt*float64(s.steps()))) {
				took = append(took, r.call())
			}
			if got := r.result(took); got.Rate < 40 || got.Rate > 90 {
				t.Errorf("%s fires at %.3g Hz, want 40 to 90", s.Name(), got.Rate)
			}
		})
	}
}

func BenchmarkKernel(b *testing.B) {
	list, err := Selection{}.Kernels()
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range list {
		b.Run(s.Name(), func(b *testing.B) {
			r, err := newRig(s)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var took []time.Duration
			for b.Loop() {
				took = append(took, r.call())
			}
			for _, m := range kernelMetrics(s, r.result(took)) {
				b.ReportMetric(m.value, m.unit)
			}
		})
	}
}

func BenchmarkPopulation(b *testing.B) {
	list, err := Selection{}.Populations()
	if err != nil {
		b.Fatal(err)
	}
	for _, p := range list {
		b.Run(p.Name(), func(b *testing.B) {
			spec, err := p.spec()
			if err != nil {
				b.Fatal(err)
			}
			const steps = 200
			best := time.Duration(1<<63 - 1)
			for b.Loop() {
				took, _, err := p.run(context.Background(), spec, steps)
				if err != nil {
					b.Fatal(err)
				}
				best = min(best, took)
			}
			step := float64(best) / (float64(p.N) * steps)
			b.ReportMetric(step, "ns/neuron-step")
			b.ReportMetric(1e9/step, "neuron-steps/s")
		})
	}
}

// The truths of work are those of kernels/testdata, at default parameters and from the state that start gives.
func TestTruthsAreThoseOfTheKernels(t *testing.T) {
	for name, list := range truths {
		m, err := model.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		title := strings.Split(list[0].id, "_")[0]
		cases := map[string]truthCase{}
		for _, c := range readCases(t, title) {
			cases[c.ID] = c
		}
		for _, want := range list {
			c := cases[want.id]
			if len(c.Segments) != 1 || c.Segments[0][1] != want.i {
				t.Errorf("%s: the current is %v, want %v", want.id, c.Segments, want.i)
			}
			p := m.Defaults()
			for q, x := range c.Params {
				q = map[string]string{"gL": "g_L", "nsum": "n_plus_h"}[q] + strings.Trim(q, "gLnsum")[:0]
				if j := m.Index(q); j >= 0 && p[j] != x {
					t.Errorf("%s: %s is %v, want the default %v", want.id, q, x, p[j])
				}
			}
			if got := c.spikes[want.spike-1]; got != want.time {
				t.Errorf("%s: spike %d is at %v ms, here %v", want.id, want.spike, got, want.time)
			}
		}
	}
}
