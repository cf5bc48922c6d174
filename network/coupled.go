package network

import (
	"fmt"
	"math"
	"math/bits"

	"popsim/kernels"
	"popsim/kernels/asm"
	"popsim/model"
)

// chunk is the number of lanes of a coupledSegment that are advanced together.
const chunk = asm.Group

// coupledSegment is neurons of one segment that receive conductances, or jumps of V outside LIF. A step has two parts.
// First all lanes are advanced by the means of their conductances and currents over the step, by the step of the model
// in cell.go, which is of order 2. Then the lanes that have or may have an event in the step (a spike, the end of
// refractoriness, a jump of V) are reset to their states before the step and advanced by solver.go from arrival to
// arrival.
type coupledSegment struct {
	segment
	cell      *cell
	p         *Population
	class     int
	receptors []coupledReceptor
	gated     []int // of receptors: those of NMDA
	jumped    bool  // whether jumps of V may arrive

	y [4][]float64 // states of the model, by lane of the segment; gates of hh and hhtm are half a step behind V

	// Models that reset: the first step in which V moves, and the part of that step at which it begins to. Models that
	// cross, with t_ref: the step, and the part of it, from which on the next spike may come.
	wake, wakeTheta []float64
	waits           []uint64  // models that cross, with t_ref, by chunk: a bit for each lane whose wake is not 0
	free            []float64 // models that reset: wake, plus 1/2 if V begins to move inside the step
	level           []float64 // models that cross: V_th while armed, else +Inf

	in      means
	solver  cellSolver
	scratch []blocked
	events  []int32 // lanes of the segment with an event in the current step
	noise   *coupledNoise
	grid    *conductGrid   // nil: it takes another step
	inside  *conductInside // likewise
}

// coupledReceptor holds what a coupledSegment needs of a receptor. A step of its variable s multiplies it by s.decay;
// the current or conductance has the mean s.mean over the step and rises by s.rise, for each 1 of s at the start. The
// variable y is the rise of alpha kinds; in biexp-conductance it is the exponential that is subtracted.
type coupledReceptor struct {
	*receptor
	c, synapse   int // index in shard.rows; index in Spec.Synapses
	e            float64
	current      bool
	ofS, ofY     share
	growth       float64   // exp(dt/tau)
	s, y         []float64 // columns at the start of the step: those of the shard
	nextS, nextY []float64 // at its end

	// What arrives in the step off the grid, for kinds whose arrivals add to the end, the mean and the tilt: the same to
	// all lanes, that and what trains in vectors bring in columns by lane (each) or as long as a chunk, and in the rows.
	same    [3]float64
	columns [3][]float64
	each    bool
	rows    bool // whether edges may add to the rows: see also shard.touched

	mg         float64   // NMDA; its conductance without block over the step, as means has that of the others:
	mean, tilt []float64 // by lane
	open       []float64 // by lane: the part of the channels that is not blocked at V_th
}

// blocked is a conductance of NMDA channels, before the block by magnesium.
type blocked struct{ g, e, mg float64 }

// share holds the effect over a step of a variable that is 1 at its start: its factor over the step, its mean and its
// tilt.
type share struct{ decay, mean, tilt float64 }

// shareOf is the share of exp(-t/tau).
func shareOf(dt, tau float64) share {
	x := dt / tau
	return share{kernels.Exp(-x), phi(x), 12 * math.FMA(-0.5, phi(x), psi(x))}
}

// shares are those of the two variables of a receptor.
func (r *receptor) shares(dt float64) (ofS, ofY share) {
	ofS = shareOf(dt, r.tau)
	switch r.kind {
	case BiexpConductance:
		ofY = shareOf(dt, r.rise)
	case AlphaCurrent, AlphaConductance: // t exp(-t/tau)
		x := dt / r.tau
		ofY = share{ofS.decay, dt * psi(x), 12 * dt * math.FMA(-0.5, psi(x), chi(x))}
	}
	return ofS, ofY
}

