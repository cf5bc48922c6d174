package equations

import (
	"math"
	"slices"
	"sync"

	"popsim/kernels"
	"popsim/model"
)

// What step limits are measured on: a neuron with the values and the current of the file, from its start.
const (
	measuredSpikes = 3       // that are compared at most
	measuredTime   = 400.0   // ms within which they come
	manySteps      = 1 << 13 // of the default size; a run that takes more is compared with one of half the step alone
	finest         = 1.0 / 4 // of the default step: the truth, by the method of the highest order
	finestOfMany   = 1.0 / 2
	coarsest       = 16.0 // of the default step
	sampledStates  = 8    // along the way, at which rates are compared with those of other parameters
)

// stepLimits are the step sizes of a method that were measured with the values of the file, and what carries them over
// to others: the fastest rate along the way.
type stepLimits struct {
	usable, accurate float64 // ms
	states           [][]float64
	fastest          float64 // 1/ms
}

// limits sets the step limits of m. They are measured at the first call, which takes some milliseconds.
func (d *definition) limits(m *model.Model) {
	p, current := m.Defaults(), d.current.Default
	// fastest is the largest rate at which a deviation of one state alone decays or grows.
	fastest := func(p []float64, states [][]float64) (most float64) {
		j := make([]float64, len(d.states)*len(d.states))
		for _, y := range states {
			m.Jacobian(p, current, y, j)
			for i := range y {
				if rate := math.Abs(j[i*len(y)+i]); rate < math.Inf(1) {
					most = max(most, rate)
				}
			}
		}
		return most
	}
	measure := map[string]func() stepLimits{}
	truth := sync.OnceValue(func() trial { return d.truth(m, p, current) })
	for _, q := range m.Methods {
		measure[q.Name] = sync.OnceValue(func() stepLimits {
			s := measureSteps(m, q, p, current, truth())
			s.fastest = fastest(p, s.states)
			return s
		})
	}
	m.Limits = func(own []float64, method string) (usable, accurate float64) {
		s := measure[method]()
		ratio := 1.0
		if !slices.Equal(own, p) {
			if now := fastest(own, s.states); now > 0 && s.fastest > 0 {
				ratio = s.fastest / now
			}
		}
		return s.usable * ratio, s.accurate * ratio
	}
}

// preferStiff makes rosenbrock the default method of a file that names none, where rk4 blows up or is wrong by a tenth
// with the file's step. It is tried only where a rate of the equations, with the other states at their steady values
// for some values of the first one, is near the bound of stability of rk4 (2.78 on the negative axis).
func (d *definition) preferStiff(m *model.Model) {
	const bound = 2.5
	rk4, _ := m.Method("rk4")
	k := slices.IndexFunc(m.Methods, func(q model.Method) bool { return q.Name == "rosenbrock" })
	p, current := m.Defaults(), d.current.Default
	if k < 0 || d.fastestSteady(m, p, current)*rk4.Dt < bound {
		return
	}
	fine := m.Methods[k]
	if try(m, rk4, p, current, rk4.Dt, 0).differs(try(m, fine, p, current, fine.Dt/4, 0)) <= model.UsableError {
		return
	}
	fine.Doc += "; the default here, since rk4 explodes with these steps"
	m.Methods = append([]model.Method{fine}, slices.Delete(slices.Clone(m.Methods), k, k+1)...)
}

// fastestSteady is the largest rate (1/ms) at which a state relaxes, the others being at their steady values, for some
// values of the first one, and at the start.
func (d *definition) fastestSteady(m *model.Model, p []float64, current float64) (most float64) {
	const places = 16
	n := len(d.states)
	y, jac := make([]float64, n), make([]float64, n*n)
	m.Initial(p, y)
	look := func() {
		m.Jacobian(p, current, y, jac)
		for i := range n {
			if rate := -jac[i*n+i]; rate < math.Inf(1) {
				most = max(most, rate)
			}
		}
	}
	look()
	low, high := m.Reach(p) // three times as wide as the values of the file
	third := (high - low) / 3
	for k := range places {
		v := low + float64(third*(1+float64(float64(k)/(places-1))))
		if i := m.Steady(p, v, y); i == i {
			look()
		}
	}
	return most
}

