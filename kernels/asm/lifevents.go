package asm

// LIFConductEventsBlock is the argument of LIFConductEvents, which solves steps of LIF neurons into which nothing comes
// but two exponential conductances, without arrivals in the step, or the part of it from 1 - Part on. U is V - E2 at
// the begin of that part, S1 and S2 are the conductances at the begin of the step; the rest is as in
// LIFConductStepBlock.
//
//	End = V - E2 at the end of the step
//	At  = the fraction of the part after which V reaches V_th; 2 if it does not
type LIFConductEventsBlock struct {
	Lanes          int       // a multiple of 8, at most SumsLanes
	Sums           []float64 // columns by ConductU and so on, SumsStride apart
	By1, By2, Span float64   // -dt/tau of the conductances, not below -ConductBy; as in LIFConductStepBlock
	Fired          []uint8   // out: bit l%8 of Fired[l/8] is set where lane l is not solved
}

// Columns of LIFConductEventsBlock; the last two are results.
const (
	ConductU = iota
	ConductS1
	ConductS2
	ConductPer
	ConductX
	ConductY
	ConductRoom
	ConductPart
	ConductEnd
	ConductAt
	ConductColumns
)

// Constants of LIFConductEvents.
const (
	ConductTerms  = 11    // of the series
	ConductTerm   = 1e-11 // mV: the largest of the last two terms, else a lane is not solved
	ConductNewton = 4     // steps of Newton's method
	ConductRoot   = 1e-10 // the largest last one, as a fraction of Part
	ConductBy     = 1.0   // the largest dt/tau
)