func (r *shard) newCoupled(seg segment) (*coupledSegment, error) {
	l := r.net.layout
	p := &l.spec.Populations[seg.population]
	dt := l.spec.Dt
	o := &coupledSegment{segment: seg, p: p, class: l.classOf[seg.population]}
	for c := range l.receptors {
		rc := &l.receptors[c]
		if rc.class != o.class {
			continue
		}
		q := coupledReceptor{receptor: rc, c: c, synapse: rc.synapse}
		o.jumped = o.jumped || rc.kind == Delta
		if rc.kind != Delta {
			q.e = l.spec.Synapses[rc.synapse].E
			q.current = !rc.kind.conductance()
			q.ofS, q.ofY = rc.shares(dt)
			q.growth = kernels.Exp(dt / rc.tau)
			padded := (seg.n + chunk - 1) / chunk * chunk
			q.s, q.y = r.s[c][seg.base:][:padded], r.y[c][seg.base:][:padded]
			q.nextS, q.nextY = make([]float64, padded), make([]float64, padded)
			q.rows = r.net.storesFor(c)
			for j := range q.columns {
				q.columns[j] = makeColumn(chunk)
			}
			if rc.kind == NMDA {
				q.mg = l.spec.Synapses[rc.synapse].Mg
				q.mean, q.tilt = make([]float64, padded), make([]float64, padded)
				o.gated = append(o.gated, len(o.receptors))
			}
		}
		o.receptors = append(o.receptors, q)
	}
	if err := o.newCell(dt); err != nil {
		return nil, err
	}
	for _, j := range o.gated {
		q := &o.receptors[j]
		q.open = make([]float64, len(q.s))
		for i := range q.open {
			q.open[i], _ = magnesium(o.cell.vTh[min(i, seg.n-1)], q.mg)
		}
	}
	if r.white != nil {
		o.noise = o.newNoise(dt)
	}
	if err := o.start(r); err != nil {
		return nil, err
	}
	o.useConduct(r)
	return o, nil
}

// start sets the states of the lanes at t = 0.
func (o *coupledSegment) start(r *shard) error {
	l := r.net.layout
	m := o.p.Model
	column := func() []float64 { return makeColumn(o.padded())[:o.n] }
	for j := range m.States {
		o.y[j] = column()
	}
	if m.Fires == model.Reset {
		o.wake, o.wakeTheta, o.free = column(), make([]float64, o.n), column()
	} else {
		o.level = make([]float64, o.n)
		if o.cell.timed {
			o.wake, o.wakeTheta = make([]float64, o.n), make([]float64, o.n)
			o.waits = make([]uint64, o.padded()/chunk)
		}
	}
	var numbers []int
	for _, q := range o.receptors {
		numbers = append(numbers, q.c)
	}
	y, p := make([]float64, 4), make([]float64, len(o.p.P))
	var initial initialState
	for i := range o.n {
		g := o.offset + i
		for j, v := range o.p.P {
			p[j] = v.At(g)
		}
		initial.of(m, p, y[:len(m.States)])
		for j, v := range o.p.Start {
			if v != nil {
				y[j] = v.At(g)
			}
		}
		if o.level != nil {
			o.level[i] = m.Threshold(p)
			if y[0] >= o.level[i] && !o.cell.timed {
				o.level[i] = math.Inf(1)
			}
		}
		o.cell.enter(o, i, (*[4]float64)(y), l.spec.Dt)
		r.startSynaptic(o.p, g, o.base+i, numbers)
	}
	return nil
}

// means holds the input of the lanes of a chunk in a step: the mean of the conductance, and the mean of the current
// including conductances times reversal potentials; the tilt of either (see meanCoefs); and an upper bound of the
// current, valid while V is at least its value at the start.
type means struct {
	asm.CoupledBlock            // with G, J, GTilt, JTilt, Up; and Next, the states after the step
	end, mean, tilt  asm.Column // by arrivals of the current receptor
	jump             uint64     // lanes with arrivals of jumps
}

// columns returns the columns of the states before the step and of those after it.
func (in *means) columns() (y, next [4]*asm.Column) {
	return [4]*asm.Column{&in.V, &in.M, &in.H, &in.N}, [4]*asm.Column{&in.NextV, &in.NextM, &in.NextH, &in.NextN}
}

