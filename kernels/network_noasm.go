//go:build !amd64 || purego

package kernels

import "popsim/kernels/asm"

// PrefetchRange does nothing on this processor.
func PrefetchRange(uintptr, int) {}

// LIFRows advances LIF neurons; one of the rows Drive and Jump may be nil.
func LIFRows(_ ISA, b *asm.LIFRowsBlock) { lifRowsGo(b) }

// ExpRows advances exponential currents.
func ExpRows(_ ISA, b *asm.CurrentRowsBlock) { asm.ExpRowsGo(b) }

// CountBits adds the bits of eight rows to the counts of their lanes.
func CountBits(_ ISA, b *asm.BitRowsBlock) { asm.CountBitsGo(b) }

// ListBits lists the bits that are set in rows of bits.
func ListBits(_ ISA, b *asm.BitListBlock) { asm.ListBitsGo(b) }

// ListNear lists the bits that are set in rows, with distances.
func ListNear(_ ISA, b *asm.NearBlock) { asm.ListNearGo(b) }

// CountTargets counts how often lists name each target.
func CountTargets(_ ISA, b *asm.TargetsBlock) { asm.CountTargetsGo(b) }

// SumCounts adds up counts.
func SumCounts(_ ISA, b *asm.CountSumBlock) { asm.SumCountsGo(b) }

// AddAlike adds one triple to the triples of targets.
func AddAlike(_ ISA, b *asm.AlikeBlock) { asm.AddAlikeGo(b) }

// AddBits adds the counts of lanes times a weight.
func AddBits(_ ISA, b *asm.BitRowsBlock) { asm.AddBitsGo(b) }

// AddOnes adds the edges of runs to one accumulator for each target.
func AddOnes(_ ISA, b *asm.EdgeRunsBlock) { asm.AddOnesGo(b) }

// AddPairs adds the edges of runs to two accumulators for each target.
func AddPairs(_ ISA, b *asm.EdgeRunsBlock) { asm.AddPairsGo(b) }

// AddPairsMarked is AddPairs, and lists blocks with marked targets.
func AddPairsMarked(_ ISA, b *asm.EdgeRunsBlock) { asm.AddPairsMarkedGo(b) }

// FindEdges finds edges of runs with targets that a filter has.
func FindEdges(_ ISA, b *asm.FindEdgesBlock) { asm.FindEdgesGo(b) }

// AlphaRows advances alpha currents.
func AlphaRows(_ ISA, b *asm.CurrentRowsBlock) { asm.AlphaRowsGo(b) }

func philoxLanes(ISA) int { return 0 }

func philoxWords(ISA, *asm.PhiloxBlock)  {}
func philoxCounts(ISA, *asm.PhiloxBlock) {}
func addCounts(ISA, *asm.CountBlock)     {}

// LIFExpRows advances LIF neurons with one exponential current.
func LIFExpRows(_ ISA, b *asm.LIFExpRowsBlock) { asm.LIFExpRowsGo(b) }

// LIFExpRows2 advances LIF neurons with two exponential currents.
func LIFExpRows2(_ ISA, b *asm.LIFExpRowsBlock) { asm.LIFExpRows2Go(b) }

// LIFConduct advances LIF neurons with one exponential conductance.
func LIFConduct(_ ISA, b *asm.LIFConductBlock) { asm.LIFConductGo(b) }

// LIFConduct2 advances LIF neurons with two exponential conductances.
func LIFConduct2(_ ISA, b *asm.LIFConductBlock) { asm.LIFConduct2Go(b) }

// LIFConductStep advances LIF neurons with two exponential conductances and arrivals inside the step.
func LIFConductStep(_ ISA, b *asm.LIFConductStepBlock) { asm.LIFConductStepGo(b) }

// LIFConductEvents solves steps of LIF neurons with two exponential conductances and no arrivals.
func LIFConductEvents(_ ISA, b *asm.LIFConductEventsBlock) { asm.LIFConductEventsGo(b) }

