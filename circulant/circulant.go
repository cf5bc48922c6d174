// Package circulant multiplies vectors by circulant matrices, as synapses on a ring are, by fast Fourier transforms
// whose sums have one order: the same bits on every machine. That is why it has transforms of its own: in those of
// gonum, against which it is tested, some compilers fuse products with sums.
package circulant

import (
	"math"
	"math/bits"
)

// Matrix is a circulant matrix: element (j, i) is weights[(j-i) mod n].
type Matrix struct {
	n        int
	spectrum []complex128 // of the weights, in the order that forward leaves, over its length
	roots    []complex128 // exp(-2 pi i k/length)
}

// New returns the matrix of n = len(weights) rows and columns.
func New(weights []float64) *Matrix {
	n := len(weights)
	m := &Matrix{n: n}
	size := length(n)
	m.spectrum, m.roots = make([]complex128, size), make([]complex128, size)
	for k := range m.roots {
		m.roots[k] = turn(k, size)
	}
	for i, w := range weights {
		w /= float64(size)
		m.spectrum[i] = complex(w, 0)
		if size > n && i > 0 {
			m.spectrum[size-n+i] = complex(w, 0)
		}
	}
	m.forward(m.spectrum)
	return m
}

// length is that of the transforms of a matrix of n rows.
func length(n int) int {
	size := 1
	if n > 1 {
		size = 1 << bits.Len(uint(n-1))
	}
	if size > n { // no power of two: as a part of the product with a larger matrix
		size *= 2
	}
	return size
}

// Bytes is the memory of a matrix of n rows and its Scratch.
func Bytes(n int) int {
	const vectors, number = 3, 16
	return vectors * number * length(n)
}

// Len is the number of rows and columns.
func (m *Matrix) Len() int { return m.n }

// Scratch returns a vector for Multiply. Goroutines that share a matrix have one each.
func (m *Matrix) Scratch() []complex128 { return make([]complex128, len(m.spectrum)) }

// Multiply replaces two vectors, the real and the imaginary parts of the first Len elements of z, by their products
// with the matrix. z comes from Scratch; its other elements are overwritten.
func (m *Matrix) Multiply(z []complex128) {
	clear(z[m.n:])
	m.forward(z)
	for k, w := range m.spectrum {
		z[k] = times(z[k], w)
	}
	m.backward(z)
}

// times is a b, from four products and two sums.
func times(a, b complex128) complex128 {
	return complex(
		float64(real(a)*real(b))-float64(imag(a)*imag(b)),
		float64(real(a)*imag(b))+float64(imag(a)*real(b)),
	)
}

// forward is the discrete Fourier transform of z, in an order that backward takes: Gentleman and Sande's, two of whose
// stages are done in one.
func (m *Matrix) forward(z []complex128) {
	size := len(z)
	length := size
	for ; length >= 4; length /= 4 {
		q, stride := length/4, size/length
		for first := 0; first < size; first += length {
			a, b, c, d := z[first:][:q], z[first+q:][:q], z[first+2*q:][:q], z[first+3*q:][:q]
			for j := range q {
				s, t, u, v := a[j]+c[j], b[j]+d[j], a[j]-c[j], b[j]-d[j]
				v = complex(imag(v), -real(v)) // -i v
				k := j * stride
				a[j] = s + t
				b[j] = times(s-t, m.roots[2*k])
				c[j] = times(u+v, m.roots[k])
				d[j] = times(u-v, m.roots[3*k])
			}
		}
	}
	if length == 2 {
		for j := 0; j < size; j += 2 {
			z[j], z[j+1] = z[j]+z[j+1], z[j]-z[j+1]
		}
	}
}

// backward undoes forward, but for the factor of the length.
func (m *Matrix) backward(z []complex128) {
	size := len(z)
	length := 4
	if bits.TrailingZeros(uint(size))%2 == 1 {
		for j := 0; j < size; j += 2 {
			z[j], z[j+1] = z[j]+z[j+1], z[j]-z[j+1]
		}
		length = 8
	}
	for ; length <= size; length *= 4 {
		q, stride := length/4, size/length
		for first := 0; first < size; first += length {
			a, b, c, d := z[first:][:q], z[first+q:][:q], z[first+2*q:][:q], z[first+3*q:][:q]
			for j := range q {
				k := j * stride
				x, y := times(b[j], conjugate(m.roots[2*k])), times(c[j], conjugate(m.roots[k]))
				w := times(d[j], conjugate(m.roots[3*k]))
				s, t, u, v := a[j]+x, a[j]-x, y+w, y-w
				v = complex(-imag(v), real(v)) // i v
				a[j], b[j], c[j], d[j] = s+u, t+v, s-u, t-v
			}
		}
	}
}

func conjugate(a complex128) complex128 { return complex(real(a), -imag(a)) }

// turn is exp(-2 pi i k/n) for 0 ≤ k < n and n a power of two.
func turn(k, n int) complex128 {
	if k == 0 {
		return 1
	}
	if 8*k > n { // half a quarter less, and back
		const root = math.Sqrt2 / 2
		quarter, rest := 8*k/n, k-8*k/n*n/8
		z := turn(rest, n)
		for ; quarter >= 2; quarter -= 2 {
			z = complex(imag(z), -real(z))
		}
		if quarter == 1 {
			z = times(z, complex(root, -root))
		}
		return z
	}
	x := 2 * math.Pi * float64(k) / float64(n)
	cos, sin, term := 1.0, x, x
	for j := 2.0; j < 24; j += 2 {
		term = float64(term * (-x / j))
		cos += term
		term = float64(term * (x / (j + 1)))
		sin += term
	}
	return complex(cos, -sin)
}
