package dynamics

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"popsim/model"
)

// TestEveryAttractorIsFound draws models, parameters and windows at random, simulates from random states at some values
// of the window, and searches for the attractor of each simulation among the stable equilibria, the stable cycles and
// the firing of the diagram. Simulations are by the classical Runge-Kutta method and share nothing with the diagrams
// but the equations. The long form takes many sets; POPSIM_SETS names one to take alone.
func TestEveryAttractorIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("takes several diagrams and simulations")
	}
	from, to := 0, 2
	if os.Getenv("POPSIM_LONG") != "" {
		to = 60
	}
	if one := os.Getenv("POPSIM_SETS"); one != "" {
		if _, err := fmt.Sscanf(one, "%d:%d", &from, &to); err != nil {
			t.Fatalf("POPSIM_SETS=%s is no range FROM:TO: %v", one, err)
		}
	}
	total := map[string]int{}
	for k := from; k < to; k++ {
		checkSet(t, k, total)
	}
	t.Logf("sets %d to %d: %v", from, to-1, total)
	if total["equilibrium"] == 0 || total["cycle"]+total["firing"] == 0 {
		t.Errorf("simulations settled on %v: nothing was tested", total)
	}
}

// drawn is a random set: a model, its parameters and a window.
type drawn struct {
	m    *model.Model
	p    []float64
	i    float64
	free Free
}

func (d drawn) String() string {
	var s []string
	for k, q := range d.m.Params {
		if d.p[k] != d.m.Defaults()[k] && q.Name != d.free.Name {
			s = append(s, fmt.Sprintf("%s=%v", q.Name, d.p[k]))
		}
	}
	if d.free.Name != "I" {
		s = append(s, fmt.Sprintf("I=%v", d.i))
	}
	return fmt.Sprintf("%s %s=%v:%v %s", d.m.Name, d.free.Name, d.free.Lo, d.free.Hi, strings.Join(s, " "))
}

// draw makes set k: every parameter within a third of its default, the window around the default of one of them or
// somewhere in the current.
func draw(k int) drawn {
	r := rand.New(rand.NewPCG(17, uint64(k)))
	m := []*model.Model{model.RHHModel, model.HHModel, model.AdExModel}[k%3]
	for {
		d := drawn{m: m, p: m.Defaults()}
		round := func(x float64) float64 { return math.Round(x*1e4) / 1e4 }
		for j := range d.p {
			if m.Params[j].Name != "n_plus_h" {
				d.p[j] = round(d.p[j] * (1 + 0.66*(r.Float64()-0.5)))
			}
		}
		lo, width := -20.0, 200.0
		if m.Fires == model.Reset {
			lo, width = -5, 30
		}
		lo += width * 0.3 * r.Float64()
		d.free = Free{Name: "I", Lo: round(lo), Hi: round(lo + width*(0.1+0.7*r.Float64()))}
		if r.Float64() < 0.3 {
			j := r.IntN(len(d.p))
			d.i = round(lo + width*0.3*r.Float64())
			a, b := d.p[j]*(0.7+0.1*r.Float64()), d.p[j]*(1.1+0.3*r.Float64())
			d.free = Free{Name: m.Params[j].Name, Lo: round(min(a, b)), Hi: round(max(a, b))}
		}
		ok := d.free.Lo < d.free.Hi
		for _, x := range []float64{d.free.Lo, d.free.Hi} {
			s := newSystem(m, d.p, d.i, d.free.Name)
			s.at(x)
			ok = ok && m.Check(s.p) == nil
		}
		if ok {
			return d
		}
	}
}

// checkSet compares set k, and counts what simulations settled on.
func checkSet(t *testing.T, k int, total map[string]int) {
	const values, starts = 4, 6
	d := draw(k)
	r := rand.New(rand.NewPCG(18, uint64(k)))
	for range values {
		d.free.Marks = append(d.free.Marks, d.free.Lo+(d.free.Hi-d.free.Lo)*r.Float64())
	}
	slices.Sort(d.free.Marks)
	diagram, err := Bifurcation(context.Background(), d.m, d.p, d.i, d.free)
	if err != nil {
		t.Errorf("set %d, %v: %v", k, d, err)
		return
	}
	doubled := slices.ContainsFunc(diagram.Points, func(q Point) bool {
		return q.Label == PeriodDoubling ||
			q.Label == Torus
	})
	for _, at := range d.free.Marks {
		s := newSystem(d.m, d.p, d.i, d.free.Name)
		s.at(at)
		for range starts {
			y := startState(s, r)
			a := settle(s, y)
			total[a.kind]++
			if a.kind == "undecided" || doubled && a.kind == "cycle" {
				continue // a slow passage; or a branch of doubled cycles, which diagrams do not follow
			}
			if !has(t, d, diagram, s, at, a) {
				t.Errorf("set %d: %v at %v: from %.6g the neuron settles on %+v, which the diagram does not have", k, d,
					at, y, a)
				break
			}
		}
	}
}

