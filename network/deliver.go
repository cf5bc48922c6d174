package network

import (
	"math"
	"slices"
	"unsafe"

	"popsim/kernels"
)

// runOf holds the edges of one spike that arrive in the current step.
type runOf struct {
	t        *table
	c        *[3]float64 // what an edge of weight 1 adds; nil where that is known only edge by edge
	theta    float64     // of the arrival; of timed tables: of the spike
	at       int         // of t.start
	from, to uint32      // blocks
	source   int32
	late     bool // timed: those edges whose part of a step carries them into the next
}

// deliver adds what arrives in step k to the rows: for each delay, longest first, the spikes of that many steps before,
// by number of the source. What prepare has added already is left out.
func (r *shard) deliver(k int64) {
	r.part(delivery)
	l := r.net.layout
	longest := l.longest + 1
	if j := k - r.prepared; j >= 0 && j < r.preparedSteps {
		longest = int(l.steps + j)
	}
	if l.spec.OnGrid || longest > l.longest { // else those of prepare will be looked up again
		r.runs = r.runs[:0]
	}
	r.keepCoefs(k - l.steps)
	r.deliverFrom(k, longest, int(l.steps))
}

// prepare adds the arrivals of the epoch from step k on that are known while other ranges are still in the epoch
// before: those of spikes of earlier epochs, in all steps whose rows there is room for. They come first in the order of
// the sums.
func (r *shard) prepare(k, end int64) {
	l := r.net.layout
	r.part(delivery)
	r.prepared, r.preparedSteps = k, min(int64(len(r.stepRows)), end-k)
	r.keepCoefs(k - l.steps - 1)
	for j := range r.preparedSteps {
		r.useStep(int(j))
		r.runs = r.runs[:0]
		r.deliverFrom(k+j, l.longest+1, int(l.steps+j)+1)
	}
	r.part(input)
	for _, p := range r.trains {
		if p.in.Poisson != nil {
			r.drawCounts(p, k)
		}
	}
}

// forget empties the rows that prepare has filled, which will not be used.
func (r *shard) forget() {
	if r.preparedSteps == 0 {
		return
	}
	r.preparedSteps = 0
	for _, column := range r.allRows {
		for i := range column {
			column[i] = empty
		}
	}
}

// deliverFrom adds what arrives in step k with delays from longest down to least. It adds to r.runs.
func (r *shard) deliverFrom(k int64, longest, least int) {
	first := len(r.runs)
	r.listRuns(k, longest, least)
	runs := r.runs[first:]
	for i := range runs { // without branches, so that the reads of the index do not wait for each other
		u := &runs[i]
		u.from, u.to = u.t.start[u.at], u.t.start[u.at+1]
	}
	for i := range runs {
		if next := i + ahead; next < len(runs) {
			runs[next].prefetch()
		}
		r.addRun(&runs[i])
	}
}

// listRuns lists the runs that arrive in step k with delays from longest down to least.
func (r *shard) listRuns(k int64, longest, least int) {
	for d := longest; d >= least; d-- {
		for n, from := range r.net.ranges {
			spikes := from.emitted(k - int64(d))
			for i := range spikes {
				sp := &spikes[i]
				for j, ti := range r.tablesOf[sp.population] {
					t := r.tables[ti]
					if t.style == bitRows {
						r.gather(t, sp, d)
						continue
					}
					if t.style == timed {
						r.note(t, sp, d, false, nil)
						r.note(t, sp, d-1, true, nil)
						continue
					}
					r.note(t, sp, d, false, r.coefsOf(n, k-int64(d), i, j))
				}
			}
		}
	}
}

// onePerEdge is what an edge of weight 1 adds on the grid.
var onePerEdge = [3]float64{1}

// keepCoefs computes, once for each spike up to step last that can still arrive and each table of its population, what
// an edge of weight 1 adds.
func (r *shard) keepCoefs(last int64) {
	l := r.net.layout
	if l.spec.OnGrid {
		return
	}
	if r.spikeCoefs == nil {
		r.spikeCoefs = make([][][][3]float64, len(r.history))
		for i := range r.spikeCoefs {
			r.spikeCoefs[i] = make([][][3]float64, len(r.net.ranges))
		}
		for _, tables := range r.tablesOf {
			r.mostTables = max(r.mostTables, len(tables))
		}
	}
	for s := max(0, r.coefsFrom, last-int64(l.longest)-1); s <= last; s++ {
		for n, from := range r.net.ranges {
			all := r.spikeCoefs[r.slot(s)][n][:0]
			for _, sp := range from.emitted(s) {
				for _, ti := range r.tablesOf[sp.population] {
					c := [3]float64{}
					if t := r.tables[ti]; t.style != timed && !r.edgeByEdge(t) {
						c = r.coefs(t.receptor, -1, sp.theta)
					}
					all = append(all, c)
				}
				for range r.mostTables - len(r.tablesOf[sp.population]) {
					all = append(all, [3]float64{})
				}
			}
			r.spikeCoefs[r.slot(s)][n] = all
		}
		r.coefsFrom = s + 1
	}
}

