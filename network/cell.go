package network

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/kernels"
	"popsim/kernels/asm"
	"popsim/model"
)

// cell is the model of a coupledSegment: its constants, by lane, and its step. All models have the form
//
//	dV/dt = drive + per (J + I) - (rate + per G) V - per w + what is particular to the model
//
// with the conductance G, the current J that includes conductances times reversal potentials, and per = R/tau or 1/C.
type cell struct {
	states      int
	resets      bool                  // Reset models; the others cross
	exponential bool                  // eif, adex: with an exponential current and w
	squid       bool                  // gates with the rates of hh, else those of hhtm
	kernel      kernels.CoupledKernel // NoCoupled: every lane is solved event by event
	mg          float64               // NMDA: mM, where there is a kernel
	coefs       []asm.CoupledCoefs    // of kernel, by chunk
	split       bool                  // hh, hhtm by strang-cn; the gates in the columns are half a step behind V
	timed       bool                  // models that cross: the next spike may come after t_ref
	noM         bool                  // rhh: m follows V, and n = shift - h
	dt          float64

	per, rate, drive []float64
	vTh              []float64
	hold             []float64 // t_ref in steps, of models that cross where there is one
	near             []float64 // models that reset: V that stays below it cannot reach V_th in the step

	vReset []float64 // mV

	// eif, adex; a, b and wKept are 0, 0 and 1 for eif
	vT, deltaT   []float64
	a, b, vRest  []float64
	wKept, wRate []float64 // exp(-dt/tau_w), 1/tau_w

	// hh, hhtm, rhh: conductances over C
	na, k, eNa, eK, shift []float64
}

// upstroke is the largest (dt/tau) exp((V-V_T)/delta_T), the fraction of V's way to infinity made in a step, at which a
// lane takes the step as a whole; a lane above it is solved event by event.
const upstroke = 0.1

// coupledMethods lists the methods of each model that take conductances, the default first. For lif that is the exact
// solution with the step's mean inputs, for the others a Runge-Kutta method, with substeps where it would be unstable.
var coupledMethods = map[string][]string{
	"lif": {"exact"}, "eif": {"flow", "rk4"}, "adex": {"flow", "rk4"}, "hh": {"rk4", "strang-cn"},
	"hhtm": {"rk4", "strang-cn"}, "rhh": {"cut-rk4", "rk4"},
}

// coupledMethod returns an error if the model or method of a population takes no conductances.
func (p *Population) coupledMethod() error {
	names, ok := coupledMethods[p.Model.Name]
	switch {
	case !ok:
		return fmt.Errorf("%s takes no conductances", p.Model.Name)
	case p.Method.Name != "" && !slices.Contains(names, p.Method.Name):
		return fmt.Errorf("method %s takes no conductances, jumps of V or t_ref; use %s",
			p.Method.Name, strings.Join(names, " or "))
	}
	return nil
}

