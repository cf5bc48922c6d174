package asm

import "unsafe"

// Group is the number of neurons a kernel advances in one call: eight vectors of AVX-512, sixteen of AVX2. Columns are
// padded to whole groups, so kernels have no tails.
const Group = 64

// Chunk is the largest number of steps after which LIF kernels test for spikes.
const Chunk = 16

// LIFSpikes is how many spikes one call of a LIF kernel may find; Room is at most that.
const LIFSpikes = 384

// EventSlack is how many events a kernel may write behind Room.
const EventSlack = 8

// MaxSteps is the most steps from one call to the next of a kernel; Steps goes up to its multiples.
const MaxSteps = 1024

// Column is one quantity of the neurons of a group, a value per lane.
type Column [Group]float64

// MaxCoef is the most coefficients any kernel takes.
const MaxCoef = 25

// Coefs are the constants of a step, folded from parameters and dt: coefficient j of lane l is Coefs[j][l].
type Coefs [MaxCoef]Column

// Block is the argument of every kernel: it advances one group from the vectors at lane Lane of step Step to the end
// of step Steps-1. A kernel returns either when all is done, with Rare = 0, or early, when lanes of the vectors just
// advanced need what vectors do not do (a spike, the end of a refractory period). Then bit l of Rare is set for each
// such lane l of the group, Old holds the state those vectors had before the step, Y their state after it, and Step
// and Lane point behind them (Lane 0 of the next step after the last vectors), so that calling the kernel again goes
// on. Columns are 64-byte aligned and do not overlap.
type Block struct {
	Y     [4]*Column // state
	Wake  *Column    // models that reset: number of the step in which V moves again
	Level *Column    // models that cross: the potential whose upward crossing is the next spike
	Coef  *Coefs
	Old   *[4]Column // out, see above

	// Driven kernels only: the lowest and highest V after a step (in and out), and the input. The current of step k in
	// lane l is fma(gain[l], Wave[k], I[l]) + Row[k·RowStride + l], Wave holds Steps values, RowStride counts values.
	Lo, Hi    *Column
	Wave      []float64
	Row       []float64
	RowStride int

	// LIF and flow only, whose kernels finish usual spikes themselves: the part of step Wake that is left when V moves, and
	// where to append to the Count events there are (lane and step, int32, and Theta, float64); the first lane of the
	// group has number LaneZero there. A kernel stops early when fewer than Group would fit between Count and Room.
	Rem                   *Column
	Events                unsafe.Pointer
	Count, Room, LaneZero int

	First   float64 // number of step 0
	Steps   int
	Lanes   int // how many lanes of the group to advance, usually Group; kernels round up to what they do at a time
	Step    int // in and out: the step in hand
	Lane    int // in and out: the first lane of the first vector not yet advanced in it
	Rare    uint64
	Substep *Column   // out, RHH substeps only: the number of the substep in which a lane crossed its level
	Cut     [2]uint64 // out, RHH cut-rk4 only: lanes whose step is to be cut into four pieces or more, and into eight; its kernel does just the whole step in hand
	Next    *Block    // RHH cut-rk4 only: another group, which its kernel takes through its step in hand as well, or nil

	Ahead []*Column // in and out, LIF only: columns of the next group; its kernels prefetch one of them in each chunk, the last first

	Log   *[2 * Chunk]Column // LIF: V within a chunk of steps (without input, before every second), then V_inf; flow: notes on rare lanes
	Chunk int                // LIF only: how many steps go together; out: over how many, up to Step, rare lanes go from Old on

	Fired *[MaxSteps]uint64 // euler only, out: bit l of Fired[k%MaxSteps] says whether lane l fired at the end of step k
}

// LIFFar is the V_inf (mV) from which on V_inf + V_inf may overflow: spikes on the way to it are located by a logarithm in Go.
const LIFFar = 1e300

// Coefficients of the LIF step; from LIFR on those of driven kernels only.
const (
	LIFVInf = iota // V_rest + R I
	LIFK           // 1 - exp(-dt/tau)
	LIFVTh
	LIFVReset
	LIFSteps    // tau/dt
	LIFPart     // dt/tau
	LIFHold     // whole steps in t_ref
	LIFHoldPart // and the rest of it, as part of a step
	LIFAfter    // exp(LIFPart LIFHoldPart) - 1
	LIFLater    // exp(LIFPart (LIFHoldPart - 1)) - 1
	LIFR
	LIFVRest
	LIFI
	LIFGain
	LIFCoefs
)

// Coefficients of the EIF and AdEx steps. What V gains in a step is counted in units of delta_T, by euler in mV: drift C (V_inf - V - R w)
// and exponential are C (V_rest - V + R (I - w)) and exp2(Slope V + Shift). From FlowRest on they are used by driven kernels only.
const (
	FlowSlope    = iota // 1/(delta_T ln 2)
	FlowShift           // log2(C delta_T) - V_T/(delta_T ln 2)
	FlowC               // dt/(tau unit)
	FlowDrive           // C (V_rest + R I)
	FlowRC              // R C
	FlowDeltaT          //
	FlowVTh             //
	FlowVReset          //
	FlowB               //
	FlowHold            // whole steps in t_ref
	FlowHoldPart        // and the rest of it, as part of a step
	FlowSinkW           // -R C m, m = 1 - (1 - exp(-dt/tau_w))/(dt/tau_w); euler: 1 - dt/tau_w
	FlowSinkV           // a R C m; euler: a dt/tau_w
	FlowSink            // -a R C m V_rest; euler: -a V_rest dt/tau_w
	FlowSlow            // (1 + a R m) C delta_T
	FlowFall            // (1 + a R (m - (dt/tau_w)/6)) C delta_T
	FlowWSink           // (1 - exp(-dt/tau_w))/(R C m)
	FlowWGain           // a (1 - exp(-dt/tau_w) + (dt/tau_w)²/6) delta_T
	FlowA               //
	FlowAVRest          // -a V_rest
	FlowS               // dt/tau_w
	FlowGrow0           // exp2(Slope V_reset + Shift)
	FlowRest            // C V_rest
	FlowI               //
	FlowGain            //
	FlowCoefs
)

// Coefficients of the Hodgkin-Huxley steps, HH and RHH; from HHPerC on those of driven kernels only.
const (
	HHNa    = iota // g_Na/C
	HHK            // g_K/C
	HHL            // g_L/C
	HHENa          //
	HHEK           //
	HHDrive        // (g_L E_L + I)/C
	HHDt           //
	HHHalf         // dt/2
	HHSixth        // dt/6
	HHNegDt        // -dt
	HHVTh          //
	HHRearm        // V_th - 20 mV
	HHSum          // n_plus_h
	HHCut          // RHH cut-rk4: what |dV/dt| dt may be, mV; beyond twice that a step is cut into eight
	HHShift        // hhtm: (V_T + 15 mV)/720 mV
	HHPerC         // 1/C
	HHLeak         // g_L E_L/C
	HHI            //
	HHGain         //
	HHCoefs
)

// HandBack ends a call of a kernel written in Go whose lanes rare are in an event step; Lane already points behind them.
func (b *Block) HandBack(rare uint64) {
	b.Rare = rare
	if b.Lane >= b.Lanes {
		b.Lane = 0
		b.Step++
	}
}
