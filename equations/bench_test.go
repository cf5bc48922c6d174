package equations

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"popsim/kernels"
	"popsim/model"
)

// BenchmarkBuiltIn times hh.toml beside the built-in hh, with the same method and step, in turns: 512 neurons that
// fire. The ratio is that of their speeds, above 1 where the file is faster; times are the lowest tenth of the calls.
func BenchmarkBuiltIn(b *testing.B) {
	const dt, steps, neurons = 0.02, 300, 512
	own, err := Load("testdata/hh.toml")
	if err != nil {
		b.Fatal(err)
	}
	for _, isa := range kernels.Available() {
		for _, method := range []string{"rk4", "exp-euler", "strang-cn"} {
			b.Run(fmt.Sprintf("%v/%s", isa, method), func(b *testing.B) {
				var times [2][]float64
				var advance [2]func()
				for i, m := range []*model.Model{own, model.HHModel} {
					advance[i] = advancing(b, m, method, isa, dt, steps, neurons)
				}
				for b.Loop() {
					for i, f := range advance {
						begin := time.Now()
						f()
						times[i] = append(times[i], float64(time.Since(begin))/(steps*neurons))
					}
				}
				var lowest [2]float64
				for i, t := range times {
					slices.Sort(t)
					lowest[i] = t[len(t)/10]
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(lowest[0], "ns/file")
				b.ReportMetric(lowest[1], "ns/built-in")
				b.ReportMetric(lowest[1]/lowest[0], "ratio")
			})
		}
	}
}

// advancing returns a function that advances neurons with currents of 8 to 12 µA/cm².
func advancing(b *testing.B, m *model.Model, method string, isa kernels.ISA, dt float64, steps, n int) func() {
	q, err := m.Method(method)
	if err != nil {
		b.Fatal(err)
	}
	k, err := kernels.For(m, q, isa)
	if err != nil {
		b.Fatal(err)
	}
	p := m.Defaults()
	current := make(kernels.Values, n)
	for i := range current {
		current[i] = 8 + 4*float64(i)/float64(n)
	}
	s := k.NewShard(0, n, dt, kernels.Setting{P: kernels.Uniform(p), I: current, Gain: kernels.Values{1}})
	y := make([]float64, len(m.States))
	m.Initial(p, y)
	for i := range n {
		s.Enter(i, 0, y)
	}
	w, at := kernels.NewWorker(), 0
	var events []kernels.Event
	return func() {
		events = s.Advance(w, int64(at), steps, kernels.Drive{}, false, events[:0])
		at += steps
	}
}
