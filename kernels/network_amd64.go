//go:build amd64 && !purego

package kernels

import "popsim/kernels/asm"

// PrefetchRange loads the n bytes from address p on into the cache.
func PrefetchRange(p uintptr, n int) {
	if n > 0 {
		asm.PrefetchRange(p, n)
	}
}

// Kernels are called by name here, not through function values, so that their arguments can stay on the stack.

// ExpRows advances exponential currents.
func ExpRows(isa ISA, b *asm.CurrentRowsBlock) {
	switch isa {
	case AVX512:
		asm.ExpRowsAVX512(b)
	case AVX2:
		asm.ExpRowsAVX2(b)
	default:
		asm.ExpRowsGo(b)
	}
}

// CountBits adds the bits of eight rows to the counts of their lanes.
func CountBits(isa ISA, b *asm.BitRowsBlock) {
	switch isa {
	case AVX512:
		asm.CountBitsAVX512(b)
	case AVX2:
		asm.CountBitsAVX2(b)
	default:
		asm.CountBitsGo(b)
	}
}

// ListBits lists the bits that are set in rows of bits.
func ListBits(isa ISA, b *asm.BitListBlock) {
	if isa == Go {
		asm.ListBitsGo(b)
	} else {
		asm.ListBitsAVX2(b)
	}
}

// ListNear lists the bits that are set in rows, with distances.
func ListNear(isa ISA, b *asm.NearBlock) {
	if isa == Go {
		asm.ListNearGo(b)
	} else {
		asm.ListNearAVX2(b)
	}
}

// CountTargets counts how often lists name each target.
func CountTargets(isa ISA, b *asm.TargetsBlock) {
	if isa == Go {
		asm.CountTargetsGo(b)
	} else {
		asm.CountTargetsAVX2(b)
	}
}

// SumCounts adds up counts.
func SumCounts(isa ISA, b *asm.CountSumBlock) {
	if isa == Go {
		asm.SumCountsGo(b)
	} else {
		asm.SumCountsAVX2(b)
	}
}

// AddAlike adds one triple to the triples of targets.
func AddAlike(isa ISA, b *asm.AlikeBlock) {
	if isa == Go {
		asm.AddAlikeGo(b)
	} else {
		asm.AddAlikeAVX2(b)
	}
}

// AddBits adds the counts of lanes times a weight.
func AddBits(isa ISA, b *asm.BitRowsBlock) {
	switch isa {
	case AVX512:
		asm.AddBitsAVX512(b)
	case AVX2:
		asm.AddBitsAVX2(b)
	default:
		asm.AddBitsGo(b)
	}
}

// AddOnes adds the edges of runs to one accumulator for each target.
func AddOnes(isa ISA, b *asm.EdgeRunsBlock) {
	if isa == Go {
		asm.AddOnesGo(b)
	} else {
		asm.AddOnesAVX2(b)
	}
}

// AddPairs adds the edges of runs to two accumulators for each target.
func AddPairs(isa ISA, b *asm.EdgeRunsBlock) {
	if isa == Go {
		asm.AddPairsGo(b)
	} else {
		asm.AddPairsAVX2(b)
	}
}

// AddPairsMarked is AddPairs, and lists blocks with marked targets.
func AddPairsMarked(isa ISA, b *asm.EdgeRunsBlock) {
	if isa == Go {
		asm.AddPairsMarkedGo(b)
	} else {
		asm.AddPairsMarkedAVX2(b)
	}
}

// FindEdges finds edges of runs with targets that a filter has.
func FindEdges(isa ISA, b *asm.FindEdgesBlock) {
	if isa == AVX512 {
		asm.FindEdgesAVX512(b)
	} else {
		asm.FindEdgesGo(b)
	}
}

// LIFConduct advances LIF neurons with one exponential conductance.
func LIFConduct(isa ISA, b *asm.LIFConductBlock) {
	switch isa {
	case AVX512:
		asm.LIFConductAVX512(b)
	case AVX2:
		asm.LIFConductAVX2(b)
	default:
		asm.LIFConductGo(b)
	}
}

