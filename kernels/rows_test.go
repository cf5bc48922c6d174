package kernels

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"popsim/kernels/asm"
	"popsim/rng"
)

// filler fills columns with numbers that take every way through the kernels: some lanes are held, some wake, some fire.
type filler struct {
	s rng.Stream
	n uint32
}

func (f *filler) number() float64 {
	f.n++
	return f.s.Uniform(f.n, 0)
}

// column is n numbers between low and high.
func (f *filler) column(n int, low, high float64) []float64 {
	c := make([]float64, n)
	for i := range c {
		c[i] = low + float64(f.number()*(high-low))
	}
	return c
}

// coefs is groups of columns of numbers below 1.
func (f *filler) coefs(columns, groups int) []asm.Column {
	c := make([]asm.Column, columns*groups)
	for j := range c {
		copy(c[j][:], f.column(Group, 0, 1))
	}
	return c
}

const (
	rowLanes = 3 * Group
	rowSteps = 7
	lifLanes = 9 * Group // of lifRows: more than take their steps together
)

// lifRows is lanes below and above the threshold, of which some wake in one of the steps.
func (f *filler) lifRows(drive, jump bool) *asm.LIFRowsBlock {
	b := &asm.LIFRowsBlock{
		Lanes: lifLanes, Steps: rowSteps, First: 10, V: f.column(lifLanes, -1, 1), Wake: f.column(lifLanes, 5, 20),
		Coef: f.coefs(asm.LIFRowsCoefs, lifLanes/Group), CoefStride: asm.LIFRowsCoefs,
		Fired: make([]uint8, rowSteps*lifLanes/8), FiredStride: lifLanes / 8,
	}
	for i, w := range b.Wake {
		b.Wake[i] = math.Floor(w)
	}
	if drive {
		b.Drive, b.DriveStride = f.column(rowSteps*lifLanes, -0.1, 0.2), lifLanes
	}
	if jump {
		b.Jump, b.JumpStride = f.column(rowSteps*lifLanes, -0.1, 0.2), lifLanes
	}
	return b
}

// alike gives all lanes the same coefficients, with which some fire: those of asm.LIFRowsBlock and two gains.
func (f *filler) alike() []asm.Column {
	c := make([]asm.Column, asm.LIFRowsCoefs+2)
	for j, x := range []float64{
		asm.LIFRowsVInf: 0.8, asm.LIFRowsKeep: 0.2, asm.LIFRowsVTh: 0.7, asm.LIFRowsVReset: -0.3, asm.LIFRowsHold: 2,
		asm.LIFRowsCoefs: 0.3, asm.LIFRowsCoefs + 1: 0.2,
	} {
		for l := range c[j] {
			c[j][l] = x
		}
	}
	return c
}

func (f *filler) lifExpRows(currents int) *asm.LIFExpRowsBlock {
	q := f.lifRows(false, false)
	b := &asm.LIFExpRowsBlock{
		Lanes: q.Lanes, Steps: q.Steps, First: q.First, V: q.V, Wake: q.Wake, Fired: q.Fired, FiredStride: q.FiredStride,
		Coef: f.coefs(asm.LIFRowsCoefs+currents, lifLanes/Group), CoefStride: asm.LIFRowsCoefs + currents,
		Current: f.column(lifLanes, -0.1, 0.1), Row: f.column(rowSteps*lifLanes, -0.1, 0.05), RowStride: lifLanes,
		Decay: 0.7,
	}
	for j := asm.LIFRowsVReset; j < len(b.Coef); j += b.CoefStride {
		for l := range b.Coef[j] {
			b.Coef[j][l]-- // below all thresholds
		}
	}
	if currents == 2 {
		b.Current2 = f.column(lifLanes, -0.1, 0.1)
		b.Row2, b.Row2Stride = f.column(rowSteps*lifLanes, -0.1, 0.05), lifLanes
		b.Decay2 = 0.9
	}
	return b
}

