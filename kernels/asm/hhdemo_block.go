package asm

// HHDemoBlock is the argument of HHDemoAVX2 and HHDemoAVX512, a trial of the generator.
type HHDemoBlock struct {
	V, M, H, N, Count *float64 // columns
	Par               *float64 // gNa gK gL eNa eK drive dt dt/2 level, a full vector each
	Groups, Steps     int
}
