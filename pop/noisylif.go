package pop

import (
	"math"
	"slices"

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
	first, n int
	number   int // of the first neuron in the population
	white    *noise.Rows
	ou       *noise.OUs    // nil without
	neurons  []lifNeuron   // one for all where they are alike
	vInf     []float64     // V_rest + R I
	steady   bool          // all neurons are alike, and vInf is
	moved    []float64     // scratch: those of steps with an input
	goals    asm.GoalBlock // nothing without
	ids      []uint32
	numbered bool // ids of neurons follow one another

	block asm.NoisyLIFBlock
	near  lifNear
	alone []int64 // the step before which a lane that has crossed is beyond the block

	// The lanes in which V begins to move, and scratch for them.
	due   dueLanes
	woken []int // those of a block
	part  asm.NoisyPartBlock
	apart []apartLane
}

// apartLane is V of a lane after a block of steps through which it went by itself.
type apartLane struct {
	lane int
	v    float64
}

// lifNeuron is a LIF neuron in a step of full length.
type lifNeuron struct {
	reset, threshold, tau, hold float64 // hold in steps
	keep, sd                    float64 // 1 - exp(-dt/tau); of V over a whole step
	diffusion                   float64 // of V, mV²/ms
}

func (p *Population) newTile(s *shard, first, n int) *lifTile {
	padded := (n + kernels.Group - 1) / kernels.Group * kernels.Group
	ids := make([]uint32, padded+1) // asm.NearBlock reads one more
	copy(ids, p.noisy.ids(s.first+first, n))
	c := func(n int) []float64 { return make([]float64, n) }
	t := &lifTile{
		first: first, n: n, number: s.first + first, white: noise.NewRows(p.noisy.white, ids[:n]), vInf: c(padded), ids: ids,
		alone: make([]int64, padded),
		due:   newDueLanes(padded), woken: make([]int, padded), apart: make([]apartLane, 0, padded),
		part: asm.NoisyPartBlock{
			Rem: c(padded), V: c(padded), VInf: c(padded), Z: c(padded), Tau: c(padded), VTh: c(padded), Diffusion: c(padded),
			Dt: p.dt, White: p.noisy.White, Most: noise.Never, End: c(padded), Fired: make([]uint8, padded/8),
		},
	}
	if p.noisy.OU > 0 {
		t.ou = noise.NewOUs(p.noisy.law, p.noisy.Seed, "noise ou", ids[:n])
	}
	same := alike(p.spec.P)
	for l := range n {
		i := t.number + l
		q := p.lif(i)
		if t.vInf[l] = math.FMA(q.R, p.spec.I.At(i), q.VRest); same && l > 0 {
			continue
		}
		t.neurons = append(t.neurons, lifNeuron{
			q.VReset + 0, q.VTh, q.Tau, q.TRef / p.dt, // no -0, as in the kernels without noise
			-kernels.Expm1(-p.dt / q.Tau), p.noisy.White * math.Sqrt(-kernels.Expm1(-2*p.dt/q.Tau)/2),
			p.noisy.White * p.noisy.White / q.Tau,
		})
	}
	t.makeBlocks(p.dt, n == padded && same)
	t.steady = t.block.CoefStride == 0 && !slices.ContainsFunc(t.vInf, func(x float64) bool { return x != t.vInf[0] })
	t.block.Goal = t.vInf[0]
	t.numbered = true
	for l := range t.n {
		t.numbered = t.numbered && ids[l] == ids[0]+uint32(l)
	}
	t.makeNear(p)
	return t
}

// lif is the parameters of a neuron.
func (p *Population) lif(i int) model.LIF {
	var params [6]float64
	for j, v := range p.spec.P {
		params[j] = v.At(i)
	}
	return model.LIFOf(params[:])
}

// neuron is that of a lane.
func (t *lifTile) neuron(l int) *lifNeuron { return &t.neurons[min(l, len(t.neurons)-1)] }

