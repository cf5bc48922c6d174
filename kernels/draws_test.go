package kernels

import (
	"math"
	"slices"
	"testing"

	"popsim/kernels/asm"
	"popsim/rng"
)

// TestWords: every instruction set gives the words of rng, for any number of them.
func TestWords(t *testing.T) {
	s := rng.NewStream(0x123456789abcdef, "words")
	for _, isa := range Available() {
		for _, n := range []int{0, 3, 64, 127, 128, 1000, 1031} {
			got, want := make([]uint32, n+1), make([]uint32, n+1)
			s.Words(want[:n], 77, math.MaxUint32-100) // the counter wraps
			Words(isa, s, got[:n], 77, math.MaxUint32-100)
			if !slices.Equal(got, want) {
				t.Errorf("%v: other words of %d", isa, n)
			}
		}
	}
}

// TestCounts: every instruction set gives the deviates of rng.
func TestCounts(t *testing.T) {
	s := rng.NewStream(5, "counts")
	for _, mean := range []float64{0, 1e-9, 0.01, 2, 30, 130} {
		law, err := rng.NewPoisson(mean)
		if err != nil {
			t.Fatal(err)
		}
		if !FitsCounts(law) {
			t.Fatalf("a mean of %g does not fit", mean)
		}
		for _, isa := range Available() {
			const n, stride = 75, 100
			got := make([]uint8, 4*stride)
			Counts(isa, s, law, got, stride, n, 1000, 3)
			for j := range n {
				for w, word := range s.At(1000+uint32(j), 3) {
					if want := law.At(word); int(got[w*stride+j]) != want {
						t.Fatalf("%v, mean %g: word %d of id %d gives %d; want %d", isa, mean, w, j, got[w*stride+j], want)
					}
				}
			}
		}
	}
	if law, _ := rng.NewPoisson(200); FitsCounts(law) {
		t.Error("a mean of 200 has more than 255 thresholds or too large deviates")
	}
}

// TestAddCounts: the sums are those of plain Go, and nothing after the row is written.
func TestAddCounts(t *testing.T) {
	counts := make([]uint8, 37)
	row := make([]float64, 40)
	for j := range row {
		row[j] = 1 / float64(j+3)
		counts[j%37] = uint8(j * 41)
	}
	want := slices.Clone(row)
	for j := range 37 {
		want[j] += float64(float64(counts[j]) * 0.1)
	}
	for _, isa := range Available() {
		got := slices.Clone(row)
		AddCounts(isa, got[:37], counts, 0.1)
		if !slices.Equal(got, want) {
			t.Errorf("%v: other sums", isa)
		}
	}
}

// BenchmarkWords and BenchmarkCounts report the time for a word and for a deviate.
func BenchmarkWords(b *testing.B) {
	s, dst := rng.NewStream(1, "words"), make([]uint32, 4096)
	for _, isa := range Available() {
		b.Run(isa.String(), func(b *testing.B) {
			for b.Loop() {
				Words(isa, s, dst, 1, 0)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(dst)), "ns/word")
		})
	}
}

func BenchmarkCounts(b *testing.B) {
	const n = 4096
	s, dst := rng.NewStream(1, "counts"), make([]uint8, 4*n)
	law, _ := rng.NewPoisson(2)
	for _, isa := range Available() {
		b.Run(isa.String(), func(b *testing.B) {
			for b.Loop() {
				Counts(isa, s, law, dst, n, n, 0, 0)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*4*n), "ns/draw")
		})
	}
}

// TestInstants: every instruction set gives the numbers of rng, and where there is no arrival none.
func TestInstants(t *testing.T) {
	s := rng.NewStream(6, "instants")
	const n, skip = 45, 4
	counts := make([]uint8, 64)
	for i := range counts {
		counts[i] = uint8(i % 11)
	}
	for _, isa := range Available() {
		var theta [4][]float64
		for j := range theta {
			theta[j] = make([]float64, 64)
		}
		Instants(isa, s, counts[:n], skip, &theta, 500, 9)
		for i := range n {
			for j, word := range s.At(500+uint32(i), 9) {
				want := rng.Uniform32(word)
				if int(counts[i]) <= skip+j {
					want = 2
				}
				if theta[j][i] != want {
					t.Fatalf("%v: instant %d of id %d is %g; want %g", isa, j, i, theta[j][i], want)
				}
			}
		}
	}
}

// TestOffsets: every instruction set gives the numbers of rng, for consecutive ids and for those in any order.
func TestOffsets(t *testing.T) {
	s := rng.NewStream(6, "instants")
	const n, skip, room = 45, 4, 64
	counts, ids := make([]uint8, room), make([]uint32, room)
	for i := range counts {
		counts[i], ids[i] = uint8(i*7%13), uint32(i*i%53)
	}
	counts[17] = 255
	check := func(isa ISA, o *Offsets, i, arrivals int, words [4]uint32) {
		t.Helper()
		want := NewOffsets(n)
		want.set(i, arrivals, words)
		if o.Number[i] != want.Number[i] || o.More[i/8]>>(i%8)&1 != want.More[i/8]>>(i%8)&1 {
			t.Fatalf("%v: %g arrivals of lane %d; want %g of %d", isa, o.Number[i], i, want.Number[i], arrivals)
		}
		for j := range o.U {
			if o.U[j][i] != want.U[j][i] {
				t.Fatalf("%v: offset %d of lane %d is %g; want %g", isa, j, i, o.U[j][i], want.U[j][i])
			}
		}
	}
	q := NewBlocks(s)
	for _, isa := range Available() {
		numbered, listed := NewOffsets(n), NewOffsets(n)
		DrawOffsets(isa, s, numbered, counts[:n], skip, 500, 9)
		q.Offsets(isa, listed, counts[:n], ids[:n], 9)
		for i := range n {
			check(isa, numbered, i, int(counts[i])-skip, s.At(500+uint32(i), 9))
			check(isa, listed, i, int(counts[i]), s.At(ids[i], 9))
		}
	}
}

