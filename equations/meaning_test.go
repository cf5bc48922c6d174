package equations

import (
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"popsim/equations/graph"
	"popsim/kernels"
	"popsim/kernels/vec"
	"popsim/tomltree"
)

// define reads a file as far as its formulas.
func define(t *testing.T, path string) *definition {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	root, err := tomltree.Read(path, data)
	if err != nil {
		t.Fatal(err)
	}
	d := newDefinition(path)
	d.read(root)
	if err := d.faults.Err(); err != nil {
		t.Fatal(err)
	}
	return d
}

// meaningError is the largest error of vector code against plain arithmetic on the formulas as they were written,
// relative to the largest part of a slope: shared exponentials multiply up to 160 rounded numbers, and sums are in
// another order.
const meaningError = 3e-13

// The vector code of the slopes computes the formulas, at states around the start and at singular voltages.
func TestVectorCodeMeansTheFormulas(t *testing.T) {
	for _, path := range libraryPaths(t) {
		d := define(t, path)
		written := append([]*graph.Node{}, d.slopes...)
		for i, f := range d.slopes {
			d.slopes[i] = d.singularities(f)
		}
		c := d.compile(methods[0])
		code, f, q := slopesCode(c)
		n := len(d.states)
		r := rand.New(rand.NewPCG(1, 1))
		states, starts := make([]float64, n*vec.FrameLanes), make([]float64, n)
		d.function(d.starts()...).run(q, 0, nil, starts)
		for j, start := range starts {
			for l := range vec.FrameLanes {
				x := start + (r.Float64()-0.5)*(1+math.Abs(start))
				if start > 0 && start < 1 {
					x = r.Float64()
				}
				states[j*vec.FrameLanes+l] = x
			}
		}
		copy(f.Before, states)
		for l := range f.Input {
			f.Input[l] = d.current.Default * r.Float64() * 2
		}
		code.Run(f) // After and Before have been exchanged
		plain := d.function(written...)
		y, want := make([]float64, n), make([]float64, n)
		for l := range vec.FrameLanes {
			for j := range n {
				y[j] = states[j*vec.FrameLanes+l]
			}
			plain.run(q, f.Input[l], y, want)
			for j := range n {
				scale := 1e-3 + math.Abs(want[j]) + d.largest(written[j], q, f.Input[l], y)
				if got := f.Before[j*vec.FrameLanes+l]; !(math.Abs(got-want[j]) <= meaningError*scale) {
					t.Errorf("%s: d%s/dt at %v: %v, want %v", path, d.states[j].Name, y, got, want[j])
				}
			}
		}
	}
}

// slopesCode is the vector code of the slopes, as Before of its frame after a run, and the parameters.
func slopesCode(c *compiled) (code vec.Executor, f *vec.Frame, q []float64) {
	p, coefs, n := c.program(), make([]float64, len(c.nodes)), len(c.states)
	for _, x := range c.parameters {
		q = append(q, x.Default)
	}
	p.Fold(q, 1, coefs) // dt is 1 ms: slopes are per step
	code = (&vec.Program{Name: c.name, Record: func(b *vec.Block) {
		var y []vec.Vec
		for j := range n {
			y = append(y, b.Load(vec.Before.Column(j)))
		}
		for j, v := range p.Slopes(b, y, kernels.Surroundings{
			I: b.Load(vec.Input.Column(0)), Coef: func(j int) vec.Vec { return b.Broadcast(vec.SharedValue(j)) },
		}) {
			b.Store(vec.After.Column(j), v)
		}
	}}).Compile().Executor()
	return code, &vec.Frame{
		Before: make([]float64, n*vec.FrameLanes), After: make([]float64, n*vec.FrameLanes),
		Input:  make([]float64, vec.FrameLanes),
		Shared: coefs, Lanes: vec.FrameLanes, Steps: 1,
	}, q
}

// centerError is the largest relative error of rates between -200 and 150 mV, whose exponentials are computed as e - 1:
// 1e-16 of e^12, and some more.
const centerError = 1e-10

