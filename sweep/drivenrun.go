package sweep

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"popsim/kernels"
	"popsim/network"
	"popsim/network/statistics"
	"popsim/pop"
)

// drivenSweep is a driven sweep: row point·trials + trial is a neuron whose random numbers have the id trial·points +
// point, so that more trials leave the others as they are.
type drivenSweep struct {
	*plan
	Drive
	trials  int
	columns []int
	isa     kernels.ISA
}

// run computes the rows first to end-1. Where the state of one becomes NaN, they are run in halves until it is alone.
func (s *drivenSweep) run(ctx context.Context, first, end, workers int) ([][]float64, error) {
	values, err := s.runTogether(ctx, first, end, workers)
	var single *pop.BlownUp
	var coupled *network.BlownUp
	switch {
	case !errors.As(err, &single) && !errors.As(err, &coupled):
		return values, err
	case end-first == 1:
		return [][]float64{s.failed(first)}, nil
	}
	middle := first + (end-first)/2
	if values, err = s.run(ctx, first, middle, workers); err != nil {
		return nil, err
	}
	more, err := s.run(ctx, middle, end, workers)
	return append(values, more...), err
}

// failed is a row whose state has become NaN.
func (s *drivenSweep) failed(row int) []float64 {
	var r record
	for j := range r {
		if !measureList[j].count {
			r[j] = math.NaN()
		}
	}
	r[mStatus] = statusNaN
	return s.values(row, &r, nil, noStrength)
}

// values are the columns of a row.
func (s *drivenSweep) values(row int, r *record, times []float64, strength statistics.Estimate) (values []float64) {
	for _, c := range s.columns {
		values = append(values, r[c])
	}
	values = append(values, s.statisticValues(times)...)
	if s.periodic() {
		values = append(values, strength.Value, strength.SE)
	}
	if s.Theory != nil {
		params := make([]float64, len(s.P))
		values = append(values, s.Theory(params, s.at(row/s.trials, params)))
	}
	return values
}

// runTogether advances the rows first to end-1 as a population.
func (s *drivenSweep) runTogether(ctx context.Context, first, end, workers int) ([][]float64, error) {
	n := end - first
	c := pop.Config{
		Dt: s.Dt, Workers: workers, ISA: s.isa, Waveform: s.Waveform, Noise: s.Noise, Train: true, From: s.Discard,
		Extrema: slices.Contains(s.columns, mVMin) || slices.Contains(s.columns, mVMax),
	}
	c.Noise.IDs = make([]uint32, n)
	for i := range n {
		c.Noise.IDs[i] = uint32((first+i)%s.trials*s.points + (first+i)/s.trials)
	}
	phases := s.drive(&c, first, n)
	kept := &spikeTimes{s.Discard, make([][]float64, n)}
	if phase := c.Spike; len(s.Statistics) > 0 {
		c.Spike = func(block []pop.Spike) error {
			kept.add(block)
			if phase == nil {
				return nil
			}
			return phase(block)
		}
	}
	sum, err := pop.Run(ctx, s.population(first, n), c, s.Time)
	if err != nil {
		return nil, err
	}
	values := make([][]float64, n)
	for i := range values {
		t := sum.Trains.At(i)
		r := s.measured(&t)
		if sum.Lowest != nil {
			r[mVMin], r[mVMax] = sum.Lowest[i], sum.Highest[i]
		}
		values[i] = s.values(first+i, &r, kept.of(i), phases.strength(i, r[mRate]*(s.Time-s.Discard)/1000))
	}
	return values, nil
}

// population describes the neurons of n rows from first on.
func (s *drivenSweep) population(first, n int) pop.Spec {
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
		point := (first + i) / s.trials
		spec.I[i] = s.at(point, params)
		s.Model.Initial(params, y)
		s.enter(point, y)
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
	return spec
}

