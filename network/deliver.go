package network

import (
	"math"
	mathbits "math/bits"
	"slices"
	"unsafe"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// runOf is the edges of one spike that arrive in the current step; First is the address of a block of the style of its
// table, and Table a number in shard.tables. Of timed tables Theta of Unit is that of the spike, and Late selects the
// edges whose part of a step carries them into the next.
type runOf = asm.EdgeRun

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
		r.clearRuns()
	}
	r.packed.due.drop(k - 1)
	r.keepSpikes(k-l.steps, k)
	r.deliverFrom(k, longest, int(l.steps))
	r.addPacked(k, false)
	r.dropScheduled(k)
	r.addSums(k)
}

// prepare adds the arrivals of the epoch from step k on that are known while other ranges are still in the epoch
// before: those of spikes of earlier epochs, in all steps whose rows there is room for. They come first in the order of
// the sums.
func (r *shard) prepare(k, end int64) {
	l := r.net.layout
	r.part(delivery)
	r.prepared, r.preparedSteps = k, min(int64(len(r.stepRows)), end-k)
	r.keepSpikes(k-l.steps-1, k)
	for j := range r.preparedSteps {
		r.useStep(int(j))
		r.clearRuns()
		r.deliverFrom(k+j, l.longest+1, int(l.steps+j)+1)
		r.addPacked(k+j, true)
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
	r.packed.due.readd(r.prepared, r.preparedSteps)
	r.readdScheduled(r.prepared, r.preparedSteps)
	r.preparedSteps = 0
	for _, column := range slices.Concat(r.allRows, r.falls) {
		for i := range column {
			column[i] = empty
		}
	}
	for _, column := range r.bounds {
		clear(column)
	}
}

// deliverFrom adds what arrives in step k with delays from longest down to least. It adds to r.runs.
func (r *shard) deliverFrom(k int64, longest, least int) {
	r.delivered = k
	if r.packed.every {
		return
	}
	first := len(r.runs)
	if r.schedule.on {
		r.listScheduled(k)
	} else {
		r.listRuns(k, longest, least)
	}
	runs := r.runs[first:]
	if r.laps != nil {
		r.count(runs)
	}
	watched := r.watch.step == k && r.watch.covered == first
	if watched {
		r.mark()
	}
	for i := 0; i < len(runs); {
		if n := r.alikeRuns(runs[i:]); n > 0 {
			r.addRuns(first+i, n)
			i += n
			continue
		}
		if next := i + ahead; next < len(runs) {
			r.prefetch(&runs[next])
		}
		r.addRun(&runs[i])
		i++
	}
	if watched {
		r.unmark()
	}
}

// addsRuns reports whether addRuns can add the edges of a table.
func (r *shard) addsRuns(t *table) bool {
	return t.style == float32s && r.net.layout.receptors[t.receptor].width <= 2 && !r.edgeByEdge(t)
}

// alikeRuns counts the runs at the start of a list that addRuns can add together.
func (r *shard) alikeRuns(runs []runOf) int {
	if r.schedule.oneRow {
		return len(runs)
	}
	t := r.tables[runs[0].Table]
	if !r.addsRuns(t) {
		return 0
	}
	n := 1
	for n < len(runs) && runs[n].Table == runs[n-1].Table || n < len(runs) && r.together(t, r.tables[runs[n].Table]) {
		n++
	}
	return n
}

// together reports whether the edges of two tables are added to the same row, in the same way.
func (r *shard) together(a, b *table) bool {
	main := r.net.layout.main
	return a.style == b.style && main[a.receptor] == main[b.receptor]
}

// addRuns adds n runs of edges with weights of their own, from number first of r.runs on, all to the same row.
func (r *shard) addRuns(first, n int) {
	runs := r.runs[first : first+n]
	c := r.net.layout.main[r.tables[runs[0].Table].receptor]
	b := asm.EdgeRunsBlock{Runs: runs, Row: r.rows[c], Fall: r.bounds[c], Units: 1 / r.fallUnit}
	switch {
	case r.net.layout.receptors[c].width == 1:
		kernels.AddOnes(r.net.isa, &b)
	case r.watch.marked:
		r.addMarked(first, &b)
	default:
		kernels.AddPairs(r.net.isa, &b)
	}
}

// edgeByEdge reports whether what an edge of weight 1 adds differs between the targets of a table.
func (r *shard) edgeByEdge(t *table) bool {
	l := r.net.layout
	return !l.spec.OnGrid && math.IsNaN(l.classes[l.receptors[t.receptor].class].tau)
}

// ahead is how many runs in advance a run is prefetched into the cache, and prefetched is how many of its bytes at
// most.
const (
	ahead      = asm.RunsAhead
	prefetched = asm.PrefetchedBytes
)

// prefetch loads the start of a run into the cache. Lists that are counted have no First: addLists prefetches them.
func (r *shard) prefetch(u *runOf) {
	if style := r.tables[u.Table].style; style != bitRows && style != spread && u.First != 0 {
		kernels.PrefetchRange(u.First, min(prefetched, int(u.Blocks)*blockBytes[style]))
	}
}

// blocksOf are the blocks of a run, of the style of its table.
func blocksOf[B any](u *runOf) []B { return unsafe.Slice(*(**B)(unsafe.Pointer(&u.First)), u.Blocks) }

func (r *shard) addRun(u *runOf) {
	t := r.tables[u.Table]
	rc := &r.net.layout.receptors[t.receptor]
	row := r.rows[t.receptor]
	if t.style == timed || r.edgeByEdge(t) {
		r.each(u, func(lane uint16, theta, weight float64) { r.addOne(t.receptor, lane, theta, weight) })
		return
	}
	switch t.style {
	case shared:
		if t.batch > 0 {
			r.addLists(t, row)
			return
		}
		c, w := u.Unit.Add, t.weight
		for j := range c {
			c[j] *= w
		}
		addShared(r.net.isa, row, blocksOf[block16](u), rc.width, c)
		r.addFalls(u, t)
	case bitRows:
		r.addBits(t, row)
	case spread:
		t.unstored.addSpread(r.net.isa, row, rc.width, u)
	case float32s:
		addTriples(row, blocksOf[block32](u), u.Unit.Add)
		r.addFalls(u, t)
	case float64s:
		add64(row, blocksOf[block64](u), rc.width, u.Unit.Add)
		r.addFalls(u, t)
	}
}

// addOne adds one arrival to the accumulators of its lane.
func (r *shard) addOne(receptor int, lane uint16, theta, weight float64) {
	l := r.net.layout
	rc := &l.receptors[receptor]
	at := r.rows[receptor][int(lane)*rc.width:][:rc.width]
	r.touched[receptor] = true
	if l.spec.OnGrid {
		at[0] += weight
		return
	}
	c := r.coefs(receptor, int(lane), theta)
	for j := range at {
		at[j] += float64(weight * c[j])
	}
	r.addFall(receptor, lane, weight, &c)
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
	note := func(to [4]uint16, theta float64, weight func(j int) float64) {
		for j, lane := range to {
			if lane != none {
				f(lane, theta, weight(j))
			}
		}
	}
	t, theta := r.tables[u.Table], u.Unit.Theta
	switch t.style {
	case spread:
		t.unstored.each(u, f)
	case shared:
		for _, b := range blocksOf[block16](u) {
			note(b, theta, func(int) float64 { return t.weight })
		}
	case float32s:
		for _, b := range blocksOf[block32](u) {
			note(b.To, theta, func(j int) float64 { return float64(b.W[j]) })
		}
	case float64s:
		for _, b := range blocksOf[block64](u) {
			note(b.To, theta, func(j int) float64 { return b.W[j] })
		}
	case timed:
		for _, b := range blocksOf[blockTimed](u) {
			eachTimed(&b, theta, u.Late, none, f)
		}
	}
}

// eachTimed calls f for the edges of a block whose delays are not whole steps: those that the part of a step carries
// into the next, or the others.
func eachTimed(b *blockTimed, theta float64, late bool, none uint16, f func(lane uint16, theta, weight float64)) {
	for j, lane := range b.To {
		at := theta + b.Part[j]
		if lane == none || late != (at >= 1-instant) {
			continue
		}
		if late {
			at = max(0, at-1)
		}
		if at < instant {
			at = 0
		}
		f(lane, at, b.W[j])
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
	r.findAll(k)
	r.orderCounted()
	for _, b := range r.events {
		r.findSums(b.lane)
	}
	for _, a := range r.external {
		if r.flags[a.lane>>6]>>(a.lane&63)&1 != 0 {
			r.found = append(r.found, a)
		}
	}
	if len(r.countedOrder.rows) == 0 {
		for i := range r.events {
			r.findVectors(&r.events[i], k)
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
	if len(r.countedOrder.rows) > 0 {
		r.joinCounted(k)
	}
}

// findVectors appends the arrivals in step k that were added in vectors at a lane with an event to r.found.
func (r *shard) findVectors(b *before, k int64) {
	found := len(r.found)
	if b.seg != nil {
		b.seg.findInstants(r, b.lane, k)
	} else {
		r.findTriples(b.lane, k)
	}
	b.inVectors = len(r.found) - found
}

// findAll appends the edges of all runs onto lanes with events to r.found.
func (r *shard) findAll(k int64) {
	if r.watched(k) {
		r.takeWatched()
		return
	}
	r.foundEdges = r.foundEdges[:0]
	r.filter = asm.EdgeFilter{}
	for _, b := range r.events {
		r.filter.Add(uint16(b.lane))
	}
	for i := 0; i < len(r.runs); {
		n := 0
		for i+n < len(r.runs) && r.tables[r.runs[i+n].Table].style == float32s {
			n++
		}
		if n > 0 {
			r.findTogether(i, n)
			i += n
			continue
		}
		r.find(&r.runs[i])
		i++
	}
	r.findDue(k)
}

// findTogether is find for n runs of edges with weights of their own, from number first of r.runs on.
func (r *shard) findTogether(first, n int) {
	runs, room := r.runs[first:first+n], 0
	for i := range runs {
		room += int(runs[i].Blocks+7) / 8
	}
	from := len(r.foundEdges)
	r.foundEdges = slices.Grow(r.foundEdges, room)
	b := asm.FindEdgesBlock{Runs: runs, Filter: &r.filter, Found: r.foundEdges[from : from+room]}
	kernels.FindEdges(r.net.isa, &b)
	r.foundEdges = r.foundEdges[:from+b.Count]
	for i := from; i < len(r.foundEdges); i++ {
		r.foundEdges[i].Run += int32(first)
	}
	r.takeFound(from)
}

// takeFound appends the edges in r.foundEdges, from number from on, onto lanes with events to r.found.
func (r *shard) takeFound(from int) {
	for _, f := range r.foundEdges[from:] {
		u := &r.runs[f.Run]
		for hits := f.Hits; hits != 0; hits &= hits - 1 {
			e := &blocksOf[block32](u)[int(f.Block)+mathbits.TrailingZeros32(hits)]
			for j, lane := range e.To {
				if r.flags[lane>>6]>>(lane&63)&1 != 0 {
					c := uint8(r.tables[u.Table].receptor)
					r.found = append(r.found, arrival{lane, c, u.Unit.Theta, float64(e.W[j])})
				}
			}
		}
	}
}

// find appends the edges of a run onto lanes with events to r.found.
func (r *shard) find(u *runOf) {
	t := r.tables[u.Table]
	if t.style == spread {
		r.findUnstored(u, t)
		return
	}
	note := func(lane uint16, theta, w float64) {
		if r.flags[lane>>6]>>(lane&63)&1 != 0 {
			r.found = append(r.found, arrival{lane, uint8(t.receptor), theta, w})
		}
	}
	size := uintptr(blockBytes[t.style])
	flags := (*[flagWords]uint64)(r.flags)
	one := *u
	one.Blocks = 1
	for i := range uintptr(u.Blocks) {
		one.First = u.First + i*size
		if anyFlag(flags, one.Targets()) {
			r.each(&one, note)
		}
	}
}

// flagWords is the number of words of flags: one bit for each number of 16 bits.
const flagWords = 1 << 16 / 64

// block is the address of block i; of any style it starts with its targets.
func (t *table) block(i uint32) uintptr { return t.base + uintptr(i)*uintptr(blockBytes[t.style]) }

// targets are those of block i.
func (t *table) targets(i uint32) *[4]uint16 {
	return (&runOf{First: t.block(i), Blocks: 1}).Targets()
}

// anyFlag reports whether the flag of one of four lanes is set.
func anyFlag(flags *[flagWords]uint64, to *[4]uint16) bool {
	bits := flags[to[0]>>6]>>(to[0]&63) | flags[to[1]>>6]>>(to[1]&63) |
		flags[to[2]>>6]>>(to[2]&63) | flags[to[3]>>6]>>(to[3]&63)
	return bits&1 != 0
}
