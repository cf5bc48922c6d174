package dynamics

import (
	"math"
	"slices"
)

// foundCycle is a cycle found by integration: a state on it, its period (ms), the direction of time in which it
// attracts, the extremes of V (mV).
type foundCycle struct {
	y          []float64
	period     float64
	backwards  bool
	vMin, vMax float64
}

// No cycle has a V (mV) below lowestV, or more than aboveTop above the top of its section.
const lowestV, aboveTop = -1000.0, 100.0

// longestWait is the longest time (ms) of a return to a section.
const longestWait = 300.0

// section is the half-line to the right of an equilibrium of a planar model: the second variable at its value there, V
// larger. Since the nullcline of the second variable is a function of V, every trajectory crosses the half-line in the
// same direction, and every cycle around the equilibrium crosses it.
type section struct {
	*system
	at     []float64 // the equilibrium
	top    float64   // the largest V of the scan
	lo, hi float64   // what the second variable may be on a cycle
	sign   float64   // of the crossing in forward time
	clock  *stepper  // of cycles
	rough  *stepper  // of gains, of which the sign is wanted
	back   bool      // in time
}

func newSection(s *system, at []float64, top float64) *section {
	c := &section{system: s, at: at, top: top, lo: math.Inf(1), hi: math.Inf(-1)}
	field := func(_ float64, y, dy []float64) {
		s.deriv(y, dy)
		if c.back {
			dy[0], dy[1] = -dy[0], -dy[1]
		}
	}
	c.clock, c.rough = newStepper(2, coarse, field), newStepper(2, rough, field)
	d := make([]float64, 2)
	// On a cycle the second variable has its extremes on its nullcline. Beyond all values there trajectories come only
	// from further out, and backwards in time the second variable grows, and the membrane becomes faster with it, without
	// end.
	for _, v := range []float64{lowestV, min(top+aboveTop, s.ceiling())} {
		s.m.Steady(s.p, v, d)
		c.lo, c.hi = min(c.lo, d[1]), max(c.hi, d[1])
	}
	s.deriv([]float64{top, at[1]}, d)
	c.sign = math.Copysign(1, d[1])
	return c
}

// next returns where the trajectory from v on the section returns to it, in the chosen direction of time, and the time
// this takes. escaped is whether it left the range in which cycles can be, lost whether it did not return within
// longestWait.
func (c *section) next(clock *stepper, v float64) (back, period float64, escaped, lost bool) {
	y, out := []float64{v, c.at[1]}, make([]float64, 2)
	d := make([]float64, 2)
	sign := c.sign
	if c.back {
		sign = -sign
	}
	steps := 0
	for t, h := 0.0, 0.05; t < longestWait; {
		if steps++; c.stepsSpent(steps) {
			return 0, 0, false, true
		}
		made, next, err := clock.advance(t, y, longestWait, h, out)
		if err != nil {
			return 0, 0, true, false
		}
		h = next
		// The second variable moves away from the equilibrium until the crossing on the other side, then it returns.
		if t > 0 && (out[1]-c.at[1])*sign >= 0 && (y[1]-c.at[1])*sign < 0 && out[0]+y[0] > 2*c.at[0] {
			part := clock.crossing(t, y, made, 1, c.at[1], out)
			if out[0] > c.at[0] {
				return out[0], t + part, false, false
			}
		}
		t += made
		copy(y, out)
		c.deriv(y, d)
		if y[0] > c.top+aboveTop || y[0] < lowestV || y[1] < c.lo || y[1] > c.hi || y[0] > c.ceiling() {
			return 0, 0, true, false
		}
		if math.Abs(d[0]) < 1e-6 && math.Abs(d[1]) < 1e-8 {
			return 0, 0, false, true
		}
	}
	return 0, 0, false, true
}

// gain is the distance by which the return lies further out than v; large if it escapes, NaN if it is lost.
func (c *section) gain(v float64) float64 {
	w, _, escaped, lost := c.next(c.rough, v)
	switch {
	case escaped:
		return 1e3
	case lost:
		return math.NaN()
	}
	return w - v
}

