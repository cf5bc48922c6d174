package network

import (
	"fmt"
	"math"

	"popsim/kernels/asm"
)

// blownUp is the |V| (mV) above which a run is taken to have blown up.
const blownUp = asm.BlownUp

// BlownUp is the error of a run in which V of a neuron became NaN, infinite or larger than blownUp.
type BlownUp struct {
	Neuron int
	Time   float64 // ms: when it was found
	V      float64
	Inputs string // what it received
}

func (e *BlownUp) Error() string {
	return fmt.Sprintf("V of neuron %d is %g mV at %.6g ms, with %s; try a smaller dt", e.Neuron, e.V, e.Time, e.Inputs)
}

// lookEvery is the number of steps between two checks of V of LIF neurons. Their steps are cheap, so a check of each
// would cost much; a V that is NaN or infinite stays so.
const lookEvery = 64

// CheckV returns a BlownUp error if V of a LIF neuron has blown up. It is for the end of a run, as Run does not check V
// of LIF neurons in each step.
func (n *Network) CheckV() error {
	for _, r := range n.ranges {
		if err := r.lookAt(n.step); err != nil {
			return err
		}
	}
	return nil
}

// look returns a BlownUp error if V of a LIF neuron has blown up; it checks in steps k to end-1 that are due by
// lookEvery.
func (r *shard) look(k, end int64) error {
	if end/lookEvery == k/lookEvery {
		return nil
	}
	return r.lookAt(end)
}

// lookAt returns a BlownUp error if V of a LIF neuron has blown up before step end.
func (r *shard) lookAt(end int64) error {
	for _, s := range r.lif {
		for i, v := range r.v[s.base : s.base+s.n] {
			if math.Abs(v) < math.Inf(1) {
				continue
			}
			lane := s.base + i
			inputs := fmt.Sprintf("V_rest + R I %g", s.vInf[i])
			for _, c := range s.receptors {
				if rc := &r.net.layout.receptors[c]; rc.kind != Delta {
					inputs += fmt.Sprintf(", I_%s %.4g", r.net.layout.spec.Synapses[rc.synapse].Name, r.s[c][lane])
				}
			}
			return &BlownUp{s.first + i, float64(end) * r.net.layout.spec.Dt, v, inputs}
		}
	}
	return nil
}

// look returns a BlownUp error if V of a neuron has blown up in step k.
func (o *otherSegment) look(k int64) error {
	for i, v := range o.shard.Y[0][:o.n] {
		if math.Abs(v) < math.Inf(1) {
			continue
		}
		return &BlownUp{o.first + i, float64(k+1) * o.shard.Dt, v, fmt.Sprintf("synaptic and input current %.4g", o.row[i])}
	}
	return nil
}