// HHTMConduct advances hhtm neurons with one exponential conductance.
func HHTMConduct(_ ISA, b *asm.HHTMConductBlock) { asm.HHTMConductGo(b) }

// HHTMConduct2 advances hhtm neurons with two exponential conductances.
func HHTMConduct2(_ ISA, b *asm.HHTMConductBlock) { asm.HHTMConduct2Go(b) }

// LIFStep advances LIF neurons by a step.
func LIFStep(_ ISA, b *asm.LIFStepBlock) { asm.LIFStepGo(b) }

// ExpLIFStep advances LIF neurons with one exponential current by a step.
func ExpLIFStep(_ ISA, b *asm.ExpLIFBlock) { asm.ExpLIFStepGo(b) }

// AlphaLIFStep advances LIF neurons with one alpha current by a step.
func AlphaLIFStep(_ ISA, b *asm.AlphaLIFBlock) { asm.AlphaLIFStepGo(b) }

// AddCounted adds rows of counts to sums.
func AddCounted(_ ISA, b *asm.CountedRowsBlock) { asm.AddCountedGo(b) }

// AddCountedFalls adds rows of counts to sums, and to those of what is below 0.
func AddCountedFalls(_ ISA, b *asm.CountedRowsBlock) { asm.AddCountedFallsGo(b) }

// NoisyLIF moves LIF neurons with white noise by a step.
func NoisyLIF(_ ISA, b *asm.NoisyLIFBlock) { asm.NoisyLIFGo(b) }

// NoisyLIFAlike is NoisyLIF for neurons whose coefficients are all the same.
func NoisyLIFAlike(_ ISA, b *asm.NoisyLIFBlock) { asm.NoisyLIFAlikeGo(b) }

// NoisyLIFSteady is NoisyLIFAlike for neurons that all have the same goal of V, in all steps.
func NoisyLIFSteady(_ ISA, b *asm.NoisyLIFBlock) { asm.NoisyLIFSteadyGo(b) }

// NoisyPart moves LIF neurons with white noise through the end of a step.
func NoisyPart(_ ISA, b *asm.NoisyPartBlock) { asm.NoisyPartGo(b) }

// NoisyPassage finds when paths cross their threshold within a step.
func NoisyPassage(_ ISA, b *asm.NoisyPassageBlock) { asm.NoisyPassageGo(b) }

// OUStep advances Ornstein-Uhlenbeck processes by a step.
func OUStep(_ ISA, b *asm.OUBlock) { asm.OUStepGo(b) }

// GoalStep is the voltage that currents drive LIF neurons to.
func GoalStep(_ ISA, b *asm.GoalBlock) { asm.GoalStepGo(b) }

// Waking finds lanes that begin to move.
func Waking(_ ISA, b *asm.WakingBlock) { asm.WakingGo(b) }

// NoisyCross finds the paths that cross their threshold within a step.
func NoisyCross(_ ISA, b *asm.NoisyCrossBlock) { asm.NoisyCrossGo(b) }

// JumpStep adds jumps.
func JumpStep(_ ISA, b *asm.JumpStepBlock) { asm.JumpStepGo(b) }

// ExpStep advances exponential currents of positive weights.
func ExpStep(_ ISA, b *asm.CurrentStepBlock) { asm.ExpStepGo(b) }

// ExpStepNegative advances exponential currents of negative weights.
func ExpStepNegative(_ ISA, b *asm.CurrentStepBlock) { asm.ExpStepNegativeGo(b) }

// AlphaStep advances alpha currents of positive weights.
func AlphaStep(_ ISA, b *asm.CurrentStepBlock) { asm.AlphaStepGo(b) }

// AlphaStepNegative advances alpha currents of negative weights.
func AlphaStepNegative(_ ISA, b *asm.CurrentStepBlock) { asm.AlphaStepNegativeGo(b) }

// AddInstants adds arrivals to one accumulator.
func AddInstants(_ ISA, b *asm.InstantsBlock) { asm.InstantsGo(b) }

