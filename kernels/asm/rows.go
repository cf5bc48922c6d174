package asm

// The kernels over rows advance many lanes of a network by several steps. Columns have one value per lane; a row holds
// one value per lane for each step, that of step k and lane l at k·Stride + l. Coefficients lie in groups: that of lane
// l is Coef[l/Group·CoefStride + j][l%Group], so that with a stride of 0 all groups have the same. Lanes is a multiple
// of Group.

// EmptyRow is the value in rows without arrivals. It is not 0 so that a current that decays never becomes subnormal.
const EmptyRow = 1e-290

// LIFRowsBlock is the argument of the LIFRows kernels, which advance LIF neurons whose arrivals and spikes are at ends
// of steps.
type LIFRowsBlock struct {
	Lanes, Steps int
	First        float64   // number of step 0
	V, Wake      []float64 // state; Wake is the number of the first step in which V moves
	Coef         []Column  // by LIFRowsVInf and so on
	CoefStride   int
	Alike        bool // all lanes have the coefficients of lane 0; nothing but the speed depends on it

	Drive       []float64 // row: what currents add to V in a step
	DriveStride int
	Jump        []float64 // row: what is added to V at the end of a step; emptied as it is read
	JumpStride  int

	Fired       []uint8 // out: bit l%8 of Fired[k·FiredStride + l/8] is 1 if lane l fired at the end of step k
	FiredStride int
}

// Coefficients of the LIFRows kernels.
const (
	LIFRowsVInf   = iota // V_rest + R I
	LIFRowsKeep          // 1 - exp(-dt/tau)
	LIFRowsVTh           //
	LIFRowsVReset        //
	LIFRowsHold          // t_ref in steps
	LIFRowsCoefs
)

// LIFExpRowsBlock is the argument of the LIFExpRows kernels, which advance LIF neurons and exponential currents as
// ExpRows and LIFRows with Drive do one after the other.
type LIFExpRowsBlock struct {
	Lanes, Steps int
	First        float64   // number of step 0
	V, Wake      []float64 // as in LIFRowsBlock
	Coef         []Column  // by LIFRowsVInf and so on; then what a current of 1 gives in a step, of each
	CoefStride   int
	Alike        bool // as in LIFRowsBlock

	Current, Current2     []float64 // the second of LIFExpRows2 alone, like Row2 and Decay2
	Row, Row2             []float64 // emptied as they are read
	RowStride, Row2Stride int
	Decay, Decay2         float64 // exp(-dt/tau_s)

	Fired       []uint8 // as in LIFRowsBlock
	FiredStride int
}

// CurrentRowsBlock is the argument of the kernels of synaptic currents: in each step they add the contribution of the
// current to Drive, multiply the current by its decay, and add the arrivals.
type CurrentRowsBlock struct {
	Lanes, Steps  int
	Current, Rise []float64 // state; Rise of alpha currents: the current's rise, 1/ms
	Coef          []Column  // what a current, and a rise, of 1 gives in a step
	CoefStride    int
	Decay         float64 // exp(-dt/tau_s)
	DecayDt       float64 // alpha: Decay dt
	Scale         float64 // alpha: the rise by an arrival of 1

	Row         []float64 // emptied as it is read
	RowStride   int
	Drive       []float64
	DriveStride int
}

// NoisyLIFBlock is the argument of the NoisyLIF kernels: steps of LIF neurons with white noise. With a = VTh - V before
// a step and b = VTh - V after it, a lane has an event if a b is no more than Far: then its path may cross the
// threshold. One that is above it before step 0, where a is 0 instead, or comes above it in some step has an event in
// that step, and later ones mean nothing. In steps up to and with number Wake a lane keeps V and has no event.
type NoisyLIFBlock struct {
	Lanes, Steps int
	First        float64   // number of step 0
	V            []float64 // state: V after the steps as if the threshold were not crossed
	Gap          []float64 // out: VTh - V after the steps
	Wake         []float64 // number of the last step in which V is kept
	Coef         []Column  // by NoisyLIFKeep and so on
	CoefStride   int
	Alike        [NoisyLIFCoefs]float64 // NoisyLIFAlike and NoisyLIFSteady: the coefficients of all lanes
	Goal         float64                // NoisyLIFSteady: VInf of all lanes in all steps

	VInf       []float64 // row: V_rest + R I
	VInfStride int
	Z          []float64 // row: standard normal numbers; out: a of the step
	ZStride    int

	Fired       []uint8 // out: bit l%8 of Fired[k·FiredStride + l/8] is set where lane l has an event in step k
	FiredStride int
}

// Coefficients of NoisyLIF.
const (
	NoisyLIFKeep = iota // 1 - exp(-dt/tau)
	NoisyLIFVTh
	NoisyLIFSD // of V after a step
	NoisyLIFFar
	NoisyLIFCoefs
)
