package kernels

import (
	"math"

	"popsim/kernels/asm"
	"popsim/rng"
)

// philoxKeys are the keys of the rounds of Philox4x32-10 from the first on.
func philoxKeys(key [2]uint32) (all [2 * asm.PhiloxRounds]uint32) {
	for i := range asm.PhiloxRounds {
		all[2*i], all[2*i+1] = key[0], key[1]
		key[0] += asm.PhiloxWeyl0
		key[1] += asm.PhiloxWeyl1
	}
	return all
}

// countingLanes numbers lanes from 0; equalLanes are all 0.
var (
	countingLanes = [asm.PhiloxLanes]uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	equalLanes    [asm.PhiloxLanes]uint32
)

// The numbers drawn here are the same for every isa, which is one of Available.

// Words fills dst with consecutive words of one id, as s.Words does: dst[j] is word j%4 of the counter first + j/4.
func Words(isa ISA, s rng.Stream, dst []uint32, id, first uint32) {
	width := philoxLanes(isa)
	if n := len(dst) / max(1, 8*width) * 2; width > 0 && n > 0 { // vectors, an even number
		key, name := s.Key()
		b := asm.PhiloxBlock{
			Counter: [4]uint32{id, first, name[0], name[1]}, Keys: philoxKeys(key), Words: dst,
			Lane: [2]*[asm.PhiloxLanes]uint32{&equalLanes, &countingLanes}, Step: [2]uint32{0, uint32(width)}, Vectors: n,
		}
		philoxWords(isa, &b)
		dst, first = dst[4*n*width:], first+uint32(n*width)
	}
	s.Words(dst, id, first)
}

// MaxCounts is the largest number of thresholds, and the largest deviate, of a law that Counts takes.
const MaxCounts = 255

// Counts draws deviates of a law, which FitsCounts, for n consecutive ids at one counter: dst[w·stride + j] is that of
// word w (0 to 3) of the id first + j. stride is at least n rounded up to a multiple of DrawnTogether; values after the
// n are undefined.
func Counts(isa ISA, s rng.Stream, law *rng.Counts, dst []uint8, stride, n int, first, counter uint32) {
	least, thresholds := law.Thresholds()
	const few = 8 // of which plain Go is as fast
	if width := philoxLanes(isa); width > 0 && n > few {
		key, name := s.Key()
		vectors := (n + 2*width - 1) / (2 * width) * 2
		b := asm.PhiloxBlock{
			Counter: [4]uint32{first, counter, name[0], name[1]}, Keys: philoxKeys(key),
			Lane: [2]*[asm.PhiloxLanes]uint32{&countingLanes, &equalLanes}, Step: [2]uint32{uint32(width), 0},
			Vectors: vectors,
			Counts:  dst[:3*stride+vectors*width], Stride: stride, Thresholds: thresholds, Least: uint32(least),
		}
		philoxCounts(isa, &b)
		return
	}
	for j := range n {
		for w, word := range s.At(first+uint32(j), counter) {
			dst[w*stride+j] = uint8(law.At(word))
		}
	}
}

// FitsCounts reports whether all deviates of a law fit the bytes that Counts writes.
func FitsCounts(law *rng.Counts) bool {
	least, thresholds := law.Thresholds()
	return least+len(thresholds) <= MaxCounts
}

// AddCounts adds to row[j] the product counts[j]·weight, rounded first.
func AddCounts(isa ISA, row []float64, counts []uint8, weight float64) {
	n := 0
	if philoxLanes(isa) > 0 && len(row) >= 8 {
		n = len(row) / 8 * 8
		addCounts(isa, &asm.CountBlock{Row: row, Counts: counts[:len(row)], Weight: weight, Lanes: n})
	}
	counts = counts[:len(row)]
	for j := n; j < len(row); j++ {
		row[j] += float64(float64(counts[j]) * weight)
	}
}

// DrawnTogether is the number of ids to whose multiples Counts and Instants round up.
const DrawnTogether = 32

// Instants draws up to four numbers of (0, 1) for each of consecutive ids at one counter: theta[j][i] is that of word j
// of the id first + i, as rng.Uniform32 has it, where counts[i] exceeds skip + j, else asm.NoArrival. theta, and the
// memory of counts, reach to the next multiple of DrawnTogether; values of theta after the ids are undefined.
func Instants(isa ISA, s rng.Stream, counts []uint8, skip int, theta *[4][]float64, first, counter uint32) {
	if width := philoxLanes(isa); width > 0 {
		key, name := s.Key()
		vectors := (len(counts) + 2*width - 1) / (2 * width) * 2
		b := asm.PhiloxBlock{
			Counter: [4]uint32{first, counter, name[0], name[1]}, Keys: philoxKeys(key),
			Lane: [2]*[asm.PhiloxLanes]uint32{&countingLanes, &equalLanes}, Step: [2]uint32{uint32(width), 0},
			Vectors: vectors, Counts: counts[:vectors*width], Skip: uint32(skip),
		}
		for j := range theta {
			b.Theta[j] = &theta[j][:vectors*width][0]
		}
		philoxInstants(isa, &b)
		return
	}
	for i, n := range counts {
		words := s.At(first+uint32(i), counter)
		for j := range theta {
			theta[j][i] = asm.NoArrival
			if int(n) > skip+j {
				theta[j][i] = rng.Uniform32(words[j])
			}
		}
	}
}

