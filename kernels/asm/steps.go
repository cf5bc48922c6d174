package asm

// The kernels of one step advance many lanes of a network by a step with arrivals inside it. All their columns start at
// the first lane; Coef and CoefStride are those of the kernels over rows. Drive is what currents add to V at the end of
// the step, Jump what jumps add, Top a bound of what both could add within it.

// LIFStepBlock is the argument of LIFStep: V of lanes without an event is advanced to the end of the step. An event is
// the end of refractoriness inside the step, or a V that may reach the threshold.
type LIFStepBlock struct {
	Lanes            int
	First            float64 // number of the step
	V, Wake          []float64
	VInf             []float64 // V_rest + R I
	Coef             []Column  // by LIFStepKeep and so on
	CoefStride       int
	Drive, Jump, Top []float64
	Fired            []uint8 // out: bit l%8 of Fired[l/8] is set where lane l has an event; its V stays
}

// Coefficients of LIFStep.
const (
	LIFStepKeep = iota // 1 - exp(-dt/tau)
	LIFStepVTh
	LIFStepCoefs
)

// AlphaLIFBlock is the argument of AlphaLIFStep: a step, at most half of every time constant, of LIF neurons with one
// alpha current, of weights of both signs. Arrivals have added to Sums: to the current's rise at the end of the step,
// to the current then, to V/R, and the size of what is negative in that; all four are emptied. An event is a V that may
// reach the threshold.
type AlphaLIFBlock struct {
	Lanes         int // at most SumsLanes
	V             []float64
	VInf          []float64 // V_rest + R I
	Current, Rise []float64 // in and out
	// Out: Current and Rise before the step, of lanes with an event; others may keep what they have.
	Before, RiseBefore     []float64
	Sums                   []float64 // four columns, SumsStride apart
	Coef                   []Column  // by AlphaLIFKeep and so on
	CoefStride             int
	Decay, DecayDt, HalfDt float64 // exp(-dt/tau_s), dt times that, dt/2
	Held                   []uint8 // bit l%8 of Held[l/8] is set where V of lane l does not move in this step
	Fired                  []uint8 // out: bit l%8 of Fired[l/8] is set where lane l has an event; its V stays
}

// SumsLanes is the number of lanes of the columns of sums of a tile, and SumsStride from column to column: not a
// multiple of 4 kB, so that they do not compete for the same lines of the cache.
const (
	SumsLanes  = 8 * Group
	SumsStride = SumsLanes + 8
)

// Coefficients of AlphaLIFStep: those of ExpLIFStep, and one more.
const (
	AlphaLIFKeep     = iota // 1 - exp(-dt/tau)
	AlphaLIFVTh             // mV
	AlphaLIFGain            // what a current of 1 before the step adds to V
	AlphaLIFR               // R
	AlphaLIFMost            // R dt/tau
	AlphaLIFRiseGain        // what a rise of 1 before the step adds to V
	AlphaLIFCoefs
)

// WakingBlock is the argument of Waking: First <= Wake[l] < End.
type WakingBlock struct {
	Lanes      int // a multiple of Group
	Wake       []float64
	First, End float64
	Fired      []uint8 // out: bit l%8 of Fired[l/8] is set where it holds
}

// NoisyCrossBlock is the argument of NoisyCross: the path of a lane that is Before below its threshold at the start of
// a step and After at the end crosses it if one of them is not above 0, or if U < exp(-Most Before After / Far).
type NoisyCrossBlock struct {
	Lanes              int // rounded up to a multiple of 8
	Before, After, Far []float64
	Most               float64
	U                  []float64 // numbers of (0, 1)
	Fired              []uint8   // out: bit l%8 of Fired[l/8] is set where lane l crosses
}

// NoisyPartBlock is the argument of NoisyPart: V of LIF neurons that move through the last Rem of a step of Dt ms, with
// white noise White, to End. A lane has an event if End is not below VTh or its path may have crossed it: if
// 2 (VTh - V) (VTh - End) / (Diffusion Rem Dt) is no more than Most.
type NoisyPartBlock struct {
	Lanes               int // rounded up to a multiple of 8
	Rem, V, VInf, Z     []float64
	Tau, VTh, Diffusion []float64
	Dt, White, Most     float64
	End                 []float64 // out
	Fired               []uint8   // out: bit l%8 of Fired[l/8] is set where lane l has an event
}

// NoisyPassageBlock is the argument of NoisyPassage: Part is where in a step of H ms the path of a lane first reaches
// its threshold, Level below it at the start and After at the end, as noise.PassageTime draws it from the standard
// normal number Y and U of (0, 1).
type NoisyPassageBlock struct {
	Lanes                         int // rounded up to a multiple of 8
	Level, After, Diffusion, Y, U []float64
	H                             float64
	Part                          []float64 // out
}

