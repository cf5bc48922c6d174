package kernels

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"popsim/model"
)

// lone runs one neuron from state y for a number of steps and gives its spike times, ms.
func lone(k *Kernel, p []float64, current, dt float64, steps int, y []float64) (spikes []float64, s *Shard) {
	set := Setting{I: Values{current}, Gain: Values{1}}
	for _, x := range p {
		set.P = append(set.P, Values{x})
	}
	s = k.NewShard(0, 1, dt, set)
	s.Enter(0, 0, y)
	for _, e := range s.Advance(NewWorker(), 0, steps, Drive{}, false, nil) {
		spikes = append(spikes, (float64(e.Step)+e.Theta)*dt)
	}
	return spikes, s
}

// LIF from reset fires first after T = tau ln((V_inf-V_reset)/(V_inf-V_th)), then every T + t_ref, whatever dt is and
// however many spikes fall into a step.
func TestLIFClosedForm(t *testing.T) {
	k := mustFor(t, model.LIFModel, "")
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, lo, hi float64) float64 { return rapid.Float64Range(lo, hi).Draw(t, name) }
		q := model.LIF{
			VRest: draw("V_rest", -80, 0), R: draw("R", 0.05, 2), Tau: draw("tau", 1, 50), TRef: draw("t_ref", 0, 5),
		}
		q.VReset = q.VRest + draw("V_reset-V_rest", -10, 10)
		q.VTh = max(q.VReset, q.VRest) + draw("V_th above", 1, 30)
		if rapid.Bool().Draw(t, "no refractory period") {
			q.TRef = 0
		}
		dt := draw("dt", 0.01, 3)
		vInf := q.VTh + draw("drive above rheobase", 0.01, 300)
		current := (vInf - q.VRest) / q.R
		vInf = math.FMA(q.R, current, q.VRest)
		period := q.Tau * math.Log((vInf-q.VReset)/(vInf-q.VTh))
		if period+q.TRef < dt/MaxSpikes*2 {
			t.Skip("more spikes in a step than are allowed")
		}
		steps := int(math.Ceil(5 * (period + q.TRef) / dt))
		p := []float64{q.VRest, q.VReset, q.VTh, q.R, q.Tau, q.TRef}
		got, _ := lone(k, p, current, dt, steps, []float64{q.VReset})
		end := float64(steps) * dt
		// A rounding of V is one of about tau/(V_inf-V_th) in time, a step adds one.
		tol := 1e-14 * (float64(steps)*100*q.Tau/(vInf-q.VTh) + 100*end)
		for i := 0; ; i++ {
			want := period + float64(i)*(period+q.TRef)
			if want > end-tol {
				if len(got) > i+1 || len(got) > i && got[i] < end-2*tol {
					t.Fatalf("%d spikes up to %v ms, want %d", len(got), end, i)
				}
				return
			}
			if i >= len(got) || math.Abs(got[i]-want) > tol*float64(i+1) {
				t.Fatalf("spikes %v; number %d should be at %.15g ms within %.2g", got, i+1, want, tol)
			}
		}
	})
}

// LIF that starts at or above V_th fires at once, whatever dt is, also where V would sink below V_th within the first
// step.
func TestLIFStartsAboveThreshold(t *testing.T) {
	k := mustFor(t, model.LIFModel, "")
	const vTh, tau, current = 20, 10, 25
	next := tau * math.Log(current/(current-vTh))
	for _, dt := range []float64{0.1, 1, 4} {
		for _, tRef := range []float64{0, 0.03, 1, 8.05} {
			for _, above := range []float64{0, 1, 1e6} {
				p := []float64{0, 0, vTh, 1, tau, tRef}
				got, _ := lone(k, p, current, dt, int(40/dt), []float64{vTh + above})
				if len(got) < 2 || got[0] != 0 || math.Abs(got[1]-next-tRef) > 1e-12 {
					t.Errorf("dt = %v, t_ref = %v, %v mV above V_th: spikes at %v, want 0 and %v", dt, tRef, above, got, next+tRef)
				}
				if got, _ := lone(k, p, 0, dt, int(40/dt), []float64{vTh + above}); len(got) != 1 || got[0] != 0 {
					t.Errorf("dt = %v, t_ref = %v, %v mV above V_th, no current: spikes at %v, want one at 0", dt, tRef, above, got)
				}
			}
		}
	}
}

