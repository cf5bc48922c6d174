package kernels

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"popsim/kernels/asm"
)

// countedRuns is runs of rows of counts, and the rows.
func countedRuns(n, lanes int) (runs []asm.EdgeRun, rows [][]uint8) {
	draw := rand.New(rand.NewPCG(1, 2))
	for range n {
		row := make([]uint8, lanes)
		for l := range row {
			row[l] = uint8(draw.IntN(256))
		}
		u := asm.EdgeRun{First: uintptr(unsafe.Pointer(&row[0])), Unit: new(asm.UnitEdge)}
		u.Unit.Add = [3]float64{draw.Float64(), draw.Float64(), -draw.Float64()}
		runs, rows = append(runs, u), append(rows, row)
	}
	return runs, rows
}

// TestCountedRowsHaveTheBitsOfPlainGo: the kernels over rows of counts give the bits of their twins.
func TestCountedRowsHaveTheBitsOfPlainGo(t *testing.T) {
	runs, rows := countedRuns(37, 2*asm.SumsLanes)
	defer runtime.KeepAlive(rows)
	for name, add := range map[string]func(ISA, *asm.CountedRowsBlock){"": AddCounted, "falls": AddCountedFalls} {
		for _, lanes := range []int{64, asm.SumsLanes} {
			for _, n := range []int{0, 1, 37} {
				sums := func(isa ISA) []float64 {
					x := slices.Repeat([]float64{asm.EmptyRow}, 4*asm.SumsStride)
					add(isa, &asm.CountedRowsBlock{Runs: runs[:n], Lane: 192, Lanes: lanes, Sums: x})
					return x
				}
				want := sums(Go)
				for _, isa := range Available() {
					if got := sums(isa); !slices.Equal(got, want) {
						t.Errorf("%s, %v, %d lanes, %d rows: other sums", name, isa, lanes, n)
					}
				}
			}
		}
	}
}

// BenchmarkCounted is a tile of rows of counts; ns/event is the time of a row and lane.
func BenchmarkCounted(b *testing.B) {
	for _, n := range []int{12, 500} {
		runs, rows := countedRuns(n, asm.SumsLanes+asm.CountedAhead)
		x := make([]float64, 4*asm.SumsStride)
		for _, isa := range Available() {
			b.Run(fmt.Sprintf("isa=%v/rows=%d", isa, n), func(b *testing.B) {
				for b.Loop() {
					AddCounted(isa, &asm.CountedRowsBlock{Runs: runs, Lanes: asm.SumsLanes, Sums: x})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n*asm.SumsLanes), "ns/event")
			})
		}
		runtime.KeepAlive(rows)
	}
}