func (o *coupledSegment) newCell(dt float64) error {
	if err := o.p.coupledMethod(); err != nil {
		return fmt.Errorf("population %s: %w", o.p.Name, err)
	}
	m := o.p.Model
	c := &cell{states: len(m.States), resets: m.Fires == model.Reset, dt: dt}
	o.cell = c
	column := func() []float64 { return make([]float64, o.n) }
	c.per, c.rate, c.drive, c.vTh = column(), column(), column(), column()
	value := func(name string, i int) float64 { return o.p.P[m.Index(name)].At(o.offset + i) }
	for i := range o.n {
		c.vTh[i] = value("V_th", i)
	}
	if !c.resets {
		c.squid, c.noM, c.split = m.Name != "hhtm", m.Name == "rhh", o.p.Method.Name == "strang-cn"
		c.na, c.k, c.eNa, c.eK, c.shift = column(), column(), column(), column(), column()
		if c.timed = o.p.TRef != nil; c.timed {
			c.hold = column()
		}
		for i := range o.n {
			capacity := value("C", i)
			if c.timed {
				c.hold[i] = o.p.TRef.At(o.offset+i) / dt
			}
			c.per[i], c.rate[i] = 1/capacity, value("g_L", i)/capacity
			c.drive[i] = math.FMA(value("g_L", i), value("E_L", i), o.currentOf(i)) / capacity
			c.na[i], c.k[i] = value("g_Na", i)/capacity, value("g_K", i)/capacity
			c.eNa[i], c.eK[i] = value("E_Na", i), value("E_K", i)
			switch m.Name {
			case "hhtm":
				c.shift[i] = value("V_T", i)
			case "rhh":
				c.shift[i] = value("n_plus_h", i)
			}
		}
		c.useKernel(o)
		return nil
	}
	c.near, c.vReset, c.hold = column(), column(), column()
	for i := range o.n {
		tau := value("tau", i)
		c.per[i], c.rate[i] = value("R", i)/tau, 1/tau
		c.drive[i] = math.FMA(value("R", i), o.currentOf(i), value("V_rest", i)) / tau
		c.near[i], c.vReset[i], c.hold[i] = c.vTh[i], value("V_reset", i), value("t_ref", i)/dt
	}
	if c.exponential = m.Name != "lif"; !c.exponential {
		c.useKernel(o)
		return nil
	}
	c.vT, c.deltaT = column(), column()
	c.a, c.b, c.vRest, c.wKept, c.wRate = column(), column(), column(), column(), column()
	o.y[1] = column() // of eif: stays 0
	for i := range o.n {
		c.vT[i], c.deltaT[i], c.vRest[i] = value("V_T", i), value("delta_T", i), value("V_rest", i)
		level := math.FMA(c.deltaT[i], kernels.Log1p(upstroke/(dt*c.rate[i])-1), c.vT[i])
		// Below upstroke the exponential raises V by less than 0.12 delta_T.
		c.near[i] = min(level, c.vTh[i]-float64(0.12*c.deltaT[i]))
		c.wKept[i] = 1
		if m.Name == "adex" {
			c.a[i], c.b[i] = value("a", i), value("b", i)
			c.wRate[i] = 1 / value("tau_w", i)
			c.wKept[i] = kernels.Exp(-dt / value("tau_w", i))
		}
	}
	c.useKernel(o)
	return nil
}

// coupledKernel is a kernel without channels of NMDA and the one with them; lif has an exact one without.
type coupledKernel struct{ plain, nmda kernels.CoupledKernel }

// coupledKernels are the kernels by model, of strang-cn by model and method.
var coupledKernels = map[string]coupledKernel{
	"lif":            {kernels.LIFCoupled, kernels.LIFCoupledRK4NMDA},
	"eif":            {kernels.AdExCoupledRK4, kernels.AdExCoupledRK4NMDA},
	"adex":           {kernels.AdExCoupledRK4, kernels.AdExCoupledRK4NMDA},
	"hh":             {kernels.HHCoupledRK4, kernels.HHCoupledRK4NMDA},
	"hhtm":           {kernels.HHTMCoupledRK4, kernels.HHTMCoupledRK4NMDA},
	"rhh":            {kernels.RHHCoupledRK4, kernels.RHHCoupledRK4NMDA},
	"hh strang-cn":   {kernels.HHCoupledStrang, kernels.HHCoupledStrangNMDA},
	"hhtm strang-cn": {kernels.HHTMCoupledStrang, kernels.HHTMCoupledStrangNMDA},
}

