package bench

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"popsim/model"
	"popsim/table"
)

// Convergence holds the errors and the costs of methods in one trial.
type Convergence struct {
	Trial     *Trial
	Tolerance float64 // error of a spike that is allowed, ms
	Rows      []Work  // by method, then from large steps to small
}

// budget is the time for which a row is timed.
const budget = 40 * time.Millisecond

// Measure measures scenarios of the trial and appends a row for each. progress is called after each with the number of
// rows measured. When ctx ends, the rows so far are kept and its error is returned.
func (c *Convergence) Measure(ctx context.Context, list []Scenario, progress func(done int)) error {
	for i, s := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		w, err := MeasureWork(s, budget)
		if err != nil {
			return err
		}
		c.Rows = append(c.Rows, w)
		progress(i + 1)
	}
	return nil
}

// limits returns the largest stable and the largest accurate step (ms) of a method with the parameters of the trial.
func (c *Convergence) limits(q model.Method) (stable, accurate float64) {
	return c.Trial.Model.StepLimits(q, c.Trial.P)
}

// Recommended returns the row of a method with the largest step such that at it and at all smaller steps the error is
// within the tolerance, and of which a run does not warn. (A larger step may have a small error by chance.)
func (c *Convergence) Recommended(q model.Method) (best Work, ok bool) {
	_, accurate := c.limits(q)
	for _, w := range slices.Backward(c.Rows) {
		if w.Method.Name != q.Name {
			continue
		}
		if !(w.Error <= c.Tolerance) || w.Dt > accurate {
			break
		}
		best, ok = w, true
	}
	return best, ok
}

// Cheapest returns the recommended row with the lowest cost.
func (c *Convergence) Cheapest() (best Work, ok bool) {
	best.Cost = math.Inf(1)
	for _, q := range c.Trial.Model.Methods {
		if w, found := c.Recommended(q); found && w.Cost < best.Cost {
			best, ok = w, true
		}
	}
	return best, ok
}

// Table returns a table with a row for every method and step. Errors are missing where a spike is.
func (c *Convergence) Table() *table.Table {
	n := len(c.Rows)
	method, accurate, recommended := make([]string, n), make([]string, n), make([]string, n)
	dt, spike, rate, cost := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i, w := range c.Rows {
		_, limit := c.limits(w.Method)
		best, ok := c.Recommended(w.Method)
		method[i], dt[i], cost[i] = w.Method.Name, w.Dt, w.Cost
		spike[i], rate[i] = finiteOrMissing(w.Error), finiteOrMissing(w.Rate)
		accurate[i] = strconv.FormatBool(w.Dt <= limit)
		recommended[i] = strconv.FormatBool(ok && best.Dt == w.Dt)
	}
	return table.NewTable(table.Col("method", method), table.Col("dt_ms", dt), table.Col("spike_error_ms", spike),
		table.Col("rate_error_Hz", rate), table.Col("cost_ns_per_ms", cost), table.Col("accurate", accurate),
		table.Col("recommended", recommended))
}

// finiteOrMissing returns x, NaN if it is infinite.
func finiteOrMissing(x float64) float64 {
	if math.IsInf(x, 0) {
		return math.NaN()
	}
	return x
}