// LIFConduct2 advances LIF neurons with two exponential conductances.
func LIFConduct2(isa ISA, b *asm.LIFConductBlock) {
	switch isa {
	case AVX512:
		asm.LIFConduct2AVX512(b)
	case AVX2:
		asm.LIFConduct2AVX2(b)
	default:
		asm.LIFConduct2Go(b)
	}
}

// LIFConductStep advances LIF neurons with two exponential conductances and arrivals inside the step.
func LIFConductStep(isa ISA, b *asm.LIFConductStepBlock) {
	switch isa {
	case AVX512:
		asm.LIFConductStepAVX512(b)
	case AVX2:
		asm.LIFConductStepAVX2(b)
	default:
		asm.LIFConductStepGo(b)
	}
}

// LIFConductEvents solves steps of LIF neurons with two exponential conductances and no arrivals.
func LIFConductEvents(isa ISA, b *asm.LIFConductEventsBlock) {
	switch isa {
	case AVX512:
		asm.LIFConductEventsAVX512(b)
	case AVX2:
		asm.LIFConductEventsAVX2(b)
	default:
		asm.LIFConductEventsGo(b)
	}
}

// HHTMConduct advances hhtm neurons with one exponential conductance.
func HHTMConduct(isa ISA, b *asm.HHTMConductBlock) {
	switch isa {
	case AVX512:
		asm.HHTMConductAVX512(b)
	case AVX2:
		asm.HHTMConductAVX2(b)
	default:
		asm.HHTMConductGo(b)
	}
}

// HHTMConduct2 advances hhtm neurons with two exponential conductances.
func HHTMConduct2(isa ISA, b *asm.HHTMConductBlock) {
	switch isa {
	case AVX512:
		asm.HHTMConduct2AVX512(b)
	case AVX2:
		asm.HHTMConduct2AVX2(b)
	default:
		asm.HHTMConduct2Go(b)
	}
}

// AlphaRows advances alpha currents.
func AlphaRows(isa ISA, b *asm.CurrentRowsBlock) {
	switch isa {
	case AVX512:
		asm.AlphaRowsAVX512(b)
	case AVX2:
		asm.AlphaRowsAVX2(b)
	default:
		asm.AlphaRowsGo(b)
	}
}

// philoxLanes is the number of lanes of an instruction set's kernels that draw; 0 where it has none.
func philoxLanes(isa ISA) int {
	switch isa {
	case AVX512:
		return 16
	case AVX2:
		return 8
	}
	return 0
}

func philoxWords(isa ISA, b *asm.PhiloxBlock) {
	if isa == AVX512 {
		asm.PhiloxWordsAVX512(b)
	} else {
		asm.PhiloxWordsAVX2(b)
	}
}

func philoxCounts(isa ISA, b *asm.PhiloxBlock) {
	if isa == AVX512 {
		asm.PhiloxCountsAVX512(b)
	} else {
		asm.PhiloxCountsAVX2(b)
	}
}

func addCounts(isa ISA, b *asm.CountBlock) {
	if isa == AVX512 {
		asm.AddCountsAVX512(b)
	} else {
		asm.AddCountsAVX2(b)
	}
}

// LIFStep advances LIF neurons by a step.
func LIFStep(isa ISA, b *asm.LIFStepBlock) {
	switch isa {
	case AVX512:
		asm.LIFStepAVX512(b)
	case AVX2:
		asm.LIFStepAVX2(b)
	default:
		asm.LIFStepGo(b)
	}
}

// ExpLIFStep advances LIF neurons with one exponential current by a step.
func ExpLIFStep(isa ISA, b *asm.ExpLIFBlock) {
	switch {
	case isa == AVX512 && b.CoefStride == 0:
		asm.ExpLIFStepAlikeAVX512(b)
	case isa == AVX512:
		asm.ExpLIFStepAVX512(b)
	case isa == AVX2:
		asm.ExpLIFStepAVX2(b)
	default:
		asm.ExpLIFStepGo(b)
	}
}

