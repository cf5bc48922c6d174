package dynamics

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"

	"popsim/model"
)

// Firing is the attractor of an integrate-and-fire neuron at one value of a parameter. A model with no state that
// survives the reset has a train of one interval, no W, and the multiplier 0.
type Firing struct {
	Parameter float64
	Attractor
	VMin, VMax float64    // mV
	Multiplier float64    // of the reset map over one period; NaN where there is none
	Escaped    bool       // from one of the resets tried V ran away to ever lower values
	Repelling  []Repeller // fixed points of the reset map that the neuron does not settle on
}

// Repeller is a fixed point of the reset map from which orbits depart: firing that is regular but unstable.
type Repeller struct {
	MapPoint
	VMin float64 // mV
}

// FiringAt finds how the model fires at one value of the named parameter ("I" for the current). It starts from a reset
// with the adaptation of V_reset and, where that ends in silence, from one that leaves each w (pA) in turn. drop and
// keep count spikes, as in ResetMap.Attractor.
func FiringAt(ctx context.Context, m *model.Model, p []float64, i float64, name string, value float64, drop, keep int,
	w ...float64,
) (Firing, error) {
	s := newSystem(m, p, i, name)
	s.at(value)
	if err := m.Check(s.p); err != nil {
		return Firing{}, err
	}
	if m.Spikes != nil && m.Spikes.Jump != nil {
		return s.ownFiringAt(ctx, value, drop, keep, w)
	}
	at := func(name string) float64 { return s.p[m.Index(name)] }
	f := Firing{Parameter: value, VMin: at("V_reset"), VMax: at("V_th"), Multiplier: math.NaN()}
	if s.dim() == 1 {
		f.Attractor = s.trainOfOneVariable()
		f.Multiplier = 0
		return f, nil
	}
	r, err := NewResetMap(m, s.p, s.i)
	if err != nil {
		return f, err
	}
	f.Silent = true
	starts := append([]float64{at("a") * (at("V_reset") - at("V_rest"))}, w...)
	for k := 0; k < len(starts) && f.Silent; k++ {
		f.Attractor, err = r.Attractor(ctx, starts[k], drop, keep)
		if err != nil {
			return f, err
		}
		if k == len(w) && f.Silent {
			starts = append(starts, r.starts()...)
		}
	}
	f.Escaped = r.escaped
	if f.Silent {
		return f, nil
	}
	lo, hi := slices.Min(f.W), slices.Max(f.W)
	if f.Period > 0 {
		f.Multiplier = 1
		for _, w := range f.W {
			jump, _ := r.Next(w)
			f.Multiplier *= jump.Slope
		}
	}
	if f.Period != 1 {
		const scan = 16
		for _, q := range r.FixedPoints(lo, hi, scan) {
			if q.Stable {
				continue
			}
			low, err := s.lowest(q.W, q.Interval)
			if err != nil {
				return f, err
			}
			f.Repelling = append(f.Repelling, Repeller{q, low})
		}
	}
	longest := slices.Max(f.Intervals)
	f.VMin, err = s.lowest(hi, longest)
	return f, err
}

// Each calls work with 0 to n-1, in any order and possibly several at a time, and returns the first error. A nil Each
// calls it with one after the other.
type Each func(n int, work func(k int) error) error

func (e Each) do(n int, work func(k int) error) error {
	if e != nil {
		return e(n, work)
	}
	for k := range n {
		if err := work(k); err != nil {
			return err
		}
	}
	return nil
}

// inTurn does the work one after the other, in the order of k, for any Each; each is called to count progress.
func (e Each) inTurn(n int, work func(k int) error) error {
	var turn sync.Mutex
	next := 0
	return e.do(n, func(int) error {
		turn.Lock()
		defer turn.Unlock()
		next++
		return work(next - 1)
	})
}

// How firing is followed over an interval.
const (
	firstFirings = 201  // values of the parameter, evenly spaced, before more are put between them
	mostFirings  = 1500 // values in all
	droppedTurns = 200  // spikes for the reset map to settle
	keptTurns    = 200  // spikes in statistics of irregular firing
)

// FiringCurve finds how an integrate-and-fire model fires over the interval of free: first at evenly spaced values,
// then where firing may persist though it does not start there, then between neighbours until straight lines give the
// period to 1e-3. The other parameters are p, the input current is i. The list ascends; with an error it holds what was
// found before. each may distribute the values over workers.
func FiringCurve(ctx context.Context, m *model.Model, p []float64, i float64, free Free, each Each) (list []Firing,
	err error,
) {
	followed := map[float64]bool{} // values at which the firing of a neighbour has been tried
	for values := spread(free.Lo, free.Hi, firstFirings); len(values) > 0 && len(list) < mostFirings; {
		found := make([]*Firing, len(values)) // nil where the work ended before
		err := each.do(len(values), func(k int) error {
			f, err := FiringAt(ctx, m, p, i, free.Name, values[k], droppedTurns, keptTurns, neighbourResets(list,
				values[k])...)
			if err == nil {
				found[k] = &f
			}
			return err
		})
		for k, f := range found {
			if f != nil {
				followed[values[k]] = len(neighbourResets(list, values[k])) > 0
			}
		}
		for _, f := range found {
			if f != nil {
				list = slices.DeleteFunc(list, func(old Firing) bool { return old.Parameter == f.Parameter })
				list = append(list, *f)
			}
		}
		slices.SortFunc(list, func(a, b Firing) int { return cmp.Compare(a.Parameter, b.Parameter) })
		if err != nil {
			return list, err
		}
		values = values[:0]
		for _, f := range list {
			if f.Silent && !followed[f.Parameter] && len(neighbourResets(list, f.Parameter)) > 0 {
				values = append(values, f.Parameter)
			}
		}
		if len(values) == 0 {
			values = valuesBetween(list)
		}
	}
	return list, nil
}

