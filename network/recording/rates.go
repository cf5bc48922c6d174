package recording

import (
	"popsim/network"
	"popsim/table"
)

// rates counts the spikes of populations in bins of time.
type rates struct {
	sink   Sink
	sample bool // the rates are kept for a picture
	dt     float64
	steps  int64 // of a bin
	sizes  []float64
	bin    int64   // number of the current bin
	counts []int64 // in it, by population

	columns []table.Column // time_ms, then NAME_Hz
	times   []float64      // the current block
	values  [][]float64    // spikes/s by population

	keptTimes []float64 // of all bins, where sample
	kept      [][]float64
}

func newRates(spec *network.Spec, cfg Config) rates {
	n := len(spec.Populations)
	r := rates{
		sink: cfg.Rates, sample: cfg.Sample > 0, dt: spec.Dt, steps: Steps(cfg.Bin, spec.Dt), counts: make([]int64, n),
		values: make([][]float64, n), kept: make([][]float64, n),
	}
	for _, p := range spec.Populations {
		r.sizes = append(r.sizes, float64(p.N))
		r.columns = append(r.columns, table.Column{Name: p.Name + "_Hz"})
	}
	return r
}

// close ends the bins that end at or before a step.
func (r *rates) close(step int64) error {
	for (r.bin+1)*r.steps <= step {
		if err := r.end(r.steps); err != nil {
			return err
		}
	}
	return nil
}

// end ends the current bin, which covers a number of steps.
func (r *rates) end(steps int64) error {
	t := float64(r.bin*r.steps) * r.dt
	if r.sink != nil {
		r.times = append(r.times, t)
	}
	if r.sample {
		r.keptTimes = append(r.keptTimes, t)
	}
	for j, c := range r.counts {
		rate := float64(c) / r.sizes[j] / (float64(steps) * r.dt) * 1000
		if r.sink != nil {
			r.values[j] = append(r.values[j], rate)
		}
		if r.sample {
			r.kept[j] = append(r.kept[j], rate)
		}
		r.counts[j] = 0
	}
	r.bin++
	if len(r.times) < blockRows {
		return nil
	}
	return r.flush(false)
}

// finish ends the current bin, however short, at the end of a run.
func (r *rates) finish(step int64) error {
	if short := step - r.bin*r.steps; short > 0 {
		if err := r.end(short); err != nil {
			return err
		}
	}
	return nil
}

func (r *rates) flush(all bool) error {
	if r.sink == nil {
		return nil
	}
	block := table.NewTable(table.Col("time_ms", r.times))
	for j, c := range r.columns {
		block.Columns = append(block.Columns, table.Col(c.Name, r.values[j]))
	}
	n, err := handOn(r.sink, block, all)
	for j, v := range r.values {
		r.values[j] = v[:copy(v, v[n:])]
	}
	r.times = r.times[:copy(r.times, r.times[n:])]
	return err
}
