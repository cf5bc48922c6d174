package measure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"popsim/sweep"
)

// Drifts are the movements of a bump in the trials of a point in which it persists: their mean and variance over time,
// and how fast the variance grows.
type Drifts struct {
	Name     string // of the measure
	Point    string // NAME=VALUE of the axes; empty without axes
	X        float64
	Trials   int       // in which the bump persists
	Lost     int       // other trials, which are left out
	Time     []float64 // ms since movements count
	Mean     []Mean    // deg
	Variance []Mean    // deg², with its standard error by a jackknife over trials
	// Diffusion is B of variance = v0 + 2 B t, deg²/s, by least squares, with its standard error by a jackknife; v0 is
	// what the finite number of spikes in a window adds. Drift is the mean movement over the time of the last one, deg/s.
	Diffusion, Drift Mean
}

// persists is the least length of the population vector at the end of a trial whose bump counts as persisting. Bumps of
// the network memory have 0.53, those of memory:murray 0.8 or more; a ring without a bump has less than 0.3.
const persists = 0.4

// leastTrials is the number of trials from which on their scatter is given.
const leastTrials = 5

// DriftsOf are the movements of population vectors in sweeps with trials, by measure and point; points at which too few
// bumps persist are left out.
func DriftsOf(r *sweep.JobsResult) (all []*Drifts) {
	for _, d := range movements(r) {
		if d.Trials >= leastTrials {
			all = append(all, d)
		}
	}
	return all
}

// LostOf has a sentence for each point of a sweep with movements at which bumps are lost.
func LostOf(r *sweep.JobsResult) (all []string) {
	for _, d := range movements(r) {
		if n := d.Trials + d.Lost; d.Lost > 0 && n >= leastTrials {
			all = append(all, fmt.Sprintf("%s: drift and diffusion are without %d of %d trials, whose bump is lost: "+
				"the population vector at the end is shorter than %g, or spikes are missing in a window",
				d.where(), d.Lost, n, persists))
		}
	}
	return all
}

// movements are those of all measures and points.
func movements(r *sweep.JobsResult) (all []*Drifts) {
	names := []string{}
	columns := map[string][]sweep.JobColumn{}
	for _, c := range r.Jobs.Columns {
		name, _, ok := strings.Cut(c.Name, movedOf)
		if !ok || c.At == 0 {
			continue
		}
		if columns[name] == nil {
			names = append(names, name)
		}
		columns[name] = append(columns[name], c)
	}
	for _, name := range names {
		for point := range int(r.Jobs.Grid.Points()) {
			all = append(all, driftsOf(r, name, columns[name], point))
		}
	}
	return all
}

// Moves reports whether DriftsOf will find movements in the trials of the sweep.
func (x *Sweep) Moves() bool {
	return x.Trials >= leastTrials && slices.ContainsFunc(x.Columns(), func(c sweep.JobColumn) bool {
		return strings.Contains(c.Name, movedOf)
	})
}

func driftsOf(r *sweep.JobsResult, name string, columns []sweep.JobColumn, point int) *Drifts {
	d := &Drifts{Name: name}
	for j, a := range r.Jobs.Grid.Axes {
		if j == 0 {
			d.X = r.Jobs.Grid.At(point, j)
		}
		d.Point += strings.TrimRight(fmt.Sprintf(" %s=%g", a.Name, r.Jobs.Grid.At(point, j)), " ")
	}
	d.Point = strings.TrimSpace(d.Point)
	names := []string{name + lengthOf}
	for _, c := range columns {
		names = append(names, c.Name)
		d.Time = append(d.Time, c.At)
	}
	moved := persisting(r.Complete(names, point))
	d.Trials = len(moved[0])
	finished := 0
	for _, word := range r.Values(status, point) {
		if word == 0 { // OK
			finished++
		}
	}
	d.Lost = finished - d.Trials
	if d.Trials < leastTrials {
		return d
	}
	for _, m := range moved {
		d.Mean = append(d.Mean, meanOf(m))
		d.Variance = append(d.Variance, Mean{varianceOf(m, -1), jackknife(d.Trials, func(left int) float64 {
			return varianceOf(m, left)
		}), d.Trials})
	}
	slope := func(left int) float64 {
		var v []float64
		for _, m := range moved {
			v = append(v, varianceOf(m, left))
		}
		return slopeOf(d.Time, v) * 1000 / 2
	}
	d.Diffusion = Mean{slope(-1), jackknife(d.Trials, slope), d.Trials}
	last, seconds := d.Mean[len(d.Mean)-1], d.Time[len(d.Time)-1]/1000
	d.Drift = Mean{last.Value / seconds, last.SE / seconds, d.Trials}
	return d
}

// persisting are the movements, by time and trial, of trials whose vector, of the first length, is long enough.
func persisting(values [][]float64) (moved [][]float64) {
	lengths := values[0]
	for _, m := range values[1:] {
		var kept []float64
		for trial, x := range m {
			if lengths[trial] >= persists {
				kept = append(kept, x)
			}
		}
		moved = append(moved, kept)
	}
	return moved
}

// varianceOf is the variance of values, the one at left left out.
func varianceOf(values []float64, left int) float64 {
	var kept []float64
	for i, x := range values {
		if i != left {
			kept = append(kept, x)
		}
	}
	m := meanOf(kept)
	return m.SE * m.SE * float64(m.N)
}

// slopeOf is the slope of the line of least squares.
func slopeOf(x, y []float64) float64 {
	n, mx, my := float64(len(x)), 0.0, 0.0
	for i := range x {
		mx, my = mx+x[i]/n, my+y[i]/n
	}
	xy, xx := 0.0, 0.0
	for i := range x {
		xy, xx = xy+float64((x[i]-mx)*(y[i]-my)), xx+float64((x[i]-mx)*(x[i]-mx))
	}
	return xy / xx
}

// jackknife is the standard error of f, which is computed with each of n trials left out.
func jackknife(n int, f func(left int) float64) float64 {
	values, mean := make([]float64, n), 0.0
	for i := range values {
		values[i] = f(i)
		mean += values[i] / float64(n)
	}
	sum := 0.0
	for _, x := range values {
		sum += float64((x - mean) * (x - mean))
	}
	return math.Sqrt(sum * float64(n-1) / float64(n))
}

// String gives drift and diffusion in a line.
func (d *Drifts) String() string {
	return fmt.Sprintf("%s: drift %.3g ± %.2g deg/s, diffusion %.3g ± %.2g deg²/s (%d trials, %.4g ms)",
		d.where(), d.Drift.Value, d.Drift.SE, d.Diffusion.Value, d.Diffusion.SE, d.Trials, d.Time[len(d.Time)-1])
}

// where names the measure and the point.
func (d *Drifts) where() string {
	if d.Point == "" {
		return d.Name
	}
	return d.Name + ", " + d.Point
}
