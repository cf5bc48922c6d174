package recording

import (
	"math"

	"popsim/pop"
	"popsim/table"
)

// Average is the spike-triggered average of a waveform that all neurons receive: its mean over the spikes of all
// neurons, by the time before a spike (de Boer & Kuyper, IEEE Trans. Biomed. Eng. 15:169, 1968).
type Average struct {
	wave     func(k int64) float64
	dt, from float64 // ms
	before   int     // steps of the window before that of the spike
	spikes   []int64 // by step
}

// NewAverage returns a recorder of the spikes from a time on (ms) in a run of so many steps of dt ms, for the average
// of the mean of the waveform in each step, from a window (ms) before the step of a spike up to that.
func NewAverage(wave func(k int64) float64, steps int64, dt, from, window float64) *Average {
	return &Average{wave, dt, from, int(math.Round(window / dt)), make([]int64, steps)}
}

// AddSpikes counts a block of spikes.
func (a *Average) AddSpikes(block []pop.Spike) error {
	const edge = 1e-9 // steps: a spike at the end of a step that rounding has put before it
	for _, s := range block {
		if k := int64(math.Floor(s.Time/a.dt + edge)); s.Time >= a.from && k < int64(len(a.spikes)) {
			a.spikes[k]++
		}
	}
	return nil
}

// Spikes is the number of those whose window lies within the run.
func (a *Average) Spikes() (n int64) {
	for _, x := range a.spikes[min(a.before, len(a.spikes)):] {
		n += x
	}
	return n
}

// Table has a row for each step of the window: lag_ms of its start to the start of the step of the spike, and the mean
// of the waveform with its standard error, which takes spikes for independent, as columns NAME and NAME_se. They are
// missing without spikes, the error with one.
func (a *Average) Table(name string) *table.Table {
	n := float64(a.Spikes())
	lag, mean, se := make([]float64, a.before+1), make([]float64, a.before+1), make([]float64, a.before+1)
	for j := range lag {
		lag[j] = float64(j-a.before) * a.dt
		sum, square := 0.0, 0.0
		each := func(visit func(count, x float64)) {
			for k := a.before; k < len(a.spikes); k++ {
				if a.spikes[k] > 0 {
					visit(float64(a.spikes[k]), a.wave(int64(k-a.before+j)))
				}
			}
		}
		each(func(count, x float64) { sum += float64(count * x) })
		mean[j] = sum / n
		each(func(count, x float64) { square += float64(count * float64((x-mean[j])*(x-mean[j]))) })
		se[j] = math.Sqrt(square / (n - 1) / n)
	}
	return table.NewTable(table.Col("lag_ms", lag), table.Col(name, mean), table.Col(name+"_se", se))
}
