package pop

import (
	"encoding/binary"
	"math"
	"math/bits"

	"popsim/kernels"
	"popsim/kernels/asm"
	"popsim/model"
	"popsim/noise"
	"popsim/rng"
)

// tileLanes is the number of LIF neurons with white noise that go through the steps of an epoch together: their columns
// and rows stay in the first-level cache. It is a multiple of kernels.Group.
const tileLanes = 512

// lifTile is LIF neurons with white noise: lanes first to first+n-1 of a shard, which hold their states.
//
// The law of V at the end of a step is exact, and so is that of a crossing of the threshold in between but for the
// curvature of the path's mean over a step, which is left out: an error of order dt in the rate. See noise.Passage.
type lifTile struct {
	first, n   int
	white      *noise.Rows
	ou         *noise.OUs // nil without
	neurons    []lifNeuron
	coef       []asm.Column // see asm.NoisyLIFBlock
	coefStride int
	vInf       []float64 // V_rest + R I
	moved, row []float64 // scratch: that of a step with an input; its currents
	before     []float64 // scratch: V before the step
	fired      []uint8
	ids        []uint32

	// scratch: the lanes in reach of their threshold, and those in which V begins to move, with the words for them
	near     []int32
	nearIDs  []uint32
	words    *kernels.Blocks
	blocks   []rng.Block
	wakes    []int32 // places in near
	crossing asm.NoisyCrossBlock
}

// lifNeuron is a LIF neuron in a step of full length.
type lifNeuron struct {
	id                                   uint32
	rest, reset, threshold, r, tau, hold float64 // hold in steps
	current, gain                        float64
	keep, sd                             float64 // 1 - exp(-dt/tau); of V over a whole step
	diffusion                            float64 // of V, mV²/ms
}

func (p *Population) newTile(s *shard, first, n int) *lifTile {
	padded := (n + kernels.Group - 1) / kernels.Group * kernels.Group
	ids := make([]uint32, padded)
	copy(ids, p.noisy.ids(s.first+first, n))
	t := &lifTile{
		first: first, n: n, white: noise.NewRows(p.noisy.white, ids[:n]), neurons: make([]lifNeuron, n),
		vInf: make([]float64, padded), fired: make([]uint8, padded/8), before: make([]float64, padded), ids: ids,
		near: make([]int32, padded+kernels.Group), nearIDs: make([]uint32, padded),
		words: kernels.NewBlocks(p.noisy.parts[0]), blocks: make([]rng.Block, padded), wakes: make([]int32, 0, padded),
		crossing: asm.NoisyCrossBlock{
			Before: make([]float64, padded), After: make([]float64, padded), Far: make([]float64, padded),
			U: make([]float64, padded), Most: noise.Never, Fired: make([]uint8, padded/8),
		},
	}
	if p.noisy.OU > 0 {
		t.ou = noise.NewOUs(p.noisy.law, p.noisy.Seed, "noise ou", ids[:n])
	}
	params := make([]float64, len(p.spec.P))
	for l := range t.neurons {
		i := s.first + first + l
		for j, v := range p.spec.P {
			params[j] = v.At(i)
		}
		q := model.LIFOf(params)
		diffusion := p.noisy.White * p.noisy.White / q.Tau
		t.neurons[l] = lifNeuron{
			ids[l], q.VRest, q.VReset, q.VTh, q.R, q.Tau, q.TRef / p.dt, p.spec.I.At(i), p.spec.Gain.At(i),
			-kernels.Expm1(-p.dt / q.Tau), p.noisy.White * math.Sqrt(-kernels.Expm1(-2*p.dt/q.Tau)/2), diffusion,
		}
		t.vInf[l] = math.FMA(q.R, p.spec.I.At(i), q.VRest)
	}
	t.makeCoefs(p.dt, n == padded && alike(p.spec.P))
	return t
}

// alike reports whether all neurons have the same parameters.
func alike(p []kernels.Values) bool {
	for _, v := range p {
		if len(v) > 1 {
			return false
		}
	}
	return true
}

