package network

import (
	"slices"
	"testing"
)

// TestWatchedLanes: that lanes are watched changes no bit, also over a checkpoint of what is held, and in most steps no
// lane has an event that was not watched.
func TestWatchedLanes(t *testing.T) {
	const steps = 1000
	run := func(on bool) (spikes []Spike, missed int) {
		s := joinedSpec(ExpCurrent)
		s.Projections[0].Delay = Draw{Kind: Uniform, A: 0.5, B: 0.9, Round: 0.1} // spread widely, they would be packed
		n, err := Build(t.Context(), s, Config{Workers: 1, Ranges: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		w := &n.ranges[0].watch
		if !w.on {
			t.Fatal("lanes of joined receptors are not watched")
		}
		w.on = on
		for k := range steps {
			if k == steps/2 {
				n.ranges[0].held.step = -1 // as if read from a checkpoint
			}
			margin := w.margin
			err := n.Run(t.Context(), 1, Recorder{Spikes: func(x []Spike) error {
				spikes = append(spikes, x...)
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			if w.margin > margin {
				missed++
			}
		}
		return spikes, missed
	}
	want, _ := run(false)
	got, missed := run(true)
	if len(want) < 200 || !slices.Equal(got, want) {
		t.Errorf("%d spikes, %d without lanes that are watched", len(got), len(want))
	}
	if missed == 0 || missed > steps/10 { // see marginUp
		t.Errorf("lanes were missed in %d of %d steps", missed, steps)
	}
}