// AlphaLIFStep advances LIF neurons with one alpha current by a step.
func AlphaLIFStep(isa ISA, b *asm.AlphaLIFBlock) {
	switch isa {
	case AVX512:
		asm.AlphaLIFStepAVX512(b)
	case AVX2:
		asm.AlphaLIFStepAVX2(b)
	default:
		asm.AlphaLIFStepGo(b)
	}
}

// AddCounted adds rows of counts to sums.
func AddCounted(isa ISA, b *asm.CountedRowsBlock) {
	switch isa {
	case AVX512:
		asm.AddCountedAVX512(b)
	case AVX2:
		asm.AddCountedAVX2(b)
	default:
		asm.AddCountedGo(b)
	}
}

// AddCountedFalls adds rows of counts to sums, and to those of what is below 0.
func AddCountedFalls(isa ISA, b *asm.CountedRowsBlock) {
	switch isa {
	case AVX512:
		asm.AddCountedFallsAVX512(b)
	case AVX2:
		asm.AddCountedFallsAVX2(b)
	default:
		asm.AddCountedFallsGo(b)
	}
}

// NoisyLIF moves LIF neurons with white noise by a step.
func NoisyLIF(isa ISA, b *asm.NoisyLIFBlock) {
	switch isa {
	case AVX512:
		asm.NoisyLIFAVX512(b)
	case AVX2:
		asm.NoisyLIFAVX2(b)
	default:
		asm.NoisyLIFGo(b)
	}
}

// NoisyLIFAlike is NoisyLIF for neurons whose coefficients are all the same.
func NoisyLIFAlike(isa ISA, b *asm.NoisyLIFBlock) {
	switch isa {
	case AVX512:
		asm.NoisyLIFAlikeAVX512(b)
	case AVX2:
		asm.NoisyLIFAlikeAVX2(b)
	default:
		asm.NoisyLIFAlikeGo(b)
	}
}

// NoisyLIFSteady is NoisyLIFAlike for neurons that all have the same goal of V, in all steps.
func NoisyLIFSteady(isa ISA, b *asm.NoisyLIFBlock) {
	switch isa {
	case AVX512:
		asm.NoisyLIFSteadyAVX512(b)
	case AVX2:
		asm.NoisyLIFSteadyAVX2(b)
	default:
		asm.NoisyLIFSteadyGo(b)
	}
}

// NoisyPart moves LIF neurons with white noise through the end of a step.
func NoisyPart(isa ISA, b *asm.NoisyPartBlock) {
	switch isa {
	case AVX512:
		asm.NoisyPartAVX512(b)
	case AVX2:
		asm.NoisyPartAVX2(b)
	default:
		asm.NoisyPartGo(b)
	}
}

// NoisyPassage finds when paths cross their threshold within a step.
func NoisyPassage(isa ISA, b *asm.NoisyPassageBlock) {
	switch isa {
	case AVX512:
		asm.NoisyPassageAVX512(b)
	case AVX2:
		asm.NoisyPassageAVX2(b)
	default:
		asm.NoisyPassageGo(b)
	}
}

// OUStep advances Ornstein-Uhlenbeck processes by a step.
func OUStep(isa ISA, b *asm.OUBlock) {
	switch isa {
	case AVX512:
		asm.OUStepAVX512(b)
	case AVX2:
		asm.OUStepAVX2(b)
	default:
		asm.OUStepGo(b)
	}
}

// GoalStep is the voltage that currents drive LIF neurons to.
func GoalStep(isa ISA, b *asm.GoalBlock) {
	switch isa {
	case AVX512:
		asm.GoalStepAVX512(b)
	case AVX2:
		asm.GoalStepAVX2(b)
	default:
		asm.GoalStepGo(b)
	}
}

// Waking finds lanes that begin to move.
func Waking(isa ISA, b *asm.WakingBlock) {
	switch isa {
	case AVX512:
		asm.WakingAVX512(b)
	case AVX2:
		asm.WakingAVX2(b)
	default:
		asm.WakingGo(b)
	}
}

