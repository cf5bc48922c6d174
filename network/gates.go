package network

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// gates are the NMDA gates of trains: of the neurons of one population with one delay, or of the trains of one input.
// Each train has a gate of its own, which saturates,
//
//	x' = -x/tau_rise,  s' = -s/tau_decay + alpha x (1 - s),  x -> x + 1 at an arrival,
//
// and the conductance of a target is the sum of weight times s. Between arrivals of a train that sum decays with
// tau_decay: the change of gates beyond that decay in a step is added to the rows of an NMDA receptor, as arrivals are
// to those of an exp-conductance: a value at the end, a mean and a tilt.
//
// Every range advances the gates of all sources whose trains reach it.
type gates struct {
	y     *Synapse
	isa   kernels.ISA
	dt    float64
	whole int     // delay, steps
	part  float64 // and part of a step
	first int     // number in the network of the first source; of no meaning for inputs
	pop   int     // population of the sources; -1: of an input

	x, s     []float64
	nextX    []float64 // scratch: those at the end of the current step
	nextS    []float64
	added    [3][]float64 // by train, in the current step: at the end, mean, tilt; 0 of trains that only decayed
	active   []int32      // trains that did more, where rings or edges need them
	listed   bool         // whether they do
	summed   [2]int       // of which trains, from the first on so many, sum is what they added
	sum      [3]float64
	arrivals []gateArrival

	decay   share // of s
	fall    float64
	nodes   [3]gateNode
	k0, k1  float64 // approximate: what an arrival adds to s is k0 + k1 s
	uniform []uniform
	rings   []ring
	stored  bool // whether edges of these gates are stored: in tables, as far as they are in the range
	tables  []*table
}

// gateNode is a node of Gauss's quadrature formula over a whole step: the time left after it, and exp(-t/tau_rise)
// there.
type gateNode struct{ left, fall float64 }

// gateArrival is an arrival at train i at theta of the current step.
type gateArrival struct {
	i     int32
	theta float64
}

// uniform is one projection from all to all with one weight, from n sources of a population, numbered from first on, to
// consecutive lanes.
type uniform struct {
	first, n    int
	lane, lanes int
	apart       bool // no autapses: own is the number of the source that is the first lane
	own         int
	receptor    int
	weight      float64
	column      *coupledReceptor // of the segment, if its whole population gets the same
}

// The nodes and weights of Gauss's formula with three points on [0, 1].
var (
	gaussAt     = [3]float64{0.1127016653792583, 0.5, 0.8872983346207417}
	gaussWeight = [3]float64{5.0 / 18, 4.0 / 9, 5.0 / 18}
)

func newGates(l *layout, synapse, n int, delay float64) *gates {
	y := &l.spec.Synapses[synapse]
	g := &gates{y: y, dt: l.spec.Dt, pop: -1, isa: l.isa}
	padded := (n + kernels.Group - 1) / kernels.Group * kernels.Group
	columns := []*[]float64{&g.x, &g.s, &g.nextX, &g.nextS, &g.added[0], &g.added[1], &g.added[2]}
	for _, c := range columns {
		*c = makeColumn(padded)[:n]
	}
	g.whole, g.part = l.place(delay)
	g.decay, g.fall = shareOf(g.dt, y.Decay), kernels.Exp(-g.dt/y.Rise)
	for j, c := range gaussAt {
		g.nodes[j] = gateNode{g.dt * (1 - c), kernels.Exp(-c * g.dt / y.Rise)}
	}
	if y.Approximate {
		g.k0, g.k1 = approximateGate(y)
	}
	return g
}

// approximateGate returns k0 and k1: an arrival at a gate at s adds k0 + k1 s to it in the end, and in the
// approximation at once. With a = alpha tau_rise and b = tau_rise/tau_decay, k0 = a^b gamma(1-b, a), k1 = exp(-a) - 1,
// gamma the lower incomplete function.
func approximateGate(y *Synapse) (k0, k1 float64) {
	a, b := y.Alpha*y.Rise, y.Rise/y.Decay
	// gamma(p, a) = a^p exp(-a) sum a^n/(p (p+1) ... (p+n)), p = 1-b.
	p := 1 - b
	sum, term := 0.0, 1/p
	for n := 1.0; term > 1e-18*sum; n++ {
		sum += term
		term *= a / (p + n)
	}
	return a * kernels.Exp(-a) * sum, kernels.Expm1(-a)
}

