package dynamics

import (
	"context"
	"math"
	"strconv"
	"testing"
	"time"
)

// Tolerances against the stored cycles. Rows marked "auto only" are canards with 7 digits.
const (
	periodTol     = 1e-7 // relative
	canardTol     = 2e-6 // relative; the stored period has 7 digits, and moves by 1e-6 when I moves by 1e-9
	vTol          = 2e-5 // mV, of the extremes
	multiplierTol = 1e-3 // relative to 1 + |multiplier|; the stored ones are difference quotients of a shooting map
	cycleFoldTol  = 1e-6
)

func mustBifurcation(t *testing.T, file, name string, gL float64, lo, hi float64) (*Diagram, []row) {
	t.Helper()
	m, p := mustModel(t, name, map[string]float64{"g_L": gL})
	free := Free{Name: "I", Lo: lo, Hi: hi}
	stored := mustTable(t, "bif/cycles_"+file+".csv")
	for _, r := range stored {
		free.Marks = append(free.Marks, r.num(t, "I"))
	}
	began := time.Now()
	d, err := Bifurcation(context.Background(), m, p, 0, free)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d branches, %d special points in %v; warnings %v", len(d.Branches), len(d.Points), time.Since(began),
		d.Warnings)
	return d, stored
}

func TestCyclesMatchStoredOnes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, model string
		gL, lo, hi  float64
		slow        bool
	}{
		{"RHH_gL0.3", "rhh", 0.3, -5, 20, false},
		{"RHH_gL0.03", "rhh", 0.03, -5, 40, true},
		{"HH_gL0.3", "hh", 0.3, -5, 170, true},
		{"HH_gL0.03", "hh", 0.03, -5, 170, true},
	} {
		t.Run(c.file, func(t *testing.T) {
			if c.slow && testing.Short() {
				t.Skip("takes a whole diagram")
			}
			d, stored := mustBifurcation(t, c.file, c.model, c.gL, c.lo, c.hi)
			worstT, worstV, worstM := 0.0, 0.0, 0.0
			for _, want := range stored {
				i, period := want.num(t, "I"), want.num(t, "period_ms")
				best := Row{Period: math.Inf(1)}
				for _, b := range d.Branches {
					for _, r := range b.Rows {
						if b.Kind == Cycle && r.Parameter == i &&
							math.Abs(r.Period-period) < math.Abs(best.Period-period) {
							best = r
						}
					}
				}
				off, tol := math.Abs(best.Period/period-1), periodTol
				if want["abs_dT_auto"] == "auto only" {
					tol = canardTol
				} else {
					worstT = max(worstT, off)
				}
				if !(off < tol) {
					t.Errorf("I = %v: period %.12g, want %.12g ms", i, best.Period, period)
					continue
				}
				if best.Stable != (want["stability"] == "stable") {
					t.Errorf("I = %v, period %.6g: stable = %v, want %s", i, period, best.Stable, want["stability"])
				}
				if tol == canardTol {
					continue
				}
				dv := max(math.Abs(best.VMin-want.num(t, "V_min")), math.Abs(best.VMax-want.num(t, "V_max")))
				if worstV = max(worstV, dv); dv > vTol {
					t.Errorf("I = %v, period %.6g: V from %.10g to %.10g, want %s to %s", i, period, best.VMin,
						best.VMax, want["V_min"], want["V_max"])
				}
				if f, err := strconv.ParseFloat(want["floquet1_re"], 64); err == nil && want.num(t,
					"shooting_residual") < 1e-15 {
					dm := math.Abs(real(best.Spectrum[0])-f) / (1 + math.Abs(f))
					if worstM = max(worstM, dm); dm > multiplierTol {
						t.Errorf("I = %v, period %.6g: multiplier %v, want %v", i, period, best.Spectrum[0], f)
					}
				}
			}
			t.Logf("largest deviations: period %.1e relative, extremes %.1e mV, multiplier %.1e", worstT, worstV,
				worstM)
			var folds []struct {
				Type string
				I    number
			}
			mustJSON(t, "bif/cycle_folds_"+c.file+".json", &folds)
			for _, want := range folds {
				label := CycleFold
				switch want.Type[:6] {
				case "homocl":
					label = Homoclinic
				case "saddle":
					if want.Type[:15] == "saddle-node on " {
						label = SNIC
					}
				}
				nearest := math.Inf(1)
				for _, q := range d.Points {
					if q.Label == label {
						nearest = min(nearest, math.Abs(q.Parameter-float64(want.I)))
					}
				}
				if !(nearest < cycleFoldTol) {
					t.Errorf("no %s at I = %.12g; the nearest is %.1e away", label, float64(want.I), nearest)
				} else {
					t.Logf("%s at %.12g: off by %.1e", label, float64(want.I), nearest)
				}
			}
		})
	}
}

// In the plane the nontrivial multiplier is the exponential of the divergence's integral over the cycle.
func TestMultiplierIsExponentialOfDivergence(t *testing.T) {
	m, p := mustModel(t, "rhh", map[string]float64{"g_L": 0.03})
	const i = 35
	s := newSystem(m, p, i, "I")
	c := newCycleTracer(s, Free{Name: "I", Lo: 30, Hi: 40}, nil)
	for _, f := range s.planarCycles() {
		r, err := c.solvedAt(c.guess(f, i, meshIntervals), 3)
		if err != nil {
			t.Fatal(err)
		}
		sign := 1.0
		if f.backwards {
			sign = -1
		}
		jac := make([]float64, 4)
		st := newStepper(3, reference, func(_ float64, y, dy []float64) {
			m.Deriv(p, i, y[:2], dy[:2])
			m.Jacobian(p, i, y[:2], jac)
			dy[0], dy[1], dy[2] = sign*dy[0], sign*dy[1], jac[0]+jac[3]
		})
		y := []float64{r.u[0], r.u[1], 0}
		for range 2 { // once round to fall onto the cycle
			y[2] = 0
			if err := st.to(0, y, r.period); err != nil {
				t.Fatal(err)
			}
		}
		if want := math.Exp(y[2]); math.Abs(real(r.spectrum[0])-want) > 1e-5*want+1e-20 {
			t.Errorf("period %.6g: multiplier %v, want %v", r.period, r.spectrum[0], want)
		}
	}
}

// to integrates y in place from x to end.
func (s *stepper) to(x float64, y []float64, end float64) error {
	out := make([]float64, len(y))
	for h := (end - x) / 16; x != end; {
		made, next, err := s.advance(x, y, end, h, out)
		if err != nil {
			return err
		}
		if x += made; math.Abs(end-x) < 1e-15*math.Abs(end) || made == end-x {
			x = end
		}
		h = next
		copy(y, out)
	}
	return nil
}
