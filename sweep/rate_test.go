package sweep

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"popsim/model"
)

// rateCase is one AdEx neuron of the test of rate errors.
type rateCase struct {
	p       []float64
	current float64
}

// rateCases are bursting and irregular presets over currents about their own, the reset map of tb08, and random sets of
// AdEx.
func rateCases(t *testing.T, random int) (list []rateCase) {
	t.Helper()
	m := model.AdExModel
	add := func(p []float64, current float64) { list = append(list, rateCase{p, current}) }
	for _, name := range []string{
		"naud-reg-burst", "naud-init-burst", "naud-irregular", "naud-adaptation",
		"naud-delayed-burst", "nd-bursting", "nd-irregular", "nd-adapting", "bg05-burst",
	} {
		preset, err := m.Preset(name)
		if err != nil {
			t.Fatal(err)
		}
		for k := range 8 {
			add(preset.Params, preset.I*(0.9+0.05*float64(k)))
		}
	}
	tb08, err := m.Preset("tb08")
	if err != nil {
		t.Fatal(err)
	}
	for k := range 24 {
		p := slices.Clone(tb08.Params)
		p[m.Index("V_reset")] = -48.8 + 0.1*float64(k)
		add(p, 800)
	}
	draw := rand.New(rand.NewPCG(7, 11))
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*draw.Float64() }
	for range random {
		p := slices.Clone(tb08.Params)
		p[m.Index("a")] = between(0, 6)
		p[m.Index("b")] = between(5, 150)
		p[m.Index("tau_w")] = between(20, 300)
		p[m.Index("V_reset")] = between(-60, -45)
		add(p, between(500, 1200))
	}
	return list
}