// TestSplitPairs: every instruction set parts pairs in the same way, and empties them.
func TestSplitPairs(t *testing.T) {
	for _, isa := range Available() {
		pairs, first, second := make([]float64, 256), make([]float64, 128), make([]float64, 128)
		for i := range pairs {
			pairs[i] = float64(i)
		}
		SplitPairs(isa, &asm.PairsBlock{Lanes: 128, Pairs: pairs, First: first, Second: second})
		for l := range first {
			if first[l] != float64(2*l) || second[l] != float64(2*l+1) || pairs[2*l] != asm.EmptyRow ||
				pairs[2*l+1] != asm.EmptyRow {
				t.Fatalf("%v: pair %d is parted into %g and %g", isa, l, first[l], second[l])
			}
		}
	}
}

// Normals are those of rng.Normal32, for any ids, and nothing after their rows is written.
func TestNormals(t *testing.T) {
	s := rng.NewStream(5, "normals")
	for _, n := range []int{1, 7, 31, 32, 33, 200} {
		padded := (n + DrawnTogether - 1) / DrawnTogether * DrawnTogether
		ids := make([]uint32, padded)
		for i := range ids {
			ids[i] = uint32(i * 0x9e3779b1)
		}
		for _, isa := range Available() {
			dst := make([]float64, 4*padded+1)
			dst[4*padded] = 77
			Normals(isa, s, dst, padded, ids[:n], 9)
			for i := range n {
				for w, word := range s.At(ids[i], 9) {
					if got, want := dst[w*padded+i], rng.Normal32(word); got != want {
						t.Fatalf("%v, id %d, word %d: %v, want %v", isa, i, w, got, want)
					}
				}
			}
			if dst[4*padded] != 77 {
				t.Errorf("%v, %d ids: the memory after the rows is written", isa, n)
			}
			words := make([]uint32, 4*padded+1)
			words[4*padded] = 77
			counters := make([]uint32, padded)
			for i := range counters {
				counters[i] = uint32(9 + i%3)
			}
			u := make([]float64, padded)
			NewBlocks(s).Draw(isa, words, padded, u, ids[:n], counters[:n])
			for i := range n {
				got := rng.Block{words[i], words[padded+i], words[2*padded+i], words[3*padded+i]}
				if want := s.At(ids[i], counters[i]); got != want || u[i] != rng.Uniform32(want[1]) {
					t.Fatalf("%v, id %d: %x and %v, want %x", isa, i, got, u[i], want)
				}
			}
			places, numbered := make([]asm.BitPlace, padded), make([]uint32, padded)
			for i := range places {
				places[i], numbered[i] = asm.BitPlace(i%3<<16+i), uint32(1<<32-100+i)
			}
			again, v := make([]uint32, 4*padded+1), make([]float64, padded)
			again[4*padded] = 77
			NewBlocks(s).DrawAt(isa, again, padded, v, places[:n], ids, false, 9)
			for w := range 4 {
				if !slices.Equal(again[w*padded:][:n], words[w*padded:][:n]) || !slices.Equal(v[:n], u[:n]) {
					t.Fatalf("%v, %d places: other words than those of ids and counters", isa, n)
				}
			}
			NewBlocks(s).DrawAt(isa, again, padded, v, places[:n], numbered, true, 9)
			for i := range n {
				got := rng.Block{again[i], again[padded+i], again[2*padded+i], again[3*padded+i]}
				if want := s.At(numbered[i], counters[i]); got != want || v[i] != rng.Uniform32(want[1]) {
					t.Fatalf("%v, place %d: %x and %v, want %x", isa, i, got, v[i], want)
				}
			}
			if words[4*padded] != 77 || again[4*padded] != 77 {
				t.Errorf("%v, %d ids: the memory after the words is written", isa, n)
			}
		}
	}
}

// TestScaled: Scaled gives the normal numbers of the first words, and writes nothing after them.
func TestScaled(t *testing.T) {
	const mean, sd, id = 87.8, 8.78, 12
	s := rng.NewStream(5, "scaled")
	for _, n := range []int{1, 7, 31, 32, 33, 200, 256} {
		for _, isa := range Available() {
			dst := make([]float64, n+1)
			dst[n] = 77
			for _, first := range []uint32{0, 256, math.MaxUint32 - 100} {
				Scaled(isa, s, dst[:n], mean, sd, id, first)
				for j, got := range dst[:n] {
					if want := math.FMA(sd, rng.Normal32(s.At(id, first+uint32(j))[0]), mean); got != want {
						t.Fatalf("%v, draw %d of %d: %v, want %v", isa, j, n, got, want)
					}
				}
			}
			if dst[n] != 77 {
				t.Errorf("%v, %d draws: the memory after them is written", isa, n)
			}
		}
	}
}

func BenchmarkNormals(b *testing.B) {
	s := rng.NewStream(5, "normals")
	const n = 512
	ids, dst := make([]uint32, n), make([]float64, 4*n)
	for _, isa := range Available() {
		b.Run(isa.String(), func(b *testing.B) {
			for i := range b.N {
				Normals(isa, s, dst, n, ids, uint32(i))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(4*n), "ns/number")
		})
	}
}