func (f *filler) currentRows() *asm.CurrentRowsBlock {
	return &asm.CurrentRowsBlock{
		Lanes: rowLanes, Steps: rowSteps, Current: f.column(rowLanes, -1, 1), Rise: f.column(rowLanes, -1, 1),
		Coef: f.coefs(2, 1), Decay: 0.7, DecayDt: 0.07, Scale: 1.3,
		Row: f.column(rowSteps*rowLanes, -1, 1), RowStride: rowLanes, Drive: f.column(rowSteps*rowLanes, -1, 1),
		DriveStride: rowLanes,
	}
}

func (f *filler) lifStep() *asm.LIFStepBlock {
	b := &asm.LIFStepBlock{
		Lanes: rowLanes, First: 10, V: f.column(rowLanes, -3, 0.5), Wake: f.column(rowLanes, 4, 11),
		VInf: f.column(rowLanes, -3, 0),
		Coef: f.coefs(asm.LIFStepCoefs, 3), CoefStride: asm.LIFStepCoefs,
		Drive: f.column(rowLanes, -1, 0), Jump: f.column(rowLanes, -1, 0), Top: f.column(rowLanes, 0, 0.2),
		Fired: make([]uint8, rowLanes/8),
	}
	for i := range b.Wake {
		b.Wake[i] = math.Floor(2*b.Wake[i]) / 2
	}
	return b
}

func (f *filler) expLIF(stride int) *asm.ExpLIFBlock {
	c := func(low, high float64) []float64 { return f.column(rowLanes, low, high) }
	b := &asm.ExpLIFBlock{
		Lanes: rowLanes, V: c(-3, 0), Current: c(-1, 1), Before: c(0, 1), Arrived: c(0, 1), Share: c(0, 1),
		Pairs: f.column(2*rowLanes, -1, 0.5), Fall: make([]uint32, rowLanes), FallUnit: 0.1, Decay: 0.8, Margin: 0.3,
		Coef: f.coefs(asm.ExpLIFCoefs, 3), CoefStride: stride,
		Held: make([]uint8, rowLanes/8), Marks: make([]asm.ExpLIFMark, rowLanes/4),
		FallBefore: make([]uint32, rowLanes),
	}
	for i := range b.Held {
		b.Held[i] = uint8(37 * i)
	}
	for i := range b.Fall {
		if b.Fall[i] = uint32(i % 7); i%50 == 0 {
			b.Fall[i] = asm.MostFall + uint32(i)
		}
	}
	if stride == 0 {
		for j := range b.Coef {
			for l := range b.Coef[j] {
				b.Coef[j][l] = b.Coef[j%asm.ExpLIFCoefs][0]
			}
		}
	}
	return b
}

// lanesOfMarks leaves of what ExpLIFStep gives what is defined: a mark for every four lanes, whatever the vectors, and
// columns of those in reach.
func lanesOfMarks(b *asm.ExpLIFBlock) {
	var all [rowLanes / 4]asm.ExpLIFMark
	for _, m := range b.Marks[:b.Count] {
		for i := 0; m.Near>>i != 0; i += 4 {
			all[(int(m.Lane)+i)/4] = asm.ExpLIFMark{Reach: m.Reach >> i & 15, Near: m.Near >> i & 15}
		}
	}
	copy(b.Marks, all[:])
	b.Count = 0
	for l := range b.Before {
		if all[l/4].Reach>>(l%4)&1 == 0 {
			b.Before[l], b.Arrived[l], b.Share[l], b.FallBefore[l] = 0, 0, 0, 0
		}
	}
}

func (f *filler) alphaLIF() *asm.AlphaLIFBlock {
	c := func(low, high float64) []float64 { return f.column(rowLanes, low, high) }
	b := &asm.AlphaLIFBlock{
		Lanes: rowLanes, V: c(-3, 0), VInf: c(-3, 0), Current: c(-1, 1), Rise: c(-1, 1), Before: c(0, 1),
		RiseBefore: c(0, 1), Sums: f.column(4*asm.SumsStride, 0, 0.2),
		Decay: 0.8, DecayDt: 0.08, HalfDt: 0.05, Coef: f.coefs(asm.AlphaLIFCoefs, 3), CoefStride: asm.AlphaLIFCoefs,
		Held: make([]uint8, rowLanes/8), Fired: make([]uint8, rowLanes/8),
	}
	for i := range b.Held {
		b.Held[i] = uint8(37 * i)
	}
	return b
}

