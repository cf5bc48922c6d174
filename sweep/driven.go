package sweep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"popsim/kernels"
	"popsim/pop"
	"popsim/table"
)

// Drive is the input of the neurons of a sweep besides a constant current: a waveform, noise, or both.
type Drive struct {
	Wave      func(k int64) float64 // current added to I in step k; nil means none
	Frequency float64               // Hz, of a periodic Wave, for the column vector_strength; 0 means none
	Noise     pop.Noise
	// runs of each point, with other noise; 0 means one, without the column trial
	Trials int
	Theory func(params []float64, current float64) float64 // rate (Hz) for the column theory_Hz; nil means none
}

// drivenMeasures are those of a driven sweep.
var drivenMeasures = []int{mRate, mRateError, mSpikes, mLatency, mISIFirst, mISILast, mCV, mStatus}

// RunDriven runs every point of a grid, and every trial of it, as a neuron of one population under d. Rates are spikes
// counted after Discard over their time; the error is that of counting. No point is retired, and there is no second
// resolution. A neuron's noise depends on its trial and point alone. The table has the grid's columns, trial, the
// measures of the spec (status among them), vector_strength and theory_Hz.
func RunDriven(ctx context.Context, spec Spec, d Drive, cfg Config) (*table.Table, error) {
	p, columns, err := spec.driven()
	if err != nil {
		return nil, err
	}
	run := &drivenSweep{plan: p, Drive: d, trials: max(1, d.Trials)}
	trains, err := run.advance(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return run.table(trains, columns), nil
}

// CheckDriven returns an error if a driven sweep does not support the spec.
func (s Spec) CheckDriven() error {
	_, _, err := s.driven()
	return err
}

// driven is the plan of a driven sweep, and its measures.
func (s Spec) driven() (p *plan, columns []int, err error) {
	if p, err = s.plan(); err != nil {
		return nil, nil, err
	}
	if p.From != FromRest || p.Late || p.Resets {
		return nil, nil, errors.New("sweep: a sweep with a waveform or noise starts at rest and has a row for each point")
	}
	columns = drivenMeasures
	if p.Measures != nil {
		columns = p.columns
	}
	for _, j := range columns {
		if !slices.Contains(drivenMeasures, j) {
			return nil, nil, fmt.Errorf(
				"sweep: %s is not there under a waveform or noise; rate_Hz, rate_error_Hz, spikes, latency_ms, "+
					"isi_first_ms, isi_last_ms, isi_cv and status are",
				measureList[j].name,
			)
		}
	}
	return p, columns, nil
}

// drivenSweep is a driven sweep: neuron trial·points + point of a population is a trial of a point.
type drivenSweep struct {
	*plan
	Drive
	trials   int
	cos, sin []float64 // sums over the phases of each neuron's spikes
}

// advance runs the population.
func (s *drivenSweep) advance(ctx context.Context, cfg Config) (pop.Trains, error) {
	n := s.points * s.trials
	spec := pop.Spec{Model: s.Model, Method: s.Method, N: n, I: make(kernels.Values, n)}
	params, y := make([]float64, len(s.P)), make([]float64, len(s.Model.States))
	spec.P = make([]kernels.Values, len(params))
	spec.Init = make([]kernels.Values, len(y))
	for j := range params {
		spec.P[j] = make(kernels.Values, n)
	}
	for j := range y {
		spec.Init[j] = make(kernels.Values, n)
	}
	for i := range n {
		spec.I[i] = s.at(i%s.points, params)
		s.Model.Initial(params, y)
		s.enter(i%s.points, y)
		for j, v := range params {
			spec.P[j][i] = v
		}
		for j, v := range y {
			spec.Init[j][i] = v
		}
	}
	for j := range spec.P {
		spec.P[j] = same(spec.P[j])
	}
	c := pop.Config{
		Dt: s.Dt, Workers: cfg.Workers, ISA: cfg.ISA, Wave: s.Wave, Noise: s.Noise, Train: true, From: s.Discard,
		Tick: func(done, total int64) {
			if cfg.Tick != nil {
				cfg.Tick(int64(float64(done)/float64(total)*float64(n)), int64(n))
			}
		},
	}
	if s.Frequency > 0 {
		s.cos, s.sin = make([]float64, n), make([]float64, n)
		c.Spike = s.phases
	}
	sum, err := pop.Run(ctx, spec, c, s.Time)
	return sum.Trains, err
}

// same returns the values with one element in place of many if all are equal.
func same(v kernels.Values) kernels.Values {
	for _, x := range v {
		if x != v[0] {
			return v
		}
	}
	return v[:1]
}

// phases adds the phases of spikes after Discard.
func (s *drivenSweep) phases(block []pop.Spike) error {
	for _, q := range block {
		if q.Time >= s.Discard {
			a, b := math.Sincos(2 * math.Pi * s.Frequency / 1000 * q.Time)
			s.sin[q.Neuron] += a
			s.cos[q.Neuron] += b
		}
	}
	return nil
}

// table is the table of the trains.
func (s *drivenSweep) table(trains pop.Trains, columns []int) *table.Table {
	rows := s.points * s.trials
	values := make([][]float64, len(columns))
	strength, theory := make([]float64, rows), make([]float64, rows)
	trial := make([]int64, rows)
	axes := make([][]float64, len(s.Grid.Axes))
	params := make([]float64, len(s.P))
	for row := range rows {
		point, k := row/s.trials, row%s.trials
		neuron := k*s.points + point
		t := trains.At(neuron)
		trial[row] = int64(k)
		for j := range axes {
			axes[j] = append(axes[j], s.Grid.At(point, j))
		}
		r := s.measured(&t)
		for j, c := range columns {
			values[j] = append(values[j], r[c])
		}
		if s.Frequency > 0 {
			strength[row] = min(1,
				math.Hypot(s.cos[neuron], s.sin[neuron])/max(1, t.CountedRate(s.Time-s.Discard)*(s.Time-s.Discard)/1000))
		}
		if s.Theory != nil {
			theory[row] = s.Theory(params, s.at(point, params))
		}
	}
	out := &table.Table{}
	for j, a := range s.Grid.Axes {
		out.Columns = append(out.Columns, table.Col(a.Name, axes[j]))
	}
	if s.Trials > 0 {
		out.Columns = append(out.Columns, table.Col("trial", trial))
	}
	for j, c := range columns {
		out.Columns = append(out.Columns, column(c, values[j]))
	}
	if s.Frequency > 0 {
		out.Columns = append(out.Columns, table.Col("vector_strength", strength))
	}
	if s.Theory != nil {
		out.Columns = append(out.Columns, table.Col("theory_Hz", theory))
	}
	return out
}

// measured returns the measures of a train.
func (s *drivenSweep) measured(t *pop.Train) (r record) {
	span := s.Time - s.Discard
	r[mRate] = t.CountedRate(span)
	r[mSpikes] = float64(t.Spikes())
	r[mLatency], r[mISIFirst], r[mISILast], r[mCV] = t.Latency(), math.NaN(), math.NaN(), t.CV()
	if t.Spikes() > 1 {
		r[mISIFirst], r[mISILast] = t.ISIFirst(), t.ISILast()
	}
	// The count of n spikes of a renewal train has the standard deviation CV sqrt(n); that of a regular train is wrong by
	// up to half a spike.
	n := r[mRate] * span / 1000
	r[mRateError] = 500 / span
	if cv := t.CV(); !math.IsNaN(cv) {
		r[mRateError] = max(r[mRateError], 1000/span*cv*math.Sqrt(n))
	}
	r[mStatus] = statusOK
	return r
}

// column is a column of measure j: whole numbers, words or numbers.
func column(j int, values []float64) table.Column {
	m := measureList[j]
	switch {
	case m.count:
		whole := make([]int64, len(values))
		for i, x := range values {
			whole[i] = int64(x)
		}
		return table.Col(m.name, whole)
	case m.words != nil:
		words := make([]string, len(values))
		for i, x := range values {
			words[i] = m.words[int(x)]
		}
		return table.Col(m.name, words)
	}
	return table.Col(m.name, values)
}

// MeanOfTrials is the table of RunDriven with the mean of the numbers over each point's trials, without the columns
// trial and status.
func MeanOfTrials(t *table.Table, trials int) *table.Table {
	out := &table.Table{}
	for _, c := range t.Columns {
		var numbers []float64
		switch v := c.Values.(type) {
		case []float64:
			numbers = v
		case []int64:
			for _, x := range v {
				numbers = append(numbers, float64(x))
			}
		}
		if numbers == nil || c.Name == "trial" {
			continue
		}
		var means []float64
		for one := range slices.Chunk(numbers, trials) {
			means = append(means, mean(one))
		}
		out.Columns = append(out.Columns, table.Col(c.Name, means))
	}
	return out
}
