package recording

import (
	"popsim/network"
	"popsim/network/statistics"
	"popsim/table"
)

// NeuronTable writes a row per neuron: its spikes in the whole run, and rate and variation of the intervals from
// Config.From on.
func (r *Recording) NeuronTable(sink Sink) error {
	for j, p := range r.spec.Populations {
		for first := 0; first < p.N; first += blockRows {
			n := min(blockRows, p.N-first)
			names, neurons, spikes := make([]string, n), make([]int64, n), make([]int64, n)
			rate, latency, cv := make([]float64, n), make([]float64, n), make([]float64, n)
			for k := range n {
				i := r.firsts[j] + first + k
				t := &r.trains[i]
				names[k], neurons[k], spikes[k] = p.Name, int64(i), t.Spikes()
				rate[k], latency[k], cv[k] = t.Rate(), t.Latency(), t.CV()
			}
			column := table.Col("population", names)
			column.Width = widest(r.spec)
			err := sink(table.NewTable(column, table.Col("neuron", neurons), table.Col("spikes", spikes),
				table.Col("rate_Hz", rate), table.Col("latency_ms", latency), table.Col("isi_cv", cv)))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func widest(spec *network.Spec) (n int) {
	for _, p := range spec.Populations {
		n = max(n, len([]rune(p.Name)))
	}
	return n
}

// EdgeTable writes a row per edge of a network; pre and post count through the pools of the projection, as in @edges.
func EdgeTable(net *network.Network, spec *network.Spec, sink Sink) (err error) {
	var projection []string
	var pre, post []int64
	var weight, delay []float64
	width := 0
	for _, p := range spec.Projections {
		width = max(width, len([]rune(p.Name)))
	}
	flush := func() error {
		name := table.Col("projection", projection)
		name.Width = width
		e := sink(
			table.NewTable(name, table.Col("pre", pre), table.Col("post", post), table.Col("weight", weight),
				table.Col("delay_ms", delay)),
		)
		projection, pre, post, weight, delay = projection[:0], pre[:0], post[:0], weight[:0], delay[:0]
		return e
	}
	net.PoolEdges(func(p, from, to int, w, d float64) bool {
		projection = append(projection, spec.Projections[p].Name)
		pre, post = append(pre, int64(from)), append(post, int64(to))
		weight, delay = append(weight, w), append(delay, d)
		if len(pre) == blockRows {
			err = flush()
		}
		return err == nil
	})
	if err == nil {
		err = flush()
	}
	return err
}

// SpectrumTable is a row per frequency with the power spectra of the rates of populations, and their standard errors;
// it has no rows where the time was too short for one.
func SpectrumTable(spec *network.Spec, m []statistics.Population) *table.Table {
	t := new(table.Table)
	for i := range m { // of a silent population there is no spectrum, of the others they have the same frequencies
		if s := m[i].Spectrum; len(s.Frequency) > 0 {
			t.Columns = []table.Column{table.Col("frequency_Hz", s.Frequency)}
		}
	}
	if t.Columns == nil {
		t.Columns = []table.Column{table.Col("frequency_Hz", []float64{})}
	}
	for i, p := range spec.Populations {
		power, se := make([]float64, t.Rows()), make([]float64, t.Rows())
		if i < len(m) && len(m[i].Spectrum.Power) > 0 {
			power, se = m[i].Spectrum.Power, m[i].Spectrum.SE
		}
		t.Columns = append(t.Columns, table.Col(p.Name+"_power", power), table.Col(p.Name+"_power_se", se))
	}
	return t
}

// PopulationTable is a row per population with its measures.
func PopulationTable(spec *network.Spec, m []statistics.Population) *table.Table {
	names, sizes := make([]string, len(m)), make([]int64, len(m))
	for i := range m {
		names[i], sizes[i] = spec.Populations[i].Name, int64(spec.Populations[i].N)
	}
	t := table.NewTable(table.Col("population", names), table.Col("n", sizes))
	for _, c := range statistics.Columns {
		values := make([]float64, len(m))
		for i := range m {
			values[i] = c.Of(&m[i])
		}
		t.Columns = append(t.Columns, table.Col(c.Name, values))
	}
	return t
}
