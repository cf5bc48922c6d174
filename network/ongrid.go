package network

import (
	"encoding/binary"
	"math"
	mathbits "math/bits"
	"slices"

	"popsim/kernels"
	"popsim/kernels/asm"
	"popsim/rng"
)

// rowBytes is the largest size in bytes of the rows of the steps that are advanced together: half of a small
// second-level cache.
const rowBytes = 256 << 10

// stepsTogether is the number of steps whose arrivals are added up before the neurons of a range are advanced. No
// result depends on it.
func (l *layout) stepsTogether(lanes int) int {
	if !l.spec.OnGrid || l.spec.hasWhite() {
		return 1
	}
	const most = 16
	fit := rowBytes / (8 * max(1, lanes*len(l.receptors)))
	return int(max(1, min(l.steps, int64(fit), most)))
}

// makeRows makes the rows of the steps that are advanced together, one for each receptor and step, empty.
func (r *shard) makeRows() {
	l := r.net.layout
	r.stepRows, r.stepCurrents = make([][][]float64, r.rowSteps), make([][]float64, r.rowSteps)
	var all [][]float64
	for i := range l.receptors {
		r.strides = append(r.strides, (r.lanes+asm.Group)*l.receptors[i].width)
		r.falls, r.bounds, r.listed = append(r.falls, nil), append(r.bounds, nil), append(r.listed, false)
		r.counted = append(r.counted, countedRows{})
		switch {
		case l.joined[i] < 0:
		case l.receptors[i].kind == AlphaCurrent:
			r.falls[i] = emptyColumn(r.lanes + asm.Group)
		default:
			r.bounds[i] = make([]uint32, r.lanes+asm.Group)
		}
		all = append(all, nil)
		if l.main[i] == i {
			all[i] = emptyColumn(r.strides[i] * len(r.stepRows))
		}
	}
	for i, main := range l.main {
		all[i] = all[main]
	}
	r.allRows = all
	currents := false
	for _, in := range l.spec.Inputs {
		currents = currents || in.Current != nil || in.Noise != nil && in.Noise.Tau > 0
	}
	for j := range r.stepRows {
		for i, column := range all {
			r.stepRows[j] = append(r.stepRows[j], column[j*r.strides[i]:][:(r.lanes+1)*l.receptors[i].width])
		}
		if currents {
			r.stepCurrents[j] = makeColumn(r.lanes)
		}
	}
	if l.spec.hasWhite() {
		r.white, r.variance = makeColumn(r.lanes), makeColumn(r.lanes)
		r.insideIDs = make([]uint32, r.lanes)
		r.insideKey = rng.NameKey(l.spec.streamName("noise inside steps"))
	}
	r.useStep(0)
}

// makeColumn returns n zeros on lines of the cache of their own.
func makeColumn(n int) []float64 { return makeLines[float64](n) }

// emptyColumn is a column of n accumulators without arrivals.
func emptyColumn(n int) []float64 {
	c := makeColumn(n)
	for i := range c {
		c[i] = empty
	}
	return c
}

// useStep makes the rows and currents of step j, of those advanced together, the current ones.
func (r *shard) useStep(j int) { r.rows, r.current = r.stepRows[j], r.stepCurrents[j] }

// advanceOnGrid advances the range by steps from k on, at most stepsTogether.
func (r *shard) advanceOnGrid(k int64, steps int) error {
	for j := range steps {
		at := r.slot(k + int64(j))
		r.history.lists[at] = r.history.begin(at)
		r.useStep(j)
		r.deliver(k + int64(j))
		r.input(k + int64(j))
		r.advanceGates(k + int64(j))
	}
	r.part(update)
	for _, s := range r.lif {
		s.advanceOnGrid(r, k, steps)
	}
	for j := range steps {
		r.useStep(j)
		at := r.slot(k + int64(j))
		r.out = r.history.lists[at]
		if err := r.advanceOthers(k + int64(j)); err != nil {
			return err
		}
		r.history.put(at, r.out)
	}
	return nil
}

