package asm

// LIFConductStepBlock is the argument of the LIFConductStep kernels, which advance LIF neurons and their exponential
// conductances by a step with arrivals inside it, as ConductBounds of each conductance and LIFCoupled do one after the
// other. Rows hold the triples End, Mean and Tilt of the lanes, as in ConductBlock, and are emptied. Lanes with an
// event are those that begin to move inside the step, may reach V_th, or move and relax by Stiff or more: V stays.
type LIFConductStepBlock struct {
	Lanes int     // a multiple of Group
	First float64 // number of the step
	V     []float64
	Free  []float64 // the number of the step in which V begins to move; plus 1/2 if it does so inside it
	Coef  []Column  // by LIFConductStepPer and so on

	CoefStride      int
	Dt, Tilt, Stiff float64 // as in CoupledBlock

	S1, Row1                   []float64
	Decay1, PerMean1, PerTilt1 float64 // as in ConductBlock
	E1, Growth1                float64
	S2, Row2                   []float64 // those of the second conductance: LIFConductStep2 alone
	Decay2, PerMean2, PerTilt2 float64
	E2, Growth2                float64

	// Out: conductances and rows before the step, of lanes with an event; those of others may be anything.
	Before1, Kept1, Before2, Kept2 []float64
	// Out: bit l%8 of Fired[l/8*2] is set where lane l has an event; that of the next byte where it moves and relaxes by
	// Stiff or more.
	Fired []uint8

	Parted [48]float64 // scratch
}

// Coefficients of LIFConductStep: see CoupledCoefs.
const (
	LIFConductStepPer = iota
	LIFConductStepRate
	LIFConductStepDrive
	LIFConductStepVTh
	LIFConductStepCoefs
)
