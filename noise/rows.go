package noise

import (
	"popsim/kernels"
	"popsim/rng"
)

// Rows draws standard normal numbers of neurons. Every neuron has a sequence of its own; row k holds number k of each.
// Four rows are drawn together.
type Rows struct {
	stream rng.Stream
	ids    []uint32
	stride int
	rows   []float64
	drawn  int64 // a quarter of the number of the first row held; -1: none
}

// NewRows makes the rows of the neurons that have the numbers ids in the stream.
func NewRows(s rng.Stream, ids []uint32) *Rows {
	stride := (len(ids) + kernels.Group - 1) / kernels.Group * kernels.Group
	padded := make([]uint32, stride)
	return &Rows{stream: s, ids: padded[:copy(padded, ids)], stride: stride, rows: make([]float64, 4*stride+1), drawn: -1}
}

// Consecutive lists n whole numbers from first on.
func Consecutive(first, n int) []uint32 {
	ids := make([]uint32, n)
	for i := range ids {
		ids[i] = uint32(first + i)
	}
	return ids
}

// Row returns row number k, padded to whole groups of kernels. It is valid until a row of another four is
// drawn. isa is one of kernels.Available.
func (r *Rows) Row(isa kernels.ISA, k int64) []float64 {
	rows, stride := r.From(isa, k)
	return rows[:stride]
}

// From returns row number k and those after it that are drawn together with it, stride numbers each, and one value
// more. They are valid until a row of another four is drawn, and may be overwritten: a row is not drawn twice then.
func (r *Rows) From(isa kernels.ISA, k int64) (rows []float64, stride int) {
	if k/4 != r.drawn {
		r.drawn = k / 4
		kernels.Normals(isa, r.stream, r.rows, r.stride, r.ids, uint32(k/4))
	}
	return r.rows[int(k%4)*r.stride:], r.stride
}

// At is the number of neuron l in row k, drawn by itself.
func (r *Rows) At(l int, k int64) float64 {
	return rng.Normal32(r.stream.At(r.ids[l], uint32(k/4))[k%4])
}
