//go:build amd64 && !purego

package kernels

import (
	"encoding/binary"
	"math/bits"

	"popsim/kernels/asm"
)

// LIFRows advances LIF neurons; one of the rows Drive and Jump may be nil.
func LIFRows(isa ISA, b *asm.LIFRowsBlock) {
	switch {
	case isa < AVX2:
		lifRowsGo(b)
	case isa == AVX2 || b.Steps == 1:
		lifRowsByStep(isa, b)
	case b.Jump == nil:
		asm.LIFDriveRowsAVX512(b)
	case b.Drive != nil:
		asm.LIFRowsAVX512(b)
	case b.Alike:
		asm.LIFJumpRowsAlikeAVX512(b)
	default:
		asm.LIFJumpRowsAVX512(b)
	}
}

// LIFExpRows advances LIF neurons with one exponential current.
func LIFExpRows(isa ISA, b *asm.LIFExpRowsBlock) {
	switch {
	case isa < AVX2:
		asm.LIFExpRowsGo(b)
	case isa == AVX2 || b.Steps == 1:
		lifExpRowsByStep(isa, b)
	case b.Alike:
		asm.LIFExpRowsAlikeAVX512(b)
	default:
		asm.LIFExpRowsAVX512(b)
	}
}

// LIFExpRows2 advances LIF neurons with two exponential currents.
func LIFExpRows2(isa ISA, b *asm.LIFExpRowsBlock) {
	switch {
	case isa < AVX2:
		asm.LIFExpRows2Go(b)
	case isa == AVX2 || b.Steps == 1:
		lifExpRowsByStep(isa, b)
	case b.Alike:
		asm.LIFExpRows2AlikeAVX512(b)
	default:
		asm.LIFExpRows2AVX512(b)
	}
}

// byStep is the number of lanes that take the steps of an epoch together, step by step: their columns stay in the
// first-level cache.
const byStep = 8 * Group

// lifRowsByStep is LIFRows by kernels of one step.
func lifRowsByStep(isa ISA, b *asm.LIFRowsBlock) {
	for at := 0; at < b.Lanes; at += byStep {
		s := *b
		s.Lanes, s.V, s.Wake, s.Coef = min(byStep, b.Lanes-at), b.V[at:], b.Wake[at:], b.Coef[at/Group*b.CoefStride:]
		for k := range b.Steps {
			s.First, s.Fired = b.First+float64(k), b.Fired[k*b.FiredStride+at/8:]
			if b.Drive != nil {
				s.Drive = b.Drive[k*b.DriveStride+at:]
			}
			if b.Jump != nil {
				s.Jump = b.Jump[k*b.JumpStride+at:]
			}
			lifRowsOnce(isa, &s)
			endSpikes(s.Fired[:s.Lanes/8], s.First+1, s.V, s.Wake, s.Coef, s.CoefStride)
		}
	}
}

// lifExpRowsByStep is LIFExpRows or LIFExpRows2 by kernels of one step.
func lifExpRowsByStep(isa ISA, b *asm.LIFExpRowsBlock) {
	for at := 0; at < b.Lanes; at += byStep {
		s := *b
		s.Lanes, s.V, s.Wake, s.Coef = min(byStep, b.Lanes-at), b.V[at:], b.Wake[at:], b.Coef[at/Group*b.CoefStride:]
		s.Current = b.Current[at:]
		if b.Row2 != nil {
			s.Current2 = b.Current2[at:]
		}
		for k := range b.Steps {
			s.First, s.Fired, s.Row = b.First+float64(k), b.Fired[k*b.FiredStride+at/8:], b.Row[k*b.RowStride+at:]
			if b.Row2 != nil {
				s.Row2 = b.Row2[k*b.Row2Stride+at:]
			}
			lifExpRowsOnce(isa, &s)
			endSpikes(s.Fired[:s.Lanes/8], s.First+1, s.V, s.Wake, s.Coef, s.CoefStride)
		}
	}
}

// lifRowsOnce is one step of LIFRows, but for endSpikes.
func lifRowsOnce(isa ISA, b *asm.LIFRowsBlock) {
	switch {
	case isa == AVX512 && b.Jump == nil:
		asm.LIFDriveRowsOnceAVX512(b)
	case isa == AVX512 && b.Drive != nil:
		asm.LIFRowsOnceAVX512(b)
	case isa == AVX512 && b.Alike:
		asm.LIFJumpRowsOnceAlikeAVX512(b)
	case isa == AVX512:
		asm.LIFJumpRowsOnceAVX512(b)
	case b.Jump == nil:
		asm.LIFDriveRowsOnceAVX2(b)
	case b.Drive != nil:
		asm.LIFRowsOnceAVX2(b)
	case b.Alike:
		asm.LIFJumpRowsOnceAlikeAVX2(b)
	default:
		asm.LIFJumpRowsOnceAVX2(b)
	}
}

// lifExpRowsOnce is one step of LIFExpRows or LIFExpRows2, but for endSpikes.
func lifExpRowsOnce(isa ISA, b *asm.LIFExpRowsBlock) {
	two := b.Row2 != nil
	switch {
	case isa == AVX512 && two && b.Alike:
		asm.LIFExpRows2OnceAlikeAVX512(b)
	case isa == AVX512 && two:
		asm.LIFExpRows2OnceAVX512(b)
	case isa == AVX512 && b.Alike:
		asm.LIFExpRowsOnceAlikeAVX512(b)
	case isa == AVX512:
		asm.LIFExpRowsOnceAVX512(b)
	case two && b.Alike:
		asm.LIFExpRows2OnceAlikeAVX2(b)
	case two:
		asm.LIFExpRows2OnceAVX2(b)
	case b.Alike:
		asm.LIFExpRowsOnceAlikeAVX2(b)
	default:
		asm.LIFExpRowsOnceAVX2(b)
	}
}

// endSpikes resets the lanes whose bits in fired are set, and holds them; next is the number of the step that follows.
func endSpikes(fired []uint8, next float64, v, wake []float64, coef []asm.Column, stride int) {
	for i := 0; i < len(fired); i += 8 {
		for word := binary.LittleEndian.Uint64(fired[i:]); word != 0; word &= word - 1 {
			l := 8*i + bits.TrailingZeros64(word)
			c := coef[l/Group*stride:]
			v[l], wake[l] = c[asm.LIFRowsVReset][l%Group], next+c[asm.LIFRowsHold][l%Group]
		}
	}
}
