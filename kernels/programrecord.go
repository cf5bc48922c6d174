package kernels

import (
	"math"
	"slices"

	vector "popsim/kernels/vec"
	"popsim/model"
)

// recorder records the programs of a kernel. Coefficient j is column place[j] of those that differ from lane to lane
// or, if place[j] is -1, one of those that all lanes share.
type recorder struct {
	*Kernel
	place []int
	n     int // states
	// conductances is whether the input has a column of them.
	conductances bool
}

func (r recorder) surroundings(b *vector.Block) Surroundings {
	x := Surroundings{
		I: b.Load(vector.Input.Column(inputI)),
		Coef: func(j int) vector.Vec {
			if c := r.place[j]; c >= 0 {
				return b.Load(vector.Lane.Column(c))
			}
			return b.Broadcast(vector.SharedValue(j))
		},
	}
	if r.conductances {
		g := b.Load(vector.Input.Column(inputG))
		x.G = &g
	}
	return x
}

func (r recorder) state(b *vector.Block, from func(j int) vector.Mem) []vector.Vec {
	y := make([]vector.Vec, r.n)
	for j := range y {
		y[j] = b.Load(from(j))
	}
	return y
}

func store(b *vector.Block, y []vector.Vec) {
	for j, v := range y {
		b.Store(vector.After.Column(j), v)
	}
}

// step records a whole step: the state at its end, the hidden column, the extrema if requested, and the mask of the
// lanes with an event. The extrema of those lanes are left to the event step.
func (r recorder) step(extrema bool) func(b *vector.Block) {
	return func(b *vector.Block) {
		p, x := r.program, r.surroundings(b)
		y := r.state(b, vector.Before.Column)
		var held, wakes vector.Mask
		var wait vector.Vec
		zero, one := b.Const(0), b.Const(1)
		if p.Hold != nil {
			wait = b.Load(vector.Before.Column(r.n))
			held = b.Cmp(wait, vector.GE, one)
			wakes = b.MaskAndNot(b.Cmp(wait, vector.GT, zero), held)
			x.Held = &held
		}
		next := p.Step(b, y, x)
		if p.Hold != nil {
			next[0] = b.Select(held, y[0], next[0])
		}
		excess := p.Excess(b, next, x)
		var fired vector.Mask
		store(b, next)
		switch {
		case r.Model.Fires == model.Crossing:
			level := b.Select(b.Cmp(excess, vector.LT, p.Rearm(b, x)), zero, b.Load(vector.Before.Column(r.n)))
			fired = b.Cmp(excess, vector.GE, level)
			level = b.Select(fired, b.Const(math.Inf(1)), level) // until it is below the threshold again
			if r.grid {                                          // what locateCrossings does elsewhere
				fired = b.MaskAnd(fired, b.Cmp(p.Excess(b, y, x), vector.NGE, zero))
			}
			b.Store(vector.After.Column(r.n), level)
		case p.Hold != nil:
			fired = b.MaskOr(b.MaskAndNot(b.Cmp(excess, vector.GE, zero), held), wakes)
			b.Store(vector.After.Column(r.n), b.Max(b.Sub(wait, one), zero))
		default:
			fired = b.Cmp(excess, vector.GE, zero)
		}
		if p.Steep != nil {
			steep := b.Cmp(p.Steep(b, y, x), vector.GT, b.Const(steepPart))
			if p.Hold != nil {
				steep = b.MaskAndNot(steep, held)
			}
			fired = b.MaskOr(fired, steep)
		}
		if extrema {
			at := r.n + r.hidden
			lo, hi := b.Load(vector.Before.Column(at)), b.Load(vector.Before.Column(at+1))
			newLo, newHi := b.Min(next[0], lo), b.Max(next[0], hi)
			if r.Model.Fires == model.Reset {
				newLo, newHi = b.Select(fired, lo, newLo), b.Select(fired, hi, newHi)
			}
			b.Store(vector.After.Column(at), newLo)
			b.Store(vector.After.Column(at+1), newHi)
		}
		b.Bits(fired, vector.Fired)
	}
}

// part records a part of a step; the columns after the state are the excess and its steepness at the end.
func (r recorder) part(b *vector.Block) {
	x := r.surroundings(b)
	part := b.Load(vector.Input.Column(inputPart))
	held := b.Cmp(b.Load(vector.Input.Column(inputHeld)), vector.GT, b.Const(0))
	x.Part = &part
	if r.program.Hold != nil {
		x.Held = &held
	}
	y := r.state(b, vector.Before.Column)
	next := r.program.Step(b, y, x)
	if r.program.Hold != nil {
		next[0] = b.Select(held, y[0], next[0])
	}
	end := append(next, r.program.Excess(b, next, x))
	if r.program.Steep != nil {
		end = append(end, r.program.Steep(b, next, x))
	}
	store(b, end)
}

// lag records a part of a step of all states but the first.
func (r recorder) lag(b *vector.Block) {
	x := r.surroundings(b)
	part := b.Load(vector.Input.Column(inputPart))
	x.Part = &part
	store(b, r.program.Lag(b, r.state(b, vector.Before.Column), x))
}