func (f *filler) currentStep() *asm.CurrentStepBlock {
	c := func() []float64 { return f.column(rowLanes, -1, 1) }
	return &asm.CurrentStepBlock{
		Lanes: rowLanes, Current: c(), Rise: c(), Next: c(), NextRise: c(), Coef: f.coefs(asm.CurrentStepCoefs, 3),
		CoefStride: asm.CurrentStepCoefs,
		Decay:      0.7, Growth: 1 / 0.7, Dt: 0.1, DecayDt: 0.07, End: c(), Slope: c(), Share: c(), Drive: c(), Top: c(),
	}
}

func (f *filler) instants() *asm.InstantsBlock {
	theta := func() []float64 {
		c := f.column(rowLanes, 0, 2)
		for i, x := range c {
			if x > 1 {
				c[i] = asm.NoArrival
			}
		}
		return c
	}
	b := &asm.InstantsBlock{
		Lanes:  rowLanes,
		Theta0: theta(),
		Theta1: theta(),
		Theta2: theta(),
		Theta3: theta(),
		Weight: 0.3,
	}
	copy(b.Ends[:], f.column(asm.InstantTerms, -1, 1))
	copy(b.Shares[:], f.column(asm.InstantTerms, -1, 1))
	copy(b.Thirds[:], f.column(asm.InstantTerms, -1, 1))
	b.End, b.Share, b.Third = f.column(rowLanes, -1, 1), f.column(rowLanes, -1, 1), f.column(rowLanes, -1, 1)
	return b
}

func (f *filler) conduct() *asm.ConductBlock {
	c := func() []float64 { return f.column(rowLanes, -1, 1) }
	return &asm.ConductBlock{
		Lanes: rowLanes, End: c(), Mean: c(), Tilt: c(), S: c(), Next: c(), G: c(), J: c(), GTilt: c(), JTilt: c(),
		V: f.column(rowLanes, -90, -50), Up: c(), Decay: 0.9, PerMean: 0.95, PerTilt: -0.1, E: -70, Growth: 1 / 0.9,
	}
}

func (f *filler) noisyLIF() *asm.NoisyLIFBlock {
	q := f.lifStep()
	b := &asm.NoisyLIFBlock{
		Lanes: rowLanes, Steps: rowSteps, First: q.First, V: q.V, Gap: make([]float64, rowLanes), Wake: q.Wake,
		VInf: q.VInf, Z: f.column(rowSteps*rowLanes, -3, 3), ZStride: rowLanes,
		Coef: f.coefs(asm.NoisyLIFCoefs, 3), CoefStride: asm.NoisyLIFCoefs,
		Fired: make([]uint8, rowSteps*rowLanes/8), FiredStride: rowLanes / 8,
	}
	for j := range b.Alike {
		b.Alike[j] = b.Coef[j][0]
	}
	return b
}

func (f *filler) gates() *asm.GatesBlock {
	c := func() []float64 { return f.column(rowLanes, 0, 1) }
	b := &asm.GatesBlock{
		Lanes: rowLanes, X: c(), S: c(), NextX: c(), NextS: c(), End: c(), Mean: c(), Tilt: c(),
		Alpha: 0.5, Rise: 2, Weights: [3]float64{0.06, 0.1, 0.05}, Gaps: [3]float64{-0.1, -0.05, -0.02},
		Lefts: [3]float64{-0.002, -0.001, -0.0003}, Gap: -0.117, Left: -0.0025,
		Decay: 0.9975, PerMean: 0.9988, PerTilt: -0.0025, Fall: 0.88, Leak: -0.01, Bend: 0.25 / 12, Twist: -0.025,
	}
	b.X[3], b.X[9], b.S[9] = 0, 0, 1e-200 // decays, and below what is kept
	return b
}

func (f *filler) nmda() *asm.NMDABlock {
	c := func() []float64 { return f.column(rowLanes, 0, 1) }
	return &asm.NMDABlock{
		Lanes: rowLanes, End: c(), Mean: c(), Tilt: c(), S: c(), Next: c(), G: c(), J: c(), GTilt: c(), JTilt: c(),
		V: f.column(rowLanes, -70, 10), Up: c(), Open: c(), Decay: 0.9, PerMean: 0.95, PerTilt: -0.1,
	}
}