// NoisyCross finds the paths that cross their threshold within a step.
func NoisyCross(isa ISA, b *asm.NoisyCrossBlock) {
	switch isa {
	case AVX512:
		asm.NoisyCrossAVX512(b)
	case AVX2:
		asm.NoisyCrossAVX2(b)
	default:
		asm.NoisyCrossGo(b)
	}
}

// JumpStep adds jumps.
func JumpStep(isa ISA, b *asm.JumpStepBlock) {
	switch isa {
	case AVX512:
		asm.JumpStepAVX512(b)
	case AVX2:
		asm.JumpStepAVX2(b)
	default:
		asm.JumpStepGo(b)
	}
}

// ExpStep advances exponential currents of positive weights.
func ExpStep(isa ISA, b *asm.CurrentStepBlock) {
	switch isa {
	case AVX512:
		asm.ExpStepAVX512(b)
	case AVX2:
		asm.ExpStepAVX2(b)
	default:
		asm.ExpStepGo(b)
	}
}

// ExpStepNegative advances exponential currents of negative weights.
func ExpStepNegative(isa ISA, b *asm.CurrentStepBlock) {
	switch isa {
	case AVX512:
		asm.ExpStepNegativeAVX512(b)
	case AVX2:
		asm.ExpStepNegativeAVX2(b)
	default:
		asm.ExpStepNegativeGo(b)
	}
}

// AlphaStep advances alpha currents of positive weights.
func AlphaStep(isa ISA, b *asm.CurrentStepBlock) {
	switch isa {
	case AVX512:
		asm.AlphaStepAVX512(b)
	case AVX2:
		asm.AlphaStepAVX2(b)
	default:
		asm.AlphaStepGo(b)
	}
}

// AlphaStepNegative advances alpha currents of negative weights.
func AlphaStepNegative(isa ISA, b *asm.CurrentStepBlock) {
	switch isa {
	case AVX512:
		asm.AlphaStepNegativeAVX512(b)
	case AVX2:
		asm.AlphaStepNegativeAVX2(b)
	default:
		asm.AlphaStepNegativeGo(b)
	}
}

// AddInstants adds arrivals to one accumulator.
func AddInstants(isa ISA, b *asm.InstantsBlock) {
	switch isa {
	case AVX512:
		asm.InstantsAVX512(b)
	case AVX2:
		asm.InstantsAVX2(b)
	default:
		asm.InstantsGo(b)
	}
}

// AddInstantsTwo adds arrivals to two accumulators.
func AddInstantsTwo(isa ISA, b *asm.InstantsBlock) {
	switch isa {
	case AVX512:
		asm.InstantsTwoAVX512(b)
	case AVX2:
		asm.InstantsTwoAVX2(b)
	default:
		asm.InstantsTwoGo(b)
	}
}

// SplitPairs separates pairs of accumulators.
func SplitPairs(isa ISA, b *asm.PairsBlock) {
	switch isa {
	case AVX512:
		asm.SplitPairsAVX512(b)
	case AVX2:
		asm.SplitPairsAVX2(b)
	default:
		splitPairsGo(b)
	}
}

// SplitTriples separates triples of accumulators.
func SplitTriples(isa ISA, b *asm.TriplesBlock) {
	switch isa {
	case AVX512:
		asm.SplitTriplesAVX512(b)
	case AVX2:
		asm.SplitTriplesAVX2(b)
	default:
		splitTriplesGo(b)
	}
}

// Conduct advances exponential conductances.
func Conduct(isa ISA, b *asm.ConductBlock) {
	switch isa {
	case AVX512:
		asm.ConductAVX512(b)
	case AVX2:
		asm.ConductAVX2(b)
	default:
		asm.ConductGo(b)
	}
}

// ConductBounds is Conduct that bounds currents too.
func ConductBounds(isa ISA, b *asm.ConductBlock) {
	switch isa {
	case AVX512:
		asm.ConductBoundsAVX512(b)
	case AVX2:
		asm.ConductBoundsAVX2(b)
	default:
		asm.ConductBoundsGo(b)
	}
}