// OUTogether is the number of lanes to whose multiples OUBlock.Lanes and GoalBlock.Lanes round.
const OUTogether = 32

// OUBlock is the argument of OUStep: with z the state of a process, e = Decay z + Kick Kicks is that at the end of the
// step, and Size (Spread Spreads + Shared (z + e)) is added to Row.
type OUBlock struct {
	Lanes                       int       // a multiple of OUTogether
	Z                           []float64 // in and out
	Kicks, Spreads              []float64 // standard normal numbers
	Row                         []float64 // in and out
	Decay, Kick, Shared, Spread float64
	Size                        float64
}

// GoalBlock is the argument of GoalStep: Goal = Rest + R (I + Row + Gain Wave).
type GoalBlock struct {
	Lanes            int // a multiple of OUTogether
	Row              []float64
	R, Gain, I, Rest []float64
	Wave             float64
	Goal             []float64 // out
}

// CurrentStepBlock is the argument of the kernels of synaptic currents.
type CurrentStepBlock struct {
	Lanes          int
	Current, Rise  []float64 // before the step; Rise of alpha currents
	Next, NextRise []float64 // out, after it
	Coef           []Column  // by CurrentStepGain and so on
	CoefStride     int
	Decay, Growth  float64 // exp(-dt/tau_s) and its inverse
	Dt, DecayDt    float64 // alpha: dt, Decay dt
	// sums over arrivals: of the current at the end of the step (alpha: of the rise), of alpha currents then, of V/R
	End, Slope, Share []float64
	Drive, Top        []float64 // in and out
}

// Coefficients of the kernels of synaptic currents.
const (
	CurrentStepGain = iota // what a current of 1 before the step adds to V
	CurrentStepR           // R
	CurrentStepMost        // R dt/tau
	CurrentStepRise        // alpha: what a rise of 1 before the step adds to V
	CurrentStepCoefs
)

// JumpStepBlock is the argument of JumpStep: Jump += Row, Top += Row Factor, and Row is emptied.
type JumpStepBlock struct {
	Lanes          int
	Row, Jump, Top []float64
	Factor         float64
}

// InstantTerms is the number of terms of a polynomial in the instant of an arrival.
const InstantTerms = 12

// InstantsBlock is the argument of the kernels that add Poisson arrivals: with u = 0.5 - Theta[j] for the up to four
// arrivals of a lane, those with Theta[j] < 1.5, End grows by Weight times the sum of the polynomials Ends in u, Share
// likewise by Shares and Third by Thirds.
type InstantsBlock struct {
	Lanes                          int
	Theta0, Theta1, Theta2, Theta3 []float64
	Ends, Shares, Thirds           [InstantTerms]float64
	Weight                         float64
	End, Share, Third              []float64
}

// PowerTerms is the number of terms of the polynomials that PowerSums takes.
const PowerTerms = 11

// PowerSumsBlock is the argument of PowerSums, which adds Poisson arrivals: with U0 to U3 the offsets of Number of them
// from the middle of the step, and 0 instead of the others, End grows by Weight times the sum of the polynomials Ends
// in the offsets, Share and Third likewise.
type PowerSumsBlock struct {
	Lanes                  int
	U0, U1, U2, U3, Number []float64
	Ends, Shares, Thirds   [PowerTerms]float64
	Weight                 float64
	End, Share, Third      []float64
}

// NoArrival stands for a missing arrival in Theta.
const NoArrival = 2

// PairsBlock is the argument of SplitPairs: First[l], Second[l] = Pairs[2l], Pairs[2l+1], and Pairs is emptied.
type PairsBlock struct {
	Lanes         int
	Pairs         []float64
	First, Second []float64
}

// TriplesBlock is the argument of SplitTriples: First[l], Second[l], Third[l] = Triples[3l], Triples[3l+1],
// Triples[3l+2], and Triples is emptied.
type TriplesBlock struct {
	Lanes                int
	Triples              []float64
	First, Second, Third []float64
}

// ConductBlock is the argument of the Conduct kernels: exponential conductances S over a step, in the middle of which
// arrivals have added End to the value at its end, Mean to the mean and Tilt to the rise of the line with the same mean
// and first moment. Next is S at the end; G and GTilt gain mean and rise, J and JTilt those times E, and Up a bound of
// the current while V is no lower than at the start.
type ConductBlock struct {
	Lanes                   int
	End, Mean, Tilt         []float64
	S, Next                 []float64
	G, J, GTilt, JTilt      []float64
	V, Up                   []float64
	Decay, PerMean, PerTilt float64 // what a conductance of 1 at the start is at the end; its mean and rise
	E                       float64
	Growth                  float64 // 1/Decay
}