// A neuron whose refractory period ends with V far below V_T, or with a drive of many delta_T a step, does not fire too
// early.
func TestRK4LetGo(t *testing.T) {
	rk4, flow := mustFor(t, model.EIFModel, "rk4"), mustFor(t, model.EIFModel, "flow")
	for _, c := range []struct{ v, vReset, current, tRef, within float64 }{
		{-500, -68, 12, 1.7, 5e-3},
		{-300, -68, 12, 1.7, 5e-3},
		{-68, -68, 600, 1.72, 0.05}, // to V_T in three steps
		{-68, -68, 600, 0, 0.05},
		{-68, -120, 600, 1.72, 0.05},
	} {
		p := []float64{-65, c.vReset, -30, -59.9, 0.5, 1, 10, c.tRef}
		want, _ := lone(flow, p, c.current, 1e-3, 60_000, []float64{c.v})
		got, _ := lone(rk4, p, c.current, 0.05, 1200, []float64{c.v})
		for i := range min(3, len(want)) {
			if i >= len(got) || math.Abs(got[i]-want[i]) > c.within {
				t.Errorf("%+v: spike %d is late or early: %v, want %v", c, i+1, got[:min(3, len(got))], want[:min(3, len(want))])
				break
			}
		}
	}
}

// A run cut in two is the run in one, to the bit.
func TestCutRun(t *testing.T) {
	for _, m := range model.All {
		for _, method := range m.Methods {
			k := mustFor(t, m, method.Name)
			p, y := m.Defaults(), make([]float64, len(m.States))
			m.Initial(p, y)
			y[0] += 5
			current := m.Typical.Current
			set := Setting{I: Values{current}, Gain: Values{1}}
			for _, x := range p {
				set.P = append(set.P, Values{x})
			}
			run := func(cuts ...int) (events []Event, state []float64) {
				s := k.NewShard(0, 1, method.Dt, set)
				s.Enter(0, 0, y)
				w, first := NewWorker(), 0
				for _, n := range cuts {
					for _, e := range s.Advance(w, int64(first), n, Drive{}, false, nil) {
						e.Step += int32(first)
						events = append(events, e)
					}
					first += n
				}
				state = make([]float64, len(y))
				s.State(0, int64(first), state)
				return events, state
			}
			events, state := run(4000)
			again, same := run(1, 1234, 765, 2000)
			if len(events) == 0 {
				t.Errorf("%s/%s: no neuron fired", m.Name, method.Name)
			}
			if !equalEvents(events, again) || !equalBits(state, same) {
				t.Errorf("%s/%s: a run in four pieces differs from one in one: %v, want %v", m.Name, method.Name, same, state)
			}
		}
	}
}

