package network

import (
	"math"
	"slices"
	"unsafe"

	"popsim/kernels"
	"popsim/kernels/asm"
)

// Where all edges from a population onto a receptor have one weight and delay, and spikes are on the grid, the spikes
// that arrive in a step by lists of edges are counted lane by lane, in a byte each, which stay in the first-level
// cache, and the count times the weight is added to the lane. That takes less than adding the weight edge by edge where
// many spikes arrive. Whether a count has exceeded a byte is tested; then those of the batch are counted anew without a
// bound. As in rows of bits, a sum is a sum of such products, of batches of spikes in their order.

const (
	countedArrivals = 0.5 // mean arrivals at a lane in a step from which on they are counted
	batchArrivals   = 32  // most mean arrivals at a lane by a batch: a number of this mean hardly ever exceeds 255
	mostBatch       = 255 // spikes
)

// chooseBatches finds the pairs whose arrivals are counted. It depends on the whole network only, not on ranges. Lists
// that are given, and sources that may fire often in a step, may have many edges of a pair.
func (n *Network) chooseBatches() {
	l := n.layout
	if !l.spec.OnGrid {
		return
	}
	edges, most, given := map[pair]float64{}, map[pair]float64{}, map[pair]bool{}
	for i := range l.spec.Projections {
		p := &l.spec.Projections[i]
		_, listed := p.Rule.(Edges)
		for key, x := range l.expected(i) {
			edges[key] += x
			most[key] += l.mostOfPair(p)
			given[key] = given[key] || listed
		}
	}
	for key, t := range n.pairs {
		rc := &l.receptors[key.receptor]
		if t.style() != shared || t.least != t.most || given[key] || rc.kind == NMDA || l.classOf[key.population] < 0 {
			continue
		}
		if most[key] > 0 && most[key] <= 1 {
			t.batch = min(mostBatch, int(batchArrivals/most[key]))
			t.density = edges[key] / float64(l.neurons(rc.class))
		}
	}
}

// gatherList records a spike whose edges arrive and are counted. Those of one table are one run, as in gather.
func (r *shard) gatherList(t *table, e *tableSpike) {
	if len(t.gathered) == 0 {
		r.runs = append(r.runs, runOf{Table: e.table, Unit: &onePerEdge})
	}
	t.gathered = append(t.gathered, e.source)
}

// listOf is the edges of a source of a table with one delay.
func (t *table) listOf(source int32) []block16 {
	return t.b16[t.start[2*source]:t.start[2*source+1]]
}

// addLists adds the edges of all sources that were gathered to a row.
func (r *shard) addLists(t *table, row []float64) {
	weight := t.weight
	if float64(float64(len(t.gathered))*t.density) < countedArrivals {
		for i, s := range t.gathered {
			t.prefetchList(i)
			addShared(r.net.isa, row, t.listOf(s), 1, [3]float64{weight})
		}
		t.gathered = t.gathered[:0]
		return
	}
	for batch := range slices.Chunk(t.gathered, t.batch) {
		r.lists = r.lists[:0]
		places := 0
		for _, s := range batch {
			list := t.listOf(s)
			r.lists = append(r.lists, asm.TargetList{First: (*[4]uint16)(unsafe.SliceData(list)), Blocks: len(list)})
			places += len(block16{}) * len(list)
		}
		kernels.CountTargets(r.net.isa, &asm.TargetsBlock{Counts: r.arrived, Lists: r.lists})
		if r.wrapped(places) {
			r.addRecounted(row, weight)
		} else {
			kernels.AddCounts(r.net.isa, row[:r.lanes], r.arrived[:r.lanes], weight)
		}
		clear(r.arrived[:r.lanes+1])
	}
	t.gathered = t.gathered[:0]
}

// wrapped reports whether the count of a lane has exceeded 255 in r.lists, which have a number of places for edges: the
// sum of all counts is then smaller. Places without an edge are counted behind the last lane, where more are allowed.
func (r *shard) wrapped(places int) bool {
	sum := asm.CountSumBlock{Counts: r.arrived[:(r.lanes/counterLine+1)*counterLine]}
	kernels.SumCounts(r.net.isa, &sum)
	if sum.Sum == places {
		return false
	}
	unused := 0
	for _, list := range r.lists {
		if list.Blocks > 0 {
			for _, lane := range unsafe.Slice(list.First, list.Blocks)[list.Blocks-1] {
				if int(lane) == r.lanes {
					unused++
				}
			}
		}
	}
	return sum.Sum+unused-unused%(math.MaxUint8+1) != places
}

// addRecounted adds the edges of r.lists to a row by counts that have no bound. What is added has the same bits.
func (r *shard) addRecounted(row []float64, weight float64) {
	counts := make([]int, r.lanes+1)
	for _, list := range r.lists {
		for _, b := range unsafe.Slice(list.First, list.Blocks) {
			for _, lane := range b {
				counts[lane]++
			}
		}
	}
	for lane, n := range counts[:r.lanes] {
		row[lane] += float64(float64(n) * weight)
	}
}

// counterLine is what the number of bytes whose sum is taken is a multiple of.
const counterLine = 64

// makeCounters makes the counters of lists if enough spikes of a population can arrive in a step.
func (r *shard) makeCounters() {
	for key, t := range r.net.pairs {
		most := float64(r.net.layout.spec.Populations[key.population].N) * t.density
		if t.batch > 0 && most >= countedArrivals && r.arrived == nil {
			r.arrived, r.lists = new([1 << 16]uint8), make([]asm.TargetList, 0, mostBatch)
		}
	}
}

// listsAhead is how many lists in advance the first bytes of a list are prefetched; its place in the index is, twice as
// many.
const listsAhead = 2

// prefetchList loads the list that follows list i of those gathered into the cache.
func (t *table) prefetchList(i int) {
	if i+2*listsAhead < len(t.gathered) {
		kernels.PrefetchRange(uintptr(unsafe.Pointer(&t.start[2*t.gathered[i+2*listsAhead]])), 1)
	}
	if i+listsAhead < len(t.gathered) {
		if next := t.listOf(t.gathered[i+listsAhead]); len(next) > 0 {
			kernels.PrefetchRange(uintptr(unsafe.Pointer(&next[0])), min(prefetched, blockBytes[shared]*len(next)))
		}
	}
}