// after returns x and s after t ms without arrivals. With A(t) the integral of the rate at which s relaxes,
//
//	s(t) = s exp(-A(t)) + integral of alpha x(u) exp(A(u)-A(t)) du
//	A(t) = t/tau_decay + alpha x tau_rise (1 - exp(-t/tau_rise))
func (g *gates) after(x, s, t float64) (float64, float64) {
	fall, nodes := g.fall, g.nodes
	if t != g.dt {
		fall = kernels.Exp(-t / g.y.Rise)
		for j, c := range gaussAt {
			nodes[j] = gateNode{t * (1 - c), kernels.Exp(-c * t / g.y.Rise)}
		}
	}
	drive := float64(g.y.Alpha * x)
	reach := float64(drive * g.y.Rise)
	sum := 0.0
	for j, n := range nodes {
		sum = math.FMA(gaussWeight[j], float64(n.fall*kernels.Exp(math.FMA(reach, fall-n.fall, -n.left/g.y.Decay))), sum)
	}
	kept := kernels.Exp(math.FMA(reach, fall-1, -t/g.y.Decay))
	return x * fall, math.FMA(float64(t*drive), sum, float64(kept*s))
}

// advance advances all gates by a step with the arrivals listed for it; on the grid these are at its end.
func (g *gates) advance(onGrid bool) {
	b := g.block()
	kernels.Gates(g.isa, &b)
	slices.SortFunc(g.arrivals, func(a, b gateArrival) int {
		return cmp.Or(cmp.Compare(a.i, b.i), cmp.Compare(a.theta, b.theta))
	})
	for next := g.arrivals; len(next) > 0; {
		i, n := int(next[0].i), 1
		for n < len(next) && int(next[n].i) == i {
			n++
		}
		g.train(i, next[:n], onGrid)
		next = next[n:]
	}
	g.arrivals = g.arrivals[:0]
	g.x, g.s, g.nextX, g.nextS = g.nextX, g.nextS, g.x, g.s
	g.summed = [2]int{}
	g.list()
}

// list lists the active trains, where they are needed.
func (g *gates) list() {
	g.active = g.active[:0]
	for i, x := range g.added[0] {
		if g.listed && x != 0 {
			g.active = append(g.active, int32(i))
		}
	}
}

// block is the argument of the kernel that advances gates without arrivals.
func (g *gates) block() asm.GatesBlock {
	whole := func(c []float64) []float64 { return c[:cap(c)] }
	b := asm.GatesBlock{
		Lanes: cap(g.x), X: whole(g.x), S: whole(g.s), NextX: whole(g.nextX), NextS: whole(g.nextS),
		End: whole(g.added[0]), Mean: whole(g.added[1]), Tilt: whole(g.added[2]),
		Alpha: g.y.Alpha, Rise: g.y.Rise, Gap: g.fall - 1, Left: -g.dt / g.y.Decay,
		Decay: g.decay.decay, PerMean: g.decay.mean, PerTilt: g.decay.tilt, Fall: g.fall, Leak: -1 / g.y.Decay,
		Bend: g.dt / 12, Twist: -g.dt / 10,
	}
	for j, n := range g.nodes {
		b.Weights[j], b.Gaps[j], b.Lefts[j] = g.dt*float64(gaussWeight[j]*n.fall), g.fall-n.fall, -n.left/g.y.Decay
	}
	return b
}

// train computes the gate of train i after a step with arrivals.
func (g *gates) train(i int, arrivals []gateArrival, onGrid bool) {
	x, s, t := g.x[i], g.s[i], 0.0
	area, moment := 0.0, 0.0
	piece := func(end float64) {
		if end <= t {
			return
		}
		d := end - t
		x1, s1 := g.after(x, s, d)
		slope := func(x, s float64) float64 { return math.FMA(float64(g.y.Alpha*x), 1-s, -s/g.y.Decay) }
		from, to := slope(x, s), slope(x1, s1)
		// The cubic through values and slopes at both ends.
		part := float64(d * math.FMA(d/12, from-to, 0.5*(s+s1)))
		area += part
		moment += math.FMA(0.5*(t+end-g.dt), part, float64(d*d*math.FMA(-d/120, from+to, float64(0.1*(s1-s)))))
		x, s, t = x1, s1, end
	}
	start := s
	for _, a := range arrivals {
		if onGrid {
			piece(g.dt)
		} else {
			piece(a.theta * g.dt)
		}
		if g.y.Approximate {
			s += math.FMA(g.k1, s, g.k0)
		} else {
			x++
		}
	}
	piece(g.dt)
	if x < asm.IdleGate {
		x = 0
	}
	g.nextX[i], g.nextS[i] = x, s
	g.added[0][i] = math.FMA(-g.decay.decay, start, s)
	g.added[1][i] = math.FMA(-g.decay.mean, start, area/g.dt)
	g.added[2][i] = math.FMA(-g.decay.tilt, start, 12*moment/(g.dt*g.dt))
}

