package asm

import "unsafe"

// Group is the number of neurons a kernel advances in one call: eight vectors of AVX-512, sixteen of AVX2. Columns
// are padded to whole groups, so kernels have no tails.
const Group = 64

// Chunk is the largest number of steps after which LIF kernels test for spikes.
const Chunk = 16

// LIFSpikes is how many spikes one call of a LIF kernel may find; Room is at most that. It has one for each lane in
// each chunk of MaxSteps.
const LIFSpikes = Group * MaxSteps / Chunk

// LIFLog is the number of columns of a log: V in the steps of a chunk, or before every second step, then V_inf, and
// after 2 Chunk columns, with deferred spikes, four lists of LIFSpikes numbers.
const LIFLog = 2*Chunk + 4*LIFSpikes/Group

// EventSlack is how many events a kernel may write beyond Room.
const EventSlack = 8

// MaxSteps is the largest number of steps of one call of a kernel: a call ends at a multiple of it at the latest.
const MaxSteps = 1024

// Column is one quantity of the neurons of a group, a value per lane.
type Column [Group]float64

// MaxCoef is the largest number of coefficients of a kernel.
const MaxCoef = 25

// Coefs are the constants of a step, folded from parameters and dt: coefficient j of lane l is Coefs[j][l].
type Coefs [MaxCoef]Column

// Block is the argument of the kernels: those of every family, then those of one family each. A kernel advances one
// group from the vectors at lane Lane of step Step to the end of step Steps-1. It returns either when all is done,
// with InEvent = 0, or early, when lanes of the vectors just advanced are in an event step (a spike, the end of a
// refractory period) that vectors do not finish. Then bit l of InEvent is set for each such lane l of the group,
// Scratch.Before holds the state those vectors had before the step, Y their state after it, and Step and Lane point
// to the next vectors (lane 0 of the next step after the last ones), so that calling the kernel again continues.
// Columns are 64-byte aligned and do not overlap.
type Block struct {
	Y       [4]*Column // state
	Coef    *Coefs
	Scratch *Scratch
	First   float64 // number of step 0
	Steps   int
	Lanes   int // number of lanes of the group to advance, usually Group; kernels round it up to whole vectors
	Step    int // in and out: the current step
	Lane    int // in and out: the first lane of the first vector not yet advanced in it
	InEvent uint64

	Resetting
	Crossing
	Spikes
	Input
	LIF
	Flow
	Euler
	CutRK4
	Substepping

	// in and out: columns of the next group; the kernels of LIF prefetch one of them in each chunk, the last first
	Ahead []*Column

	Packed *LIFPacked // of the kernel LIFPacked
	// LIF with AVX2 and a waveform: 0 where LIFPackable refuses a lane, OneSidedShared where lanes differ in their
	// currents alone, else 1
	OneSided int
}

// Resetting is the part of models that reset V.
type Resetting struct {
	Wake *Column // number of the step in which V moves again
}

// Crossing is the part of models that spike by crossing a potential upwards.
type Crossing struct {
	Level *Column // the potential whose upward crossing is the next spike; +Inf until V has been low enough
}

// Spikes is the part of kernels that finish most event steps themselves, those of LIF and of flow.
type Spikes struct {
	Rem      *Column        // the part of step Wake that is left when V moves
	Events   unsafe.Pointer // where to write spikes: lane and step, int32, and Theta, float64
	Count    int            // in and out: spikes written
	Room     int            // a kernel stops early when fewer than Group would fit between Count and Room
	LaneZero int            // number of lane 0 in Events
}

// Input is the part of driven kernels. The current of step k in lane l is fma(gain[l], Waveform[k], I[l]) + Row[k
// RowStride + l].
type Input struct {
	Lo, Hi  *Column // in and out: the lowest and highest V after a step
	Extrema int     // 0: Lo and Hi are not read
	// LIF: V_inf in each step where all lanes have the same, or nil; Chunk numbers more before and behind are read
	// too
	Steady    *float64
	Waveform  []float64 // a value for each step
	Row       []float64
	RowStride int // in values
}

// LIF is the part of LIF.
type LIF struct {
	Log *[LIFLog]Column // scratch
	// in and out: steps of a chunk; lanes in InEvent are advanced by Go from Before on over a chunk that ends at Step
	Chunk int
	Until int // scratch
}

