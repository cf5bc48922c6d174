package pop

import (
	"context"
	"math"
	"testing"
	"time"

	"popsim/kernels"
	"popsim/model"
	"popsim/noise"
	"popsim/rng"
)

// BenchmarkNoisyStep compares a step of LIF with white noise with a step that is driven by a current of each neuron and
// the drawing of one normal number: they are measured in turns, and the least time of each counts.
//
//	go test ./pop -run XXX -bench NoisyStep -benchtime 200x
func BenchmarkNoisyStep(b *testing.B) {
	const n, steps = 2048, 64
	for _, isa := range kernels.Available() {
		b.Run(isa.String(), func(b *testing.B) {
			population := func(cfg Config) *Population {
				spec := Spec{Model: model.LIFModel, N: n}
				for name, v := range map[string]float64{
					"tau": 20, "V_rest": 0, "V_th": 20, "V_reset": 10, "t_ref": 2, "R": 1, "I": 20,
				} {
					if err := spec.Set(name, v); err != nil {
						b.Fatal(err)
					}
				}
				cfg.Workers, cfg.ISA = 1, isa
				p, err := New(context.Background(), spec, cfg)
				if err != nil {
					b.Fatal(err)
				}
				return p
			}
			advance := func(p *Population) func() {
				return func() {
					p.Begin(steps)
					for s := range p.Shards() {
						p.Advance(0, s)
					}
					if err := p.Record(); err != nil {
						b.Fatal(err)
					}
				}
			}
			rows := noise.NewRows(rng.NewStream(1, "rows"), noise.Consecutive(0, 256))
			at := int64(0)
			work := [...]func(){
				advance(population(Config{Noise: Noise{White: 5, Seed: 1}})),
				advance(population(Config{Input: func(k int64, row []float64) {}})),
				func() {
					for range n / 256 * steps {
						rows.Row(isa, at)
						at++
					}
				},
			}
			least := [len(work)]float64{math.Inf(1), math.Inf(1), math.Inf(1)}
			for range 20 { // the neurons leave their common start
				for _, f := range work {
					f()
				}
			}
			b.ResetTimer()
			for range b.N {
				for i, f := range work {
					begin := time.Now()
					f()
					least[i] = min(least[i], float64(time.Since(begin).Nanoseconds())/(n*steps))
				}
			}
			b.ReportMetric(least[0], "ns/noisy-step")
			b.ReportMetric(least[1], "ns/driven-step")
			b.ReportMetric(least[2], "ns/normal")
			b.ReportMetric(least[0]/(least[1]+least[2]), "ratio")
		})
	}
}

// BenchmarkNoisyModels is a step of models that reset: free, with a waveform that all neurons share, and with white
// noise. They are measured in turns, and the least time of each counts.
//
//	go test ./pop -run XXX -bench NoisyModels -benchtime 200x
func BenchmarkNoisyModels(b *testing.B) {
	const n, steps = 2048, 64
	for _, m := range []*model.Model{model.LIFModel, model.EIFModel, model.AdExModel} {
		for _, isa := range kernels.Available() {
			b.Run(m.Name+"/"+isa.String(), func(b *testing.B) {
				names := [...]string{"free", "waveform", "noise"}
				var work [len(names)]*Population
				for i, cfg := range [...]Config{
					{}, {Waveform: func(k int64) float64 { return 0.01 * float64(k%100) }}, {Noise: Noise{White: 2, Seed: 1}},
				} {
					cfg.Workers, cfg.ISA = 1, isa
					spec := Spec{Model: m, N: n}
					if err := spec.Set("I", m.Typical.Current); err != nil {
						b.Fatal(err)
					}
					p, err := New(context.Background(), spec, cfg)
					if err != nil {
						b.Fatal(err)
					}
					work[i] = p
				}
				least := [len(names)]float64{math.Inf(1), math.Inf(1), math.Inf(1)}
				for range b.N {
					for i, p := range work {
						begin := time.Now()
						p.Begin(steps)
						for s := range p.Shards() {
							p.Advance(0, s)
						}
						if err := p.Record(); err != nil {
							b.Fatal(err)
						}
						least[i] = min(least[i], float64(time.Since(begin).Nanoseconds())/(n*steps))
					}
				}
				for i, name := range names {
					b.ReportMetric(least[i], "ns/"+name)
				}
			})
		}
	}
}
