package network

import (
	"math"

	"popsim/kernels"
	"popsim/noise"
)

// otherSegment holds the neurons of a segment that are not LIF and take only currents: the kernels of their model
// advance them by the mean of the synaptic current over each step, which keeps order 2.
type otherSegment struct {
	segment
	shard     *kernels.Shard
	worker    *kernels.Worker
	receptors []int       // of its class
	mean      [][]float64 // of a current of 1 at the start of a step, of a rise of 1, over the step; by receptor
	row       []float64
	events    []kernels.Event
	shaker    *noise.Shaker // with white noise; else nil
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
	o.row = make([]float64, (seg.n+kernels.Group-1)/kernels.Group*kernels.Group)
	for c := range l.receptors {
		if rc := &l.receptors[c]; rc.class == l.classOf[seg.population] {
			o.receptors = append(o.receptors, c)
			o.mean = append(o.mean, []float64{phi(dt / rc.tau), dt * psi(dt/rc.tau)})
		}
	}
	if r.white != nil {
		o.shaker = noise.NewShaker(o.shard, p.Model, p.P, seg.offset)
	}
	y, q := make([]float64, len(p.Model.States)), make([]float64, len(p.P))
	for i := range seg.n {
		g := seg.offset + i
		for j, v := range p.P {
			q[j] = v.At(g)
		}
		p.Model.Initial(q, y)
		for j, v := range p.Start {
			if v != nil {
				y[j] = v.At(g)
			}
		}
		o.shard.Enter(i, 0, y)
		r.startSynaptic(p, g, seg.base+i, o.receptors)
	}
	return o, nil
}

// startSynaptic sets the synaptic variables of a lane, neuron g of population p, at t = 0.
func (r *shard) startSynaptic(p *Population, g, lane int, receptors []int) {
	l := r.net.layout
	for _, c := range receptors {
		rc := &l.receptors[c]
		if v := p.Synaptic[l.spec.Synapses[rc.synapse].Name]; v != nil && rc.kind != Delta && rc.kind != NMDA {
			if x := v.At(g); l.spec.OnGrid || rc.kind.conductance() || x < 0 == rc.negative {
				r.s[c][lane] = x
			}
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
	for j, c := range o.receptors {
		rc := &l.receptors[c]
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
	o.events = o.shard.Advance(o.worker, k, 1, kernels.Drive{Row: o.row}, false, o.events[:0])
	for _, e := range o.events {
		theta := e.Theta
		if l.spec.OnGrid {
			theta = 1
		}
		r.out = append(r.out, spike{int32(o.first) + e.Lane, int32(o.population), theta})
	}
	if o.shaker != nil {
		o.fired = o.shaker.Step(k, 1, r.white[lo:lo+o.n], o.fired[:0])
		for _, l := range o.fired {
			r.out = append(r.out, spike{int32(o.first) + l, int32(o.population), 1})
		}
	}
	return o.look(k)
}