// caughtUp returns the states at both ends of a step from those in columns of which all but the first are half a step
// behind.
func caughtUp(b *vector.Block, y0, y1 []vector.Vec) (start, end []vector.Vec) {
	start, end = slices.Clone(y0), slices.Clone(y1)
	for j := 1; j < len(y0); j++ {
		half := b.Mul(b.Const(0.5), b.Sub(y1[j], y0[j]))
		start[j], end[j] = b.Add(y0[j], half), b.Add(y1[j], half)
	}
	return start, end
}

// locateRounds is the number of corrections of the place of a spike: the secant, then Newton's method within a
// shrinking bracket, bisection where it leaves that. Four are enough for a cubic that is not steep at one end only, as
// upstrokes to a reset may be.
const (
	locateRounds         = 8
	locateCrossingRounds = 5
)

// locate records where in a part of a step the excess passes 0, on cubics through the states and slopes at both ends.
// The columns after those of the state after the reset are the place as a fraction of the part, the excess at its
// start, the steps to be held, and the first state at the spike.
func (r recorder) locate(b *vector.Block) {
	p, x := r.program, r.surroundings(b)
	y0 := r.state(b, vector.Before.Column)
	y1 := r.state(b, func(j int) vector.Mem { return vector.Input.Column(inputEnd + j) })
	if p.Lag != nil {
		y0, y1 = caughtUp(b, y0, y1)
	}
	g0 := p.Excess(b, y0, x)
	theta, state := b.Const(1), y1
	if !r.grid {
		part := b.Load(vector.Input.Column(inputPart))
		g := hermiteVec(b, g0, p.Excess(b, y1, x), b.Mul(part, p.ExcessSlope(b, y0, x)), b.Mul(part, p.ExcessSlope(b, y1, x)))
		rounds := locateRounds
		if r.Model.Fires == model.Crossing {
			rounds = locateCrossingRounds
		}
		theta = g.root(b, rounds)
		theta = b.Select(b.Cmp(g0, vector.GE, b.Const(0)), b.Const(0), theta)
		if r.Model.Fires == model.Reset {
			state = make([]vector.Vec, r.n)
			s0, s1 := p.Slopes(b, y0, x), p.Slopes(b, y1, x)
			for j := range state {
				state[j] = hermiteVec(b, y0[j], y1[j], b.Mul(part, s0[j]), b.Mul(part, s1[j])).at(b, theta)
			}
		}
	}
	hold, top := b.Const(0), state[0]
	if r.Model.Fires == model.Reset {
		state = p.Reset(b, state, x)
		if p.Hold != nil {
			if hold = p.Hold(b, x); r.grid { // rounded to whole steps
				magic := b.Const(0x1.8p52)
				hold = b.Sub(b.Add(hold, magic), magic)
			}
		}
	}
	store(b, append(append([]vector.Vec{}, state...), theta, g0, hold, top))
}

// cubicVec is the cubic y + x (m + x (c2 + x c3)).
type cubicVec struct{ y, m, c2, c3 vector.Vec }

// hermiteVec is the cubic from y0 to y1 on [0, 1] with slopes m0 and m1 at the ends.
func hermiteVec(b *vector.Block, y0, y1, m0, m1 vector.Vec) cubicVec {
	rise := b.Sub(y1, y0)
	c3 := b.FNMA(rise, b.Const(2), b.Add(m0, m1))
	return cubicVec{y0, m0, b.Sub(b.Sub(rise, m0), c3), c3}
}

func (c cubicVec) at(b *vector.Block, x vector.Vec) vector.Vec {
	return b.FMA(b.FMA(b.FMA(c.c3, x, c.c2), x, c.m), x, c.y)
}

// root is where c passes 0 upwards between 0 and 1.
func (c cubicVec) root(b *vector.Block, rounds int) vector.Vec {
	lo, hi := b.Const(0), b.Const(1)
	end := b.Add(b.Add(c.y, c.m), b.Add(c.c2, c.c3))
	x := b.Div(c.y, b.Sub(c.y, end)) // secant
	half := b.Const(0.5)
	x = b.Select(b.Cmp(x, vector.NGE, lo), half, x)
	x = b.Select(b.Cmp(x, vector.NLE, hi), half, x)
	for range rounds {
		value := c.at(b, x)
		slope := b.FMA(b.FMA(b.Mul(c.c3, b.Const(3)), x, b.Mul(c.c2, b.Const(2))), x, c.m)
		below := b.Cmp(value, vector.LT, b.Const(0))
		lo, hi = b.Select(below, x, lo), b.Select(below, hi, x)
		next := b.Sub(x, b.Div(value, slope))
		middle := b.Mul(half, b.Add(lo, hi))
		next = b.Select(b.Cmp(next, vector.NGE, lo), middle, next)
		x = b.Select(b.Cmp(next, vector.NLE, hi), middle, next)
	}
	return x
}