// lifConduct is lanes of which some are held, some fire and some relax too fast.
func (f *filler) lifConduct() *asm.LIFConductBlock {
	c := func(low, high float64) []float64 { return f.column(rowLanes, low, high) }
	b := &asm.LIFConductBlock{
		Lanes: rowLanes, First: 10, V: c(-60, -49), Wake: c(5, 12), S1: c(0, 10), Row1: c(0, 1), S2: c(0, 60), Row2: c(0, 1),
		Before1: c(0, 1), Before2: c(0, 1), Decay1: 0.98, Decay2: 0.99,
		Coef: make([]asm.Column, 3*asm.LIFConduct2Coefs), CoefStride: asm.LIFConduct2Coefs, Fired: make([]uint8, rowLanes/4),
	}
	for i, w := range b.Wake {
		b.Wake[i] = math.Floor(w)
	}
	// A cell of 200 pF and 10 nS at a step of 0.1 ms; conductances over that of the leak.
	for j, x := range []float64{-50, -0.005, -0.3, -0.005, 0, 0, 4e-6, -0.005, -0.4, 2e-6, 2e-6} {
		for g := j; g < len(b.Coef); g += b.CoefStride {
			copy(b.Coef[g][:], f.column(Group, x, 0.9*x))
		}
	}
	b.S2[3], b.S2[70], b.S1[80] = 500, math.Inf(1), -1e4
	b.Wake[3], b.Wake[70], b.Wake[80] = 0, 0, 0
	return b
}

// lifConductStep is lanes of which some are held, some begin to move, some may fire and some relax too fast.
func (f *filler) lifConductStep() *asm.LIFConductStepBlock {
	c := func(low, high float64) []float64 { return f.column(rowLanes, low, high) }
	row := func() []float64 { return f.column(3*rowLanes, 0, 3) }
	b := &asm.LIFConductStepBlock{
		Lanes: rowLanes, First: 10, V: c(-60, -50), Free: c(5, 12), E2: -80, Span: 80, Slack: 0.4,
		Coef: make([]asm.Column, 3*asm.LIFConductStepCoefs), CoefStride: asm.LIFConductStepCoefs,
		S1: c(0, 10), Row1: row(), Decay1: 0.98, PerMean1: 0.99, PerTilt1: -0.02,
		S2: c(0, 60), Row2: row(), Decay2: 0.99, PerMean2: 0.995, PerTilt2: -0.01,
		Before1: c(0, 1), Kept1: row(), Before2: c(0, 1), Kept2: row(), Fired: make([]uint8, rowLanes/4),
	}
	for i, w := range b.Free {
		b.Free[i] = math.Floor(2*w) / 2
	}
	// A cell of 200 pF and 10 nS at a step of 0.1 ms; conductances over that of the leak.
	for j, x := range []float64{0.005, -0.005, 0.1, 0.005 / 12, 30} {
		for g := j; g < len(b.Coef); g += b.CoefStride {
			copy(b.Coef[g][:], f.column(Group, x, 0.9*x))
		}
	}
	b.S2[3], b.S2[70], b.S1[80] = 500, math.Inf(1), -1e4
	b.Free[3], b.Free[70], b.Free[80] = 0, 0, 0
	return b
}

// lifEvents is lanes of which some spike, some do not, and some are not solved.
func (f *filler) lifEvents() *asm.LIFConductEventsBlock {
	b := &asm.LIFConductEventsBlock{
		Lanes: 64, Sums: make([]float64, asm.ConductColumns*asm.SumsStride), By1: -0.02, By2: -0.01, Span: 80,
		Fired: make([]uint8, 8),
	}
	for j, x := range [][2]float64{
		{20, 30}, {0, 10}, {0, 30}, {0.004, 0.005}, {-0.005, -0.004}, {0.05, 0.1}, {25, 31}, {0, 1},
	} {
		copy(b.Sums[j*asm.SumsStride:], f.column(64, x[0], x[1]))
	}
	for l := range 16 { // a little below V_th
		b.Sums[asm.ConductU*asm.SumsStride+l] = b.Sums[asm.ConductRoom*asm.SumsStride+l] - 0.05*float64(l)
		b.Sums[asm.ConductS2*asm.SumsStride+l] = 0
	}
	b.Sums[asm.ConductS1*asm.SumsStride+20], b.Sums[asm.ConductS2*asm.SumsStride+21] = 5000, 1e5
	return b
}