// trial is what a run of one neuron has given.
type trial struct {
	times  []float64   // of spikes, ms
	states [][]float64 // along the way
	last   []float64   // state at its end; nil if a state is not finite
	steps  int
	part   float64 // of the default step, of the truth
}

// truth is the run with the finest step, of the method of the highest order that survives it.
func (d *definition) truth(m *model.Model, p []float64, current float64) (t trial) {
	byOrder := slices.Clone(m.Methods)
	slices.SortStableFunc(byOrder, func(a, b model.Method) int { return b.Order - a.Order })
	for _, q := range byOrder {
		part := finest
		if try(m, q, p, current, q.Dt, 0).steps > manySteps {
			part = finestOfMany
		}
		t = try(m, q, p, current, q.Dt*part, sampledStates)
		if t.part = part; t.last != nil {
			break
		}
	}
	return t
}

// measureSteps finds the largest step of a method, in powers of 2 of its default, up to which its spikes are off by at
// most model.UsableError, and by AccurateError or AccurateOnGrid, relative to the time of the last one. Where the truth
// has no spikes, the states must stay finite. The default step, which the author of the file has chosen, is usable if
// no state becomes infinite.
func measureSteps(m *model.Model, q model.Method, p []float64, current float64, truth trial) stepLimits {
	s := stepLimits{usable: math.Inf(1), accurate: math.Inf(1), states: truth.states}
	if truth.last == nil {
		return s
	}
	allowed := model.AccurateError
	if q.OnGrid {
		allowed = model.AccurateOnGrid
	}
	accurate := true
	for part := 2 * truth.part; part <= coarsest; part *= 2 {
		e := try(m, q, p, current, q.Dt*part, 0).differs(truth)
		if accurate && e > allowed {
			accurate = false
			s.accurate = q.Dt * part / 2
		}
		if e > model.UsableError && (part > 1 || math.IsInf(e, 1)) {
			s.usable = q.Dt * part / 2
			break
		}
	}
	return s
}

// differs is the relative error of the time from the start to the last spike that is compared; without spikes that of
// the last state, relative to it and one unit.
func (t trial) differs(truth trial) (e float64) {
	n := len(truth.times)
	switch {
	case t.last == nil || len(t.times) < n:
		return math.Inf(1)
	case n == 0:
		for j, x := range truth.last {
			e = max(e, math.Abs(t.last[j]-x)/(1+math.Abs(x)))
		}
		return e
	}
	return math.Abs(t.times[n-1]/truth.times[n-1] - 1)
}

// try runs one neuron until it has fired often enough, and keeps some of its states.
func try(m *model.Model, q model.Method, p []float64, current, dt float64, states int) (t trial) {
	k, err := kernels.For(m, q, kernels.Auto)
	if err != nil {
		return t
	}
	s := k.NewShard(0, 1, dt, kernels.Setting{
		P: kernels.Uniform(p), I: kernels.Values{current}, Gain: kernels.Values{1},
	})
	y := make([]float64, len(m.States))
	m.Initial(p, y)
	s.Enter(0, 0, y)
	w := kernels.NewWorker()
	total := int(measuredTime / dt)
	const chunk = 16
	every := max(total/max(states, 1)/chunk, 1) * chunk
	var events []kernels.Event
	for at := 0; at < total && len(t.times) < measuredSpikes; at += chunk {
		steps := min(chunk, total-at)
		t.steps = at + steps
		events = s.Advance(w, int64(at), steps, kernels.Drive{}, false, events[:0])
		for _, e := range events {
			t.times = append(t.times, (float64(at)+float64(e.Step)+e.Theta)*dt)
		}
		s.State(0, int64(at+steps), y)
		for _, x := range y {
			if x-x != 0 {
				return t
			}
		}
		if states > 0 && (len(events) > 0 || at%every == 0) {
			t.states = append(t.states, slices.Clone(y))
		}
	}
	t.times = t.times[:min(len(t.times), measuredSpikes)]
	t.last = y
	return t
}
