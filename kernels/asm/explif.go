package asm

import "math"

// ExpLIFBlock is the argument of ExpLIFStep: a step of LIF neurons with one exponential current, of weights of both
// signs. Arrivals have added to the current at the end of the step and to V/R, in Pairs, which is emptied.
//
// V is bounded from the end of the step: where it has been at the threshold, it can since have fallen no further than
// by the leak, by a current below 0 and by arrivals below 0, of which Fall has a bound. Lanes that may so have reached
// the threshold keep their V; it is for the caller to look at their arrivals one by one.
type ExpLIFBlock struct {
	Lanes      int // a multiple of Group
	V          []float64
	Current    []float64 // in and out
	Pairs      []float64
	Fall       []uint32 // bound of what is negative in the first of pairs, in units; from MostFall on none; emptied
	FallUnit   float64  // a unit before any decay, and a little more
	Coef       []Column // by ExpLIFKeep and so on
	CoefStride int
	Decay      float64 // exp(-dt/tau_s)
	Margin     float64
	Held       []uint8 // bit l%8 of Held[l/8] is set where V of lane l does not move in this step

	Marks []ExpLIFMark // out: Count of them, of vectors with marked lanes; room for one for every four lanes
	Count int
	// Out, of lanes in reach; others may be written: the current before the step, the pair, and Fall.
	Before, Arrived, Share []float64
	FallBefore             []uint32
}

// An ExpLIFMark marks lanes from number Lane on, not held: in Reach those whose V may reach the threshold in this step,
// in Near these and those where V at its end is less than Margin below. The lowest bit is for the first lane.
type ExpLIFMark struct {
	Lane        int32
	Reach, Near uint16
}

// Coefficients of ExpLIFStep.
const (
	ExpLIFKeep = iota // 1 - exp(-dt/tau)
	ExpLIFVTh
	ExpLIFGain // what a current of 1 before the step adds to V
	ExpLIFR
	ExpLIFMost // R dt/tau
	ExpLIFVInf // V_rest + R I
	ExpLIFLeak // max(0, Keep (VTh - VInf))
	ExpLIFCoefs
)

// ExpLIFStepGo moves LIF neurons with one exponential current; see ExpLIFBlock.
func ExpLIFStepGo(b *ExpLIFBlock) {
	b.Count = 0
	for at := 0; at < b.Lanes; at += 8 {
		coef, lane := b.Coef[at/Group*b.CoefStride:], at%Group
		mark := ExpLIFMark{Lane: int32(at)}
		for i := range 8 {
			l, n := lane+i, at+i
			v, current, arrived, share, fall := b.V[n], b.Current[n], b.Pairs[2*n], b.Pairs[2*n+1], b.Fall[n]
			b.Pairs[2*n], b.Pairs[2*n+1], b.Fall[n] = EmptyRow, EmptyRow, 0
			b.Current[n] = math.FMA(b.Decay, current, arrived)
			if b.Held[n/8]>>i&1 != 0 {
				continue
			}
			drive := math.FMA(coef[ExpLIFGain][l], current, float64(coef[ExpLIFR][l]*share))
			end := math.FMA(coef[ExpLIFKeep][l], coef[ExpLIFVInf][l]-v, v+drive)
			lower := math.FMA(float64(fall), b.FallUnit, -min(current, 0))
			top := end + math.FMA(coef[ExpLIFMost][l], lower, coef[ExpLIFLeak][l])
			reach := fall >= MostFall || top >= coef[ExpLIFVTh][l]
			if reach || end+b.Margin >= coef[ExpLIFVTh][l] {
				mark.Near |= 1 << i
			}
			if !reach {
				b.V[n] = end
				continue
			}
			mark.Reach |= 1 << i
			b.Before[n], b.Arrived[n], b.Share[n], b.FallBefore[n] = current, arrived, share, fall
		}
		if mark.Near != 0 {
			b.Marks[b.Count] = mark
			b.Count++
		}
	}
}