// trainOfOneVariable is the train of a model of one variable: every interval is the first.
func (s *system) trainOfOneVariable() Attractor {
	reset := s.m.ResetTo(s.p)
	slope := make([]float64, 1)
	s.deriv([]float64{reset}, slope)
	held := slices.ContainsFunc(s.equilibria(), func(v float64) bool { return v >= reset })
	if held || slope[0] <= 0 {
		return Attractor{Silent: true}
	}
	run := newRunner(s.m, s.p, []float64{reset})
	run.i, run.most = s.i, 1
	if run.run(math.MaxFloat32) != nil || len(run.spikes) == 0 {
		return Attractor{Silent: true}
	}
	interval := run.spikes[0].Time + s.m.Hold(s.p)
	return Attractor{Period: 1, Intervals: []float64{interval}, Rate: 1000 / interval, Lyapunov: math.Inf(-1)}
}

// lowest is the least V on the trajectory from the reset with adaptation w. Trajectories do not cross, so of several
// resets the one with the largest w has the lowest V.
func (s *system) lowest(w, interval float64) (low float64, err error) {
	return s.lowestFrom([]float64{s.m.ResetTo(s.p), w}, interval)
}

// lowestFrom is the least V on the trajectory from y up to the spike after the interval.
func (s *system) lowestFrom(y []float64, interval float64) (low float64, err error) {
	const looks = 16 // no step is longer than this part of the way, lest V turns twice in one
	run := newRunner(s.m, s.p, y)
	run.i, run.most = s.i, 1
	low = run.y[0]
	t, last, slope, out := 0.0, slices.Clone(run.y), make([]float64, len(y)), make([]float64, len(y))
	falls := false
	run.check = func() error {
		s.deriv(run.y, slope)
		if now := slope[0]; falls && now >= 0 { // V has turned since the last step
			run.field(0, last, run.clock.slope)
			then := run.clock.slope[0]
			rootNear(func(h float64) float64 {
				run.clock.try(t, last, h, out)
				low = min(low, out[0])
				s.deriv(out, slope)
				return slope[0]
			}, 0, run.t-t, then, now, 1e-6*(run.t-t))
			falls = false
		} else {
			falls = now < 0
		}
		low = min(low, run.y[0])
		t = run.t
		copy(last, run.y)
		return nil
	}
	for k := 1.0; k <= looks && err == nil; k++ {
		err = run.run(interval * k / looks)
	}
	return low, err
}

// neighbourResets lists values of w after a reset from which to try firing at a value of the parameter whose neighbours
// in list, which ascends, fire: a neuron may persist in firing where it would not start. They are the w of the
// neighbours and, from two neighbours on one side, the linear extrapolation: near the end of firing few values of w
// lead to it.
func neighbourResets(list []Firing, value float64) (w []float64) {
	below, there := slices.BinarySearchFunc(list, value, func(f Firing,
		x float64,
	) int {
		return cmp.Compare(f.Parameter, x)
	})
	above := below
	if there {
		above++
	}
	fires := func(k int) bool { return k >= 0 && k < len(list) && len(list[k].Resets) > 0 }
	for _, side := range [][2]int{{below - 1, below - 2}, {above, above + 1}} {
		if !fires(side[0]) {
			continue
		}
		near := list[side[0]]
		w = append(w, near.Resets[0])
		if fires(side[1]) {
			far := list[side[1]]
			w = append(w, near.Resets[0]+(near.Resets[0]-far.Resets[0])*(value-near.Parameter)/(near.Parameter-far.Parameter))
		}
	}
	return w
}

// valuesBetween lists values of the parameter, between those of list, which ascends, at which firing has still to be
// found: where straight lines would not give the period to 1e-3, and where firing begins, ends, or changes its pattern.
// It is empty when list is fine enough.
func valuesBetween(list []Firing) (values []float64) {
	const (
		bend    = 2e-3 // half of four times the promise: the line is judged over two gaps, and used over one
		onset   = 1e-6 // of the whole: the narrowest gap between silence and firing
		border  = 1e-3 // the same between patterns
		closest = 1e-9 // the same between any
	)
	n := len(list)
	if n < 3 {
		return nil
	}
	whole := list[n-1].Parameter - list[0].Parameter
	mid := map[int]bool{}
	for k := 1; k < n; k++ {
		a, b := list[k-1], list[k]
		gap := (b.Parameter - a.Parameter) / whole
		switch {
		case a.Silent != b.Silent:
			mid[k] = mid[k] || gap > onset
		case a.Silent || a.Period == b.Period && a.Period == 0:
		case a.Period != b.Period:
			mid[k] = mid[k] || gap > border && a.Period > 0 && b.Period > 0
		case k+1 < n && !list[k+1].Silent && list[k+1].Period == a.Period && a.Period > 0:
			c := list[k+1]
			part := (b.Parameter - a.Parameter) / (c.Parameter - a.Parameter)
			line := a.Rate + part*(c.Rate-a.Rate)
			period := 1/a.Rate + part*(1/c.Rate-1/a.Rate)
			if math.Abs(period*b.Rate-1) > bend || math.Abs(line/b.Rate-1) > bend {
				mid[k], mid[k+1] = gap > closest, true
			}
		}
	}
	for k := 1; k < n; k++ {
		if mid[k] {
			values = append(values, (list[k-1].Parameter+list[k].Parameter)/2)
		}
	}
	return values
}
