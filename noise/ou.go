package noise

import (
	"math"

	"popsim/kernels"
	"popsim/rng"
)

// OU is the law of an Ornstein-Uhlenbeck process of mean 0 and variance 1 over a step: its values at both ends and its
// mean between them are drawn from their joint law, which is exact for any step.
type OU struct {
	decay  float64 // over a step
	kick   float64 // standard deviation of the independent part at the end of a step
	shared float64 // the mean over a step is shared (z0 + z1) + spread n
	spread float64
}

// NewOU is the law for steps of dt ms and a correlation time of tau ms.
func NewOU(tau, dt float64) OU {
	// Of the mean over a step, given both ends, the expectation is their sum times (tau/dt) tanh(dt/2tau), and the
	// variance 2 (tau/dt) (1 - (2 tau/dt) tanh(dt/2tau)).
	x := dt / tau
	e := kernels.Expm1(x)
	th := 1.0 // tanh(x/2)
	if !math.IsInf(e, 1) {
		th = e / (e + 2)
	}
	q := OU{decay: kernels.Exp(-x), kick: math.Sqrt(-kernels.Expm1(-2 * x)), shared: th / x}
	q.spread = math.Sqrt(max(0, 2/x*(1-float64(2/x*th))))
	if x < 1e-2 { // the difference cancels: its series
		q.spread = math.Sqrt(x / 6 * (1 - x*x/10))
	}
	return q
}

// OUs are the processes of consecutive neurons.
type OUs struct {
	law  OU
	Z    []float64 // state at the start of the next step
	rows *Rows
}

// NewOUs makes the processes of the neurons that have the numbers ids in the streams, in their stationary state at step
// 0. Streams of different names are independent.
func NewOUs(law OU, seed uint64, name string, ids []uint32) *OUs {
	q := &OUs{law: law, Z: make([]float64, len(ids)), rows: NewRows(rng.NewStream(seed, name), ids)}
	start := rng.NewStream(seed, name+", start")
	for l, id := range ids {
		q.Z[l] = rng.Normal32(start.At(id, 0)[0])
	}
	return q
}

// Step adds the mean of the processes over step k, times size, to row, and advances them to the end of the step.
func (q *OUs) Step(isa kernels.ISA, row []float64, size float64, k int64) {
	kicks, spreads := q.rows.Row(isa, 2*k), q.rows.Row(isa, 2*k+1)
	c, n := q.law, 0
	if isa != kernels.Go {
		n = len(q.Z) / kernels.OUTogether * kernels.OUTogether
	}
	if n > 0 {
		kernels.OUStep(isa, &kernels.OUBlock{
			Lanes: n, Z: q.Z, Kicks: kicks, Spreads: spreads, Row: row,
			Decay: c.decay, Kick: c.kick, Shared: c.shared, Spread: c.spread, Size: size,
		})
	}
	for l := n; l < len(q.Z); l++ {
		z := q.Z[l]
		end := math.FMA(c.decay, z, float64(c.kick*kicks[l]))
		mean := math.FMA(c.spread, spreads[l], float64(c.shared*(z+end)))
		row[l] = math.FMA(size, mean, row[l])
		q.Z[l] = end
	}
}
