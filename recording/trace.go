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

// Trace writes the states of the traced neurons over time to a table with the columns time_ms, neuron and the states.
type Trace struct {
	out     *file.Output
	model   *model.Model
	times   []float64
	neurons []int64
	states  [][]float64 // by state
}

// NewTrace returns a recorder of states of a model that writes to out.
func NewTrace(out *file.Output, m *model.Model) *Trace {
	return &Trace{out: out, model: m, states: make([][]float64, len(m.States))}
}

// AddState adds the states of a neuron at time ms, which it copies.
func (t *Trace) AddState(time float64, neuron int64, state []float64) error {
	t.times, t.neurons = append(t.times, time), append(t.neurons, neuron)
	for j := range t.states {
		t.states[j] = append(t.states[j], state[j])
	}
	if len(t.times) < BlockRows {
		return nil
	}
	return t.flush()
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
func (t *Trace) Close() error { return t.flush() }

// TopTrace is a Trace with a further row at each spike of the traced neurons of a model that resets: V = V_th, and the
// other states missing.
type TopTrace struct {
	*Trace
	traced    []int64
	threshold kernels.Values // V_th
	state     []float64      // of such a row
	pending   []pop.Spike    // spikes later than the last row: those of an epoch are reported before its states
}

// NewTopTrace returns a recorder of the states and spikes of traced neurons of a population that writes to out.
func NewTopTrace(out *file.Output, spec pop.Spec, traced []int64) *TopTrace {
	t := &TopTrace{Trace: NewTrace(out, spec.Model), traced: traced, threshold: thresholds(spec)}
	t.state = make([]float64, len(t.states))
	for j := range t.state {
		t.state[j] = math.NaN()
	}
	return t
}

// thresholds are the potentials at which spikes are counted: one for all neurons, or one for each.
func thresholds(spec pop.Spec) kernels.Values {
	m := spec.Model
	n, p := 1, make([]float64, len(m.Params))
	for _, v := range spec.P {
		n = max(n, len(v))
	}
	values := make(kernels.Values, n)
	for i := range values {
		for j, v := range spec.P {
			p[j] = v.At(i)
		}
		values[i] = m.Threshold(p)
	}
	return values
}

// AddSpikes keeps the spikes of traced neurons until states of later times come.
func (t *TopTrace) AddSpikes(block []pop.Spike) error {
	for _, x := range block {
		if slices.Contains(t.traced, x.Neuron) {
			t.pending = append(t.pending, x)
		}
	}
	return nil
}

// AddState adds the rows of the spikes before a state, and of the state.
func (t *TopTrace) AddState(time float64, neuron int64, state []float64) error {
	if err := t.addTops(time); err != nil {
		return err
	}
	return t.Trace.AddState(time, neuron, state)
}

// addTops adds the rows of the spikes before a time, ms.
func (t *TopTrace) addTops(before float64) error {
	for len(t.pending) > 0 && t.pending[0].Time < before {
		x := t.pending[0]
		t.pending = t.pending[1:]
		t.state[0] = t.threshold.At(int(x.Neuron))
		if err := t.Trace.AddState(x.Time, x.Neuron, t.state); err != nil {
			return err
		}
	}
	return nil
}

// Close adds the rows of the spikes after the last state, and appends the last rows.
func (t *TopTrace) Close() error {
	if err := t.addTops(math.Inf(1)); err != nil {
		return err
	}
	return t.flush()
}