// hhtmConduct is lanes of which some are above the threshold and some far outside.
func (f *filler) hhtmConduct() *asm.HHTMConductBlock {
	c := func(low, high float64) []float64 { return f.column(rowLanes, low, high) }
	b := &asm.HHTMConductBlock{
		Lanes: rowLanes, V: c(-90, 40), M: c(0, 1), H: c(0, 1), N: c(0, 1), Dt: 0.05, Half: 0.025,
		Coef: make([]asm.Column, 3*asm.HHTMConductCoefs), CoefStride: asm.HHTMConductCoefs,
		S1: c(0, 1), Row1: c(0, 1), Decay1: 0.98, PerMean1: 0.99, E1: 0,
		S2: c(0, 2), Row2: c(0, 1), Decay2: 0.99, PerMean2: 0.995, E2: -80, Fired: make([]uint8, rowLanes/4),
	}
	for j, x := range []float64{1, 0.05, -3, -20, 100, 30, 50, -90, -63.0/720 + 15.0/720} {
		for g := j; g < len(b.Coef); g += b.CoefStride {
			copy(b.Coef[g][:], f.column(Group, x, 0.9*x))
		}
	}
	b.V[3], b.V[70] = 1e300, -1e300
	return b
}

// keepMarked empties columns, of some values a lane, that are not defined but where the bit of the lane in a byte of
// marks is set, of two bytes for eight lanes.
func keepMarked(marks []uint8, byte int, columns ...[]float64) {
	for _, c := range columns {
		each := len(c) / (4 * len(marks))
		for i := range c {
			if l := i / each; marks[l/8*2+byte]>>(l%8)&1 == 0 {
				c[i] = 0
			}
		}
	}
}