// useKernel chooses the kernel of the steps and fills in its constants. Where channels of NMDA see different
// concentrations of magnesium there is none: every lane is solved event by event.
func (c *cell) useKernel(o *coupledSegment) {
	name := o.p.Model.Name
	if c.split {
		name += " strang-cn"
	}
	kernel := coupledKernels[name]
	c.kernel = kernel.plain
	if len(o.gated) > 0 {
		c.kernel, c.mg = kernel.nmda, o.receptors[o.gated[0]].mg
		for _, j := range o.gated {
			if o.receptors[j].mg != c.mg {
				c.kernel = kernels.NoCoupled
				return
			}
		}
	}
	c.coefs = make([]asm.CoupledCoefs, (o.n+chunk-1)/chunk)
	for i := range chunk * len(c.coefs) {
		q, l, at := &c.coefs[i/chunk], i%chunk, min(i, o.n-1)
		q.Per[l], q.Rate[l], q.Drive[l], q.VTh[l] = c.per[at], c.rate[at], c.drive[at], c.vTh[at]
		switch {
		case c.exponential:
			q.Near[l], q.VT[l], q.PerDelta[l] = c.near[at], c.vT[at], 1/c.deltaT[at]
			q.Sharp[l] = float64(c.deltaT[at] * c.rate[at])
			q.A[l], q.VRest[l], q.WRate[l] = c.a[at], c.vRest[at], c.wRate[at]
		case c.resets:
			q.Near[l] = c.near[at]
		default:
			q.Na[l], q.K[l], q.ENa[l], q.EK[l] = c.na[at], c.k[at], c.eNa[at], c.eK[at]
			q.Shift[l], q.Sum[l] = (c.shift[at]+15)/720, c.shift[at] // of hhtm, of rhh
		}
	}
}

// currentOf is the constant current of lane i.
func (o *coupledSegment) currentOf(i int) float64 {
	if o.p.I == nil {
		return 0
	}
	return o.p.I.At(o.offset + i)
}

// enter sets the state of lane i to y.
func (c *cell) enter(o *coupledSegment, i int, y *[4]float64, dt float64) {
	for j := range c.states {
		o.y[j][i] = y[j]
	}
	if c.split {
		x := *y
		c.moveGates(i, -0.5*dt, &x)
		for j := 1; j < 4; j++ {
			o.y[j][i] = x[j]
		}
	}
}

// state returns the state of lane i.
func (c *cell) state(o *coupledSegment, i int) (y [4]float64) {
	for j := range c.states {
		y[j] = o.y[j][i]
	}
	if c.split {
		c.moveGates(i, 0.5*c.dt, &y)
	}
	return y
}

// heldW is w of lane i at the end of a step in which V is held.
func (c *cell) heldW(o *coupledSegment, i int) float64 {
	goal := float64(c.a[i] * (o.y[0][i] - c.vRest[i]))
	return math.FMA(c.wKept[i], o.y[1][i]-goal, goal)
}

// advance sets in.Next to the states of n lanes, from lane lo on, after step k with the mean inputs in and without
// events. Bit l of busy is set if lane lo+l needs more than that: it may fire, is held, or its V relaxes too fast for
// the step.
func (c *cell) advance(r *shard, o *coupledSegment, k int64, lo, n int, in *means) (busy uint64) {
	if !c.resets {
		copy(in.Level[:n], o.level[lo:])
	}
	if c.kernel == kernels.NoCoupled {
		return ^uint64(0)
	}
	if c.resets {
		copy(in.Free[:n], o.free[lo:])
	}
	in.Coef, in.Now = &c.coefs[lo/chunk], float64(k)
	in.Dt, in.Half, in.Sixth, in.Tilt = c.dt, 0.5*c.dt, c.dt/6, c.dt*c.dt/12
	in.Mg, in.Cut, in.Stiff = c.mg/3.57, rhhCut, stiff
	kernels.Coupled(r.net.isa, c.kernel, &in.CoupledBlock)
	return ^binary.LittleEndian.Uint64(in.Done[:])
}

// rhhCut is the change of V (mV) in a step from which on a lane of rhh, whose m is in equilibrium with V, is solved
// event by event.
const rhhCut = 1.0

// done reports whether the step of a lane is complete as advance has computed it, or after follow has replaced it.
func (c *cell) done(o *coupledSegment, l, i int, k int64, in *means, y [4]*asm.Column) bool {
	if !c.split && c.tooFastAt(o, l, i, in, y) && !c.follow(o, l, i, in, y) {
		return false
	}
	v, next := y[0][i], in.NextV[i]
	if !c.resets {
		if c.timed && o.wake[l] == float64(k) { // below V_th at both ends: it makes no difference when the next may come
			return max(v, next) < c.vTh[l]
		}
		if c.timed {
			return next < o.level[l]
		}
		if next < c.vTh[l]-model.Rearm {
			o.level[l] = c.vTh[l]
		}
		return next < o.level[l]
	}
	slope := math.FMA(-c.rate[l], v, math.FMA(c.per[l], in.Up[i], c.drive[l]))
	if c.exponential {
		slope = math.FMA(-c.per[l], min(y[1][i], in.NextM[i]), slope)
	}
	top := math.FMA(c.dt, max(0, slope), v)
	waking := o.wake[l] == float64(k) && o.wakeTheta[l] > 0
	return max(top, next) < c.near[l] && !waking
}