// Offsets holds up to four arrivals of each of some lanes: Number[i] of them, with the offsets U[j][i] from the middle
// of the step, that is 0.5 less the part of the step; the others are 0. Bit i%8 of More[i/8] tells whether there are
// more.
type Offsets struct {
	U      [4][]float64
	Number []float64
	More   []uint8
}

// NewOffsets makes room for a number of lanes, which is rounded up.
func NewOffsets(lanes int) *Offsets {
	lanes = (lanes + DrawnTogether - 1) / DrawnTogether * DrawnTogether
	o := &Offsets{Number: make([]float64, lanes), More: make([]uint8, lanes/8)}
	for j := range o.U {
		o.U[j] = make([]float64, lanes)
	}
	return o
}

// From is the offsets of the lanes from one on; More, which has other bits, is for them from its first on.
func (o *Offsets) From(lane int) Offsets {
	from := *o
	from.Number = o.Number[lane:]
	for j := range o.U {
		from.U[j] = o.U[j][lane:]
	}
	return from
}

// Keep drops the arrivals of the first lanes but for those of the lanes from one to another.
func (o *Offsets) Keep(from, to, lanes int) {
	for _, c := range [][]float64{o.U[0], o.U[1], o.U[2], o.U[3], o.Number} {
		clear(c[:from])
		clear(c[to:lanes])
	}
}

// DrawOffsets draws offsets of arrivals skip and the next three of consecutive ids at one counter: of arrival skip + j
// of the id first + i, if counts[i] exceeds that, by word j. The memory of counts reaches to the next multiple of
// DrawnTogether; what is written for lanes after the ids is undefined.
func DrawOffsets(isa ISA, s rng.Stream, to *Offsets, counts []uint8, skip int, first, counter uint32) {
	width := philoxLanes(isa)
	if width == 0 {
		for i, n := range counts {
			to.set(i, int(n)-skip, s.At(first+uint32(i), counter))
		}
		return
	}
	key, name := s.Key()
	vectors := offsetVectors(width, len(counts))
	b := asm.PhiloxBlock{
		Counter: [4]uint32{first, counter, name[0], name[1]}, Keys: philoxKeys(key),
		Lane: [2]*[asm.PhiloxLanes]uint32{&countingLanes, &equalLanes}, Step: [2]uint32{uint32(width), 0},
		Vectors: vectors,
	}
	to.argument(&b, counts[:vectors*width], skip)
	philoxOffsets(isa, &b)
}

// offsetVectors is the number of vectors of some lanes, which is even.
func offsetVectors(width, lanes int) int { return (lanes + 2*width - 1) / (2 * width) * 2 }

// argument sets what of the argument is for offsets.
func (o *Offsets) argument(b *asm.PhiloxBlock, counts []uint8, skip int) {
	b.Counts, b.Skip, b.Number, b.More = counts, uint32(skip), &o.Number[:len(counts)][0], &o.More[:len(counts)/8][0]
	for j := range o.U {
		b.Theta[j] = &o.U[j][:len(counts)][0]
	}
}

// set sets lane i by its words.
func (o *Offsets) set(i, arrivals int, words [4]uint32) {
	o.Number[i] = float64(min(max(arrivals, 0), len(words)))
	o.More[i/8] &^= 1 << (i % 8)
	if arrivals > len(words) {
		o.More[i/8] |= 1 << (i % 8)
	}
	for j, word := range words {
		o.U[j][i] = 0
		if arrivals > j {
			o.U[j][i] = 0.5 - float64(rng.Uniform32(word)) // not fused
		}
	}
}

// Normals draws standard normal numbers of ids at one counter: dst[w·stride + j] is that of word w (0 to 3) of ids[j],
// as rng.Normal32 has it. The memory of ids reaches to the next multiple of DrawnTogether, and stride is at least
// that; values after the ids in the rows of dst are undefined.
func Normals(isa ISA, s rng.Stream, dst []float64, stride int, ids []uint32, counter uint32) {
	if width := philoxLanes(isa); width > 0 {
		key, name := s.Key()
		vectors := (len(ids) + 2*width - 1) / (2 * width) * 2
		philoxNormals(isa, &asm.PhiloxBlock{
			Counter: [4]uint32{0, counter, name[0], name[1]}, Keys: philoxKeys(key),
			Lane: [2]*[asm.PhiloxLanes]uint32{&equalLanes, &equalLanes}, Vectors: vectors, IDs: ids[:vectors*width],
			Normals: dst[:3*stride+vectors*width], Stride: stride, NormalTable: rng.NormalTable(),
		})
		return
	}
	for j, id := range ids {
		for w, word := range s.At(id, counter) {
			dst[w*stride+j] = rng.Normal32(word)
		}
	}
}

