package bench

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"popsim/kernels"
	"popsim/model"
)

// truth is the exact time of a spike of a neuron with default parameters, started at rest without input (V_rest, -65 mV
// for the Hodgkin-Huxley models, everything else at its steady state). The times are those of kernels/testdata, from
// an integrator of order 32.
type truth struct {
	id    string // of the case in kernels/testdata
	i     float64
	spike int     // number, from 1
	time  float64 // ms
}

var truths = map[string][]truth{
	"lif":  {{"LIF_tref1_I25", 25, 5, 84.471895621705}},
	"eif":  {{"EIF_I10", 10, 7, 117.055276841574}, {"EIF_I20", 20, 10, 98.0945277456785}},
	"adex": {{"AdEx_I10", 10, 10, 290.360765117236}, {"AdEx_I20", 20, 10, 113.102041847324}},
	"hh":   {{"HH_I6.5", 6.5, 10, 165.861155113225}, {"HH_I10", 10, 10, 133.926338676868}, {"HH_I20", 20, 10, 105.888690372739}},
	"rhh":  {{"RHH_I0", 0, 10, 150.839454325948}, {"RHH_I5", 5, 10, 121.782352402932}, {"RHH_I10", 10, 10, 114.815384685133}},
}

// Work is what a method pays for what accuracy: a kernel at one step size.
type Work struct {
	Scenario
	Error float64 // of the late spikes of the truth, at worst, ms; infinite if one is missing
	Cost  float64 // ns per neuron and ms of model time
	Calls int
}

// Name is the name of the row, behind "BenchmarkWork/".
func (w Work) Name() string {
	return fmt.Sprintf("model=%s/method=%s/isa=%v/dt=%v", w.Model.Name, w.Method.Name, w.ISA, w.Dt)
}

func (w Work) metrics() []metric {
	return []metric{{w.Cost, "ns/model-ms"}, {w.Error, "ms-error"}}
}

// workSteps are tried with every method, ms.
var workSteps = []float64{0.2, 0.1, 0.05, 0.025, 0.0125, 0.00625, 0.003125}

// Works lists the scenarios of a selection in which work is set against precision: every kernel in cache, at the steps
// that the method can take.
func (q Selection) Works() ([]Scenario, error) {
	var list []Scenario
	err := q.kernels(func(k *kernels.Kernel) error {
		dts := slices.Clone(workSteps)
		if q.Dt > 0 {
			dts = []float64{q.Dt}
		} else if !slices.Contains(dts, k.Method.Dt) {
			dts = append(dts, k.Method.Dt)
			slices.SortFunc(dts, func(a, b float64) int { return cmp.Compare(b, a) })
		}
		stable, _ := k.Model.StepLimits(k.Method, k.Model.Defaults())
		for _, dt := range dts {
			s := Scenario{Model: k.Model, Method: k.Method, ISA: k.ISA, N: L1, Dt: dt}
			if dt <= stable && q.wants(Work{Scenario: s}.Name()) {
				list = append(list, s)
			}
		}
		return nil
	})
	return list, err
}

// MeasureWork measures the error of a scenario's method at its step, and what it costs.
func MeasureWork(s Scenario, budget time.Duration) (Work, error) {
	k, err := kernels.For(s.Model, s.Method, s.ISA)
	if err != nil {
		return Work{}, err
	}
	w := Work{Scenario: s}
	for _, t := range truths[s.Model.Name] {
		w.Error = max(w.Error, t.error(k, s.Dt))
	}
	r, err := Measure(s, budget)
	if err != nil {
		return Work{}, err
	}
	w.Cost, w.Calls = r.Step/s.Dt, r.Calls
	return w, nil
}

// start is the state from which truths start.
func start(m *model.Model, p []float64) []float64 {
	v := -65.0
	if j := m.Index("V_rest"); j >= 0 {
		v = p[j]
	}
	y := make([]float64, len(m.States))
	m.Steady(p, v, y)
	return y
}

// error is how far (ms) the kernel is off the spike.
func (t truth) error(k *kernels.Kernel, dt float64) float64 {
	p := k.Model.Defaults()
	set := kernels.Setting{I: kernels.Values{t.i}, Gain: kernels.Values{1}}
	for _, x := range p {
		set.P = append(set.P, kernels.Values{x})
	}
	s := k.NewShard(0, 1, dt, set)
	s.Enter(0, 0, start(k.Model, p))
	const late = 1.2 // times the true time: a spike that comes later is missing
	events := s.Advance(kernels.NewWorker(), 0, int(late*t.time/dt), kernels.Drive{}, false, nil)
	if len(events) < t.spike {
		return math.Inf(1)
	}
	e := events[t.spike-1]
	return math.Abs((float64(e.Step)+e.Theta)*dt - t.time)
}
