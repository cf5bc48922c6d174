package kernels

import (
	"fmt"
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
// compared. POPSIM_LONG=1 makes it 20 million neuron-steps for each kernel; an instruction set named in
// POPSIM_REQUIRE_ISA (avx2,avx512) must be there. Where AVX-512 is not, its assembly is interpreted, a twentieth as
// long.

// An equalRow lists the parameters that the neurons of a model may have.
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
		map[string][2]float64{
			"V_th":    {-40, -20},
			"V_T":     {-62, -55},
			"V_rest":  {-67, -63},
			"V_reset": {-75, -62},
			"t_ref":   {0, 3},
		},
		[]float64{-30, -59.9},
	},
	{
		model.AdExModel,
		[][2]float64{{-80, -35}, {-20, 60}},
		[2]float64{-10, 90},
		map[string][2]float64{
			"V_th":    {-40, -20},
			"V_T":     {-62, -55},
			"V_rest":  {-67, -63},
			"V_reset": {-75, -62},
			"t_ref":   {0, 3},
		},
		[]float64{-30, -59.9},
	},
	{
		model.HHModel,
		[][2]float64{{-90, 50}, {0, 1}, {0, 1}, {0, 1}},
		[2]float64{-5, 40},
		map[string][2]float64{"V_th": {-20, 20}},
		[]float64{0, -40, -55, -55 + 10.0/128, -55 - 10.0/128, -200, 120},
	},
	{
		model.HHTMModel,
		[][2]float64{{-100, 60}, {0, 1}, {0, 1}, {0, 1}},
		[2]float64{-5, 30},
		map[string][2]float64{"V_th": {-30, 10}, "V_T": {-66, -50}},
		[]float64{-20, -48, -50, -23, -208, 112},
	},
	{
		model.RHHModel,
		[][2]float64{{-90, 50}, {0, 0.8}},
		[2]float64{-5, 40},
		map[string][2]float64{"V_th": {-20, 20}},
		[]float64{0, -40, -55, -55 + 10.0/128, -55 - 10.0/128, -200, 120},
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
						goal = 2e7
					}
					if !slices.Contains(Available(), isa) {
						if goal, enough = goal/20, max(goal/20, interpretedSteps); testing.Short() {
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
	if free, driven, ok := assembly(m.Name, method.Name, isa); ok {
		k.ISA, k.free, k.driven = isa, interpreted(t, free), interpreted(t, driven)
	}
	if k.substep != nil {
		if free, _, ok := assembly(m.Name, "substep", k.ISA); ok {
			k.substep = interpreted(t, free)
		}
	}
	if p := packedAssembly(m.Name, k.ISA); p != nil {
		for _, f := range []*step{&p.equal, &p.currents, &p.own, &p.packable} {
			*f = interpreted(t, *f)
		}
		k.packed = p
	}
	return k
}

// compare runs one population with k and in plain Go, and returns how many neuron-steps it compared.
func (row equalRow) compare(rt *rapid.T, k *Kernel) int {
	method := k.Method
	n := Group*rapid.IntRange(0, 8).Draw(rt, "whole groups") + rapid.IntRange(1, Group).Draw(rt, "rest")
	dt := method.Dt * rapid.SampledFrom([]float64{1, 1, 1, 0.3, 2.5, 100}).Draw(rt, "dt")
	odd := rapid.SampledFrom([]float64{0, 0, 0.003, 0.02, 0.3}).Draw(rt, "odd values")
	varies := rapid.SampledFrom([]float64{0, 0.2, 1}).Draw(rt, "varying parameters")
	full := rapid.Bool().Draw(rt, "full") // half of the runs go through the free kernels
	wave, rows, extrema := full &&
		rapid.Bool().Draw(rt, "waveform"), full &&
		rapid.Bool().Draw(rt, "row"), full &&
		rapid.Bool().Draw(rt, "extrema")
	first := rapid.SampledFrom([]int64{0, 12345, 1 << 40}).Draw(rt, "first step")
	calls := rapid.SliceOfN(rapid.IntRange(1, 80), 1, 6).Draw(rt, "calls")
	rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))

	exact := rapid.SampledFrom([]float64{0, 0, 0.5}).Draw(rt, "parameters of round values")
	wild := rapid.SampledFrom([]float64{0, 0, 0, 0.2}).Draw(rt, "parameters beyond their ranges")
	edge := rapid.SampledFrom([]float64{0, 0, 0.5}).Draw(rt, "thresholds met exactly")

	between := func(r [2]float64) float64 { return r[0] + rnd.Float64()*(r[1]-r[0]) }
	values := func(one func() float64) Values {
		v := make(Values, 1)
		if rnd.Float64() < varies {
			v = make(Values, n)
		}
		for i := range v {
			v[i] = one()
		}
		return v
	}
	set := Setting{
		I: values(func() float64 {
			if rnd.Float64() < exact {
				return row.model.Defaults()[row.model.Index("V_th")] // V_inf of an integrate-and-fire neuron is V_th
			}
			return between(row.current)
		}),
		Gain: values(func() float64 { return between([2]float64{-2, 2}) }),
	}
	for _, q := range row.model.Params {
		r, ok := row.params[q.Name]
		if !ok {
			r = [2]float64{0.8 * q.Default, 1.2 * q.Default}
		}
		set.P = append(set.P, values(func() float64 {
			x := between(r)
			switch {
			case rnd.Float64() < exact && q.Name == "t_ref":
				x = float64(rnd.IntN(4)) * dt
			case rnd.Float64() < exact:
				x = q.Default
			}
			switch {
			case rnd.Float64() >= wild || q.Unit == "mV" && q.Name != "delta_T":
			case q.Domain == model.NonNegative && rnd.IntN(3) == 0:
				x = 0
			case q.Name == "delta_T": // model.Check refuses smaller values
				x = math.Ldexp(x, rnd.IntN(15)-4)
			default:
				x = math.Ldexp(x, rnd.IntN(21)-10)
			}
			return x
		}))
	}
	states := make([][]float64, n)
	for i := range states {
		own := set.at(i, nil)
		for _, r := range row.states {
			x := between(r)
			if rnd.Float64() < odd {
				x = row.oddValue(rnd, own)
			}
			states[i] = append(states[i], x)
		}
	}
	input := func() float64 {
		if rnd.Float64() < odd {
			return row.oddValue(rnd, nil)
		}
		return between([2]float64{-5, 5})
	}
	drives := make([]Drive, len(calls))
	for c, steps := range calls {
		drives[c].Stride = (n + Group - 1) / Group * Group
		if wave {
			drives[c].Waveform = make([]float64, steps)
			for i := range drives[c].Waveform {
				drives[c].Waveform[i] = input()
			}
		}
		if rows {
			drives[c].Row = make([]float64, steps*drives[c].Stride)
			for i := range drives[c].Row {
				drives[c].Row[i] = input()
			}
		}
	}
	twin, err := For(row.model, method, Go)
	if err != nil {
		rt.Fatal(err)
	}
	if edge > 0 { // V_th is where V will be in a few steps, or next to it; for a crossing perhaps 20 mV above
		s := twin.NewShard(0, n, dt, set)
		for i, y := range states {
			s.Enter(i, first, y)
		}
		s.Advance(NewWorker(), first, rapid.IntRange(1, min(calls[0], 20)).Draw(rt, "steps to the threshold"), drives[0],
			false, nil)
		vTh := make(Values, n)
		for i := range vTh {
			v := s.Y[0][i]
			vTh[i] = set.P[row.model.Index("V_th")].At(i)
			v = []float64{v, math.Nextafter(v, -1e9), math.Nextafter(v, 1e9)}[rnd.IntN(3)]
			if row.model.Fires == model.Crossing && rnd.IntN(2) == 0 {
				v += 20
			}
			own := set.at(i, nil)
			own[row.model.Index("V_th")] = v
			if rnd.Float64() < edge && math.Abs(v) < 1e3 && row.model.Check(own) == nil {
				vTh[i] = v
			}
		}
		set.P[row.model.Index("V_th")] = vTh
	}
	var shards [2]*Shard
	var intact [2]func() bool
	for i, k := range []*Kernel{twin, k} {
		shards[i] = k.NewShard(0, n, dt, set)
		if extrema {
			shards[i].ResetExtrema(0)
		}
		intact[i] = shards[i].fence()
		for l, y := range states {
			shards[i].Enter(l, first, y)
		}
	}
	workers := [2]*Worker{NewWorker(), NewWorker()}
	done := 0
	for c, steps := range calls {
		var events [2][]Event
		for i, s := range shards {
			room := rapid.SampledFrom([]int{0, Group, Group + 1, 200, 2000}).Draw(rt, "room for events")
			buffer := make([]Event, room+8)
			for j := range buffer {
				buffer[j] = Event{-9, -9, -9}
			}
			events[i] = s.Advance(workers[i], first+int64(done), steps, drives[c], extrema, buffer[:0:room])
			for _, e := range buffer[room:] {
				if e != (Event{-9, -9, -9}) {
					rt.Fatalf("n=%d steps=%d..%d: %v wrote events after their end", n, done, done+steps, s.kernel.ISA)
				}
			}
			if !intact[i]() {
				rt.Fatalf("n=%d steps=%d..%d: %v wrote outside of its columns", n, done, done+steps, s.kernel.ISA)
			}
		}
		if where := difference(shards, events); where != "" {
			rt.Fatalf("n=%d steps=%d..%d %s", n, done, done+steps, where)
		}
		done += steps
	}
	return n * done
}

