//go:build !amd64 || purego

package kernels

// philoxKernels are the kernels of an instruction set and the number of their lanes; nil where there are none.
func philoxKernels(ISA) (*drawKernels, int) { return nil, 1 }

// RowsOf are the kernels over rows of an instruction set.
func RowsOf(ISA) *Rows { return rowsGo }
