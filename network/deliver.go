package network

import (
	"math"
	"slices"
	"unsafe"

	"popsim/kernels"
)

// run is the edges of one spike that arrive in the step in hand.
type runOf struct {
	t        *table
	from, to uint32
	source   int
	theta    float64 // of the arrival; of timed tables: of the spike
	late     bool    // timed: those edges whose part of a step carries them into the next
}

// deliver adds what arrives in step k to the rows: for each delay, longest first, the spikes of that many steps before,
// by number of the source.
func (r *shard) deliver(k int64) {
	l := r.net.layout
	r.runs = r.runs[:0]
	for d := l.longest + 1; d >= int(l.steps); d-- {
		for _, from := range r.net.ranges {
			for _, sp := range from.emitted(k - int64(d)) {
				for _, ti := range r.tablesOf[sp.population] {
					t := r.tables[ti]
					r.note(t, &sp, d, false)
					if t.style == timed {
						r.note(t, &sp, d-1, true)
					}
				}
			}
		}
	}
	for i := range r.runs {
		if next := i + ahead; next < len(r.runs) {
			r.runs[next].prefetch()
		}
		r.addRun(&r.runs[i])
	}
}

// ahead is how many runs before it is added up a run is brought into the cache, and prefetched how many bytes of it at
// most: the processor itself goes on with long ones.
const (
	ahead      = 6
	prefetched = 1024
)

// prefetch brings the beginning of a run into the cache.
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
func (r *shard) note(t *table, sp *spike, d int, late bool) {
	if d < t.least || d >= t.least+t.delays || t.gated {
		return
	}
	at := (int(sp.neuron)-t.first)*(t.delays+1) + d - t.least
	if from, to := t.start[at], t.start[at+1]; from < to {
		r.runs = append(r.runs, runOf{t, from, to, int(sp.neuron) - t.first, sp.theta, late})
	}
}

func (r *shard) addRun(u *runOf) {
	l := r.net.layout
	rc := &l.receptors[u.t.receptor]
	row := r.rows[u.t.receptor]
	tau := l.classes[rc.class].tau
	if u.t.style == timed || math.IsNaN(tau) && !l.spec.OnGrid {
		r.each(u, func(lane uint16, theta, weight float64) { r.addOne(u.t.receptor, lane, theta, weight) })
		return
	}
	c := [3]float64{1}
	if !l.spec.OnGrid {
		c = r.coefs(u.t.receptor, -1, u.theta)
	}
	switch u.t.style {
	case shared:
		w := u.t.weight[u.source]
		for j := range c {
			c[j] *= w
		}
		addShared(row, u.t.b16[u.from:u.to], rc.width, c)
	case float32s:
		add32(row, u.t.b32[u.from:u.to], rc.width, c)
	case float64s:
		add64(row, u.t.b64[u.from:u.to], rc.width, c)
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

// coefs is what an arrival of weight 1 at theta of the step adds to the accumulators of a lane; of lane -1: of all lanes,
// where they do not differ.
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

// each calls f for the edges of a run that arrive in the step in hand.
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

// lookUp collects the arrivals of the lanes that have events in the step in hand: those of event i in the order of their
// sums are r.arrivals[r.begin[i]:r.begin[i+1]].
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
	for i := u.from; i < u.to; i++ {
		if anyFlag(r.flags, u.t.targets(i)) {
			one.from, one.to = i, i+1
			r.each(&one, note)
		}
	}
}

// targets are those of block i.
func (t *table) targets(i uint32) *[4]uint16 {
	switch t.style {
	case shared:
		return (*[4]uint16)(&t.b16[i])
	case float32s:
		return &t.b32[i].To
	case float64s:
		return &t.b64[i].To
	}
	return &t.bt[i].To
}

// anyFlag reports whether the flag of one of four lanes is set.
func anyFlag(flags []uint64, to *[4]uint16) bool {
	bits := uint64(0)
	for _, lane := range to {
		bits |= flags[lane>>6] >> (lane & 63)
	}
	return bits&1 != 0
}