// Rates whose exponentials are 1 at a singular voltage are right there, beside it, and far away; also with slopes that
// are exact numbers, for which the exponent could be 0.
func TestRatesAroundTheirCenter(t *testing.T) {
	for _, scale := range []string{"10 mV", "8 mV"} {
		text := strings.ReplaceAll(`
[neuron]
name = "rates"
[parameters]
I = "0 mV/ms"
[states]
V = "-40 mV"
m = 0
h = 0
[let]
alpha_m = "0.1/(mV*ms)*(V + 40 mV)/(1 - exp(-(V + 40 mV)/(SCALE)))"
beta_m  = "4/ms*exp(-(V + 65 mV)/(16 mV))"
beta_h  = "1/ms/(1 + exp(-(V + 35 mV)/(SCALE)))"
[equations]
V = "I"
m = "alpha_m*(1 - m) - beta_m*m"
h = "-beta_h*h"
[spike]
when  = "V >= 100 mV"
rearm = "20 mV"
`, "SCALE", scale)
		root, err := tomltree.Read("rates", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		d := newDefinition("rates")
		d.read(root)
		for i, f := range d.slopes {
			d.slopes[i] = d.singularities(f)
		}
		c := d.compile(methods[0])
		if !c.centered(0) {
			t.Fatalf("slopes of 1/(%s): no center", scale)
		}
		code, f, q := slopesCode(c)
		volts := []float64{-40, math.Nextafter(-40, 0), math.Nextafter(-40, -50), -40 - 1e-9, -40 + 1e-6, -39.9, 0}
		for len(volts) < vec.FrameLanes {
			volts = append(volts, -200+350*float64(len(volts))/vec.FrameLanes)
		}
		copy(f.Before, volts)
		for l := range volts {
			f.Before[vec.FrameLanes+l], f.Before[2*vec.FrameLanes+l] = float64(l%2), 1
		}
		code.Run(f)
		plain, want := d.function(d.slopes...), make([]float64, 3)
		for l, v := range volts {
			plain.run(q, 0, []float64{v, float64(l % 2), 1}, want)
			for j := 1; j < 3; j++ {
				if got := f.Before[j*vec.FrameLanes+l]; !(math.Abs(got-want[j]) <= centerError*math.Abs(want[j])) {
					t.Errorf("slopes of 1/(%s): state %d at %v mV: %v, want %v", scale, j, v, got, want[j])
				}
			}
		}
	}
}

// neverZero excludes the zero of a line, even where it is a number.
func TestNeverZero(t *testing.T) {
	for _, x := range [][2]float64{{-1.0 / 8, -5}, {1.0 / 720, 0}, {0.5, 0}, {-1.0 / 16, 2.5}, {-1.0 / 720, -40.0 / 720}} {
		slope, offset := neverZero(x[0], x[1])
		if at := -offset / slope; math.FMA(slope, at, offset) == 0 {
			t.Errorf("%v x + %v is 0 at %v", slope, offset, at)
		}
		if math.Abs(slope-x[0]) > 1e-15*math.Abs(x[0]) || math.Abs(offset-x[1]) > 1e-15*(1e-3+math.Abs(x[1])) {
			t.Errorf("%v x + %v became %v x + %v", x[0], x[1], slope, offset)
		}
	}
}

// largest is the largest value of any part of a formula that is a sum.
func (d *definition) largest(n *graph.Node, p []float64, i float64, y []float64) (most float64) {
	var parts []*graph.Node
	graph.Each(func(n *graph.Node) {
		if n.Kind == graph.Add || n.Kind == graph.Sub {
			parts = append(parts, n.Args...)
		}
	}, n)
	if parts == nil {
		return 0
	}
	values := make([]float64, len(parts))
	d.function(parts...).run(p, i, y, values)
	for _, x := range values {
		if math.Abs(x) < 1e12 {
			most = max(most, math.Abs(x))
		}
	}
	return most
}

// A rate that is 0/0 at one voltage has its limit there, whatever the way it is written and where parameters are in it.
func TestSingularities(t *testing.T) {
	const text = `
[neuron]
name = "rates"
units = "loose"
[parameters]
Vh = -40
k  = 10
I  = 0
[states]
V = -40
a = 0
b = 0
c = 0
[equations]
V = "I"
a = "0.1*(V + 40)/(1 - exp(-(V + 40)/10))"
b = "(Vh - V)/(exp((Vh - V)/k) - 1)"
c = "(exp((V - Vh)/k) - 1)/(V - Vh)"
[spike]
when = "V > 100"
rearm = 1
`
	m, err := Parse("rates.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	dy := make([]float64, 4)
	m.Deriv(m.Defaults(), 0, []float64{-40, 0, 0, 0}, dy)
	for j, want := range []float64{0, 1, 10, 0.1} {
		if math.Abs(dy[j]-want) > 1e-14 {
			t.Errorf("slope %d is %v, want %v", j, dy[j], want)
		}
	}
}
