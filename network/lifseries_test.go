package network

import (
	"math"
	"math/rand/v2"
	"testing"

	"popsim/model"
)

// seriesAgreement (mV) is how far V by the Runge-Kutta pair and by series may be apart after a step: the pair's
// tolerance is 1e-9 a substep, and it takes up to a few dozen where conductances are large. Of the instant of a
// crossing it is the same in ms, as V rises by more than 1 mV/ms there.
const seriesAgreement = 2e-8

// TestSeriesAgainstRungeKutta compares the two solvers of LIF for every kind of receptor, from conductances that change
// little to some that make V relax many times within the step.
func TestSeriesAgainstRungeKutta(t *testing.T) {
	kinds := []Kind{ExpCurrent, ExpConductance, AlphaCurrent, AlphaConductance, BiexpConductance}
	for _, kind := range kinds {
		s := conducting(2, false)
		s.Synapses[0] = Synapse{Name: "exc", Kind: kind, Tau: 5, Rise: 1, Decay: 5, E: 0}
		n, err := Build(t.Context(), s, Config{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		r := n.ranges[0]
		o := r.coupled[0]
		if o.p.Model.Fires != model.Reset {
			t.Fatal("not lif")
		}
		draw := rand.New(rand.NewPCG(5, uint64(kind)))
		var crossings int
		for i := range 2000 {
			u := func() float64 { return draw.Float64() }
			v, size := -56+6*u(), math.Exp(8*u())
			s, x := []float64{size * u(), size * u()}, []float64{size * u(), size * u()}
			if !kind.conductance() { // as strong as a conductance at 50 mV
				s[0], x[0] = 50*s[0], 50*x[0]
			}
			var got [2]cellSolver
			var done [2]float64
			var crossed [2]bool
			for j := range got {
				w := &got[j]
				w.begin(r, o, i%o.n)
				w.passed, w.series = -1, j == 0
				w.y[0] = v
				copy(w.s, s)
				copy(w.x, x)
				done[j], crossed[j] = w.integrate(0.1)
			}
			if crossed[0] != crossed[1] || math.Abs(done[0]-done[1]) > seriesAgreement ||
				!(math.Abs(got[0].y[0]-got[1].y[0]) <= seriesAgreement) {
				t.Fatalf("%v, V %g, s %g, x %g: V %g at %g ms, crossed %t; Runge-Kutta %g at %g, %t", kind, v, s, x,
					got[0].y[0], done[0], crossed[0], got[1].y[0], done[1], crossed[1])
			}
			if crossed[0] {
				crossings++
			}
		}
		if crossings < 100 || crossings > 1900 {
			t.Errorf("%v: %d crossings in 2000 steps", kind, crossings)
		}
		n.Close()
	}
}

// TestFirstAbove: crossings are found where V rises slowly, or falls, at first, and is below the level at the end.
func TestFirstAbove(t *testing.T) {
	for _, c := range [][]float64{
		{-1, 0.1, 8, -8},
		{-1, -0.1, 8, -8},
		{-1, 1.5},
		{-1, 5, -4.5},
		{-0.01, 0.04, -0.039},
		{-1, 3, -2.5},
		{-1, 0.1, 6, -6},
		{-1, -2, -1},
	} {
		want := -1.0
		for i := range 1000001 {
			if y, _ := polynomial(c, float64(i)/1e6); y >= 0 {
				want = float64(i) / 1e6
				break
			}
		}
		if got := firstAbove(c, 0); math.Abs(got-want) > 2e-6 {
			t.Errorf("%v: 0 is reached at %g, want %g", c, got, want)
		}
	}
}
