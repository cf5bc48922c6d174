package equations

import (
	"math"

	"popsim/equations/canonical"
	"popsim/equations/graph"
	"popsim/kernels"
	"popsim/kernels/vec"
)

// compiled is a definition with one of its methods.
type compiled struct {
	*definition
	coefficients
	method      method
	whole, part []*graph.Node // formulas of the method for a whole step, and for a part of one
	slopes      []*graph.Node // dt dy/dt
	excessSlope *graph.Node   // dt times the derivative of the excess by time
	rearm, hold *graph.Node   // the excess below which the next spike counts; steps
	steep       *graph.Node   // nil where no step is taken in parts
	affine      []affine      // of each state; the zero value where its slope is recorded as it is

	scaled       bool // that of form
	form         *canonical.Form
	exponentials map[int]canonical.Exponentials // by state
}

// compile collects all formulas of a kernel. Afterwards the graph is only read.
func (d *definition) compile(m method) *compiled {
	c := &compiled{definition: d, method: m, coefficients: coefficients{index: map[*graph.Node]int{}}}
	dt := d.Var(d.dtVar())
	c.whole = m.formulas(d, dt)
	c.part = m.formulas(d, d.Mul(d.Var(d.partVar()), dt))
	c.excessSlope = d.Const(0)
	for i, f := range d.slopes {
		c.slopes = append(c.slopes, d.Mul(dt, f))
		c.excessSlope = d.Add(c.excessSlope, d.Mul(d.Derivative(d.excess, i), c.slopes[i]))
	}
	if d.rearm != nil {
		c.rearm = d.Neg(d.Most(d.rearm, d.Const(0)))
	}
	if d.hold != nil {
		c.hold = d.Div(d.hold, dt)
	}
	if j := d.Derivative(d.slopes[0], 0); d.reset != nil && !m.OnGrid && d.explodes(j) {
		c.steep = d.Mul(dt, j)
	}
	c.record()
	return c
}

// affine is a slope as value + rate x, or value - loss x, of its own state x, which is in none of these.
type affine struct{ value, rate, loss *graph.Node }

// chooseAffine finds the states whose slopes take less work as value + rate x than as they are. Gates are such,
// alpha - (alpha + beta) x, and V of a membrane, whose conductances are then multiplied by potentials once.
func (c *compiled) chooseAffine() {
	c.affine = make([]affine, len(c.states))
	least := c.slopesCost()
	for i, f := range c.definition.slopes {
		rate := c.Derivative(f, i)
		if rate.Is(0) || rate.DependsOn(i) {
			continue
		}
		value := c.Substitute(f, i, c.Const(0))
		best := affine{}
		for _, a := range []affine{{value: value, rate: rate}, {value: value, loss: c.Neg(rate)}} {
			c.affine[i] = a
			if now := c.slopesCost(); now < least {
				least, best = now, a
			}
		}
		c.affine[i] = best
	}
}

// slopesCost is the work of all slopes.
func (c *compiled) slopesCost() int {
	b, x, y := c.blank()
	for j, v := range c.at(b, y, x).slopes(c.definition.slopes) {
		b.Store(vec.After.Column(j), v)
	}
	return b.Cost()
}

// stepCost is the work of a step.
func (c *compiled) stepCost() int {
	b, x, y := c.blank()
	for j, v := range c.method.step(c, b, y, x, c.whole) {
		b.Store(vec.After.Column(j), v)
	}
	return b.Cost()
}

// blank is a block with states and surroundings to try a recording on.
func (c *compiled) blank() (b *vec.Block, x kernels.Surroundings, y []vec.Vec) {
	b = vec.NewBlock(c.name, vec.Context{Target: vec.Go})
	for j := range c.states {
		y = append(y, b.Load(vec.Before.Column(j)))
	}
	x = kernels.Surroundings{
		I: b.Load(vec.Input.Column(0)), Coef: func(j int) vec.Vec { return b.Broadcast(vec.SharedValue(j)) },
	}
	return b, x, y
}

// explodes reports whether the first state is in an exponential of its own slope.
func (d *definition) explodes(slope *graph.Node) (found bool) {
	graph.Each(func(n *graph.Node) {
		found = found || (n.Kind == graph.Exp || n.Kind == graph.Cosh || n.Kind == graph.Sinh) && n.DependsOn(0)
	}, slope)
	return found
}

// chooseForm makes the sums of all formulas in the form that takes the least work.
func (c *compiled) chooseForm() {
	c.chooseCenters()
	centers, least := c.form.Center, c.stepCost()
	c.scaled = true
	if c.canonical(centers); c.stepCost() >= least {
		c.scaled = false
		c.canonical(centers)
	}
}

// chooseCenters makes the sums of all formulas, with the exponentials of a state computed as e - 1 around its center
// where that takes less work and loses no digits.
func (c *compiled) chooseCenters() {
	c.canonical(nil)
	centers := c.form.Centers(c.slopes...)
	if len(centers) == 0 {
		return
	}
	least := c.stepCost()
	c.canonical(centers)
	sums := c.sums()
	for i := range centers {
		if lo, hi, halvings := c.reach(i); halvings < 0 || !(lo < centers[i] && centers[i] < hi) ||
			!c.form.KeepsDigits(i, lo, hi, c.size, sums...) {
			delete(centers, i)
		}
	}
	if c.canonical(centers); len(centers) == 0 || c.stepCost() >= least {
		c.canonical(nil)
	}
}

