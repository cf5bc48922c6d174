package circulant

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/dsp/fourier"
)

// TestMultiply compares products with sums term by term, for lengths that are powers of two and others.
func TestMultiply(t *testing.T) {
	const tolerance = 1e-14 // some roundings of sums of up to 1000 terms of size 1, over their number
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 4, 5, 8, 12, 16, 31, 64, 128, 500, 512, 1000} {
		w, x, y := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range n {
			w[i], x[i], y[i] = r.NormFloat64(), r.NormFloat64(), r.NormFloat64()
		}
		m := New(w)
		z := m.Scratch()
		for i := range z {
			z[i] = complex(math.NaN(), 0) // values after the n are not used
		}
		for i := range n {
			z[i] = complex(x[i], y[i])
		}
		m.Multiply(z)
		for j := range n {
			var want complex128
			for i := range n {
				want += complex(w[(j-i+n)%n], 0) * complex(x[i], y[i])
			}
			if cmplx.Abs(z[j]-want) > tolerance*float64(n) {
				t.Fatalf("n %d, row %d: %v, want %v", n, j, z[j], want)
			}
		}
	}
}

// TestSpectrum compares the transform with gonum's, whose order is the natural one.
func TestSpectrum(t *testing.T) {
	const n, tolerance = 2048, 1e-12 // roundings of 11 stages, of sums of size 50
	r := rand.New(rand.NewPCG(3, 4))
	w := make([]float64, n)
	z := make([]complex128, n)
	for i := range w {
		w[i] = r.NormFloat64()
		z[i] = complex(w[i], 0)
	}
	m := New(w)
	want := fourier.NewCmplxFFT(n).Coefficients(nil, z)
	m.forward(z)
	left := append([]complex128(nil), want...)
	for _, c := range z {
		best := 0
		for k := range left {
			if cmplx.Abs(left[k]-c) < cmplx.Abs(left[best]-c) {
				best = k
			}
		}
		if cmplx.Abs(left[best]-c) > tolerance {
			t.Fatalf("%v is none of gonum's coefficients; the nearest is %v", c, left[best])
		}
		left = append(left[:best], left[best+1:]...)
	}
}

// TestTurn: roots of unity to the last digits.
func TestTurn(t *testing.T) {
	const n, tolerance = 4096, 2e-15 // roundings of angles up to 2 pi, and of three products
	for k := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(k) / n)
		if z := turn(k, n); cmplx.Abs(z-complex(cos, -sin)) > tolerance {
			t.Fatalf("turn %d: %v, want %v", k, z, complex(cos, -sin))
		}
	}
}

func BenchmarkMultiply(b *testing.B) {
	m := New(make([]float64, 2048))
	z := m.Scratch()
	for b.Loop() {
		m.Multiply(z)
	}
}
