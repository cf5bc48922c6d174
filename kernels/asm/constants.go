package asm

// Constants of the exponentials, shared by recordings and by the plain Go of package kernels.
const (
	Magic  = 0x1.8p52              // added to x it rounds x to an integer, which is then in the low bits of the sum
	Log2E  = 0x1.71547652b82fep+0  // 1/ln 2
	Ln2Hi  = 0x1.62e42fefa3800p-1  // ln 2 to 42 bits, so that n·Ln2Hi is exact
	Ln2Lo  = 0x1.ef35793c76730p-45 // the rest of ln 2
	ExpLo  = -0x1.6232bdd7abcd2p+9 // -708.39: exp of less is subnormal
	ExpHi  = 0x1.62e42fefa39efp+9  // 709.78: exp of more overflows
	Exp2Lo = -1022.0               // 2^x of less is subnormal
	Exp2Hi = 0x1.fffffffffffffp+9  // 2^x of more overflows
)

// Coefficients of (exp(r)-1-r)/r² for |r| ≤ ln2/2: least squares on Chebyshev nodes, rounded one at a time.
const (
	ExpC2  = 0.5
	ExpC3  = 0x1.55555555554bdp-3
	ExpC4  = 0x1.55555555530e8p-5
	ExpC5  = 0x1.1111111138239p-7
	ExpC6  = 0x1.6c16c17d145c4p-10
	ExpC7  = 0x1.a01a00cd39cb8p-13
	ExpC8  = 0x1.a019aa441ce01p-16
	ExpC9  = 0x1.71dffc265db7cp-19
	ExpC10 = 0x1.28a061999b750p-22
	ExpC11 = 0x1.ac236999e0b80p-26
)

// Coefficients of 2^r for |r| ≤ 1/2, of which the first is 1: least squares of the relative error on Chebyshev nodes,
// rounded one at a time.
const (
	Exp2C1 = 0x1.62e42fef863fep-1
	Exp2C2 = 0x1.ebfbdff8ccfe7p-3
	Exp2C3 = 0x1.c6b08dd418aa5p-5
	Exp2C4 = 0x1.3b2ab618fb4a4p-7
	Exp2C5 = 0x1.5d87488d3d0f3p-10
	Exp2C6 = 0x1.430a636c5bc93p-13
	Exp2C7 = 0x1.00daa1aa4da77p-16
	Exp2C8 = 0x1.6208e90f714d6p-20
)

// Constants of the flow method of EIF and AdEx; what they are for is in kernels/flow.go.
const (
	FlowLimit    = 15.0 / 16 // of x and |z| in the fast step
	FlowUpstroke = 1.0 / 16
	FlowLikely   = 0.25

	FlowMean0 = 1.0 / 2
	FlowMean1 = 1.0 / 6
	FlowMean2 = 0.17087208016533528
	FlowMean3 = -0.35074039053205125
	FlowMean4 = 0.4616411267138857

	FlowLog0  = 22.690963390339913
	FlowLogP1 = -42.81149686131888
	FlowLogP2 = 24.02487768673111
	FlowLogP3 = -3.6304831564309668
	FlowLogQ1 = -54.15697856165728
	FlowLogQ2 = 43.539714016663766
	FlowLogQ3 = -13.02086086813522
)

// Constants of the Hodgkin-Huxley rates and of strang-cn; see kernels/hh.go. HHC2 to HHC10 are (exp(u)-1-u)/u² for |u|
// ≤ 2/9: least squares on Chebyshev nodes, rounded one at a time.
const (
	HHC2  = 0x1.fffffffffffecp-2
	HHC3  = 0x1.5555555554f69p-3
	HHC4  = 0x1.555555555b3f7p-5
	HHC5  = 0x1.111111140b74ep-7
	HHC6  = 0x1.6c16c149b5292p-10
	HHC7  = 0x1.a019e1ba973f2p-13
	HHC8  = 0x1.a01a99380a44cp-16
	HHC9  = 0x1.7269d60d7f7a2p-19
	HHC10 = 0x1.2726a6898a2f1p-22

	HHBetaM  = 4 * 0x1.feac5eef1220ap-3 // 4 exp(-25/18)
	HHAlphaH = 0x1.48962cd252fb5p-6     // 0.07 exp(-25/20)
	HHBetaN  = 0x1.769652df22f7ep-4     // 0.125 exp(-25/80)
	HHE05    = 0x1.a61298e1e069cp+0     // exp(1/2)
	HHE15    = 0x1.c8f87724b5c1dp-3     // exp(-3/2)

	StrangSoft = 1.0 / 9
)