// networkKernels are the kernels of networks: each makes its argument and runs it.
var networkKernels = map[string]func(f *filler) (argument any, run func(ISA)){
	"ExpRows": func(f *filler) (any, func(ISA)) {
		b := f.currentRows()
		return b, func(a ISA) { ExpRows(a, b) }
	},
	"AlphaRows": func(f *filler) (any, func(ISA)) {
		b := f.currentRows()
		return b, func(a ISA) { AlphaRows(a, b) }
	},
	"LIFConduct": func(f *filler) (any, func(ISA)) {
		b := f.lifConduct()
		b.CoefStride = 0
		return b, func(a ISA) {
			LIFConduct(a, b)
			keepMarked(b.Fired, 1, b.Before1)
		}
	},
	"LIFConduct2": func(f *filler) (any, func(ISA)) {
		b := f.lifConduct()
		return b, func(a ISA) {
			LIFConduct2(a, b)
			keepMarked(b.Fired, 1, b.Before1, b.Before2)
		}
	},
	"HHTMConduct": func(f *filler) (any, func(ISA)) {
		b := f.hhtmConduct()
		b.CoefStride = 0
		return b, func(a ISA) { HHTMConduct(a, b) }
	},
	"HHTMConduct2": func(f *filler) (any, func(ISA)) {
		b := f.hhtmConduct()
		return b, func(a ISA) { HHTMConduct2(a, b) }
	},
	"LIFConductStep": func(f *filler) (any, func(ISA)) {
		b := f.lifConductStep()
		return b, func(a ISA) {
			LIFConductStep(a, b)
			keepMarked(b.Fired, 0, b.Before1, b.Kept1, b.Before2, b.Kept2)
			clear(b.Parted[:])
		}
	},
	"LIFConductEvents": func(f *filler) (any, func(ISA)) {
		b := f.lifEvents()
		return b, func(a ISA) { LIFConductEvents(a, b) }
	},
	"LIFStep": func(f *filler) (any, func(ISA)) {
		b := f.lifStep()
		return b, func(a ISA) { LIFStep(a, b) }
	},
	"ExpLIFStep": func(f *filler) (any, func(ISA)) {
		b := f.expLIF(asm.ExpLIFCoefs)
		return b, func(a ISA) {
			ExpLIFStep(a, b)
			lanesOfMarks(b)
		}
	},
	"ExpLIFStep, alike": func(f *filler) (any, func(ISA)) {
		b := f.expLIF(0)
		return b, func(a ISA) {
			ExpLIFStep(a, b)
			lanesOfMarks(b)
		}
	},
	"AlphaLIFStep": func(f *filler) (any, func(ISA)) {
		b := f.alphaLIF()
		return b, func(a ISA) {
			AlphaLIFStep(a, b)
			clear(b.Before) // those of lanes without an event are not defined
			clear(b.RiseBefore)
		}
	},
	"NoisyLIF": func(f *filler) (any, func(ISA)) {
		b := f.noisyLIF()
		return b, func(a ISA) { NoisyLIF(a, b) }
	},
	"NoisyLIFAlike": func(f *filler) (any, func(ISA)) {
		b := f.noisyLIF()
		return b, func(a ISA) { NoisyLIFAlike(a, b) }
	},
	"NoisyLIFSteady": func(f *filler) (any, func(ISA)) {
		b := f.noisyLIF()
		b.Goal = 15
		return b, func(a ISA) { NoisyLIFSteady(a, b) }
	},
	"Waking": func(f *filler) (any, func(ISA)) {
		q := f.lifStep()
		b := &asm.WakingBlock{Lanes: rowLanes, Wake: q.Wake, First: 8, End: 8.5, Fired: q.Fired}
		return b, func(a ISA) { Waking(a, b) }
	},
	"OUStep": func(f *filler) (any, func(ISA)) {
		c := func() []float64 { return f.column(rowLanes, -2, 2) }
		b := &asm.OUBlock{
			Lanes: rowLanes, Z: c(), Kicks: c(), Spreads: c(), Row: c(),
			Decay: 0.98, Kick: 0.2, Shared: 0.5, Spread: 0.01, Size: 3,
		}
		return b, func(a ISA) { OUStep(a, b) }
	},
	"GoalStep": func(f *filler) (any, func(ISA)) {
		c := func() []float64 { return f.column(rowLanes, -2, 2) }
		b := &asm.GoalBlock{Lanes: rowLanes, Row: c(), R: c(), Gain: c(), I: c(), Rest: c(), Wave: 3, Goal: c()}
		return b, func(a ISA) { GoalStep(a, b) }
	},
	"NoisyPart": func(f *filler) (any, func(ISA)) {
		c := func(low, high float64) []float64 { return f.column(rowLanes, low, high) }
		b := &asm.NoisyPartBlock{
			Lanes: rowLanes, Rem: c(0.01, 1), V: c(-6, 0.01), VInf: c(-1, 1), Z: c(-3, 3), Tau: c(5, 20), VTh: c(0, 0.01),
			Diffusion: c(0.1, 1), Dt: 0.1, White: 2, Most: 23, End: c(0, 1), Fired: make([]uint8, rowLanes/8),
		}
		return b, func(a ISA) { NoisyPart(a, b) }
	},
	"NoisyPassage": func(f *filler) (any, func(ISA)) {
		c := func(low, high float64) []float64 { return f.column(rowLanes, low, high) }
		b := &asm.NoisyPassageBlock{
			Lanes: rowLanes, Level: c(-0.1, 10), After: c(-1, 1), Diffusion: c(1, 2), Y: c(-3, 3), U: c(0, 1), H: 0.1,
			Part: c(0, 1),
		}
		b.After[3], b.Diffusion[4] = 0, 0 // the end lies on the threshold; no noise
		b.Level[3], b.Level[4] = 1, 1
		return b, func(a ISA) { NoisyPassage(a, b) }
	},
	"NoisyCross": func(f *filler) (any, func(ISA)) {
		c := func(low, high float64) []float64 { return f.column(rowLanes, low, high) }
		b := &asm.NoisyCrossBlock{
			Lanes: rowLanes, Before: c(-0.1, 10), After: c(-0.1, 10), Far: c(90, 100), U: c(0, 1), Most: 23,
			Fired: make([]uint8, rowLanes/8),
		}
		return b, func(a ISA) { NoisyCross(a, b) }
	},
	"ExpStep": func(f *filler) (any, func(ISA)) {
		b := f.currentStep()
		return b, func(a ISA) { ExpStep(a, b) }
	},
	"ExpStepNegative": func(f *filler) (any, func(ISA)) {
		b := f.currentStep()
		return b, func(a ISA) { ExpStepNegative(a, b) }
	},
	"AlphaStep": func(f *filler) (any, func(ISA)) {
		b := f.currentStep()
		return b, func(a ISA) { AlphaStep(a, b) }
	},
	"AlphaStepNegative": func(f *filler) (any, func(ISA)) {
		b := f.currentStep()
		return b, func(a ISA) { AlphaStepNegative(a, b) }
	},
	"AddInstants": func(f *filler) (any, func(ISA)) {
		b := f.instants()
		return b, func(a ISA) { AddInstants(a, b) }
	},
	"AddInstantsTwo": func(f *filler) (any, func(ISA)) {
		b := f.instants()
		return b, func(a ISA) { AddInstantsTwo(a, b) }
	},
	"AddInstantsThree": func(f *filler) (any, func(ISA)) {
		b := f.instants()
		return b, func(a ISA) { AddInstantsThree(a, b) }
	},
	"AddPowerSums": func(f *filler) (any, func(ISA)) {
		b := powerSumsOf(f.instants())
		return b, func(a ISA) { AddPowerSums(a, b) }
	},
	"Gates": func(f *filler) (any, func(ISA)) {
		b := f.gates()
		return b, func(a ISA) { Gates(a, b) }
	},
	"ConductNMDA": func(f *filler) (any, func(ISA)) {
		b := f.nmda()
		return b, func(a ISA) { ConductNMDA(a, b) }
	},
	"ConductNMDABounds": func(f *filler) (any, func(ISA)) {
		b := f.nmda()
		return b, func(a ISA) { ConductNMDABounds(a, b) }
	},
	"SplitTriples": func(f *filler) (any, func(ISA)) {
		c := func() []float64 { return make([]float64, rowLanes) }
		b := &asm.TriplesBlock{Lanes: rowLanes, Triples: f.column(3*rowLanes, -1, 1), First: c(), Second: c(), Third: c()}
		return b, func(a ISA) { SplitTriples(a, b) }
	},
	"Conduct": func(f *filler) (any, func(ISA)) {
		b := f.conduct()
		return b, func(a ISA) { Conduct(a, b) }
	},
	"ConductBounds": func(f *filler) (any, func(ISA)) {
		b := f.conduct()
		return b, func(a ISA) { ConductBounds(a, b) }
	},
	"JumpStep": func(f *filler) (any, func(ISA)) {
		c := func() []float64 { return f.column(rowLanes, -1, 1) }
		b := &asm.JumpStepBlock{Lanes: rowLanes, Row: c(), Jump: c(), Top: c(), Factor: 1.1}
		return b, func(a ISA) { JumpStep(a, b) }
	},
}

