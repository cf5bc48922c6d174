package network

import (
	"math"

	"popsim/kernels"
	"popsim/rng"
)

// sampler draws the numbers of a law. The number of an edge is a function of the seed, the name of the stream, and the
// edge's key in it, (id, draw).
type sampler struct {
	law       Law
	draw      Draw
	drawn     bool
	mu, sigma float64 // of lognormal
	seed      uint64
	name      uint64
	stream    rng.Stream
}

func newSampler(law Law, seed uint64, name string) sampler {
	s := sampler{law: law, seed: seed, name: rng.NameKey(name)}
	s.stream = rng.StreamOf(seed, s.name)
	if d, ok := law.(Draw); ok {
		s.draw, s.drawn = d, true
		if d.Kind == Lognormal {
			s.mu, s.sigma = rng.LogNormalOf(d.A, d.B)
		}
	}
	return s
}

// redraws is the number of times that a draw is repeated before it is set to the nearer bound.
const redraws = 1000

// at is the number of the edge from pre to post with the key (id, draw).
func (s *sampler) at(pre, post int, id, draw uint32) float64 {
	switch l := s.law.(type) {
	case nil:
		return 0
	case Constant:
		return float64(l)
	case PerEdge:
		return l(pre, post)
	}
	block := s.stream.At(id, draw)
	return s.finished(s.redrawn(&block, id, draw))
}

// raw is the number that a word stands for, before bounds and rounding. It does not decrease with the word.
func (s *sampler) raw(word uint32) float64 {
	d := &s.draw
	switch d.Kind {
	case Normal:
		return math.FMA(d.B, rng.Normal32(word), d.A)
	case Lognormal:
		return rng.LogNormal32(word, s.mu, s.sigma)
	}
	return math.FMA(d.B-d.A, rng.Uniform32(word), d.A)
}

// inside reports whether x lies within the bounds for drawing again.
func (s *sampler) inside(x float64) bool {
	b := s.draw.Redraw
	return b == nil || x >= b[0] && x <= b[1]
}

// redrawn is the first number within the bounds for drawing again: from the words of block, which has the key (id,
// draw), and then from further blocks.
func (s *sampler) redrawn(block *rng.Block, id, draw uint32) (x float64) {
	for try := range redraws {
		if try > 0 && try%4 == 0 {
			*block = rng.StreamOf(s.seed, s.name+uint64(try)).At(id, draw)
		}
		if x = s.raw(block[try%4]); s.inside(x) {
			return x
		}
	}
	return x
}

// finished is x after clipping and rounding.
func (s *sampler) finished(x float64) float64 {
	d := &s.draw
	if d.Redraw != nil {
		x = min(max(x, d.Redraw[0]), d.Redraw[1])
	}
	if d.Clip != nil {
		x = min(max(x, d.Clip[0]), d.Clip[1])
	}
	if d.Round > 0 {
		x = math.Round(x/d.Round) * d.Round
	}
	return x
}

// batch is the number of draws for which words are made at a time.
const batch = 256

// drawWords writes n consecutive words of an id to the start of a buffer of at least n words, and returns them.
func drawWords(isa kernels.ISA, s rng.Stream, buffer *[4 * batch]uint32, n int, id, first uint32) []uint32 {
	made := n
	const few = 24
	if isa != kernels.Go && n > few { // more words in whole vectors cost less than single ones
		made = min(len(buffer), (n+127)/128*128)
	}
	kernels.Words(isa, s, buffer[:made], id, first)
	return buffer[:n]
}

// fill writes the numbers of the draws from 0 on of an id.
func (s *sampler) fill(isa kernels.ISA, dst []float64, id uint32, words *[4 * batch]uint32) {
	for first := 0; first < len(dst); first += batch {
		part := dst[first:min(len(dst), first+batch)]
		if d := &s.draw; d.Kind == Normal {
			kernels.Scaled(isa, s.stream, part, d.A, d.B, id, uint32(first))
		} else {
			w := drawWords(isa, s.stream, words, 4*len(part), id, uint32(first))
			for k := range part {
				part[k] = s.raw(w[4*k])
			}
		}
		if s.draw.Redraw == nil {
			continue
		}
		for k, x := range part {
			if !s.inside(x) {
				block := s.stream.At(id, uint32(first+k))
				part[k] = s.finished(s.redrawn(&block, id, uint32(first+k)))
			}
		}
	}
	if d := &s.draw; d.Clip != nil || d.Round > 0 {
		for k, x := range dst {
			dst[k] = s.finished(x)
		}
	}
}

