package bench

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"popsim/dynamics"
	"popsim/kernels"
	"popsim/model"
)

// Trial is a neuron under one or several currents, with its true spikes, against which the errors of methods are
// measured. The truth is computed by dynamics.Spikes, an independent integrator, so any parameters are possible.
type Trial struct {
	Model *model.Model
	P     []float64 // parameters
	I     []float64 // currents, one for each neuron of the trial
	Start []float64 // initial state

	truth []train
}

// train holds the true spikes of one neuron.
type train struct {
	times []float64 // ms; the first trialSpikes of them
	known float64   // ms; there are no others before that
}

// trialSpikes is the number of spikes of a neuron that are compared. In a chaotic train an error grows from spike to
// spike, so that many more would measure chaos and not the method.
const trialSpikes = 10

// DefaultCurrents are those under which a neuron is tried where none are given: with its default parameters it fires.
func DefaultCurrents(m *model.Model) []float64 {
	return m.Typical.Currents
}

// NewTrial finds the true spikes up to the time longest, ms, or until there are enough. A nil start means
// Model.Initial. It is an error if no neuron fires twice, or if the truth cannot be computed.
func NewTrial(m *model.Model, p, currents, start []float64, longest float64) (*Trial, error) {
	t := &Trial{Model: m, P: p, I: currents, Start: start}
	if start == nil {
		t.Start = make([]float64, len(m.States))
		m.Initial(p, t.Start)
	}
	fires := false
	for _, i := range currents {
		var x train
		for span := 100.0; x.known < longest && len(x.times) < trialSpikes; span *= 2 {
			x.known = min(span, longest)
			spikes, err := dynamics.Spikes(m, p, []dynamics.Segment{{Start: 0, I: i}}, t.Start, x.known)
			if err != nil {
				return nil, err
			}
			x.times = x.times[:0]
			for _, s := range spikes[:min(trialSpikes, len(spikes))] {
				x.times = append(x.times, s.Time)
			}
		}
		if len(x.times) == trialSpikes {
			x.known = x.times[trialSpikes-1]
		}
		fires = fires || len(x.times) > 1
		t.truth = append(t.truth, x)
	}
	if !fires {
		return nil, fmt.Errorf("bench: %s does not fire twice within %v ms at I = %s %s", m.Name, longest,
			strings.Trim(fmt.Sprint(currents), "[]"), m.CurrentUnit)
	}
	return t, nil
}

// Work is the accuracy and the cost of a method: of a kernel at one step size.
type Work struct {
	Scenario
	Error float64 // of the spikes of the trial, at worst, ms; infinite if one is missing or one too many
	Rate  float64 // error of the mean rate of each neuron's spikes, at worst, Hz; infinite likewise
	Cost  float64 // ns per neuron and ms of model time
	Calls int
}

// Name is the name of the row, after "BenchmarkWork/".
func (w Work) Name() string {
	return fmt.Sprintf("model=%s/method=%s/isa=%v/dt=%v", w.Model.Name, w.Method.Name, w.ISA, w.Dt)
}

func (w Work) metrics() []metric {
	return []metric{{w.Cost, "ns/model-ms"}, {w.Error, "ms-error"}, {w.Rate, "Hz-error"}}
}

// workSteps are tried with every method, ms.
var workSteps = []float64{0.4, 0.2, 0.1, 0.05, 0.025, 0.0125, 0.00625, 0.003125}

// scenarios are those of a kernel at all steps that it may take with the parameters of the trial, its own among them,
// or at the step dt alone where that is not 0.
func (t *Trial) scenarios(k *kernels.Kernel, dt float64) []Scenario {
	dts := slices.Clone(workSteps)
	if dt > 0 {
		dts = []float64{dt}
	} else if !slices.Contains(dts, k.Method.Dt) {
		dts = append(dts, k.Method.Dt)
		slices.SortFunc(dts, func(a, b float64) int { return cmp.Compare(b, a) })
	}
	stable, _ := t.Model.StepLimits(k.Method, t.P)
	var list []Scenario
	for _, dt := range dts {
		if dt <= stable {
			list = append(list, Scenario{Model: t.Model, Method: k.Method, ISA: k.ISA, N: L1, Dt: dt, Trial: t})
		}
	}
	return list
}

