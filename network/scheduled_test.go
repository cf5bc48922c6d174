package network

import (
	"testing"
	"unsafe"
)

// TestScheduledRunsCoverTheIndex holds the runs of one spike to its part of the index, also where a source has more
// edges than a run or its place can count.
func TestScheduledRunsCoverTheIndex(t *testing.T) {
	start := []uint32{7, 7, 9, 65544, 65544, 300000, 300001}
	const least = 2
	tb := &table{style: float32s, least: least, delays: len(start) - 1, start: start}
	r := &shard{
		net: &Network{layout: &layout{
			spec: &Spec{OnGrid: true}, longest: least + len(start) - 2, steps: 1,
			main: []int{0}, receptors: []receptor{{width: 1}},
		}},
		tables:  []*table{tb},
		history: newHistory(int64(least + len(start) + 4)),
	}
	r.startSchedule()
	if !r.schedule.on {
		t.Fatal("runs are not scheduled")
	}
	const s, k = 5, 9 // what arrives before step 9 is left out
	r.schedule.spikes.begin(s)
	r.scheduleSpike(s, k, spike{}, 0)
	for d := range len(start) - 1 {
		r.runs = r.runs[:0]
		r.listScheduled(s + least + int64(d))
		next := start[d]
		for _, u := range r.runs {
			if want := tb.block(next); u.First != want || u.Blocks <= 0 || u.Unit != &onePerEdge {
				t.Errorf("delay %d: a run of %d blocks at %d, want it at %d", d, u.Blocks, u.First, want)
			}
			next += uint32(u.Blocks)
		}
		want := start[d+1]
		if s+least+d < k {
			want = start[d]
		}
		if next != want {
			t.Errorf("delay %d: runs end at block %d, want %d", d, next, want)
		}
	}
	if size := unsafe.Sizeof(scheduledRun{}); size != 8 {
		t.Errorf("a scheduled run takes %d bytes, want 8", size)
	}
}

// TestKeptGrows adds many more than there is room for and finds those still needed.
func TestKeptGrows(t *testing.T) {
	q := kept[int]{nextAt: make([]uint32, 4)}
	n := 0
	for s := range int64(20) {
		q.begin(s)
		first := q.next
		for range 50 * (s % 7) {
			q.add(n, s-2)
			n++
		}
		for i := q.nextAt[q.at(max(0, s-2))]; i != q.next; i++ {
			if *q.of(i) != int(i) {
				t.Fatalf("step %d: number %d holds %d (the step begins with %d)", s, i, *q.of(i), first)
			}
		}
	}
}