// coefsOf is what an edge of weight 1 in table j adds in step k for spike i of range n; nil if that differs between
// targets.
func (r *shard) coefsOf(n int, k int64, i, j int) *[3]float64 {
	if r.net.layout.spec.OnGrid {
		return &onePerEdge
	}
	return &r.spikeCoefs[r.slot(k)][n][i*r.mostTables+j]
}

// edgeByEdge reports whether what an edge of weight 1 adds differs between the targets of a table.
func (r *shard) edgeByEdge(t *table) bool {
	l := r.net.layout
	return !l.spec.OnGrid && math.IsNaN(l.classes[l.receptors[t.receptor].class].tau)
}

// ahead is how many runs in advance a run is prefetched into the cache, and prefetched is how many of its bytes at
// most: the processor prefetches the rest of a long run by itself.
const (
	ahead      = 6
	prefetched = 1024
)

// prefetch loads the start of a run into the cache.
func (u *runOf) prefetch() {
	switch n := int(u.to - u.from); u.t.style {
	case shared:
		prefetchBlocks(u.t.b16[u.from:], n)
	case float32s:
		prefetchBlocks(u.t.b32[u.from:], n)
	case float64s:
		prefetchBlocks(u.t.b64[u.from:], n)
	case timed:
		prefetchBlocks(u.t.bt[u.from:], n)
	}
}

func prefetchBlocks[T any](blocks []T, n int) {
	p := unsafe.SliceData(blocks)
	kernels.PrefetchRange(unsafe.Pointer(p), min(prefetched, n*int(unsafe.Sizeof(*p))))
}

// note lists the edges of a spike that have a whole delay of d steps.
func (r *shard) note(t *table, sp *spike, d int, late bool, c *[3]float64) {
	if d < t.least || d >= t.least+t.delays || t.gated {
		return
	}
	source := int(sp.neuron) - t.first
	r.runs = append(r.runs,
		runOf{t: t, c: c, theta: sp.theta, at: source*(t.delays+1) + d - t.least, source: int32(source), late: late})
}

func (r *shard) addRun(u *runOf) {
	rc := &r.net.layout.receptors[u.t.receptor]
	row := r.rows[u.t.receptor]
	if u.c == nil || r.edgeByEdge(u.t) {
		r.each(u, func(lane uint16, theta, weight float64) { r.addOne(u.t.receptor, lane, theta, weight) })
		return
	}
	switch u.t.style {
	case shared:
		c, w := *u.c, u.t.weight[u.source]
		for j := range c {
			c[j] *= w
		}
		addShared(row, u.t.b16[u.from:u.to], rc.width, c)
	case bitRows:
		r.addBits(u.t, row)
	case float32s:
		add32(row, u.t.b32[u.from:u.to], rc.width, *u.c)
	case float64s:
		add64(row, u.t.b64[u.from:u.to], rc.width, *u.c)
	}
}

// addOne adds one arrival to the accumulators of its lane.
func (r *shard) addOne(receptor int, lane uint16, theta, weight float64) {
	l := r.net.layout
	rc := &l.receptors[receptor]
	at := r.rows[receptor][int(lane)*rc.width:][:rc.width]
	if l.spec.OnGrid {
		at[0] += weight
		return
	}
	c := r.coefs(receptor, int(lane), theta)
	for j := range at {
		at[j] += float64(weight * c[j])
	}
}

// coefs is what an arrival of weight 1 at theta of the step adds to the accumulators of a lane; of lane -1: of all
// lanes, where they do not differ.
func (r *shard) coefs(receptor, lane int, theta float64) [3]float64 {
	l := r.net.layout
	if s := l.series[receptor]; s != nil {
		return s.at(theta)
	}
	rc := &l.receptors[receptor]
	tau := l.classes[rc.class].tau
	if math.IsNaN(tau) {
		tau = r.tauOf(lane)
	}
	return rc.coefs((1-theta)*l.spec.Dt, tau, l.spec.Dt)
}

func (r *shard) tauOf(lane int) float64 {
	for _, s := range r.lif {
		if lane >= s.base && lane < s.base+s.n {
			return s.tau[lane-s.base]
		}
	}
	panic("bug: network: lane of no segment")
}