// size is the size of a coefficient with the parameters of the file.
func (c *compiled) size(n *graph.Node) float64 {
	x := make([]float64, c.paramVar(len(c.parameters)))
	x[c.dtVar()] = c.dt
	for j, p := range c.parameters {
		x[c.paramVar(j)] = p.Default
	}
	return math.Abs(graph.Value(n, x))
}

// canonical makes the sums of all formulas.
func (c *compiled) canonical(centers map[int]float64) {
	c.form, c.exponentials = canonical.New(c.Graph, c.dynamic()), map[int]canonical.Exponentials{}
	c.form.Center, c.form.Scaled = centers, c.scaled
	c.sums()
	for i := range c.states {
		if e, ok := c.form.Exponentials(i); ok {
			c.exponentials[i] = e
		}
	}
	c.chooseAffine()
}

// sums are those of all formulas.
func (c *compiled) sums() (all []*canonical.Sum) {
	for _, roots := range [][]*graph.Node{
		c.whole, c.part, c.slopes, c.reset, {c.excess, c.excessSlope, c.rearm, c.hold, c.steep},
	} {
		for _, n := range roots {
			if n != nil {
				all = append(all, c.form.Of(n))
			}
		}
	}
	if c.method.pairs {
		for i := range c.states {
			q := c.form.Fractions(c.whole[2*i], c.whole[2*i+1])
			all = append(all, q.Over[0], q.Over[1], q.Under)
		}
	}
	for _, a := range c.affine {
		for _, n := range []*graph.Node{a.value, a.rate, a.loss} {
			if n != nil {
				all = append(all, c.form.Of(n))
			}
		}
	}
	return all
}

// record records everything once, so that all sums are made and all coefficients numbered.
func (c *compiled) record() {
	c.chooseForm()
	c.coefficients = coefficients{index: map[*graph.Node]int{}} // those of the forms tried
	b, whole, y := c.blank()
	one := b.Const(1)
	part := whole
	part.Part = &one
	p := c.recordings()
	p.Step(b, y, whole)
	p.Step(b, y, part)
	p.Slopes(b, y, whole)
	p.Excess(b, y, whole)
	p.ExcessSlope(b, y, whole)
	if p.Lag != nil {
		p.Lag(b, y, part)
	}
	if p.Rearm != nil {
		p.Rearm(b, whole)
	}
	if p.Reset != nil {
		p.Reset(b, y, whole)
	}
	if p.Hold != nil {
		p.Hold(b, whole)
	}
	if p.Steep != nil {
		p.Steep(b, y, whole)
	}
	c.complete = true
}

// program is the kernel of the method.
func (c *compiled) program() *kernels.Program {
	p := c.recordings()
	p.Coefs, p.Fold = c.sources(), c.fold()
	return p
}

func (c *compiled) recordings() *kernels.Program {
	one := func(n *graph.Node) func(b *vec.Block, y []vec.Vec, x kernels.Surroundings) vec.Vec {
		return func(b *vec.Block, y []vec.Vec, x kernels.Surroundings) vec.Vec { return c.at(b, y, x).of(n) }
	}
	p := &kernels.Program{
		Grid: c.method.OnGrid,
		Step: func(b *vec.Block, y []vec.Vec, x kernels.Surroundings) []vec.Vec {
			f := c.whole
			if x.Part != nil {
				f = c.part
			}
			return c.method.step(c, b, y, x, f)
		},
		Slopes: func(b *vec.Block, y []vec.Vec, x kernels.Surroundings) []vec.Vec { return c.at(b, y, x).all(c.slopes) },
		Excess: one(c.excess), ExcessSlope: one(c.excessSlope),
	}
	if c.reset == nil {
		p.Rearm = func(b *vec.Block, x kernels.Surroundings) vec.Vec { return c.at(b, nil, x).of(c.rearm) }
		if c.method.pairs && c.lags() {
			p.Lag = c.lagging
		}
		return p
	}
	p.Reset = func(b *vec.Block, y []vec.Vec, x kernels.Surroundings) []vec.Vec { return c.at(b, y, x).all(c.reset) }
	if c.steep != nil {
		p.Steep = one(c.steep)
	}
	if c.hold != nil {
		p.Hold = func(b *vec.Block, x kernels.Surroundings) vec.Vec { return c.at(b, nil, x).of(c.hold) }
	}
	return p
}

// fold computes the coefficients of a neuron.
func (c *compiled) fold() func(p []float64, dt float64, out []float64) {
	t := graph.NewTape(0, c.nodes...)
	first, dtVar := c.paramVar(0), c.dtVar()
	return func(p []float64, dt float64, out []float64) {
		x := make([]float64, first+len(p))
		x[dtVar] = dt
		copy(x[first:], p)
		t.Run(x, make([]float64, t.Len()), out)
	}
}