// step advances all lanes by step k and empties the rows.
func (o *coupledSegment) step(r *shard, k int64) error {
	switch {
	case o.grid != nil:
		return o.stepOnGrid(r, k)
	case o.inside != nil:
		return o.stepInside(r, k)
	}
	in := &o.in
	o.events = o.events[:0]
	if o.noise != nil {
		o.noise.begin(o, r, k)
	}
	for j := range o.receptors {
		if q := &o.receptors[j]; !q.each {
			q.fill()
		}
	}
	for lo := 0; lo < o.n; lo += chunk {
		n := min(chunk, o.n-lo)
		o.beginChunk(r, lo, n, in)
		for j := range o.receptors {
			o.take(r, &o.receptors[j], lo, n, in)
		}
		if r.net.layout.spec.OnGrid {
			if err := o.finishOnGrid(r, k, lo, n, in); err != nil {
				return err
			}
		} else {
			o.finish(r, k, lo, n, in)
		}
	}
	if err := o.solveEvents(r, k); err != nil {
		return err
	}
	if o.noise != nil {
		o.noise.end(o, r, k)
	}
	for j := range o.receptors {
		q := &o.receptors[j]
		copy(q.s, q.nextS)
		if q.kind != ExpConductance {
			copy(q.y, q.nextY)
		}
	}
	if r.net.layout.spec.OnGrid {
		for j := range o.receptors {
			if q := &o.receptors[j]; q.kind == Delta {
				clearRow(r.rows[q.c][o.base:][:o.n])
			}
		}
	}
	return nil
}

// beginChunk empties the means of a chunk but for input currents.
func (o *coupledSegment) beginChunk(r *shard, lo, n int, in *means) {
	clear(in.G[:n])
	clear(in.GTilt[:n])
	clear(in.JTilt[:n])
	clear(in.Up[:n])
	if len(o.gated) > 1 || r.net.layout.spec.OnGrid {
		for _, c := range []*asm.Column{&in.NMDA, &in.NMDAJ, &in.NMDATilt, &in.NMDAJTilt} {
			clear(c[:n])
		}
	}
	in.jump = 0
	y, _ := in.columns()
	for j := range o.cell.states {
		copy(y[j][:n], o.y[j][lo:])
	}
	if r.current != nil {
		copy(in.J[:n], r.current[o.base+lo:][:n])
		copy(in.Up[:n], in.J[:n])
	} else {
		clear(in.J[:n])
	}
}

// take adds a receptor's part in the step to the means of a chunk, and advances the receptor.
func (o *coupledSegment) take(r *shard, q *coupledReceptor, lo, n int, in *means) {
	onGrid := r.net.layout.spec.OnGrid
	bounds := o.cell.resets && !onGrid
	row := r.rows[q.c][(o.base+lo)*q.width:]
	switch {
	case q.kind == Delta:
		o.jumps(r, q, lo, n, in)
	case q.kind == ExpConductance && onGrid:
		clear(in.mean[:])
		clear(in.tilt[:])
		b := q.conduction(arrivals{row, in.mean[:], in.tilt[:]}, lo, in)
		kernels.Conduct(r.net.isa, &b)
		clearRow(row[:n])
	case q.kind == ExpConductance:
		b := q.conduction(q.arrivals(r, row, lo, in), lo, in)
		if bounds {
			kernels.ConductBounds(r.net.isa, &b)
		} else {
			kernels.Conduct(r.net.isa, &b)
		}
	case q.kind == NMDA && !onGrid && len(o.gated) == 1:
		q.conductNMDA(r.net.isa, q.arrivals(r, row, lo, in), lo, in, bounds)
	case q.tripled() && !onGrid:
		a := q.arrivals(r, row, lo, in)
		if bounds {
			o.bound(q, a.end, 1, lo, n, in)
		}
		o.receiveTriples(q, a, lo, n, in)
	default:
		if bounds {
			o.bound(q, row, q.width, lo, n, in)
		}
		o.receive(r, q, lo, n, in)
	}
}

func clearRow(row []float64) {
	for i := range row {
		row[i] = empty
	}
}

// jumps sets the bits of the lanes in which jumps of V arrive. On the grid the row is kept, to be added at the end of
// the step.
func (o *coupledSegment) jumps(r *shard, q *coupledReceptor, lo, n int, in *means) {
	row := r.rows[q.c][o.base+lo:][:n]
	for i, a := range row {
		if a != empty {
			in.jump |= 1 << i
		}
	}
	if !r.net.layout.spec.OnGrid {
		clearRow(row)
	}
}