func equalEvents(a, b []Event) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func equalBits(a, b []float64) bool {
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

// The default methods have the equilibria of the equations exactly, for any step.
func TestRestStays(t *testing.T) {
	for _, m := range model.All {
		for _, dt := range []float64{m.Methods[0].Dt, 2 * m.Methods[0].Dt} {
			k := mustFor(t, m, "")
			p, y := m.Defaults(), make([]float64, len(m.States))
			m.Initial(p, y)
			current := 0.0
			if m == model.HHTMModel { // without input it fires
				current = m.Typical.Silent
				m.Steady(p, m.EquilibriaAt(p, current)[0], y)
			}
			_, s := lone(k, p, current, dt, 20000, y)
			got := make([]float64, len(y))
			s.State(0, 20000, got)
			for j := range y {
				if math.Abs(got[j]-y[j]) > 1e-12*math.Abs(y[0]) {
					t.Errorf("%s at dt %v: %s rests at %.17g, the equilibrium is at %.17g", m.Name, dt, m.States[j].Name, got[j], y[j])
				}
			}
		}
	}
}

// More spikes in a step than MaxSpikes end in NaN, which populations report.
func TestTooManySpikes(t *testing.T) {
	p := model.LIFModel.Defaults()
	p[model.LIFModel.Index("t_ref")] = 0
	spikes, s := lone(mustFor(t, model.LIFModel, ""), p, 1e6, 1, 3, []float64{0})
	if len(spikes) != MaxSpikes || !math.IsNaN(s.Y[0][0]) {
		t.Errorf("%d spikes and V = %v; want %d and NaN", len(spikes), s.Y[0][0], MaxSpikes)
	}
}

// Lanes that pad the last group never fire, though they have the last neuron's V_th and that is below the first one's
// resting potential.
func TestPaddingIsSilent(t *testing.T) {
	for _, isa := range Available() {
		for _, m := range []*model.Model{model.LIFModel, model.EIFModel, model.AdExModel} {
			for _, method := range m.Methods {
				k := kernelOn(t, m, method, isa)
				set := Setting{I: Values{0}, Gain: Values{1}}
				for _, x := range m.Defaults() {
					set.P = append(set.P, Values{x})
				}
				rest := set.P[m.Index("V_rest")][0]
				set.P[m.Index("V_reset")] = Values{rest - 30}
				set.P[m.Index("V_th")] = Values{rest + 30, rest + 30, rest + 30, rest + 30, rest - 10}
				if j := m.Index("V_T"); j >= 0 {
					set.P[j] = Values{rest - 20}
				}
				s := k.NewShard(0, 5, method.Dt, set)
				for i := range s.N {
					s.Enter(i, 0, append([]float64{rest - 25}, make([]float64, len(m.States)-1)...))
				}
				for _, e := range s.Advance(NewWorker(), 0, 500, Drive{}, false, nil) {
					if e.Lane >= 5 || e.Step < 0 {
						t.Errorf("%s %s %s: event %v of 5 neurons", m.Name, method.Name, k.ISA, e)
					}
				}
			}
		}
	}
}

// flow and rk4 with a delta_T that V passes many times in a step: EIF has the period that quadrature gives, for V_th
// far below V_T, at it and above it.
func TestFlowSharpThreshold(t *testing.T) {
	const vRest, vReset, vT, r, tau, current, steps, dt = -70.6, -70.6, -50.4, 0.0333, 9.37, 1000, 3000, 0.1
	const tolerance = 2e-7 // ms; a step leaves out (dt/tau)^4/24 of its drift
	for _, method := range []string{"flow", "rk4"} {
		k := mustFor(t, model.EIFModel, method)
		for _, deltaT := range []float64{1e-4, 1e-5, 1e-6, 1e-9} {
			for _, rise := range []float64{-3000, 0, 5, 250} { // (V_th - V_T)/delta_T
				vTh := vT + rise*deltaT
				want := sharpPeriod(vRest+r*current, vReset, vT, vTh, deltaT, tau)
				p := []float64{vRest, vReset, vTh, vT, deltaT, r, tau, 0}
				spikes, _ := lone(k, p, current, dt, steps, []float64{vReset})
				n := len(spikes)
				if n != int(steps*dt/want) {
					t.Errorf("%s, delta_T = %v, V_th = %v: %d spikes, want one every %v ms", method, deltaT, vTh, n, want)
					continue
				}
				if got := spikes[n-1] / float64(n); !(math.Abs(got-want) < tolerance) {
					t.Errorf("%s, delta_T = %v, V_th = %v: a period of %v ms, want %v", method, deltaT, vTh, got, want)
				}
			}
		}
	}
}

// sharpPeriod is the time of EIF from vReset to vTh: the closed form of LIF up to 40 delta_T below V_T, where the
// exponential is nothing to float64, and Simpson's rule in s = (V-V_T)/delta_T from there.
func sharpPeriod(vInf, vReset, vT, vTh, deltaT, tau float64) float64 {
	from := min(vT-40*deltaT, vTh)
	lif := tau * math.Log((vInf-vReset)/(vInf-from))
	a, b := (from-vT)/deltaT, (vTh-vT)/deltaT
	const n = 20000
	sum := 0.0
	for i := range n + 1 {
		s := a + (b-a)*float64(i)/n
		weight := []float64{2, 4}[i%2]
		if i == 0 || i == n {
			weight = 1
		}
		sum += weight / (vInf - vT + deltaT*(math.Exp(s)-s))
	}
	return lif + tau*deltaT*sum*(b-a)/(3*n)
}

// With adaptation flow stays of order 2 for such a delta_T: a step of a tenth makes a hundredth of the error.
func TestFlowSharpThresholdAdapts(t *testing.T) {
	const vReset, current, time = -70.6, 1000, 300
	flow := mustFor(t, model.AdExModel, "flow")
	for _, deltaT := range []float64{1e-4, 1e-6} {
		q := model.AdEx{
			VRest: -70.6, VReset: vReset, VTh: -50.4 + 250*deltaT, VT: -50.4, DeltaT: deltaT, R: 0.0333, Tau: 9.37,
			A: 0.001, B: 30, TauW: 50,
		}
		var last [3]float64
		for i, dt := range []float64{0.1, 0.01, 0.001} {
			p := []float64{q.VRest, q.VReset, q.VTh, q.VT, q.DeltaT, q.R, q.Tau, q.A, q.B, q.TauW, q.TRef}
			spikes, _ := lone(flow, p, current, dt, int(math.Round(time/dt)), []float64{vReset, 0})
			if len(spikes) < 10 {
				t.Fatalf("delta_T = %v, dt = %v: spikes at %v", deltaT, dt, spikes)
			}
			last[i] = spikes[len(spikes)-1]
		}
		if coarse, fine := math.Abs(last[0]-last[2]), math.Abs(last[1]-last[2]); coarse > 2e-4 || fine > coarse/80 {
			t.Errorf("delta_T = %v: the last spike at %v ms for dt of 0.1, 0.01 and 0.001 ms", deltaT, last)
		}
	}
}
