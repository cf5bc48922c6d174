package sweep

import (
	"context"
	"time"

	"popsim/kernels"
	"popsim/sched"
)

// Config says how a sweep is run; it does not change what comes out. The zero value of a field means its default.
type Config struct {
	Workers int                     // goroutines; 0 means sched.Allowed
	ISA     kernels.ISA             // instruction set; 0 means the best this processor has
	Tick    func(done, total int64) // is told, from time to time, how many points are done
}

// batchChains is how many chains a worker takes at once: several times the lanes, so that most of them are full to
// the end, and few enough that all workers end together.
const batchChains = 512

// Run runs a sweep. When ctx is done it returns what is finished, the other rows empty, and the error of ctx.
func Run(ctx context.Context, spec Spec, cfg Config) (*Result, error) {
	p, err := spec.plan()
	if err != nil {
		return nil, err
	}
	e, err := newEngine(p, cfg.ISA)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	out := newResult(e)
	if cfg.Workers == 0 {
		cfg.Workers = sched.Allowed()
	}
	err = e.run(ctx, cfg, 0, p.chains(), out)
	out.Elapsed = time.Since(begin)
	out.LaneSteps = e.moved.Load()
	out.Workers = cfg.Workers
	return out, err
}

// run runs the chains first to end-1 into out.
func (e *engine) run(ctx context.Context, cfg Config, first, end int, out *Result) error {
	n := end - first
	size := max(1, min(batchChains, (n+cfg.Workers-1)/cfg.Workers))
	batches := (n + size - 1) / size
	workers := make([]*worker, cfg.Workers)
	total := int64(out.plan.rows) * int64(len(e.clocks))
	_, err := sched.Run(ctx, sched.Plan{
		Workers: cfg.Workers,
		Shards:  batches,
		Advance: func(id, batch, _ int) error {
			w := workers[id]
			if w == nil {
				w = e.worker()
				workers[id] = w
			}
			from := first + batch*size
			to := min(end, from+size)
			w.batch(ctx, 0, from, to, out.put)
			if len(e.clocks) > 1 {
				w.batch(ctx, 1, from, to, func(row int, r record, _ []float64) { out.compare(row, r) })
			}
			if cfg.Tick != nil {
				cfg.Tick(e.done.Load(), total)
			}
			return ctx.Err()
		},
		Merge: func(int) (bool, error) { return false, nil },
	})
	return err
}