// makeCoefs lays out the coefficients of the kernel: those of one group for all where they are the same.
func (t *lifTile) makeCoefs(dt float64, same bool) {
	groups := len(t.vInf) / kernels.Group
	t.coefStride = asm.NoisyLIFCoefs
	if same {
		groups, t.coefStride = 1, 0
	}
	t.coef = make([]asm.Column, groups*asm.NoisyLIFCoefs)
	for l := range groups * kernels.Group {
		c := t.coef[l/kernels.Group*asm.NoisyLIFCoefs:]
		i := l % kernels.Group
		if l >= t.n { // padding never comes near its threshold
			c[asm.NoisyLIFVTh][i] = math.Inf(1)
			continue
		}
		q := &t.neurons[l]
		c[asm.NoisyLIFKeep][i], c[asm.NoisyLIFVTh][i] = q.keep, q.threshold
		c[asm.NoisyLIFSD][i], c[asm.NoisyLIFFar][i] = q.sd, noise.Never/2*q.diffusion*dt
	}
}

// advance moves the neurons through steps of the epoch from done on. Most stay so far below their threshold that their
// paths do not cross it: a kernel moves them, and marks the others.
func (t *lifTile) advance(p *Population, s *shard, done, steps int, drive kernels.Drive) {
	isa, lanes := p.kernel.ISA, len(t.vInf)
	b := asm.NoisyLIFBlock{
		Lanes: lanes, V: s.columns.Y[0][t.first:][:lanes], Wake: s.columns.Wake[t.first:][:lanes],
		Before: t.before, Coef: t.coef, CoefStride: t.coefStride, Fired: t.fired,
	}
	move := kernels.NoisyLIF
	if t.coefStride == 0 {
		move = kernels.NoisyLIFAlike
		for j := range b.Alike {
			b.Alike[j] = t.coef[j][0]
		}
	}
	for j := range steps {
		k := p.first + int64(done+j)
		b.First, b.VInf, b.Z = float64(k), t.drive(isa, from(drive, j), k, p.noisy.OU), t.white.Row(isa, k)
		move(isa, &b)
		n := t.listNear()
		t.drawNear(isa, n, k)
		t.wakeNear(p, s, &b, t.gapsNear(isa, &b, n, p.noisy.AtEnds), done+j, k)
		t.crossNear(p, s, &b, n, done+j, k)
	}
}

// listNear lists the lanes in fired and returns their number. Mostly a few of a group are there, which are written
// without a branch.
func (t *lifTile) listNear() int {
	n := 0
	for i := 0; i < len(t.vInf); i += kernels.Group {
		events := binary.LittleEndian.Uint64(t.fired[i/8:])
		count := bits.OnesCount64(events)
		for at := n; ; at += 4 {
			near := (*[4]int32)(t.near[at:])
			for j := range near {
				near[j] = int32(i + bits.TrailingZeros64(events))
				events &= events - 1
			}
			if events == 0 {
				break
			}
		}
		n += count
	}
	return n
}

// drawNear draws the words of the first n lanes listed.
func (t *lifTile) drawNear(isa kernels.ISA, n int, k int64) {
	ids := t.nearIDs[:n]
	for i, l := range t.near[:n] {
		ids[i] = t.ids[l]
	}
	t.words.Draw(isa, t.blocks, ids, uint32(k))
}

// gapsNear finds which of the first n lanes listed cross their threshold, and lists the places of those in which V
// begins to move, which do not count as crossing.
func (t *lifTile) gapsNear(isa kernels.ISA, b *asm.NoisyLIFBlock, n int, atEnds bool) (wakes []int32) {
	x := &t.crossing
	x.Lanes, wakes = n, t.wakes[:0]
	before, after, far, u, blocks := x.Before[:n], x.After[:n], x.Far[:n], x.U[:n], t.blocks[:n]
	v := b.V
	old, wake := b.Before[:len(v)], b.Wake[:len(v)]
	for i, l := range t.near[:n] {
		c := (*[asm.NoisyLIFCoefs]asm.Column)(b.Coef[int(uint(l)/kernels.Group)*b.CoefStride:])
		at := uint(l) % kernels.Group
		vTh := c[asm.NoisyLIFVTh][at]
		before[i], after[i], far[i], u[i] = vTh-old[l], vTh-v[l], c[asm.NoisyLIFFar][at], rng.Uniform32(blocks[i][1])
		if wake[l] == b.First {
			wakes = append(wakes, int32(i))
		}
	}
	for _, i := range wakes {
		before[i], after[i], far[i], u[i] = 1, 1, 1, 1
	}
	if atEnds {
		for i := range u {
			u[i] = 1
		}
	}
	t.wakes = wakes
	kernels.NoisyCross(isa, x)
	return wakes
}

