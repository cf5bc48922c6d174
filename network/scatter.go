package network

import (
	"unsafe"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// The loops that add edges to accumulators. A lane of a block is at most one beyond the last lane of its range, and a
// row has accumulators for that one too: the indices need no check.

// place is accumulator i of a row.
func place(row unsafe.Pointer, i int) *float64 { return (*float64)(unsafe.Add(row, 8*i)) }

// addShared adds c to the accumulators of each target.
func addShared(isa kernels.ISA, row []float64, blocks []block16, width int, c [3]float64) {
	at := unsafe.Pointer(unsafe.SliceData(row))
	switch width {
	case 1:
		for i := range blocks {
			b := &blocks[i]
			*place(at, int(b[0])) += c[0]
			*place(at, int(b[1])) += c[0]
			*place(at, int(b[2])) += c[0]
			*place(at, int(b[3])) += c[0]
		}
	case 2:
		for i := range blocks {
			for _, to := range &blocks[i] {
				*place(at, 2*int(to)) += c[0]
				*place(at, 2*int(to)+1) += c[1]
			}
		}
	case 3:
		to := (*[4]uint16)(unsafe.SliceData(blocks))
		kernels.AddAlike(isa, &asm.AlikeBlock{Row: unsafe.SliceData(row), To: to, Blocks: len(blocks), Add: c})
	}
}

// addTriples adds the weight of each edge, times c, to the three accumulators of its target.
func addTriples(row []float64, blocks []block32, c [3]float64) {
	at := unsafe.Pointer(unsafe.SliceData(row))
	for i := range blocks {
		b := &blocks[i]
		for n, to := range &b.To {
			w := float64(b.W[n])
			*place(at, 3*int(to)) += float64(w * c[0])
			*place(at, 3*int(to)+1) += float64(w * c[1])
			*place(at, 3*int(to)+2) += float64(w * c[2])
		}
	}
}

// add64 adds the weight of each edge, times c, to the accumulators of its target.
func add64(row []float64, blocks []block64, width int, c [3]float64) {
	at := unsafe.Pointer(unsafe.SliceData(row))
	for i := range blocks {
		b := &blocks[i]
		for n, to := range &b.To {
			for j := range width {
				*place(at, width*int(to)+j) += float64(b.W[n] * c[j])
			}
		}
	}
}
