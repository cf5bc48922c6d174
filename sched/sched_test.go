package sched

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var pools = []int{1, 2, 3, 8}

// eager is a value of little for which every epoch is shared, though it holds no work.
const eager = 0

// until returns a Merge that ends the run after n epochs.
func until(n int) func(int) (bool, error) {
	return func(epoch int) (bool, error) { return epoch+1 < n, nil }
}

// Shards are plain integers: the race detector, or a wrong sum, shows if A(s, k) < M(k) < A(s, k+1) does not hold.
func TestLockstep(t *testing.T) {
	const epochs = 300
	for _, workers := range pools {
		for _, shards := range []int{0, 1, 2, 7, 64} {
			t.Run(fmt.Sprintf("workers=%d/shards=%d", workers, shards), func(t *testing.T) {
				calls := make([]int, shards)
				scratch := make([]int, workers)
				sum := 0
				stats, err := run(t.Context(), Plan{
					Workers: workers,
					Shards:  shards,
					Advance: func(worker, shard, epoch int) error {
						if sum != shards*epoch {
							return fmt.Errorf("shard %d epoch %d: sum=%d, want %d", shard, epoch, sum, shards*epoch)
						}
						calls[shard]++
						scratch[worker]++
						return nil
					},
					Merge: func(epoch int) (bool, error) {
						for s, n := range calls {
							if n != epoch+1 {
								t.Errorf("epoch=%d shard=%d: advanced %d times, want %d", epoch, s, n, epoch+1)
							}
							sum++
						}
						return epoch+1 < epochs, nil
					},
				}, eager)
				if err != nil {
					t.Fatal(err)
				}
				total := 0
				for _, n := range scratch {
					total += n
				}
				if stats.Epochs != epochs || total != epochs*shards {
					t.Errorf("epochs=%d calls=%d, want %d and %d", stats.Epochs, total, epochs, epochs*shards)
				}
			})
		}
	}
}

func TestLittleWorkIsNotShared(t *testing.T) {
	plan := Plan{
		Workers: 2,
		Shards:  4,
		Advance: func(_, _, _ int) error { return nil },
		Merge:   until(100),
	}
	for _, c := range []struct {
		little time.Duration
		alone  int
	}{{time.Hour, 99}, {eager, 0}} { // the first epoch has no earlier one to measure
		stats, err := run(t.Context(), plan, c.little)
		if err != nil || stats.Alone != c.alone {
			t.Errorf("little=%v: %d epochs alone (%v), want %d", c.little, stats.Alone, err, c.alone)
		}
	}
	plan.Advance = func(_, _, _ int) error { time.Sleep(100 * time.Microsecond); return nil }
	stats, err := Run(t.Context(), plan)
	if err != nil || stats.Alone != 0 {
		t.Errorf("400 µs of work: %d epochs alone (%v), want 0", stats.Alone, err)
	}
}

// Shards are prepared for an epoch after they have been advanced through the one before, and before they are advanced
// through it, while others may be in an earlier epoch: the race detector shows if two workers have one shard at a time.
func TestPrepare(t *testing.T) {
	const epochs, shards = 300, 7
	for _, workers := range pools {
		for _, little := range []time.Duration{eager, time.Hour} {
			advanced, prepared := make([]int, shards), make([]int, shards)
			for s := range prepared {
				prepared[s] = -1
			}
			early := 0
			stats, err := run(t.Context(), Plan{
				Workers: workers,
				Shards:  shards,
				Prepare: func(_, shard, epoch int) {
					if advanced[shard] != epoch {
						t.Errorf("shard %d prepared for epoch %d after %d epochs", shard, epoch, advanced[shard])
					}
					prepared[shard] = epoch
				},
				Advance: func(_, shard, epoch int) error {
					if advanced[shard] != epoch || prepared[shard] > epoch {
						t.Errorf("shard %d advanced through epoch %d after %d epochs, prepared for %d", shard, epoch,
							advanced[shard], prepared[shard])
					}
					if shard == 0 && prepared[shard] == epoch {
						early++
					}
					advanced[shard]++
					return nil
				},
				Merge: func(epoch int) (bool, error) {
					for s, n := range advanced {
						if n != epoch+1 {
							t.Errorf("epoch=%d shard=%d: advanced %d times, want %d", epoch, s, n, epoch+1)
						}
					}
					return epoch+1 < epochs, nil
				},
			}, little)
			if err != nil {
				t.Fatal(err)
			}
			want := 0
			if workers > 1 && little == eager {
				want = epochs - 1
			} else if workers > 1 {
				want = 1 // the first is shared, so that the second is prepared
			}
			if early != want || stats.Epochs != epochs {
				t.Errorf("workers=%d, little=%v: %d epochs of %d prepared, want %d", workers, little, early, stats.Epochs, want)
			}
		}
	}
}

