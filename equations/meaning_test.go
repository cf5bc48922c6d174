package equations

import (
	"math"
	"math/rand/v2"
	"os"
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
		p := c.program()
		q, coefs := []float64{}, make([]float64, len(c.nodes))
		for _, x := range d.parameters {
			q = append(q, x.Default)
		}
		p.Fold(q, 1, coefs) // dt is 1 ms: slopes are per step
		n := len(d.states)
		code := (&vec.Program{Name: path, Record: func(b *vec.Block) {
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
		r := rand.New(rand.NewPCG(1, 1))
		f := &vec.Frame{
			Before: make([]float64, n*vec.FrameLanes), After: make([]float64, n*vec.FrameLanes),
			Input:  make([]float64, vec.FrameLanes),
			Shared: coefs, Lanes: vec.FrameLanes, Steps: 1,
		}
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
