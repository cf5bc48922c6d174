package kernels

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
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
			if b.N != want.N || !slices.Equal(b.List[:b.N], want.List[:want.N]) {
				t.Errorf("%v, density %g: another list", isa, density)
			}
			if b.List[set+room] != 77 {
				t.Errorf("%v, density %g: memory after the list is written to", isa, density)
			}
		}
	}
}

// TestListNear: every instruction set lists the same places and distances as plain Go, and writes no more than there is
// room for.
func TestListNear(t *testing.T) {
	const rows, words, padded, room = 3, 2, 192, 4
	f := &filler{s: rng.NewStream(7, "near")}
	values, gap := f.column(rows*padded+1, -1, 1), f.column(64*words+1, -1, 1)
	for _, density := range []float64{0, 0.03, 0.2, 1} {
		in := make([]uint8, 8*words*rows)
		set := 0
		for i, x := range f.column(64*words*rows, 0, 1) {
			if x < density {
				in[i/8] |= 1 << (i % 8)
				set++
			}
		}
		list := func(isa ISA) *asm.NearBlock {
			b := &asm.NearBlock{
				Rows: rows, Words: words, Bits: in, Distances: values, Stride: padded, Gap: gap,
				List:   make([]asm.BitPlace, set+room+1),
				Before: make([]float64, set+room+1), After: make([]float64, set+room+1),
			}
			b.List[set+room], b.Before[set+room], b.After[set+room] = 77, 77, 77
			ListNear(isa, b)
			if b.N != set || b.List[set+room] != 77 || b.Before[set+room] != 77 || b.After[set+room] != 77 {
				t.Errorf("%v, density %g: %d places for %d, or memory after them is written to", isa, density, b.N, set)
			}
			return b
		}
		want := list(Go)
		for i, q := range want.List[:set] {
			at := q.Row()*padded + q.Bit()
			after := gap[q.Bit()]
			if q.Row() < rows-1 {
				after = values[at+padded]
			}
			if want.Before[i] != values[at] || want.After[i] != after {
				t.Errorf("density %g, place %v: %g and %g", density, q, want.Before[i], want.After[i])
			}
		}
		for _, isa := range Available() {
			got := list(isa)
			if !slices.Equal(got.List[:set], want.List[:set]) || !slices.Equal(got.Before[:set], want.Before[:set]) ||
				!slices.Equal(got.After[:set], want.After[:set]) {
				t.Errorf("%v, density %g: another list", isa, density)
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