// A panic of Prepare is that of its epoch, and is reported also if the run ends before it.
func TestPreparePanics(t *testing.T) {
	for _, epochs := range []int{3, 10} {
		merged := 0
		_, err := run(t.Context(), Plan{
			Workers: 2, Shards: 4, Advance: func(_, _, _ int) error { return nil },
			Prepare: func(_, shard, epoch int) {
				if shard == 2 && epoch == 3 {
					panic("not ready")
				}
			},
			Merge: func(epoch int) (bool, error) { merged++; return epoch+1 < epochs, nil },
		}, eager)
		if err == nil || !strings.Contains(err.Error(), "shard 2 panicked in epoch 3: not ready") || merged != 3 {
			t.Errorf("%d epochs: error %v after %d, want that of shard 2 after 3", epochs, err, merged)
		}
	}
}

func TestWorthwhile(t *testing.T) {
	const us = time.Microsecond
	for _, c := range []struct {
		work   time.Duration
		now, n int
		want   int
	}{
		{3 * us / 2, 64, 64, 1}, // CUBA's 4000 neurons for a step
		{3 * us, 1, 64, 1},
		{8 * us, 1, 64, 2},
		{5 * us, 2, 64, 2},
		{200 * us, 1, 64, 14}, // the microcircuit's
		{200 * us, 64, 64, 20},
		{200 * us, 16, 64, 16},
		{200 * us, 1, 2, 2},
		{10000 * us, 1, 64, 64},
	} {
		if got := worthwhile(c.work, Little, c.now, c.n); got != c.want {
			t.Errorf("%v of work, %d of %d workers: %d are worth while, want %d", c.work, c.now, c.n, got, c.want)
		}
	}
}

func TestShared(t *testing.T) {
	for work, want := range map[time.Duration]int{Little / 2: 1, Little: 2, 4 * Little: 4, 100 * Little: 8} {
		if got := Shared(work, 8); got != want {
			t.Errorf("epochs of %v are shared by %d workers of 8, want %d", work, got, want)
		}
	}
}

func TestCancel(t *testing.T) {
	for _, workers := range pools {
		ctx, cancel := context.WithCancel(t.Context())
		merged := -1
		stats, err := run(ctx, Plan{
			Workers: workers,
			Shards:  8,
			Advance: func(_, shard, epoch int) error {
				if shard == 3 && epoch == 5 {
					cancel()
				}
				return nil
			},
			Merge: func(epoch int) (bool, error) { merged = epoch; return true, nil },
		}, eager)
		if !errors.Is(err, context.Canceled) || merged != 5 || stats.Epochs != 6 {
			t.Errorf("workers=%d: %v after epoch %d of %d, want context.Canceled after epoch 5 of 6", workers, err,
				merged, stats.Epochs)
		}
		if stats, err = Run(ctx, Plan{Workers: workers, Shards: 1, Advance: func(_, _, _ int) error {
			t.Error("advanced under a context that was done")
			return nil
		}, Merge: until(1)}); !errors.Is(err, context.Canceled) || stats.Epochs != 0 {
			t.Errorf("workers=%d: %v, %d epochs, want context.Canceled before the first", workers, err, stats.Epochs)
		}
	}
}

// The error is that of the lowest shard, though others fail before it, and its epoch is carried through but not merged.
func TestErrorOfLowestShard(t *testing.T) {
	for _, workers := range pools {
		var last atomic.Int64
		stats, err := run(t.Context(), Plan{
			Workers: workers,
			Shards:  9,
			Advance: func(_, shard, epoch int) error {
				if epoch < 4 {
					return nil
				}
				last.Add(1)
				switch shard {
				case 2:
					time.Sleep(time.Millisecond)
					return errors.New("second shard")
				case 5:
					panic("fifth shard")
				case 8:
					return errors.New("eighth shard")
				}
				return nil
			},
			Merge: until(10),
		}, eager)
		if err == nil || err.Error() != "second shard" || stats.Epochs != 4 || last.Load() != 9 {
			t.Errorf("workers=%d: error %v, %d merged, %d shards of the last epoch, want that of shard 2, 4 and 9",
				workers, err, stats.Epochs, last.Load())
		}
	}
}