// planarCycles finds the cycles of a planar model at its current parameters by the return maps on the sections of all
// equilibria. Between two adjacent values of the scan it finds one cycle or none, and the stable one of two if returns
// from the outer value lead to it; others so close together are found by continuation from parameters where they are
// further apart.
func (s *system) planarCycles() []foundCycle {
	var cycles []foundCycle
	equilibria := s.equilibria()
	top := s.ceiling() - 1e-9
	if math.IsInf(top, 1) {
		_, top = s.reversals()
		top += 10
	}
	for _, v0 := range equilibria {
		at := make([]float64, 2)
		s.m.Steady(s.p, v0, at)
		if top <= v0 {
			continue
		}
		c := newSection(s, at, top)
		var last, lastGain float64
		for k := range 29 {
			v := v0 + 0.01*math.Pow((top-v0)/0.01, float64(k)/28)
			g := c.gain(v)
			if s.tooFast {
				return cycles
			}
			lo, hi, glo, ghi := last, v, lastGain, g
			switch { // where returns end, a cycle may hide just before
			case k > 0 && math.IsNaN(g) && !math.IsNaN(lastGain):
				hi, ghi = c.edge(last, v)
			case k > 0 && math.IsNaN(lastGain) && !math.IsNaN(g):
				lo, glo = c.edge(v, last)
			}
			if k > 0 && (ghi < 0) != (glo < 0) && !math.IsNaN(ghi) && !math.IsNaN(glo) {
				if f, ok := c.locate(lo, hi, glo); ok && !slices.ContainsFunc(cycles, f.like) {
					cycles = append(cycles, f)
				}
			} else if k > 0 && g < 0 && v+g > lo {
				if f, ok := c.contracted(v, lo); ok && !slices.ContainsFunc(cycles, f.like) {
					cycles = append(cycles, f)
				}
			}
			last, lastGain = v, g
		}
	}
	return cycles
}

// edge bisects between returns, from where the trajectory comes back to the section, and lost, from where it does not.
// It returns the last V from where it does, with its gain.
func (c *section) edge(returns, lost float64) (v, gain float64) {
	gain = math.NaN()
	for range 16 {
		mid := returns + (lost-returns)/2
		if g := c.gain(mid); math.IsNaN(g) {
			lost = mid
		} else {
			returns, gain = mid, g
		}
	}
	return returns, gain
}

// locate solves for the cycle between two points of the section with different signs of the gain. Where the gain
// changes from negative to positive the cycle repels; it is found backwards in time, from its inner side: from the
// outer one V may diverge. Most cycles attract so strongly, in one direction of time or the other, that two or three
// turns are enough from anywhere; for the others the section is halved first.
func (c *section) locate(lo, hi, glo float64) (foundCycle, bool) {
	f := foundCycle{backwards: glo < 0}
	ok := c.turnUntilSettled(&f, lo, lo, hi)
	if !ok {
		for range 24 {
			mid := lo + (hi-lo)/2
			switch g := c.gain(mid); {
			case math.IsNaN(g):
				return f, false
			case (g < 0) == (glo < 0):
				lo = mid
			default:
				hi = mid
			}
		}
		const near = 0.05 // mV; a cycle is left as slowly as it attracts
		ok = c.turnUntilSettled(&f, lo, math.Inf(-1), math.Inf(1)) || f.y != nil && math.Abs(f.y[0]-lo) < near
	}
	if ok {
		f.trace(c.system)
	}
	return f, ok
}

// contracted finds the stable cycle to which returns from v lead without passing lo, though the gain is negative at
// both: where the return map is constant to many digits, down to a threshold, an unstable cycle lies close below the
// stable one.
func (c *section) contracted(v, lo float64) (foundCycle, bool) {
	var f foundCycle
	ok := c.turnUntilSettled(&f, v, lo, v)
	if ok {
		f.trace(c.system)
	}
	return f, ok
}

