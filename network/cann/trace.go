package cann

import "popsim/table"

// Trace holds u and r of some units over time.
type Trace struct {
	of         []int64
	units      []int64
	time, u, r []float64
}

// NewTrace traces the units of, the first ten where none is named. Units that the network does not have are left out.
func NewTrace(of []int64) *Trace {
	if len(of) == 0 {
		for i := range int64(10) {
			of = append(of, i)
		}
	}
	return &Trace{of: of}
}

// Add adds the present state of a network.
func (t *Trace) Add(w *Network) {
	r := w.R()
	for _, i := range t.of {
		if int(i) < len(r) {
			t.time, t.units = append(t.time, w.Time()), append(t.units, i)
			t.u, t.r = append(t.u, w.U()[i]), append(t.r, r[i])
		}
	}
}

// Table is a row for each state of each unit: time_ms, neuron, u and r.
func (t *Trace) Table() *table.Table {
	return table.NewTable(table.Col("time_ms", t.time), table.Col("neuron", t.units), table.Col("u", t.u),
		table.Col("r", t.r))
}
