package asm

// GateNodes is the number of nodes of the quadrature formula of Gates.
const GateNodes = 3

// IdleGate is the x below which a gate only decays, LeastGate the s below which it is closed.
const (
	IdleGate  = 1e-14
	LeastGate = 1e-200
)

// GatesBlock is the argument of Gates, a step of NMDA's gates x and s without arrivals. NextX and NextS are those at
// its end; End, Mean and Tilt are the value at the end, the mean and the rise of the line with the same mean and first
// moment, less what they would be if s only decayed: 0 where x is 0.
type GatesBlock struct {
	Lanes                   int
	X, S, NextX, NextS      []float64
	End, Mean, Tilt         []float64
	Alpha, Rise             float64            // 1/ms, ms
	Weights, Gaps, Lefts    [GateNodes]float64 // of each node
	Gap, Left               float64            // the same of the step's start
	Decay, PerMean, PerTilt float64            // of an s of 1 that decays
	Fall                    float64            // exp(-dt/tau_rise)
	Leak                    float64            // -1/tau_decay
	Bend, Twist             float64            // dt/12, -dt/10
}

// NMDABlock is the argument of the ConductNMDA kernels: as ConductBlock, for conductances S before their block by
// magnesium, but G, J, GTilt and JTilt are set. Open is the part of the channels that is not blocked at the threshold.
type NMDABlock struct {
	Lanes                   int
	End, Mean, Tilt         []float64
	S, Next                 []float64
	G, J, GTilt, JTilt      []float64
	V, Up, Open             []float64
	Decay, PerMean, PerTilt float64
	E                       float64
}
