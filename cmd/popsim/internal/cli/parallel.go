package cli

import (
	"context"
	"sync"
	"sync/atomic"

	"popsim/sched"
)

// Parallel calls work(0), ..., work(n-1) from workers goroutines, until one of the calls fails, and shows on progress
// how many are done.
func Parallel(ctx context.Context, workers, n int, work func(k int) error, progress *Progress) (sched.Stats, error) {
	var mu sync.Mutex // of done and progress
	done := 0
	var failed atomic.Bool
	stats, err := sched.Run(ctx, sched.Plan{
		Workers: workers, Shards: n,
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
	return stats, err
}