// Scenarios lists the scenarios of a diagram of work against precision of a trial: every method, or the one named, by
// its kernel for the instruction set, at the steps that it may take.
func (t *Trial) Scenarios(method string, isa kernels.ISA) ([]Scenario, error) {
	var list []Scenario
	for _, q := range t.Model.Methods {
		if method != "" && method != q.Name {
			continue
		}
		k, err := kernels.For(t.Model, q, isa)
		if err != nil {
			return nil, err
		}
		list = append(list, t.scenarios(k, 0)...)
	}
	return list, nil
}

// Works lists such scenarios for the models of a selection with their default parameters.
func (q Selection) Works() ([]Scenario, error) {
	var list []Scenario
	var t *Trial
	err := q.kernels(func(k *kernels.Kernel) (err error) {
		if t == nil || t.Model != k.Model {
			if t, err = NewTrial(k.Model, k.Model.Defaults(), DefaultCurrents(k.Model), nil, 1000); err != nil {
				return err
			}
		}
		for _, s := range t.scenarios(k, q.Dt) {
			if q.includes(Work{Scenario: s}.Name()) {
				list = append(list, s)
			}
		}
		return nil
	})
	return list, err
}

// MeasureWork measures the error of a scenario's method at its step, and what it costs. It needs a trial.
func MeasureWork(s Scenario, budget time.Duration) (Work, error) {
	if s.Trial == nil {
		return Work{}, errors.New("bench: a scenario without a trial has no truth")
	}
	k, err := kernels.For(s.Model, s.Method, s.ISA)
	if err != nil {
		return Work{}, err
	}
	w := Work{Scenario: s}
	w.Error, w.Rate = s.Trial.Errors(k, s.Dt)
	r, err := Measure(s, budget)
	if err != nil {
		return Work{}, err
	}
	w.Cost, w.Calls = r.Step/s.Dt, r.Calls
	return w, nil
}

// Errors returns the largest error of a spike (ms) and of the mean rate (Hz) over the neurons of the trial, by kernel k
// in steps of dt ms; infinite where spikes are missing, or there are too many.
func (t *Trial) Errors(k *kernels.Kernel, dt float64) (spike, rate float64) {
	for i, got := range t.run(k, dt) {
		want := t.truth[i]
		n := len(want.times)
		if len(got) < n || n < trialSpikes && len(got) > n && got[n] < want.known-dt {
			return math.Inf(1), math.Inf(1)
		}
		for j, x := range want.times {
			spike = max(spike, math.Abs(got[j]-x))
		}
		if n > 1 {
			rate = max(rate, math.Abs(meanRate(got[:n])-meanRate(want.times)))
		}
	}
	return spike, rate
}

// meanRate is that of the intervals of a train, Hz.
func meanRate(times []float64) float64 {
	return 1000 * float64(len(times)-1) / (times[len(times)-1] - times[0])
}

// run returns the spikes of the neurons by kernel k, a little further than the truth.
func (t *Trial) run(k *kernels.Kernel, dt float64) [][]float64 {
	const late = 1.2 // times the true time: a spike that comes later is missing
	const chunk = 1024
	end := 0.0
	for _, x := range t.truth {
		end = max(end, late*x.known)
	}
	s := k.NewShard(0, len(t.I), dt, t.setting(t.I))
	for i := range t.I {
		s.Enter(i, 0, t.Start)
	}
	got := make([][]float64, len(t.I))
	w := kernels.NewWorker()
	var events []kernels.Event
	steps := int64(end / dt)
	for first := int64(0); first < steps; first += chunk {
		events = s.Advance(w, first, int(min(chunk, steps-first)), kernels.Drive{}, false, events[:0])
		for _, e := range events {
			got[e.Lane] = append(got[e.Lane], (float64(first+int64(e.Step))+e.Theta)*dt)
		}
	}
	return got
}

// setting describes neurons with the parameters of the trial.
func (t *Trial) setting(currents []float64) kernels.Setting {
	return kernels.Setting{P: kernels.Uniform(t.P), I: currents, Gain: kernels.Values{1}}
}

// regime is the setting of the neurons of the trial while they are timed: the first neuron that fires twice, over the
// time of its true spikes.
func (t *Trial) regime() regime {
	i := slices.IndexFunc(t.truth, func(x train) bool { return len(x.times) > 1 })
	return regime{p: t.P, i: t.I[i], start: t.Start, span: t.truth[i].known}
}
