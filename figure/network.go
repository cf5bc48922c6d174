package figure

import (
	"fmt"
	"math"

	"popsim/network/recording"
)

// networkDots is the number of spikes that a raster of a network shows without hiding one by another.
const networkDots = 20_000

// fewer leaves out neurons, of each population the same share, until a raster is legible.
func fewer(populations []recording.Sample) []recording.Sample {
	spikes, most := 0, 0
	for _, p := range populations {
		spikes, most = spikes+len(p.Times), max(most, len(p.Times))
	}
	share := min(1, networkDots/float64(max(1, spikes)), float64(manyDots)/float64(max(1, most)))
	thin := make([]recording.Sample, len(populations))
	for j, p := range populations {
		p.Every *= int(math.Ceil(1 / share))
		times, neurons := p.Times, p.Neurons
		p.Times, p.Neurons = nil, nil
		for k, i := range neurons {
			if i%int64(p.Every) == 0 && len(p.Times) < manyDots {
				p.Times, p.Neurons = append(p.Times, times[k]), append(p.Neurons, i)
			}
		}
		thin[j] = p
	}
	return thin
}

// rateSamples is the number of bins beyond which neighbours are drawn as one.
const rateSamples = 200

// Network is a figure of a network from 0 to end (ms): a raster, the populations one above the other from below in
// their order, rates over time, and traces of some neurons.
func Network(title string, end float64, populations []recording.Sample, traces ...Trace) *Figure {
	raster := Panel{XLabel: "time (ms)", YLabel: "neurons shown", YWhole: true, Height: 65, XRange: [2]float64{0, end}}
	rates := Panel{XLabel: "time (ms)", YLabel: "rate (Hz)", Height: 30, XRange: [2]float64{0, end}}
	first, whole := 0, true
	for j, p := range fewer(populations) {
		clr := seriesColors[j%len(seriesColors)]
		shown := p.Shown()
		dots := Points{Name: fmt.Sprintf("%s (%d of %d)", p.Name, shown, p.Size), X: p.Times, Mark: Dot, Color: clr}
		if shown == p.Size {
			dots.Name = fmt.Sprintf("%s (%d)", p.Name, p.Size)
		}
		whole = whole && shown == p.Size
		for _, i := range p.Neurons {
			dots.Y = append(dots.Y, float64(first)+float64(i/int64(p.Every)))
		}
		first += shown
		raster.Points = append(raster.Points, dots)
		t, r := coarser(p.RateT, p.Rate)
		line := Line{X: t, Y: r, Color: clr, Width: 0.8}
		if len(populations) <= 4 {
			line.Name, line.Dash = p.Name, []Dash{Solid, Dashed, DashDotted, Dotted}[j]
		}
		rates.Lines = append(rates.Lines, line)
	}
	if whole {
		raster.YLabel = "neuron"
	}
	raster.YRange = [2]float64{-0.5 - 0.01*float64(first), -0.5 + 1.01*float64(first)}
	f := &Figure{Title: title, Panels: []Panel{raster, rates}, ShareX: true}
	for _, t := range traces {
		t = thinnedTrace(t)
		f.Panels = append(f.Panels, Panel{
			XLabel: "time (ms)", YLabel: t.Name + "\nV (mV)", Height: 22, XRange: [2]float64{0, end},
			Lines: []Line{{X: t.T, Y: t.V, Width: 0.8}},
		})
	}
	return f
}

// coarser joins bins of a rate to no more than rateSamples, and draws each as a step. Few bins that are left at the
// end, whose rate would scatter more than the others, are joined to those before.
func coarser(t, rate []float64) (x, y []float64) {
	joined := (len(t) + rateSamples - 1) / rateSamples
	if joined == 0 || len(t) < 2 {
		return t, rate
	}
	bin := t[1] - t[0]
	for first, n := 0, 0; first < len(t); first += n {
		n = min(joined, len(t)-first)
		if left := len(t) - first - n; 2*left <= joined {
			n += left
		}
		sum := 0.0
		for _, r := range rate[first : first+n] {
			sum += r
		}
		x = append(x, t[first], t[first]+float64(n)*bin)
		y = append(y, sum/float64(n), sum/float64(n))
	}
	return x, y
}
