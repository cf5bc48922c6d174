package asm

// HHTMConductBlock is the argument of the HHTMConduct kernels, which advance hhtm neurons and their exponential
// conductances by a step whose arrivals and spikes are at its end, as Conduct of each conductance and HHTMCoupledStrang
// do one after the other. Rows are emptied.
type HHTMConductBlock struct {
	Lanes        int // a multiple of Group
	V, M, H, N   []float64
	Coef         []Column // by HHTMConductPer and so on
	CoefStride   int
	Dt, Half     float64 // dt/2
	S1, Row1     []float64
	Decay1       float64 // as in ConductBlock
	PerMean1, E1 float64
	S2, Row2     []float64 // those of the second conductance: HHTMConduct2 alone
	Decay2       float64
	PerMean2, E2 float64
	// Out: bit l%8 of Fired[l/8*2] is set where V of lane l is at VTh or above it; that of the next
	// byte where V is not between -BlownUp and BlownUp.
	Fired []uint8
}

// Coefficients of HHTMConduct: see CoupledCoefs.
const (
	HHTMConductPer = iota
	HHTMConductRate
	HHTMConductDrive
	HHTMConductVTh
	HHTMConductNa
	HHTMConductK
	HHTMConductENa
	HHTMConductEK
	HHTMConductShift
	HHTMConductCoefs
)