// receive adds the contributions of a receptor in the step, which are in its row, to the means, and advances its
// variables.
func (o *coupledSegment) receive(r *shard, q *coupledReceptor, lo, n int, in *means) {
	onGrid := r.net.layout.spec.OnGrid
	row := r.rows[q.c][(o.base+lo)*q.width:][:n*q.width]
	s, y, nextS, nextY := q.s[lo:][:n], q.y[lo:][:n], q.nextS[lo:][:n], q.nextY[lo:][:n]
	var x, tilt [chunk]float64 // of the current or conductance
	p, u := q.ofS, q.ofY
	switch q.kind {
	case ExpCurrent, NMDA: // on the grid
		for i := range s {
			a := [3]float64{row[q.width*i]}
			copy(a[:], row[q.width*i:][:q.width])
			x[i], tilt[i] = math.FMA(p.mean, s[i], a[1]), math.FMA(p.tilt, s[i], a[2])
			nextS[i] = math.FMA(p.decay, s[i], a[0])
		}
	case AlphaCurrent, AlphaConductance:
		rise := p.decay * o.cell.dt
		for i := range s {
			x[i], tilt[i] = math.FMA(u.mean, y[i], float64(p.mean*s[i])), math.FMA(u.tilt, y[i], float64(p.tilt*s[i]))
			end := math.FMA(rise, y[i], float64(p.decay*s[i]))
			if onGrid {
				nextY[i] = math.FMA(p.decay, y[i], float64(row[i]*(math.E/q.tau)))
			} else {
				nextY[i] = math.FMA(p.decay, y[i], row[3*i])
				end += row[3*i+1]
				x[i] += row[3*i+2]
				if math.Abs(row[3*i]) > noArrival {
					tilt[i] += q.alphaTilt(row[3*i], row[3*i+1], o.cell.dt)
				}
			}
			nextS[i] = end
		}
	case BiexpConductance:
		for i := range s {
			x[i], tilt[i] = math.FMA(-u.mean, y[i], float64(p.mean*s[i])), math.FMA(-u.tilt, y[i], float64(p.tilt*s[i]))
			if onGrid {
				a := float64(row[i] * q.peak)
				nextS[i], nextY[i] = math.FMA(p.decay, s[i], a), math.FMA(u.decay, y[i], a)
			} else {
				nextS[i], nextY[i] = math.FMA(p.decay, s[i], row[3*i]), math.FMA(u.decay, y[i], row[3*i+1])
				x[i] += row[3*i+2]
				if row[3*i] > noArrival {
					tilt[i] += q.biexpTilt(row[3*i], row[3*i+1], o.cell.dt)
				}
			}
		}
	}
	clearRow(row)
	o.sum(q, x[:n], tilt[:n], lo, in)
}

// receiveTriples is receive off the grid for kinds whose arrivals add to the end, the mean and the tilt.
func (o *coupledSegment) receiveTriples(q *coupledReceptor, a arrivals, lo, n int, in *means) {
	s, nextS, p := q.s[lo:][:n], q.nextS[lo:][:n], q.ofS
	var x, tilt [chunk]float64
	for i := range s {
		x[i], tilt[i] = math.FMA(p.mean, s[i], a.mean[i]), math.FMA(p.tilt, s[i], a.tilt[i])
		nextS[i] = math.FMA(p.decay, s[i], a.end[i])
	}
	o.sum(q, x[:n], tilt[:n], lo, in)
}

// sum adds means and tilts of a current or conductance to those of the lanes from lo on.
func (o *coupledSegment) sum(q *coupledReceptor, x, tilt []float64, lo int, in *means) {
	switch {
	case q.kind == NMDA:
		copy(q.mean[lo:], x)
		copy(q.tilt[lo:], tilt)
		for i := range x {
			in.NMDA[i] += x[i]
			in.NMDAJ[i] = math.FMA(q.e, x[i], in.NMDAJ[i])
			in.NMDATilt[i] += tilt[i]
			in.NMDAJTilt[i] = math.FMA(q.e, tilt[i], in.NMDAJTilt[i])
		}
	case q.current:
		for i := range x {
			in.J[i] += x[i]
			in.JTilt[i] += tilt[i]
		}
	default:
		for i := range x {
			in.G[i] += x[i]
			in.J[i] = math.FMA(q.e, x[i], in.J[i])
			in.GTilt[i] += tilt[i]
			in.JTilt[i] = math.FMA(q.e, tilt[i], in.JTilt[i])
		}
	}
}

