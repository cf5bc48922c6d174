package asm

// CoupledBlock is the argument of the kernels that advance a group of neurons with conductances by one step. G and J
// are the means over the step of the conductance, and of the current that includes conductances times their reversal
// potentials; GTilt and JTilt are their rises over it, as straight lines of the same mean and first moment. Next is the
// state after a step without spikes.
type CoupledBlock struct {
	V, M, H, N                 Column
	NextV, NextM, NextH, NextN Column
	G, J, GTilt, JTilt         Column
	Up                         Column // models that reset: upper bound of the current while V is not below its start
	Free                       Column // models that reset: first step in which V moves, plus 1/2 if it begins inside it
	Level                      Column // models that cross: potential whose upward crossing is the next spike; in and out

	// NMDA: as G, J, GTilt, JTilt, but without the block by magnesium.
	NMDA, NMDAJ, NMDATilt, NMDAJTilt Column

	Coef *CoupledCoefs

	Now   float64 // models that reset: number of the step
	Dt    float64
	Half  float64 // dt/2
	Sixth float64 // dt/6
	Tilt  float64 // dt²/12
	Mg    float64 // concentration of magnesium over 3.57 mM
	Cut   float64 // rhh: what |dV/dt| dt may be, mV

	// Done has bit l%8 of byte l/8 set for each lane l that is done: it does not fire, is not held, and V relaxes by
	// no more than Stiff time constants.
	Stiff float64
	Done  [Group / 8]uint8
}

// CoupledCoefs are the constants of a group: dV/dt = Drive + Per (J + I) - (Rate + Per G) V + what is particular to
// the model.
type CoupledCoefs struct {
	Per, Rate, Drive, VTh Column
	Near                  Column // models that reset: V that stays below it cannot fire
	VT, PerDelta, Sharp   Column // EIF, AdEx: 1/delta_T, delta_T/tau
	A, VRest, WRate       Column // AdEx: 1/tau_w
	Na, K, ENa, EK        Column // HH: conductances over C
	Shift, Sum            Column // hhtm: HHShift; rhh: n + h
}