// Scaled draws normal numbers of a mean and a standard deviation, of one id: dst[j] is that of word 0 of the counter
// first + j.
func Scaled(isa ISA, s rng.Stream, dst []float64, mean, sd float64, id, first uint32) {
	width := philoxLanes(isa)
	if width == 0 {
		for j := range dst {
			dst[j] = math.FMA(sd, rng.Normal32(s.At(id, first+uint32(j))[0]), mean)
		}
		return
	}
	key, name := s.Key()
	b := asm.PhiloxBlock{
		Counter: [4]uint32{id, first, name[0], name[1]}, Keys: philoxKeys(key),
		Lane: [2]*[asm.PhiloxLanes]uint32{&equalLanes, &countingLanes}, Step: [2]uint32{0, uint32(width)},
		NormalTable: rng.NormalTable(), Scale: sd, Shift: mean,
	}
	n := len(dst) / (2 * width) * 2 // vectors, an even number
	if n > 0 {
		b.Vectors, b.Normals = n, dst
		philoxScaled(isa, &b)
	}
	if rest := dst[n*width:]; len(rest) > 0 {
		var last [2 * asm.PhiloxLanes]float64
		b.Counter[1], b.Vectors, b.Normals = first+uint32(n*width), 2, last[:]
		philoxScaled(isa, &b)
		copy(rest, last[:])
	}
}

// Blocks draws words of one stream, the four of a counter together. It is for one goroutine at a time.
type Blocks struct {
	stream rng.Stream
	b      asm.PhiloxBlock // but for what a call sets
}

// NewBlocks returns the Blocks of a stream.
func NewBlocks(s rng.Stream) *Blocks {
	key, name := s.Key()
	return &Blocks{s, asm.PhiloxBlock{
		Counter: [4]uint32{0, 0, name[0], name[1]}, Keys: philoxKeys(key),
		Lane: [2]*[asm.PhiloxLanes]uint32{&equalLanes, &equalLanes},
	}}
}

// Draw draws four words for each of ids: dst[w·stride + j] is word w of what At of the stream gives for ids[j] and
// counters[j], and u[j] is rng.Uniform32 of word 1. The memory of ids, counters and u reaches to the next multiple of
// DrawnTogether, and stride is at least that; values after the ids in dst and u are undefined.
func (q *Blocks) Draw(isa ISA, dst []uint32, stride int, u []float64, ids, counters []uint32) {
	width := philoxLanes(isa)
	if width == 0 {
		for j, id := range ids {
			words := q.stream.At(id, counters[j])
			u[j] = rng.Uniform32(words[1])
			for w, word := range words {
				dst[w*stride+j] = word
			}
		}
		return
	}
	vectors := (len(ids) + width - 1) / width
	if vectors == 0 {
		return
	}
	b := &q.b
	b.Vectors, b.IDs, b.Counters, b.U = vectors, ids[:vectors*width], counters[:vectors*width], u[:vectors*width]
	b.Words, b.Stride = dst[:3*stride+vectors*width], stride
	philoxWordsOf(isa, b)
}

// Offsets is DrawOffsets for ids and counts in any order: the memory of ids reaches to the next multiple of
// DrawnTogether too.
func (q *Blocks) Offsets(isa ISA, to *Offsets, counts []uint8, ids []uint32, counter uint32) {
	width := philoxLanes(isa)
	if width == 0 {
		for i, n := range counts {
			to.set(i, int(n), q.stream.At(ids[i], counter))
		}
		return
	}
	b, vectors := &q.b, offsetVectors(width, len(counts))
	b.Vectors, b.IDs, b.Counter[1] = vectors, ids[:vectors*width], counter
	to.argument(b, counts[:vectors*width], 0)
	philoxOffsetsOf(isa, b)
	b.Counter[1] = 0 // as Draw needs it
}

// DrawAt is Draw for places: ids[j] is that of lane Bit of places[j] in laneIDs, counters[j] is first plus its row. The
// memory of places reaches to the next multiple of DrawnTogether too, with lanes that laneIDs has. consecutive tells
// that each of laneIDs is one more than the one before it.
func (q *Blocks) DrawAt(
	isa ISA, dst []uint32, stride int, u []float64, places []asm.BitPlace, laneIDs []uint32, consecutive bool,
	first uint32,
) {
	width := philoxLanes(isa)
	if width == 0 {
		for j, at := range places {
			words := q.stream.At(laneIDs[at.Bit()], first+uint32(at.Row()))
			u[j] = rng.Uniform32(words[1])
			for w, word := range words {
				dst[w*stride+j] = word
			}
		}
		return
	}
	vectors := (len(places) + width - 1) / width
	if vectors == 0 {
		return
	}
	b := &q.b
	b.Vectors, b.Places, b.IDs, b.U = vectors, places[:vectors*width], laneIDs, u[:vectors*width]
	b.Counter[1], b.Words, b.Stride = first, dst[:3*stride+vectors*width], stride
	if consecutive {
		b.Counter[0] = laneIDs[0]
		philoxWordsFrom(isa, b)
		return
	}
	philoxWordsAt(isa, b)
}