// AddInstantsTwo adds arrivals to two accumulators.
func AddInstantsTwo(_ ISA, b *asm.InstantsBlock) { asm.InstantsTwoGo(b) }

// SplitPairs separates pairs of accumulators.
func SplitPairs(_ ISA, b *asm.PairsBlock) { splitPairsGo(b) }

func philoxInstants(ISA, *asm.PhiloxBlock)  {}
func philoxOffsets(ISA, *asm.PhiloxBlock)   {}
func philoxOffsetsOf(ISA, *asm.PhiloxBlock) {}
func philoxWordsOf(ISA, *asm.PhiloxBlock)   {}
func philoxWordsAt(ISA, *asm.PhiloxBlock)   {}
func philoxWordsFrom(ISA, *asm.PhiloxBlock) {}
func philoxNormals(ISA, *asm.PhiloxBlock)   {}
func philoxScaled(ISA, *asm.PhiloxBlock)    {}

// SplitTriples separates triples of accumulators.
func SplitTriples(_ ISA, b *asm.TriplesBlock) { splitTriplesGo(b) }

// Conduct advances exponential conductances.
func Conduct(_ ISA, b *asm.ConductBlock) { asm.ConductGo(b) }

// ConductBounds is Conduct that bounds currents too.
func ConductBounds(_ ISA, b *asm.ConductBlock) { asm.ConductBoundsGo(b) }

// AddInstantsThree adds arrivals to three accumulators.
func AddInstantsThree(_ ISA, b *asm.InstantsBlock) { asm.InstantsThreeGo(b) }

// AddPowerSums adds arrivals to three accumulators, by sums of powers of their offsets from the middle of the step.
func AddPowerSums(_ ISA, b *asm.PowerSumsBlock) { asm.PowerSumsGo(b) }

// Gates advances gates of NMDA without arrivals.
func Gates(_ ISA, b *asm.GatesBlock) { asm.GatesGo(b) }

// ConductNMDA advances conductances of NMDA.
func ConductNMDA(_ ISA, b *asm.NMDABlock) { asm.ConductNMDAGo(b) }

// ConductNMDABounds is ConductNMDA that bounds currents too.
func ConductNMDABounds(_ ISA, b *asm.NMDABlock) { asm.ConductNMDABoundsGo(b) }

// coupledKernels are the kernels of Coupled.
var coupledKernels = [coupledCount]coupledKernel{
	LIFCoupled:            {Go: asm.LIFCoupledGo},
	LIFCoupledRK4NMDA:     {Go: asm.LIFCoupledRK4NMDAGo},
	AdExCoupledRK4:        {Go: asm.AdExCoupledRK4Go},
	AdExCoupledRK4NMDA:    {Go: asm.AdExCoupledRK4NMDAGo},
	HHCoupledRK4:          {Go: asm.HHCoupledRK4Go},
	HHCoupledRK4NMDA:      {Go: asm.HHCoupledRK4NMDAGo},
	HHTMCoupledRK4:        {Go: asm.HHTMCoupledRK4Go},
	HHTMCoupledRK4NMDA:    {Go: asm.HHTMCoupledRK4NMDAGo},
	RHHCoupledRK4:         {Go: asm.RHHCoupledRK4Go},
	RHHCoupledRK4NMDA:     {Go: asm.RHHCoupledRK4NMDAGo},
	HHCoupledStrang:       {Go: asm.HHCoupledStrangGo},
	HHCoupledStrangNMDA:   {Go: asm.HHCoupledStrangNMDAGo},
	HHTMCoupledStrang:     {Go: asm.HHTMCoupledStrangGo},
	HHTMCoupledStrangNMDA: {Go: asm.HHTMCoupledStrangNMDAGo},
}

// AddWeights adds the weights of spikes to one accumulator for each lane, two or three.
func AddWeights(_ ISA, width int, b *asm.WeightsBlock) { asm.AddWeightsWideGo(width, b) }