// onGrid holds what steps on the grid need for the LIF neurons of a segment.
type onGrid struct {
	neurons  coefs     // see asm.LIFRowsBlock
	currents []coefs   // of each receptor of the segment, none of those of jumps: see asm.CurrentRowsBlock
	jump     int       // receptor of jumps; -1: there is none
	driven   bool      // whether currents come in
	fused    *coefs    // see asm.LIFExpRowsBlock: where one exponential current or two are all that comes in; else nil
	tile     int       // lanes whose currents are summed up before V moves
	drive    []float64 // scratch: their sums, step by step
	fired    []uint8   // by step and eight lanes
}

// coefs are columns of coefficients by group of lanes.
type coefs struct {
	columns []asm.Column
	stride  int // columns from group to group: 0 where all lanes have the same
}

// from is the columns from the group of a lane on.
func (c *coefs) from(lane int) []asm.Column { return c.columns[lane/kernels.Group*c.stride:] }

// alike reports whether each column holds one value.
func alike(columns ...[]float64) bool {
	for _, c := range columns {
		for _, x := range c {
			if x != c[0] {
				return false
			}
		}
	}
	return true
}

// groupCoefs arranges columns of all lanes in groups.
func groupCoefs(columns ...[]float64) coefs {
	if alike(columns...) {
		c := coefs{columns: make([]asm.Column, len(columns))}
		for j := range columns {
			for l := range c.columns[j] {
				c.columns[j][l] = columns[j][0]
			}
		}
		return c
	}
	return ownCoefs(columns...)
}

// ownCoefs is groupCoefs with coefficients of each lane also where all are alike.
func ownCoefs(columns ...[]float64) coefs {
	n := len(columns[0])
	c := coefs{make([]asm.Column, len(columns)*((n+kernels.Group-1)/kernels.Group)), len(columns)}
	for j := range columns {
		for i, x := range columns[j] {
			c.columns[i/kernels.Group*c.stride+j][i%kernels.Group] = x
		}
	}
	return c
}

// tileSums is the number of sums of currents that are computed before V is advanced: they stay in the first-level
// cache.
const tileSums = 32 * kernels.Group

// tile is the number of lanes, in whole groups, with at most tileSums sums over these steps.
func tile(steps int) int { return max(1, tileSums/kernels.Group/steps) * kernels.Group }

func (s *lifSegment) makeOnGrid(r *shard) {
	g := &s.grid
	g.neurons = groupCoefs(s.vInf, s.keep, s.vTh, s.vReset, s.hold)
	g.jump, g.driven = -1, r.current != nil || s.noise != nil
	for j, c := range s.receptors {
		kind := r.net.layout.receptors[c].kind
		if kind == Delta {
			g.jump = c
			g.currents = append(g.currents, coefs{})
			continue
		}
		g.driven = true
		columns := [][]float64{s.p21[j]}
		if kind == AlphaCurrent {
			columns = append(columns, s.p20[j])
		}
		g.currents = append(g.currents, groupCoefs(columns...))
	}
	if s.fuses(r) {
		columns := append([][]float64{s.vInf, s.keep, s.vTh, s.vReset, s.hold}, s.p21...)
		c := groupCoefs(columns...)
		g.fused = &c
	}
	steps := len(r.stepRows)
	g.tile = tile(steps)
	g.drive, g.fired = makeColumn(g.tile*steps), makeLines[uint8](steps*s.padded()/8)
	for lane := s.base + s.n; lane < s.base+s.padded(); lane++ {
		r.wake[lane] = math.Inf(1) // padding never moves
	}
}

// fuses reports whether one exponential current or two are all that comes into the neurons.
func (s *lifSegment) fuses(r *shard) bool {
	if n := len(s.receptors); n < 1 || n > 2 || r.current != nil || s.noise != nil {
		return false
	}
	return !slices.ContainsFunc(s.receptors, func(c int) bool { return r.net.layout.receptors[c].kind != ExpCurrent })
}