// AddInstantsThree adds arrivals to three accumulators.
func AddInstantsThree(isa ISA, b *asm.InstantsBlock) {
	switch isa {
	case AVX512:
		asm.InstantsThreeAVX512(b)
	case AVX2:
		asm.InstantsThreeAVX2(b)
	default:
		asm.InstantsThreeGo(b)
	}
}

// AddPowerSums adds arrivals to three accumulators, by sums of powers of their offsets from the middle of the step.
func AddPowerSums(isa ISA, b *asm.PowerSumsBlock) {
	switch isa {
	case AVX512:
		asm.PowerSumsAVX512(b)
	case AVX2:
		asm.PowerSumsAVX2(b)
	default:
		asm.PowerSumsGo(b)
	}
}

// Gates advances gates of NMDA without arrivals.
func Gates(isa ISA, b *asm.GatesBlock) {
	switch isa {
	case AVX512:
		asm.GatesAVX512(b)
	case AVX2:
		asm.GatesAVX2(b)
	default:
		asm.GatesGo(b)
	}
}

// ConductNMDA advances conductances of NMDA.
func ConductNMDA(isa ISA, b *asm.NMDABlock) {
	switch isa {
	case AVX512:
		asm.ConductNMDAAVX512(b)
	case AVX2:
		asm.ConductNMDAAVX2(b)
	default:
		asm.ConductNMDAGo(b)
	}
}

// ConductNMDABounds is ConductNMDA that bounds currents too.
func ConductNMDABounds(isa ISA, b *asm.NMDABlock) {
	switch isa {
	case AVX512:
		asm.ConductNMDABoundsAVX512(b)
	case AVX2:
		asm.ConductNMDABoundsAVX2(b)
	default:
		asm.ConductNMDABoundsGo(b)
	}
}

func philoxInstants(isa ISA, b *asm.PhiloxBlock) {
	if isa == AVX512 {
		asm.PhiloxInstantsAVX512(b)
	} else {
		asm.PhiloxInstantsAVX2(b)
	}
}

func philoxOffsets(isa ISA, b *asm.PhiloxBlock) {
	if isa == AVX512 {
		asm.PhiloxOffsetsAVX512(b)
	} else {
		asm.PhiloxOffsetsAVX2(b)
	}
}

func philoxOffsetsOf(isa ISA, b *asm.PhiloxBlock) {
	if isa == AVX512 {
		asm.PhiloxOffsetsOfAVX512(b)
	} else {
		asm.PhiloxOffsetsOfAVX2(b)
	}
}

