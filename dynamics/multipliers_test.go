package dynamics

import (
	"math"
	"math/cmplx"
	"testing"
)

// TestMultipliersOnACanard: along the unstable cycles of hh over E_K a fold and a period doubling follow each other
// twice, the second time 2e-11 mV and 1e-4 ms apart. Both are true: the multipliers 1 at the fold and the one beyond it
// become a complex pair, which turns by half a circle within that distance. The values are from multiple shooting at
// the given period: 60 parts of the cycle, DOP853 of scipy at 2e-14 with the variational equation, eigenvalues of the
// product of the parts in 150 digits.
func TestMultipliersOnACanard(t *testing.T) {
	t.Parallel()
	const (
		tolerance = 2e-6 // relative; the largest multipliers change by 1e-6 for 1e-10 ms
		parameter = 1e-10
	)
	m, p := mustModel(t, "hh", nil)
	s := newSystem(m, p, 0, "E_K")
	free := Free{Name: "E_K", Lo: -100, Hi: -50}
	_, special, _ := equilibriumBranches(s, free)
	c := newCycleTracer(s, free, special)
	if _, _, err := c.fromHopf(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	r := c.sampled[0]
	for _, want := range []struct {
		period, ek    float64
		first, second complex128
	}{
		{23.77, -67.41535566307691, 2.8900361818, 0.776253116917},
		// between these two: the fold
		{23.8, -67.41535581706881, 1.44406527876 + 0.45362672123i, 1.44406527876 - 0.45362672123i},
		{23.95, -67.4152477843782, -0.935091930567 + 1.29327864742i, -0.935091930567 - 1.29327864742i},
		// the period doubling
		{24.05, -67.41507915013005, -5.4865588797, -0.498472193384},
		{34.134, -67.32001553320816, -2754848.15475, -0.00184428428022},
		{34.16, -67.32001384243897, -21253.5406513, -0.240940803958},
		// the second period doubling, and the second fold
		{34.1602, -67.3200138423006, 676.721778759, 7.5675863928},
		{34.168, -67.32001399076397, 867398.016944, 0.00591773002284},
	} {
		r = c.withPeriod(t, r, want.period)
		if math.Abs(r.mu-want.ek) > parameter {
			t.Errorf("period %v: E_K = %.13g, want %.13g", want.period, r.mu, want.ek)
		}
		for k, l := range []complex128{want.first, want.second} {
			if cmplx.Abs(r.spectrum[k]-l) > tolerance*cmplx.Abs(l) {
				t.Errorf("period %v: multiplier %.10g, want %.10g", want.period, r.spectrum[k], l)
			}
		}
	}
}

// withPeriod continues r along its branch to the given period, which is larger.
func (c *cycleTracer) withPeriod(t *testing.T, r cyclePoint, period float64) cyclePoint {
	t.Helper()
	for r.tangent.period < 0 {
		r.tangent = newOrbit(r.mesh, c.dim).plus(-1, r.tangent)
	}
	for ds := 0.2; ; {
		next, err := c.step(r, ds)
		switch {
		case err != nil:
			if ds /= 2; ds < smallestStep {
				t.Fatal(err)
			}
		case next.period > period:
			form := linear{u: make([]float64, len(r.u)), period: 1 / period}
			o, err := c.settle(r.plus((period-r.period)/r.tangent.period, r.tangent), r.orbit, form, 1)
			if err != nil {
				t.Fatal(err)
			}
			if r, err = c.measure(o, r.orbit, form); err != nil {
				t.Fatal(err)
			}
			return c.remeshed(r)
		default:
			r = c.remeshed(next)
		}
	}
}

// TestTorusNeedsAPairOnTheUnitCircle: multipliers that meet inside the unit circle and become a complex pair are no
// torus; a pair that crosses it is, whatever other pairs there are.
func TestTorusNeedsAPairOnTheUnitCircle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		before, after []complex128
		torus         bool
	}{
		{
			"two small multipliers meet",
			[]complex128{0.5 + 0.5i, 0.5 - 0.5i, 0.011, 0.009},
			[]complex128{0.5 + 0.5i, 0.5 - 0.5i, 0.01 + 0.001i, 0.01 - 0.001i},
			false,
		},
		{
			"a pair crosses beside another",
			[]complex128{0.9 + 0.42i, 0.9 - 0.42i, 0.1i, -0.1i},
			[]complex128{0.9 + 0.45i, 0.9 - 0.45i, 0.1i, -0.1i},
			true,
		},
		{
			"a pair crosses beside one outside",
			[]complex128{3i, -3i, 0.9 + 0.42i, 0.9 - 0.42i},
			[]complex128{3i, -3i, 0.9 + 0.45i, 0.9 - 0.45i},
			true,
		},
	} {
		_, _, before := cyclePoint{spectrum: c.before}.tests()
		_, _, after := cyclePoint{spectrum: c.after}.tests()
		if (before < 0) != (after < 0) != c.torus {
			t.Errorf("%s: the test of tori is %v, then %v; a torus is %t", c.name, before, after, c.torus)
		}
	}
}