// turnUntilSettled iterates the return map from v, in the direction of time in which the cycle attracts, until a return
// equals its start. It fails if a return lies outside lo to hi.
func (c *section) turnUntilSettled(f *foundCycle, v, lo, hi float64) bool {
	c.back = f.backwards
	defer func() { c.back = false }()
	for range 4 {
		w, period, escaped, lost := c.next(c.clock, v)
		if escaped || lost || w < lo || w > hi {
			f.y = nil
			return false
		}
		f.y, f.period = []float64{w, c.at[1]}, period
		if math.Abs(w-v) < 1e-8 {
			return true
		}
		v = w
	}
	return false
}

// like reports whether two cycles are the same within a coarse tolerance.
func (f foundCycle) like(g foundCycle) bool {
	return math.Abs(f.vMin-g.vMin) < 1e-4 && math.Abs(f.vMax-g.vMax) < 1e-4 &&
		math.Abs(f.period-g.period) < 1e-4*f.period
}

// trace integrates once around the cycle, in the direction of time in which it attracts, and returns the states and
// their times, from 0 to 1, in forward time; it sets the extremes of V.
func (f *foundCycle) trace(s *system) (times []float64, states [][]float64) {
	const samples = 400
	d := s.dim()
	sign := 1.0
	if f.backwards {
		sign = -1
	}
	st := newStepper(d, coarse, func(_ float64, y, dy []float64) {
		s.deriv(y, dy)
		for c := range dy {
			dy[c] *= sign
		}
	})
	y, out := slices.Clone(f.y), make([]float64, d)
	f.vMin, f.vMax = y[0], y[0]
	times, states = append(times, 0), append(states, slices.Clone(y))
	for t, h := 0.0, f.period/samples; t < f.period; {
		made, next, err := st.advance(t, y, f.period, min(h, f.period/samples), out)
		if err != nil {
			break
		}
		t, h = t+made, next
		copy(y, out)
		f.vMin, f.vMax = min(f.vMin, y[0]), max(f.vMax, y[0])
		times, states = append(times, t/f.period), append(states, slices.Clone(y))
		if len(times) > 20*samples {
			break
		}
	}
	if f.backwards {
		slices.Reverse(times)
		slices.Reverse(states)
		for k := range times {
			times[k] = 1 - times[k]
		}
	}
	times[0], times[len(times)-1] = 0, 1
	return times, states
}

// guess turns a cycle found by integration into an orbit on a mesh.
func (c *collocator) guess(f foundCycle, mu float64, n int) orbit {
	c.system.at(mu)
	times, states := f.trace(c.system)
	length := make([]float64, len(times))
	for k := 1; k < len(times); k++ {
		sum := 0.0
		for x := range c.dim {
			d := (states[k][x] - states[k-1][x]) / c.unit[x]
			sum += d * d
		}
		length[k] = length[k-1] + math.Sqrt(sum) + 0.2*(times[k]-times[k-1])
	}
	mesh := make([]float64, n+1)
	mesh[n] = 1
	for j, k := 1, 1; j < n; j++ {
		want := length[len(length)-1] * float64(j) / float64(n)
		for length[k] < want {
			k++
		}
		mesh[j] = times[k-1] + (times[k]-times[k-1])*(want-length[k-1])/(length[k]-length[k-1])
	}
	o := newOrbit(mesh, c.dim)
	o.period, o.mu = f.period, mu
	k := 1
	for j := range n {
		for i := range deg {
			s := mesh[j] + (mesh[j+1]-mesh[j])*float64(i)/deg
			for k < len(times)-1 && times[k] < s {
				k++
			}
			w := (s - times[k-1]) / (times[k] - times[k-1])
			for x := range c.dim {
				o.u[(j*deg+i)*c.dim+x] = states[k-1][x] + w*(states[k][x]-states[k-1][x])
			}
		}
	}
	copy(o.u[len(o.u)-c.dim:], o.u[:c.dim])
	return o
}

