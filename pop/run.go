package pop

import (
	"context"
	"math"
	"time"

	"popsim/sched"
)

// Epochs are long enough for the cost of memory and of the barrier to be negligible, and short enough that the spikes
// of an epoch take little memory. Shards are small enough for an interruption to be seen within a second. Without
// callbacks for spikes and states an epoch may span up to briefSteps steps, about a quarter of a second of work for one
// worker; such an epoch is never abandoned half-way, and its spikes are dropped once they are in the trains.
const (
	mostSteps   = 256
	leastSteps  = 64
	epochWork   = mostSteps * 1_000_000 // neuron-steps
	briefSteps  = 1024
	briefWork   = 4e8     // neuron-steps of a model of one variable; of d variables they take about d^2 times as long
	aheadWork   = 1.1e9   // of a kernel whose lanes run ahead, a tenth of a second
	mostShard   = 8192    // neurons
	rowsAtATime = 1 << 23 // values of Config.Input held at once
)

// Run builds the population and advances it for the given time, ms. When ctx is cancelled, it ends after the last
// complete epoch: the summary then covers the steps made, and the error wraps that of ctx. The error is a *BlownUp if
// the state of a neuron became NaN or infinite.
func Run(ctx context.Context, spec Spec, cfg Config, duration float64) (Summary, error) {
	p, err := resolve(spec, cfg, duration)
	if err != nil {
		return Summary{}, err
	}
	if len(cfg.Noise.Poisson) > 0 {
		return p.runCoupled(ctx)
	}
	start := time.Now()
	if err := p.build(ctx); err != nil {
		return p.sum, err
	}
	if p.total > 0 {
		p.beginNext()
		p.sum.Sched, err = sched.Run(ctx, sched.Plan{
			Workers: p.cfg.Workers,
			Shards:  len(p.shards),
			Advance: func(worker, shard, _ int) error {
				if err := ctx.Err(); err != nil && !p.brief { // an epoch of many shards may take long; it is abandoned
					return err
				}
				p.Advance(worker, shard)
				return nil
			},
			Merge: func(int) (more bool, err error) {
				if err := p.Record(); err != nil {
					return false, err
				}
				if p.cfg.Tick != nil {
					p.cfg.Tick(p.sum.Steps, p.total)
				}
				if p.sum.Steps == p.total {
					return false, nil
				}
				p.beginNext()
				return true, nil
			},
		})
	}
	if err == nil && p.cfg.Trace != nil {
		err = p.traceEnd()
	}
	sum := p.Summary()
	sum.Elapsed = time.Since(start)
	sum.Phases.Merge = max(0, sum.Sched.Merging-sum.Phases.Hand)
	var step time.Duration
	for i := range p.workers {
		step += p.workers[i].step
	}
	sum.Phases.Split(sum.Sched, step)
	return sum, err
}

// beginNext begins the next epoch of a run.
func (p *Population) beginNext() {
	steps, brief := p.span()
	p.Begin(int(min(int64(steps), p.total-p.sum.Steps)))
	p.brief = brief
}

// span returns the number of steps of an epoch of a run, and whether it is brief. Both depend only on the spec and the
// configuration, never on a clock.
func (p *Population) span() (steps int, brief bool) {
	steps = p.cfg.Epoch
	if steps == 0 {
		steps = min(mostSteps, max(leastSteps, epochWork/p.spec.N))
		d := len(p.spec.Model.States)
		work := int(briefWork)
		if p.kernel.RunsAhead() && p.noisy == nil {
			work = aheadWork
		}
		if n := min(briefSteps, work/(d*d*p.spec.N)); n >= steps && p.cfg.Spike == nil && p.cfg.Trace == nil {
			steps, brief = n, true
		}
	}
	if p.cfg.Input != nil {
		steps = min(steps, max(1, rowsAtATime/p.spec.N))
	}
	return steps, brief
}

// Steps returns the number of steps of dt ms that cover the time t ms: t/dt rounded up, unless it exceeds a whole
// number only because of rounding.
func Steps(t, dt float64) int64 {
	n := math.Round(t / dt)
	if math.Abs(float64(n*dt)-t) <= 1e-9*dt*max(1, n) {
		return int64(n)
	}
	return int64(math.Ceil(t / dt))
}
