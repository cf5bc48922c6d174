package pop

import (
	"popsim/kernels"
	"popsim/kernels/asm"
	"popsim/noise"
	"popsim/rng"
)

// lifNear is scratch for the lanes of a tile that are in reach of their threshold in a block of steps: the list of
// them, step by step, and what is drawn and decided for each.
type lifNear struct {
	list     asm.NearBlock // lanes; a row for each step
	draws    *kernels.Blocks
	words    []uint32 // a row for each of four, stride apart
	stride   int
	crossing asm.NoisyCrossBlock

	crossed asm.BitListBlock // places in the list where lanes cross
	first   []int            // those of them where a lane crosses for the first time
	passage asm.NoisyPassageBlock
	aside   asm.NoisyCrossBlock // of one lane
}

// makeNear makes the scratch, once the blocks are there.
func (t *lifTile) makeNear(p *Population) {
	lanes := len(t.vInf)
	most := tileSteps * lanes
	c := func() []float64 { return make([]float64, lanes+kernels.Group) }
	t.near = lifNear{
		draws: kernels.NewBlocks(p.noisy.parts[0]), words: make([]uint32, 4*most), stride: most,
		crossing: newCrossing(most), aside: newCrossing(8), first: make([]int, 0, lanes+1),
		passage: asm.NoisyPassageBlock{Level: c(), After: c(), Diffusion: c(), Y: c(), U: c(), H: p.dt, Part: c()},
	}
	q := &t.near
	q.list = asm.NearBlock{
		Words: lanes / 64, Gap: t.block.Gap, List: make([]asm.BitPlace, most+kernels.Group),
		Before: q.crossing.Before, After: q.crossing.After,
	}
	for i := range q.passage.Diffusion {
		q.passage.Diffusion[i] = t.neurons[0].diffusion
	}
	q.crossed = asm.BitListBlock{Rows: 1, Bits: q.crossing.Fired, List: make([]asm.BitPlace, most+kernels.Group)}
	for i := range q.crossing.Far { // where lanes are not alike, this is set for each that is listed
		q.crossing.Far[i] = t.block.Coef[asm.NoisyLIFFar][0]
	}
}

// listNear lists the lanes that may have crossed their threshold in the block, with how far below it they are before
// and after their steps as the kernel has left it.
func (t *lifTile) listNear(x *tileRun) {
	b, q := &t.block, &t.near
	q.list.Rows, q.list.Bits, q.list.Distances, q.list.Stride = b.Steps, b.Fired, b.Z, b.ZStride
	kernels.ListNear(x.p.kernel.ISA, &q.list)
	if b.CoefStride > 0 {
		for i, at := range q.list.List[:q.list.N] {
			q.crossing.Far[i] = t.block.Coef[at.Bit()/kernels.Group*b.CoefStride+asm.NoisyLIFFar][at.Bit()%kernels.Group]
		}
	}
}

// decideNear finds which of the lanes listed cross their threshold.
func (t *lifTile) decideNear(x *tileRun) {
	q, c := &t.near, &t.near.crossing
	c.Lanes = q.list.N
	q.draws.DrawAt(x.p.kernel.ISA, q.words, q.stride, c.U, q.list.List[:c.Lanes], t.ids, t.numbered, uint32(x.k))
	if x.p.noisy.AtEnds {
		for i := range c.Lanes {
			c.U[i] = 1
		}
	}
	kernels.NoisyCross(x.p.kernel.ISA, c)
	whole, words := c.Lanes/8, (c.Lanes+63)/64
	if whole < 8*words { // the kernel stops at a multiple of 8 lanes
		c.Fired[whole] &= 1<<(c.Lanes%8) - 1
		clear(c.Fired[whole+1 : 8*words])
	}
	if q.crossed.Words, q.crossed.N = words, 0; words > 0 {
		kernels.ListBits(x.p.kernel.ISA, &q.crossed)
	}
}

// crossNear moves the lanes that cross their threshold through the steps from there on.
func (t *lifTile) crossNear(x *tileRun) {
	t.firstCrossings(x)
	q, b := &t.near, &t.block
	for i, at := range q.first {
		place, passed := q.list.List[at], q.passage.Part[i]
		if x.p.noisy.AtEnds {
			passed = 1
		}
		l, j := place.Bit(), place.Row()
		n := t.neuron(l)
		start, moves := x.p.noisySpike(x.s, n, t.first+l, x.step+j, x.k+int64(j), passed)
		if b.V[l] = n.reset; moves {
			b.V[l] = t.again(x, l, j, start, q.words[at])
		}
		t.follow(x, l, j+1)
	}
}

// firstCrossings finds the first crossings of lanes, and the times of passage. What the list has of a lane after its
// first crossing is void.
func (t *lifTile) firstCrossings(x *tileRun) {
	q, c, v := &t.near, &t.near.crossing, &t.near.passage
	spent := x.k + int64(t.block.Steps)
	words, uniforms := q.words[2*q.stride:3*q.stride], q.words[3*q.stride:]
	n := 0
	first := q.first[:cap(q.first)]
	for _, place := range q.crossed.List[:q.crossed.N] {
		at := place.Bit()
		l := q.list.List[at].Bit()
		// The place of a lane that has crossed before is overwritten: no branch for each.
		first[n] = at
		d := 0
		if t.alone[l] <= x.k {
			d = 1
		}
		n += d
		t.alone[l] = spent
	}
	q.first = first[:n]
	for i, at := range q.first {
		v.Level[i], v.After[i] = c.Before[at], c.After[at]
		v.Y[i], v.U[i] = rng.Normal32(words[at]), rng.Uniform32(uniforms[at])
	}
	if len(t.neurons) > 1 { // Diffusion is set where all are alike
		for i, at := range q.first {
			v.Diffusion[i] = t.neuron(q.list.List[at].Bit()).diffusion
		}
	}
	v.Lanes = len(q.first)
	kernels.NoisyPassage(x.p.kernel.ISA, v)
}

// newCrossing returns the argument of NoisyCross for up to n lanes, with what ListNear needs beyond them.
func newCrossing(n int) asm.NoisyCrossBlock {
	return asm.NoisyCrossBlock{
		Lanes: 1, Before: make([]float64, n+4), After: make([]float64, n+4), Far: make([]float64, n), U: make([]float64, n),
		Most: noise.Never, Fired: make([]uint8, n/8),
	}
}
