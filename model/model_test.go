package model

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The Jacobian is the slope of the vector field, by central differences of two step sizes, extrapolated.
func TestJacobianIsTheSlopeOfDeriv(t *testing.T) {
	const tol = 1e-6 // relative; extrapolated differences of step 1e-3 lose about half the digits
	for _, m := range All {
		t.Run(m.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				p, d := m.Defaults(), len(m.States)
				y := make([]float64, d)
				m.Steady(p, rapid.Float64Range(-90, -35).Draw(t, "V"), y)
				for j := 1; j < d; j++ {
					y[j] *= rapid.Float64Range(0.5, 1.5).Draw(t, m.States[j].Name)
				}
				jac := make([]float64, d*d)
				m.Jacobian(p, 3, y, jac)
				for c := range d {
					slope := func(h float64) []float64 {
						up, down, a, b := slices.Clone(y), slices.Clone(y), make([]float64, d), make([]float64, d)
						up[c] += h
						down[c] -= h
						m.Deriv(p, 3, up, a)
						m.Deriv(p, 3, down, b)
						for r := range a {
							a[r] = (a[r] - b[r]) / (2 * h)
						}
						return a
					}
					coarse, fine := slope(2e-3), slope(1e-3)
					for r := range d {
						want := (4*fine[r] - coarse[r]) / 3
						if got := jac[r*d+c]; math.Abs(got-want) > tol*(1+math.Abs(want)) {
							t.Fatalf("at %v: d(d%s/dt)/d%s is %.12g, differences give %.12g", y, m.States[r].Name,
								m.States[c].Name, got, want)
						}
					}
				}
			})
		})
	}
}

func TestRatesAtTheirSingularities(t *testing.T) {
	if g := GatesAt(-40); g.AlphaM != 1 || g.DAlphaM != 0.05 {
		t.Errorf("alpha_m at -40 mV is %v with slope %v, want 1 and 0.05", g.AlphaM, g.DAlphaM)
	}
	if g := GatesAt(-55); g.AlphaN != 0.1 || g.DAlphaN != 0.005 {
		t.Errorf("alpha_n at -55 mV is %v with slope %v, want 0.1 and 0.005", g.AlphaN, g.DAlphaN)
	}
	for _, x := range []float64{-0.1, 0.1} { // both sides of where the slope changes its formula
		_, in := exprel(x * (1 - 1e-12))
		_, out := exprel(x * (1 + 1e-12))
		if math.Abs(in-out) > 1e-13 {
			t.Errorf("the slope of x/(1-exp(-x)) jumps from %v to %v at %v", in, out, x)
		}
	}
}

// The companion matrix of a polynomial has its roots as eigenvalues.
func TestDecays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.Float64Range(-2, 2).Filter(func(x float64) bool { return math.Abs(x) > 0.01 })
		c, want := []float64{1}, true // coefficients, that of the highest power first
		times := func(factor ...float64) {
			product := make([]float64, len(c)+len(factor)-1)
			for i, x := range c {
				for j, y := range factor {
					product[i+j] += x * y
				}
			}
			c = product
		}
		for range rapid.IntRange(0, 2).Draw(t, "real roots") {
			x := part.Draw(t, "root")
			times(1, -x)
			want = want && x < 0
		}
		for range rapid.IntRange(0, 1).Draw(t, "complex pairs") {
			re, im := part.Draw(t, "real part"), part.Draw(t, "imaginary part")
			times(1, -2*re, re*re+im*im)
			want = want && re < 0
		}
		d := len(c) - 1
		jac := make([]float64, d*d)
		for i := range d {
			jac[i] = -c[i+1]
			if i > 0 {
				jac[i*d+i-1] = 1
			}
		}
		if got := Decays(jac, d); got != want {
			t.Fatalf("polynomial %v: all roots left of 0: %t, want %t", c, got, want)
		}
	})
}

// The default initial state of every model is an equilibrium, or as documented where there is no stable one.
func TestInitial(t *testing.T) {
	for _, m := range All {
		for _, s := range append(m.Presets(), Preset{Name: "", Params: m.Defaults()}) {
			y, dy := make([]float64, len(m.States)), make([]float64, len(m.States))
			m.Initial(s.Params, y)
			m.Deriv(s.Params, 0, y, dy)
			if m == RHHModel && s.Name == "brainpy" {
				if y[0] != -65 {
					t.Errorf("rhh:brainpy has no stable rest and should start at -65 mV, not %v", y[0])
				}
				continue
			}
			if s.Name == "naud-delayed-burst" { // a R = -1: the leak is cancelled, the only equilibrium is a saddle
				if y[0] != -65 || y[1] != 0 {
					t.Errorf("adex:naud-delayed-burst has no stable rest and should start at V_rest with w = 0, not %v", y)
				}
				continue
			}
			if m == HHTMModel && s.Name == "" { // it fires without an input
				if y[0] != -65 {
					t.Errorf("hhtm has no stable rest and should start at -65 mV, not %v", y[0])
				}
				continue
			}
			for j, x := range dy {
				if math.Abs(x) > 1e-9 {
					t.Errorf("%s:%s is not at rest at %v: d%s/dt is %v", m.Name, s.Name, y, m.States[j].Name, x)
				}
			}
		}
	}
}

