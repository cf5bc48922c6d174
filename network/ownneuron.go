package network

import (
	"math"

	"popsim/model"
)

// ownNeuron is a neuron of a segment with equations of the user's own, one at a time.
type ownNeuron struct {
	o        *otherSegment
	spec     *Population
	p, y, dy []float64 // parameters, states, derivatives
}

func newOwnNeuron(o *otherSegment, p *Population) *ownNeuron {
	n := len(p.Model.States)
	return &ownNeuron{o, p, make([]float64, len(p.P)), make([]float64, n), make([]float64, n)}
}

// load reads the parameters and the state of lane i.
func (n *ownNeuron) load(i int) {
	for k, v := range n.spec.P {
		n.p[k] = v.At(n.o.offset + i)
	}
	for k := range n.y {
		n.y[k] = n.o.shard.Y[k][i]
	}
}

// slope writes the derivatives at n.y with the input of lane i in this step.
func (n *ownNeuron) slope(i int) {
	current := n.o.row[i]
	if n.spec.I != nil {
		current += n.spec.I.At(n.o.offset + i)
	}
	if n.o.g != nil {
		current = math.FMA(-n.o.g[i], n.y[0], current)
	}
	n.spec.Model.Deriv(n.p, current, n.y, n.dy)
}

// held reports whether V of lane i is held for as many steps or more.
func (n *ownNeuron) held(i int, steps float64) bool {
	return n.spec.Model.Fires == model.Reset && len(n.o.shard.Y) > len(n.y) && n.o.shard.Y[len(n.y)][i] >= steps
}

// ownGated is a receptor of NMDA of neurons with equations of the user's own.
type ownGated struct {
	receptor int
	e, mg    float64
	mean     []float64 // of the conductance without block over the step
}

// block adds the conductances of NMDA to those of the step, and times the reversal potential to the row of currents.
// Magnesium blocks them as at the potential in the middle of the step, which keeps order 2: V half a step on by its
// derivative at the start.
func (n *ownNeuron) block(gated []ownGated) {
	o := n.o
	for i := range o.n {
		open := false
		for j := range gated {
			open = open || gated[j].mean[i] != 0
		}
		if !open {
			continue
		}
		n.load(i)
		v := n.y[0]
		g, row := o.g[i], o.row[i]
		add := func(at float64) {
			o.g[i], o.row[i] = g, row
			for j := range gated {
				part, _ := magnesium(at, gated[j].mg)
				x := float64(part * gated[j].mean[i])
				o.g[i] += x
				o.row[i] = math.FMA(gated[j].e, x, o.row[i])
			}
		}
		add(v)
		if n.held(i, 1) {
			continue
		}
		n.slope(i)
		add(math.FMA(o.shard.Dt/2, n.dy[0], v))
	}
}
