package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"popsim/model"
)

func ifShard(k *Kernel, n int, r *rand.Rand, dt, i0, i1 float64, extreme bool) *Shard {
	var set Setting
	m := k.Model
	for _, q := range m.Params {
		v := Values{q.Default}
		if extreme && (q.Name == "t_ref" || q.Name == "R") {
			v = make(Values, n)
			for i := range v {
				v[i] = q.Default * (0.5 + r.Float64())
				if q.Name == "t_ref" && r.IntN(3) == 0 {
					v[i] = 0
				}
			}
		}
		set.P = append(set.P, v)
	}
	set.Gain = Values{1}
	for range n {
		set.I = append(set.I, i0+(i1-i0)*r.Float64())
	}
	s := k.NewShard(0, n, dt, set)
	for i := range n {
		y := make([]float64, len(m.States))
		v0, v1 := set.P[1].At(i), set.P[2].At(i)
		y[0] = v0 + (v1-v0)*r.Float64()*0.3
		if extreme && i%37 == 5 {
			y[0] = []float64{math.NaN(), math.Inf(1), math.Inf(-1), v1, math.Nextafter(v1, -1e9), v1 + 5, 1e300, -1e300, 5e-324}[i/37%9]
		}
		s.Enter(i, 0, y)
		if extreme {
			s.ResetExtrema(i)
		}
	}
	return s
}

func TestIFEqual(t *testing.T) {
	for _, c := range []struct {
		m      *model.Model
		method string
		dt     float64
		hi     float64
	}{
		{model.LIFModel, "exact", 0.1, 60}, {model.LIFModel, "exact", 1.0, 60}, {model.LIFModel, "exact", 0.01, 1000}, {model.LIFModel, "exact", 10, 60},
		{model.EIFModel, "flow", 0.1, 60}, {model.EIFModel, "flow", 0.5, 600}, {model.AdExModel, "flow", 0.05, 60}, {model.AdExModel, "flow", 0.4, 400},
		{model.EIFModel, "euler", 0.1, 60}, {model.AdExModel, "euler", 0.05, 60},
	} {
		for _, isa := range Available() {
			for full := range 2 {
				k := mustFor(t, c.m, c.method)
				q, _ := c.m.Method(c.method)
				k2, err := For(c.m, q, isa)
				if err != nil {
					t.Fatal(err)
				}
				if k2.ISA != isa || isa == Go {
					continue
				}
				n := 300
				a := ifShard(k, n, rand.New(rand.NewPCG(1, 2)), c.dt, 0, c.hi, full == 1)
				b := ifShard(k2, n, rand.New(rand.NewPCG(1, 2)), c.dt, 0, c.hi, full == 1)
				wa, wb := NewWorker(), NewWorker()
				var ea, eb []Event
				d := Drive{}
				if full == 1 {
					d.Wave = make([]float64, 500)
					d.Row = make([]float64, 500*320)
					d.Stride = 320
					for i := range d.Wave {
						d.Wave[i] = math.Sin(float64(i))
					}
					for i := range d.Row {
						d.Row[i] = math.Cos(float64(i) * 0.7)
					}
				}
				for first := 0; first < 5000; first += 500 {
					ea = a.Advance(wa, int64(first), 500, d, full == 1, ea[:0])
					eb = b.Advance(wb, int64(first), 500, d, full == 1, eb[:0])
					by := func(es []Event) map[int32][]Event {
						m := map[int32][]Event{}
						for _, e := range es {
							m[e.Lane] = append(m[e.Lane], e)
						}
						return m
					}
					ma, mb := by(ea), by(eb)
					if fmt.Sprint(ma) != fmt.Sprint(mb) {
						for l := range int32(320) {
							if fmt.Sprint(ma[l]) != fmt.Sprint(mb[l]) {
								t.Fatalf("%s %s %v full=%d first=%d lane %d events\n%v\n%v", c.m.Name, c.method, isa, full, first, l, ma[l], mb[l])
							}
						}
					}
					cols := func(s *Shard) map[string][]float64 {
						return map[string][]float64{"y": s.Y[0], "y1": s.Y[len(s.Y)-1], "wake": s.Wake, "rem": s.Rem, "lo": s.Lo, "hi": s.Hi}
					}
					for name, x := range cols(a) {
						y := cols(b)[name]
						for i := range x {
							if i < n && math.Float64bits(x[i]) != math.Float64bits(y[i]) && !(x[i] != x[i] && y[i] != y[i]) {
								t.Fatalf("%s %s %v full=%d first=%d lane %d %s: %v want %v", c.m.Name, c.method, isa, full, first, i, name, y[i], x[i])
							}
						}
					}
				}
				t.Logf("%s %s dt=%v %v full=%d ok, %d events in last call", c.m.Name, c.method, c.dt, isa, full, len(eb))
			}
		}
	}
}