// alike reports whether all neurons have the same parameters.
func alike(p []kernels.Values) bool {
	for _, v := range p {
		if len(v) > 1 {
			return false
		}
	}
	return true
}

// makeBlocks lays out the arguments of the kernels, with the coefficients of one group for all where they are the same.
func (t *lifTile) makeBlocks(dt float64, same bool) {
	lanes := len(t.vInf)
	groups, stride := lanes/kernels.Group, asm.NoisyLIFCoefs
	if same {
		groups, stride = 1, 0
	}
	coef := make([]asm.Column, groups*asm.NoisyLIFCoefs)
	for l := range groups * kernels.Group {
		c := coef[l/kernels.Group*asm.NoisyLIFCoefs:]
		i := l % kernels.Group
		if l >= t.n { // padding never comes near its threshold
			c[asm.NoisyLIFVTh][i] = math.Inf(1)
			continue
		}
		q := t.neuron(l)
		c[asm.NoisyLIFKeep][i], c[asm.NoisyLIFVTh][i] = q.keep, q.threshold
		c[asm.NoisyLIFSD][i], c[asm.NoisyLIFFar][i] = q.sd, noise.Never/2*q.diffusion*dt
	}
	t.block = asm.NoisyLIFBlock{
		Lanes: lanes, Coef: coef, CoefStride: stride, VInf: t.vInf,
		Gap:   make([]float64, lanes+1), // likewise
		Fired: make([]uint8, tileSteps*lanes/8), FiredStride: lanes / 8,
	}
	for j := range t.block.Alike {
		t.block.Alike[j] = coef[j][0]
	}
	// Where they are not the same, these are set for each lane listed.
	q := &t.neurons[0]
	for i := range t.part.Tau {
		t.part.Tau[i], t.part.VTh[i], t.part.Diffusion[i] = q.tau, q.threshold, q.diffusion
	}
}

// tileSteps is the number of steps that a tile moves at a time, those whose normal numbers are drawn together.
const tileSteps = 4

// tileRun is where a tile is: steps from step on of the epoch, k of the run. spent reports whether the kernel has
// replaced the normal numbers.
type tileRun struct {
	p     *Population
	s     *shard
	step  int
	k     int64
	spent bool
}

// advance moves the neurons through steps of the epoch from done on, up to tileSteps at a time. Most stay so far below
// their threshold that their paths do not cross it: a kernel moves them as if none crossed, and marks those that may
// have. One that did goes back to where it crossed, and through the steps left by itself.
func (t *lifTile) advance(p *Population, s *shard, done, steps int, drive kernels.Drive) {
	x := tileRun{p: p, s: s}
	t.due.begin(p.kernel.ISA, s.columns.Wake[t.first:][:t.block.Lanes], p.first+int64(done), steps)
	for j := 0; j < steps; j += t.block.Steps {
		x.step, x.k = done+j, p.first+int64(done+j)
		t.move(&x, steps-j, from(drive, j))
		t.listNear(&x)
		t.decideNear(&x)
		t.crossNear(&x)
	}
}

// move moves the neurons through up to so many steps as if none crossed its threshold. Those that begin to move in one
// of the steps are moved to its end first.
func (t *lifTile) move(x *tileRun, steps int, drive kernels.Drive) {
	isa, b := x.p.kernel.ISA, &t.block
	b.V, b.Wake = x.s.columns.Y[0][t.first:][:b.Lanes], x.s.columns.Wake[t.first:][:b.Lanes]
	b.Z, b.ZStride = t.white.From(isa, x.k)
	b.Steps, b.First = min(len(b.Z)/b.ZStride, steps), float64(x.k)
	t.drive(x.p, isa, drive, x.k)
	x.spent = false
	t.wake(x)
	switch x.spent = true; {
	case t.steady && b.VInfStride == 0:
		kernels.NoisyLIFSteady(isa, b)
	case b.CoefStride == 0:
		kernels.NoisyLIFAlike(isa, b)
	default:
		kernels.NoisyLIF(isa, b)
	}
	for _, q := range t.apart {
		b.V[q.lane] = q.v
	}
}

