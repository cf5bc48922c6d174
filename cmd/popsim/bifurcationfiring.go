package main

import (
	"cmp"
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"popsim/dynamics"
	"popsim/model"
	"popsim/report"
	"popsim/sched"
	"popsim/sweep"
)

// How firing by reset is followed.
const (
	firstFirings = 201  // values of the quantity, evenly spaced, before more are put between them
	mostFirings  = 1500 // values in all
	droppedTurns = 200  // spikes for the reset map to settle
	keptTurns    = 200  // spikes in statistics of irregular firing
)

// fire finds what an integrate-and-fire model settles on over the interval: at even steps first, then where firing may
// go on that does not begin there, then between them where that is not enough.
func (s *analysis) fire(ctx context.Context) (all []dynamics.Firing, err error) {
	f := s.free[0]
	wanted := even(f.Lo, f.Hi, firstFirings)
	followed := map[float64]bool{} // values at which the firing of a neighbour has been tried
	for len(wanted) > 0 && len(all) < mostFirings {
		found := make([]*dynamics.Firing, len(wanted)) // nil where the work ended before
		err := s.parallel(ctx, len(wanted), "values", func(k int) error {
			x, err := dynamics.FiringAt(ctx, s.question.model, s.base.params, s.base.current, f.name, wanted[k], droppedTurns, keptTurns,
				dynamics.Beside(all, wanted[k])...)
			if err == nil {
				found[k] = &x
			}
			return err
		})
		for k, x := range found {
			if x != nil {
				followed[wanted[k]] = len(dynamics.Beside(all, wanted[k])) > 0
			}
		}
		for _, x := range found {
			if x != nil {
				all = slices.DeleteFunc(all, func(old dynamics.Firing) bool { return old.Parameter == x.Parameter })
				all = append(all, *x)
			}
		}
		slices.SortFunc(all, func(a, b dynamics.Firing) int { return cmp.Compare(a.Parameter, b.Parameter) })
		if err != nil {
			return all, err
		}
		wanted = wanted[:0]
		for _, x := range all {
			if x.Silent && !followed[x.Parameter] && len(dynamics.Beside(all, x.Parameter)) > 0 {
				wanted = append(wanted, x.Parameter)
			}
		}
		if len(wanted) == 0 {
			wanted = dynamics.Wanted(all)
		}
	}
	return all, nil
}

// even lists n values from lo to hi.
func even(lo, hi float64, n int) []float64 {
	list := make([]float64, n)
	for k := range list {
		list[k] = lo + (hi-lo)*float64(k)/float64(n-1)
	}
	return list
}

// parallel calls work with 0 to n-1 on all workers, until one fails, and tells how far it has come.
func (s *analysis) parallel(ctx context.Context, n int, unit string, work func(k int) error) error {
	var out io.Writer
	if !s.quiet {
		out = s.stderr
	}
	progress, done := report.NewProgress(out, float64(n), unit), 0
	var mu sync.Mutex
	var failed atomic.Bool
	stats, err := sched.Run(ctx, sched.Plan{
		Workers: s.workers.value, Shards: n,
		Advance: func(_, k, _ int) error {
			if err := ctx.Err(); err != nil || failed.Load() {
				return err
			}
			err := work(k)
			if err != nil {
				failed.Store(true)
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			progress.Update(float64(done))
			return err
		},
		Merge: func(int) (bool, error) { return false, nil },
	})
	progress.Clear()
	s.stats.Add(stats)
	return err
}

// simulate gives the late intervals of neurons integrated step by step, by the kernels.
func (s *analysis) simulate(ctx context.Context) (*report.Table, error) {
	const long, settle = 8000, 4000 // ms
	f := s.free[0]
	r, err := sweep.Run(ctx, sweep.Spec{
		Model: s.question.model, P: s.base.params, I: s.base.current, Time: long, Discard: settle, NoError: true, Late: true,
		Grid: sweep.Grid{Axes: []sweep.Axis{sweep.Values(f.name, f.unit, even(f.Lo, f.Hi, firstFirings)...)}},
	}, sweep.Config{Workers: s.workers.value})
	if err != nil {
		return nil, err
	}
	return r.LateTable(), nil
}

// regimeRows and regimeColumns are the cells of the picture over two quantities.
const regimeRows, regimeColumns = 40, 160

// chart finds the curves in the plane of two quantities, and, for the picture, what lies between them. Diagrams are made
// over the current where it is one of them, because every branch is found there; then the plane is turned over.
func (s *analysis) chart(ctx context.Context) (err error) {
	m, p, i := s.question.model, s.base.params, s.base.current
	turned := s.free[1].Name == "I"
	if turned {
		slices.Reverse(s.free)
		defer slices.Reverse(s.free)
	}
	x, y := s.free[0].Free, s.free[1].Free
	s.regions, err = dynamics.Borders(ctx, m, p, i, x, y)
	if s.regions != nil {
		s.warnAll(texts(s.regions.Warnings))
		if turned {
			turn(s.regions)
		}
	}
	s.phase("curves")
	if err != nil || s.plot.value == "" {
		return err
	}
	rows := make([][]dynamics.Regime, regimeRows)
	ys := even(y.Lo, y.Hi, regimeRows)
	err = s.parallel(ctx, regimeRows, "rows", func(k int) (err error) {
		if m.Fires == model.Reset {
			rows[k], err = s.firingRow(ctx, ys[k])
		} else {
			rows[k], err = dynamics.Regimes(ctx, m, p, i, x, dynamics.Free{Name: y.Name, Lo: ys[k], Hi: ys[k]}, regimeColumns, 1)
		}
		return err
	})
	s.regimes = slices.Concat(rows...)
	if turned {
		for k, r := range s.regimes {
			s.regimes[k].X, s.regimes[k].Y = r.Y, r.X
		}
	}
	s.phase("regimes")
	return err
}

// turn swaps the axes of a plane.
func turn(r *dynamics.Regions) {
	r.X, r.Y = r.Y, r.X
	for _, list := range append([][]dynamics.BorderPoint{r.Points}, curvesOf(r)...) {
		for k, q := range list {
			list[k].X, list[k].Y = q.Y, q.X
		}
	}
}

func curvesOf(r *dynamics.Regions) (all [][]dynamics.BorderPoint) {
	for _, c := range r.Curves {
		all = append(all, c.Points)
	}
	return all
}

// firingRow is a row of the picture for a model that fires by reset, which counts as a cycle there.
func (s *analysis) firingRow(ctx context.Context, y float64) (row []dynamics.Regime, err error) {
	const turns = 60 // spikes after which a train is believed
	at := s.base
	for _, value := range even(s.free[0].Lo, s.free[0].Hi, regimeColumns) {
		at.params = slices.Clone(s.base.params)
		at.set(s.free[0].setting, value)
		at.set(s.free[1].setting, y)
		r := dynamics.Regime{X: value, Y: y}
		f, err := dynamics.FiringAt(ctx, s.question.model, at.params, at.current, "I", at.current, turns, 1)
		if err != nil {
			return row, err
		}
		if !f.Silent {
			r.Cycles = 1
		}
		for _, q := range dynamics.FixedPoints(s.question.model, at.params, at.current) {
			if q.Stable {
				r.Rests++
			}
		}
		row = append(row, r)
	}
	return row, nil
}