// difference describes the first difference between two shards and their events.
func difference(shards [2]*Shard, events [2][]Event) string {
	wants := shards[0].columns()
	for j, got := range shards[1].columns() {
		for i, x := range (*got)[:min(shards[1].N, len(*got))] {
			if want := (*wants[j])[i]; !same(x, want) {
				return fmt.Sprintf("lane=%d: column %d=%v, want %v", i, j, x, want)
			}
		}
	}
	for j := range events {
		slices.SortStableFunc(events[j], func(x, y Event) int { return int(x.Lane - y.Lane) })
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
			return fmt.Sprintf("event %d is %v, want %v", i, e[1], e[0])
		}
	}
	return ""
}

// TestOneLane lets a single lane of a silent group fire, or start from an odd value, so that its event step is not due
// to another lane. Every lane is tried with POPSIM_LONG=1, else one in five, or thirteen.
func TestOneLane(t *testing.T) {
	every := 5
	switch {
	case os.Getenv("POPSIM_LONG") != "":
		every = 1
	case testing.Short():
		every = 13
	}
	for _, row := range equalRows {
		m, p := row.model, row.model.Defaults()
		rest := make([]float64, len(m.States))
		m.Initial(p, rest)
		odd := append(
			[]float64{math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(math.NaN(), -1), 1e300, -1e300},
			row.notable...)
		odd = append(odd, p[m.Index("V_th")])
		for _, method := range m.Methods {
			twin := kernelOn(t, m, method, Go)
			for _, isa := range Available() {
				k := kernelOn(t, m, method, isa)
				if k.ISA == Go {
					continue
				}
				t.Run("model="+m.Name+"/method="+method.Name+"/isa="+isa.String(), func(t *testing.T) {
					for _, extrema := range []bool{false, true} {
						for lane := 0; lane < Group; lane += every {
							try := func(what string, x float64, state, steps int) {
								set := Setting{I: make(Values, Group), Gain: Values{1}}
								for _, v := range p {
									set.P = append(set.P, Values{v})
								}
								if state < 0 {
									set.I[lane] = x
								}
								var shards [2]*Shard
								var events [2][]Event
								for i, k := range []*Kernel{twin, k} {
									shards[i] = k.NewShard(0, Group, method.Dt, set)
									if extrema {
										shards[i].ResetExtrema(0)
									}
									for l := range Group {
										y := slices.Clone(rest)
										if l == lane && state >= 0 {
											y[state] = x
										}
										shards[i].Enter(l, 0, y)
									}
									events[i] = shards[i].Advance(NewWorker(), 0, steps, Drive{}, extrema, nil)
								}
								if where := difference(shards, events); where != "" {
									t.Errorf("lane %d alone, %s %v: %s", lane, what, x, where)
								} else if state < 0 && len(events[0]) == 0 {
									t.Errorf("lane %d alone: no neuron fired", lane)
								}
							}
							try("current", 2*row.current[1], -1, int(20/method.Dt))
							for state := range rest {
								for _, x := range odd {
									try(m.States[state].Name, x, state, 5)
								}
							}
						}
					}
				})
			}
		}
	}
}

// oddValue is a number at the edge of what kernels take; own are the parameters of the neuron.
func (row equalRow) oddValue(rnd *rand.Rand, own []float64) float64 {
	odd := []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), 5e-324, -1e-310, 1e300, -1e300}
	if rnd.IntN(2) == 0 {
		return odd[rnd.IntN(len(odd))]
	}
	notable := slices.Concat(row.notable, own)
	x := notable[rnd.IntN(len(notable))]
	return []float64{x, math.Nextafter(x, -1000), math.Nextafter(x, 1000)}[rnd.IntN(3)]
}

func same(x, y float64) bool {
	return math.Float64bits(x) == math.Float64bits(y) || math.IsNaN(x) && math.IsNaN(y)
}

// columns are what a step may change.
func (s *Shard) columns() []*[]float64 {
	cs := []*[]float64{&s.Wake, &s.Level, &s.Rem, &s.Lo, &s.Hi}
	for j := range s.Y {
		cs = append(cs, &s.Y[j])
	}
	return cs
}

// fence moves all columns of s between cache lines of NaN, and returns a check that these are unchanged.
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