// addedBy is what train i has added in the current step: at its end, mean, tilt.
func (g *gates) addedBy(i int32) [3]float64 {
	return [3]float64{g.added[0][i], g.added[1][i], g.added[2][i]}
}

// gateKey identifies the gates of a population.
type gateKey struct {
	population, synapse int
	delay               float64
}

// makeGates makes the gates whose trains reach the range, once its tables are there.
func (r *shard) makeGates() error {
	l := r.net.layout
	index := map[gateKey]*gates{}
	for i := range l.spec.Projections {
		p := &l.spec.Projections[i]
		if l.spec.Synapses[p.Synapse].Kind != NMDA {
			continue
		}
		delay := float64(p.Delay.(Constant))
		weight, one := p.oneWeight()
		sums := l.bySums(p)
		for _, from := range p.From {
			key := gateKey{from.Population, p.Synapse, delay}
			g := index[key]
			if g == nil {
				g = r.gatesOf(key)
				index[key] = g
				r.gates = append(r.gates, g)
			}
			if one {
				g.uniform = append(g.uniform, r.uniformOf(p, from, weight)...)
			} else if sums {
				g.rings = append(g.rings, r.ringsOf(p)...)
			}
			g.listed = g.listed || !one
			if sums || g.stored {
				continue
			}
			for other, h := range index {
				if h.stored && other.population == key.population && other.synapse == key.synapse && h.whole == g.whole {
					return fmt.Errorf("projection %s: its delay of %g ms and that of another projection of %s by the same synapse, "+
						"%g ms, are less than a step apart", p.Name, delay, l.spec.Populations[key.population].Name, other.delay)
				}
			}
			r.addTables(g)
		}
	}
	return nil
}

func (r *shard) gatesOf(key gateKey) *gates {
	l := r.net.layout
	p := &l.spec.Populations[key.population]
	g := newGates(l, key.synapse, p.N, key.delay)
	g.pop, g.first = key.population, l.firsts[key.population]
	if v := p.Synaptic[g.y.Name]; v != nil {
		for i := range g.s {
			g.s[i] = v.At(i)
		}
	}
	return g
}

// addTables gives g the tables that hold edges of its sources with its delay.
func (r *shard) addTables(g *gates) {
	g.stored = true
	for _, t := range r.tables {
		rc := &r.net.layout.receptors[t.receptor]
		if t.population == g.pop && rc.kind == NMDA && &r.net.layout.spec.Synapses[rc.synapse] == g.y &&
			g.whole >= t.least && g.whole < t.least+t.delays {
			g.tables = append(g.tables, t)
		}
	}
}

// uniformOf lists, by receptor, the part of a projection from all to all that reaches the range.
func (r *shard) uniformOf(p *Projection, from Part, weight float64) (list []uniform) {
	l := r.net.layout
	to := l.spec.pool(p.To)
	for i := range r.segs {
		seg := &r.segs[i]
		for j := range to.parts {
			q := &to.parts[j]
			lo, hi := q.within(seg)
			if lo >= hi {
				continue
			}
			lo, hi = lo+q.global-q.base, hi+q.global-q.base
			u := uniform{
				first: from.First, n: from.N, lane: lo - seg.first + seg.base, lanes: hi - lo, own: lo - l.firsts[seg.population],
				apart: p.NoAutapses &&
					seg.population == from.Population, receptor: l.receptor(p.Synapse, seg.population, l.signs(p)[0]), weight: weight,
			}
			// A part of a population has no column in any range, even if it fills a segment: the order of sums is the same.
			whole := q.global <= l.firsts[seg.population] && q.global+q.n >= l.firsts[seg.population+1]
			if whole && !u.apart {
				u.column = r.columnOf(u.receptor, u.lane, u.lanes)
			}
			list = append(list, u)
		}
	}
	return list
}

// advanceGates advances the gates of the range by step k, and adds their changes to the rows.
func (r *shard) advanceGates(k int64) {
	onGrid := r.net.layout.spec.OnGrid
	for _, g := range r.gates {
		r.gateArrivals(g, k)
		g.advance(onGrid)
		r.spread(g)
	}
	for _, p := range r.trains {
		if g := p.gates; g != nil {
			g.advance(onGrid)
			for _, i := range g.active {
				r.touched[p.receptor[i]] = true
				row := r.rows[p.receptor[i]][3*int(p.lanes[i]):][:3]
				for j, x := range g.addedBy(i) {
					row[j] += float64(p.weights[i] * x)
				}
			}
		}
	}
}

// gateArrivals lists the spikes of the sources of g that arrive in step k.
func (r *shard) gateArrivals(g *gates, k int64) {
	r.arriving(g.pop, g.whole, g.part, k, func(neuron int32, theta float64) {
		g.arrivals = append(g.arrivals, gateArrival{neuron - int32(g.first), theta})
	})
}

