package sweep

import (
	"math"
	"slices"
	"sync/atomic"
	"time"

	"popsim/kernels"
	"popsim/pop"
	"popsim/sched"
)

const (
	width   = kernels.Group // lanes of a shard: more would not be faster
	decide  = 50.0          // model time between two decisions whether to retire lanes, ms
	perCall = 1024          // steps in one call of a kernel, which cannot be preempted
)

// clock is the time grid of one resolution of a sweep.
type clock struct {
	dt      float64 // ms
	steps   int64   // length of the run of a point
	discard int64   // steps at its start that count neither for the rate nor for extremes
	every   int64   // steps between two decisions
	cuts    []int64 // steps after a decision at which a shard stops: where points end, where extremes begin, and at every
}

func (p *plan) clock(dt float64) clock {
	c := clock{
		dt: dt, steps: int64(math.Ceil(p.Time/dt - slack)), discard: int64(math.Round(p.Discard / dt)),
		every: max(1, int64(math.Round(decide/dt))),
	}
	c.discard = min(c.discard, c.steps-1)
	c.every = min(c.every, c.steps)
	c.cuts = []int64{c.every}
	for _, k := range []int64{c.steps % c.every, c.discard % c.every} {
		if k > 0 && !slices.Contains(c.cuts, k) {
			c.cuts = append(c.cuts, k)
		}
	}
	slices.Sort(c.cuts)
	return c
}

// engine holds what the workers share.
type engine struct {
	*plan
	kernel  *kernels.Kernel
	clocks  []clock                     // that of the results and, unless NoError, that of the second resolution
	resting []atomic.Pointer[[]float64] // resting states by their place, see restingState; nil if they are not kept
	workers []*worker                   // made when they are first needed
	done    atomic.Int64                // points finished, each resolution counted separately
	moved   atomic.Int64                // lane-steps
	stats   sched.Stats                 // of the run
	saving  time.Duration               // time spent on checkpoints during the run, by all workers
}

func newEngine(p *plan, isa kernels.ISA) (*engine, error) {
	k, err := kernels.For(p.Model, p.method, isa)
	if err != nil {
		return nil, err
	}
	e := &engine{plan: p, kernel: k, clocks: []clock{p.clock(p.Dt)}}
	if !p.NoError {
		e.clocks = append(e.clocks, p.clock(p.coarse))
	}
	if n := p.restingStates(); n < p.points || n < 1<<12 {
		e.resting = make([]atomic.Pointer[[]float64], n)
	}
	return e, nil
}

// phases returns the time that the workers spent on each kind of work.
func (e *engine) phases() (p pop.Phases) {
	var step, build time.Duration
	made := time.Duration(0)
	for _, w := range e.workers {
		if w != nil {
			step, build, made = step+w.step, build+w.build, made+1
		}
	}
	p.Split(e.stats, step)
	p.Build = build / max(1, made)
	p.Record = max(0, p.Record-p.Build)
	return p
}

// restingStates returns the number of different sets of parameters, each of which has a resting state of its own.
func (p *plan) restingStates() int {
	n := 1
	for j, a := range p.Grid.Axes {
		if p.targets[j].kind != setsParam {
			continue
		}
		if p.Grid.Zip {
			return p.points
		}
		n *= a.Len()
	}
	return n
}

// restingState returns the resting state at I = 0 of a point with the given parameters. It is found once for all points
// that share the parameters. The caller must not change it.
func (e *engine) restingState(point int, params []float64) []float64 {
	at := 0
	for j, a := range e.Grid.Axes {
		if e.targets[j].kind == setsParam {
			if e.Grid.Zip {
				at = point
				break
			}
			at = at*a.Len() + e.Grid.Index(point, j)
		}
	}
	if e.resting != nil {
		if y := e.resting[at].Load(); y != nil {
			return *y
		}
	}
	y := make([]float64, len(e.Model.States))
	e.Model.Initial(params, y)
	if e.resting != nil {
		e.resting[at].Store(&y) // two workers may both find it, with the same result
	}
	return y
}