// startState is a random state: V between the reversal potentials or below V_th, the others anywhere.
func startState(s *system, r *rand.Rand) []float64 {
	y := make([]float64, s.dim())
	if s.m.Fires == model.Reset {
		top := s.m.Threshold(s.p)
		v := -80 + (top+79)*r.Float64()
		s.m.Steady(s.p, v, y)
		y[0] = v
		y[1] += 200 * (r.Float64() - 0.3)
		return y
	}
	lo, hi := s.reversals()
	y[0] = lo + (hi-lo)*r.Float64()
	for c := 1; c < len(y); c++ {
		y[c] = r.Float64()
	}
	return y
}

// attractor is what a simulation settled on.
type attractor struct {
	kind       string // equilibrium, cycle, firing or undecided
	v          float64
	vMin, vMax float64
	period     float64 // of a cycle: from one upward crossing of the middle of V to the next
}

// settle simulates by Runge and Kutta's method until the extremes of V over successive stretches repeat.
func settle(s *system, start []float64) attractor {
	const dt, stretch, most = 0.01, 400.0, 12
	y := slices.Clone(start)
	var earlier float64
	before := y[0]
	var last attractor
	for n := range most {
		a := attractor{kind: "undecided", vMin: math.Inf(1), vMax: math.Inf(-1)}
		spikes, crossing, crossings := 0, math.NaN(), 0
		mid := (last.vMin + last.vMax) / 2
		for k := range int(stretch / dt) {
			earlier, before = before, y[0]
			rungeKutta(s, y, dt)
			if s.m.Fires == model.Reset && y[0] >= s.m.Threshold(s.p) {
				y[0] = s.m.ResetTo(s.p)
				y[1] += s.p[s.m.Index("b")]
				spikes++
				before = y[0]
			}
			a.vMin, a.vMax = min(a.vMin, y[0]), max(a.vMax, y[0])
			// the parabola through three points turns between them
			if bend := earlier - 2*before + y[0]; (before-earlier)*(y[0]-before) < 0 {
				top := before - (y[0]-earlier)*(y[0]-earlier)/(8*bend)
				a.vMin, a.vMax = min(a.vMin, top), max(a.vMax, top)
			}
			if n > 0 && before < mid && y[0] >= mid {
				at := (float64(k) + (mid-before)/(y[0]-before)) * dt
				if crossings++; crossings > 1 {
					a.period = (at - crossing) / float64(crossings-1)
				} else {
					crossing = at
				}
			}
		}
		a.v = y[0]
		same := math.Abs(a.vMin-last.vMin) < 1e-4 && math.Abs(a.vMax-last.vMax) < 1e-3 && n > 1
		switch {
		case math.IsNaN(y[0]) || a.vMin < -1e4:
			return attractor{kind: "undecided"}
		case a.vMax-a.vMin < 1e-7 && spikes == 0:
			a.kind = "equilibrium"
			return a
		case spikes > 2 && n > 3:
			a.kind = "firing"
			return a
		case same && spikes == 0 && a.vMax-a.vMin > 0.2 && a.period > 0:
			a.kind = "cycle"
			return a
		}
		last = a
	}
	return attractor{kind: "undecided"}
}

func rungeKutta(s *system, y []float64, dt float64) {
	n := len(y)
	var k [4][4]float64
	var z [4]float64
	for j, part := range []float64{0, 0.5, 0.5, 1} {
		for c := range n {
			z[c] = y[c]
			if j > 0 {
				z[c] += part * dt * k[j-1][c]
			}
		}
		if s.m.Fires == model.Reset {
			z[0] = min(z[0], s.m.Threshold(s.p)+5)
		}
		s.deriv(z[:n], k[j][:n])
	}
	for c := range n {
		y[c] += dt / 6 * (k[0][c] + 2*k[1][c] + 2*k[2][c] + k[3][c])
	}
}

// has reports whether the diagram has the attractor a at the value.
func has(t *testing.T, d drawn, diagram *Diagram, s *system, at float64, a attractor) bool {
	const (
		sameV = 0.05 // mV: the step of the simulation misses the extremes of a spike by so much
		sameT = 1e-3 // of the period
	)
	switch a.kind {
	case "equilibrium":
		return slices.ContainsFunc(FixedPoints(s.m, s.p, s.i), func(f FixedPoint) bool {
			return f.Stable &&
				math.Abs(f.State[0]-a.v) < 1e-4
		})
	case "firing":
		f, err := FiringAt(context.Background(), s.m, s.p, s.i, d.free.Name, at, droppedTurns, keptTurns)
		if err != nil {
			t.Error(err)
		}
		return !f.Silent
	}
	for _, b := range diagram.Branches {
		for _, row := range b.Rows {
			if b.Kind == Cycle && row.Parameter == at && row.Stable && math.Abs(row.VMin-a.vMin) < sameV &&
				math.Abs(row.VMax-a.vMax) < sameV &&
				math.Abs(row.Period/a.period-1) < sameT {
				return true
			}
		}
	}
	return false
}
