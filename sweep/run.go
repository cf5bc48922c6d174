package sweep

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"popsim/kernels"
	"popsim/sched"
)

// Config says how a sweep is run; it does not change what comes out. The zero value of a field means its default.
type Config struct {
	Workers int                     // goroutines; 0 means sched.Allowed
	ISA     kernels.ISA             // instruction set; 0 means the best this processor has
	Tick    func(done, total int64) // is told, by any worker, how many points are done, each resolution counted apart
	Part    Part                    // the part to run; the zero value is the whole
	Keep    string                  // where to keep finished pieces: a path, whose name theirs begin with; "" means nowhere
	Resume  bool                    // go on from pieces that are kept there
	Fresh   bool                    // throw them away; without either, finding some is an error
	Piece   float64                 // lane-steps of a piece, not more; 0 means 4e9, seconds of work
}

// Part is one of Of parts of a sweep, Number from 1.
type Part struct{ Number, Of int }

// ParsePart reads "i/n".
func ParsePart(text string) (Part, error) {
	i, n, ok := strings.Cut(text, "/")
	number, err1 := strconv.Atoi(strings.TrimSpace(i))
	of, err2 := strconv.Atoi(strings.TrimSpace(n))
	if !ok || err1 != nil || err2 != nil || number < 1 || number > of {
		return Part{}, fmt.Errorf("sweep: %q is no part; i/n with 1 <= i <= n would do", text)
	}
	return Part{number, of}, nil
}

// chains is the range of chains of the part.
func (p Part) chains(n int) (first, end int) {
	if p.Of == 0 {
		return 0, n
	}
	return int(int64(n) * int64(p.Number-1) / int64(p.Of)), int(int64(n) * int64(p.Number) / int64(p.Of))
}

// batchChains is how many chains a worker takes at once: several times the lanes, so that most of them are full to
// the end, and few enough that all workers end together.
const batchChains = 512

// Run runs a sweep, or a part of it. With Keep, finished pieces are on disk before the next begin; a finished part is
// one file there, see Merge; the pieces of a whole sweep stay until Discard. When ctx is done the finished rows come with
// the error of ctx.
func Run(ctx context.Context, spec Spec, cfg Config) (*Result, error) {
	p, err := spec.plan()
	if err != nil {
		return nil, err
	}
	first, end := cfg.Part.chains(p.chains())
	if first >= end {
		return nil, fmt.Errorf("sweep: part %d of %d is empty: there are %d chains of points to share", cfg.Part.Number, cfg.Part.Of, p.chains())
	}
	if cfg.Part.Of > 0 && cfg.Keep == "" {
		return nil, errors.New("sweep: a part needs a place to be kept")
	}
	e, err := newEngine(p, cfg.ISA)
	if err != nil {
		return nil, err
	}
	if cfg.Workers == 0 {
		cfg.Workers = sched.Allowed()
	}
	begin := time.Now()
	out := newResult(p, first, end)
	built := time.Since(begin)
	if cfg.Keep == "" {
		err = e.run(ctx, cfg, first, end, out)
	} else {
		err = e.runPieces(ctx, cfg, first, end, out)
	}
	out.Kernel, out.Workers = e.kernel, cfg.Workers
	out.Elapsed, out.LaneSteps = time.Since(begin), e.moved.Load()
	out.Sched, out.Phases = e.stats, e.phases()
	out.Phases.Build += built
	for _, w := range e.workers {
		if w != nil {
			out.Bytes = w.shards[0].Bytes()
		}
	}
	out.Phases.Merge = max(0, out.Elapsed-built-e.stats.Elapsed)
	return out, err
}

// run runs the chains first to end-1 into out.
func (e *engine) run(ctx context.Context, cfg Config, first, end int, out *Result) error {
	n := end - first
	size := max(1, min(batchChains, (n+cfg.Workers-1)/cfg.Workers))
	if e.workers == nil {
		e.workers = make([]*worker, cfg.Workers)
	}
	total := int64(out.slots()) * int64(len(e.clocks))
	stats, err := sched.Run(ctx, sched.Plan{
		Workers: cfg.Workers,
		Shards:  (n + size - 1) / size,
		Advance: func(id, batch, _ int) error {
			if e.workers[id] == nil {
				e.workers[id] = e.worker()
			}
			w := e.workers[id]
			from := first + batch*size
			to := min(end, from+size)
			if len(e.clocks) > 1 {
				w.batch(ctx, 1, from, to, out.note)
			}
			w.batch(ctx, 0, from, to, out.put)
			if cfg.Tick != nil {
				cfg.Tick(e.done.Load(), total)
			}
			return ctx.Err()
		},
		Merge: func(int) (bool, error) { return false, nil },
	})
	e.stats.Add(stats)
	return err
}
