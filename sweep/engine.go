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
	decide  = 50.0          // ms of a lane's time between decisions
	perCall = 1024          // steps in one call of a kernel, which cannot be preempted
)

// clock is one resolution of a sweep, all in steps.
type clock struct {
	dt      float64 // ms
	steps   int64   // of a point
	discard int64
	every   int64   // between decisions
	cuts    []int64 // where a shard stops within that time: where points end, where extremes begin, and at its end
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

// engine runs chains; it is shared by workers.
type engine struct {
	*plan
	kernel  *kernels.Kernel
	clocks  []clock                     // the resolution that is told, and, if wanted, the second
	rests   []atomic.Pointer[[]float64] // see rest
	workers []*worker                   // made when they are first needed
	done    atomic.Int64                // points finished, each resolution counted apart
	moved   atomic.Int64                // lane-steps
	stats   sched.Stats                 // of the run
	saving  time.Duration               // spent on checkpoints meanwhile, by whichever worker
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
	if n := p.restCount(); n < p.points || n < 1<<12 {
		e.rests = make([]atomic.Pointer[[]float64], n)
	}
	return e, nil
}

// phases says where the time of the workers went.
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

// restCount is the number of points that may differ in their rest at I = 0.
func (p *plan) restCount() int {
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

// rest is the rest at I = 0 of a point with the given parameters. It is found once for all points that share them.
func (e *engine) rest(point int, params []float64) []float64 {
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
	if e.rests != nil {
		if y := e.rests[at].Load(); y != nil {
			return *y
		}
	}
	y := make([]float64, len(e.Model.States))
	e.Model.Initial(params, y)
	if e.rests != nil {
		e.rests[at].Store(&y) // two workers may both find it: it is the same
	}
	return y
}
