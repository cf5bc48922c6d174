package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"

	"popsim/kernels"
	"popsim/model"
	"popsim/sweep"
	"popsim/table"
	"popsim/table/file"
)

// proofSweep is a sweep of every kind of start, over a parameter and the current, with intervals and patterns.
func proofSweep() sweep.Spec {
	m := model.AdExModel
	b, current := make([]float64, 12), make([]float64, 24)
	for i := range b {
		b[i] = 2 * float64(i)
	}
	for i := range current {
		current[i] = 1.5 * float64(i)
	}
	return sweep.Spec{
		Model: m, Time: 300, Discard: 50, From: sweep.FromAll, Late: true,
		Grid: sweep.Grid{Axes: []sweep.Axis{sweep.Values("b", "pA", b...), sweep.Values("I", "pA", current...)}},
	}
}

// tables returns all tables of a sweep, as bytes.
func tables(r *sweep.Result) ([]byte, error) {
	var text bytes.Buffer
	for _, t := range []*table.Table{r.Table(), r.LateTable()} {
		o := file.NewCSV(&text)
		if err := errors.Join(o.WriteTable(t), o.Commit()); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// wholeSweep runs the sweep in one run.
func wholeSweep(ctx context.Context) ([]byte, int, error) {
	r, err := sweep.Run(ctx, proofSweep(), sweep.Config{})
	if err != nil {
		return nil, 0, err
	}
	text, err := tables(r)
	return text, r.Rows(), err
}

func mergedParts(ctx context.Context) (string, bool, error) {
	want, rows, err := wholeSweep(ctx)
	if err != nil {
		return "", false, err
	}
	dir, err := os.MkdirTemp("", "popsim-verify-")
	if err != nil {
		return "", false, err
	}
	defer os.RemoveAll(dir)
	for _, of := range []int{1, 3, 7} {
		keep := filepath.Join(dir, fmt.Sprint(of))
		for number := of; number >= 1; number-- {
			cfg := sweep.Config{Keep: keep, Part: sweep.Part{Number: number, Of: of}, Workers: 1 + number%3}
			if _, err := sweep.Run(ctx, proofSweep(), cfg); err != nil {
				return "", false, err
			}
		}
		r, err := sweep.Merge(keep)
		if err != nil {
			return "", false, err
		}
		if got, err := tables(r); err != nil || !bytes.Equal(got, want) {
			return fmt.Sprintf("%d parts give other bytes", of), false, err
		}
	}
	return fmt.Sprintf("%d points, %d bytes, none differs", rows, len(want)), true, nil
}

// resumedSweep interrupts a sweep repeatedly after a few batches, and resumes it from its checkpoints with other
// workers and another instruction set.
func resumedSweep(ctx context.Context) (string, bool, error) {
	want, rows, err := wholeSweep(ctx)
	if err != nil {
		return "", false, err
	}
	dir, err := os.MkdirTemp("", "popsim-verify-")
	if err != nil {
		return "", false, err
	}
	defer os.RemoveAll(dir)
	sets := kernels.Available()
	stops := 0
	for {
		part, stop := context.WithCancel(ctx)
		var batches atomic.Int64
		r, err := sweep.Run(part, proofSweep(), sweep.Config{
			Keep: filepath.Join(dir, "sweep"), Resume: true, Batch: 20, Every: 1, Workers: 1 + stops%3,
			ISA: sets[stops%len(sets)],
			Tick: func(_, _ int64) {
				if batches.Add(1) == 4 {
					stop()
				}
			},
		})
		stop()
		switch {
		case ctx.Err() != nil:
			return "", false, ctx.Err()
		case errors.Is(err, context.Canceled):
			stops++
			continue
		case err != nil:
			return "", false, err
		}
		got, err := tables(r)
		if err != nil {
			return "", false, err
		}
		if !bytes.Equal(got, want) {
			return fmt.Sprintf("other bytes after %d interruptions", stops), false, nil
		}
		return fmt.Sprintf("%d points, interrupted %d times, %d bytes, none differs", rows, stops, len(want)), stops > 0, nil
	}
}
