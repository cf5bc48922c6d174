package kernels

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"popsim/model"
)

// TestSameBits and FuzzSameBits run every method in assembly and in plain Go, from the same states with the same
// parameters and input, and compare all columns and events bit for bit; any NaN counts as any other. Padding is not
// compared. POPSIM_LONG=1 makes it 10 million neuron-steps for each kernel; an instruction set named in
// POPSIM_REQUIRE_ISA (avx2,avx512) must be there. Where AVX-512 is not, its assembly is interpreted, a tenth as long.

// An equalRow says what the neurons of a model may be given.
type equalRow struct {
	model   *model.Model
	states  [][2]float64
	current [2]float64
	params  map[string][2]float64 // where not the default ± 20 %
	notable []float64             // potentials at which something happens, tried together with their neighbours
}

var equalRows = []equalRow{
	{
		model.LIFModel,
		[][2]float64{{-20, 25}},
		[2]float64{-10, 60},
		map[string][2]float64{"V_rest": {-5, 5}, "V_reset": {-10, 10}, "t_ref": {0, 3}},
		[]float64{20},
	},
	{
		model.EIFModel,
		[][2]float64{{-80, -35}},
		[2]float64{-10, 60},
		map[string][2]float64{"V_th": {-40, -20}, "V_T": {-62, -55}, "V_rest": {-67, -63}, "V_reset": {-75, -62}, "t_ref": {0, 3}},
		[]float64{-30, -59.9},
	},
	{
		model.AdExModel,
		[][2]float64{{-80, -35}, {-20, 60}},
		[2]float64{-10, 90},
		map[string][2]float64{"V_th": {-40, -20}, "V_T": {-62, -55}, "V_rest": {-67, -63}, "V_reset": {-75, -62}, "t_ref": {0, 3}},
		[]float64{-30, -59.9},
	},
	{
		model.HHModel,
		[][2]float64{{-90, 50}, {0, 1}, {0, 1}, {0, 1}},
		[2]float64{-5, 40},
		map[string][2]float64{"V_th": {-20, 20}},
		[]float64{0, -40, -55, -200, 120},
	},
	{
		model.RHHModel,
		[][2]float64{{-90, 50}, {0, 0.8}},
		[2]float64{-5, 40},
		map[string][2]float64{"V_th": {-20, 20}},
		[]float64{0, -40, -55, -200, 120},
	},
}

func TestSameBits(t *testing.T) {
	required := strings.Split(os.Getenv("POPSIM_REQUIRE_ISA"), ",")
	for _, row := range equalRows {
		for _, method := range row.model.Methods {
			for _, isa := range []ISA{AVX2, AVX512} {
				t.Run("model="+row.model.Name+"/method="+method.Name+"/isa="+isa.String(), func(t *testing.T) {
					if !slices.Contains(Available(), isa) {
						if slices.Contains(required, isa.String()) {
							t.Fatalf("%s is required and not here", isa)
						}
						if isa != AVX512 || !assembled {
							t.Skipf("%s is not here", isa)
						}
					}
					k := kernelOn(t, row.model, method, isa)
					if k.ISA == Go {
						t.Skip("plain Go only")
					}
					goal, enough := 1, math.MaxInt
					if os.Getenv("POPSIM_LONG") != "" {
						goal = 1e7
					}
					if !slices.Contains(Available(), isa) {
						if goal, enough = goal/10, max(goal/10, interpretedSteps); testing.Short() {
							enough /= 5
						}
					}
					for done := 0; done <= goal; {
						rapid.Check(t, func(rt *rapid.T) {
							if done < enough {
								done += row.compare(rt, k)
							}
						})
					}
				})
			}
		}
	}
}

func FuzzSameBits(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(rt *rapid.T) {
		row := rapid.SampledFrom(equalRows).Draw(rt, "row")
		method := rapid.SampledFrom(row.model.Methods).Draw(rt, "method")
		row.compare(rt, kernelOn(f, row.model, method, rapid.SampledFrom(Available()).Draw(rt, "isa")))
	}))
}

const interpretedSteps = 50_000 // neuron-steps of one kernel that are interpreted, a fifth in short tests

// kernelOn is the kernel of a method on an instruction set, interpreted if the processor does not have it.
func kernelOn(t testing.TB, m *model.Model, method model.Method, isa ISA) *Kernel {
	run := isa
	if !slices.Contains(Available(), isa) {
		run = Go
	}
	k, err := For(m, method, run)
	if err != nil {
		t.Fatal(err)
	}
	if run == isa {
		return k
	}
	if lean, full, ok := assembly(m.Name, method.Name, isa); ok {
		k.ISA, k.lean, k.full = isa, interpreted(t, lean), interpreted(t, full)
	}
	if k.pieces != nil {
		if lean, _, ok := assembly(m.Name, "pieces", k.ISA); ok {
			k.pieces = interpreted(t, lean)
		}
	}
	return k
}

