package recording

import (
	"math"
	"slices"

	"popsim/kernels"
	"popsim/model"
	"popsim/pop"
	"popsim/table"
	"popsim/table/file"
)

// Trace writes the states of some neurons over time to a table with the columns time_ms, neuron and the states. Its Row is a
// pop.Trace.Row.
type Trace struct {
	out     *file.Output
	model   *model.Model
	times   []float64
	neurons []int64
	states  [][]float64 // by state

	tops      []int64        // neurons whose spikes get a row
	threshold kernels.Values // V_th
	pending   []pop.Spike    // spikes that the rows have not come to yet
	topState  []float64      // V_th, and NaN for the other states
}

// NewTrace returns a recorder of states of a model that writes to out.
func NewTrace(out *file.Output, m *model.Model) *Trace {
	return &Trace{out: out, model: m, states: make([][]float64, len(m.States))}
}

// Tops adds a row with V = V_th, and the other states missing, at each spike of the given neurons of a model that resets.
// AddSpikes must then be given all spikes.
func (t *Trace) Tops(neurons []int64, spec pop.Spec) {
	t.tops, t.threshold = neurons, spec.P[t.model.Index("V_th")]
	t.topState = make([]float64, len(t.states))
	for j := range t.topState {
		t.topState[j] = math.NaN()
	}
}

// AddSpikes keeps the spikes that get rows until rows of later times come: the spikes of an epoch are reported before its
// states.
func (t *Trace) AddSpikes(block []pop.Spike) {
	if t.tops == nil {
		return
	}
	for _, x := range block {
		if slices.Contains(t.tops, x.Neuron) {
			t.pending = append(t.pending, x)
		}
	}
}

// Row adds the states of a neuron at time ms, which it copies.
func (t *Trace) Row(time float64, neuron int64, state []float64) error {
	t.addTops(time)
	t.add(time, neuron, state)
	if len(t.times) < BlockRows {
		return nil
	}
	return t.flush()
}

// addTops adds the rows of pending spikes before a time, ms.
func (t *Trace) addTops(before float64) {
	for len(t.pending) > 0 && t.pending[0].Time < before {
		x := t.pending[0]
		t.pending = t.pending[1:]
		t.topState[0] = t.threshold.At(int(x.Neuron))
		t.add(x.Time, x.Neuron, t.topState)
	}
}

func (t *Trace) add(time float64, neuron int64, state []float64) {
	t.times, t.neurons = append(t.times, time), append(t.neurons, neuron)
	for j := range t.states {
		t.states[j] = append(t.states[j], state[j])
	}
}

// flush appends the rows so far to the table.
func (t *Trace) flush() error {
	rows := table.NewTable(table.Col("time_ms", t.times), table.Col("neuron", t.neurons))
	for j, x := range t.model.States {
		rows.Columns = append(rows.Columns, table.Col(x.Column(), t.states[j]))
		t.states[j] = t.states[j][:0]
	}
	t.times, t.neurons = t.times[:0], t.neurons[:0]
	return t.out.Append(rows)
}

// Close appends the last rows. The table remains to be committed.
func (t *Trace) Close() error {
	t.addTops(math.Inf(1))
	return t.flush()
}