// spread adds the changes of the gates of g in the current step to the rows of their targets.
func (r *shard) spread(g *gates) {
	for i := range g.uniform {
		u := &g.uniform[i]
		c := g.total(u.first, u.n)
		for j := range c {
			c[j] *= u.weight
		}
		if u.column != nil {
			for j, x := range c {
				u.column.same[j] += x
			}
			continue
		}
		row := r.rows[u.receptor]
		r.touched[u.receptor] = true
		for at := 3 * u.lane; at < 3*(u.lane+u.lanes); at += 3 {
			row[at] += c[0]
			row[at+1] += c[1]
			row[at+2] += c[2]
		}
		if u.apart {
			r.withoutOwn(g, u, row)
		}
	}
	for i := range g.rings {
		r.spreadRing(g, &g.rings[i])
	}
	for _, t := range g.tables {
		for _, a := range g.active {
			at := int(a)*(t.delays+1) + g.whole - t.least
			if from, to := t.start[at], t.start[at+1]; from < to {
				r.spreadRun(t, from, to, g.addedBy(a))
			}
		}
	}
}

// total is the sum of what n trains from first on have added. That of the last call is kept, since projections onto
// several populations follow each other.
func (g *gates) total(first, n int) (c [3]float64) {
	if n > 0 && g.summed == [2]int{first, n} {
		return g.sum
	}
	for j, column := range g.added {
		c[j] = sumOf(column[first:][:n])
	}
	g.summed, g.sum = [2]int{first, n}, c
	return c
}

// sumOf adds up numbers as eight sums of every eighth and the sum of these.
func sumOf(x []float64) float64 {
	var a, b, c, d, e, f, g, h float64
	for ; len(x) >= 8; x = x[8:] {
		a, b, c, d = a+x[0], b+x[1], c+x[2], d+x[3]
		e, f, g, h = e+x[4], f+x[5], g+x[6], h+x[7]
	}
	for _, y := range x {
		a += y
	}
	return ((a + b) + (c + d)) + ((e + f) + (g + h))
}

// withoutOwn subtracts from each neuron the contribution of its own gate.
func (r *shard) withoutOwn(g *gates, u *uniform, row []float64) {
	for a := max(u.first, u.own); a < min(u.first+u.n, u.own+u.lanes); a++ {
		for j, x := range g.addedBy(int32(a)) {
			row[3*(u.lane+a-u.own)+j] -= float64(u.weight * x)
		}
	}
}

// spreadRun adds weight times c to the rows of the targets of some edges of a source.
func (r *shard) spreadRun(t *table, from, to uint32, c [3]float64) {
	row := r.rows[t.receptor]
	switch t.style {
	case shared:
		for j := range c {
			c[j] *= t.weight
		}
		addShared(r.net.isa, row, t.b16[from:to], 3, c)
	case float32s:
		addTriples(row, t.b32[from:to], c)
	case float64s:
		add64(row, t.b64[from:to], 3, c)
	case timed:
		for i := range t.bt[from:to] {
			b := &t.bt[from:to][i]
			for n, lane := range b.To {
				for j, x := range c {
					row[3*int(lane)+j] += float64(b.W[n] * x)
				}
			}
		}
	}
}

// completeSums makes what reaches the range by sums, once its tables are there.
func (r *shard) completeSums() error {
	r.makeSums()
	if err := r.makeGates(); err != nil {
		return err
	}
	r.startGates()
	return nil
}

// startGates adds the conductances of gates that are open at t = 0 to their targets.
func (r *shard) startGates() {
	for _, o := range r.coupled {
		o.emptyColumns()
	}
	for _, g := range r.gates {
		for j := range g.added {
			clear(g.added[j])
		}
		copy(g.added[0], g.s)
		g.summed = [2]int{}
		g.list()
		r.spread(g)
	}
	for _, o := range r.coupled {
		o.startColumns()
	}
	clear(r.touched)
	for c := range r.net.layout.receptors {
		if len(r.gates) == 0 || r.net.layout.receptors[c].kind != NMDA {
			continue
		}
		for lane := range r.lanes {
			at := &r.rows[c][3*lane]
			r.s[c][lane] += *at
			*at = empty
		}
	}
}

// magnesium is the part of NMDA channels that is not blocked at v mV, with mg mM of magnesium (Jahr & Stevens, J.
// Neurosci. 10:1830 (1990)), and its slope in v.
func magnesium(v, mg float64) (open, slope float64) {
	x := float64(mg / 3.57 * kernels.Exp(-0.062*v))
	open = 1 / (1 + x)
	return open, 0.062 * x * open * open
}