// TestIFSpeed: minimum time per neuron-step at a rate.
func TestIFSpeed(t *testing.T) {
	type row struct {
		m      *model.Model
		method string
		dt     float64
		i      []float64
	}
	for _, c := range []row{
		{model.LIFModel, "exact", 0.1, []float64{10, 22.85, 1000}},
		{model.EIFModel, "flow", 0.05, []float64{0, 10.2, 700}}, {model.AdExModel, "flow", 0.05, []float64{0, 22, 300}},
		{model.EIFModel, "euler", 0.05, []float64{0, 10.2, 700}}, {model.AdExModel, "euler", 0.05, []float64{0, 22, 300}},
	} {
		if o := os.Getenv("ONLY"); o != "" && !strings.Contains(c.m.Name+":"+c.method, o) {
			continue
		}
		for _, isa := range Available() {
			q, _ := c.m.Method(c.method)
			k, _ := For(c.m, q, isa)
			if k.ISA != isa {
				continue
			}
			line := fmt.Sprintf("%-5s %-6s %-7v", c.m.Name, c.method, isa)
			for _, full := range []bool{false, true} {
				for _, i := range c.i {
					r := rand.New(rand.NewPCG(1, 2))
					set := Setting{I: Values{i}, Gain: Values{1}}
					for _, q := range c.m.Params {
						x := q.Default
						if q.Name == "t_ref" && c.m.Name == "lif" {
							x = 2
							if i > 100 {
								x = 1.5
							}
						}
						set.P = append(set.P, Values{x})
					}
					const n = 768
					steps := int(20/c.dt + 0.5)
					s := k.NewShard(0, n, c.dt, set)
					for l := range n {
						y := make([]float64, len(c.m.States))
						y[0] = set.P[1][0] + (set.P[2][0]-set.P[1][0])*r.Float64()
						if c.m.Name != "lif" {
							y[0] = set.P[1][0] + (set.P[2][0]-set.P[1][0])*0.2*r.Float64()
						}
						s.Enter(l, 0, y)
					}
					w := NewWorker()
					var d Drive
					if full {
						d.Wave = make([]float64, steps)
					}
					first, spikes, total := int64(0), 0, 0
					best := time.Hour
					var ev []Event
					start := time.Now()
					for rep := 0; rep < 60 || time.Since(start) < 150*time.Millisecond; rep++ {
						t0 := time.Now()
						ev = s.Advance(w, first, steps, d, false, ev[:0])
						el := time.Since(t0)
						if rep > 20 {
							best = min(best, el)
							spikes += len(ev)
							total++
						}
						first += int64(steps)
					}
					ns := float64(best.Nanoseconds()) / n / float64(steps)
					lanes := map[ISA]float64{Go: 1, AVX2: 4, AVX512: 8}[isa]
					rate := float64(spikes) / float64(total) / n / 20 * 1000
					line += fmt.Sprintf(" | %3.0fHz %.4f ns %.2f cyc/vec", rate, ns, ns*3.67*lanes)
				}
			}
			fmt.Println(line)
		}
	}
}
