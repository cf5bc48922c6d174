package kernels

import (
	"fmt"
	"math"
	"testing"

	"popsim/model"
)

// A regime is a current at which a model with its default parameters fires at about 50 Hz, and where V starts (lowest
// and highest), so that neurons are spread over their cycle; they also differ by 1 % in current.
type regime struct {
	current, low, high float64
	rest               []float64 // the other states
}

var regimes = map[string]regime{
	"lif":  {24, 0, 20, nil},
	"eif":  {10.6, -68, -60, nil},
	"adex": {40, -68, -60, []float64{25}},
	"hh":   {7, -65, -45, []float64{0.053, 0.596, 0.318}},
	"rhh":  {8, -20, 0, []float64{0.3}},
}

// BenchmarkKernel measures groups in the first-level cache that have settled into firing.
func BenchmarkKernel(b *testing.B) {
	const n, steps = 768, 100
	for _, m := range model.All {
		for _, method := range m.Methods {
			for _, isa := range Available() {
				for _, params := range []string{"uniform", "each"} {
					name := fmt.Sprintf("model=%s/method=%s/isa=%s/params=%s/n=%d", m.Name, method.Name, isa, params, n)
					b.Run(name, func(b *testing.B) {
						k, err := For(m, method, isa)
						if err != nil {
							b.Fatal(err)
						}
						if k.ISA != isa {
							b.Skip("plain Go only")
						}
						s := regimes[m.Name].shard(k, n, method.Dt, params == "each")
						w := NewWorker()
						first := int64(math.Round(100 / method.Dt))
						events := s.Advance(w, 0, int(first), Drive{}, false, nil)
						fired := 0
						for b.Loop() {
							events = s.Advance(w, first, steps, Drive{}, false, events[:0])
							first += steps
							fired += len(events)
						}
						done := float64(b.N) * n * steps
						b.ReportMetric(float64(b.Elapsed().Nanoseconds())/done, "ns/neuron-step")
						b.ReportMetric(float64(fired)/done/method.Dt*1000, "Hz")
						b.ReportMetric(0, "ns/op")
					})
				}
			}
		}
	}
}

// shard makes n neurons, whose parameters all stand in columns if each is set.
func (r regime) shard(k *Kernel, n int, dt float64, each bool) *Shard {
	part := func(i int) float64 { return math.Mod(float64(i+1)*0.6180339887498949, 1) } // evenly in [0, 1)
	set := Setting{I: make(Values, n), Gain: Values{1}}
	for i := range n {
		set.I[i] = r.current * (1 + 0.01*(part(i)-0.5))
	}
	for _, x := range k.Model.Defaults() {
		v := Values{x}
		for each && len(v) < n {
			v = append(v, x)
		}
		set.P = append(set.P, v)
	}
	s := k.NewShard(0, n, dt, set)
	for i := range n {
		s.Enter(i, 0, append([]float64{r.low + (r.high-r.low)*part(i)}, r.rest...))
	}
	return s
}
