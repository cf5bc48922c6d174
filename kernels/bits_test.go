package kernels

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"popsim/kernels/asm"
	"popsim/rng"
)

// bitRows is n rows of random bits, of the given density, onto so many blocks of lanes.
func bitRows(n, blocks int, density float64) (rows [][]uint64) {
	draw := rand.New(rand.NewPCG(3, uint64(n)))
	for range n {
		row := make([]uint64, 8*blocks)
		for l := range asm.BitBlock * blocks {
			if draw.Float64() < density {
				row[l/64] |= 1 << (l % 64)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// TestBitsAreSums: the counts of rows of bits, times a weight, are added to each lane.
func TestBitsAreSums(t *testing.T) {
	const blocks, words, weight = 3, 8*3 - 3, 0.1
	for _, n := range []int{8, 40, 248} {
		for _, density := range []float64{0, 0.001, 0.1, 1} {
			rows := bitRows(n, blocks, density)
			want := slices.Repeat([]float64{asm.EmptyRow}, asm.BitBlock*blocks)
			for l := range want {
				count := 0
				for _, row := range rows {
					count += int(row[l/64] >> (l % 64) & 1)
				}
				if l < 64*words {
					want[l] += float64(float64(count) * weight)
				}
			}
			for _, isa := range Available() {
				b := asm.BitRowsBlock{
					Blocks: blocks, Words: words, Planes: make([]uint64, 64*blocks), Weight: weight,
					Row: slices.Repeat([]float64{asm.EmptyRow}, asm.BitBlock*blocks),
				}
				for i := 0; i < n; i += len(b.Rows) {
					for j := range b.Rows {
						b.Rows[j] = &rows[i+j][0]
					}
					CountBits(isa, &b)
				}
				AddBits(isa, &b)
				if !slices.Equal(b.Row, want) {
					t.Errorf("%v, %d rows of density %g: other sums", isa, n, density)
				}
				if slices.ContainsFunc(b.Planes, func(x uint64) bool { return x != 0 }) {
					t.Errorf("%v, %d rows of density %g: counts are left", isa, n, density)
				}
			}
		}
	}
}

// TestListBits: every instruction set lists the same places as plain Go, and writes no more than the list has room for.
func TestListBits(t *testing.T) {
	const rows, words, room = 5, 8, 4
	for _, density := range []float64{0, 0.03, 0.2, 1} {
		var in []uint8
		set := 0
		for _, row := range bitRows(rows, words/8, density) {
			for _, word := range row {
				in = binary.LittleEndian.AppendUint64(in, word)
				set += bits.OnesCount64(word)
			}
		}
		list := func(isa ISA) *asm.BitListBlock {
			b := &asm.BitListBlock{Rows: rows, Words: words, Bits: in, List: make([]asm.BitPlace, set+room+1)}
			b.List[set+room] = 77
			ListBits(isa, b)
			return b
		}
		want := list(Go)
		if want.N != set {
			t.Fatalf("density %g: %d bits listed, %d are set", density, want.N, set)
		}
		for _, q := range want.List[:want.N] {
			if in[64*q.Row()+q.Bit()/8]>>(q.Bit()%8)&1 == 0 {
				t.Fatalf("density %g: bit %d of row %d is listed and not set", density, q.Bit(), q.Row())
			}
		}
		for _, isa := range Available() {
			b := list(isa)
			if b.N != want.N || b.BeforeLast != want.BeforeLast || !slices.Equal(b.List[:b.N], want.List[:want.N]) {
				t.Errorf("%v, density %g: another list", isa, density)
			}
			if b.List[set+room] != 77 {
				t.Errorf("%v, density %g: memory after the list is written to", isa, density)
			}
		}
	}
}

// TestGatherNear: every instruction set gathers the same as plain Go.
func TestGatherNear(t *testing.T) {
	const lanes, rows, padded = 128, 3, 192
	f := &filler{s: rng.NewStream(7, "near")}
	list := []asm.BitPlace{3, 127, 1<<16 + 3, 2<<16 + 5, 2<<16 + 127}
	ids := make([]uint32, lanes)
	for l := range ids {
		ids[l] = uint32(l * 0x9e3779b1)
	}
	values, gap := f.column(rows*padded, -1, 1), f.column(lanes, -1, 1)
	gather := func(isa ISA, n, beforeLast int) *asm.NearBlock {
		b := &asm.NearBlock{
			N: n, BeforeLast: beforeLast, List: list, LaneIDs: ids, First: 1<<32 - 2, Rows: values, Stride: padded, Gap: gap,
			IDs: make([]uint32, len(list)), Counters: make([]uint32, len(list)),
			Before: make([]float64, len(list)), After: make([]float64, len(list)),
		}
		GatherNear(isa, b)
		return b
	}
	for _, isa := range Available() {
		for _, n := range [][2]int{{5, 3}, {3, 3}, {2, 0}, {0, 0}} {
			if got, want := gather(isa, n[0], n[1]), gather(Go, n[0], n[1]); !reflect.DeepEqual(got, want) {
				t.Errorf("%v, %d places, %d before the last row: %+v, want %+v", isa, n[0], n[1], got, want)
			}
		}
	}
}

// BenchmarkBits is a step of Brunel's network on each instruction set: 40 spikes onto 12,800 neurons; ns/event is for
// each of their edges.
func BenchmarkBits(b *testing.B) {
	const blocks, spikes, density = 25, 40, 0.1
	rows := bitRows(1000, blocks, density)
	for _, isa := range Available() {
		b.Run(isa.String(), func(b *testing.B) {
			c := asm.BitRowsBlock{
				Blocks: blocks, Words: 8 * blocks, Planes: make([]uint64, 64*blocks), Weight: 0.1,
				Row: make([]float64, asm.BitBlock*blocks),
			}
			at := 0
			for b.Loop() {
				for range spikes / len(c.Rows) {
					for j := range c.Rows {
						c.Rows[j] = &rows[at%len(rows)][0]
						at += 7
					}
					CountBits(isa, &c)
				}
				AddBits(isa, &c)
			}
			events := spikes * density * asm.BitBlock * blocks
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/events, "ns/event")
		})
	}
}
