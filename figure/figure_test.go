package figure

import (
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

var gallery = flag.String("gallery", "", "directory that keeps the pictures of TestFigures, to look at")

// sampled is f at n+1 points from lo to hi.
func sampled(lo, hi float64, n int, f func(float64) float64) (x, y []float64) {
	for i := range n + 1 {
		v := lo + (hi-lo)*float64(i)/float64(n)
		x, y = append(x, v), append(y, f(v))
	}
	return x, y
}

// exampleFigures are pictures of every kind, with made-up data of the shapes that the simulator gives.
func exampleFigures() map[string]*Figure {
	rng := rand.New(rand.NewPCG(1, 2))
	figures := map[string]*Figure{}

	x, y := sampled(0, 20, 40, func(i float64) float64 {
		if i < 6.26 {
			return 0
		}
		return 40 + 9*math.Sqrt(i-6)
	})
	_, down := sampled(0, 20, 40, func(i float64) float64 {
		if i < 9.78 {
			return math.NaN()
		}
		return 38 + 9*math.Sqrt(i-6)
	})
	figures["fi"] = Curves("hh: f-I curve", "I (µA/cm²)", "rate (Hz)", Series{Name: "from rest", X: x, Y: y, Points: true})
	bars := make([]float64, len(x))
	for i := range bars {
		bars[i] = 3
	}
	figures["fi-branches"] = Curves("hh: f-I curve", "I (µA/cm²)", "rate (Hz)",
		Series{Name: "upwards", X: x, Y: y, Points: true, YErr: bars},
		Series{Name: "downwards", X: x, Y: down, Points: true, Dashed: true},
		Series{Name: "closed form with a rather long name", X: x, Y: y},
		Series{Name: "another", X: x, Y: y, Points: true},
		Series{Name: "and one more", X: x, Y: y, Points: true})
	hx, hy := sampled(-3, 0, 12, func(e float64) float64 { return 3 * math.Pow(10, 2*e) })
	for i := range hx {
		hx[i] = math.Pow(10, hx[i])
	}
	loglog := Curves("Error against step", "dt (ms)", "error of the 10th spike (ms)",
		Series{Name: "flow", X: hx, Y: hy, Points: true})
	loglog.Panels[0].XLog, loglog.Panels[0].YLog = true, true
	figures["loglog"] = loglog

	var times []float64
	var neurons []int64
	for n := range int64(200) {
		for t := 5 * rng.ExpFloat64(); t < 200; t += 20 + 4*rng.NormFloat64() {
			times, neurons = append(times, t), append(neurons, n)
		}
	}
	spike := func(phase float64) func(float64) float64 {
		return func(t float64) float64 {
			t = math.Mod(t+phase, 20)
			return -70 + t + 100*math.Exp(-math.Pow((t-19)/0.3, 2))
		}
	}
	raster := Raster("lif: 200 neurons, I = 21 pA", times, neurons)
	for i, name := range []string{"neuron 0", "neuron 71", "neuron 199"} {
		x, y := sampled(0, 200, 20000, spike(float64(7*i)))
		raster.Panels = append(raster.Panels,
			Panel{XLabel: "time (ms)", YLabel: name + "\nV (mV)", Height: 22, Lines: []Line{{X: x, Y: y, Width: 0.8}}})
	}
	figures["raster"] = raster
	figures["raster-few"] = Raster("", []float64{10, 30, 50, 12, 32, 52}, []int64{0, 0, 0, 1, 1, 1})

	const n = 1000
	big := Image{Label: "rate (Hz)"}
	small := Image{Label: "CV"}
	big.X, _ = sampled(0, 1000, n-1, math.Sqrt)
	big.Y, _ = sampled(-60, -45, n-1, math.Sqrt)
	for _, v := range big.Y {
		for _, i := range big.X {
			z := math.Sqrt(max(0, i-200-4*v)) * (1 + 0.02*rng.NormFloat64())
			if i < 100 && v > -50 {
				z = math.NaN()
			}
			big.Z = append(big.Z, z)
		}
	}
	figures["map"] = HeatMap("adex: rate", "I (pA)", "V_reset (mV)", big)
	small.X = []float64{1, 2, 5, 10, 20, 50, 100}
	small.Y, _ = sampled(0, 1, 4, math.Sqrt)
	for j := range small.Y {
		for i := range small.X {
			small.Z = append(small.Z, float64(i*j)/24)
		}
	}
	uneven := HeatMap("A coarse grid over a list", "I (pA)", "b (pA)", small)
	figures["map-uneven"] = uneven
	logs := HeatMap("The same, logarithmic", "I (pA)", "b (pA)", small)
	logs.Panels[0].XLog = true
	figures["map-log"] = logs

	var dx, dy []float64
	for range 2000 {
		r := 2.6 + 1.4*rng.Float64()
		v := rng.Float64()
		for k := range 600 {
			v = r * v * (1 - v)
			if k > 100 {
				dx, dy = append(dx, r), append(dy, 30*v)
			}
		}
	}
	figures["dots"] = Dots("A million inter-spike intervals", "V_reset (mV)", "interval (ms)", dx, dy)
	figures["dots-few"] = Dots("", "V_reset (mV)", "interval (ms)", dx[:5000], dy[:5000])

	figures["phase"] = phaseFigure()
	figures["bifurcation"] = bifurcationFigure()
	figures["flat"] = Curves("Nothing fires", "I (pA)", "rate (Hz)",
		Series{Name: "rest", X: []float64{0, 1}, Y: []float64{0, 0}})
	figures["empty"] = Curves("", "", "", Series{})
	return figures
}

func phaseFigure() *Figure {
	p := Panel{XLabel: "V (mV)", YLabel: "n"}
	v, cubic := sampled(-80, 40, 400, func(v float64) float64 { u := (v + 20) / 40; return 0.5 + u/2 - u*u*u/4 })
	_, sigmoid := sampled(-80, 40, 400, func(v float64) float64 { return 1 / (1 + math.Exp(-(v+40)/12)) })
	_, pole := sampled(-80, 40, 400, func(v float64) float64 {
		if math.Abs(v+54.4) < 0.2 {
			return math.NaN()
		}
		return 0.2 - 0.3/(v+54.4)
	})
	p.Lines = []Line{
		{Name: "dV/dt = 0", X: v, Y: cubic},
		{Name: "dn/dt = 0", X: v, Y: sigmoid, Dash: Dashed, Color: seriesColors[1]},
		{Name: "with a pole", X: v, Y: pole, Dash: Dotted, Color: seriesColors[2]},
	}
	p.YRange = [2]float64{-0.1, 1.1}
	var a Arrows
	for i := range 16 {
		for j := range 11 {
			x, y := -76+112*float64(i)/15, -0.05+1.1*float64(j)/10
			u := (x + 20) / 40
			a.X, a.Y = append(a.X, x), append(a.Y, y)
			a.DX = append(a.DX, 100*(0.5+u/2-u*u*u/4-y))
			a.DY = append(a.DY, 0.3*(1/(1+math.Exp(-(x+40)/12))-y))
		}
	}
	p.Arrows = []Arrows{a}
	p.Points = []Points{
		{Name: "stable", X: []float64{-61.2}, Y: []float64{0.15}, Mark: Circle, Size: 6},
		{Name: "unstable", X: []float64{-25.5}, Y: []float64{0.77}, Mark: Circle, Size: 6, Open: true},
		{Name: "saddle", X: []float64{-47.6}, Y: []float64{0.35}, Mark: Triangle, Size: 6, Open: true},
	}
	p.Texts = []Text{{-61.2, 0.15, "stable node"}, {-25.5, 0.77, "unstable focus"}, {-47.6, 0.35, "saddle"}}
	return &Figure{Title: "rhh at I = 5 µA/cm²: phase plane", Panels: []Panel{p}}
}

func bifurcationFigure() *Figure {
	i, rest := sampled(-5, 20, 200, func(i float64) float64 { return -65 + 0.8*i })
	half := 120
	ci, top := sampled(-1.58, 11.2, 100, func(i float64) float64 { return 40 - 0.15*(i-5)*(i-5) })
	_, low := sampled(-1.58, 11.2, 100, func(i float64) float64 { return -75 + 0.1*(i-5)*(i-5) })
	_, f := sampled(-1.58, 11.2, 100, func(i float64) float64 { return 60 + 5*i })
	top[0], low[0], f[0] = 20, -70, 51
	p := Panel{XLabel: "I (µA/cm²)", YLabel: "V (mV)", Lines: []Line{
		{Name: "stable equilibrium", X: i[:half+1], Y: rest[:half+1]},
		{Name: "unstable equilibrium", X: i[half:], Y: rest[half:], Dash: Dashed},
		{Name: "cycle, extremes of V", X: ci, Y: top, Color: seriesColors[1], Width: 1.8},
		{X: ci, Y: low, Color: seriesColors[1], Width: 1.8},
	}}
	p.Points = []Points{{X: []float64{i[half], -1.58, 11.2}, Y: []float64{rest[half], 20, 34}, Mark: Square, Size: 5}}
	p.Texts = []Text{
		{i[half], rest[half], "Hopf (subcritical)"},
		{-1.58, 20, "fold of cycles"},
		{11.2, 34, "fold of cycles"},
	}
	q := Panel{
		XLabel: "I (µA/cm²)",
		YLabel: "frequency (Hz)",
		Height: 35,
		Lines:  []Line{{X: ci, Y: f, Color: seriesColors[1]}},
	}
	return &Figure{Title: "Bifurcation diagram", Panels: []Panel{p, q}, ShareX: true}
}

// mostBytes bounds the size of a picture: a map of 1000 x 1000 cells and a million dots are shown on a page, not
// stored.
const mostBytes = 1 << 20

func TestFigures(t *testing.T) {
	dir := *gallery
	if dir == "" {
		dir = t.TempDir()
	}
	for name, f := range exampleFigures() {
		for _, ending := range []string{".svg", ".png", ".pdf"} {
			if ending != ".png" && *gallery == "" && testing.Short() {
				continue
			}
			path := filepath.Join(dir, name+ending)
			if err := f.Save(path, *gallery != ""); err != nil {
				t.Errorf("%s: %v", path, err)
				continue
			}
			info, err := os.Stat(path)
			if err != nil || info.Size() > mostBytes || info.Size() < 1000 {
				t.Errorf("%s: %d bytes, want 1000 to %d (%v)", path, info.Size(), mostBytes, err)
			}
		}
	}
}

// TestCoarser: bins are joined evenly, and the few left at the end belong to the last step.
func TestCoarser(t *testing.T) {
	const bins = 3*rateSamples + 1 // four at a time, one left
	times, rate := make([]float64, bins), make([]float64, bins)
	for i := range times {
		times[i], rate[i] = float64(i), 1
	}
	rate[bins-1] = 6
	x, y := coarser(times, rate)
	if n := len(x); x[n-1] != bins || x[n-2] != bins-5 || y[n-1] != 2 || x[1] != 4 {
		t.Errorf("the last step goes from %v to %v with rate %v; want %d to %d, 2", x[n-2], x[n-1], y[n-1], bins-5, bins)
	}
}