// wakeNear moves the lanes at the given places of the list through the part of the step in which V moves.
func (t *lifTile) wakeNear(p *Population, s *shard, b *asm.NoisyLIFBlock, wakes []int32, step int, k int64) {
	for _, i := range wakes {
		l := int(t.near[i])
		start := 1 - s.columns.Rem[t.first+l]
		b.V[l] = p.noisyPart(
			s, &t.neurons[l], t.first+l, step, k, start, b.Before[l], b.VInf[l], b.Z[l], 0, &t.blocks[i])
	}
}

// crossNear finishes the step of the lanes listed that cross their threshold.
func (t *lifTile) crossNear(p *Population, s *shard, b *asm.NoisyLIFBlock, n, step int, k int64) {
	for i := 0; i < n; i += 8 {
		crossing := uint(t.crossing.Fired[i/8])
		if left := n - i; left < 8 {
			crossing &= 1<<left - 1
		}
		for ; crossing != 0; crossing &= crossing - 1 {
			j := i + bits.TrailingZeros(crossing)
			l, level, after, words := int(t.near[j]), t.crossing.Before[j], t.crossing.After[j], &t.blocks[j]
			q, passed := &t.neurons[l], 1.0
			if !p.noisy.AtEnds {
				passed = noise.PassageTime(level, level-after, q.diffusion, p.dt, *words) / p.dt
			}
			b.V[l] = q.reset
			if start, moves := p.noisySpike(s, q, t.first+l, step, k, passed); moves {
				z := rng.Normal32(words[0])
				b.V[l] = p.noisyPart(s, q, t.first+l, step, k, start, q.reset, b.VInf[l], z, 1, nil)
			}
		}
	}
}

// drive returns the goals of V, V_rest + R I, in step k with the input of drive, whose first step it is, and the
// Ornstein-Uhlenbeck currents of standard deviation sd.
func (t *lifTile) drive(isa kernels.ISA, drive kernels.Drive, k int64, sd float64) []float64 {
	if t.ou == nil && drive.Waveform == nil && drive.Row == nil {
		return t.vInf
	}
	if t.moved == nil {
		t.moved, t.row = make([]float64, len(t.vInf)), make([]float64, len(t.vInf))
	}
	wave, row := 0.0, t.row[:t.n]
	clear(row)
	if drive.Waveform != nil {
		wave = drive.Waveform[0]
	}
	if drive.Row != nil {
		copy(row, drive.Row[t.first:])
	}
	if t.ou != nil {
		t.ou.Step(isa, row, sd, k)
	}
	for l := range t.neurons {
		q := &t.neurons[l]
		t.moved[l] = math.FMA(q.r, math.FMA(q.gain, wave, q.current+row[l]), q.rest)
	}
	return t.moved
}

// noisyPart moves one neuron through what is left of step k from start on with the standard normal number z, and
// returns V at its end; V_reset if it is held. Parts of the step are numbered from part on; words are those of the
// first, drawn if they are nil.
func (p *Population) noisyPart(
	s *shard, q *lifNeuron, l, step int, k int64, start, v, vInf, z float64, part int, words *rng.Block,
) float64 {
	for moves := true; moves; part, words = part+1, nil {
		h, keep, sd := p.dt, q.keep, q.sd
		if start > 0 {
			h = (1 - start) * p.dt
			keep = -kernels.Expm1(-h / q.tau)
			sd = p.noisy.White * math.Sqrt(-kernels.Expm1(-2*h/q.tau)/2)
		}
		end := math.FMA(sd, z, math.FMA(keep, vInf-v, v))
		if p.noisy.AtEnds && end < q.threshold {
			return end
		}
		if words == nil {
			block := p.noisy.inside(part, q.id, k)
			words = &block
		}
		at, crossed := noise.Passage(q.threshold-v, end-v, q.diffusion, h, *words)
		if !crossed {
			return end
		}
		if p.noisy.AtEnds {
			at = h
		}
		v, z = q.reset, rng.Normal32(words[0])
		start, moves = p.noisySpike(s, q, l, step, k, start+at/p.dt)
	}
	return v
}

// noisySpike makes a neuron spike at the part at of step k. It reports whether V moves again in the step, and from
// which part on.
func (p *Population) noisySpike(s *shard, q *lifNeuron, l, step int, k int64, at float64) (start float64, moves bool) {
	s.events = append(s.events, kernels.Event{Step: int32(step), Lane: int32(l), Theta: min(at, 1)})
	if at += q.hold; at < 1 {
		return at, true
	}
	whole := math.Floor(at)
	s.columns.Wake[l], s.columns.Rem[l] = float64(k)+whole, 1-(at-whole)
	return 0, false
}
