package dynamics

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

const lineTol = 1e-3 // relative error of the period on straight lines between rows

// The stored branches were continued by another program with its own rows; every one of them must lie on the polygon of
// ours, whichever part of the branch that is.
func TestStraightLinesGiveThePeriod(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes whole diagrams")
	}
	for _, c := range []struct {
		model  string
		lo, hi float64
		files  []string
	}{
		{"rhh", -5, 20, []string{"bif/auto_cycles_RHH_gL0.3_up.csv", "bif/auto_cycles_RHH_gL0.3_down.csv"}},
		{"hh", 0, 170, []string{"bif/auto_cycles_HH_gL0.3.csv"}},
	} {
		m, p := mustModel(t, c.model, nil)
		d, err := Bifurcation(context.Background(), m, p, 0, Free{Name: "I", Lo: c.lo, Hi: c.hi})
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range c.files {
			for _, r := range mustTable(t, file) {
				if r["type"] == "MX" || r.num(t, "V_min") == r.num(t, "V_max") || r.num(t, "I") > 154.52 {
					continue
				}
				i, period := r.num(t, "I"), r.num(t, "period_ms")
				if off := periodOff(d, i, period); off > lineTol {
					t.Errorf("%s: I = %v, period %v: the polygon passes %.1e away", file, i, period, off)
				}
			}
		}
	}
}

// periodOff is the relative distance in period, at parameter x, of the nearest polygon of cycles; on the vertical parts
// of a canard, where x has no period of its own, the distance at an x within 1e-6.
func periodOff(d *Diagram, x, period float64) float64 {
	nearest := math.Inf(1)
	for _, b := range d.Branches {
		for k := 1; b.Kind == Cycle && k < len(b.Rows); k++ {
			p, q := b.Rows[k-1], b.Rows[k]
			if x < min(p.Parameter, q.Parameter)-1e-6 || x > max(p.Parameter, q.Parameter)+1e-6 {
				continue
			}
			if math.Abs(p.Parameter-q.Parameter) < 1e-6 && (period-p.Period)*(period-q.Period) <= 0 {
				return 0
			}
			w := min(1, max(0, (x-p.Parameter)/(q.Parameter-p.Parameter)))
			nearest = min(nearest, math.Abs(p.Period+w*(q.Period-p.Period)-period)/period)
		}
	}
	return nearest
}

func TestFourCyclesBetweenTheFolds(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("four variables take a second")
	}
	m, p := mustModel(t, "hh", nil)
	// The Hopf point from which three of them come lies outside the interval.
	d, err := Bifurcation(context.Background(), m, p, 0, Free{
		Name: "I", Lo: 7.5, Hi: 9,
		Marks: []float64{7.8, 7.9, 8.5},
	})
	if err != nil || len(d.Warnings) > 0 {
		t.Fatal(err, d.Warnings)
	}
	for _, want := range []struct {
		i                float64
		stable, unstable int
	}{{7.8, 1, 1}, {7.9, 1, 3}, {8.5, 1, 1}} {
		stable, unstable := 0, 0
		for _, b := range d.Branches {
			for _, r := range b.Rows {
				switch {
				case b.Kind != Cycle || r.Parameter != want.i:
				case r.Stable:
					stable++
				default:
					unstable++
				}
			}
		}
		if stable != want.stable || unstable != want.unstable {
			t.Errorf("I = %v: %d stable and %d unstable cycles, want %+v", want.i, stable, unstable, want)
		}
	}
}

