package network

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// smallCUBA is cuba with other numbers of neurons and edges: as many onto each neuron whatever their number, so that
// the work of a step grows in proportion to the neurons. With spread delays are 0.1 to 3 ms, otherwise 0.1 ms, a step.
func smallCUBA(neurons int, onGrid, spread bool) *Spec {
	s := cuba(onGrid)
	full := s.Populations
	counts := []int{neurons * 4 / 5, neurons / 5}
	for i := range s.Populations {
		p := full[i]
		p.N = counts[i]
		start := slices.Clone(p.Start[0])
		for len(start) < p.N {
			start = append(start, start...)
		}
		p.Start = slices.Clone(p.Start)
		p.Start[0] = start[:p.N]
		s.Populations[i] = p
	}
	e, i := []Part{{0, 0, counts[0]}}, []Part{{1, 0, counts[1]}}
	for j, from := range [][]Part{e, i} {
		p := &s.Projections[j]
		p.From, p.To, p.Rule = from, []Part{e[0], i[0]}, Probability{P: 80 / float64(neurons)}
		if spread {
			p.Delay = Draw{Kind: Uniform, A: 0.1, B: 3, Round: 0.1}
		}
	}
	return s
}

// BenchmarkTwoWorkers is the efficiency of two workers on whole networks, by the work of a step for each of them: the
// time of one worker with one range over twice that of two, each the lowest tenth of laps of 100 ms taken in turns.
// parts is the same for one worker that advances both ranges: what two ranges cost without a barrier.
func BenchmarkTwoWorkers(b *testing.B) {
	for _, onGrid := range []bool{true, false} {
		for _, spread := range []bool{false, true} {
			for _, work := range []time.Duration{1, 2, 4, 8, 16} {
				work *= time.Microsecond
				b.Run(fmt.Sprintf("grid=%t/spread=%t/work=%v", onGrid, spread, work), func(b *testing.B) {
					twoWorkers(b, work, onGrid, spread)
				})
			}
		}
	}
}

func twoWorkers(b *testing.B, work time.Duration, onGrid, spread bool) {
	neurons, lapSteps := 4000, int64(lapTime/(2*work))
	for range 3 {
		n := twoWorkersNetwork(b, smallCUBA(neurons, onGrid, spread), 1, 1)
		var laps []time.Duration
		for range 10 {
			laps = append(laps, timedLap(b, n, lapSteps/10))
		}
		n.Close()
		slices.Sort(laps)
		neurons = max(100, int(float64(neurons)*float64(2*work)*float64(lapSteps/10)/float64(laps[1])))
		neurons -= neurons % 5
	}
	s := smallCUBA(neurons, onGrid, spread)
	var laps [4][]time.Duration
	nets := []*Network{
		twoWorkersNetwork(b, s, 1, 1), twoWorkersNetwork(b, s, 1, 2), twoWorkersNetwork(b, s, 2, 2),
	}
	for b.Loop() {
		for i, n := range nets {
			laps[i] = append(laps[i], timedLap(b, n, lapSteps))
		}
		laps[3] = append(laps[3], roundTrips(lapSteps))
	}
	var quiet [4]float64 // ns for a step
	for i := range laps {
		slices.Sort(laps[i])
		quiet[i] = float64(laps[i][len(laps[i])/10]) / float64(lapSteps)
	}
	for _, n := range nets {
		n.Close()
	}
	b.ReportMetric(quiet[0]/2, "work-ns")
	b.ReportMetric(quiet[0]/(2*quiet[2]), "efficiency")
	b.ReportMetric(quiet[0]/quiet[1], "parts")
	b.ReportMetric(quiet[2]-quiet[1]/2, "barrier-ns")
	b.ReportMetric(quiet[3], "round-trip-ns")
	b.ReportMetric(float64(neurons), "neurons")
}

// roundTrips is the time of n round trips of a cache line between two threads, with nothing done in between: the least
// that a barrier of two workers costs with the cores as near to each other as they are at this moment.
func roundTrips(n int64) time.Duration {
	var there, back struct {
		_ [128]byte
		atomic.Int64
		_ [120]byte
	}
	var other sync.WaitGroup
	other.Go(func() {
		for i := range n {
			for there.Load() <= i {
			}
			back.Store(i + 1)
		}
	})
	there.Store(1)
	for back.Load() < 1 {
	}
	begin := time.Now()
	for i := range n - 1 {
		there.Store(i + 2)
		for back.Load() < i+2 {
		}
	}
	d := time.Since(begin)
	other.Wait()
	return d * time.Duration(n) / time.Duration(n-1)
}

// lapTime is the time of a lap with one worker. A run begins by starting goroutines, in about 0.1 ms.
const lapTime = 50 * time.Millisecond

func twoWorkersNetwork(b testing.TB, s *Spec, workers, ranges int) *Network {
	n, err := Build(b.Context(), s, Config{Workers: workers, Ranges: ranges})
	if err != nil {
		b.Fatal(err)
	}
	n.always = true
	if err := n.Run(b.Context(), 1000, Recorder{}); err != nil {
		b.Fatal(err)
	}
	return n
}

func timedLap(b *testing.B, n *Network, steps int64) time.Duration {
	begin := time.Now()
	if err := n.Run(b.Context(), steps, Recorder{}); err != nil {
		b.Fatal(err)
	}
	return time.Since(begin)
}
