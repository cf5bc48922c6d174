package bench

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"popsim/kernels"
	"popsim/network"
	"popsim/network/description"
	"popsim/sched"
)

// Rows of scaling predict the speed of a network on machines with more cores than this one. They measure the time of
// each range in each epoch, for a network of as many ranges as there would be workers, and the time of a barrier of two
// workers. They assume that
//
//   - a core of that machine is as fast as one of this one, and has as much cache to itself. Each range is advanced by
//     itself through many epochs, with the spikes of the others from a run before;
//   - the time of a barrier grows in proportion to the number of workers; up to sched.MostInRound of them it is that of
//     workers that meet without the caller between them;
//   - ranges take their mean times in each epoch: that one is slower in one epoch and another in the next is left out;
//   - the barrier costs the part of it that is not hidden by work that does not wait for it;
//   - all cores together read edges with memoryLimit at most.
//
// Times are means over laps but for the slowest tenth, of each range by itself, and without those of the readings of
// the clock by which they are taken.
//
// Predictions for one and two workers are set beside runs: error is the prediction over the run, less 1. A run takes
// fewer workers than it has where an epoch holds too little work (sched.Little); shared-by is how many it takes,
// and where that is one, it is the prediction for one worker that stands beside it.
const memoryLimit = 200e9 // bytes/s: one socket with eight channels of memory

// manyWorkers are those for which rows are predicted.
var manyWorkers = []int{1, 2, 4, 8, 16, 32, 64, 128}

// gain is the least factor by which more workers must shorten a run to be worth it.
const gain = 1.05

// prediction is a network on a number of cores.
type prediction struct {
	workers   int
	epochs    int
	seconds   float64 // for a second of the network
	barrier   float64 // part of it
	imbalance float64 // the busiest range over the mean
	delivery  float64 // part of the time of a range, likewise input and update
	input     float64
	update    float64
	shared    int     // workers that a run takes
	atMemory  bool    // whether memory is the limit
	measured  float64 // seconds of a run on so many workers; 0: not run
}

// measuredWorkers is the largest number of workers for which a prediction is set beside a run, where so many are
// allowed.
const measuredWorkers = 2

// barrierEpochs is the number of epochs of a stretch over which a barrier is timed.
const barrierEpochs = 2000

// barriers are the times of a barrier of two workers without work: where they meet without the caller between them, and
// where it opens each epoch.
type barriers struct{ round, turn time.Duration }

func measureBarriers(ctx context.Context) (b barriers, err error) {
	if b.round, err = barrierTime(ctx, barrierEpochs); err != nil {
		return b, err
	}
	b.turn, err = barrierTime(ctx, 0)
	return b, err
}

// of is the time of a barrier of more workers.
func (b barriers) of(workers int) float64 {
	two := b.turn
	if workers <= sched.MostInRound {
		two = b.round
	}
	return float64(two) * float64(workers) / 2
}

// barrierTime is the least mean of many stretches. epochs is as in sched.Plan.
func barrierTime(ctx context.Context, epochs int) (time.Duration, error) {
	const stretches = 50
	least := time.Duration(1<<63 - 1)
	for range stretches {
		stats, err := sched.Run(ctx, sched.Plan{
			Workers: 2, Shards: 2, Always: true, Epochs: epochs,
			Advance: func(_, _, _ int) error { return nil },
			Merge:   func(epoch int) (bool, error) { return epoch+1 < barrierEpochs, nil },
		})
		if err != nil {
			return 0, err
		}
		least = min(least, stats.Elapsed/barrierEpochs)
	}
	return least, nil
}

// predict measures a network in n.Workers ranges.
func predict(ctx context.Context, n Network, b barriers, budget time.Duration) (p prediction, err error) {
	d, err := description.Lookup(n.Name)
	if err != nil {
		return p, err
	}
	res, err := d.Resolve(description.Options{Settings: n.Settings, OnGrid: n.OnGrid})
	if err != nil {
		return p, err
	}
	net, err := res.Build(ctx, network.Config{Ranges: n.Workers, ISA: n.ISA})
	if err != nil {
		return p, err
	}
	defer net.Close()
	spikes := 0
	rec := network.Recorder{Spikes: func(x []network.Spike) error { spikes += len(x); return nil }}
	if err := net.Run(ctx, int64(networkStart/res.Spec.Dt), rec); err != nil {
		return p, err
	}
	laps, err := timeApart(net, budget)
	if err != nil {
		return p, err
	}
	usual := usual(laps)
	y := net.Summary()
	epoch := float64(y.Epoch) * res.Spec.Dt / 1000 // s
	p = prediction{workers: n.Workers, epochs: len(laps) * lapEpochs(net)}
	all := float64(usual.Delivery + usual.Input + usual.Update)
	p.delivery, p.input, p.update = float64(usual.Delivery)/all, float64(usual.Input)/all, float64(usual.Update)/all
	p.shared = sched.Shared(usual.Mean*time.Duration(y.Ranges), n.Workers)
	p.imbalance = float64(usual.Busiest) / float64(usual.Mean)
	busiest, wait := float64(usual.Busiest), 0.0
	if y.Ranges > n.Workers { // ranges have at most 65,535 neurons: a worker may have several
		busiest = float64(usual.Mean) * float64(y.Ranges) / float64(n.Workers)
	}
	if n.Workers > 1 {
		wait = max(0, b.of(n.Workers)-float64(usual.Early))
	}
	p.seconds = (busiest + wait) * 1e-9 / epoch
	p.barrier = wait * 1e-9 / epoch / p.seconds
	// Each spike reads the edges of its source.
	rate := float64(spikes) / float64(y.Neurons) / (networkStart / 1000)
	if memory := rate * float64(y.Bytes) / memoryLimit; memory > p.seconds {
		p.seconds, p.atMemory = memory, true
	}
	return p, nil
}