// Where V is much quicker than w the cycle that begins at a Hopf point is a canard after a few hundredths of a mV: only
// the first ones are near the harmonic oscillation. It ends in a homoclinic orbit of the saddle.
func TestCanardBornAtHopfPoint(t *testing.T) {
	t.Parallel()
	m, p := mustModel(t, "adex", map[string]float64{
		"V_rest": -69.6, "R": 0.55, "tau": 3.4, "V_T": -57.9, "delta_T": 0.3, "V_th": -55.4, "V_reset": -61, "tau_w": 120,
		"a": 0.32, "b": 10,
	})
	d, err := Bifurcation(context.Background(), m, p, 0, Free{Name: "I", Lo: 24.4, Hi: 24.6})
	if err != nil || len(d.Warnings) > 0 {
		t.Fatal(err, d.Warnings)
	}
	var labels []string
	for _, q := range d.Points {
		labels = append(labels, q.Label)
	}
	if !slices.Contains(labels, Hopf) || !slices.Contains(labels, Homoclinic) {
		t.Errorf("special points %v; want a Hopf point and the homoclinic orbit in which its cycles end", labels)
	}
}

func TestOtherValuesOfNPlusH(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes whole diagrams")
	}
	m, p := mustModel(t, "rhh", map[string]float64{"n_plus_h": 0.8})
	d, err := Bifurcation(context.Background(), m, p, 0, Free{Name: "I", Lo: -20, Hi: 260})
	if err != nil || len(d.Warnings) > 0 {
		t.Fatal(err, d.Warnings)
	}
	var hopfs []float64
	for _, q := range d.Points {
		if q.Label == Hopf {
			hopfs = append(hopfs, q.Parameter)
			if q.Criticality != "sub" {
				t.Errorf("the Hopf point at I = %v is %scritical", q.Parameter, q.Criticality)
			}
		}
	}
	if len(hopfs) != 2 || math.Abs(hopfs[0]+3.132) > 1e-3 || math.Abs(hopfs[1]-250.06) > 1e-2 {
		t.Errorf("Hopf points at %v, want -3.132 and 250.06", hopfs)
	}
	m, p = mustModel(t, "rhh", map[string]float64{"n_plus_h": 0.9})
	if d, err = Bifurcation(context.Background(), m, p, 0, Free{Name: "I", Lo: -20, Hi: 60}); err != nil ||
		len(d.Points) != 0 || len(d.Branches) != 1 {
		t.Errorf("n_plus_h = 0.9: %v, points %+v, %d branches; want one branch of equilibria and nothing else", err,
			d.Points, len(d.Branches))
	}
}

// The isola has no end; over another parameter the same cycles are found, and at the same values.
func TestIsolaIsClosedAndCutsThroughOtherDiagrams(t *testing.T) {
	t.Parallel()
	m, p := mustModel(t, "rhh", nil)
	over := func(i float64, free Free) *Diagram {
		d, err := Bifurcation(context.Background(), m, p, i, free)
		if err != nil || len(d.Warnings) > 0 {
			t.Fatal(err, d.Warnings)
		}
		return d
	}
	isola := over(0, Free{Name: "I", Lo: -5, Hi: 20, Marks: []float64{5}})
	if len(isola.Branches) != 2 || isola.Branches[1].From != Closed || isola.Branches[1].To != Closed {
		t.Errorf("%d branches; want the equilibria and one closed branch of cycles", len(isola.Branches))
	}
	across := over(5, Free{Name: "n_plus_h", Lo: 0.84, Hi: 0.9, Marks: []float64{0.855}})
	count := 0
	for _, r := range isola.Branches[1].Rows {
		if r.Parameter != 5 {
			continue
		}
		count++
		same := false
		for _, b := range across.Branches {
			for _, q := range b.Rows {
				same = same || b.Kind == Cycle && q.Parameter == 0.855 && math.Abs(q.Period/r.Period-1) < 1e-9 &&
					q.Stable == r.Stable
			}
		}
		if !same {
			t.Errorf("the cycle with period %v is not found over n_plus_h", r.Period)
		}
	}
	if count != 2 {
		t.Errorf("%d cycles at I = 5, want 2", count)
	}
}

