package sched_test

import (
	"context"
	"fmt"

	"popsim/sched"
)

// Two workers add up the numbers 1, 2, 3 in every shard; the shards are summed between epochs.
func ExampleRun() {
	shards, total := make([]int, 8), 0
	stats, err := sched.Run(context.Background(), sched.Plan{
		Workers: 2, Shards: len(shards),
		Advance: func(_, shard, epoch int) error {
			shards[shard] += epoch + 1
			return nil
		},
		Merge: func(epoch int) (more bool, err error) {
			total = 0
			for _, x := range shards {
				total += x
			}
			return epoch < 2, nil
		},
	})
	fmt.Println(total, stats.Epochs, err)
	// Output: 48 3 <nil>
}
