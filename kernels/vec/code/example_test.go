package code_test

import (
	"fmt"

	"github.com/klauspost/cpuid/v2"

	"popsim/kernels/vec"
	"popsim/kernels/vec/code"
)

// A step of V' = I - V, as machine code where the processor and the system allow it, else in plain Go: the same bits.
func ExampleCompile() {
	euler := &vec.Program{Name: "leak", Record: func(b *vec.Block) {
		v := b.Load(vec.Before.Column(0))
		dv := b.Sub(b.Load(vec.Input.Column(0)), v)
		b.Store(vec.After.Column(0), b.FMA(b.Const(0.5), dv, v)) // dt is 0.5
	}}
	run := euler.Compile().Executor()
	if code.Available() == nil && cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3) {
		c, err := code.Compile(euler, vec.AVX2, 2, vec.Tuning{}) // 2 vectors of 4 lanes at a time
		if err != nil {
			fmt.Println(err)
			return
		}
		run = c.Executor()
	}
	const steps = 2
	f := vec.Frame{
		Before: make([]float64, vec.FrameLanes), After: make([]float64, vec.FrameLanes),
		Input: make([]float64, steps*vec.FrameLanes), Stride: vec.FrameLanes, Lanes: 8, Steps: steps,
	}
	for l := range f.Lanes {
		f.Input[l], f.Input[f.Stride+l] = float64(l), float64(l)
	}
	run.Run(&f)
	fmt.Println(f.Before[:f.Lanes])
	// Output: [0 0.75 1.5 2.25 3 3.75 4.5 5.25]
}
