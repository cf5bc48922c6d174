//go:build amd64 && !purego

package kernels

import (
	"unsafe"

	"popsim/kernels/asm"
)

// assembled is whether this build contains assembly.
const assembled = true

// assembly finds the assembly of a method, if it has any.
func assembly(model, method string, isa ISA) (free, driven step, ok bool) {
	pair, ok := routines[routine{model, method, isa}]
	return pair[0], pair[1], ok
}

// prefetch loads a column into the cache.
func prefetch(c *asm.Column) { asm.Prefetch(c) }

// Prefetch loads s into the cache, except what is left of it after whole columns.
func Prefetch[T any](s []T) {
	const column = int(unsafe.Sizeof(asm.Column{}))
	start, bytes := unsafe.Pointer(unsafe.SliceData(s)), len(s)*int(unsafe.Sizeof(s[0]))
	for at := 0; at+column <= bytes; at += column {
		asm.Prefetch((*asm.Column)(unsafe.Add(start, at)))
	}
}

type routine struct {
	model, method string
	isa           ISA
}

// routines lists the assembly kernels: the free step, then the driven one; but see substep and packedAssembly.
var routines = map[routine][2]step{
	{"eif", "euler", AVX2}:        {asm.EIFEulerAVX2, asm.EIFEulerFullAVX2},
	{"eif", "euler", AVX512}:      {asm.EIFEulerAVX512, asm.EIFEulerFullAVX512},
	{"adex", "euler", AVX2}:       {asm.AdExEulerAVX2, asm.AdExEulerFullAVX2},
	{"adex", "euler", AVX512}:     {asm.AdExEulerAVX512, asm.AdExEulerFullAVX512},
	{"eif", "flow", AVX2}:         {asm.EIFFlowAVX2, asm.EIFFlowFullAVX2},
	{"eif", "flow", AVX512}:       {asm.EIFFlowAVX512, asm.EIFFlowFullAVX512},
	{"adex", "flow", AVX2}:        {asm.AdExFlowAVX2, asm.AdExFlowFullAVX2},
	{"adex", "flow", AVX512}:      {asm.AdExFlowAVX512, asm.AdExFlowFullAVX512},
	{"lif", "exact", AVX2}:        {asm.LIFAVX2, asm.LIFFullAVX2},
	{"lif", "exact", AVX512}:      {asm.LIFAVX512, asm.LIFFullAVX512},
	{"lif", "packed", AVX2}:       {nil, asm.LIFPackableAVX2},
	{"lif", "packed", AVX512}:     {asm.LIFPackedAVX512, asm.LIFPackableAVX512},
	{"lif", "packed-own", AVX512}: {asm.LIFPackedCurrentsAVX512, asm.LIFPackedOwnAVX512},
	{"hh", "strang-cn", AVX2}:     {asm.HHStrangAVX2, asm.HHStrangFullAVX2},
	{"hh", "strang-cn", AVX512}:   {asm.HHStrangAVX512, asm.HHStrangFullAVX512},
	{"hh", "rk4", AVX2}:           {asm.HHRK4AVX2, asm.HHRK4FullAVX2},
	{"hh", "rk4", AVX512}:         {asm.HHRK4AVX512, asm.HHRK4FullAVX512},
	{"hh", "exp-euler", AVX2}:     {asm.HHExpEulerAVX2, asm.HHExpEulerFullAVX2},
	{"hh", "exp-euler", AVX512}:   {asm.HHExpEulerAVX512, asm.HHExpEulerFullAVX512},
	{"hhtm", "strang-cn", AVX2}:   {asm.HHTMStrangAVX2, asm.HHTMStrangFullAVX2},
	{"hhtm", "strang-cn", AVX512}: {asm.HHTMStrangAVX512, asm.HHTMStrangFullAVX512},
	{"hhtm", "rk4", AVX2}:         {asm.HHTMRK4AVX2, asm.HHTMRK4FullAVX2},
	{"hhtm", "rk4", AVX512}:       {asm.HHTMRK4AVX512, asm.HHTMRK4FullAVX512},
	{"hhtm", "exp-euler", AVX2}:   {asm.HHTMExpEulerAVX2, asm.HHTMExpEulerFullAVX2},
	{"hhtm", "exp-euler", AVX512}: {asm.HHTMExpEulerAVX512, asm.HHTMExpEulerFullAVX512},
	{"rhh", "cut-rk4", AVX2}:      {asm.RHHCutAVX2, asm.RHHCutFullAVX2},
	{"rhh", "cut-rk4", AVX512}:    {asm.RHHCutAVX512, asm.RHHCutFullAVX512},
	{"rhh", "substep", AVX2}:      {asm.RHHSubstepsAVX2, nil},
	{"rhh", "substep", AVX512}:    {asm.RHHSubstepsAVX512, nil},
	{"rhh", "rk4", AVX2}:          {asm.RHHRK4AVX2, asm.RHHRK4FullAVX2},
	{"rhh", "rk4", AVX512}:        {asm.RHHRK4AVX512, asm.RHHRK4FullAVX512},
	{"rhh", "exp-euler", AVX2}:    {asm.RHHExpEulerAVX2, asm.RHHExpEulerFullAVX2},
	{"rhh", "exp-euler", AVX512}:  {asm.RHHExpEulerAVX512, asm.RHHExpEulerFullAVX512},
}
