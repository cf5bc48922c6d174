package bench

import (
	"context"
	"math"

	"popsim/dynamics"
	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
	"popsim/rng"
	"popsim/table"
)

// NoiseConvergence compares rates under white noise with theory, over the step.
type NoiseConvergence struct {
	Model  *model.Model
	P      []float64
	I      float64
	White  float64 // see pop.Noise
	Seed   uint64
	Theory float64 // Hz

	Rows []NoisyRate // in the order in which they were measured
}

// NoisyRate is a measured rate.
type NoisyRate struct {
	Dt     float64 // ms
	AtEnds bool    // crossings between the ends of steps were missed, see pop.Noise
	Rate   float64 // Hz
	SE     float64 // its standard error
}

// NewNoiseConvergence makes the comparison for a neuron whose theory is known; Theory is NaN if it is not.
func NewNoiseConvergence(m *model.Model, p []float64, i, white float64, seed uint64) *NoiseConvergence {
	return &NoiseConvergence{
		Model: m, P: p, I: i, White: white, Seed: seed, Theory: dynamics.WhiteNoiseRate(m, p, i, white),
	}
}

// noiseSteps are the steps that are tried, in steps of the model's default method.
var noiseSteps = []float64{50, 20, 10, 5, 2, 1}

// Steps lists the rates to measure: of lif with the crossings inside steps and without, of eif, whose threshold is a
// cut-off after the upstroke, as they are.
func (c *NoiseConvergence) Steps() (rows []NoisyRate) {
	for _, atEnds := range []bool{false, true} {
		for _, n := range noiseSteps {
			if !atEnds || c.Model == model.LIFModel {
				rows = append(rows, NoisyRate{Dt: n * c.Model.Methods[0].Dt, AtEnds: atEnds})
			}
		}
	}
	return rows
}

// Measure measures rates from a number of spikes each, and calls progress with the number of finished ones.
func (c *NoiseConvergence) Measure(
	ctx context.Context, spikes float64, isa kernels.ISA, progress func(done int),
) error {
	for i, row := range c.Steps() {
		if err := c.measure(ctx, &row, spikes, isa); err != nil {
			return err
		}
		c.Rows = append(c.Rows, row)
		progress(i + 1)
	}
	return nil
}

// measure measures one rate: the neurons begin apart and settle for some time.
func (c *NoiseConvergence) measure(ctx context.Context, row *NoisyRate, spikes float64, isa kernels.ISA) error {
	const neurons, settle = 4096, 200.0
	longest := noiseSteps[0] * c.Model.Methods[0].Dt // of which all times are whole numbers
	wait := math.Ceil(settle/longest) * longest
	ms := math.Ceil(1000*spikes/neurons/c.Theory/longest) * longest
	spec := pop.Spec{
		Model: c.Model, N: neurons, I: kernels.Values{c.I}, Init: []kernels.Values{make(kernels.Values, neurons)},
	}
	for _, x := range c.P {
		spec.P = append(spec.P, kernels.Values{x})
	}
	reset, top := c.P[c.Model.Index("V_reset")], c.P[c.Model.Index("V_th")]
	if j := c.Model.Index("V_T"); j >= 0 {
		top = c.P[j]
	}
	start := rng.NewStream(c.Seed, "start")
	for i := range spec.Init[0] {
		spec.Init[0][i] = math.FMA(top-reset, start.Uniform(uint32(i), 0), reset)
	}
	sum, err := pop.Run(ctx, spec, pop.Config{
		Dt: row.Dt, ISA: isa, Train: true, From: wait, Noise: pop.Noise{White: c.White, Seed: c.Seed, AtEnds: row.AtEnds},
	}, wait+ms)
	if err != nil {
		return err
	}
	mean, square := 0.0, 0.0
	for i := range neurons {
		t := sum.Trains.At(i)
		r := t.CountedRate(ms)
		mean += r / neurons
		square += float64(r*r) / neurons
	}
	row.Rate, row.SE = mean, math.Sqrt(max(0, square-float64(mean*mean))/(neurons-1))
	return nil
}

// Table returns a table with a row for each rate.
func (c *NoiseConvergence) Table() *table.Table {
	n := len(c.Rows)
	found := make([]string, n)
	columns := [5][]float64{}
	for i, r := range c.Rows {
		found[i] = "inside"
		if r.AtEnds {
			found[i] = "ends"
		}
		for j, x := range []float64{r.Dt, r.Rate, r.SE, c.Theory, r.Rate/c.Theory - 1} {
			columns[j] = append(columns[j], x)
		}
	}
	return table.NewTable(table.Col("crossings", found), table.Col("dt_ms", columns[0]), table.Col("rate_Hz", columns[1]),
		table.Col("rate_se_Hz", columns[2]), table.Col("theory_Hz", columns[3]), table.Col("relative_error", columns[4]))
}
