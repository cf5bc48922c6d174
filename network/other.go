package network

import (
	"fmt"
	"math"
	"slices"

	"popsim/kernels"
	"popsim/model"
	"popsim/noise"
)

// otherSegment holds the neurons of a segment that are not LIF and take only currents, or that have equations of their
// own: the kernels of their model advance them by the mean of the synaptic current, and of the conductance, over each
// step, which keeps order 2.
type otherSegment struct {
	segment
	shard     *kernels.Shard
	worker    *kernels.Worker
	receptors []int       // of its class
	mean      [][]float64 // of a current of 1 at the start of a step, of a rise of 1, over the step; by receptor
	row       []float64
	g         []float64 // conductances as row; nil: none
	per       []float64 // with g: by how much a current of 1 raises dV/dt
	events    []kernels.Event
	jumps     *ownJumps    // nil where no jumps arrive
	gated     []ownGated   // of NMDA
	one       *ownNeuron   // of equations of the user's own
	adder     *noise.Adder // with white noise; else nil
	fired     []int32
}

func (r *shard) newOther(seg segment) (*otherSegment, error) {
	l := r.net.layout
	p := &l.spec.Populations[seg.population]
	kernel, err := kernels.For(p.Model, p.method(), r.net.isa)
	if err != nil {
		return nil, err
	}
	set := kernels.Setting{P: p.P, I: p.I, Gain: kernels.Values{1}}
	if set.I == nil {
		set.I = kernels.Values{0}
	}
	dt := l.spec.Dt
	o := &otherSegment{segment: seg, worker: kernels.NewWorker(), shard: kernel.NewShard(seg.offset, seg.n, dt, set)}
	if p.Model.Outside() {
		o.one = newOwnNeuron(o, p)
	}
	o.row = make([]float64, (seg.n+kernels.Group-1)/kernels.Group*kernels.Group)
	conducts, jumps := l.spec.conducts(seg.population), l.spec.jumps(seg.population)
	for c := range l.receptors {
		rc := &l.receptors[c]
		// Other populations of the class may receive conductances and jumps where these neurons do not.
		if rc.class == l.classOf[seg.population] && (conducts || !rc.kind.conductance()) && (jumps || rc.kind != Delta) {
			switch rc.kind {
			case Delta:
				if o.jumps == nil {
					o.jumps = newOwnJumps(o.one)
				}
				o.jumps.receptors = append(o.jumps.receptors, c)
				continue
			case NMDA:
				y := &l.spec.Synapses[rc.synapse]
				o.gated = append(o.gated, ownGated{c, y.E, y.Mg, make([]float64, seg.n)})
			default:
				o.receptors = append(o.receptors, c)
				o.mean = append(o.mean, []float64{phi(dt / rc.tau), dt * psi(dt/rc.tau)})
			}
			if rc.kind.conductance() && o.g == nil {
				o.g, o.per = make([]float64, len(o.row)), make([]float64, seg.n)
			}
		}
	}
	if r.white != nil {
		o.adder = noise.NewAdder(o.shard, p.Model, p.P, seg.offset)
	}
	y, q := make([]float64, len(p.Model.States)), make([]float64, len(p.P))
	var initial initialState
	for i := range seg.n {
		g := seg.offset + i
		for j, v := range p.P {
			q[j] = v.At(g)
		}
		initial.of(p.Model, q, y)
		for j, v := range p.Start {
			if v != nil {
				y[j] = v.At(g)
			}
		}
		if o.g != nil {
			o.per[i] = perCurrent(p.Model, q, y)
		}
		o.shard.Enter(i, 0, y)
		r.startSynaptic(p, g, seg.base+i, o.receptors)
	}
	return o, nil
}

// initialState is the initial state of the last neuron, which is that of all neurons with the same parameters: its
// search allocates.
type initialState struct{ p, y []float64 }

// of sets y to the initial state of a model with parameters p.
func (s *initialState) of(m *model.Model, p, y []float64) {
	if s.y == nil || !slices.Equal(s.p, p) {
		m.Initial(p, y)
		s.p, s.y = append(s.p[:0], p...), append(s.y[:0], y...)
	}
	copy(y, s.y)
}

// perCurrent is by how much a current of 1 raises dV/dt in state y.
func perCurrent(m *model.Model, p, y []float64) float64 {
	with, without := make([]float64, len(y)), make([]float64, len(y))
	m.Deriv(p, 1, y, with)
	m.Deriv(p, 0, y, without)
	return with[0] - without[0]
}

// startSynaptic sets the synaptic variables of a lane, neuron g of population p, at t = 0.
func (r *shard) startSynaptic(p *Population, g, lane int, receptors []int) {
	l := r.net.layout
	for _, c := range receptors {
		rc := &l.receptors[c]
		if v := p.Synaptic[l.spec.Synapses[rc.synapse].Name]; v != nil && rc.kind != Delta && rc.kind != NMDA {
			if x := v.At(g); l.spec.OnGrid || rc.kind.conductance() || l.joined[c] >= 0 || x < 0 == rc.negative {
				r.s[c][lane] = x
			}
		}
	}
}

// stable is the longest step of equations of the user's own, in time constants of V: rk4 is unstable beyond 2.78.
const stable = 2.0

