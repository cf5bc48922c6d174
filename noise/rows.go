package noise

import (
	"popsim/kernels"
	"popsim/rng"
)

// Rows draws standard normal numbers of consecutive neurons. Every neuron has a sequence of its own; row k holds number
// k of each. Four rows are drawn together.
type Rows struct {
	stream   rng.Stream
	first, n int // neurons
	stride   int
	rows     []float64
	drawn    int64 // a quarter of the number of the first row held; -1: none
}

// NewRows makes the rows of the n neurons from number first on.
func NewRows(s rng.Stream, first, n int) *Rows {
	stride := (n + kernels.DrawnTogether - 1) / kernels.DrawnTogether * kernels.DrawnTogether
	return &Rows{stream: s, first: first, n: n, stride: stride, rows: make([]float64, 4*stride), drawn: -1}
}

// Row returns row number k, which is valid until a row of another four is requested. isa is one of kernels.Available.
func (r *Rows) Row(isa kernels.ISA, k int64) []float64 {
	if k/4 != r.drawn {
		r.drawn = k / 4
		kernels.Normals(isa, r.stream, r.rows, r.stride, r.n, uint32(r.first), uint32(k/4))
	}
	return r.rows[int(k%4)*r.stride:][:r.n]
}