func TestMergeError(t *testing.T) {
	full := errors.New("disk full")
	for _, workers := range pools {
		stats, err := run(t.Context(), Plan{
			Workers: workers,
			Shards:  3,
			Advance: func(_, _, _ int) error { return nil },
			Merge: func(epoch int) (bool, error) {
				if epoch == 2 {
					return true, full
				}
				return true, nil
			},
		}, eager)
		if !errors.Is(err, full) || stats.Epochs != 2 {
			t.Errorf("workers=%d: %v after %d epochs, want %v after 2", workers, err, stats.Epochs, full)
		}
	}
}

func TestPanic(t *testing.T) {
	var none []int
	cause := errors.New("a cause")
	for _, c := range []struct {
		name string
		do   func()
		want []string
	}{
		{"text", func() { panic("bug: pop: no column") }, []string{
			"shard 6 panicked in epoch 3: bug: pop: no column",
			"TestPanic",
		}},
		{"error", func() { panic(cause) }, []string{"shard 6 panicked in epoch 3: a cause", "goroutine"}},
		{"runtime", func() { none[0] = 1 }, []string{"index out of range"}},
		{"nil", func() { panic(any(nil)) }, []string{"panic called with nil"}},
	} {
		for _, workers := range pools {
			_, err := run(t.Context(), Plan{
				Workers: workers,
				Shards:  7,
				Advance: func(_, shard, epoch int) error {
					if shard == 6 && epoch == 3 {
						c.do()
					}
					return nil
				},
				Merge: until(10),
			}, eager)
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s, workers=%d: error %v, want %q in it", c.name, workers, err, want)
				}
			}
			if c.name == "error" && !errors.Is(err, cause) {
				t.Errorf("workers=%d: errors.Is does not find the cause in %v", workers, err)
			}
		}
	}
}

