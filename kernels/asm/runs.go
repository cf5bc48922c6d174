package asm

import "unsafe"

// Edges are four edges of one spike: their targets, and their weights.
type Edges struct {
	To [4]uint16
	W  [4]float32
}

// UnitEdge is what an edge of weight 1 adds to the accumulators of its target, and when it arrives.
type UnitEdge struct {
	Add   [3]float64
	Theta float64 // part of the step
}

// EdgeRun is the edges of one spike that arrive in one step.
type EdgeRun struct {
	First  uintptr // address of its first block, in memory that others keep
	Unit   *UnitEdge
	Blocks int32
	Source int32 // for the caller, like Table and Late
	Table  int32
	Falls  bool // whether the weights are below 0 and are bounded in EdgeRunsBlock.Fall too
	Late   bool
}

// Edges are its blocks, which hold weights.
func (u *EdgeRun) Edges() []Edges {
	return unsafe.Slice(*(**Edges)(unsafe.Pointer(&u.First)), max(0, u.Blocks))
}

// Targets are those of its first block, which begins with them also where weights are not stored beside them.
func (u *EdgeRun) Targets() *[4]uint16 { return *(**[4]uint16)(unsafe.Pointer(&u.First)) }

// EdgeRunsBlock is the argument of the kernels that add up edges. Each run is prefetched
// RunsAhead runs in advance.
type EdgeRunsBlock struct {
	Runs  []EdgeRun
	Row   []float64 // one accumulator a target, or two
	Fall  []uint32  // one a target: bound of the size of what edges with Falls add to the first of Row, in units
	Units float64   // 1 / unit

	// Of AddPairsMarked: blocks with a target whose first accumulator is NaN, in the order of the runs; room for all
	// blocks. Others may be listed where accumulators are infinite. Count of them are listed; it begins at 0.
	Marked []MarkedEdges
	Count  int
}

// MarkedEdges is a block of edges: the number of its run, and its address.
type MarkedEdges struct {
	Run     int
	Address uintptr
}

// Edges is the block.
func (m *MarkedEdges) Edges() *Edges { return *(**Edges)(unsafe.Pointer(&m.Address)) }

// RunsAhead is how many runs in advance a run is prefetched, and PrefetchedBytes how much of it: the processor
// prefetches the rest of a long run by itself.
const (
	RunsAhead       = 6
	PrefetchedBytes = 2048
)

// AddOnesGo adds the weight of each edge, times Add[0], to the accumulator of its target.
func AddOnesGo(b *EdgeRunsBlock) {
	row := unsafe.Pointer(unsafe.SliceData(b.Row))
	for i := range b.Runs {
		u := &b.Runs[i]
		c := u.Unit.Add[0]
		for _, e := range u.Edges() {
			*target(row, int(e.To[0])) += float64(float64(e.W[0]) * c)
			*target(row, int(e.To[1])) += float64(float64(e.W[1]) * c)
			*target(row, int(e.To[2])) += float64(float64(e.W[2]) * c)
			*target(row, int(e.To[3])) += float64(float64(e.W[3]) * c)
		}
	}
}

// AddPairsGo adds the weight of each edge, times Add[0] and Add[1], to the two accumulators of its target.
func AddPairsGo(b *EdgeRunsBlock) {
	row, fall := unsafe.Pointer(unsafe.SliceData(b.Row)), unsafe.Pointer(unsafe.SliceData(b.Fall))
	for i := range b.Runs {
		u := &b.Runs[i]
		first, second := u.Unit.Add[0], u.Unit.Add[1]
		units := -float32(float64(first * b.Units))
		for _, e := range u.Edges() {
			for j, to := range e.To {
				w := float64(e.W[j])
				*target(row, 2*int(to)) += float64(w * first)
				*target(row, 2*int(to)+1) += float64(w * second)
				if u.Falls {
					AddFall((*uint32)(unsafe.Add(fall, 4*int(to))), float32(e.W[j]*units))
				}
			}
		}
	}
}

// AddPairsMarkedGo is AddPairsGo, and lists blocks with marked targets.
func AddPairsMarkedGo(b *EdgeRunsBlock) {
	one := EdgeRunsBlock{Row: b.Row, Fall: b.Fall, Units: b.Units}
	row := unsafe.Pointer(unsafe.SliceData(b.Row))
	for i := range b.Runs {
		u := b.Runs[i]
		for range u.Blocks {
			block := u
			block.Blocks = 1
			one.Runs = append(one.Runs[:0], block)
			AddPairsGo(&one)
			for _, to := range u.Edges()[0].To {
				if x := *target(row, 2*int(to)); x != x {
					b.Marked[b.Count] = MarkedEdges{i, u.First}
					b.Count++
					break
				}
			}
			u.First += unsafe.Sizeof(Edges{})
		}
	}
}

// MostFall is the least value of a bound that is none. It is also the most that one edge adds, so that no sum of a step
// overflows.
const MostFall = 1 << 16

// AddFall adds so many units, rounded up, to a bound.
func AddFall(bound *uint32, units float32) {
	more := units + 1 // and without what follows the point
	if !(more > -1 && more < MostFall) {
		more = MostFall
	}
	*bound += uint32(more)
}

// target is accumulator i of a row.
func target(row unsafe.Pointer, i int) *float64 { return (*float64)(unsafe.Add(row, 8*i)) }

// EdgeFilter holds a set of targets in two tables of bits. A target that both have may be in the set; the others are
// not.
type EdgeFilter [2][64]uint16

// FilterFactor takes a target to its place in the second table.
const FilterFactor = 0x9E35

// Add adds a target.
func (f *EdgeFilter) Add(to uint16) {
	hashed := to * FilterFactor
	f[0][to&63] |= 1 << (to >> 6 & 15)
	f[1][hashed>>10] |= 1 << (hashed >> 6 & 15)
}

// has reports whether the filter has a target.
func (f *EdgeFilter) has(to uint16) bool {
	hashed := to * FilterFactor
	return f[0][to&63]>>(to>>6&15)&1 != 0 && f[1][hashed>>10]>>(hashed>>6&15)&1 != 0
}

// FoundEdges are blocks of a run with targets that a filter has.
type FoundEdges struct {
	Run, Block int32
	Hits       uint32 // bit i stands for block Block + i of the run
}

// FindEdgesBlock is the argument of FindEdges: Found gets what it finds, in the order of the runs.
type FindEdgesBlock struct {
	Runs   []EdgeRun
	Filter *EdgeFilter
	Found  []FoundEdges // room for one for every eight blocks, the last of a run in part
	Count  int          // out
}

// FindEdgesGo finds blocks with targets that the filter has.
func FindEdgesGo(b *FindEdgesBlock) {
	b.Count = 0
	for i := range b.Runs {
		u := &b.Runs[i]
		edges := u.Edges()
		for at := 0; at < len(edges); at += 8 {
			hits := uint32(0)
			for j, e := range edges[at:min(at+8, len(edges))] {
				if b.Filter.has(e.To[0]) || b.Filter.has(e.To[1]) || b.Filter.has(e.To[2]) || b.Filter.has(e.To[3]) {
					hits |= 1 << j
				}
			}
			if hits != 0 {
				b.Found[b.Count] = FoundEdges{int32(i), int32(at), hits}
				b.Count++
			}
		}
	}
}
