package network

import (
	"popsim/kernels"
	"popsim/rng"
)

// The edges of a Total are drawn by source, too: first the source of every edge is drawn, which gives the number of
// edges of each source its multinomial law; then the targets of each source are drawn.

// countPart draws the sources of the edges from first on up to end, and adds them to counts.
func (d *drawing) countPart(counts []uint32, first, end int64) {
	var words [4 * batch]uint32
	n := uint64(d.from.n)
	for q := first; q < end; q += int64(len(words)) { // first is a multiple of len(words)
		w := words[:min(int64(len(words)), end-q)]
		kernels.Words(d.layout.isa, d.sources, w, uint32(q>>34), uint32(q>>2))
		for _, x := range w {
			counts[uint64(x)*n>>32]++
		}
	}
}

// countTotal draws the number of edges of each source on one goroutine.
func (d *drawing) countTotal() {
	n := d.p.Rule.(Total).N
	if c := d.capacities(); !d.plain(c) {
		d.perSource = d.countSingly(n, c)
		return
	}
	d.perSource = make([]uint32, d.from.n)
	d.countPart(d.perSource, 0, n)
}

// capacities lists how many targets each source may have at most once.
func (d *drawing) capacities() []uint32 {
	c := make([]uint32, d.from.n)
	for pre := range c {
		c[pre] = uint32(d.to.n)
		if d.p.NoAutapses {
			d.to.members(d.from.global(pre), func(int) { c[pre]-- })
		}
	}
	return c
}

// plain reports whether the sources of a Total are drawn independently, each with the same probability.
func (d *drawing) plain(capacities []uint32) bool {
	if d.p.NoMultapses {
		return false
	}
	for _, c := range capacities {
		if c != capacities[0] {
			return false
		}
	}
	return true
}

// countSingly draws the sources of all edges one after the other: every pair that may still be connected is as likely
// as any other. Where more than half of all pairs are to be connected, those are drawn that are not.
func (d *drawing) countSingly(n int64, capacities []uint32) []uint32 {
	counts := make([]uint32, d.from.n)
	pairs := int64(0)
	for _, c := range capacities {
		pairs += int64(c)
	}
	complement := d.p.NoMultapses && n > pairs/2
	if complement {
		n = pairs - n
	}
	w := pairWords{isa: d.layout.isa, s: d.sources}
	for n > 0 {
		source := w.below(d.from.n)
		// A source is taken with a probability proportional to the number of its targets that are left.
		taken := uint32(0)
		if d.p.NoMultapses {
			taken = counts[source]
		}
		if place := uint32(w.below(d.to.n)); place < capacities[source]-taken {
			counts[source]++
			n--
		}
	}
	if complement {
		for i := range counts {
			counts[i] = capacities[i] - counts[i]
		}
	}
	return counts
}

// pairWords are the words of a stream, beyond the 2^34 of one id.
type pairWords struct {
	isa   kernels.ISA
	s     rng.Stream
	n     uint64
	block [4 * batch]uint32
}

func (w *pairWords) below(n int) int {
	at := w.n % uint64(len(w.block))
	if at == 0 {
		kernels.Words(w.isa, w.s, w.block[:], uint32(w.n>>34), uint32(w.n>>2))
	}
	w.n++
	return int(uint64(w.block[at]) * uint64(n) >> 32)
}
