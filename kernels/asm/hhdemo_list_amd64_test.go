//go:build !purego

package asm

var hhDemos = []struct {
	isa, name string
	g         int
	f         func(*HHDemoBlock)
}{
	{"avx2", "8/8", 8, HHDemoAVX2},
	{"avx512", "8/8", 8, HHDemoAVX512},
}
