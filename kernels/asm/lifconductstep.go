package asm

// LIFConductStepBlock is the argument of LIFConductStep, which advances LIF neurons and two exponential conductances
// by a step with arrivals inside it. E1 is at V_th or above it, E2 below; what arrives is at least 0. Rows hold the
// triples End, Mean and Tilt of the lanes, as in ConductBlock, and are emptied. With
//
//	g1 = Per (PerMean1 S1 + Mean1), tilt1 = PerTilt1 S1 + Tilt1, and g2 and tilt2 likewise
//	x = X - g1 - g2, y = Y + Span g1
//
//	V += (y + x (V - E2)) (exp(x) - 1)/x - Bend (tilt1 (Span x + y) + tilt2 y)
//
// and for all S1 = Decay1 S1 + End1. Lanes with an event are those that begin to move inside the step, may reach V_th,
// or are slow: V stays. Slow are those that move while x is not above ConductStepLo or a conductance not above
// ConductStepLeast. V may not reach V_th where with w = max(V - E2, 0), S2 as before the step
//
//	w + max(y + (x + Per Mean2) w + x min(Y + (X - Per S2) w, 0), 0) + Slack g1 < Room
type LIFConductStepBlock struct {
	Lanes      int     // a multiple of Group
	First      float64 // number of the step
	V          []float64
	Free       []float64 // the number of the step in which V begins to move; plus 1/2 if it does so inside it
	Coef       []Column  // by LIFConductStepPer and so on
	CoefStride int

	E2, Span, Slack            float64 // mV; E1 - E2; (E1 - E2) dt/(4 tau) of the first conductance
	S1, Row1, S2, Row2         []float64
	Decay1, PerMean1, PerTilt1 float64 // as in ConductBlock
	Decay2, PerMean2, PerTilt2 float64

	// Out: conductances and rows before the step, of lanes with an event; those of others may be anything.
	Before1, Kept1, Before2, Kept2 []float64
	// Out: bit l%8 of Fired[l/8*2] is set where lane l has an event; that of the next byte where it is slow.
	Fired []uint8

	Parted [48]float64 // scratch
}

// Coefficients of LIFConductStep.
const (
	LIFConductStepPer  = iota // dt R/tau
	LIFConductStepX           // -dt/tau
	LIFConductStepY           // dt times what drives V - E2, without conductances
	LIFConductStepBend        // Per/12
	LIFConductStepRoom        // V_th - E2
	LIFConductStepCoefs
)

// The least x of LIFConductStep, the relative error of its (exp(x) - 1)/x, and the least conductance at the start of a
// step: below 0, so that what decays to it counts as 0, and so little that no bound is wrong by more than rounding.
const (
	ConductStepLo    = -1.0
	ConductStepError = 1e-12
	ConductStepLeast = -1e-12
)
