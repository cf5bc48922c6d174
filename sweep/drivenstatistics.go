package sweep

import (
	"math"
	"slices"

	"popsim/network/statistics"
	"popsim/pop"
)

// fanoBin is the length of the bins (ms) whose counts the Fano factor is of.
const fanoBin = 100.0

// drivenStatistics are the statistics of trains that driven sweeps compute on demand, each with its error, by the
// name of -m: see Drive.Statistics.
var drivenStatistics = []struct {
	name, column string
	of           func(s *drivenSweep, times []float64) statistics.Estimate
}{
	{"cv2", "cv2", func(_ *drivenSweep, times []float64) statistics.Estimate {
		return statistics.CV2(statistics.Intervals(times))
	}},
	{"fano", "fano", func(s *drivenSweep, times []float64) statistics.Estimate {
		return statistics.Fano(statistics.Counts(times, s.Discard, s.Time, fanoBin))
	}},
}

// IsDrivenStatistic reports whether a name is one of those of Drive.Statistics.
func IsDrivenStatistic(name string) bool {
	for _, q := range drivenStatistics {
		if q.name == name {
			return true
		}
	}
	return false
}

// statisticColumns are the columns of the statistics that are asked for.
func (s *drivenSweep) statisticColumns() (columns []JobColumn) {
	for _, q := range drivenStatistics {
		if slices.Contains(s.Statistics, q.name) {
			columns = append(columns, JobColumn{Name: q.column}, JobColumn{Name: q.column + "_se"})
		}
	}
	return columns
}

// statisticValues are their values for a train; NaN where times is nil.
func (s *drivenSweep) statisticValues(times []float64) (values []float64) {
	for _, q := range drivenStatistics {
		if slices.Contains(s.Statistics, q.name) {
			e := statistics.Estimate{Value: math.NaN(), SE: math.NaN()}
			if times != nil {
				e = q.of(s, times)
			}
			values = append(values, e.Value, e.SE)
		}
	}
	return values
}

// spikeTimes keeps the spikes of each neuron from a time on, ms.
type spikeTimes struct {
	from  float64
	times [][]float64
}

// add keeps spikes.
func (k *spikeTimes) add(block []pop.Spike) {
	for _, q := range block {
		if q.Time >= k.from {
			k.times[q.Neuron] = append(k.times[q.Neuron], q.Time)
		}
	}
}

// of lists the spikes of a neuron; it is never nil.
func (k *spikeTimes) of(neuron int) []float64 {
	if t := k.times[neuron]; t != nil {
		return t
	}
	return []float64{}
}