func TestPeakOfTheCycleSinks(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("four variables take a second")
	}
	var stored struct {
		At20 []number `json:"cycle_peak_crosses_20mV"`
		At0  []number `json:"cycle_peak_crosses_0mV"`
		Low  []number `json:"cycle_peak_crosses_-20mV"`
	}
	mustJSON(t, "fi/thresholds_HH_gL0.3.json", &stored)
	peaks := map[float64]float64{float64(stored.At20[0]): 20, float64(stored.At0[0]): 0, float64(stored.Low[0]): -20}
	m, p := mustModel(t, "hh", nil)
	free := Free{Name: "I", Lo: 20, Hi: 120}
	for i := range peaks {
		free.Marks = append(free.Marks, i)
	}
	d, err := Bifurcation(context.Background(), m, p, 0, free)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, b := range d.Branches {
		for _, r := range b.Rows {
			if want, marked := peaks[r.Parameter]; marked && b.Kind == Cycle {
				if seen++; math.Abs(r.VMax-want) > 1e-6 {
					t.Errorf("I = %v: peak at %v mV, want %v", r.Parameter, r.VMax, want)
				}
			}
		}
	}
	if seen != len(peaks) {
		t.Errorf("%d rows at the marks, want %d", seen, len(peaks))
	}
}

func TestBifurcationRefuses(t *testing.T) {
	m, p := mustModel(t, "rhh", nil)
	_, err := Bifurcation(context.Background(), m, p, 0, Free{Name: "g_Ca", Lo: 0, Hi: 1})
	if err == nil || !strings.Contains(err.Error(), `rhh has no parameter "g_Ca"`) {
		t.Errorf("unknown parameter: %v", err)
	}
	if _, err := Bifurcation(context.Background(), m, p, 0, Free{Name: "I", Lo: 1, Hi: 1}); err == nil {
		t.Error("an empty interval is accepted")
	}
	if _, err := Bifurcation(context.Background(), m, p, 0, Free{Name: "C", Lo: -1, Hi: 1}); err == nil {
		t.Error("a negative capacitance is accepted")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if d, err := Bifurcation(ctx, m, p, 0, Free{Name: "I", Lo: -5, Hi: 20}); !errors.Is(err, context.Canceled) ||
		len(d.Branches) == 0 {
		t.Errorf("cancelled: %v", err)
	}
}

func TestModelsOfOneVariable(t *testing.T) {
	m, p := mustModel(t, "lif", nil)
	d, err := Bifurcation(context.Background(), m, p, 0, Free{Name: "I", Lo: -10, Hi: 40})
	if err != nil || len(d.Branches) != 1 || d.Branches[0].To != BranchEnd || d.Points[0].Parameter != 20 {
		t.Errorf("lif: %v %+v; want one branch that ends at V_th with I = 20", err, d.Points)
	}
	m, p = mustModel(t, "eif", nil)
	d, err = Bifurcation(context.Background(), m, p, 0, Free{Name: "I", Lo: -10, Hi: 40})
	if err != nil || len(d.Points) != 1 || d.Points[0].Label != Fold || math.Abs(d.Points[0].Parameter-1.62) > 1e-12 {
		t.Errorf("eif: %v %+v; want a fold at I = 1.62", err, d.Points)
	}
}

// TestNoFoldsOfNoise follows a cycle of 0.24 mV to its homoclinic orbit, near which I is constant except for its last
// bits.
func TestNoFoldsOfNoise(t *testing.T) {
	m, p := mustModel(t, "adex", map[string]float64{
		"V_rest": -58, "V_reset": -46, "V_th": 0, "V_T": -50, "delta_T": 2, "R": 0.1, "tau": 20, "a": 2, "b": 100,
		"tau_w": 120,
	})
	d, err := Bifurcation(context.Background(), m, p, 0, Free{Name: "I", Lo: 76.3, Hi: 76.4})
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, q := range d.Points {
		count[q.Label]++
	}
	if count[CycleFold] != 0 || count[Homoclinic] != 1 || count[Hopf] != 1 {
		t.Errorf("special points %v; want a Hopf point, a homoclinic orbit, and no fold of cycles", count)
	}
}

// TestEveryBranchOnce takes windows in which a branch is reached from both of its Hopf points or by searches, with rows
// so far apart that straight lines between them miss its cycles. No branch may come twice, and none is missed or
// stopped.
func TestEveryBranchOnce(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes whole diagrams")
	}
	const tol = 2e-6 // of I: the stored folds have eight digits
	for _, c := range []struct {
		set    map[string]float64
		lo, hi float64
		cycles int // curves of cycles
		folds  []float64
	}{
		{map[string]float64{"g_K": 53.1}, 50, 90, 2, []float64{57.3224645, 63.180997, 77.146165, 69.276806}},
		{map[string]float64{"g_K": 53.1}, -10, 90, 1, []float64{
			57.3224645, 63.180997, 77.146165, 69.276806,
			35.021911,
		}},
		{map[string]float64{"g_K": 53.125}, -10, 90, 1, []float64{57.660018, 76.970244, 35.140825}},
		{
			map[string]float64{
				"g_Na": 174.5, "g_K": 22.7, "g_L": 0.248, "E_Na": 55.4, "E_K": -74.6, "E_L": -59.4,
				"C": 0.65,
			},
			-20, 250, 1,
			[]float64{-1.26193707, -1.24584026, -1.317410},
		},
	} {
		m, p := mustModel(t, "hh", c.set)
		d, err := Bifurcation(context.Background(), m, p, 0, Free{Name: "I", Lo: c.lo, Hi: c.hi})
		if err != nil || len(d.Warnings) > 0 {
			t.Fatal(c.set, err, d.Warnings)
		}
		cycles := 0
		for _, b := range d.Branches {
			if b.Kind == Cycle {
				cycles++
			}
		}
		var folds []float64
		for _, q := range d.Points {
			if q.Label == CycleFold {
				folds = append(folds, q.Parameter)
			}
		}
		if cycles != c.cycles || len(folds) != len(c.folds) {
			t.Errorf("%v: %d curves of cycles with folds %v, want %d with %v", c.set, cycles, folds, c.cycles, c.folds)
		}
		for _, want := range c.folds {
			if !slices.ContainsFunc(folds, func(x float64) bool { return math.Abs(x-want) < tol }) {
				t.Errorf("%v: folds of cycles at %v, none at %v", c.set, folds, want)
			}
		}
	}
}

