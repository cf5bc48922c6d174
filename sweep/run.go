package sweep

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"popsim/kernels"
	"popsim/sched"
)

// Config holds the settings of a sweep; it does not change the results. The zero value of a field means its default.
type Config struct {
	Workers int           // goroutines; 0 means sched.Allowed
	ISA     kernels.ISA   // instruction set; 0 means the best this processor has
	Part    Part          // the part to run; the zero value is the whole sweep
	Keep    string        // path whose name those of checkpoints and parts begin with; "" means no checkpoints
	Resume  bool          // continue from the checkpoints at Keep
	Discard bool          // remove the checkpoints at Keep; without Resume or Discard, finding some is an error
	Every   time.Duration // time between two checkpoints; 0 means it is chosen, see checkpointer
	Batch   int           // chains that a worker takes at once; 0 means it is chosen, see batchChains
	Job     string        // name of the run in a batch system, shown by Status while a part runs

	// Tick is called, by any worker, with the number of points done and their total, each resolution counted separately.
	Tick func(done, total int64)
	// Stop, when closed, makes Run begin no more batches, finish and keep those begun, and return ErrStopped.
	Stop <-chan struct{}
	// Record returns how the results of a part were made; it is stored in the file of the part as JSON.
	Record func(*Result) any
}

// ErrStopped is the error of a sweep that was ended by Config.Stop. It is also a context.Canceled.
var ErrStopped = fmt.Errorf("sweep: stopped: %w", context.Canceled)

// ErrEmptyPart is the error of a part without points: there are more parts than chains.
var ErrEmptyPart = errors.New("sweep: the part is empty")

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

// chains returns the range of the part among n chains.
func (p Part) chains(n int) (first, end int) {
	if p.Of == 0 {
		return 0, n
	}
	return int(int64(n) * int64(p.Number-1) / int64(p.Of)), int(int64(n) * int64(p.Number) / int64(p.Of))
}

// batchChains is how many chains a worker takes at once: several times the number of lanes, so that lanes are idle only
// at the end, and few enough that all workers end at about the same time. batchSteps limits the lane-steps (a few
// seconds) of a batch that has more chains than lanes, because a batch that is not finished is lost when the process is
// killed.
const (
	batchChains = 512
	batchSteps  = 2e9
)

// Run runs a sweep, or a part of it. With Config.Keep, finished points are written to checkpoints from time to time; a
// finished part is one file, see Merge; the checkpoints of a whole sweep stay until Discard is called. When ctx is
// done, the finished rows are returned with the error of ctx, and with Config.Keep all of them are on disk.
func Run(ctx context.Context, spec Spec, cfg Config) (*Result, error) {
	p, err := spec.plan()
	if err != nil {
		return nil, err
	}
	first, end := cfg.Part.chains(p.chains())
	if first >= end {
		return nil, fmt.Errorf("%w: there are more parts (%d) than chains of points (%d)", ErrEmptyPart, cfg.Part.Of,
			p.chains())
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
	out.Kernel, out.Workers = e.kernel, cfg.Workers
	account := func() {
		out.Elapsed, out.LaneSteps = time.Since(begin), e.moved.Load()
		out.Sched, out.Phases = e.stats, e.phases()
		out.Phases.Build += built
		for _, w := range e.workers {
			if w != nil {
				out.Bytes = w.shards[0].Bytes()
			}
		}
		share := e.saving / time.Duration(cfg.Workers)
		out.Phases.Record = max(0, out.Phases.Record-share)
		out.Phases.Merge = max(0, out.Elapsed-built-e.stats.Elapsed) + share
	}
	if cfg.Keep == "" {
		err = e.run(ctx, cfg, e.batches(cfg, []span{{first, end}}), out, func(int) {})
	} else {
		err = e.runKept(ctx, cfg, span{first, end}, out, account)
	}
	account()
	return out, err
}

// span is the range of chains from first to end-1.
type span struct{ first, end int }

// run runs batches of chains and puts the results into out. finished is called with the number of each batch that is
// done, by any worker.
func (e *engine) run(ctx context.Context, cfg Config, batches []span, out *Result, finished func(batch int)) error {
	total := int64(out.slots()) * int64(len(e.clocks))
	e.workers = make([]*worker, cfg.Workers)
	var next atomic.Int64 // batches are taken in their order, so that finished chains are mostly contiguous
	stats, err := sched.Run(ctx, sched.Plan{
		Workers: cfg.Workers,
		Shards:  len(batches),
		Advance: func(id, _, _ int) error {
			if e.workers[id] == nil {
				e.workers[id] = e.worker()
			}
			select {
			case <-cfg.Stop:
				return ErrStopped
			default:
			}
			w, batch := e.workers[id], int(next.Add(1)-1)
			b := batches[batch]
			if len(e.clocks) > 1 {
				w.batch(ctx, 1, b.first, b.end, out.note)
			}
			w.batch(ctx, 0, b.first, b.end, out.put)
			if err := ctx.Err(); err != nil {
				return err
			}
			if cfg.Tick != nil {
				cfg.Tick(e.done.Load(), total)
			}
			finished(batch)
			return nil
		},
		Merge: func(int) (bool, error) { return false, nil },
	})
	e.stats = stats
	return err
}

// batches cuts spans into the batches that workers take.
func (e *engine) batches(cfg Config, spans []span) (batches []span) {
	n := 0
	for _, s := range spans {
		n += s.end - s.first
	}
	steps := 0.0
	for _, c := range e.clocks {
		steps += float64(c.steps)
	}
	size := cfg.Batch
	if size == 0 {
		share := (n + cfg.Workers - 1) / cfg.Workers
		if cfg.Keep != "" {
			share = max(share/8, min(share, width)) // so that even a small sweep has several checkpoints
		}
		size = min(batchChains, share, max(width, int(batchSteps/(steps*float64(e.links(0))))))
	}
	for _, s := range spans {
		for first := s.first; first < s.end; first += size {
			batches = append(batches, span{first, min(s.end, first+size)})
		}
	}
	return batches
}