// conduct adds the mean of a conductance over the step to g, and times its reversal potential to the row of currents;
// it advances the variables of the receptor and empties its rows.
func (o *otherSegment) conduct(r *shard, c int) {
	l := r.net.layout
	rc, e, dt := &l.receptors[c], l.spec.Synapses[l.receptors[c].synapse].E, l.spec.Dt
	ofS, ofY := rc.shares(dt)
	s, y := r.s[c][o.base:][:o.n], r.y[c][o.base:][:o.n]
	for i := range s {
		a := r.rows[c][(o.base+i)*rc.width:][:rc.width]
		var x float64
		switch rc.kind {
		case ExpConductance:
			x, s[i] = float64(ofS.mean*s[i]), math.FMA(ofS.decay, s[i], a[0])
		case AlphaConductance:
			x = math.FMA(ofY.mean, y[i], float64(ofS.mean*s[i]))
			s[i] = math.FMA(float64(ofS.decay*dt), y[i], float64(ofS.decay*s[i]))
			if l.spec.OnGrid {
				y[i] = math.FMA(ofS.decay, y[i], float64(a[0]*(math.E/rc.tau)))
			} else {
				y[i] = math.FMA(ofS.decay, y[i], a[0])
				s[i] += a[1]
			}
		case BiexpConductance:
			x = math.FMA(-ofY.mean, y[i], float64(ofS.mean*s[i]))
			slow, fast := float64(a[0]*rc.peak), float64(a[0]*rc.peak)
			if !l.spec.OnGrid {
				slow, fast = a[0], a[1]
			}
			s[i], y[i] = math.FMA(ofS.decay, s[i], slow), math.FMA(ofY.decay, y[i], fast)
		}
		if rc.width > 1 {
			x += a[rc.width-1]
		}
		o.g[i] += x
		o.row[i] = math.FMA(e, x, o.row[i])
		clearRow(a)
	}
}

// receiveGates computes the mean conductances of NMDA without block over the step, advances them and empties their
// rows.
func (o *otherSegment) receiveGates(r *shard) {
	for j := range o.gated {
		q := &o.gated[j]
		rc := &r.net.layout.receptors[q.receptor]
		of, s := shareOf(o.shard.Dt, rc.tau), r.s[q.receptor][o.base:][:o.n]
		for i := range s {
			a := r.rows[q.receptor][(o.base+i)*rc.width:][:rc.width]
			q.mean[i] = math.FMA(of.mean, s[i], a[1])
			s[i] = math.FMA(of.decay, s[i], a[0])
			clearRow(a)
		}
	}
}

// step advances the neurons by step k and empties the rows.
func (o *otherSegment) step(r *shard, k int64) error {
	l := r.net.layout
	dt, lo := l.spec.Dt, o.base
	row := o.row[:o.n]
	clear(row)
	if r.current != nil {
		copy(row, r.current[lo:lo+o.n])
	}
	clear(o.g)
	for j, c := range o.receptors {
		rc := &l.receptors[c]
		if rc.kind.conductance() {
			o.conduct(r, c)
			continue
		}
		cur, rise, decay, mean := r.s[c][lo:lo+o.n], r.y[c][lo:lo+o.n], r.decay[c], o.mean[j]
		for i := range row {
			a := r.rows[c][(lo+i)*rc.width:][:rc.width]
			row[i] = math.FMA(mean[0], cur[i], row[i])
			if rc.kind == ExpCurrent {
				cur[i] = math.FMA(decay, cur[i], a[0])
			} else {
				row[i] = math.FMA(mean[1], rise[i], row[i])
				end := math.FMA(decay*dt, rise[i], float64(decay*cur[i]))
				if l.spec.OnGrid {
					rise[i] = math.FMA(decay, rise[i], float64(a[0]*(math.E/rc.tau)))
				} else {
					rise[i] = math.FMA(decay, rise[i], a[0])
					end += a[1]
				}
				cur[i] = end
			}
			if rc.width > 1 {
				row[i] += a[rc.width-1]
			}
			for m := range a {
				a[m] = empty
			}
		}
	}
	if len(o.gated) > 0 {
		o.receiveGates(r)
		o.one.block(o.gated)
	}
	for i, per := range o.per {
		if rate := float64(per * o.g[i]); !(float64(rate*dt) < stable) {
			const text = "neuron %d: the conductance %.4g at %.6g ms is too large for steps of %g ms; --dt %.2gms would do"
			return fmt.Errorf(text, o.first+i, o.g[i], float64(k)*dt, dt, 0.5*stable/rate)
		}
	}
	if o.jumps != nil {
		o.jumps.start(r, k)
	}
	o.events = o.shard.Advance(o.worker, k, 1, kernels.Drive{Row: o.row, G: o.g}, false, o.events[:0])
	if o.jumps != nil {
		var err error
		if o.events, err = o.jumps.finish(r, k, o.events); err != nil {
			return err
		}
	}
	for _, e := range o.events {
		theta := e.Theta
		if l.spec.OnGrid {
			theta = 1
		}
		r.out = append(r.out, spike{int32(o.first) + e.Lane, int32(o.population), theta})
	}
	if o.adder != nil {
		o.fired = o.adder.Step(k, 1, r.white[lo:lo+o.n], o.fired[:0])
		for _, l := range o.fired {
			r.out = append(r.out, spike{int32(o.first) + l, int32(o.population), 1})
		}
	}
	return o.look(k)
}