// init adds the kernels of LIF neurons with arrivals at ends of steps: with each kind of row, in several steps and in
// one, with coefficients of each lane and with the same for all.
func init() {
	for _, steps := range []int{rowSteps, 1} {
		for _, alike := range []bool{false, true} {
			name := fmt.Sprintf(", %d steps, alike %v", steps, alike)
			for i, rows := range []string{"LIFRows", "LIFRows drive", "LIFRows jump"} {
				networkKernels[rows+name] = func(f *filler) (any, func(ISA)) {
					b := f.lifRows(i < 2, i != 1)
					if b.Steps = steps; alike {
						b.Coef, b.CoefStride, b.Alike = f.alike(), 0, true
					}
					return b, func(a ISA) { LIFRows(a, b) }
				}
			}
			for i, run := range []func(ISA, *asm.LIFExpRowsBlock){LIFExpRows, LIFExpRows2} {
				networkKernels[fmt.Sprint("LIFExpRows ", i+1)+name] = func(f *filler) (any, func(ISA)) {
					b := f.lifExpRows(i + 1)
					if b.Steps = steps; alike {
						b.Coef, b.CoefStride, b.Alike = f.alike(), 0, true
					}
					return b, func(a ISA) { run(a, b) }
				}
			}
		}
	}
}

