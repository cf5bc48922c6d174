package sweep

import (
	"fmt"
	"math"
	"slices"

	"popsim/pop"
)

// silentShare is the part of the longest late interval that an interval must last to part two bursts.
const silentShare = 0.5

// bursts returns the spikes per burst, and the bursts per second, of a bursting train of the given period.
func (c behaviour) bursts() (spikes, rate float64) {
	if c.how == endSettled {
		return burstsOf(c.settled.isi[:c.period])
	}
	return burstsOf(c.tail[len(c.tail)-max(1, len(c.tail)/c.period)*c.period:])
}

// burstsOf returns the spikes per burst, and the bursts per second, of intervals (ms) over whole periods.
func burstsOf(x []float64) (spikes, rate float64) {
	longest, silences, time := slices.Max(x), 0.0, 0.0
	for _, isi := range x {
		time += isi
		if isi >= silentShare*longest {
			silences++
		}
	}
	return float64(len(x)) / silences, 1000 * silences / time
}

// isolation returns the sum of the ratios of the longest interval (of those with two neighbours) to its neighbours.
func isolation(x []float64) float64 {
	at := 1
	for i := 2; i < len(x)-1; i++ {
		if x[i] > x[at] {
			at = i
		}
	}
	return x[at]/x[at-1] + x[at]/x[at+1]
}

// leastTail is the number of late intervals up to which a period is searched for in all of them, not in the later half.
const leastTail = 12

// laterHalf returns the later half of the late intervals of a train, or all if they are few.
func laterHalf(late []float64) []float64 {
	if len(late) > leastTail {
		return late[len(late)/2:]
	}
	return late
}

// tailOf returns the part of the late intervals of a train in which a period is searched for, and the period found
// there.
func tailOf(late []float64) (tail []float64, period int) {
	tail = laterHalf(late)
	if period = lastPeriod(tail); period == 0 { // a long period may show only in all late intervals
		if p := pop.Period(late, maxPeriod, blurred); p > 0 {
			return late, p
		}
	}
	return tail, period
}

// BurstsOf returns the spikes per burst, and the bursts per second, of a train without noise whose last intervals (ms)
// are given in their order; NaN if it does not burst. A train bursts by the rule for the firing pattern "bursting" of a
// sweep: it repeats itself after several intervals, of which one is far longer than its neighbours.
func BurstsOf(intervals []float64) (spikes, rate float64) {
	tail, period := tailOf(intervals)
	if period < 2 || len(tail) < 3 || isolation(tail) <= burstFactor {
		return math.NaN(), math.NaN()
	}
	return burstsOf(tail[len(tail)-max(1, len(tail)/period)*period:])
}

// BurstCount counts trains that burst, and holds the least and the largest spikes per burst and bursts per second.
type BurstCount struct {
	N            int
	Spikes, Rate [2]float64
}

// Add counts a train with what BurstsOf returned of it: one that does not burst is left out.
func (c *BurstCount) Add(spikes, rate float64) {
	if !(spikes > 0) {
		return
	}
	if c.N == 0 {
		c.Spikes, c.Rate = [2]float64{spikes, spikes}, [2]float64{rate, rate}
	}
	c.Spikes = [2]float64{min(c.Spikes[0], spikes), max(c.Spikes[1], spikes)}
	c.Rate = [2]float64{min(c.Rate[0], rate), max(c.Rate[1], rate)}
	c.N++
}

func (c *BurstCount) String() string {
	return between(c.Spikes) + " spikes per burst, " + between(c.Rate) + " bursts/s"
}

// between writes the ends of a range with four digits, or the one value if they agree in these.
func between(x [2]float64) string {
	lo, hi := fmt.Sprintf("%.4g", x[0]), fmt.Sprintf("%.4g", x[1])
	if lo == hi {
		return lo
	}
	return lo + " to " + hi
}

// Bursts counts the points of an f-I curve that burst.
func (r *Result) Bursts() (c BurstCount) {
	for row, end := r.Present(); row < end; row++ {
		c.Add(r.value(mBurstSpikes, row), r.value(mBurstRate, row))
	}
	return c
}
