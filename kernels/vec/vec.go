// Package vec holds programs of vector arithmetic: the straight-line part of a kernel, recorded once as a list of
// correctly rounded operations. A recorded Block has several executors, which compute the same bits:
//
//   - Interpreter, in plain Go: the meaning of a block;
//   - GoText, which prints it as plain Go: the twin of an assembly kernel, always compiled;
//   - Emit, which schedules the operations, allocates registers and hands the instructions to an Emitter. The generator
//     in kernels/asm/_gen prints them as assembly.
//
// The package does not depend on an assembler: an instruction is a name and operands.
//
// # How to write a kernel
//
// A Kernel is the usual case: it advances a group of lanes by several steps. A synaptic current that decays and adds
// the arrivals, clearing their row as it is read, needs this argument in package asm, whose columns and rows its caller
// provides:
//
//	// DecayBlock is the argument of the Decay kernels.
//	type DecayBlock struct {
//		Current      *Column   // state
//		Decay        *Column   // exp(-dt/tau)
//		Arrived, Out []float64 // rows: in, cleared to 1e-290 as it is read; out, the current at the end of the step
//		Steps        int
//	}
//
// this in kernels/asm/_gen/decay.go:
//
//	var decay = &vec.Kernel{
//		Name: "Decay", Doc: "lets synaptic currents decay and adds what arrives.", Argument: "DecayBlock",
//		States: []string{"Current"}, Coefs: []string{"Decay"}, Rows: []string{"Arrived", "Out"},
//		Vectors: map[string]int{"AVX2": 4, "AVX512": 4},
//		Step: func(b *vec.Block, x *vec.Vars) {
//			i := b.FMA(x.Get("Current"), x.Get("Decay"), x.Get("Arrived")) // i = i·decay + arrived, rounded once
//			x.Set("Current", i)
//			x.Set("Out", i)
//			x.Set("Arrived", b.Const(1e-290))
//		},
//	}
//
// and a row in the list of files of kernels/asm/_gen/main.go:
//
//	{name: "decay", kernels: []func(*file, isa){rowKernel(decay)}, plain: []func() string{decay.GoText}},
//
// scripts/generate then writes asm.DecayAVX2, asm.DecayAVX512 (decay_amd64.s) and asm.DecayGo (decay_plain.go), which
// compute the same bits.
package vec