// compare runs one population with k and in plain Go, and returns how many neuron-steps it compared.
func (row equalRow) compare(rt *rapid.T, k *Kernel) int {
	method := k.Method
	n := Group*rapid.IntRange(0, 8).Draw(rt, "whole groups") + rapid.IntRange(1, Group).Draw(rt, "rest")
	dt := method.Dt * rapid.SampledFrom([]float64{1, 1, 1, 0.3, 2.5, 100}).Draw(rt, "dt")
	odd := rapid.SampledFrom([]float64{0, 0, 0.01, 0.3}).Draw(rt, "odd values")
	varies := rapid.SampledFrom([]float64{0, 0.2, 1}).Draw(rt, "varying parameters")
	wave, rows, extrema := rapid.Bool().Draw(rt, "wave"), rapid.Bool().Draw(rt, "row"), rapid.Bool().Draw(rt, "extrema")
	first := rapid.SampledFrom([]int64{0, 12345, 1 << 40}).Draw(rt, "first step")
	calls := rapid.SliceOfN(rapid.IntRange(1, 80), 1, 6).Draw(rt, "calls")
	rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))

	within := func(r [2]float64) float64 {
		if rnd.Float64() < odd {
			return row.oddValue(rnd)
		}
		return r[0] + rnd.Float64()*(r[1]-r[0])
	}
	values := func(r [2]float64) Values {
		v := make(Values, 1)
		if rnd.Float64() < varies {
			v = make(Values, n)
		}
		for i := range v {
			v[i] = r[0] + rnd.Float64()*(r[1]-r[0])
		}
		return v
	}
	set := Setting{I: values(row.current), Gain: values([2]float64{-2, 2})}
	for _, q := range row.model.Params {
		r, ok := row.params[q.Name]
		if !ok {
			r = [2]float64{0.8 * q.Default, 1.2 * q.Default}
		}
		set.P = append(set.P, values(r))
	}
	var shards [2]*Shard
	var intact [2]func() bool
	twin, err := For(row.model, method, Go)
	if err != nil {
		rt.Fatal(err)
	}
	for i, k := range []*Kernel{twin, k} {
		shards[i] = k.NewShard(0, n, dt, set)
		if extrema {
			shards[i].ResetExtrema(0)
		}
		intact[i] = shards[i].fence()
	}
	y := make([]float64, len(row.states))
	for i := range n {
		for j := range y {
			y[j] = within(row.states[j])
		}
		for _, s := range shards {
			s.Enter(i, first, y)
		}
	}
	var events [2][]Event
	workers := [2]*Worker{NewWorker(), NewWorker()}
	done := 0
	for _, steps := range calls {
		drive := Drive{Stride: (n + Group - 1) / Group * Group}
		if wave {
			drive.Wave = make([]float64, steps)
			for i := range drive.Wave {
				drive.Wave[i] = within([2]float64{-5, 5})
			}
		}
		if rows {
			drive.Row = make([]float64, steps*drive.Stride)
			for i := range drive.Row {
				drive.Row[i] = within([2]float64{-5, 5})
			}
		}
		for i, s := range shards {
			events[i] = s.Advance(workers[i], first+int64(done), steps, drive, extrema, events[i][:0])
			slices.SortStableFunc(events[i], func(x, y Event) int { return int(x.Lane - y.Lane) })
			if !intact[i]() {
				rt.Fatalf("n=%d steps=%d..%d: %v wrote outside of its columns", n, done, done+steps, s.kernel.ISA)
			}
		}
		wants := shards[0].columns()
		for j, got := range shards[1].columns() {
			for i, x := range (*got)[:min(n, len(*got))] {
				if want := (*wants[j])[i]; !same(x, want) {
					rt.Fatalf("n=%d steps=%d..%d lane=%d: column %d=%v, want %v", n, done, done+steps, i, j, x, want)
				}
			}
		}
		for i := range max(len(events[0]), len(events[1])) {
			var e [2]Event
			for j := range e {
				e[j] = Event{-1, -1, -1} // there is none
				if i < len(events[j]) {
					e[j] = events[j][i]
				}
			}
			if e[0].Lane != e[1].Lane || e[0].Step != e[1].Step || !same(e[0].Theta, e[1].Theta) {
				rt.Fatalf("n=%d steps=%d..%d: event %d is %v, want %v", n, done, done+steps, i, e[1], e[0])
			}
		}
		done += steps
	}
	return n * done
}

// oddValue is a number that kernels may stumble over.
func (row equalRow) oddValue(rnd *rand.Rand) float64 {
	odd := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 5e-324, -1e-310, 1e300, -1e300}
	if rnd.IntN(2) == 0 {
		return odd[rnd.IntN(len(odd))]
	}
	x := row.notable[rnd.IntN(len(row.notable))]
	return []float64{x, math.Nextafter(x, -1000), math.Nextafter(x, 1000)}[rnd.IntN(3)]
}

func same(x, y float64) bool {
	return math.Float64bits(x) == math.Float64bits(y) || math.IsNaN(x) && math.IsNaN(y)
}

// columns are what a step may change.
func (s *Shard) columns() []*[]float64 {
	cs := []*[]float64{&s.Wake, &s.Rem, &s.Lo, &s.Hi}
	for j := range s.Y {
		cs = append(cs, &s.Y[j])
	}
	return cs
}

// fence moves all columns of s between cache lines of NaN, and returns a check that these are as they were.
func (s *Shard) fence() (intact func() bool) {
	const line = 8
	var guards [][]float64
	cs := s.columns()
	for j := range s.coefs {
		cs = append(cs, &s.coefs[j])
	}
	for _, c := range cs {
		if n := len(*c); n > 0 {
			all := column(n + 2*line)
			for i := range all {
				all[i] = math.NaN()
			}
			copy(all[line:], *c)
			*c = all[line : line+n : line+n]
			guards = append(guards, all[:line], all[line+n:])
		}
	}
	return func() bool {
		for _, guard := range guards {
			for _, x := range guard {
				if !math.IsNaN(x) {
					return false
				}
			}
		}
		return true
	}
}