// wake moves the lanes in which V begins to move to the end of that step: the kernel moves them on. Those that may have
// crossed their threshold by then go through all steps from there on, and are put aside: the kernel does not know.
func (t *lifTile) wake(x *tileRun) {
	b, q, rem := &t.block, &t.part, x.s.columns.Rem[t.first:]
	n := 0
	for l := t.due.first(x.k); l >= 0; l = t.due.after(l) {
		j := int(b.Wake[l] - b.First)
		q.Rem[n], q.V[n], q.VInf[n], q.Z[n] = rem[l], b.V[l], t.goal(l, j), t.z(x, l, j)
		if b.CoefStride > 0 {
			c := t.neuron(l)
			q.Tau[n], q.VTh[n], q.Diffusion[n] = c.tau, c.threshold, c.diffusion
		}
		t.woken[n] = l
		n++
	}
	q.Lanes = n
	kernels.NoisyPart(x.p.kernel.ISA, q)
	t.apart = t.apart[:0]
	for i, l := range t.woken[:n] {
		b.V[l] = q.End[i]
		if q.Fired[i/8]>>(i%8)&1 != 0 {
			j := int(b.Wake[l] - b.First)
			b.V[l] = x.p.noisyPart(x.s, t.neuron(l), t.ids[l], t.first+l, x.step+j, x.k+int64(j), 1-q.Rem[i], q.V[i],
				q.VInf[i], q.Z[i], 0, nil)
			t.follow(x, l, j+1)
			t.alone[l] = x.k + int64(b.Steps)
			t.apart = append(t.apart, apartLane{l, b.V[l]})
		}
	}
}

// follow moves lane l, which has crossed its threshold, through steps from step j of the block on.
func (t *lifTile) follow(x *tileRun, l, j int) {
	b := &t.block
	if b.Wake[l] >= b.First+float64(b.Steps) {
		t.due.add(l, b.Wake[l])
		return
	}
	for ; j < b.Steps; j++ {
		switch now := b.First + float64(j); {
		case b.Wake[l] > now:
		case b.Wake[l] == now:
			start := 1 - x.s.columns.Rem[t.first+l]
			b.V[l] = x.p.noisyPart(x.s, t.neuron(l), t.ids[l], t.first+l, x.step+j, x.k+int64(j), start, b.V[l], t.goal(l, j),
				t.z(x, l, j), 0, nil)
		default:
			b.V[l] = t.whole(x, l, j, b.V[l])
		}
	}
	if b.Wake[l] >= b.First+float64(b.Steps) {
		t.due.add(l, b.Wake[l])
	}
}

// goal is V_inf of lane l in step j of the block.
func (t *lifTile) goal(l, j int) float64 { return t.block.VInf[j*t.block.VInfStride+l] }

// z is the normal number of lane l in step j of the block.
func (t *lifTile) z(x *tileRun, l, j int) float64 {
	if x.spent {
		return t.white.At(l, x.k+int64(j))
	}
	return t.block.Z[j*t.block.ZStride+l]
}

// whole moves lane l from v through all of step j of the block, as the kernels do.
func (t *lifTile) whole(x *tileRun, l, j int, v float64) float64 {
	q, a := t.neuron(l), &t.near.aside
	end := math.FMA(q.sd, t.z(x, l, j), math.FMA(q.keep, t.goal(l, j)-v, v))
	before, after, far := q.threshold-v, q.threshold-end, noise.Never/2*q.diffusion*x.p.dt
	if float64(min(before, after)*math.Abs(max(before, after))) > far {
		return end
	}
	words := x.p.noisy.inside(0, t.ids[l], x.k+int64(j))
	a.Before[0], a.After[0], a.Far[0], a.U[0] = before, after, far, rng.Uniform32(words[1])
	if x.p.noisy.AtEnds {
		a.U[0] = 1
	}
	if kernels.NoisyCross(x.p.kernel.ISA, a); a.Fired[0]&1 == 0 {
		return end
	}
	passed := 1.0
	if !x.p.noisy.AtEnds {
		passed = noise.PassageTime(before, before-after, q.diffusion, x.p.dt, words) / x.p.dt
	}
	start, moves := x.p.noisySpike(x.s, q, t.first+l, x.step+j, x.k+int64(j), passed)
	if !moves {
		return q.reset
	}
	return t.again(x, l, j, start, words[0])
}

