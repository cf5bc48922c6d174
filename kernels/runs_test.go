package kernels

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"popsim/kernels/asm"
)

// randomRuns is runs of up to 40 blocks of edges onto so many targets, every third with weights below 0.
func randomRuns(n, targets int) (runs []asm.EdgeRun, kept [][]asm.Edges, blocks int) {
	draw := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		u := asm.EdgeRun{Blocks: int32(draw.IntN(41)), Falls: i%3 == 0, Unit: new(asm.UnitEdge)}
		u.Unit.Add = [3]float64{draw.Float64(), draw.Float64(), 1}
		edges := make([]asm.Edges, u.Blocks+1)
		for j := range edges {
			for k := range 4 {
				edges[j].To[k], edges[j].W[k] = uint16(draw.IntN(targets)), draw.Float32()
				if u.Falls {
					edges[j].W[k] = -edges[j].W[k]
				}
			}
		}
		u.First = uintptr(unsafe.Pointer(&edges[0]))
		kept = append(kept, edges)
		runs, blocks = append(runs, u), blocks+int(u.Blocks+7)/8
	}
	return runs, kept, blocks
}

// TestRunsHaveTheBitsOfPlainGo: the kernels over runs of edges give the bits of their twins, and the filter misses no
// target it was given.
func TestRunsHaveTheBitsOfPlainGo(t *testing.T) {
	const targets, units = 3000, 70000
	runs, kept, blocks := randomRuns(200, targets)
	defer runtime.KeepAlive(kept)
	var filter asm.EdgeFilter
	marked := map[uint16]bool{}
	for i := range 20 {
		to := uint16(i * 137)
		marked[to] = true
		filter.Add(to)
	}
	sums := func(isa ISA) (rows [2][]float64, falls []uint32, found []asm.FoundEdges) {
		for i, width := range []int{1, 2} {
			rows[i] = slices.Repeat([]float64{asm.EmptyRow}, width*targets)
		}
		AddOnes(isa, &asm.EdgeRunsBlock{Runs: runs, Row: rows[0]})
		falls = make([]uint32, targets)
		AddPairs(isa, &asm.EdgeRunsBlock{Runs: runs, Row: rows[1], Fall: falls, Units: units})
		AddPairs(isa, &asm.EdgeRunsBlock{Row: rows[1]})
		b := asm.FindEdgesBlock{Runs: runs, Filter: &filter, Found: make([]asm.FoundEdges, blocks)}
		FindEdges(isa, &b)
		return rows, falls, b.Found[:b.Count]
	}
	want, falls, found := sums(Go)
	boundsFalls(t, runs, falls, units)
	missed := 0
	for i, u := range runs {
		for j := range int(u.Blocks) {
			e := &u.Edges()[j]
			hit := slices.ContainsFunc(found, func(f asm.FoundEdges) bool {
				return int(f.Run) == i && j >= int(f.Block) && j < int(f.Block)+8 && f.Hits>>(j-int(f.Block))&1 != 0
			})
			if slices.ContainsFunc(e.To[:], func(to uint16) bool { return marked[to] }) && !hit {
				missed++
			}
		}
	}
	if missed > 0 {
		t.Errorf("%d blocks with targets of the filter are not found", missed)
	}
	for _, isa := range Available() {
		rows, fallen, other := sums(isa)
		if !slices.Equal(fallen, falls) {
			t.Errorf("%v: other bounds of what falls", isa)
		}
		for i := range rows {
			if !slices.Equal(rows[i], want[i]) {
				t.Errorf("%v: other sums in row %d", isa, i)
			}
		}
		if !slices.Equal(other, found) {
			t.Errorf("%v: %d finds, plain Go %d", isa, len(other), len(found))
		}
	}
}

// boundsFalls: the bounds of what falls are bounds, some of them none, and not all.
func boundsFalls(t *testing.T, runs []asm.EdgeRun, falls []uint32, units float64) {
	sums, none := make([]float64, len(falls)), 0
	for i := range runs {
		for _, e := range runs[i].Edges() {
			for j, to := range e.To {
				if runs[i].Falls {
					sums[to] -= float64(e.W[j]) * runs[i].Unit.Add[0]
				}
			}
		}
	}
	for to, n := range falls {
		if n >= asm.MostFall {
			none++
		} else if sums[to] > float64(n)/units {
			t.Errorf("target %d: %v falls, with a bound of %d", to, sums[to], n)
		}
	}
	if none == 0 || none > len(falls)/2 {
		t.Errorf("%d of %d targets have no bound", none, len(falls))
	}
}

// TestMarkedBlocks: blocks with a target whose first accumulator is NaN are listed, and no others, with the same sums.
func TestMarkedBlocks(t *testing.T) {
	const targets, units = 3000, 70000
	runs, kept, _ := randomRuns(200, targets)
	defer runtime.KeepAlive(kept)
	marked := func(to uint16) bool { return to%137 == 5 }
	blocks := 0
	var want []asm.MarkedEdges
	for i := range runs {
		edges := runs[i].Edges()
		blocks += len(edges)
		for j := range edges {
			if slices.ContainsFunc(edges[j].To[:], marked) {
				want = append(want, asm.MarkedEdges{Run: i, Address: uintptr(unsafe.Pointer(&edges[j]))})
			}
		}
	}
	begin := func() (row []float64, falls []uint32) {
		row, falls = slices.Repeat([]float64{asm.EmptyRow}, 2*targets), make([]uint32, targets)
		for to := range targets {
			if marked(uint16(to)) {
				row[2*to], row[2*to+1] = math.NaN(), math.NaN()
			}
		}
		return row, falls
	}
	sums, bounds := begin()
	AddPairs(Go, &asm.EdgeRunsBlock{Runs: runs, Row: sums, Fall: bounds, Units: units})
	for _, isa := range append(Available(), Go) {
		row, falls := begin()
		b := asm.EdgeRunsBlock{Runs: runs, Row: row, Fall: falls, Units: units, Marked: make([]asm.MarkedEdges, blocks)}
		AddPairsMarked(isa, &b)
		if !slices.Equal(b.Marked[:b.Count], want) {
			t.Errorf("%v: %d blocks are listed, want %d", isa, b.Count, len(want))
		}
		same := slices.EqualFunc(row, sums, func(x, y float64) bool { return x == y || x != x && y != y })
		if !same || !slices.Equal(falls, bounds) {
			t.Errorf("%v: other sums, or bounds of what falls", isa)
		}
	}
	if len(want) < 100 {
		t.Errorf("%d blocks have marked targets", len(want))
	}
}
