package asm

import "unsafe"

// WeightsLanes is the number of lanes of which there are factors.
const WeightsLanes = 8

// WeightsBlock is the argument of the kernels that add edges which are not stored: of each spike the weights onto
// consecutive lanes are side by side.
type WeightsBlock struct {
	Lanes   int
	Weights []*float64 // of each spike the weight onto the first lane
	// Of each spike, what an edge of weight 1 adds to the accumulators of a lane, over and over for WeightsLanes lanes;
	// not read where there is one accumulator.
	Factors []float64
	Row     []float64 // from the first lane on: one accumulator, two or three for each
}

// AddWeightsWideGo adds the weights of all spikes to one accumulator for each lane, two or three.
func AddWeightsWideGo(width int, b *WeightsBlock) {
	switch width {
	case 1:
		AddWeightsGo(b)
	case 2:
		AddWeightPairsGo(b)
	default:
		AddWeightTriplesGo(b)
	}
}

// AddWeightsGo adds the weights of all spikes, one after the other, to one accumulator for each lane.
func AddWeightsGo(b *WeightsBlock) {
	row, spikes := b.Row[:b.Lanes], b.Weights
	for ; len(spikes) >= 4; spikes = spikes[4:] {
		w, x := weightsFrom(spikes[0], len(row)), weightsFrom(spikes[1], len(row))
		y, z := weightsFrom(spikes[2], len(row)), weightsFrom(spikes[3], len(row))
		for i := range row {
			row[i] = row[i] + w[i] + x[i] + y[i] + z[i]
		}
	}
	for _, p := range spikes {
		for i, w := range weightsFrom(p, len(row)) {
			row[i] += w
		}
	}
}

// AddWeightPairsGo adds the weights of all spikes, one after the other, times their factors, to two accumulators for
// each lane.
func AddWeightPairsGo(b *WeightsBlock) {
	for s, p := range b.Weights {
		c := b.Factors[2*WeightsLanes*s:][:2]
		for i, w := range weightsFrom(p, b.Lanes) {
			at := b.Row[2*i:][:2]
			at[0] += float64(w * c[0])
			at[1] += float64(w * c[1])
		}
	}
}

// AddWeightTriplesGo is AddWeightPairsGo for three accumulators.
func AddWeightTriplesGo(b *WeightsBlock) {
	for s, p := range b.Weights {
		c := b.Factors[3*WeightsLanes*s:][:3]
		for i, w := range weightsFrom(p, b.Lanes) {
			at := b.Row[3*i:][:3]
			at[0] += float64(w * c[0])
			at[1] += float64(w * c[1])
			at[2] += float64(w * c[2])
		}
	}
}

func weightsFrom(p *float64, lanes int) []float64 { return unsafe.Slice(p, lanes) }

// Rest makes b the block of the lanes that are left over from whole vectors of WeightsLanes, width accumulators each,
// and reports whether there are any. It moves the pointers in Weights.
func (b *WeightsBlock) Rest(width int) bool {
	n := b.Lanes / WeightsLanes * WeightsLanes
	if n == b.Lanes {
		return false // and no pointer behind the end
	}
	for i, p := range b.Weights {
		b.Weights[i] = (*float64)(unsafe.Add(unsafe.Pointer(p), 8*n))
	}
	b.Lanes, b.Row = b.Lanes-n, b.Row[width*n:]
	return true
}
