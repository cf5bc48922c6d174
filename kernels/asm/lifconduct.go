package asm

// LIFConductBlock is the argument of the LIFConduct kernels, which advance LIF neurons and their exponential
// conductances by a step whose arrivals and spikes are at its end. For the neurons that move, those with
// Wake <= First,
//
//	x = X + X1 S1 + X2 S2                        -dt times the rate at which V relaxes, its mean over the step
//	y = Y + Y1 S1 + Y2 S2                        dt times what drives V, its mean
//	V += (y + x V) (exp(x) - 1)/x + (J1 S1 + J2 S2) x + (G1 S1 + G2 S2) y
//
// and for all S1 = Decay1 S1 + Row1; Row1 is emptied. Where x is not between ConductLo and ConductHi, or V not above
// -BlownUp, a neuron is slow: V stays, and Before has the conductances before the step.
type LIFConductBlock struct {
	Lanes            int     // a multiple of Group
	First            float64 // number of the step
	V, Wake          []float64
	S1, Row1, S2     []float64 // the second conductance of LIFConduct2 alone
	Row2             []float64
	Before1, Before2 []float64 // out, of lanes that are slow; others may keep what they have
	Coef             []Column  // by LIFConductVTh and so on
	CoefStride       int
	Decay1, Decay2   float64
	// Out: bit l%8 of Fired[l/8*2] is set where V of lane l, which moves, is at VTh or above it; that of the next byte
	// where lane l is slow.
	Fired []uint8
}

// Coefficients of LIFConduct.
const (
	LIFConductVTh = iota
	LIFConductX
	LIFConductY
	LIFConductX1 // of the first conductance; those of the second follow
	LIFConductY1
	LIFConductJ1
	LIFConductG1
	LIFConductCoefs  // of LIFConduct
	LIFConduct2Coefs = LIFConductCoefs + 4
)

// Bounds of x in LIFConduct, and the size of V in mV above which a run is taken to have blown up.
const (
	ConductLo, ConductHi = -1.0, 0.25
	BlownUp              = 1e6
)
