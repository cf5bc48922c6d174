package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
)

// The kinds of rows there are.
const (
	KernelRows     = "kernel"
	PopulationRows = "population"
	WorkRows       = "work"
)

// Kinds lists them.
var Kinds = []string{KernelRows, PopulationRows, WorkRows}

// Run prints the rows of the given kinds to out as they come, and what is to be said about them to talk. It stops
// between rows when ctx is done.
func Run(ctx context.Context, q Selection, kinds []string, out, talk io.Writer) error {
	for _, kind := range kinds {
		if !slices.Contains(Kinds, kind) {
			return fmt.Errorf("bench: there are no rows of kind %q (have %v)", kind, Kinds)
		}
	}
	if err := Header(out); err != nil {
		return err
	}
	for _, kind := range Kinds {
		if !slices.Contains(kinds, kind) {
			continue
		}
		rows := map[string]func(context.Context, io.Writer, io.Writer) error{
			KernelRows: q.kernelRows, PopulationRows: q.populationRows, WorkRows: q.workRows,
		}
		if err := rows[kind](ctx, out, talk); err != nil {
			return err
		}
	}
	return nil
}

func (q Selection) kernelRows(ctx context.Context, out, talk io.Writer) error {
	list, err := q.Kernels()
	if err != nil {
		return err
	}
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
		if err := row(out, "BenchmarkKernel/"+s.Name(), r.Calls, kernelMetrics(s, r)); err != nil {
			return err
		}
	}
	noise(talk, spreads)
	return nil
}

func (q Selection) populationRows(ctx context.Context, out, _ io.Writer) error {
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

func (q Selection) workRows(ctx context.Context, out, talk io.Writer) error {
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
			fmt.Fprintln(talk, err) // a step too large for the regime is no reason to stop
			continue
		}
		if err := row(out, "BenchmarkWork/"+w.Name(), w.Calls, w.metrics()); err != nil {
			return err
		}
	}
	return nil
}