// TestIsolasInWideWindows: cycles that no Hopf point leads to, narrow beside the interval. Ends by AUTO-07p from an
// integrated cycle.
func TestIsolasInWideWindows(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes whole diagrams")
	}
	const tol = 1e-6 // of I: seven digits are known
	for _, c := range []struct {
		model  string
		set    map[string]float64
		lo, hi float64
		folds  [2]float64
	}{
		{"hh", map[string]float64{"g_K": 54.7}, -20, 200, [2]float64{46.69133187, 62.41688596}},
		{"rhh", map[string]float64{"g_L": 0.34}, -40, 100, [2]float64{0.8325862, 5.2045244}},
	} {
		m, p := mustModel(t, c.model, c.set)
		d, err := Bifurcation(context.Background(), m, p, 0, Free{Name: "I", Lo: c.lo, Hi: c.hi})
		if err != nil || len(d.Warnings) > 0 {
			t.Fatal(c.model, c.set, err, d.Warnings)
		}
		var folds []float64
		for _, q := range d.Points {
			if q.Label == CycleFold {
				folds = append(folds, q.Parameter)
			}
		}
		slices.Sort(folds)
		if len(folds) != 2 || math.Abs(folds[0]-c.folds[0]) > tol || math.Abs(folds[1]-c.folds[1]) > tol {
			t.Errorf("%s %v: folds of cycles at %v, want %v", c.model, c.set, folds, c.folds)
		}
	}
}
