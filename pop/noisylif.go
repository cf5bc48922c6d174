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
	end        []float64 // scratch: see asm.NoisyLIFBlock
	fired      []uint8
	ids        []uint32

	near    []int32 // scratch: lanes near their threshold, and the words for them
	nearIDs []uint32
	blocks  []rng.Block
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
	ids := p.noisy.ids(s.first+first, n)
	t := &lifTile{
		first: first, n: n, white: noise.NewRows(p.noisy.white, ids), neurons: make([]lifNeuron, n),
		vInf: make([]float64, padded), fired: make([]uint8, padded/8), end: make([]float64, padded), ids: ids,
		nearIDs: make([]uint32, 0, padded), blocks: make([]rng.Block, padded),
	}
	if p.noisy.OU > 0 {
		t.ou = noise.NewOUs(p.noisy.law, p.noisy.Seed, "noise ou", ids)
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
	t.makeCoefs(p.dt, len(ids) == padded && alike(p.spec.P))
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
// paths do not cross it: a kernel moves them, and lists the others.
func (t *lifTile) advance(p *Population, s *shard, done, steps int, drive kernels.Drive) {
	isa, lanes := p.kernel.ISA, len(t.vInf)
	b := asm.NoisyLIFBlock{
		Lanes: lanes, V: s.columns.Y[0][t.first:][:lanes], Wake: s.columns.Wake[t.first:][:lanes],
		End: t.end, Coef: t.coef, CoefStride: t.coefStride, Fired: t.fired,
	}
	for j := range steps {
		k := p.first + int64(done+j)
		b.First, b.VInf, b.Z = float64(k), t.drive(isa, from(drive, j), k, p.noisy.OU), t.white.Row(isa, k)
		kernels.NoisyLIF(isa, &b)
		t.near, t.nearIDs = t.near[:0], t.nearIDs[:0]
		for i := 0; i < lanes; i += 64 {
			for events := binary.LittleEndian.Uint64(t.fired[i/8:]); events != 0; events &= events - 1 {
				l := i + bits.TrailingZeros64(events)
				switch {
				case l >= t.n: // padding begins to move in step 0
				case b.Wake[l] == b.First:
					start := 1 - s.columns.Rem[t.first+l]
					b.V[l] = p.noisyPart(s, &t.neurons[l], t.first+l, done+j, k, 0, start, b.V[l], b.VInf[l], b.Z[l])
				default:
					t.near, t.nearIDs = append(t.near, int32(l)), append(t.nearIDs, t.ids[l])
				}
			}
		}
		t.cross(p, s, &b, done+j, k)
	}
}

// cross finishes the step of the lanes near their threshold, which began to move before.
func (t *lifTile) cross(p *Population, s *shard, b *asm.NoisyLIFBlock, step int, k int64) {
	kernels.Blocks(p.kernel.ISA, p.noisy.parts[0], t.blocks, t.nearIDs, uint32(k))
	for i, l := range t.near {
		c := t.coef[int(l)/kernels.Group*t.coefStride:]
		at := l % kernels.Group
		level, after := c[asm.NoisyLIFVTh][at]-b.V[l], c[asm.NoisyLIFVTh][at]-b.End[l]
		words := &t.blocks[i]
		crossed := after <= 0 || level <= 0
		if !crossed && !p.noisy.AtEnds {
			x := noise.Never * float64(level*after) / c[asm.NoisyLIFFar][at]
			u := rng.Uniform32(words[1])
			crossed = u*(1+x) < 1 && u < kernels.Exp(-x) // exp(-x) is no more than 1/(1+x)
		}
		if !crossed {
			b.V[l] = b.End[l]
			continue
		}
		q := &t.neurons[l]
		passed := 1.0
		if !p.noisy.AtEnds {
			passed = noise.PassageTime(level, level-after, q.diffusion, p.dt, *words) / p.dt
		}
		b.V[l] = q.reset
		if start, moves := p.noisySpike(s, q, t.first+int(l), step, k, passed); moves {
			b.V[l] = p.noisyPart(s, q, t.first+int(l), step, k, 1, start, q.reset, b.VInf[l], rng.Normal32(words[0]))
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

// noisyPart moves one neuron through what is left of step k from start on, the given part of it, with the standard
// normal number z, and returns V at its end; V_reset if it is held.
func (p *Population) noisyPart(
	s *shard, q *lifNeuron, l, step int, k int64, part int, start, v, vInf, z float64,
) float64 {
	for moves := true; moves; part++ {
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
		block := p.noisy.inside(part, q.id, k)
		at, crossed := noise.Passage(q.threshold-v, end-v, q.diffusion, h, block)
		if !crossed {
			return end
		}
		if p.noisy.AtEnds {
			at = h
		}
		v, z = q.reset, rng.Normal32(block[0])
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