// again moves lane l, which has crossed its threshold in step j of the block, from V_reset through what is left of the
// step from start on; word is that for its normal number.
func (t *lifTile) again(x *tileRun, l, j int, start float64, word uint32) float64 {
	q := t.neuron(l)
	return x.p.noisyPart(x.s, q, t.ids[l], t.first+l, x.step+j, x.k+int64(j), start, q.reset, t.goal(l, j),
		rng.Normal32(word), 1, nil)
}

// drive sets the goals of V in a block of steps, V_rest + R I, with the input of drive and the Ornstein-Uhlenbeck
// currents from step k on.
func (t *lifTile) drive(p *Population, isa kernels.ISA, drive kernels.Drive, k int64) {
	t.block.VInf, t.block.VInfStride = t.vInf, 0
	if t.ou == nil && drive.Waveform == nil && drive.Row == nil {
		return
	}
	lanes, g := len(t.vInf), &t.goals
	if t.moved == nil {
		t.makeGoals(p)
	}
	t.block.VInf, t.block.VInfStride = t.moved, lanes
	for j := range t.block.Steps {
		one := from(drive, j)
		g.Wave, g.Goal = 0, t.moved[j*lanes:]
		clear(g.Row)
		if one.Waveform != nil {
			g.Wave = one.Waveform[0]
		}
		if one.Row != nil {
			copy(g.Row[:t.n], one.Row[t.first:])
		}
		if t.ou != nil {
			t.ou.Step(isa, g.Row, p.noisy.OU, k+int64(j))
		}
		kernels.GoalStep(isa, g)
	}
}

// makeGoals makes what drive needs.
func (t *lifTile) makeGoals(p *Population) {
	lanes := len(t.vInf)
	c := func() []float64 { return make([]float64, lanes) }
	t.moved = make([]float64, tileSteps*lanes)
	t.goals = asm.GoalBlock{Lanes: lanes, Row: c(), R: c(), Gain: c(), I: c(), Rest: c()}
	for l := range t.n {
		i := t.number + l
		q := p.lif(i)
		t.goals.R[l], t.goals.Gain[l], t.goals.I[l], t.goals.Rest[l] = q.R, p.spec.Gain.At(i), p.spec.I.At(i), q.VRest
	}
}

// noisyPart moves one neuron through what is left of step k from start on with the standard normal number z, and
// returns V at its end; V_reset if it is held. Parts of the step are numbered from part on; words are those of the
// first, drawn if they are nil.
func (p *Population) noisyPart(
	s *shard, q *lifNeuron, id uint32, l, step int, k int64, start, v, vInf, z float64, part int, words *rng.Block,
) float64 {
	for moves := true; moves; part, words = part+1, nil {
		h, keep, sd := p.dt, q.keep, q.sd
		if start > 0 {
			h = (1 - start) * p.dt
			keep = -kernels.Expm1(-h / q.tau)
			sd = p.noisy.White * math.Sqrt(-kernels.Expm1(-2*h/q.tau)/2)
		}
		end := math.FMA(sd, z, math.FMA(keep, vInf-v, v))
		if end < q.threshold && (p.noisy.AtEnds || noise.Stays(q.threshold-v, end-v, q.diffusion, h)) {
			return end
		}
		if words == nil {
			block := p.noisy.inside(part, id, k)
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