// advanceFused advances the lanes of a segment that fuses.
func (s *lifSegment) advanceFused(r *shard, k int64, steps int) {
	g, c := &s.grid, s.receptors
	b := asm.LIFExpRowsBlock{
		Lanes: s.padded(), Steps: steps, First: float64(k), V: r.v[s.base:], Wake: r.wake[s.base:],
		Coef: g.fused.columns, CoefStride: g.fused.stride, Alike: g.fused.stride == 0,
		Fired: g.fired, FiredStride: s.padded() / 8,
		Current: r.s[c[0]][s.base:], Row: r.allRows[c[0]][s.base:], RowStride: r.strides[c[0]], Decay: r.decay[c[0]],
	}
	if len(c) == 1 {
		kernels.LIFExpRows(r.net.isa, &b)
		return
	}
	b.Current2, b.Row2, b.Row2Stride = r.s[c[1]][s.base:], r.allRows[c[1]][s.base:], r.strides[c[1]]
	b.Decay2 = r.decay[c[1]]
	kernels.LIFExpRows2(r.net.isa, &b)
}

// padded is the number of lanes of the segment, rounded up to whole groups.
func (s *segment) padded() int { return (s.n + kernels.Group - 1) / kernels.Group * kernels.Group }

// advanceOnGrid advances all lanes by steps from k on, with arrivals and spikes at the ends of steps, and empties the
// rows.
func (s *lifSegment) advanceOnGrid(r *shard, k int64, steps int) {
	g := &s.grid
	n := s.padded()
	if g.fused != nil {
		s.advanceFused(r, k, steps)
	}
	for at := 0; at < n && g.fused == nil; at += g.tile {
		lanes := min(g.tile, n-at)
		b := asm.LIFRowsBlock{
			Lanes: lanes, Steps: steps, First: float64(k), V: r.v[s.base+at:], Wake: r.wake[s.base+at:],
			Coef: g.neurons.from(at), CoefStride: g.neurons.stride, Alike: g.neurons.stride == 0,
			Fired: g.fired[at/8:], FiredStride: n / 8,
		}
		if g.jump >= 0 {
			b.Jump, b.JumpStride = r.allRows[g.jump][s.base+at:], r.strides[g.jump]
		}
		if g.driven || g.jump < 0 {
			s.sumCurrents(r, at, lanes, steps)
			b.Drive, b.DriveStride = g.drive, g.tile
		}
		if s.noise != nil {
			s.addNoiseOnGrid(r, at, lanes)
		}
		kernels.LIFRows(r.net.isa, &b)
		if s.noise != nil {
			s.crossOnGrid(r, k, at, lanes)
		}
	}
	for j := range steps {
		out := &r.history.lists[r.slot(k+int64(j))]
		fired := g.fired[j*n/8:][:n/8]
		for i := 0; i < n/8; i += 8 {
			for bits := binary.LittleEndian.Uint64(fired[i:]); bits != 0; bits &= bits - 1 {
				lane := 8*i + mathbits.TrailingZeros64(bits)
				*out = append(*out, spike{int32(s.first + lane), int32(s.population), 1})
			}
		}
	}
}

// sumCurrents writes what currents add to V of lanes from at on to g.drive, step by step, and advances the synaptic
// currents.
func (s *lifSegment) sumCurrents(r *shard, at, lanes, steps int) {
	l := r.net.layout
	g := &s.grid
	clear(g.drive[:steps*g.tile])
	for j := 0; r.current != nil && j < steps; j++ {
		drive := g.drive[j*g.tile:][:g.tile]
		current := r.stepCurrents[j][s.base+at:]
		for i := range min(lanes, s.n-at) {
			drive[i] = s.keep[at+i] * float64(s.r[at+i]*current[i])
		}
	}
	for j, c := range s.receptors {
		rc := &l.receptors[c]
		if rc.kind == Delta {
			continue
		}
		lo, decay := s.base+at, r.decay[c]
		b := asm.CurrentRowsBlock{
			Lanes: lanes, Steps: steps, Current: r.s[c][lo:], Rise: r.y[c][lo:], Coef: g.currents[j].from(at),
			CoefStride: g.currents[j].stride,
			Decay:      decay, DecayDt: decay * l.spec.Dt, Scale: math.E / rc.tau,
			Row: r.allRows[c][lo:], RowStride: r.strides[c], Drive: g.drive, DriveStride: g.tile,
		}
		if rc.kind == ExpCurrent {
			kernels.ExpRows(r.net.isa, &b)
		} else {
			kernels.AlphaRows(r.net.isa, &b)
		}
	}
}