func TestPresetsMakeSense(t *testing.T) {
	n := 0
	for _, m := range All {
		for _, s := range m.Presets() {
			n++
			if err := m.Check(s.Params); err != nil {
				t.Errorf("%s:%s: %v", m.Name, s.Name, err)
			}
			if s.Source == "" {
				t.Errorf("%s:%s names no source", m.Name, s.Name)
			}
		}
	}
	if n != 23 {
		t.Errorf("%d presets, want 23", n)
	}
}

// The default step of a method is accurate for every published set of parameters, and an accurate step is usable.
func TestStepLimits(t *testing.T) {
	for _, m := range All {
		for _, s := range append([]Preset{{Params: m.Defaults()}}, m.Presets()...) {
			for _, q := range m.Methods {
				usable, accurate := m.StepLimits(q, s.Params)
				if !(0 < q.Dt && q.Dt <= accurate && accurate <= usable) {
					t.Errorf("%s:%s, method %s: default %v ms, accurate up to %v ms, usable up to %v ms", m.Name,
						s.Name, q.Name, q.Dt, accurate, usable)
				}
			}
		}
	}
}

// Steps are counted between spikes, from the end of refractoriness.
func TestCrowded(t *testing.T) {
	m, err := Lookup("eif")
	if err != nil {
		t.Fatal(err)
	}
	q, err := m.Method("euler")
	if err != nil {
		t.Fatal(err)
	}
	const dt = 0.05
	enough := q.Steps * dt
	if q.Crowded(enough, dt) || !q.Crowded(0.99*enough, dt) {
		t.Errorf("%v ms are %v steps of %v ms: enough %t; and a hundredth less: %t", enough, q.Steps, dt,
			!q.Crowded(enough, dt), !q.Crowded(0.99*enough, dt))
	}
	if exact := All[0].Methods[0]; exact.Name != "exact" || exact.Crowded(1e-6, 1) {
		t.Error("the exact method needs no steps between spikes")
	}
}

func TestCheckNamesAllFaults(t *testing.T) {
	p := AdExModel.Defaults()
	p[AdExModel.Index("tau")] = 0
	p[AdExModel.Index("tau_w")] = math.NaN()
	p[AdExModel.Index("t_ref")] = -1
	err := AdExModel.Check(p)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"tau is 0 ms", "tau_w is NaN", "t_ref is -1 ms"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not name %q", err, want)
		}
	}
	p = LIFModel.Defaults()
	p[LIFModel.Index("V_reset")] = 20
	if err := LIFModel.Check(p); err == nil || !strings.Contains(err.Error(),
		"V_reset (20 mV) is not below V_th (20 mV)") {
		t.Errorf("V_reset at V_th: got error %v", err)
	}
}

func TestParseQuantity(t *testing.T) {
	for _, c := range []struct {
		text, unit string
		want       float64
	}{
		{"10", "ms", 10},
		{"10ms", "ms", 10},
		{" 2 s", "ms", 2000},
		{"0.8nA", "pA", 800},
		{"3us", "ms", 0.003},
		{"3µs", "ms", 0.003},
		{"1e3", "ms", 1000},
		{"1e-3s", "ms", 1},
		{"-70mV", "mV", -70},
		{"30MOhm", "GOhm", 0.03},
		{"0.3mS/cm²", "mS/cm2", 0.3},
		{"10S/m2", "mS/cm2", 1},
		{"0.855", "1", 0.855},
	} {
		got, err := ParseQuantity(c.text, c.unit)
		if err != nil || math.Abs(got-c.want) > 1e-15*math.Abs(c.want) {
			t.Errorf("ParseQuantity(%q, %q) = %v, %v; want %v", c.text, c.unit, got, err, c.want)
		}
	}
	for _, c := range []struct{ text, unit, want string }{
		{"10mV", "ms", `wrong unit "mV"; it should be in ms`},
		{"ms", "ms", "not a finite number (in ms)"},
		{"1e999", "ms", "not a finite number"},
		{"nan", "ms", "not a finite number"},
		{"0.8ms", "1", "pure number"},
		{"", "ms", "not a finite number"},
	} {
		if _, err := ParseQuantity(c.text, c.unit); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ParseQuantity(%q, %q): error %v, want one with %q", c.text, c.unit, err, c.want)
		}
	}
}

func FuzzParseQuantity(f *testing.F) {
	f.Add("1e3ms", "ms")
	f.Add("-.5e+7µA/cm^2", "uA/cm2")
	f.Fuzz(func(t *testing.T, text, unit string) {
		if x, err := ParseQuantity(text, unit); err == nil && (math.IsNaN(x) || math.IsInf(x, 0)) {
			t.Errorf("ParseQuantity(%q, %q) = %v without an error", text, unit, x)
		}
	})
}

func TestNearest(t *testing.T) {
	for _, c := range []struct{ name, want string }{{"Lif", "lif"}, {"lfi", "lif"}, {"adx", "adex"}, {"izhikevich", ""}} {
		if got := Nearest(c.name, Names()); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}

// Initial states are found, or are NaN, at once, whatever finite values parameters have.
func TestInitialOfAbsurdParameters(t *testing.T) {
	for _, m := range All {
		for j, q := range m.Params {
			for _, x := range []float64{1e300, 1e308, 1e-300, -1e300, -1e308} {
				p := m.Defaults()
				if p[j] = x; m.Check(p) != nil {
					continue
				}
				start := time.Now()
				y := make([]float64, len(m.States))
				m.Initial(p, y)
				if took := time.Since(start); took > 5*time.Second { // a million evaluations of the rates take a tenth
					t.Errorf("%s %s=%g: %v for %v", m.Name, q.Name, x, took, y)
				}
			}
		}
	}
}
