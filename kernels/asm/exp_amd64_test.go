//go:build !purego

package asm

import (
	"fmt"
	"math"
	"testing"
	"unsafe"

	"github.com/klauspost/cpuid/v2"
)

var exps = []struct {
	isa string
	has bool
	f   func(dst, src *float64, n int)
}{
	{"avx2", cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3), ExpAVX2},
	{"avx512", cpuid.CPU.Supports(cpuid.AVX512F, cpuid.AVX512DQ), ExpAVX512},
}

// expTwin is what ExpAVX2 and ExpAVX512 compute, operation by operation.
func expTwin(x float64) float64 {
	c := [12]float64{1, 1, ExpC2, ExpC3, ExpC4, ExpC5, ExpC6, ExpC7, ExpC8, ExpC9, ExpC10, ExpC11}
	t := math.FMA(x, Log2E, Magic)
	n := t - Magic
	r := math.FMA(-n, Ln2Hi, x)
	r = math.FMA(-n, Ln2Lo, r)
	z := r * r
	odd, even := math.FMA(z, c[11], c[9]), math.FMA(z, c[10], c[8])
	for i := 7; i > 2; i -= 2 {
		odd, even = math.FMA(odd, z, c[i]), math.FMA(even, z, c[i-1])
	}
	p := math.FMA(math.FMA(math.FMA(odd, r, even), r, c[1]), r, c[0])
	return math.Float64frombits(math.Float64bits(p) + math.Float64bits(t)<<52)
}

// golden is n points of [lo, hi], spread by the golden section, aligned to 64 bytes.
func golden(n int, lo, hi float64) []float64 {
	x := make([]float64, n+8)
	x = x[(64-uintptr(unsafe.Pointer(&x[0]))%64)%64/8:][:n]
	for i := range x {
		x[i] = lo + (hi-lo)*math.Mod(float64(i+1)*0.6180339887498949, 1)
	}
	return x
}

func TestExpMatchesGo(t *testing.T) {
	const n = 1_000_000 // a multiple of 64
	const tol = 5e-16   // one ulp of ours, one of math.Exp
	src, dst := golden(n, -708, 709.7), golden(n, 0, 0)
	copy(src, []float64{0, math.Copysign(0, -1), 5e-324, -5e-324, -708.39, 709.78, math.Ln2, -math.Ln2 / 2, 0.5, 1})
	for _, e := range exps {
		t.Run("isa="+e.isa, func(t *testing.T) {
			if !e.has {
				t.Skip("not on this processor")
			}
			e.f(&dst[0], &src[0], n)
			for i, x := range src {
				if want := expTwin(x); math.Float64bits(dst[i]) != math.Float64bits(want) {
					t.Fatalf("i=%d: exp(%v) = %v, want %v", i, x, dst[i], want)
				}
				// math.Exp overflows too soon on amd64
				if rel := math.Abs(dst[i]/math.Exp(x) - 1); x < 709 && rel > tol {
					t.Fatalf("i=%d: exp(%v) = %v, math.Exp is %v", i, x, dst[i], math.Exp(x))
				}
			}
		})
	}
}

func BenchmarkExp(b *testing.B) {
	const n = 768 // both columns in the first-level cache
	src, dst := golden(n, -700, 700), golden(n, 0, 0)
	for _, e := range exps {
		b.Run(fmt.Sprintf("isa=%s/n=%d", e.isa, n), func(b *testing.B) {
			if !e.has {
				b.Skip("not on this processor")
			}
			for b.Loop() {
				e.f(&dst[0], &src[0], n)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/value")
		})
	}
}
