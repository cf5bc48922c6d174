//go:build amd64 && !purego

package kernels

import "popsim/kernels/asm"

var (
	drawsAVX2   = &drawKernels{asm.PhiloxWordsAVX2, asm.PhiloxCountsAVX2, asm.AddCountsAVX2}
	drawsAVX512 = &drawKernels{asm.PhiloxWordsAVX512, asm.PhiloxCountsAVX512, asm.AddCountsAVX512}
)

var (
	rowsAVX2   = &Rows{asm.LIFRowsAVX2, asm.LIFDriveRowsAVX2, asm.LIFJumpRowsAVX2, asm.ExpRowsAVX2, asm.AlphaRowsAVX2}
	rowsAVX512 = &Rows{asm.LIFRowsAVX512, asm.LIFDriveRowsAVX512, asm.LIFJumpRowsAVX512, asm.ExpRowsAVX512, asm.AlphaRowsAVX512}
)

// RowsOf are the kernels over rows of an instruction set.
func RowsOf(isa ISA) *Rows {
	switch isa {
	case AVX2:
		return rowsAVX2
	case AVX512:
		return rowsAVX512
	}
	return rowsGo
}

// philoxKernels are the kernels of an instruction set and the number of their lanes; nil where there are none.
func philoxKernels(isa ISA) (*drawKernels, int) {
	if isa == Auto {
		isa = Available()[0]
	}
	switch isa {
	case AVX2:
		return drawsAVX2, 8
	case AVX512:
		return drawsAVX512, 16
	}
	return nil, 1
}