// timeApart is the means of the epochs of laps; each range is advanced by itself through all laps. A lap of all ranges
// in turn tells how many laps the budget holds.
func timeApart(net *network.Network, budget time.Duration) (laps []network.EpochTime, err error) {
	each, begin := lapEpochs(net), time.Now()
	if _, err := net.Timed(each); err != nil {
		return nil, err
	}
	n := min(max(leastApart, int(budget/time.Since(begin))), mostApart)
	times, err := net.TimedApart(warmLaps*each, n*each)
	if err != nil {
		return nil, err
	}
	for lap := range slices.Chunk(times, each) {
		laps = append(laps, meanEpoch(lap))
	}
	return laps, nil
}

// usual is the mean of the laps but for the slowest tenth; of each range its own laps, which were timed at other times.
func usual(laps []network.EpochTime) network.EpochTime {
	laps = slices.Clone(laps)
	keep := max(1, len(laps)*9/10)
	slices.SortFunc(laps, func(a, b network.EpochTime) int { return cmp.Compare(a.Mean, b.Mean) })
	m := meanEpoch(laps[:keep])
	m.Busiest, m.Mean = 0, 0
	for r := range laps[0].Ranges {
		slices.SortFunc(laps, func(a, b network.EpochTime) int { return cmp.Compare(a.Ranges[r], b.Ranges[r]) })
		mean := meanEpoch(laps[:keep]).Ranges[r]
		m.Busiest, m.Mean = max(m.Busiest, mean), m.Mean+mean
	}
	m.Mean /= time.Duration(len(laps[0].Ranges))
	return m
}

// Laps of ranges advanced by themselves: those before the timed ones, which fill the caches, and the timed ones.
const (
	warmLaps   = 2
	leastApart = 20
	mostApart  = 400
)

// metrics are those of a row; one is the predicted time of one worker, NaN if that was not asked for.
func (p prediction) metrics(one float64) []metric {
	list := []metric{
		{p.seconds, "s/model-s"},
		{p.barrier, "barrier"},
		{p.imbalance, "busiest/mean"},
		{p.delivery, "delivery"},
		{p.input, "input"},
		{p.update, "update"},
		{float64(p.shared), "shared-by"},
		{one / (p.seconds * float64(p.workers)), "efficiency"},
	}
	if p.measured > 0 {
		list = append(list, metric{p.measured, "measured-s/model-s"}, metric{p.ofRun(one)/p.measured - 1, "error"})
	}
	return slices.DeleteFunc(list, func(m metric) bool { return math.IsNaN(m.value) })
}

// ofRun is the predicted time of a run; one is that of one worker.
func (p prediction) ofRun(one float64) float64 {
	if p.shared == 1 {
		return one
	}
	return p.seconds
}

// scalingRows prints rows for each network, on the grid and inside the step, and the largest number of workers that
// shortens the run.
func (q Selection) scalingRows(ctx context.Context, out io.Writer, _ Infof) error {
	if len(q.Models) > 0 {
		return nil
	}
	isa := q.ISA
	if isa == kernels.Auto {
		isa = kernels.Available()[0]
	}
	b, err := measureBarriers(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "barrier-of-two-ns: %d\nbarrier-by-the-caller-ns: %d\nmemory-limit-GB/s: %g\n",
		b.round.Nanoseconds(), b.turn.Nanoseconds(), memoryLimit/1e9)
	if err != nil {
		return err
	}
	for _, n := range networks {
		for _, onGrid := range []bool{true, false} {
			n.OnGrid, n.ISA = onGrid, isa
			if q.Quick && n.Title != networks[0].Title || n.Large && q.Rows == nil {
				continue
			}
			if err := q.scalingOf(ctx, out, n, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// scalingOf prints the rows of one network. That of gains needs those of all numbers of workers.
func (q Selection) scalingOf(ctx context.Context, out io.Writer, n Network, b barriers) error {
	workers, one := manyWorkers, math.NaN()
	if q.Quick {
		workers = []int{1, 16}
	}
	var list []prediction
	for _, n.Workers = range workers {
		name := fmt.Sprintf("%s/workers=%d", scalingName(n), n.Workers)
		if !q.includes(name) {
			continue
		}
		p, err := predict(ctx, n, b, q.budget())
		if err != nil {
			return err
		}
		if n.Workers <= min(measuredWorkers, sched.Allowed()) {
			w, err := measureNetwork(ctx, n, q.budget())
			if err != nil {
				return err
			}
			p.measured = w.Mean.Usual
		}
		if list = append(list, p); n.Workers == 1 {
			one = p.seconds
		}
		if err := row(out, "BenchmarkScaling/"+name, p.epochs, p.metrics(one)); err != nil {
			return err
		}
	}
	if len(list) < len(workers) {
		return nil
	}
	return row(out, "BenchmarkScaling/"+scalingName(n)+"/gains", 1, gains(list))
}

// gains returns the number of workers up to which each doubling shortens the run by the factor gain, and its time.
func gains(list []prediction) []metric {
	best := 0
	for i := 1; i < len(list) && list[best].seconds > gain*list[i].seconds; i++ {
		best = i
	}
	return []metric{{float64(list[best].workers), "workers"}, {list[best].seconds, "s/model-s"}}
}

func scalingName(n Network) string {
	spikes := "inside"
	if n.OnGrid {
		spikes = "grid"
	}
	return fmt.Sprintf("network=%s/spikes=%s/isa=%v", n.Title, spikes, n.ISA)
}