// conduction is the argument of the kernels for a chunk of an exp-conductance.
func (q *coupledReceptor) conduction(a arrivals, lo int, in *means) asm.ConductBlock {
	return asm.ConductBlock{
		Lanes: chunk, End: a.end, Mean: a.mean, Tilt: a.tilt, S: q.s[lo:], Next: q.nextS[lo:],
		G: in.G[:], J: in.J[:], GTilt: in.GTilt[:], JTilt: in.JTilt[:], V: in.V[:], Up: in.Up[:],
		Decay: q.ofS.decay, PerMean: q.ofS.mean, PerTilt: q.ofS.tilt, E: q.e, Growth: q.growth,
	}
}

// conductNMDA is receive, and bound where needed, for the lanes of a chunk of the only receptor of NMDA.
func (q *coupledReceptor) conductNMDA(isa kernels.ISA, a arrivals, lo int, in *means, bounds bool) {
	b := asm.NMDABlock{
		Lanes: chunk, End: a.end, Mean: a.mean, Tilt: a.tilt, S: q.s[lo:], Next: q.nextS[lo:],
		G: in.NMDA[:], J: in.NMDAJ[:], GTilt: in.NMDATilt[:], JTilt: in.NMDAJTilt[:],
		V: in.V[:], Up: in.Up[:], Open: q.open[lo:],
		Decay: q.ofS.decay, PerMean: q.ofS.mean, PerTilt: q.ofS.tilt, E: q.e,
	}
	if bounds {
		kernels.ConductNMDABounds(isa, &b)
	} else {
		kernels.ConductNMDA(isa, &b)
	}
	copy(q.mean[lo:], in.NMDA[:])
	copy(q.tilt[lo:], in.NMDATilt[:])
}

// bound adds an upper bound of the receptor's current at any time of the step to in.up, valid while V is at least what
// it is at the start. Arrivals of weight w at r ms before the end have added at least w exp(-dt/tau) to the row. A
// conductance is bounded from above where it drives V up, from below where it drives V down. row holds every width-th
// value what arrivals add to s, or to the rise, by the end.
func (o *coupledSegment) bound(q *coupledReceptor, row []float64, width, lo, n int, in *means) {
	s, y, v := q.s[lo:][:n], q.y[lo:][:n], o.y[0][lo:][:n]
	dt := o.cell.dt
	for i := range s {
		var least, most float64
		switch q.kind {
		case ExpCurrent, ExpConductance:
			kept := q.ofS.decay * s[i]
			least, most = min(s[i], kept), max(s[i], kept)
			if q.negative {
				least += row[width*i] / q.ofS.decay
			} else {
				most += row[width*i] / q.ofS.decay
			}
		case AlphaCurrent, AlphaConductance:
			kept := q.ofS.decay * s[i]
			rise := float64(dt * (y[i] + row[width*i]/q.ofS.decay))
			least, most = min(s[i], kept)+min(0, rise), max(s[i], kept)+max(0, rise)
		case BiexpConductance:
			most = s[i] - min(y[i], float64(q.ofY.decay*y[i]))
			least = max(0, float64(q.ofS.decay*s[i])-y[i])
			most = math.FMA(row[width*i]/q.ofS.decay, 1-q.ofY.decay, most)
		case NMDA: // the block is least at V_th
			most = max(s[i], math.FMA(q.ofS.decay, s[i], row[width*i])) * q.open[lo+i]
		}
		if q.current {
			in.Up[i] += most
		} else if gap := q.e - v[i]; gap >= 0 {
			in.Up[i] = math.FMA(most, gap, in.Up[i])
		} else {
			in.Up[i] = math.FMA(least, gap, in.Up[i])
		}
	}
}