// Neither a panic in Merge nor the end of the caller's or a worker's goroutine may leave the others at the barrier.
func TestNobodyIsLeftBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	idle := func(_, _, _ int) error { return nil }
	for _, workers := range pools {
		func() {
			defer func() {
				if p := recover(); p != "merge" {
					t.Errorf("workers=%d: recovered %v, want the panic of Merge", workers, p)
				}
			}()
			_, _ = run(t.Context(), Plan{Workers: workers, Shards: 8, Advance: idle, Merge: func(int) (bool,
				error,
			) {
				panic("merge")
			}}, eager)
		}()

		gone := make(chan error, 1)
		go func() {
			err := errors.New("the caller ended")
			defer func() { gone <- err }()
			_, err = run(t.Context(), Plan{Workers: workers, Shards: 8, Advance: func(_, shard, _ int) error {
				if shard == 5 {
					runtime.Goexit()
				}
				return nil
			}, Merge: until(10)}, eager)
		}()
		if err := <-gone; err == nil {
			t.Errorf("workers=%d: a run went on without its worker", workers)
		}
	}
	for attempts := 100; runtime.NumGoroutine() > before; attempts-- {
		if attempts == 0 {
			t.Fatalf("%d goroutines, want %d", runtime.NumGoroutine(), before)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestNoGarbage(t *testing.T) {
	const warm, epochs = 100, 2000
	labelled := pprof.WithLabels(t.Context(), pprof.Labels("model", "adex"))
	for i, workers := range append(pools, pools...) {
		ctx := t.Context()
		if i >= len(pools) {
			ctx = labelled
		}
		for _, little := range []time.Duration{eager, time.Hour} {
			var from, to runtime.MemStats
			_, err := run(ctx, Plan{
				Workers: workers,
				Shards:  16,
				Advance: func(_, _, _ int) error { return nil },
				Merge: func(epoch int) (bool, error) {
					switch epoch {
					case warm:
						runtime.ReadMemStats(&from)
					case warm + epochs:
						runtime.ReadMemStats(&to)
						return false, nil
					}
					return true, nil
				},
			}, little)
			if err != nil {
				t.Fatal(err)
			}
			if n := (to.Mallocs - from.Mallocs) / epochs; n != 0 { // whole ones, as in testing.AllocsPerRun
				t.Errorf("workers=%d: %d allocations per epoch, want 0", workers, n)
			}
		}
	}
}

func TestStats(t *testing.T) {
	const epochs, nap = 10, 2 * time.Millisecond
	stats, err := Run(t.Context(), Plan{
		Workers: 2,
		Shards:  2,
		Advance: func(_, shard, _ int) error {
			if shard == 0 {
				time.Sleep(nap)
			}
			return nil
		},
		Merge: until(epochs),
	})
	if err != nil {
		t.Fatal(err)
	}
	busy, wait := stats.Busy[0]+stats.Busy[1], stats.Wait[0]+stats.Wait[1]
	if least := epochs * nap; busy < least || wait < least/2 || stats.Elapsed < least || len(stats.Busy) != 2 {
		t.Errorf("busy %v, waiting %v of %v, want at least %v, %v and %v", stats.Busy, stats.Wait, stats.Elapsed, least,
			least/2, least)
	}
	// One works, one waits: 0.5, or more where the processor has other work as well.
	if i, want := stats.Imbalance(), float64(wait)/float64(busy+wait); i != want || i < 0.2 {
		t.Errorf("imbalance %.2f, want %.2f", i, want)
	}
	sum := Stats{}
	sum.Add(stats)
	sum.Add(stats)
	if sum.Epochs != 2*epochs || len(sum.Busy) != 2 || sum.Busy[0]+sum.Busy[1] != 2*busy ||
		sum.Wait[0]+sum.Wait[1] != 2*wait {
		t.Errorf("twice %+v is %+v", stats, sum)
	}
	if i := (Stats{}).Imbalance(); i != 0 {
		t.Errorf("imbalance of nothing is %v, want 0", i)
	}
}

func TestRefusals(t *testing.T) {
	for _, p := range []Plan{{Workers: -1, Shards: 2}, {Shards: -3}} {
		if _, err := Run(t.Context(), p); err == nil {
			t.Errorf("%d workers for %d shards: accepted", p.Workers, p.Shards)
		}
	}
}

// Labels of the caller's context and our own reach every goroutine that advances shards: the shard while it does so,
// the worker also between turns, when it waits.
func TestLabels(t *testing.T) {
	ctx := pprof.WithLabels(t.Context(), pprof.Labels("model", "adex"))
	var within, between strings.Builder
	both := make(chan struct{})
	_, err := run(ctx, Plan{
		Workers: 2,
		Shards:  2,
		Advance: func(_, shard, _ int) (err error) {
			if shard == 1 {
				both <- struct{}{}
				<-both
				return nil
			}
			<-both // the other worker is at it
			err = pprof.Lookup("goroutine").WriteTo(&within, 1)
			both <- struct{}{}
			return err
		},
		Merge: func(int) (bool, error) {
			return false, pprof.Lookup("goroutine").WriteTo(&between, 1)
		},
	}, eager)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"model":"adex", "shard":"0", "worker":"`, `{"model":"adex", "shard":"1", "worker":"`} {
		if !strings.Contains(within.String(), want) {
			t.Errorf("no goroutine is labelled %s in\n%s", want, &within)
		}
	}
	for _, want := range []string{`{"model":"adex", "worker":"0"}`, `{"model":"adex", "part":"barrier", "worker":"1"}`} {
		if !strings.Contains(between.String(), want) {
			t.Errorf("no goroutine is labelled %s in\n%s", want, &between)
		}
	}
}

func TestTraced(t *testing.T) {
	if err := trace.Start(io.Discard); err != nil {
		t.Skip(err) // go test -trace is at it already
	}
	defer trace.Stop()
	if _, err := run(t.Context(), Plan{
		Workers: 2, Shards: 4, Advance: func(_, _, _ int) error { return nil },
		Merge: until(9),
	}, eager); err != nil {
		t.Fatal(err)
	}
}

func TestAllowed(t *testing.T) {
	t.Setenv("SLURM_CPUS_PER_TASK", "")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	all := Allowed()
	if all < 1 || all > runtime.NumCPU() {
		t.Errorf("%d CPUs allowed of %d", all, runtime.NumCPU())
	}
	for task, want := range map[string]int{"1": 1, "0": all, "many": all, "100000": all} {
		t.Setenv("SLURM_CPUS_PER_TASK", task)
		if got := Allowed(); got != want {
			t.Errorf("SLURM_CPUS_PER_TASK=%s: %d CPUs allowed, want %d", task, got, want)
		}
	}
	runtime.GOMAXPROCS(1)
	if got := Allowed(); got != 1 {
		t.Errorf("GOMAXPROCS 1: %d CPUs allowed", got)
	}
}

// BenchmarkBarrier is an epoch without work: what lockstep costs.
func BenchmarkBarrier(b *testing.B) {
	for _, workers := range pools {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			b.ReportAllocs()
			stats, err := run(b.Context(), Plan{
				Workers: workers,
				Shards:  4 * workers,
				Advance: func(_, _, _ int) error { return nil },
				Merge:   func(int) (bool, error) { return b.Loop(), nil },
			}, eager)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(stats.Imbalance(), "imbalance")
		})
	}
}

// BenchmarkEpoch shares work that could be divided without loss; sum is that work, wall ns times workers over it shows
// what lockstep adds.
func BenchmarkEpoch(b *testing.B) {
	for _, work := range []time.Duration{2 * time.Microsecond, 20 * time.Microsecond, 100 * time.Microsecond} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("work=%v/workers=%d", work, workers), func(b *testing.B) {
				const shards = 8
				stats, err := Run(b.Context(), Plan{
					Workers: workers,
					Shards:  shards,
					Advance: func(_, _, _ int) error {
						for begin := time.Now(); time.Since(begin) < work/shards; {
						}
						return nil
					},
					Merge: func(int) (bool, error) { return b.Loop(), nil },
				})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(stats.Alone)/float64(stats.Epochs), "alone")
			})
		}
	}
}

// BenchmarkEfficiency is the share of the workers' time that is spent on work: epochs of one shard for each of two
// workers, with arithmetic of about a length, which is measured alone first; the lowest twentieth of lots of epochs.
// line is the time in which a cache line goes from one core to the other and back.
func BenchmarkEfficiency(b *testing.B) {
	const workers = 2
	for _, us := range []time.Duration{1, 2, 4, 20} {
		work := us * time.Microsecond
		b.Run(fmt.Sprintf("work=%v", work), func(b *testing.B) {
			n := int(work / (4 * time.Nanosecond))
			for range 2 {
				n = int(float64(n) * float64(work) / float64(arithmeticTime(n)))
			}
			each, line := arithmeticTime(n), lineTime()
			var all []time.Duration // of lots of epochs, so that those another process has disturbed can be left out
			const lot = 20
			k, begin := 0, time.Now()
			_, err := Run(b.Context(), Plan{
				Workers: workers, Shards: workers, Always: true,
				Advance: func(_, shard, _ int) error {
					results[shard].x = arithmetic(n)
					return nil
				},
				Merge: func(int) (bool, error) {
					if k++; k%lot == 0 {
						now := time.Now()
						all, begin = append(all, now.Sub(begin)/lot), now
					}
					return b.Loop(), nil
				},
			})
			if err != nil {
				b.Fatal(err)
			}
			slices.Sort(all)
			epoch := all[len(all)/20]
			b.ReportMetric(float64(each)/float64(epoch), "efficiency")
			b.ReportMetric(float64(epoch-each), "barrier-ns")
			b.ReportMetric(float64(line), "line-ns")
		})
	}
}

var results [2]struct {
	x float64
	_ pad
}

// arithmetic is n dependent multiplications and additions.
func arithmetic(n int) float64 {
	x := 1.0
	for range n {
		x = float64(x*0.999) + 1e-3
	}
	return x
}

// arithmeticTime is the time of arithmetic of a length: the median of many.
func arithmeticTime(n int) time.Duration {
	var all []time.Duration
	for range 101 {
		const times = 100
		begin := time.Now()
		for range times {
			results[0].x = arithmetic(n)
		}
		all = append(all, time.Since(begin)/times)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// lineTime is the time in which two goroutines answer each other once: the least of many.
func lineTime() time.Duration {
	const times, lots = 200, 300
	var there, back struct {
		_ pad
		atomic.Int64
		_ pad
	}
	go func() {
		for i := int64(1); i <= times*lots; i++ {
			for there.Load() < i {
			}
			back.Store(i)
		}
	}()
	least := time.Hour
	for i := int64(1); i <= times*lots; {
		begin := time.Now()
		for range times {
			there.Store(i)
			for back.Load() < i {
			}
			i++
		}
		least = min(least, time.Since(begin)/times)
	}
	return least
}
