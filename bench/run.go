package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// The kinds of rows there are.
const (
	KernelRows     = "kernel"
	PopulationRows = "population"
	SpikesRows     = "spikes"
	WorkRows       = "work"
	NetworkRows    = "network"
	ScalingRows    = "scaling"
)

// Kinds lists them.
var Kinds = []string{KernelRows, PopulationRows, SpikesRows, WorkRows, NetworkRows, ScalingRows}

// Infof writes a message to the user, in the manner of Printf.
type Infof func(format string, args ...any)

// CheckKinds returns an error for an unknown kind of rows.
func CheckKinds(kinds []string) error {
	for _, kind := range kinds {
		if !slices.Contains(Kinds, kind) {
			return fmt.Errorf("bench: there are no rows of kind %q (have %s)", kind, strings.Join(Kinds, ", "))
		}
	}
	return nil
}

// Run prints the rows of the given kinds to out as they are measured, and messages about them by infof. When ctx is
// done it stops after the current row.
func (q Selection) Run(ctx context.Context, kinds []string, out io.Writer, infof Infof) error {
	rows := map[string]func(context.Context, io.Writer, Infof) error{
		KernelRows: q.kernelRows, PopulationRows: q.populationRows, SpikesRows: q.spikesRows, WorkRows: q.workRows,
		NetworkRows: q.networkRows, ScalingRows: q.scalingRows,
	}
	for _, kind := range Kinds {
		if slices.Contains(kinds, kind) {
			if err := rows[kind](ctx, out, infof); err != nil {
				return err
			}
		}
	}
	return nil
}

func (q Selection) kernelRows(ctx context.Context, out io.Writer, infof Infof) error {
	list, err := q.Kernels()
	if err != nil {
		return err
	}
	return q.scenarioRows(ctx, list, func(s Scenario) string { return "BenchmarkKernel/" + s.Name() }, out, infof)
}

func (q Selection) spikesRows(ctx context.Context, out io.Writer, infof Infof) error {
	list, err := q.Spikes()
	if err != nil {
		return err
	}
	return q.scenarioRows(ctx, list, func(s Scenario) string { return "BenchmarkSpikes/" + s.spikesName() }, out, infof)
}

func (q Selection) scenarioRows(
	ctx context.Context,
	list []Scenario,
	name func(Scenario) string,
	out io.Writer,
	infof Infof,
) error {
	var spreads []float64
	for _, s := range list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r, err := Measure(s, q.budget())
		if err != nil {
			return err
		}
		spreads = append(spreads, r.Spread)
		if err := row(out, name(s), r.Calls, kernelMetrics(s, r)); err != nil {
			return err
		}
	}
	noise(infof, spreads)
	return nil
}

func (q Selection) populationRows(ctx context.Context, out io.Writer, _ Infof) error {
	list, err := q.Populations()
	if err != nil {
		return err
	}
	for _, same := range pairs(list) {
		r, err := measurePair(ctx, same, 3*q.budget())
		if err != nil {
			return err
		}
		for i, p := range same {
			if err := row(out, "BenchmarkPopulation/"+p.Name(), rounds, r.metrics(same, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (q Selection) workRows(ctx context.Context, out io.Writer, infof Infof) error {
	list, err := q.Works()
	if err != nil {
		return err
	}
	for _, s := range list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w, err := MeasureWork(s, q.budget()/2)
		if err != nil {
			infof("%v", err) // a step too large for the regime is no reason to stop
			continue
		}
		if err := row(out, "BenchmarkWork/"+w.Name(), w.Calls, w.metrics()); err != nil {
			return err
		}
	}
	return nil
}