// stiff is the longest step of rk4, in time constants of V.
const stiff = 1.0

// pinned is the length of a step, in time constants of V, from which on V is taken to follow its inputs without delay.
const pinned = 50.0

// follow sets lane i of Next to the state of lane l after a step in which the conductances are so large (see pinned)
// that V ends at its equilibrium. It returns false, and changes nothing, if they are smaller.
func (c *cell) follow(o *coupledSegment, l, i int, in *means, old [4]*asm.Column) bool {
	_, next := in.columns()
	g, current := math.FMA(0.5, in.GTilt[i], in.G[i]), math.FMA(0.5, in.JTilt[i], in.J[i])
	for _, b := range o.blocked(l, 0.5) {
		open, _ := magnesium(old[0][i], b.mg)
		g, current = math.FMA(b.g, open, g), math.FMA(float64(b.g*open), b.e, current)
	}
	a := math.FMA(c.per[l], g, c.rate[l])
	if !(float64(a*c.dt) > pinned) {
		return false
	}
	d := math.FMA(c.per[l], current, c.drive[l])
	var y [4]float64
	for j := 1; j < c.states; j++ {
		y[j] = old[j][i]
	}
	switch {
	case c.exponential:
		d = math.FMA(-c.per[l], y[1], d)
	case c.states == 4:
		na, k := c.open(l, &y)
		a += na + k
		d = math.FMA(na, c.eNa[l], math.FMA(k, c.eK[l], d))
	}
	y[0] = d / a
	next[0][i] = y[0]
	switch {
	case c.noM:
		alpha, beta := c.rates(l, y[0])
		sum := alpha[1] + beta[1]
		goal := alpha[1] / sum
		next[1][i] = math.FMA(kernels.Exp(-sum*c.dt), y[1]-goal, goal)
	case c.exponential:
		goal := float64(c.a[l] * (y[0] - c.vRest[l]))
		next[1][i] = math.FMA(c.wKept[l], y[1]-goal, goal)
	case c.states == 4:
		c.moveGates(l, c.dt, &y)
		next[1][i], next[2][i], next[3][i] = y[1], y[2], y[3]
	}
	return true
}

// open is the sodium and potassium conductance of lane l at y, over C.
func (c *cell) open(l int, y *[4]float64) (na, k float64) {
	n := float64(y[3] * y[3])
	return float64(float64(y[1]*y[1]) * float64(float64(y[1]*y[2])*c.na[l])), float64(float64(n*n) * c.k[l])
}

// moveGates advances the gates of lane l by d ms at the potential y[0], by the Crank-Nicolson rule.
func (c *cell) moveGates(l int, d float64, y *[4]float64) {
	alpha, beta := c.rates(l, y[0])
	for j := range alpha {
		sum := alpha[j] + beta[j]
		y[j+1] = math.FMA(math.FMA(-sum, y[j+1], alpha[j])/math.FMA(sum, 0.5*d, 1), d, y[j+1])
	}
}

// rates are the opening and closing rates of m, h and n at v, 1/ms: model.GatesAt and model.TraubMilesAt by the
// functions of kernels, which have the same bits everywhere. v is bounded so that they do not overflow.
func (c *cell) rates(l int, v float64) (alpha, beta [3]float64) {
	v = min(max(v, -300), 300)
	if c.squid {
		alpha = [3]float64{exprel((v + 40) / 10), 0.07 * kernels.Exp(-(v+65)/20), 0.1 * exprel((v+55)/10)}
		beta = [3]float64{4 * kernels.Exp(-(v+65)/18), 1 / (1 + kernels.Exp(-(v+35)/10)), 0.125 * kernels.Exp(-(v+65)/80)}
		return alpha, beta
	}
	s := v - c.shift[l]
	alpha = [3]float64{1.28 * exprel((s-13)/4), 0.128 * kernels.Exp((17-s)/18), 0.16 * exprel((s-15)/5)}
	beta = [3]float64{1.4 * exprel((40-s)/5), 4 / (1 + kernels.Exp((40-s)/5)), 0.5 * kernels.Exp((10-s)/40)}
	return alpha, beta
}