// each calls f for the edges of a run that arrive in the current step.
func (r *shard) each(u *runOf, f func(lane uint16, theta, weight float64)) {
	none := uint16(r.lanes)
	for i := u.from; i < u.to; i++ {
		for j := range 4 {
			var lane uint16
			var w float64
			theta := u.theta
			switch u.t.style {
			case shared:
				lane, w = u.t.b16[i][j], u.t.weight[u.source]
			case float32s:
				lane, w = u.t.b32[i].To[j], float64(u.t.b32[i].W[j])
			case float64s:
				lane, w = u.t.b64[i].To[j], u.t.b64[i].W[j]
			case timed:
				lane, w = u.t.bt[i].To[j], u.t.bt[i].W[j]
				theta += u.t.bt[i].Part[j]
				late := theta >= 1-instant
				if late != u.late {
					continue
				}
				if late {
					theta = max(0, theta-1)
				}
				if theta < instant {
					theta = 0
				}
			}
			if lane != none {
				f(lane, theta, w)
			}
		}
	}
}

// lookUp collects the arrivals of the lanes that have events in the current step: those of event i, in the order in
// which they are added, are r.arrivals[r.begin[i]:r.begin[i+1]].
func (r *shard) lookUp(k int64) {
	r.found, r.begin = r.found[:0], append(r.begin[:0], 0)
	for i, b := range r.events {
		r.rank[b.lane] = uint16(i)
		r.begin = append(r.begin, 0)
	}
	for i := range r.runs {
		r.find(&r.runs[i])
	}
	for _, a := range r.external {
		if r.flags[a.lane>>6]>>(a.lane&63)&1 != 0 {
			r.found = append(r.found, a)
		}
	}
	for _, b := range r.events {
		if b.seg != nil {
			b.seg.findInstants(r, b.lane, k)
		} else {
			r.findTriples(b.lane, k)
		}
	}
	for i := range r.found {
		r.begin[r.rank[r.found[i].lane]+1]++
	}
	for i := range r.events {
		r.begin[i+1] += r.begin[i]
	}
	r.arrivals = slices.Grow(r.arrivals[:0], len(r.found))[:len(r.found)]
	for i := range r.found {
		at := &r.begin[r.rank[r.found[i].lane]]
		r.arrivals[*at] = r.found[i]
		*at++
	}
	copy(r.begin[1:], r.begin) // each was moved to the beginning of the next
	r.begin[0] = 0
}

// find appends the edges of a run onto lanes with events to r.found.
func (r *shard) find(u *runOf) {
	one := *u
	note := func(lane uint16, theta, w float64) {
		if r.flags[lane>>6]>>(lane&63)&1 != 0 {
			r.found = append(r.found, arrival{lane, uint8(u.t.receptor), theta, w})
		}
	}
	if u.from == u.to {
		return
	}
	first, size := u.t.block(u.from)
	flags := (*[flagWords]uint64)(r.flags)
	for i := u.from; i < u.to; i++ {
		if anyFlag(flags, (*[4]uint16)(unsafe.Add(first, int(i-u.from)*size))) {
			one.from, one.to = i, i+1
			r.each(&one, note)
		}
	}
}

// flagWords is the number of words of flags: one bit for each number of 16 bits.
const flagWords = 1 << 16 / 64

// targets are those of block i.
func (t *table) targets(i uint32) *[4]uint16 {
	b, _ := t.block(i)
	return (*[4]uint16)(b)
}

// block returns the address of block i, which starts with its targets, and the size of a block.
func (t *table) block(i uint32) (unsafe.Pointer, int) {
	switch t.style {
	case shared:
		return unsafe.Pointer(&t.b16[i]), int(unsafe.Sizeof(block16{}))
	case float32s:
		return unsafe.Pointer(&t.b32[i]), int(unsafe.Sizeof(block32{}))
	case float64s:
		return unsafe.Pointer(&t.b64[i]), int(unsafe.Sizeof(block64{}))
	}
	return unsafe.Pointer(&t.bt[i]), int(unsafe.Sizeof(blockTimed{}))
}

// anyFlag reports whether the flag of one of four lanes is set.
func anyFlag(flags *[flagWords]uint64, to *[4]uint16) bool {
	bits := flags[to[0]>>6]>>(to[0]&63) | flags[to[1]>>6]>>(to[1]&63) |
		flags[to[2]>>6]>>(to[2]&63) | flags[to[3]>>6]>>(to[3]&63)
	return bits&1 != 0
}