// finish advances the lanes of a chunk by the means and lists those with events.
func (o *coupledSegment) finish(r *shard, k int64, lo, n int, in *means) {
	c := o.cell
	y, next := in.columns()
	busy := c.advance(r, o, k, lo, n, in)
	for j := range c.states {
		copy(o.y[j][lo:], next[j][:n])
	}
	var level asm.Column // before the step
	if !c.resets {
		copy(level[:n], o.level[lo:])
		copy(o.level[lo:], in.Level[:n])
	}
	if c.timed {
		for waits := o.waits[lo/chunk]; waits != 0; waits &= waits - 1 {
			i := bits.TrailingZeros64(waits)
			if o.wake[lo+i] == float64(k) {
				busy |= 1 << i
			} else if o.wake[lo+i] > float64(k) {
				o.level[lo+i] = math.Inf(1)
			}
		}
	}
	if o.noise != nil {
		o.noise.damp(o, lo, n, in)
	}
	for busy = (busy | in.jump) & (^uint64(0) >> (chunk - n)); busy != 0; busy &= busy - 1 {
		i := bits.TrailingZeros64(busy)
		l := lo + i
		if !c.resets {
			o.level[l] = level[i]
		}
		jump := in.jump>>i&1 != 0
		switch {
		case c.resets && o.wake[l] > float64(k):
			o.y[0][l] = y[0][i]
			if c.exponential {
				o.y[1][l] = y[1][i]
				o.y[1][l] = c.heldW(o, l)
			}
			continue
		case !jump && c.done(o, l, i, k, in, y):
			if c.timed && o.wake[l] == float64(k) {
				o.level[l] = c.vTh[l]
				o.setWake(l, 0, 0)
			}
			for j := range c.states {
				o.y[j][l] = next[j][i]
			}
			continue
		}
		for j := range c.states {
			o.y[j][l] = y[j][i]
		}
		o.events = append(o.events, int32(l))
	}
}

// solveEvents finishes the step of the lanes with events.
func (o *coupledSegment) solveEvents(r *shard, k int64) error {
	if len(o.events) == 0 {
		return nil
	}
	r.events = r.events[:0]
	for _, i := range o.events {
		lane := o.base + int(i)
		r.events = append(r.events, before{lane: lane})
		r.flags[lane>>6] |= 1 << (lane & 63)
	}
	r.lookUp(k)
	for at, i := range o.events {
		if err := o.solver.solve(r, o, k, int(i), r.arrivals[r.begin[at]:r.begin[at+1]]); err != nil {
			return err
		}
		r.flags[(o.base+int(i))>>6] = 0
	}
	return nil
}

// finishOnGrid is finish with arrivals and spikes at the ends of steps.
func (o *coupledSegment) finishOnGrid(r *shard, k int64, lo, n int, in *means) error {
	c := o.cell
	_, next := in.columns()
	end := float64(k + 1)
	if c.timed {
		for i := range n {
			if o.level[lo+i] = c.vTh[lo+i]; o.wake[lo+i] > end {
				o.level[lo+i] = math.Inf(1)
			}
		}
	}
	busy := c.advance(r, o, k, lo, n, in)
	if o.noise != nil {
		o.noise.damp(o, lo, n, in)
	}
	todo := ^uint64(0) >> (chunk - n)
	if !o.jumped {
		todo &= busy
	}
	for ; todo != 0; todo &= todo - 1 {
		i := bits.TrailingZeros64(todo)
		if err := o.laneOnGrid(r, k, lo, i, in, busy>>i&1 != 0); err != nil {
			return err
		}
	}
	for j := range c.states {
		copy(o.y[j][lo:], next[j][:n])
	}
	if !c.resets {
		copy(o.level[lo:], in.Level[:n])
	}
	return nil
}

