package kernels

import (
	"fmt"
	"math"
	"testing"

	"popsim/model"
)

// firing is for each model a current at which it fires at about 50 Hz with its default parameters, and a state from
// which it continues to do so.
var firing = map[string]struct {
	current float64
	start   []float64
}{
	"lif":  {24, []float64{0}},
	"eif":  {10.6, []float64{-68}},
	"adex": {40, []float64{-68, 25}},
	"hh":   {7, []float64{-45, 0.053, 0.596, 0.318}},
	"hhtm": {2, model.HHTMModel.Typical.Start},
	"rhh":  {8, []float64{-10, 0.3}},
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
						s := firingShard(k, n, method.Dt, params == "each")
						w := NewWorker()
						var events []Event
						first, fired := int64(0), 0
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

// firingShard makes n neurons spread over the phases of regular firing, which differ by 1 % in current; their
// parameters all are in columns if each is set.
func firingShard(k *Kernel, n int, dt float64, each bool) *Shard {
	at := firing[k.Model.Name]
	set := Setting{I: make(Values, n), Gain: Values{1}}
	for i := range n {
		set.I[i] = at.current * (1 + 0.01*(math.Mod(float64(i+1)*0.6180339887498949, 1)-0.5))
	}
	one := Setting{I: Values{at.current}, Gain: Values{1}}
	for _, x := range k.Model.Defaults() {
		one.P = append(one.P, Values{x})
		v := Values{x}
		for each && len(v) < n {
			v = append(v, x)
		}
		set.P = append(set.P, v)
	}
	s, guide, w := k.NewShard(0, n, dt, set), k.NewShard(0, 1, dt, one), NewWorker()
	y := append([]float64{}, at.start...)
	guide.Enter(0, 0, y)
	first := int64(math.Round(200 / dt))
	guide.Advance(w, 0, int(first), Drive{}, false, nil)
	apart := max(1, int(math.Round(200/dt/float64(n)))) // steps
	for i := range n {
		guide.Advance(w, first, apart, Drive{}, false, nil)
		first += int64(apart)
		guide.State(0, first, y)
		s.Enter(i, 0, y)
	}
	return s
}
