package recording

import (
	"popsim/pop"
	"popsim/table"
	"popsim/table/file"
)

// Column is a further column of a table of neurons: a value for each.
type Column struct {
	Name   string
	Values []float64
}

// WriteNeurons appends to out a row for each neuron: its number, spikes, rate_Hz, latency_ms and isi_cv, and further
// columns. counted is the time (ms) in which spikes are counted for the rate; 0 means the rate from mean intervals.
func WriteNeurons(out *file.Output, trains pop.Trains, counted float64, further ...Column) error {
	for first := 0; first == 0 || first < trains.Len(); first += BlockRows {
		if err := out.Append(neurons(trains, first, counted, further)); err != nil {
			return err
		}
	}
	return nil
}

// neurons returns a block of that table, from a first neuron on.
func neurons(trains pop.Trains, first int, counted float64, further []Column) *table.Table {
	n := min(BlockRows, trains.Len()-first)
	number, spikes := make([]int64, n), make([]int64, n)
	rate, latency, cv := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		t := trains.At(first + i)
		number[i], spikes[i] = int64(first+i), t.Spikes()
		rate[i], latency[i], cv[i] = t.Rate(), t.Latency(), t.CV()
		if counted > 0 {
			rate[i] = t.CountedRate(counted)
		}
	}
	t := table.NewTable(table.Col("neuron", number), table.Col("spikes", spikes), table.Col("rate_Hz", rate),
		table.Col("latency_ms", latency), table.Col("isi_cv", cv))
	for _, c := range further {
		t.Columns = append(t.Columns, table.Col(c.Name, c.Values[first:first+n]))
	}
	return t
}
