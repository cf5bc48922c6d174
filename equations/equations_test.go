package equations

import (
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"popsim/fault"
	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
)

func load(t *testing.T, path string) *model.Model {
	t.Helper()
	m, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// spikes are the spike times (ms) of one neuron with the defaults of m, but for a current.
func spikes(t *testing.T, m *model.Model, method string, current, dt, duration float64) (times []float64) {
	t.Helper()
	cfg := pop.Config{Dt: dt, Workers: 1, Spike: func(s []pop.Spike) error {
		for _, x := range s {
			times = append(times, x.Time)
		}
		return nil
	}}
	spec := pop.Spec{Model: m, Method: method, N: 1, I: kernels.Values{current}}
	if _, err := pop.Run(context.Background(), spec, cfg, duration); err != nil {
		t.Fatal(err)
	}
	return times
}

// Spikes and resets keep their place inside the step: rk4 converges with order 4 through ten of them. The time at the
// finest step is that of the prototype that measured the design, which is another program.
func TestSpikesConverge(t *testing.T) {
	m := load(t, "library/izhikevich.toml")
	const exact = 384.743992960 // by Richardson's extrapolation from steps of 0.0125 and 0.00625 ms
	last := func(dt float64) float64 {
		s := spikes(t, m, "rk4", 10, dt, 400)
		if len(s) != 10 {
			t.Fatalf("%d spikes with steps of %v ms, want 10", len(s), dt)
		}
		return math.Abs(s[9] - exact)
	}
	coarse, fine := last(0.05), last(0.0125)
	if order := math.Log(coarse/fine) / math.Log(4); !(order > 3.7) {
		t.Errorf("errors %.3g and %.3g ms at 0.05 and 0.0125 ms: order %.2f, want 4", coarse, fine, order)
	}
}

// The Jacobian is the derivative of the field.
func TestJacobian(t *testing.T) {
	for _, path := range libraryPaths(t) {
		m := load(t, path)
		n := len(m.States)
		p, y := m.Defaults(), make([]float64, n)
		m.Initial(p, y)
		current := m.Given[0].I
		jac, up, down := make([]float64, n*n), make([]float64, n), make([]float64, n)
		m.Jacobian(p, current, y, jac)
		for j := range n {
			const h = 2e-6 // of a state and one unit: cubes of gates lose 4e-12, rounding 1e-10 of the scale of the field
			d := h * (1 + math.Abs(y[j]))
			at := y[j]
			y[j] = at + d
			m.Deriv(p, current, y, up)
			y[j] = at - d
			m.Deriv(p, current, y, down)
			y[j] = at
			for i := range n {
				want := (up[i] - down[i]) / (2 * d)
				if scale := 1 + math.Abs(want) + math.Abs(up[i])/d*1e-4; math.Abs(jac[i*n+j]-want) > 1e-6*scale {
					t.Errorf("%s: d(d%s/dt)/d%s is %v, by differences %v", path, m.States[i].Name, m.States[j].Name, jac[i*n+j], want)
				}
			}
		}
	}
}

func libraryPaths(t *testing.T) (paths []string) {
	entries, err := os.ReadDir("library")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		paths = append(paths, "library/"+e.Name())
	}
	return paths
}

const faulty = `
[neuron]
name = "bad neuron"
units = "lose"
speed = 3
[parameters]
C = "1 uF/cm2"
exp = 3
g = { value = "1 mS/cm2", domain = "positve" }
tau = { value = "-2 ms", domain = "positive" }
unused = "1 mV"
I = "1 uA/cm2"
[states]
V = "-65 mV"
n = 0.3
[let]
a = "b + 1"
b = "a"
alpha = "1/ms * exp(V)"
[equations]
V = "(I - g*(V - 3 ms))/C"
n = "alpha*(1 - n) - betaa*n + floor(n)/ms"
W = "1"
[spike]
when = "V - 3 mV"
reset = { V = "-65 ms", x = "1" }
rearm = "20 mV"
[preset.one]
C = "3 mV"
Cm = 3
`

