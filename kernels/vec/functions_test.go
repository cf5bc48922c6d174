package vec

import (
	"math"
	"testing"

	"popsim/rng"
)

// functionULP is the largest error of the functions, in units of the last place: they are sums of a few rounded terms.
// sinh and cosh divide by rounded values.
const functionULP = 4

func TestFunctions(t *testing.T) {
	for _, f := range []struct {
		name     string
		record   func(b *Block, x Vec) Vec
		exact    func(x float64) float64
		least    float64 // range in which it is compared
		most     float64
		absolute float64 // the error allowed where the value is near 0
	}{
		{"exp", (*Block).ExpAll, math.Exp, -700, 709, 0},
		{"exp within", func(b *Block, x Vec) Vec { return b.ExpWithin(x, -1, 1) }, math.Exp, -1, 1, 0},
		{"expm1 within", func(b *Block, x Vec) Vec { return b.Expm1Within(x, -1, 1) }, math.Expm1, -1, 1, 0},
		{"expm1", (*Block).Expm1, math.Expm1, -700, 700, 0},
		{"exprel", (*Block).ExpRel, func(x float64) float64 { return x / math.Expm1(x) }, -700, 700, 0},
		{"tanh", (*Block).Tanh, math.Tanh, -800, 800, 0},
		{"cosh", (*Block).Cosh, math.Cosh, -700, 700, 0},
		{"sinh", (*Block).Sinh, math.Sinh, -699, 699, 0},
		{"log", (*Block).Log, math.Log, 1e-300, 1e300, 0},
		{"sin", func(b *Block, x Vec) Vec { s, _ := b.SinCos(x); return s }, math.Sin, -1e3, 1e3, 1e-16},
		{"cos", func(b *Block, x Vec) Vec { _, c := b.SinCos(x); return c }, math.Cos, -1e3, 1e3, 1e-16},
	} {
		p := &Program{
			Name:   f.name,
			Record: func(b *Block) { b.Store(After.Column(0), f.record(b, b.Load(Before.Column(0)))) },
		}
		code := p.Compile().Executor()
		value := func(x []float64) []float64 {
			m := &Frame{
				Before: x,
				After:  make([]float64, FrameLanes),
				Input:  make([]float64, FrameLanes),
				Lanes:  len(x),
				Steps:  1,
			}
			code.Run(m)
			return m.Before // they have changed places
		}
		stream, n := rng.NewStream(1, f.name), uint32(0)
		for range 200 {
			x := make([]float64, FrameLanes)
			for l := range x {
				u := float64(stream.At(uint32(l), n)[0]) / (1 << 32)
				switch x[l] = f.least + u*(f.most-f.least); {
				case f.name == "log":
					x[l] = math.Exp(math.Log(f.least) + u*(math.Log(f.most)-math.Log(f.least)))
				case n%2 == 1:
					x[l] = math.Copysign(math.Pow(10, -12*u), float64(l%2)-0.5)
				}
			}
			n++
			for l, y := range value(x) {
				want := f.exact(x[l])
				ulp := math.Nextafter(math.Abs(want), math.Inf(1)) - math.Abs(want)
				if d := math.Abs(y - want); !(d <= functionULP*ulp+f.absolute) {
					t.Fatalf("%s(%v) = %v, want %v (%.1f ulp)", f.name, x[l], y, want, d/ulp)
				}
			}
		}
		if y := value([]float64{math.NaN()})[0]; y == y {
			t.Errorf("%s(NaN) = %v", f.name, y)
		}
	}
	special := &Program{Name: "special", Record: func(b *Block) {
		x := b.Load(Before.Column(0))
		b.Store(After.Column(0), b.Log(x))
		b.Store(After.Column(1), b.ExpAll(x))
		b.Store(After.Column(2), b.ExpRel(x))
	}}
	m := &Frame{
		Before: append([]float64{0, -1, math.Inf(1), math.Inf(-1), 1000}, make([]float64, 3*FrameLanes)...),
		After:  make([]float64, 3*FrameLanes), Input: make([]float64, FrameLanes), Lanes: 5, Steps: 1,
	}
	special.Compile().Executor().Run(m)
	for i, want := range [][]float64{
		{math.Inf(-1), math.NaN(), math.Inf(1), math.NaN(), math.Log(1000)},
		{1, math.Exp(-1), math.Inf(1), 0, math.Inf(1)},
	} {
		for l, w := range want {
			if got := m.Before[i*FrameLanes+l]; math.Float64bits(got) != math.Float64bits(w) && !(got != got && w != w) &&
				math.Abs(got-w) > 1e-15 {
				t.Errorf("function %d at lane %d: %v, want %v", i, l, got, w)
			}
		}
	}
	if got := m.Before[2*FrameLanes]; got != 1 {
		t.Errorf("exprel(0) = %v", got)
	}
}
