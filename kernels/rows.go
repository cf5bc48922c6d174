package kernels

import "popsim/kernels/asm"

// Rows are the kernels over rows of one instruction set, which take many lanes of a network through some steps: see the
// arguments in package asm.
type Rows struct {
	LIF      func(*asm.LIFRowsBlock) // with currents and jumps
	LIFDrive func(*asm.LIFRowsBlock) // with currents
	LIFJump  func(*asm.LIFRowsBlock) // with jumps
	Exp      func(*asm.CurrentRowsBlock)
	Alpha    func(*asm.CurrentRowsBlock)
}

var rowsGo = &Rows{asm.LIFRowsGo, asm.LIFDriveRowsGo, asm.LIFJumpRowsGo, asm.ExpRowsGo, asm.AlphaRowsGo}