// TestNetworkKernels: every instruction set leaves the same bits in every column, and in the masks some bits of both
// kinds.
func TestNetworkKernels(t *testing.T) {
	for name, kernel := range networkKernels {
		var want any
		for _, isa := range append([]ISA{Go}, Available()...) {
			argument, run := kernel(&filler{s: rng.NewStream(3, name)})
			run(isa)
			if want == nil {
				want = argument
			}
			if !reflect.DeepEqual(argument, want) { // no NaN is in them, and no two zeros of different signs
				t.Errorf("%s: %v gives other bits than plain Go", name, isa)
			}
			fired := reflect.ValueOf(argument).Elem().FieldByName("Fired")
			if fired.IsValid() &&
				(!slices.ContainsFunc(fired.Bytes(), func(x uint8) bool { return x != 0 }) || !slices.Contains(fired.Bytes(), 0)) {
				t.Errorf("%s: all lanes have events, or none", name)
			}
		}
	}
}

// TestNetworkKernelsAllocateNothing holds the arguments to the stack of the caller.
func TestNetworkKernelsAllocateNothing(t *testing.T) {
	s := rng.NewStream(1, "words")
	words, counts, row := make([]uint32, 256), make([]uint8, 4*256), make([]float64, 200)
	var theta [4][]float64
	for j := range theta {
		theta[j] = make([]float64, 256)
	}
	law, err := rng.NewPoisson(2)
	if err != nil {
		t.Fatal(err)
	}
	for _, isa := range Available() {
		runs := map[string]func(){
			"Words": func() { Words(isa, s, words, 1, 2) }, "Counts": func() { Counts(isa, s, law, counts, 256, 200, 1, 2) },
			"Instants":  func() { Instants(isa, s, counts[:200], 0, &theta, 1, 2) },
			"AddCounts": func() { AddCounts(isa, row, counts, 0.1) },
		}
		for name, kernel := range networkKernels {
			_, run := kernel(&filler{s: s})
			runs[name] = func() { run(isa) }
		}
		for name, run := range runs {
			if n := testing.AllocsPerRun(10, run); n != 0 {
				t.Errorf("%s, %v: %g allocations in a call", name, isa, n)
			}
		}
	}
}

// powerSumsOf is the argument of PowerSums for that of InstantsThree.
func powerSumsOf(b *asm.InstantsBlock) *asm.PowerSumsBlock {
	o := NewOffsets(b.Lanes)
	for j, theta := range [][]float64{b.Theta0, b.Theta1, b.Theta2, b.Theta3} {
		for i, x := range theta {
			if x != asm.NoArrival {
				o.U[j][i] = 0.5 - x
				o.Number[i]++
			}
		}
	}
	q := &asm.PowerSumsBlock{
		Lanes: b.Lanes, U0: o.U[0], U1: o.U[1], U2: o.U[2], U3: o.U[3], Number: o.Number, Weight: b.Weight,
		End: slices.Clone(b.End), Share: slices.Clone(b.Share), Third: slices.Clone(b.Third),
	}
	copy(q.Ends[:], b.Ends[:])
	copy(q.Shares[:], b.Shares[:])
	copy(q.Thirds[:], b.Thirds[:])
	return q
}

// TestPowerSums: sums of powers give what polynomials evaluated one by one do, but for rounding.
func TestPowerSums(t *testing.T) {
	const rounding = 1e-14 // of sums of a few numbers up to 1
	f := &filler{s: rng.NewStream(3, "powers")}
	b := f.instants()
	for _, p := range []*[asm.InstantTerms]float64{&b.Ends, &b.Shares, &b.Thirds} {
		clear(p[asm.PowerTerms:])
	}
	c := powerSumsOf(b)
	asm.InstantsThreeGo(b)
	asm.PowerSumsGo(c)
	for i := range b.End {
		if math.Abs(b.End[i]-c.End[i])+math.Abs(b.Share[i]-c.Share[i])+math.Abs(b.Third[i]-c.Third[i]) > rounding {
			t.Fatalf("lane %d: %g %g %g; want %g %g %g", i, c.End[i], c.Share[i], c.Third[i], b.End[i], b.Share[i], b.Third[i])
		}
	}
}
