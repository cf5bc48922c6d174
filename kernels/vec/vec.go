// Package vec holds programs of vector arithmetic: the straight-line part of a kernel, recorded once as a list of correctly rounded
// operations. A recorded Block has several executors, which compute the same bits:
//
//   - Interpreter, in plain Go: the meaning of a block;
//   - Emit, which schedules the operations, allocates registers and hands the instructions to an Emitter. The generator in
//     kernels/asm/_gen prints them as assembly.
//
// The package knows no assembler: an instruction is a name and operands.
package vec