// laneOnGrid finishes lane lo+i on the grid, in Next and Level of in; busy is that of advance.
func (o *coupledSegment) laneOnGrid(r *shard, k int64, lo, i int, in *means, busy bool) error {
	c, l, end := o.cell, lo+i, float64(k+1)
	y, next := in.columns()
	fast := busy && !c.split && c.tooFast(o, l, i, in)
	if fast && !c.follow(o, l, i, in, y) || c.exponential && !(max(o.y[0][l], next[0][i]) < c.near[l]) {
		o.solver.free(r, o, l, in.G[i], in.J[i], &next, i)
		if o.solver.left <= 0 {
			return o.tooFast(r, k, l, o.solver.s, o.solver.x)
		}
	}
	if !c.resets {
		in.Level[i] = o.level[l]
	} else if o.wake[l] > float64(k) { // held
		next[0][i] = o.y[0][l]
		if c.exponential {
			next[1][i] = c.heldW(o, l)
		}
		if o.wake[l] > end {
			return nil
		}
	}
	for j := range o.receptors {
		if q := &o.receptors[j]; q.kind == Delta {
			next[0][i] += r.rows[q.c][o.base+l]
		}
	}
	switch v, vTh := next[0][i], c.vTh[l]; {
	case !(v > -blownUp) || !c.resets && v > blownUp:
		o.y[0][l] = v
		o.solver.begin(r, o, l)
		return o.fault(r, k, l, o.solver.s, o.solver.x)
	case c.resets && !(v < vTh):
		next[0][i] = c.vReset[l]
		if c.exponential {
			next[1][i] += c.b[l]
		}
		o.setWake(l, end+math.Round(c.hold[l]), 0)
		o.fire(r, l, 1)
	case !c.resets && v >= o.level[l]:
		in.Level[i] = math.Inf(1)
		if c.timed {
			o.setWake(l, end+math.Round(c.hold[l]), 0)
		}
		o.fire(r, l, 1)
	case !c.resets && v < vTh-model.Rearm:
		in.Level[i] = vTh
	}
	return nil
}

// setWake notes that V of lane i moves again, or that its next spike may come, from the part theta of step k on.
func (o *coupledSegment) setWake(i int, k, theta float64) {
	o.wake[i], o.wakeTheta[i] = k, theta
	if o.waits != nil {
		if bit := uint64(1) << (i % chunk); k > 0 {
			o.waits[i/chunk] |= bit
		} else {
			o.waits[i/chunk] &^= bit
		}
	}
	if o.free != nil {
		o.free[i] = k
		if theta > 0 {
			o.free[i] += 0.5
		}
	}
}

// holdTo is setWake for wake steps after the begin of step k.
func (o *coupledSegment) holdTo(i int, k int64, wake float64) {
	whole := math.Floor(wake)
	part := wake - whole
	if part > 1-instant {
		whole, part = whole+1, 0
	} else if part < instant {
		part = 0
	}
	o.setWake(i, float64(k)+whole, part)
}

func (o *coupledSegment) fire(r *shard, i int, theta float64) {
	r.out = append(r.out, spike{int32(o.first + i), int32(o.population), theta})
}

// fault is the error of lane i, whose V blew up in step k.
func (o *coupledSegment) fault(r *shard, k int64, i int, s, y []float64) error {
	return &BlownUp{Neuron: o.first + i, Time: float64(k+1) * o.cell.dt, V: o.y[0][i], Inputs: o.inputs(r, i, s, y)}
}

// tooFast is the error of lane i, which needs more than maxSubsteps in step k.
func (o *coupledSegment) tooFast(r *shard, k int64, i int, s, y []float64) error {
	return fmt.Errorf("neuron %d moves too fast at %.6g ms, with %s; conductances or currents are too large",
		o.first+i, float64(k)*o.cell.dt, o.inputs(r, i, s, y))
}

// inputs describes in words the input of lane i while the variables of its receptors are s and y.
func (o *coupledSegment) inputs(r *shard, i int, s, y []float64) string {
	inputs := fmt.Sprintf("I %g", o.currentOf(i))
	if r.current != nil {
		inputs += fmt.Sprintf(" + %g", r.current[o.base+i])
	}
	for j := range o.receptors {
		q := &o.receptors[j]
		if q.kind == Delta {
			continue
		}
		x := s[j]
		if q.kind == BiexpConductance {
			x -= y[j]
		}
		if q.kind == NMDA {
			x = q.s[i]
		}
		name := r.net.layout.spec.Synapses[q.synapse].Name
		if q.current {
			inputs += fmt.Sprintf(", I_%s %.4g", name, x)
		} else {
			inputs += fmt.Sprintf(", g_%s %.4g", name, x)
		}
	}
	return inputs
}
