package noise

import (
	"fmt"
	"math"
	"slices"

	"popsim/kernels"
	"popsim/kernels/asm"
	"popsim/model"
)

// Defined returns an error if there is no white noise on V of a model.
func Defined(m *model.Model) error {
	switch {
	case m.Fires != model.Reset && m.Index("C") < 0:
		return fmt.Errorf("%s has no capacitance C by which white noise is defined", m.Name)
	case m.Fires == model.Reset && !slices.Contains(model.All, m):
		return fmt.Errorf("white noise on own equations with a reset is not available")
	}
	return nil
}

// PerStep is the standard deviation of the change of V, in a step of dt ms, of a neuron of m with parameters p by white
// noise of sigma 1 alone.
func PerStep(m *model.Model, p func(name string) float64, dt float64) float64 {
	if m.Fires == model.Reset {
		return math.Sqrt(dt / p("tau"))
	}
	return math.Sqrt(dt) / p("C")
}

// Adder adds white noise to V of the neurons of a shard after each step that its kernel makes. A neuron that resets
// and reaches its threshold by the noise spikes at the end of the step: for eif and adex, whose threshold is a cut-off
// far above V_T, this is accurate enough, as the upstroke has begun before.
type Adder struct {
	columns *kernels.Shard
	size    []float64 // of V in a step, for sigma 1
	sigma   float64   // that of block

	// The kernel of noisy LIF without a leak adds the noise, and marks lanes that end above their threshold.
	block asm.NoisyLIFBlock
	list  asm.BitListBlock

	// of models that reset; else nil
	threshold, reset, b, hold []float64 // b: what a spike adds to w; hold in steps
	y                         []float64
}

// NewAdder returns the Adder of the neurons of columns, the neurons from number first on of a population of m with
// parameters p.
func NewAdder(columns *kernels.Shard, m *model.Model, p []kernels.Values, first int) *Adder {
	q := &Adder{columns: columns, size: make([]float64, columns.N), y: make([]float64, len(m.States))}
	resets := m.Fires == model.Reset
	if resets {
		q.threshold, q.reset = make([]float64, columns.N), make([]float64, columns.N)
		q.b, q.hold = make([]float64, columns.N), make([]float64, columns.N)
	}
	for l := range q.size {
		at := func(name string) float64 {
			if j := m.Index(name); j >= 0 {
				return p[j].At(first + l)
			}
			return 0
		}
		q.size[l] = PerStep(m, at, columns.Dt)
		if resets {
			q.threshold[l], q.reset[l], q.b[l], q.hold[l] = at("V_th"), at("V_reset"), at("b"), at("t_ref")/columns.Dt
		}
	}
	q.makeBlock()
	return q
}

// makeBlock makes the argument of the kernel: V is kept but for the noise, and the bound of an event is 0.
func (q *Adder) makeBlock() {
	groups := (len(q.size) + kernels.Group - 1) / kernels.Group
	lanes := groups * kernels.Group
	q.block = asm.NoisyLIFBlock{
		Lanes: lanes, Steps: 1, V: q.columns.Y[0][:lanes], Gap: make([]float64, lanes), Wake: q.columns.Wake,
		Coef: make([]asm.Column, groups*asm.NoisyLIFCoefs), CoefStride: asm.NoisyLIFCoefs,
		VInf: make([]float64, lanes), Z: make([]float64, lanes), Fired: make([]uint8, lanes/8), FiredStride: lanes / 8,
	}
	if q.columns.Wake == nil {
		q.block.Wake = slices.Repeat([]float64{math.Inf(-1)}, lanes)
	}
	for l := range lanes {
		threshold := math.Inf(1)
		if l < len(q.threshold) {
			threshold = q.threshold[l]
		}
		q.block.Coef[l/kernels.Group*asm.NoisyLIFCoefs+asm.NoisyLIFVTh][l%kernels.Group] = threshold
	}
	q.list = asm.BitListBlock{
		Rows: 1, Words: lanes / 64, Bits: q.block.Fired, List: make([]asm.BitPlace, lanes+kernels.Group),
	}
}

// Step adds sigma times the standard normal numbers z to V after step k, and appends the lanes that it makes spike
// to fired.
func (q *Adder) Step(k int64, sigma float64, z []float64, fired []int32) []int32 {
	isa, b := q.columns.ISA(), &q.block
	if sigma != q.sigma {
		q.sigma = sigma
		for l, size := range q.size {
			b.Coef[l/kernels.Group*asm.NoisyLIFCoefs+asm.NoisyLIFSD][l%kernels.Group] = sigma * size
		}
	}
	copy(b.Z, z)             // the kernel overwrites them
	b.First = float64(k + 1) // a lane with Wake of k+1 or more is held to the end of the step
	kernels.NoisyLIF(isa, b)
	if q.threshold == nil {
		return fired
	}
	kernels.ListBits(isa, &q.list)
	for _, place := range q.list.List[:q.list.N] {
		if l := int(place); b.V[l] >= q.threshold[l] { // one row: the place is the lane, also beyond 1<<16
			q.spike(l, k)
			fired = append(fired, int32(l))
		}
	}
	return fired
}

// spike resets lane l after a spike at the end of step k.
func (q *Adder) spike(l int, k int64) {
	q.columns.State(l, k+1, q.y)
	q.y[0] = q.reset[l]
	if len(q.y) > 1 {
		q.y[1] += q.b[l]
	}
	q.columns.Enter(l, k+1, q.y)
	whole := math.Floor(q.hold[l])
	q.columns.Wake[l], q.columns.Rem[l] = float64(k+1)+whole, 1-(q.hold[l]-whole)
}