func TestFaults(t *testing.T) {
	_, err := Parse("f.toml", []byte(faulty))
	text := ""
	for _, l := range fault.Lines(err, nil) {
		text += l.Text + "\n"
	}
	for _, want := range []string{
		`f.toml:3:1: name is "bad neuron"; letters, digits, - and _ will do`,
		`f.toml:4:1: units is "lose"; it may be strict or loose`,
		`f.toml:5:1: [neuron] has no key "speed"`,
		`f.toml:8:1: exp: the name is reserved`,
		`f.toml:9:27: domain is "positve"`,
		`f.toml:10:9: tau is -2 ms; it must be greater than 0`,
		`f.toml:18:6: b: a depends on itself`,
		`f.toml:19:17: alpha: exp of mV; it takes a pure number`,
		`f.toml:21:16: V: difference of mV and ms`,
		`f.toml:22:22: n: unknown name "betaa"`,
		`f.toml:23:1: [equations] has no key "W"`,
		`f.toml:25:11: when: no comparison; conditions are written V >= V_peak`,
		`f.toml:29:6: C is in mV; it should be in uF/cm2`,
		`f.toml:30:1: preset one has no key "Cm"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no fault %s", want)
		}
	}
	if t.Failed() {
		t.Log("\n" + text)
	}
}

// No file makes the program panic: a file read without error can be evaluated and advanced.
func FuzzParse(f *testing.F) {
	f.Add(faulty)
	for _, path := range []string{"library/izhikevich.toml", "library/fitzhugh-nagumo.toml"} {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, content string) {
		begin := time.Now()
		defer func() {
			if d := time.Since(begin); d > 10*time.Second { // a busy machine takes some tenths of a second
				t.Errorf("it took %v", d)
			}
		}()
		m, err := Parse("fuzz.toml", []byte(content))
		if err != nil {
			return
		}
		spec := pop.Spec{Model: m, N: 1}
		_, _ = pop.Run(context.Background(), spec, pop.Config{Workers: 1}, 3*m.Methods[0].Dt)
		y := make([]float64, len(m.States))
		m.Initial(m.Defaults(), y)
		m.Steady(m.Defaults(), y[0], y)
	})
}

// The longest and deepest formulas that are read take no long time.
func TestLongFormulas(t *testing.T) {
	const frame = `
[neuron]
name = "long"
units = "loose"
[parameters]
I = 0
[states]
V = 0.1
w = 0.2
[equations]
V = "%s + I"
w = "V - w"
[spike]
when = "V > 1"
rearm = 0.1
`
	sum, product, nested := "V", "V", "V"
	for i := range 120 {
		sum += fmt.Sprintf(" + %d.5*V^%d*exp(-V/%d)", i, i%60+2, i+3)
		product += fmt.Sprintf("*(V + %d)/(w + %d)", i, i)
	}
	for range 60 {
		nested = "exp(" + nested + "/(1 + V^2))"
	}
	for name, formula := range map[string]string{"sum": sum, "product": product, "nested": nested} {
		begin := time.Now()
		m, err := Parse("long.toml", []byte(fmt.Sprintf(frame, formula)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, q := range m.Methods {
			if _, err := kernels.For(m, q, kernels.Auto); err != nil {
				t.Error(err)
			}
		}
		if d := time.Since(begin); d > 10*time.Second { // a quiet core takes half a second
			t.Errorf("%s: %v", name, d)
		}
	}
}

// Methods have the stated order: the period of Hodgkin and Huxley's neuron, whose exact value is that of rk4 at a fine
// step, which the built-in rk4 gives too.
func TestOrders(t *testing.T) {
	m := load(t, "testdata/hh.toml")
	period := func(method string, dt float64) float64 {
		s := spikes(t, m, method, 10, dt, 120)
		return s[7] - s[6]
	}
	exact := period("rk4", 1.0/256)
	builtIn := spikes(t, model.HHModel, "rk4", 10, 1.0/256, 120)
	// the built-in model starts elsewhere, and is on its cycle to this (ms) after seven spikes
	if d := math.Abs(exact - builtIn[7] + builtIn[6]); d > 1e-7 {
		t.Errorf("the period is off that of the built-in model by %.3g ms", d)
	}
	for _, q := range m.Methods {
		if q.OnGrid {
			continue
		}
		coarse, fine := math.Abs(period(q.Name, 1.0/32)-exact), math.Abs(period(q.Name, 1.0/64)-exact)
		if order := math.Log2(coarse / fine); order < float64(q.Order)-0.3 {
			t.Errorf("%s: errors %.3g and %.3g ms, order %.2f, want %d", q.Name, coarse, fine, order, q.Order)
		}
	}
}

// The derivatives of the spike rule and of the field by the current are those that differences give.
func TestSpikeRuleDerivatives(t *testing.T) {
	for _, path := range libraryPaths(t) {
		m := load(t, path)
		n := len(m.States)
		p, y, current := m.Defaults(), make([]float64, n), m.Given[0].I
		m.Initial(p, y)
		rules := m.Spikes
		g, by, up, down := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
		const h = 1e-6 // formulas of a spike rule are at most quadratic: differences are good to rounding/h
		near := func(got, want, scale float64) bool { return math.Abs(got-want) <= 1e-6*(1+scale) }
		rules.Slope(p, y, g)
		rules.ByCurrent(p, current, y, by)
		m.Deriv(p, current+h, y, up)
		m.Deriv(p, current-h, y, down)
		var jac []float64
		if rules.Jump != nil {
			jac = make([]float64, n*n)
			rules.JumpJacobian(p, y, jac)
		}
		for j := range n {
			if want := (up[j] - down[j]) / (2 * h); !near(by[j], want, math.Abs(up[j])) {
				t.Errorf("%s: d slope %d by I is %v, want %v", path, j, by[j], want)
			}
		}
		for j := range n {
			at := y[j]
			y[j] = at + h
			high := rules.Excess(p, y)
			if jac != nil {
				rules.Jump(p, y, up)
			}
			y[j] = at - h
			low := rules.Excess(p, y)
			if jac != nil {
				rules.Jump(p, y, down)
			}
			y[j] = at
			if want := (high - low) / (2 * h); !near(g[j], want, math.Abs(high)) {
				t.Errorf("%s: gradient of the excess by %s is %v, want %v", path, m.States[j].Name, g[j], want)
			}
			for i := 0; jac != nil && i < n; i++ {
				if want := (up[i] - down[i]) / (2 * h); !near(jac[i*n+j], want, math.Abs(up[i])) {
					t.Errorf("%s: d jump %d by %d is %v, want %v", path, i, j, jac[i*n+j], want)
				}
			}
		}
	}
}