// rates runs cases of AdEx side by side.
func rates(t *testing.T, cases []rateCase, time, discard, dt float64, noError bool) *Result {
	t.Helper()
	m := model.AdExModel
	spec := Spec{
		Model: m, Time: time, Discard: discard, Dt: dt, NoError: noError, Grid: Grid{Zip: true},
		Measures: []string{"rate", "rate_error", "period", "ended"},
	}
	for j, q := range m.Params {
		values := make([]float64, len(cases))
		for i, c := range cases {
			values[i] = c.p[j]
		}
		spec.Grid.Axes = append(spec.Grid.Axes, Values(q.Name, q.Unit, values...))
	}
	currents := make([]float64, len(cases))
	for i, c := range cases {
		currents[i] = c.current
	}
	spec.Grid.Axes = append(spec.Grid.Axes, Values("I", "pA", currents...))
	r, err := Run(context.Background(), spec, Config{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRateError: the true rate is within twice the reported error in 95 % of cases, and the error is at most ten times
// too large in the median. The true rate is that of a run 100 times as long; where the train repeats itself, at an
// eighth of the step. POPSIM_LONG takes more random sets.
func TestRateError(t *testing.T) {
	random := 40
	if os.Getenv("POPSIM_LONG") != "" {
		random = 1000
	}
	for _, run := range []struct{ time, discard float64 }{{2000, 500}, {300, 50}} { // ms: the default, and a short run
		t.Run(fmt.Sprintf("%v ms", run.time), func(t *testing.T) {
			rateErrors(t, rateCases(t, random), run.time,
				run.discard)
		})
	}
}

func rateErrors(t *testing.T, all []rateCase, time, discard float64) {
	const (
		covered = 0.95
		careful = 10.0
		longer  = 100
		finer   = 8
	)
	told := rates(t, all, time, discard, 0, false)
	var settled, irregular []rateCase
	rows := [2][]int{}
	for i, c := range all {
		switch {
		case told.Value("rate", i) == 0:
		case math.IsNaN(told.Value("period", i)):
			irregular, rows[0] = append(irregular, c), append(rows[0], i)
		default:
			settled, rows[1] = append(settled, c), append(rows[1], i)
		}
	}
	truths := [2]*Result{rates(t, irregular, longer*time, discard, 0, true), rates(t, settled, longer*time, discard,
		told.Spec.Dt/finer, true)}
	within := 0
	var factors []float64
	for kind, truth := range truths {
		for k, i := range rows[kind] {
			rate, bound, want := told.Value("rate", i), told.Value("rate_error", i), truth.Value("rate", k)
			off := math.Abs(rate - want)
			if off <= 2*bound {
				within++
			} else {
				t.Logf("%v, I = %.4g pA: %.9g Hz, error told %.2g, true rate %.9g Hz (period %v, ended by %s)",
					all[i].p, all[i].current, rate, bound, want, told.Value("period", i), told.Word("ended", i))
			}
			factors = append(factors, bound/off)
		}
	}
	slices.Sort(factors)
	total := len(factors)
	t.Logf("%d of %d within twice the error, %d of them irregular; it is %.3g times the true one in the median",
		within, total, len(irregular), factors[total/2])
	if float64(within) < covered*float64(total) {
		t.Errorf("%d of %d rates within twice the reported error, want %.0f %%", within, total, 100*covered)
	}
	if f := factors[total/2]; f > careful {
		t.Errorf("the reported error is %.3g times the true one in the median, want at most %v", f, careful)
	}
}

// TestBurstRate: the rate of a train of period 2 is that of whole periods. Right values: the cycle of the reset map by
// popsim/dynamics and spikes of 20 s over whole periods, by an integrator that is not ours.
func TestBurstRate(t *testing.T) {
	m, p := mustModel(t, "adex", "naud-reg-burst", nil)
	s := Spec{Model: m, P: p, Time: 2000, Discard: 500}
	s.Grid.Axes = mustAxes(t, m, "I=180,190,210")
	r := mustRun(t, s)
	for i, want := range []float64{12.3932955, 13.0782235, 14.4376148} {
		if got, e := r.Value("rate", i), r.Value("rate_error", i); math.Abs(got-want) > 2*e+1e-6 {
			t.Errorf("I = %v pA: %.9g +- %.2g Hz, want %v", s.Grid.At(i, 0), got, e, want)
		}
	}
}

// TestRunaway: AdEx with a < -1/R has a saddle as its only equilibrium; a neuron that starts on its far side goes to
// minus infinity and is reported, with the time, whatever the step. One that fires is not.
func TestRunaway(t *testing.T) {
	m, p := mustModel(t, "adex", "", map[string]float64{"a": -2})
	for _, dt := range []float64{0.1, 0.025} {
		s := Spec{Model: m, P: p, Time: 2000, Discard: 500, Dt: dt, Measures: []string{"rate", "ended", "ended_ms"}}
		s.Grid.Axes = mustAxes(t, m, "I=-5,-4,3")
		r := mustRun(t, s)
		for i, want := range []string{"runaway", "runaway", "ok"} {
			if got := r.Word("status", i); got != want {
				t.Errorf("dt %v ms, I = %v pA: %s, want %s", dt, s.Grid.At(i, 0), got, want)
			}
			if at := r.Value("ended_ms", i); want == "runaway" && !(at > 100 && at < 1000) {
				t.Errorf("dt %v ms, I = %v pA: reported at %v ms, want between 100 and 1000", dt, s.Grid.At(i, 0), at)
			}
		}
	}
}

// TestPerfectIntegrator: LIF whose membrane hardly leaks fires at intervals of -tau log(1 - (V_th-V_reset)/(R I)) to
// 1e-12 of them, up to tau = 1e12 ms: the rest of a step after a spike is computed without cancellation.
func TestPerfectIntegrator(t *testing.T) {
	const allowed = 1e-12
	for _, tau := range []float64{1e4, 1e6, 1e8, 1e9, 1e10, 1e12} {
		m, p := mustModel(t, "lif", "", map[string]float64{
			"tau": tau, "R": tau / 10, "V_rest": 0, "V_reset": 0, "V_th": 0.3, "t_ref": 0,
		})
		s := Spec{Model: m, P: p, Time: 2000, Discard: 500}
		s.Grid.Axes = mustAxes(t, m, "I=0.07,0.1,0.13")
		r := mustRun(t, s)
		for i := range r.Rows() {
			want := -1000 / (tau * math.Log1p(-0.3/(tau/10*s.Grid.At(i, 0))))
			if got := r.Value("rate", i); math.Abs(got/want-1) > allowed {
				t.Errorf("tau = %g ms, I = %v pA: %.17g Hz, want %.17g", tau, s.Grid.At(i, 0), got, want)
			}
		}
	}
	m, p := mustModel(t, "lif", "", nil)
	s := Spec{Model: m, P: p, Time: 10}
	s.Grid.Axes = mustAxes(t, m, "I=1e307,1e308")
	for i, r := 0, mustRun(t, s); i < r.Rows(); i++ {
		if at := r.Value("latency", i); !(at < 1e-300) {
			t.Errorf("I = %v pA: the first spike at %v ms, want at once", s.Grid.At(i, 0), at)
		}
	}
}

// TestSlowPassage: just beyond a saddle-node there is no equilibrium, however slowly V passes the place where it was.
// (The rate of this neuron is 0.0502149657 Hz.)
func TestSlowPassage(t *testing.T) {
	m, p := mustModel(t, "eif", "", map[string]float64{"delta_T": 0.02, "V_th": -55})
	r := newClassifier(m)
	for k := range 20001 {
		v := p[m.Index("V_T")] - 0.1 + 1e-5*float64(k)
		if got := r.classify(p, 5.0800001, []float64{v}); got != notEquilibrium {
			t.Fatalf("V = %v mV was taken for an equilibrium (%v)", v, got)
		}
	}
}