// coupledKernels are the kernels of Coupled.
var coupledKernels = [coupledCount]coupledKernel{
	LIFCoupled: {Go: asm.LIFCoupledGo, AVX2: asm.LIFCoupledAVX2, AVX512: asm.LIFCoupledAVX512},
	LIFCoupledRK4NMDA: {
		Go: asm.LIFCoupledRK4NMDAGo, AVX2: asm.LIFCoupledRK4NMDAAVX2, AVX512: asm.LIFCoupledRK4NMDAAVX512,
	},
	AdExCoupledRK4: {
		Go: asm.AdExCoupledRK4Go, AVX2: asm.AdExCoupledRK4AVX2, AVX512: asm.AdExCoupledRK4AVX512,
	},
	AdExCoupledRK4NMDA: {
		Go: asm.AdExCoupledRK4NMDAGo, AVX2: asm.AdExCoupledRK4NMDAAVX2, AVX512: asm.AdExCoupledRK4NMDAAVX512,
	},
	HHCoupledRK4: {Go: asm.HHCoupledRK4Go, AVX2: asm.HHCoupledRK4AVX2, AVX512: asm.HHCoupledRK4AVX512},
	HHCoupledRK4NMDA: {
		Go: asm.HHCoupledRK4NMDAGo, AVX2: asm.HHCoupledRK4NMDAAVX2, AVX512: asm.HHCoupledRK4NMDAAVX512,
	},
	HHTMCoupledRK4: {
		Go: asm.HHTMCoupledRK4Go, AVX2: asm.HHTMCoupledRK4AVX2, AVX512: asm.HHTMCoupledRK4AVX512,
	},
	HHTMCoupledRK4NMDA: {
		Go: asm.HHTMCoupledRK4NMDAGo, AVX2: asm.HHTMCoupledRK4NMDAAVX2, AVX512: asm.HHTMCoupledRK4NMDAAVX512,
	},
	RHHCoupledRK4: {Go: asm.RHHCoupledRK4Go, AVX2: asm.RHHCoupledRK4AVX2, AVX512: asm.RHHCoupledRK4AVX512},
	RHHCoupledRK4NMDA: {
		Go: asm.RHHCoupledRK4NMDAGo, AVX2: asm.RHHCoupledRK4NMDAAVX2, AVX512: asm.RHHCoupledRK4NMDAAVX512,
	},
	HHCoupledStrang: {
		Go: asm.HHCoupledStrangGo, AVX2: asm.HHCoupledStrangAVX2, AVX512: asm.HHCoupledStrangAVX512,
	},
	HHCoupledStrangNMDA: {
		Go: asm.HHCoupledStrangNMDAGo, AVX2: asm.HHCoupledStrangNMDAAVX2, AVX512: asm.HHCoupledStrangNMDAAVX512,
	},
	HHTMCoupledStrang: {
		Go: asm.HHTMCoupledStrangGo, AVX2: asm.HHTMCoupledStrangAVX2, AVX512: asm.HHTMCoupledStrangAVX512,
	},
	HHTMCoupledStrangNMDA: {
		Go: asm.HHTMCoupledStrangNMDAGo, AVX2: asm.HHTMCoupledStrangNMDAAVX2, AVX512: asm.HHTMCoupledStrangNMDAAVX512,
	},
}

func philoxNormals(isa ISA, b *asm.PhiloxBlock) {
	if isa == AVX512 {
		asm.PhiloxNormalsAVX512(b)
	} else {
		asm.PhiloxNormalsAVX2(b)
	}
}

func philoxScaled(isa ISA, b *asm.PhiloxBlock) {
	if isa == AVX512 {
		asm.PhiloxScaledAVX512(b)
	} else {
		asm.PhiloxScaledAVX2(b)
	}
}

func philoxWordsAt(isa ISA, b *asm.PhiloxBlock) {
	if isa == AVX512 {
		asm.PhiloxWordsAtAVX512(b)
	} else {
		asm.PhiloxWordsAtAVX2(b)
	}
}

func philoxWordsFrom(isa ISA, b *asm.PhiloxBlock) {
	if isa == AVX512 {
		asm.PhiloxWordsFromAVX512(b)
	} else {
		asm.PhiloxWordsFromAVX2(b)
	}
}

func philoxWordsOf(isa ISA, b *asm.PhiloxBlock) {
	if isa == AVX512 {
		asm.PhiloxWordsOfAVX512(b)
	} else {
		asm.PhiloxWordsOfAVX2(b)
	}
}

// AddWeights adds the weights of spikes to one accumulator for each lane, two or three.
func AddWeights(isa ISA, width int, b *asm.WeightsBlock) {
	switch {
	case isa == AVX512 && width == 1:
		asm.AddWeightsAVX512(b)
	case isa == AVX512 && width == 2:
		asm.AddWeightPairsAVX512(b)
	case isa == AVX512:
		asm.AddWeightTriplesAVX512(b)
	case isa == AVX2 && width == 1:
		asm.AddWeightsAVX2(b)
	case isa == AVX2 && width == 2:
		asm.AddWeightPairsAVX2(b)
	case isa == AVX2:
		asm.AddWeightTriplesAVX2(b)
	}
	if isa == Go || b.Rest(width) {
		asm.AddWeightsWideGo(width, b)
	}
}