// LIFPacked is the state of the kernels LIFPacked, LIFPackedCurrents and LIFPackedOwn with AVX-512, which take a
// group through a driven call in chunks of half a refractory period at most. No lane at its place in the group is
// compared with Wake. Lanes that cross V_th in chunk c are packed into the slot of that chunk. In the next one they
// take its steps again, which finds their spikes; in the chunks c+lag and c+lag+1, in one of which its refractory
// period ends, each of them begins to move again; then it goes back to its place, whose V meant nothing until then.
// The caller packs the lanes that are refractory when the call begins, and unpacks those that are packed at its end.
//
// With LIFPacked all lanes have the same coefficients, with LIFPackedCurrents all but their currents are the same, with
// LIFPackedOwn lanes may differ in all of PackedCoefs. With the last two the gain is 1, there are no rows, and V_inf of
// each lane stays on one side of V_th.
//
// The kernels return at the end of the call, or before the chunk at Step where there may be no room for spikes; where
// V_inf is so little above V_th that a spike may be unusual; where more lanes spike than a slot holds; and where a lane
// spikes before it goes back to its place. They write all columns of lanes that are not packed, and Wake, Rem and the
// rate of those that spiked.
type LIFPacked struct {
	Slots [PackedSlots]PackedLanes // a ring, all or the first of them: that of a chunk follows that of the chunk before
	None  PackedLanes              // no lanes

	// Scratch, for each spike: Wake, the rate in step Wake, the part of a step in t_ref, then Rem, and 1 if the
	// refractory period ends a step later than Hold.
	Wake, Rate, Part, Late [LIFSpikes + EventSlack]float64

	// Of LIFPackable, which tells whether lanes may be advanced by LIFPackedOwn, and by LIFPackedCurrents: any that
	// may not, and any whose coefficients differ; the least and the most of LIFHold in each place of a vector. Low and
	// High are the range of the waveform.
	Refused, Differs    [8]float64
	HoldLeast, HoldMost [8]float64
	Low, High           float64

	// The input of each step, V_inf or the waveform, and Chunk more numbers before and behind.
	Input *float64

	Chunk int     // steps of a chunk; that at the end of the call may have fewer
	Lag   int     // bytes from the slot of a chunk to that of chunk c+lag
	Ring  int     // the slots in use, a power of two, in bytes, less 1
	Out   uint64  // in and out: lanes that are packed, or never move
	Next  int     // in and out: place of the slot of the next chunk, in bytes
	Fired int     // in and out: place of the slot of the last chunk, or of None
	Near  float64 // V_inf between V_th and this is too close
}

// OneSidedShared is a value of OneSided.
const OneSidedShared = 2

// PackedSlots is the largest number of slots.
const PackedSlots = 16

// PackedLanes is up to eight lanes of a group, in order.
type PackedLanes struct {
	Mask   uint64 // the lanes
	Valid  uint64 // the lowest bits, one for each of them
	Start  int    // number of the first of their spikes in the call
	_      [5]uint64
	V      [8]float64
	Rate   [8]float64 // of the next step
	Wake   [8]float64
	Before [8]float64    // V before the chunk in which they spike
	Lanes  [8]uint64     // their numbers
	Place  [Group]byte   // of each lane, its place here
	Coef   [9][8]float64 // in the order of PackedCoefs, those that differ from lane to lane
	_      [128]uint64
}

// PackedCoefs lists the coefficients that packed lanes may have.
var PackedCoefs = [...]int{
	LIFK, LIFVTh, LIFVReset, LIFHold, LIFAfter, LIFLater, LIFR, LIFVRest, LIFI,
}

// Flow is the part of flow.
type Flow struct {
	EventStep *[12]Column // scratch of event steps
}

// Euler is the part of euler.
type Euler struct {
	Fired *[MaxSteps]uint64 // out: bit l of Fired[k%MaxSteps] says whether lane l fired at the end of step k
}

// CutRK4 is the part of cut-rk4, whose kernel takes several groups through one step.
type CutRK4 struct {
	Cut  [2]uint64 // out: lanes whose step is to be taken in four substeps or more, and in eight
	Next *Block    // the next group, or nil
}

// Substepping is the part of the kernel that takes the lanes cut by CutRK4 through their substeps.
type Substepping struct {
	Substeps int
	Substep  *Column // out: number of the substep in which a lane crossed its level; Scratch holds the states around it
}

// Scratch is the memory a kernel works in. Before and After are read by Go, the rest only within a call.
type Scratch struct {
	Before  [4]Column // states before the current step
	After   [2]Column // Substepping: states after the substep of Before
	InEvent Column    // flow: sign bits set in the lanes in an event step

	// LIF without input:
	LIFAhead  Column // V, or, in a refractory lane, V after the step in which it moves again
	LIFTheta  Column // spike times as parts of a step; with AVX-512 V at the end of the step of the last spike, or NaN
	LIFNumber Column // steps of spikes; with AVX-512 the numbers of the lanes in Events
	LIFLatest Column // first vector only: upper bounds of Wake; with AVX-512 lower bounds of LIFFinal
	LIFFinal  Column // with AVX-512: the last step in which a lane moves
}

// LIFFar is the V_inf (mV) from which on V_inf + V_inf may overflow: spikes on the way to it are located by a
// logarithm in Go.
const LIFFar = 1e300

// A V_inf at most V_th + |V_th| LIFNear + LIFNearLeast is so close to V_th that V of a spike may be rounded to it.
const (
	LIFNear      = 1e-9
	LIFNearLeast = 1e-200
)

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

// Coefficients of the EIF and AdEx steps. What V gains in a step is counted in units of delta_T, by euler in mV:
// drift C (V_inf - V - R w) and exponential are C (V_rest - V + R (I - w)) and exp2(Slope V + Shift). From FlowRest
// on they are used by driven kernels only.
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

// HandBack ends a call of a kernel written in Go whose lanes inEvent are in an event step; Lane already points to the
// next vectors.
func (b *Block) HandBack(inEvent uint64) {
	b.InEvent = inEvent
	if b.Lane >= b.Lanes {
		b.Lane = 0
		b.Step++
	}
}