// exprel is x/(1-exp(-x)).
func exprel(x float64) float64 {
	if math.Abs(x) < 1e-9 {
		return math.FMA(0.5, x, 1)
	}
	return x / -kernels.Expm1(-x)
}

// slope is dy/dt of lane l at y with the conductance g, the current j, and conductances of NMDA.
func (c *cell) slope(l int, g, j float64, gated []blocked, y *[4]float64) (d [4]float64) {
	v := y[0]
	for _, b := range gated {
		open, _ := magnesium(v, b.mg)
		j = math.FMA(float64(b.g*open), b.e-v, j)
	}
	a := math.FMA(c.per[l], g, c.rate[l])
	d[0] = math.FMA(-a, v, math.FMA(c.per[l], j, c.drive[l]))
	if c.resets {
		if c.exponential {
			d[0] = math.FMA(float64(c.deltaT[l]*c.rate[l]), kernels.Exp((v-c.vT[l])/c.deltaT[l]),
				math.FMA(-c.per[l], y[1], d[0]))
			if c.states == 2 {
				d[1] = float64(c.wRate[l] * math.FMA(c.a[l], v-c.vRest[l], -y[1]))
			}
		}
		return d
	}
	alpha, beta := c.rates(l, v)
	m, h, n := y[1], y[2], y[3]
	if c.noM {
		m, h = alpha[0]/(alpha[0]+beta[0]), y[1]
		n = c.shift[l] - h
		d[1] = math.FMA(-(alpha[1] + beta[1]), h, alpha[1])
	} else {
		for i := range alpha {
			d[i+1] = math.FMA(-(alpha[i] + beta[i]), y[i+1], alpha[i])
		}
	}
	na, k := c.open(l, &[4]float64{v, m, h, n})
	d[0] = math.FMA(na, c.eNa[l]-v, math.FMA(k, c.eK[l]-v, d[0]))
	return d
}

// tooFast reports whether V of lane l relaxes too fast for a step; tooFastAt takes the state before it from y.
func (c *cell) tooFast(o *coupledSegment, l, i int, in *means) bool {
	var y [4]float64
	for j := range c.states {
		y[j] = o.y[j][l]
	}
	return !(float64(c.fastest(l, in.G[i], o.blocked(l, 0), &y)*c.dt) < stiff)
}

func (c *cell) tooFastAt(o *coupledSegment, l, i int, in *means, y [4]*asm.Column) bool {
	z := [4]float64{y[0][i], y[1][i], y[2][i], y[3][i]}
	return !(float64(c.fastest(l, in.G[i], o.blocked(l, 0), &z)*c.dt) < stiff)
}

// blocked lists the conductances of NMDA of lane l, as parts of a step from its middle on.
func (o *coupledSegment) blocked(l int, from float64) []blocked {
	if len(o.gated) == 0 {
		return nil
	}
	o.scratch = o.scratch[:0]
	for _, j := range o.gated {
		q := &o.receptors[j]
		o.scratch = append(o.scratch, blocked{math.FMA(from, q.tilt[l], q.mean[l]), q.e, q.mg})
	}
	return o.scratch
}

// fastest is the rate at which V relaxes in state y, 1/ms.
func (c *cell) fastest(l int, g float64, gated []blocked, y *[4]float64) float64 {
	for _, b := range gated {
		open, _ := magnesium(y[0], b.mg)
		g = math.FMA(b.g, open, g)
	}
	a := math.FMA(c.per[l], g, c.rate[l])
	switch {
	case c.noM || c.kernel == kernels.NoCoupled:
		return math.Inf(1) // m moves with V: there is no bound
	case c.resets:
		return a
	}
	na, k := c.open(l, y)
	return na + k + a
}