// usable reports whether all numbers that a law can give are finite as float32, and at least 0 if they are to be.
func (d *Draw) usable(positive bool) bool {
	lo, hi := d.bounds()
	return lo >= -math.MaxFloat32 && hi <= math.MaxFloat32 && (lo >= 0 || !positive)
}

// bounds are the least and the largest number that a drawn law can give.
func (d *Draw) bounds() (lo, hi float64) {
	const normals = 6.5 // of words of 32 bits: within 6.34 standard deviations
	lo, hi = d.A, d.B
	switch d.Kind {
	case Normal:
		lo, hi = d.A-float64(normals*d.B), d.A+float64(normals*d.B)
	case Lognormal:
		mu, sigma := rng.LogNormalOf(d.A, d.B)
		lo, hi = 0, kernels.Exp(mu+float64(normals*sigma))
	}
	for _, b := range []*[2]float64{d.Redraw, d.Clip} {
		if b != nil {
			lo, hi = min(max(lo, b[0]), b[1]), min(max(hi, b[0]), b[1])
		}
	}
	if d.Round > 0 {
		lo, hi = math.Round(lo/d.Round)*d.Round, math.Round(hi/d.Round)*d.Round
	}
	return lo, hi
}

// delaySampler draws delays, ms, as whole steps and the part of a step that is left.
type delaySampler struct {
	sampler
	layout *layout
	// A table for laws whose delays are whole steps, by the upper bits of a word: the delay in steps of all words of the
	// cell, or a mark. It saves the quantile and the division of nearly every draw.
	cells []uint16
	ms    []float64 // by step: the delay
}

const (
	cellBits   = 12
	cellUnsure = math.MaxUint16     // words of the cell stand for different steps
	cellRedraw = math.MaxUint16 - 1 // all words of the cell are drawn again
)

func newDelaySampler(l *layout, p *Projection) delaySampler {
	d := delaySampler{sampler: newSampler(p.Delay, l.spec.Seed, "delay "+p.Name), layout: l}
	if d.drawn && d.draw.Round > 0 && d.draw.Kind != Lognormal {
		d.tabulate()
	}
	return d
}

// tabulate makes the cells; laws whose delays are not whole steps have none.
func (d *delaySampler) tabulate() {
	cells := make([]uint16, 1<<cellBits)
	for i := range cells {
		lo := d.raw(uint32(i) << (32 - cellBits))
		hi := d.raw(uint32(i+1)<<(32-cellBits) - 1)
		if r := d.draw.Redraw; r != nil && (hi < r[0] || lo > r[1]) {
			cells[i] = cellRedraw
			continue
		}
		x := d.finished(lo)
		if !d.inside(lo) || !d.inside(hi) || d.finished(hi) != x {
			cells[i] = cellUnsure
			continue
		}
		whole, part := d.layout.place(x)
		if part != 0 || whole >= cellRedraw {
			return
		}
		for len(d.ms) <= whole {
			d.ms = append(d.ms, math.NaN())
		}
		if d.ms[whole] == d.ms[whole] && d.ms[whole] != x {
			return // two delays of one number of steps
		}
		d.ms[whole], cells[i] = x, uint16(whole)
	}
	d.cells = cells
}

// fillSteps writes the delays of the draws from 0 on of an id, in steps and in ms.
func (d *delaySampler) fillSteps(steps []uint32, ms []float64, id uint32, words *[4 * batch]uint32) {
	for first := 0; first < len(ms); first += batch {
		n := min(len(ms)-first, batch)
		w := drawWords(d.layout.isa, d.stream, words, 4*n, id, uint32(first))
		for k := range n {
			block := (*rng.Block)(w[4*k:])
			cell := d.cells[block[0]>>(32-cellBits)]
			for try := 1; cell == cellRedraw && try < 4; try++ {
				cell = d.cells[block[try]>>(32-cellBits)]
			}
			if cell < cellRedraw {
				steps[first+k], ms[first+k] = uint32(cell), d.ms[cell]
				continue
			}
			x := d.finished(d.redrawn(block, id, uint32(first+k)))
			whole, _ := d.layout.place(x)
			steps[first+k], ms[first+k] = uint32(whole), x
		}
	}
}