// drive sets the waveforms of n rows from first on, and what collects the phases of spikes.
func (s *drivenSweep) drive(c *pop.Config, first, n int) *phaseSums {
	phases := &phaseSums{from: s.Discard}
	if !s.periodic() {
		return phases
	}
	phases.frequency = make([]float64, n)
	for j := range phases.cos {
		phases.cos[j], phases.sin[j] = make([]float64, n), make([]float64, n)
	}
	c.Spike = phases.add
	for i := range n {
		phases.frequency[i] = s.Frequency
	}
	if s.Each == nil {
		return phases
	}
	waves := make([]func(k int64) float64, n)
	for i := range n {
		waves[i], phases.frequency[i] = s.Each((first + i) / s.trials)
	}
	c.Input = func(k int64, row []float64) {
		for i := range row {
			if i > 0 && (first+i)%s.trials > 0 { // a trial of the same point
				row[i] = row[i-1]
			} else {
				row[i] = waves[i](k)
			}
		}
	}
	return phases
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

// phaseSums adds up exp(i phase) and exp(2 i phase) over the spikes of each neuron.
type phaseSums struct {
	frequency []float64 // Hz
	from      float64   // ms
	cos, sin  [2][]float64
}

// add adds the phases of spikes.
func (s *phaseSums) add(block []pop.Spike) error {
	for _, q := range block {
		if q.Time < s.from {
			continue
		}
		a, b := math.Sincos(2 * math.Pi * s.frequency[q.Neuron] / 1000 * q.Time)
		s.sin[0][q.Neuron] += a
		s.cos[0][q.Neuron] += b
		s.sin[1][q.Neuron] += float64(2 * float64(a*b))
		s.cos[1][q.Neuron] += float64((b - a) * (b + a))
	}
	return nil
}

// noStrength stands where there is no vector strength.
var noStrength = statistics.Estimate{Value: math.NaN(), SE: math.NaN()}

// strength is the vector strength of neuron i, which has that many spikes, with its error: that of
// statistics.VectorStrength. Without spikes both are NaN, with one spike the error is.
func (s *phaseSums) strength(i int, spikes float64) statistics.Estimate {
	if s.frequency == nil || spikes < 0.5 {
		return noStrength
	}
	c, d := s.cos[0][i]/spikes, s.sin[0][i]/spikes
	square := float64(c*c) + float64(d*d)
	e := statistics.Estimate{Value: min(1, math.Hypot(s.cos[0][i], s.sin[0][i])/spikes), SE: math.NaN()}
	if spikes > 1.5 && square > 0 {
		// The mean of cos 2 (phase - mean phase).
		even, odd := float64(c*c)-float64(d*d), float64(2*float64(c*d))
		second := (float64(s.cos[1][i]*even) + float64(s.sin[1][i]*odd)) / (spikes * square)
		e.SE = math.Sqrt(max(0, (1+second-float64(2*square))/(2*spikes)))
	}
	return e
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
	r[mVMin], r[mVMax] = math.NaN(), math.NaN()
	r[mStatus] = statusOK
	return r
}

// DrivenSpeed measures how many neuron-steps of a driven sweep one worker makes in a second.
func DrivenSpeed(ctx context.Context, spec Spec, d Drive, cfg Config) (float64, error) {
	p, columns, err := spec.driven(d)
	if err != nil {
		return 0, err
	}
	const steps, rows = 400, 256
	p.Time, p.Discard = min(p.Time, steps*p.Dt), 0
	s := &drivenSweep{plan: p, Drive: d, trials: max(1, d.Trials), columns: columns, isa: cfg.ISA}
	n := min(rows, p.points*s.trials)
	best := 0.0
	for range 3 {
		begin := time.Now()
		if _, err := s.run(ctx, 0, n, 1); err != nil {
			return 0, err
		}
		best = max(best, float64(n)*p.Time/p.Dt/time.Since(begin).Seconds())
	}
	return best, nil
}
