package sched

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// roundPlan is a plan of one shard for each worker, whose epochs are counted. Its Advance and Merge tell t where the
// order of events is not that of Plan.Epochs; the race detector does so too.
func roundPlan(t *testing.T, workers, epochs int) Plan {
	advanced := make([]int, workers)
	seen := make([][2]int, workers) // by shard: how many epochs the others had been advanced by, at the least
	merged := 0
	return Plan{
		Workers: workers, Shards: workers, Epochs: epochs, Always: true,
		Advance: func(_, shard, epoch int) error {
			if advanced[shard] != epoch {
				return fmt.Errorf("shard %d is advanced by epoch %d after %d", shard, epoch, advanced[shard])
			}
			seen[shard][epoch%2] = epoch
			for s := range seen {
				if epoch > 0 && s != shard && seen[s][(epoch-1)%2] != epoch-1 {
					return fmt.Errorf("shard %d begins epoch %d before shard %d has ended the one before", shard, epoch, s)
				}
			}
			advanced[shard]++
			return nil
		},
		Merge: func(epoch int) (bool, error) {
			for s := range seen {
				if seen[s][epoch%2] != epoch {
					t.Errorf("epoch %d is merged before shard %d has ended it, or after it has ended the one after the next", epoch, s)
				}
			}
			merged++
			return merged < epochs, nil
		},
	}
}

// TestRounds: all A(., k) happen before every A(., k+1), and M(k) after A(., k) and before A(., k+2).
func TestRounds(t *testing.T) {
	for _, workers := range []int{2, 3, 4, MostInRound + 1} {
		for _, epochs := range []int{1, 2, 64, 65, 66, 1000} {
			for _, prepared := range []bool{false, true} {
				p := roundPlan(t, workers, epochs)
				ready := make([]int, workers)
				if prepared { // late shards are advanced by others, who do not prepare them
					p.Prepare = func(_, shard, epoch int) {
						if ready[shard] >= epoch {
							t.Errorf("shard %d is prepared for epoch %d after %d", shard, epoch, ready[shard])
						}
						ready[shard] = epoch
					}
				}
				stats, err := Run(t.Context(), p)
				if err != nil || stats.Epochs != epochs || stats.Advanced != epochs || stats.Turns != workers*epochs {
					t.Errorf("%d workers, %d epochs: %v, %+v", workers, epochs, err, stats)
				}
				if prepared && epochs == 64 && workers == 2 && ready[0] == 0 {
					t.Error("nothing has been prepared")
				}
			}
		}
	}
}

// TestRoundsEnd: a round ends in the same epoch for all, whatever ends it. Epochs 1 to 63 are a round, unless an
// epoch takes so long, on a busy machine, that all are timed; of several runs one at least has a round.
func TestRoundsEnd(t *testing.T) {
	const at, attempts = 20, 50
	full, broken := errors.New("disk full"), errors.New("broken")
	type counts struct{ merged, advanced int }
	for _, workers := range []int{2, MostInRound} {
		for name, c := range map[string]struct {
			change        func(p *Plan, cancel context.CancelFunc)
			want          error
			round, single counts
		}{
			"Merge fails": {func(p *Plan, _ context.CancelFunc) {
				p.Merge = failing(p.Merge, at, full)
			}, full, counts{at, at + 2}, counts{at, at + 1}},
			"Merge ends the run": {func(p *Plan, _ context.CancelFunc) {
				merge := p.Merge
				p.Merge = func(epoch int) (bool, error) {
					_, err := merge(epoch)
					return epoch < at, err
				}
			}, nil, counts{at + 1, at + 2}, counts{at + 1, at + 1}},
			"a shard fails": {func(p *Plan, _ context.CancelFunc) {
				advance := p.Advance
				p.Advance = func(w, shard, epoch int) error {
					if shard == workers-1 && epoch == at {
						return broken
					}
					return advance(w, shard, epoch)
				}
			}, broken, counts{at, at}, counts{at, at}},
			"the context is done": {func(p *Plan, cancel context.CancelFunc) {
				merge := p.Merge
				p.Merge = func(epoch int) (bool, error) {
					if epoch == at {
						cancel()
					}
					return merge(epoch)
				}
			}, context.Canceled, counts{at + 2, at + 2}, counts{at + 1, at + 1}},
		} {
			for left := attempts; ; left-- {
				ctx, cancel := context.WithCancel(t.Context())
				p := roundPlan(t, workers, 1000)
				c.change(&p, cancel)
				stats, err := Run(ctx, p)
				cancel()
				got := counts{stats.Epochs, stats.Advanced}
				if !errors.Is(err, c.want) || got != c.round && got != c.single {
					t.Errorf("%s, %d workers: %v after %+v epochs, want %v after %+v or %+v", name, workers, err, got, c.want,
						c.round, c.single)
				}
				if got == c.round {
					break
				}
				if left == 0 {
					t.Fatalf("%s, %d workers: no round in %d runs", name, workers, attempts)
				}
			}
		}
	}
}

// failing is a Merge that fails in an epoch.
func failing(merge func(int) (bool, error), at int, err error) func(int) (bool, error) {
	return func(epoch int) (bool, error) {
		if epoch == at {
			return true, err
		}
		return merge(epoch)
	}
}

// TestNobodyIsLeftInARound: neither a panic of Merge or of a shard nor the end of a goroutine leaves others waiting.
func TestNobodyIsLeftInARound(t *testing.T) {
	const at = 20
	for _, workers := range []int{2, 3} {
		for _, shard := range []int{0, workers - 1} {
			for name, do := range map[string]func(){"panicked": func() { panic("now") }, "ended its goroutine": runtime.Goexit} {
				p := roundPlan(t, workers, 1000)
				advance := p.Advance
				p.Advance = func(w, s, epoch int) error {
					if s == shard && epoch == at {
						do()
					}
					return advance(w, s, epoch)
				}
				gone := make(chan error, 1)
				go func() {
					err := errors.New("shard 0 ended its goroutine")
					defer func() { gone <- err }()
					_, err = Run(t.Context(), p)
				}()
				want := fmt.Sprintf("shard %d %s", shard, name)
				if err := <-gone; err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%d workers: error %v, want %q", workers, err, want)
				}
			}
		}
		p := roundPlan(t, workers, 1000)
		p.Merge = func(epoch int) (bool, error) {
			if epoch == at {
				panic("merge")
			}
			return true, nil
		}
		func() {
			defer func() {
				if x := recover(); x != "merge" {
					t.Errorf("%d workers: recovered %v, want the panic of Merge", workers, x)
				}
			}()
			_, _ = Run(t.Context(), p)
		}()
	}
}