// simulatedCycles finds stable cycles of a model of any dimension by simulation from a few states: the steady state at
// -65 mV, as after a step of current, and the given states, as after a slow change.
func (s *system) simulatedCycles(starts [][]float64) []foundCycle {
	var cycles []foundCycle
	begin := make([]float64, s.dim())
	if s.m.Outside() {
		s.m.Initial(s.p, begin)
	} else {
		s.m.Steady(s.p, -65, begin)
	}
	for _, start := range append([][]float64{begin}, starts...) {
		for _, v := range s.equilibria() {
			if s.tooFast {
				return cycles
			}
			f, ok, settled := s.settleOn(start, v)
			if ok && !slices.ContainsFunc(cycles, f.like) {
				cycles = append(cycles, f)
			}
			if ok || settled { // at any level
				break
			}
		}
	}
	return cycles
}

// settleOn integrates from start until the states at upward crossings of the level of V repeat themselves. It fails
// where V is far outside the reversal potentials: there the gates are constant and V goes to an equilibrium, but the
// rates of the gates grow without bound. settled is whether the trajectory has come to a stable equilibrium.
func (s *system) settleOn(start []float64, level float64) (f foundCycle, ok, settled bool) {
	const same, most, far, look = 1e-4, 4, 100.0, 64
	const someTime = 300.0       // ms; a flow that mostSteps follow for longer is not too fast
	timeout, least := 300.0, 0.5 // ms; the least extent of V
	if s.m.Outside() {           // whose states may be slow
		timeout, least = 3000, 0.01*s.vUnit
	}
	lo, hi := s.reversals()
	st := newStepper(s.dim(), coarse, func(_ float64, y, dy []float64) { s.deriv(y, dy) })
	y, out := slices.Clone(start), make([]float64, s.dim())
	var times []float64
	var crossings [][]float64
	lowest, highest := y[0], y[0]
	steps := 0
	for t, h := 0.0, 0.05; t < timeout; {
		if steps++; steps > mostSteps && t > someTime || s.stepsSpent(steps) {
			return f, false, false
		}
		if steps%look == 0 && s.staysNear(y) {
			return f, false, true
		}
		made, next, err := st.advance(t, y, timeout, h, out)
		if err != nil {
			return f, false, false
		}
		h = next
		if y[0] < level && out[0] >= level {
			state := slices.Clone(out)
			part := st.crossing(t, y, made, 0, level, state)
			for k := 1; k <= min(most, len(times)); k++ {
				distance := 0.0
				for c, x := range crossings[len(times)-k][1:] {
					distance = max(distance, math.Abs(x-state[c+1]))
				}
				if distance < same && highest-lowest > least {
					f = foundCycle{y: state, period: t + part - times[len(times)-k]}
					f.trace(s)
					return f, true, false
				}
			}
			times, crossings = append(times, t+part), append(crossings, state)
			lowest, highest = out[0], out[0]
		}
		t += made
		copy(y, out)
		if y[0] < lo-far || y[0] > hi+far {
			return f, false, false
		}
		lowest, highest = min(lowest, y[0]), max(highest, y[0])
	}
	return f, false, false
}

// staysNear reports whether a stable equilibrium is so near y that a trajectory through y stays there.
func (s *system) staysNear(y []float64) bool {
	const (
		close = 1e-6 // of a state and one unit
		slow  = 1e-3 // of them per ms, below which an equilibrium is looked for
	)
	slope, unit := make([]float64, len(y)), make([]float64, len(y))
	s.deriv(y, slope)
	for k, x := range y {
		if unit[k] = 1 + math.Abs(x); !(math.Abs(slope[k]) < slow*unit[k]) {
			return false
		}
	}
	x := slices.Clone(y)
	return s.settleAt(x) && near(x, y, unit, close) && real(s.eigenvalues(x)[0]) < 0
}
