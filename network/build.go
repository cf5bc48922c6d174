package network

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync/atomic"

	"popsim/kernels"
	"popsim/kernels/asm"
	"popsim/sched"
)

// Config holds the settings of a run on which no result depends.
type Config struct {
	Workers int         // 0 is one for each core
	Ranges  int         // least number of ranges into which the targets are cut; 0 is one for each worker
	ISA     kernels.ISA // instruction set of the kernels
	Memory  int64       // bytes that the network may take; 0 is no limit
}

// Build draws the graph of a network and stores it in memory. The Network keeps s, which must not change while it is in
// use.
func Build(ctx context.Context, s *Spec, c Config) (*Network, error) {
	n, err := newNetwork(s, c)
	if err != nil {
		return nil, err
	}
	f, err := n.forecast(c)
	if err != nil {
		return nil, err
	}
	if c.Memory > 0 && f.Bytes > c.Memory {
		return nil, fmt.Errorf("the network needs about %.3g GB for %.4g synapses; %.3g GB are available",
			float64(f.Bytes)/1e9, float64(f.Edges), float64(c.Memory)/1e9)
	}
	runtime.AddCleanup(n, (*mapped).release, n.pages)
	l := n.layout
	for i := range s.Projections {
		l.draws = append(l.draws, newDrawing(l, i))
	}
	for _, segs := range l.ranges(n.rangeCount(c, f)) {
		n.ranges = append(n.ranges, &shard{
			net: n, segs: segs, number: len(n.ranges), rowSteps: l.stepsTogether(l.lanes(segs)),
		})
	}
	if err := newBuilder(ctx, n).build(); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

// Close returns the memory of the graph to the system; the Network cannot be run afterwards. It must not be called
// while another method runs. The memory of a Network that is not closed is returned when the garbage collector finds it
// unreachable.
func (n *Network) Close() {
	n.ranges = nil
	n.pages.release()
}

// maxReceptors is the largest number of receptors: arrivals hold the number of theirs in 8 bits.
const maxReceptors = 255

// A home is the place of a target neuron: its shard and its lane there.
type home struct{ shard, lane uint16 }

// builder draws the edges of a network and stores each in its table.
//
// The tables of a population whose projections are all drawn by source are written at once: all edges of a source are
// drawn, sorted in cache, and appended. The edges of a population with a projection that is drawn by target are drawn
// twice, to count them and to write them, so that no other copy is held in between: range by range where all are drawn
// by target, so that counts are held for one range of a worker at a time. The edges of all populations are drawn twice
// where memory cannot be reserved. Every row of an index, and every run, is written by one worker at a time, so that
// the order within a run is that of projections and draws, whatever the number of workers.
type builder struct {
	net     *Network
	ctx     context.Context
	index   map[pair]int // number of the table of a pair, the same in all ranges
	stores  [][]*store   // by range and number
	all     []*store     // the same, of all ranges
	filling []filling    // of populations
	timed   bool         // whether some delay is not whole steps

	homes       []home   // by neuron
	populations []uint16 // by neuron
	routes      [][]route
	scratches   []scratch // by worker
}

// A route is where the edges of a projection from one population go.
type route struct {
	tables [][2]int32 // numbers of tables by class of the target and sign of the weight
	class  int        // of all targets; -1: they differ
	signed bool       // whether the sign matters
	only   int32      // number of the table if it is the same for all edges; else -1
}

// scratch is what one worker builds with.
type scratch struct {
	bundle
	tables   []int32  // of each edge of the bundle: its table, by range and number
	runs     []uint32 // its steps of delay above the table's least
	lanes    []uint16
	starts   []int         // of edges onto one target: where they are counted
	offsets  []uint16      // of the packed tables of a range: see store
	lists    [][]local     // by range and number of the table
	short    [][]shortEdge // the same, of tables whose edges are short
	parts    [][]float64   // of edges of the same lists: parts of a step, where there are any
	counts   []uint32      // by delay
	edges    int64
	checksum uint64
}

func newBuilder(ctx context.Context, n *Network) *builder {
	l := n.layout
	b := &builder{net: n, ctx: ctx, index: map[pair]int{}, scratches: make([]scratch, n.workers)}
	for i, key := range n.order {
		b.index[key] = i
		b.timed = b.timed || n.pairs[key].timed
	}
	b.filling = l.fillings()
	for _, d := range l.draws {
		routes := make([]route, len(l.spec.Populations))
		if l.unstored(d.p) {
			b.routes = append(b.routes, routes)
			continue
		}
		for _, from := range d.p.From {
			routes[from.Population] = b.route(d, from.Population)
		}
		b.routes = append(b.routes, routes)
	}
	b.homes = make([]home, l.firsts[len(l.firsts)-1])
	b.populations = make([]uint16, len(b.homes))
	for _, r := range n.ranges {
		for _, s := range r.segs {
			for i := range s.n {
				b.homes[s.first+i] = home{uint16(r.number), uint16(s.base + i)}
				b.populations[s.first+i] = uint16(s.population)
			}
		}
	}
	return b
}

func (b *builder) route(d *drawing, population int) route {
	l := b.net.layout
	r := route{tables: slices.Repeat([][2]int32{{-1, -1}}, len(l.classes)), class: -2, only: -1}
	for _, to := range d.p.To {
		c := l.classOf[to.Population]
		if r.class == -2 {
			r.class = c
		} else if r.class != c {
			r.class = -1
		}
		signs := l.signs(d.p)
		for _, negative := range signs {
			t := int32(b.index[pair{population, l.receptor(d.p.Synapse, to.Population, negative)}])
			if len(signs) == 1 {
				r.tables[c] = [2]int32{t, t}
			} else if negative {
				r.tables[c][1] = t
			} else {
				r.tables[c][0] = t
			}
		}
		r.signed = r.signed || r.tables[c][0] != r.tables[c][1]
	}
	if r.class >= 0 && !r.signed {
		r.only = r.tables[r.class][0]
	}
	return r
}

// parallel calls f for the numbers below n, each once, by several workers at once, until one call fails.
func (b *builder) parallel(n int, f func(sc *scratch, i int) error) error {
	if n == 0 {
		return nil
	}
	_, err := sched.Run(b.ctx, sched.Plan{
		Workers: b.net.workers, Shards: n,
		Advance: func(worker, i, _ int) error {
			if err := b.ctx.Err(); err != nil {
				return err
			}
			return f(&b.scratches[worker], i)
		},
		Merge: func(int) (bool, error) { return false, nil },
	})
	return err
}

// build draws and stores all edges, and completes the ranges.
func (b *builder) build() error {
	n := b.net
	for _, step := range []func() error{
		b.countTotals, b.prepare, b.countEdges, b.placeEdges, b.fillRanges, b.appendEdges, b.noteUnstored, b.finish,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	for i := range b.scratches {
		n.edges += b.scratches[i].edges
		n.checksum += b.scratches[i].checksum
	}
	for _, r := range n.ranges {
		r.makeUnstored()
		r.chooseFallUnit()
		for _, t := range r.tables {
			n.bytes += t.bytes()
		}
		r.startPacked()
		r.startSchedule()
		r.findListed()
		if err := r.completeSums(); err != nil {
			return err
		}
	}
	return nil
}

// countTotals draws the number of edges of each source of all projections with a Total.
func (b *builder) countTotals() error {
	type part struct {
		d          *drawing
		first, end int64
		counts     []uint32
		capacities []uint32
	}
	const step = 1 << 22 // edges; a multiple of what countPart draws at a time
	var parts []part
	for _, d := range b.net.layout.draws {
		r, ok := d.p.Rule.(Total)
		if !ok {
			continue
		}
		if c := d.capacities(); !d.plain(c) {
			parts = append(parts, part{d: d, end: r.N, capacities: c})
			continue
		}
		for first := int64(0); first < r.N; first += step {
			parts = append(parts, part{d: d, first: first, end: min(first+step, r.N)})
		}
		d.perSource = make([]uint32, d.from.n)
	}
	err := b.parallel(len(parts), func(_ *scratch, i int) error {
		p := &parts[i]
		if p.capacities != nil {
			p.counts = p.d.countSingly(p.end, p.capacities)
			return nil
		}
		p.counts = make([]uint32, p.d.from.n)
		p.d.countPart(p.counts, p.first, p.end)
		return nil
	})
	for _, p := range parts {
		if p.d.perSource == nil {
			p.d.perSource = p.counts
			continue
		}
		for i, c := range p.counts {
			p.d.perSource[i] += c
		}
	}
	return err
}

// prepare makes the columns of the ranges, and their tables without edges.
func (b *builder) prepare() error {
	n := b.net
	l := n.layout
	b.stores, b.all = make([][]*store, len(n.ranges)), make([]*store, len(n.ranges)*len(n.order))
	each := n.packedIndex()
	indices := allocate[uint32](n.pages, each*len(n.ranges)) // in one piece: huge pages
	return b.parallel(len(n.ranges), func(_ *scratch, i int) error {
		r, index := n.ranges[i], indices[each*i:][:each]
		if err := r.layOut(); err != nil {
			return err
		}
		if err := r.prepareInputs(); err != nil {
			return err
		}
		r.tablesOf = make([][]int, len(l.spec.Populations))
		for j, key := range n.order {
			t := n.pairs[key]
			p := &l.spec.Populations[key.population]
			tb := &table{
				receptor: key.receptor, population: key.population, style: t.style(), first: l.firsts[key.population],
				least: t.least, delays: t.most - t.least + 1, gated: l.receptors[key.receptor].kind == NMDA,
				falls: l.main[key.receptor] != key.receptor, batch: t.batch, density: t.density, weight: t.one,
			}
			if t.packed {
				tb.laneBits = uint(max(1, bits.Len(uint(r.lanes)))) // a range of sources has no lanes
			}
			if size := p.N * (tb.runs() + 1); t.packed {
				tb.start, index = index[:size:size], index[size:]
			} else {
				tb.start = allocate[uint32](n.pages, size)
			}
			if tb.style == bitRows {
				tb.bitWords = bitWords(r.lanes)
				tb.bits = allocate[uint64](n.pages, p.N*tb.bitWords+bitBlockWords)
			}
			if tb.style == countRows {
				tb.countLanes = r.lanes
				tb.counts = allocate[uint8](n.pages, p.N*r.lanes+asm.CountedAhead)
			}
			r.tablesOf[key.population] = append(r.tablesOf[key.population], j)
			r.tables = append(r.tables, tb)
			b.stores[i] = append(b.stores[i], &store{
				table: tb, alike: t.alike, next: new(atomic.Int64), short: tb.style == float32s && tb.delays <= shortDelays,
			})
		}
		copy(b.all[i*len(b.index):], b.stores[i])
		for _, d := range l.draws {
			b.expect(d, r)
		}
		appended, packed := b.ofRange(i, once)
		for _, s := range appended {
			s.make(n.pages, min(maxBlocks, int(s.blockBound())))
		}
		blocks := 0.0
		for _, s := range packed {
			blocks += s.blockBound()
		}
		b.makePacked(packed, min(maxBlocks, int(blocks)))
		return nil
	})
}

// ofRange lists the tables of a range whose populations have a filling: those that are not packed, and those that are.
func (b *builder) ofRange(number int, f filling) (others, packed []*store) {
	for _, s := range b.stores[number] {
		switch {
		case b.filling[s.population] != f:
		case s.laneBits > 0:
			packed = append(packed, s)
		default:
			others = append(others, s)
		}
	}
	return others, packed
}

// expect adds the edges of a projection onto a range to the bounds of its tables.
func (b *builder) expect(d *drawing, r *shard) {
	targets := 0.0
	for i := range r.segs {
		for j := range d.to.parts {
			lo, hi := d.to.parts[j].within(&r.segs[i])
			targets += float64(max(0, hi-lo))
		}
	}
	for _, from := range d.p.From {
		if b.filling[from.Population] != once {
			continue
		}
		seen := map[int32]bool{}
		for _, tables := range b.routes[d.number][from.Population].tables {
			for _, t := range tables {
				if t < 0 || seen[t] {
					continue
				}
				s, sources := b.stores[r.number][t], float64(from.N)
				if s.alike {
					sources = 1
				}
				s.edges += d.atMost(sources, targets)
				seen[t] = true
			}
		}
	}
}

// atMost bounds the number of edges from some sources onto some of the targets.
func (d *drawing) atMost(sources, targets float64) float64 {
	from, to := float64(d.from.n), float64(d.to.n)
	share := targets / max(1, to-1) // of one without its autapse
	switch r := d.p.Rule.(type) {
	case Probability:
		return min(sources*targets, sure(float64(sources*targets*r.P)))
	case OutDegree:
		return min(sources*float64(r.K), sure(float64(sources*float64(r.K)*share)))
	case Total:
		return min(float64(r.N), sure(float64(float64(r.N)*share*sources/max(1, from-1))))
	case Edges:
		return float64(len(r.Pre))
	case OneToOne:
		return min(sources, targets)
	}
	return sources * targets
}

// blockBound bounds the number of blocks: each run fills its last block in part, and has places without edges where it
// is packed.
func (s *store) blockBound() float64 {
	runs, unused := min(s.edges, float64(len(s.start))), 3
	if s.laneBits > 0 {
		unused += s.delays / s.mostLater()
	}
	return math.Ceil((s.edges+float64(float64(unused)*runs))/4) + 1
}

// finish returns unused memory, and completes tables whose edges are stored once for all sources.
func (b *builder) finish() error {
	return b.parallel(len(b.stores), func(_ *scratch, i int) error {
		appended, packed := b.ofRange(i, once)
		b.trimPacked(packed)
		for _, s := range appended {
			s.trim(b.net.pages, int(s.next.Load()))
		}
		for _, s := range b.stores[i] {
			if s.alike {
				s.repeat()
			}
			if s.laneBits == 0 {
				s.complete()
			}
		}
		return nil
	})
}
