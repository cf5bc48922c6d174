package measure

import (
	"fmt"
	"math"
	"slices"

	"popsim/network/statistics"
	"popsim/sweep"
)

// Choices are those between two populations in the trials of a sweep over the strength of the evidence for the first of
// them: the psychometric and the chronometric function.
type Choices struct {
	Name     string    // of the measure
	Between  [2]string // populations
	Axis     sweep.Axis
	X        []float64          // strengths, by point
	Shares   []statistics.Share // of choices of the first population, without trials that ended without a choice
	Open     []int              // trials without a choice
	Time     []Mean             // ms from where windows count, of all choices
	Fit      statistics.Weibull
	FitError error // why there is no fit
}

// Mean is the mean of N values and its standard error.
type Mean struct {
	Value, SE float64
	N         int
}

func meanOf(values []float64) Mean {
	m := Mean{N: len(values)}
	n, square := float64(m.N), 0.0
	for _, x := range values {
		m.Value += x / n
	}
	if m.N == 0 {
		m.Value = math.NaN()
	}
	for _, x := range values {
		square += float64((x - m.Value) * (x - m.Value))
	}
	m.SE = math.Sqrt(square / (n - 1) / n)
	return m
}

// ChoicesOf are those of the measures "first-above" of two populations, in sweeps over one axis with trials. Where the
// axis has negative values, which are evidence for the second population, no function is fitted.
func ChoicesOf(r *sweep.JobsResult) (all []*Choices) {
	if len(r.Jobs.Grid.Axes) != 1 || r.Jobs.Trials < 2 {
		return nil
	}
	for k, c := range r.Jobs.Columns {
		if len(c.Words) != 2 || k+1 == len(r.Jobs.Columns) || r.Jobs.Columns[k+1].Name != c.Name+timeOf {
			continue
		}
		all = append(all, choicesOf(r, c, r.Jobs.Columns[k+1]))
	}
	return all
}

func choicesOf(r *sweep.JobsResult, word, time sweep.JobColumn) *Choices {
	c := &Choices{Name: word.Name, Between: [2]string(word.Words), Axis: r.Jobs.Grid.Axes[0]}
	for point := range int(r.Jobs.Grid.Points()) {
		made, times := r.Values(word.Name, point), r.Values(time.Name, point)
		s := statistics.Share{N: len(made)}
		for _, w := range made {
			if w == 0 {
				s.Of++
			}
		}
		for i := range times {
			times[i] -= time.At
		}
		finished := len(r.Values(status, point))
		c.X, c.Shares = append(c.X, r.Jobs.Grid.At(point, 0)), append(c.Shares, s)
		c.Open, c.Time = append(c.Open, finished-len(made)), append(c.Time, meanOf(times))
	}
	if slices.Min(c.X) < 0 {
		c.FitError = fmt.Errorf("%s has negative values", c.Axis.Name)
		return c
	}
	c.Fit, c.FitError = statistics.FitWeibull(c.X, c.Shares)
	return c
}

// String describes the fit in a line.
func (c *Choices) String() string {
	if c.FitError != nil {
		return fmt.Sprintf("%s: no psychometric function is fitted: %v", c.Name, c.FitError)
	}
	unit := ""
	if c.Axis.Unit != "1" && c.Axis.Unit != "" {
		unit = " " + c.Axis.Unit
	}
	f := c.Fit
	return fmt.Sprintf("%s: share of %s is 1 - exp(-(%s/alpha)^beta)/2, "+
		"alpha %.3g%s (95 %%: %.3g to %.3g), beta %.3g (%.3g to %.3g)",
		c.Name, c.Between[0], c.Axis.Name, f.Alpha, unit, f.AlphaInterval[0], f.AlphaInterval[1],
		f.Beta, f.BetaInterval[0], f.BetaInterval[1])
}
