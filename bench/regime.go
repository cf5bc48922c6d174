package bench

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"

	"popsim/kernels"
	"popsim/model"
)

// Firing is how much the neurons of a scenario fire.
type Firing int

// The ways of firing.
const (
	Usual  Firing = iota // at 50 to 80 Hz
	Silent               // not at all, at a stable equilibrium below threshold
	Fast                 // at about 500 Hz, which Hodgkin-Huxley neurons cannot
)

func (f Firing) String() string { return [...]string{"usual", "silent", "fast"}[f] }

// regime is the setting of the neurons of a model while they are timed.
type regime struct {
	preset string
	set    map[string]float64 // parameters that differ from the preset
	p      []float64          // parameters; nil means those of the preset
	i      float64            // input current
	start  []float64          // initial state; nil means the resting state
	silent bool
	span   float64 // ms from the start that the neurons are spread over; 0 means one period of the settled train
}

func (s Scenario) regime() regime {
	if s.Trial != nil {
		return s.Trial.regime()
	}
	work := s.Model.Workload
	r := regime{preset: work.Preset, set: work.Set, i: work.Usual, start: work.Start}
	if r.i == 0 {
		r.i, r.start = s.Model.Typical.Current, s.Model.Typical.Start
	}
	switch s.Firing {
	case Silent:
		r.start, r.silent = nil, true
		if r.i = work.Silent; r.i == 0 {
			r.i = s.Model.Typical.Silent
		}
	case Fast:
		r.i, r.set = work.Fast, maps.Clone(r.set)
		if r.set == nil {
			r.set = map[string]float64{}
		}
		r.set["t_ref"] = 0
	}
	return r
}

// params is the parameter vector of the regime.
func (r regime) params(m *model.Model) []float64 {
	if r.p != nil {
		return r.p
	}
	s, err := m.Preset(r.preset)
	if err != nil {
		panic("bug: bench: " + err.Error())
	}
	for name, x := range r.set {
		s.Params[m.Index(name)] = x
	}
	return s.Params
}

// apart makes the parameters of a setting differ by 0.1 % between neurons.
func apart(set *kernels.Setting) {
	draw := rand.New(rand.NewPCG(2, 2))
	for _, column := range set.P {
		for i := range column {
			column[i] *= 1 + 1e-3*(2*draw.Float64()-1)
		}
	}
}

// setting describes n neurons in the regime. With each, every parameter is a column of its own, and currents differ by
// 1 % between neurons.
func (r regime) setting(m *model.Model, n int, each bool) kernels.Setting {
	if !each {
		n = 1
	}
	column := func(x float64) kernels.Values {
		c := make(kernels.Values, n)
		for i := range c {
			c[i] = x
		}
		return c
	}
	set := kernels.Setting{I: column(r.i), Gain: column(1)}
	for _, x := range r.params(m) {
		set.P = append(set.P, column(x))
	}
	if each {
		// not correlated with the phases, or lanes of one vector would fire together now and then
		draw := rand.New(rand.NewPCG(1, 1))
		for i := range set.I {
			set.I[i] *= 1 + 0.01*(draw.Float64()-0.5)
		}
	}
	return set
}

// scatter is term i of the golden-section sequence, which fills [0, 1) evenly.
func scatter(i int) float64 {
	_, x := math.Modf(float64(i+1) * (math.Phi - 1))
	return x
}

// cycle follows one neuron until it fires regularly, and returns its states at the starts of the steps of one period;
// of a silent one, its last state; where there is a span, states from all over it.
func (r regime) cycle(k *kernels.Kernel, dt float64) ([][]float64, error) {
	const settle, longest = 1000.0, 1000.0 // ms
	s := k.NewShard(0, 1, dt, r.setting(k.Model, 1, false))
	y := make([]float64, len(k.Model.States))
	k.Model.Initial(r.params(k.Model), y)
	if r.start != nil {
		copy(y, r.start)
	}
	s.Enter(0, 0, y)
	w := kernels.NewWorker()
	if r.span > 0 {
		return r.spread(s, w, dt, len(y)), nil
	}
	step := int64(settle / dt)
	s.Advance(w, 0, int(step), kernels.Drive{}, false, nil)
	if r.silent {
		s.State(0, step, y)
		return [][]float64{y}, nil
	}
	var states [][]float64
	var events []kernels.Event
	fired := false
	for end := step + int64(longest/dt); step < end; step++ {
		events = s.Advance(w, step, 1, kernels.Drive{}, false, events[:0])
		if len(events) > 0 {
			if fired {
				return states, nil
			}
			fired = true
		}
		if fired {
			y := make([]float64, len(y))
			s.State(0, step+1, y)
			states = append(states, y)
		}
	}
	return nil, fmt.Errorf("bench: %s with %s does not fire regularly at dt = %v ms; a smaller one will do",
		k.Model.Name, k.Method.Name, dt)
}

// spread returns states of the neuron of s from all over the span, in number at most enough to distinguish neurons.
func (r regime) spread(s *kernels.Shard, w *kernels.Worker, dt float64, dim int) (states [][]float64) {
	const most = 4 * L1
	stride := max(1, int64(r.span/dt/most))
	for step := int64(0); float64(step)*dt < r.span; step += stride {
		y := make([]float64, dim)
		s.State(0, step, y)
		states = append(states, y)
		s.Advance(w, step, int(stride), kernels.Drive{}, false, nil)
	}
	return states
}

// at is the state of neuron i of many that are spread over the cycle.
func at(cycle [][]float64, i int) []float64 { return cycle[int(scatter(i)*float64(len(cycle)))] }
